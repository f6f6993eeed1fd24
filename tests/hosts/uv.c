/* uv.c - a loop of libuv. */
#include "hosts/hosts.h"

#include <evpq/adapters/uv.h>
#include <stdlib.h>

struct uv {
    evpq_loop *loop;
    uv_loop_t uv;
    uv_timer_t limit;
    evpq_uv *in;
};

static void attach(void *host)
{
    struct uv *h = host;
    h->in = evpq_uv_attach(&h->uv, h->loop);
    host_needs(h->in, "evpq_uv_attach");
}

static void detach(void *host)
{
    struct uv *h = host;
    h->in = evpq_uv_detach(h->in);
}

static void *begin(evpq_loop *loop)
{
    struct uv *h = calloc(1, sizeof *h);
    host_needs(h, "calloc");
    h->loop = loop;
    host_needs(!uv_loop_init(&h->uv), "uv_loop_init");
    host_needs(!uv_timer_init(&h->uv, &h->limit), "uv_timer_init");
    attach(h);
    return h;
}

static void on_limit(uv_timer_t *limit)
{
    uv_stop(limit->loop);
}

static void run(void *host, double seconds)
{
    struct uv *h = host;
    uv_update_time(&h->uv);
    uv_timer_start(&h->limit, on_limit, (uint64_t)(seconds * 1e3), 0);
    uv_run(&h->uv, UV_RUN_DEFAULT);
    uv_timer_stop(&h->limit);
}

static void stop(void *host)
{
    struct uv *h = host;
    uv_stop(&h->uv);
}

static void end(void *host)
{
    struct uv *h = host;
    detach(h);
    uv_close((uv_handle_t *)&h->limit, NULL);
    uv_run(&h->uv, UV_RUN_DEFAULT);
    host_needs(!uv_loop_close(&h->uv), "uv_loop_close");
    free(h);
}

const struct host host_uv = {"uv", evpq_loop_new_embedded, begin, run, stop, detach, attach, end};
