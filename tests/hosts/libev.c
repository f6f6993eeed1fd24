/* libev.c - libev itself, without an adapter. */
#include "hosts/hosts.h"

#include <ev.h>
#include <stdlib.h>

struct libev {
    evpq_loop *loop;
    ev_timer limit;
};

static evpq_loop *new (void)
{
    return evpq_loop_new(NULL);
}

static void on_limit(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)w, (void)events;
    ev_break(ev, EVBREAK_ONE);
}

static void *begin(evpq_loop *loop)
{
    struct libev *h = calloc(1, sizeof *h);
    host_needs(h, "calloc");
    h->loop = loop;
    ev_timer_init(&h->limit, on_limit, 0., 0.);
    return h;
}

static void run(void *host, double seconds)
{
    struct libev *h = host;
    struct ev_loop *ev = evpq_loop_ev(h->loop);
    ev_now_update(ev);
    ev_timer_set(&h->limit, seconds, 0.);
    ev_timer_start(ev, &h->limit);
    ev_run(ev, 0);
    ev_timer_stop(ev, &h->limit);
}

static void stop(void *host)
{
    struct libev *h = host;
    evpq_loop_stop(h->loop);
}

static void nothing(void *host)
{
    (void)host;
}

const struct host host_libev = {"libev", new, begin, run, stop, nothing, nothing, free, true};
