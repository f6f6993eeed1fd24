/* evpq/adapters/uv.h - an embedded loop in a libuv loop. All of it is here: link libuv. */
#ifndef EVPQ_ADAPTERS_UV_H
#define EVPQ_ADAPTERS_UV_H

#include <evpq/loop.h>
#include <stdlib.h>
#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_uv {
    uv_poll_t poll;
    evpq_loop *loop;
} evpq_uv;

static inline void evpq_uv_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    evpq_loop_turn(((evpq_uv *)poll->data)->loop);
}

static inline void evpq_uv_closed(uv_handle_t *handle)
{
    evpq_uv *a = (evpq_uv *)handle->data;
    evpq_loop_unref(a->loop);
    free(a);
}

/* Takes the loop off its host, and lets go of it in a later turn of that, which must be run until then.
 * `a` is taken; NULL is allowed. Returns NULL. A callback of evpq's may call it. */
static inline evpq_uv *evpq_uv_detach(evpq_uv *a)
{
    if (a)
        uv_close((uv_handle_t *)(void *)&a->poll, evpq_uv_closed);
    return NULL;
}

/* Lets `uv` (borrowed until it has closed what evpq_uv_detach asks it to close) give turns to `loop`
 * (borrowed; a reference is kept until then). Keeps uv_run from returning until evpq_uv_detach. Given:
 * evpq_uv_detach. NULL when out of memory or descriptors, or when `loop` is not embedded. Thread: the one
 * that runs `uv`. */
static inline EVPQ_NODISCARD evpq_uv *evpq_uv_attach(uv_loop_t *uv, evpq_loop *loop)
{
    int fd = evpq_loop_fd(loop);
    evpq_uv *a = fd < 0 ? NULL : (evpq_uv *)malloc(sizeof *a);
    if (!a)
        return NULL;
    if (uv_poll_init(uv, &a->poll, fd)) {
        free(a);
        return NULL;
    }
    a->loop = evpq_loop_ref(loop);
    a->poll.data = a;
    if (uv_poll_start(&a->poll, UV_READABLE, evpq_uv_ready))
        return evpq_uv_detach(a);
    return a;
}

#ifdef __cplusplus
}
#endif

#endif
