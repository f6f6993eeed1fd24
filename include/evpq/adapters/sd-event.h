/* evpq/adapters/sd-event.h - an embedded loop in systemd's sd-event. All of it is here: link libsystemd. */
#ifndef EVPQ_ADAPTERS_SD_EVENT_H
#define EVPQ_ADAPTERS_SD_EVENT_H

#include <evpq/loop.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_sd_event {
    sd_event_source *source;
    evpq_loop *loop;
} evpq_sd_event;

static inline int evpq_sd_event_ready(sd_event_source *source, int fd, uint32_t events, void *data)
{
    (void)source, (void)fd, (void)events;
    evpq_loop_turn(((evpq_sd_event *)data)->loop);
    return 0;
}

/* Takes the loop off its host and lets go of it. `a` is taken; NULL is allowed. Returns NULL. A callback
 * of evpq's may call it. */
static inline evpq_sd_event *evpq_sd_event_detach(evpq_sd_event *a)
{
    if (a) {
        sd_event_source_disable_unref(a->source);
        evpq_loop_unref(a->loop);
        free(a);
    }
    return NULL;
}

/* Lets `event` (borrowed; it stays until evpq_sd_event_detach) give turns to `loop` (borrowed; a
 * reference is kept until then). a->source has the normal priority, and is there to set another. Given:
 * evpq_sd_event_detach. NULL when out of memory, when `loop` is not embedded, or when `event` belongs to
 * the parent of this process. Thread: the one that runs `event`. */
static inline EVPQ_NODISCARD evpq_sd_event *evpq_sd_event_attach(sd_event *event, evpq_loop *loop)
{
    int fd = evpq_loop_fd(loop);
    evpq_sd_event *a = fd < 0 ? NULL : (evpq_sd_event *)malloc(sizeof *a);
    if (!a)
        return NULL;
    if (sd_event_add_io(event, &a->source, fd, EPOLLIN, evpq_sd_event_ready, a) < 0) {
        free(a);
        return NULL;
    }
    a->loop = evpq_loop_ref(loop);
    return a;
}

#ifdef __cplusplus
}
#endif

#endif
