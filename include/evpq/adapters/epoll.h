/* evpq/adapters/epoll.h - an embedded loop in an epoll set that the program waits for by itself. */
#ifndef EVPQ_ADAPTERS_EPOLL_H
#define EVPQ_ADAPTERS_EPOLL_H

#include <evpq/loop.h>
#include <stdbool.h>
#include <sys/epoll.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Puts `loop` (borrowed until evpq_epoll_detach) into the set `epoll`: whenever epoll_wait tells of
 * `data`, by which the program knows it, call evpq_loop_turn. False, with errno, when the kernel refuses,
 * and when `loop` is not embedded (EBADF). */
static inline bool evpq_epoll_attach(int epoll, evpq_loop *loop, epoll_data_t data)
{
    struct epoll_event event;
    event.events = EPOLLIN;
    event.data = data;
    return !epoll_ctl(epoll, EPOLL_CTL_ADD, evpq_loop_fd(loop), &event);
}

/* Takes it off. Before the last reference to `loop` goes. In a forked child, whose parent has the same
 * set, it does nothing. */
static inline void evpq_epoll_detach(int epoll, evpq_loop *loop)
{
    struct epoll_event unused;
    int fd = evpq_loop_fd(loop);
    if (fd >= 0)
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused);
}

#ifdef __cplusplus
}
#endif

#endif
