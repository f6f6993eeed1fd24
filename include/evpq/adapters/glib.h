/* evpq/adapters/glib.h - an embedded loop in GLib's main loop. All of it is here: link glib-2.0. */
#ifndef EVPQ_ADAPTERS_GLIB_H
#define EVPQ_ADAPTERS_GLIB_H

#include <evpq/loop.h>
#include <glib.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_glib {
    GSource source;
    evpq_loop *loop;
    gpointer fd;
} evpq_glib;

/* A main loop that runs within a callback of evpq's must not wait before it has turned the loop. */
static inline gboolean evpq_glib_prepare(GSource *source, gint *timeout)
{
    *timeout = -1;
    return evpq_loop_timeout(((evpq_glib *)source)->loop) == 0;
}

static inline gboolean evpq_glib_check(GSource *source)
{
    evpq_glib *a = (evpq_glib *)source;
    return (g_source_query_unix_fd(source, a->fd) & G_IO_IN) || evpq_loop_timeout(a->loop) == 0;
}

static inline gboolean evpq_glib_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)callback, (void)data;
    evpq_loop_turn(((evpq_glib *)source)->loop);
    return G_SOURCE_CONTINUE;
}

static inline void evpq_glib_finalize(GSource *source)
{
    evpq_loop_unref(((evpq_glib *)source)->loop);
}

/* Takes the loop off its host and lets go of it. `a` is taken; NULL is allowed. Returns NULL. A callback
 * of evpq's may call it. */
static inline evpq_glib *evpq_glib_detach(evpq_glib *a)
{
    if (a) {
        g_source_destroy(&a->source);
        g_source_unref(&a->source);
    }
    return NULL;
}

/* Lets `context` (borrowed; NULL: the default one) give turns to `loop` (borrowed; a reference is kept
 * until evpq_glib_detach). A callback of evpq's may run a main loop within, which gives turns too. The
 * source has the default priority; &a->source is there to set another. Given: evpq_glib_detach. NULL when
 * `loop` is not embedded. Thread: the one that runs `context`. */
static inline EVPQ_NODISCARD evpq_glib *evpq_glib_attach(GMainContext *context, evpq_loop *loop)
{
    static GSourceFuncs functions = {
        evpq_glib_prepare, evpq_glib_check, evpq_glib_dispatch, evpq_glib_finalize, NULL, NULL};
    int fd = evpq_loop_fd(loop);
    if (fd < 0)
        return NULL;
    evpq_glib *a = (evpq_glib *)g_source_new(&functions, sizeof *a);
    a->loop = evpq_loop_ref(loop);
    a->fd = g_source_add_unix_fd(&a->source, fd, G_IO_IN);
    g_source_set_name(&a->source, "evpq");
    g_source_set_can_recurse(&a->source, TRUE);
    g_source_attach(&a->source, context);
    return a;
}

#ifdef __cplusplus
}
#endif

#endif
