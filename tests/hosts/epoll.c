/* epoll.c - a loop around epoll_wait, by hand. */
#include "hosts/hosts.h"

#include <evpq/adapters/epoll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct set {
    evpq_loop *loop;
    int epoll;
    bool stopped;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void attach(void *host)
{
    struct set *h = host;
    host_needs(evpq_epoll_attach(h->epoll, h->loop, (epoll_data_t){.ptr = h->loop}),
               "evpq_epoll_attach");
}

static void detach(void *host)
{
    struct set *h = host;
    evpq_epoll_detach(h->epoll, h->loop);
}

static void *begin(evpq_loop *loop)
{
    struct set *h = calloc(1, sizeof *h);
    host_needs(h, "calloc");
    h->loop = loop;
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    host_needs(h->epoll >= 0, "epoll_create1");
    attach(h);
    return h;
}

static void run(void *host, double seconds)
{
    struct set *h = host;
    struct epoll_event event;
    double until = now() + seconds, left;
    h->stopped = false;
    while (!h->stopped && (left = until - now()) > 0)
        if (epoll_wait(h->epoll, &event, 1, 1 + (int)(left * 1e3)) == 1)
            evpq_loop_turn(event.data.ptr);
}

static void stop(void *host)
{
    struct set *h = host;
    h->stopped = true;
}

static void end(void *host)
{
    struct set *h = host;
    detach(h);
    close(h->epoll);
    free(h);
}

const struct host host_epoll = {
    "epoll", evpq_loop_new_embedded, begin, run, stop, detach, attach, end, true};
