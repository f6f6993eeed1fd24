/* sd-event.c - systemd's event loop. */
#include "hosts/hosts.h"

#include <evpq/adapters/sd-event.h>
#include <stdlib.h>
#include <time.h>

struct sd {
    evpq_loop *loop;
    sd_event *event;
    evpq_sd_event *in;
    bool stopped;
};

static void attach(void *host)
{
    struct sd *h = host;
    h->in = evpq_sd_event_attach(h->event, h->loop);
    host_needs(h->in, "evpq_sd_event_attach");
}

static void detach(void *host)
{
    struct sd *h = host;
    h->in = evpq_sd_event_detach(h->in);
}

static void *begin(evpq_loop *loop)
{
    struct sd *h = calloc(1, sizeof *h);
    host_needs(h, "calloc");
    h->loop = loop;
    host_needs(sd_event_new(&h->event) >= 0, "sd_event_new");
    attach(h);
    return h;
}

static int on_limit(sd_event_source *source, uint64_t at, void *data)
{
    struct sd *h = data;
    (void)source, (void)at;
    h->stopped = true;
    return 0;
}

/* Not sd_event_loop, which no loop comes back from twice. */
static void run(void *host, double seconds)
{
    struct sd *h = host;
    sd_event_source *limit;
    host_needs(sd_event_add_time_relative(h->event, &limit, CLOCK_MONOTONIC,
                                          (uint64_t)(seconds * 1e6), 0, on_limit, h) >= 0,
               "sd_event_add_time_relative");
    h->stopped = false;
    while (!h->stopped)
        host_needs(sd_event_run(h->event, UINT64_MAX) >= 0, "sd_event_run");
    sd_event_source_disable_unref(limit);
}

static void stop(void *host)
{
    struct sd *h = host;
    h->stopped = true;
}

static void end(void *host)
{
    struct sd *h = host;
    detach(h);
    sd_event_unref(h->event);
    free(h);
}

const struct host host_sd_event = {
    "sd-event", evpq_loop_new_embedded, begin, run, stop, detach, attach, end};
