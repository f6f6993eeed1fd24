/* evpq/adapters/libevent.h - an embedded loop in libevent's. All of it is here: link libevent_core. */
#ifndef EVPQ_ADAPTERS_LIBEVENT_H
#define EVPQ_ADAPTERS_LIBEVENT_H

#include <event2/event.h>
#include <evpq/loop.h>
#include <stdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_libevent {
    struct event *event;
    evpq_loop *loop;
} evpq_libevent;

static inline void evpq_libevent_ready(evutil_socket_t fd, short events, void *data)
{
    (void)fd, (void)events;
    evpq_loop_turn(((evpq_libevent *)data)->loop);
}

/* Takes the loop off its host and lets go of it. `a` is taken; NULL is allowed. Returns NULL. A callback
 * of evpq's may call it. */
static inline evpq_libevent *evpq_libevent_detach(evpq_libevent *a)
{
    if (a) {
        event_free(a->event);
        evpq_loop_unref(a->loop);
        free(a);
    }
    return NULL;
}

/* Lets `base` (borrowed until evpq_libevent_detach) give turns to `loop` (borrowed; a reference is kept
 * until then). Keeps event_base_dispatch from returning until evpq_libevent_detach. Given:
 * evpq_libevent_detach. NULL when out of memory or when `loop` is not embedded. Thread: the one that runs
 * `base`. */
static inline EVPQ_NODISCARD evpq_libevent *evpq_libevent_attach(struct event_base *base,
                                                                 evpq_loop *loop)
{
    int fd = evpq_loop_fd(loop);
    evpq_libevent *a = fd < 0 ? NULL : (evpq_libevent *)malloc(sizeof *a);
    if (!a)
        return NULL;
    a->event = event_new(base, fd, EV_READ | EV_PERSIST, evpq_libevent_ready, a);
    if (!a->event) {
        free(a);
        return NULL;
    }
    a->loop = evpq_loop_ref(loop);
    return event_add(a->event, NULL) ? evpq_libevent_detach(a) : a;
}

#ifdef __cplusplus
}
#endif

#endif
