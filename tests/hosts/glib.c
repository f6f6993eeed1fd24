/* glib.c - GLib's main loop. */
#include "hosts/hosts.h"

#include <evpq/adapters/glib.h>
#include <stdlib.h>

struct glib {
    evpq_loop *loop;
    GMainContext *context;
    GMainLoop *main;
    evpq_glib *in;
};

static void attach(void *host)
{
    struct glib *h = host;
    h->in = evpq_glib_attach(h->context, h->loop);
    host_needs(h->in, "evpq_glib_attach");
}

static void detach(void *host)
{
    struct glib *h = host;
    h->in = evpq_glib_detach(h->in);
}

static void *begin(evpq_loop *loop)
{
    struct glib *h = calloc(1, sizeof *h);
    host_needs(h, "calloc");
    h->loop = loop;
    h->context = g_main_context_new();
    h->main = g_main_loop_new(h->context, FALSE);
    attach(h);
    return h;
}

static gboolean on_limit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

static void run(void *host, double seconds)
{
    struct glib *h = host;
    GSource *limit = g_timeout_source_new((guint)(seconds * 1e3));
    g_source_set_callback(limit, on_limit, h->main, NULL);
    g_source_attach(limit, h->context);
    g_main_loop_run(h->main);
    g_source_destroy(limit);
    g_source_unref(limit);
}

static void stop(void *host)
{
    struct glib *h = host;
    g_main_loop_quit(h->main);
}

static void end(void *host)
{
    struct glib *h = host;
    detach(h);
    g_main_loop_unref(h->main);
    g_main_context_unref(h->context);
    free(h);
}

const struct host host_glib = {
    "glib", evpq_loop_new_embedded, begin, run, stop, detach, attach, end, true};
