/* libevent.c - an event base of libevent. */
#include "hosts/hosts.h"

#include <evpq/adapters/libevent.h>
#include <stdlib.h>

struct base {
    evpq_loop *loop;
    struct event_base *base;
    struct event *limit;
    evpq_libevent *in;
};

static void attach(void *host)
{
    struct base *h = host;
    h->in = evpq_libevent_attach(h->base, h->loop);
    host_needs(h->in, "evpq_libevent_attach");
}

static void detach(void *host)
{
    struct base *h = host;
    h->in = evpq_libevent_detach(h->in);
}

static void on_limit(evutil_socket_t fd, short events, void *base)
{
    (void)fd, (void)events;
    event_base_loopbreak(base);
}

static void *begin(evpq_loop *loop)
{
    struct base *h = calloc(1, sizeof *h);
    host_needs(h, "calloc");
    h->loop = loop;
    h->base = event_base_new();
    host_needs(h->base, "event_base_new");
    h->limit = event_new(h->base, -1, 0, on_limit, h->base);
    host_needs(h->limit, "event_new");
    attach(h);
    return h;
}

static void run(void *host, double seconds)
{
    struct base *h = host;
    struct timeval after = {(time_t)seconds, (suseconds_t)((seconds - (time_t)seconds) * 1e6)};
    event_add(h->limit, &after);
    event_base_dispatch(h->base);
    event_del(h->limit);
}

static void stop(void *host)
{
    struct base *h = host;
    event_base_loopbreak(h->base);
}

static void end(void *host)
{
    struct base *h = host;
    detach(h);
    event_free(h->limit);
    event_base_free(h->base);
    free(h);
}

const struct host host_libevent = {
    "libevent", evpq_loop_new_embedded, begin, run, stop, detach, attach, end};
