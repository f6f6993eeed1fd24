/* watch.c - timers and descriptors on libev's loop, and what becomes of them in a forked child. */
#include "async/ask.h"
#include "async/loop_impl.h"

#include <math.h>
#include <poll.h>

_Static_assert(sizeof(ev_timer) <= sizeof(struct watcher_room), "room for an ev_timer");
_Static_assert(sizeof(ev_io) <= sizeof(struct watcher_room), "room for an ev_io");

/* ---- fork ---- */

static ev_timer *timer_ev(const struct timer *t)
{
    return (ev_timer *)(void *)&((struct timer *)(void *)t)->ev;
}

static ev_io *io_ev(const struct io *io)
{
    return (ev_io *)(void *)&((struct io *)(void *)io)->ev;
}

void loop_stop_tick(evpq_loop *loop)
{
    ev_clear_pending(loop->ev, &loop->tick);
    ev_idle_stop(loop->ev, &loop->more);
    ev_check_stop(loop->ev, &loop->looked);
}

static void list_drop_all(struct list *l)
{
    while (list_pop(l))
        continue;
}

/* In a forked child: takes off `ev`, with which the program may go on there, all that is the
 * parent's. ev_loop_fork comes first, should the program have forgotten it: until then libev has
 * the parent's epoll set in its hands, and would stop watching for the parent too. */
void loop_leave_to_parent(evpq_loop *loop)
{
    struct list *node;
    ev_loop_fork(loop->ev);
    while ((node = list_pop(&loop->timers)))
        ev_timer_stop(loop->ev, timer_ev(container_of(node, struct timer, node)));
    while ((node = list_pop(&loop->ios)))
        ev_io_stop(loop->ev, io_ev(container_of(node, struct io, node)));
    while ((node = list_pop(&loop->unwatched)))
        container_of(node, struct io, node)->unwatched = false;
    list_drop_all(&loop->late);
    list_drop_all(&loop->due);
    loop_stop_tick(loop);
    for (; loop->held > 0; loop->held--)
        ev_unref(loop->ev);
    for (; loop->held < 0; loop->held++)
        ev_ref(loop->ev);
}

void loop_on_fork(struct ev_loop *ev, ev_fork *w, int events)
{
    (void)ev, (void)events;
    if (loop_forked(w->data))
        loop_leave_to_parent(w->data);
    else
        embed_backend_goes(w->data);
}

/* ---- what keeps it running ---- */

void loop_hold(evpq_loop *loop)
{
    loop->held++;
    ev_ref(loop->ev);
}

void loop_release(evpq_loop *loop)
{
    loop->held--;
    ev_unref(loop->ev);
}

/* ---- timers ---- */

/* What rounding and a busy turn make a timer late by is less. */
static const double LATE = 0.005;

/* For how long sockets are read on, at most; and no longer than twice the delay. */
static const double CATCH_UP_MOST = 1;

/* Its time has come, and it is on no list: it fires in the tick, after what the sockets brought. */
static void timer_is_due(evpq_loop *loop, struct timer *t)
{
    if (!t->late && list_empty(&loop->late)) { /* else it stays behind those that were due before */
        list_append(&loop->due, &t->node);
        loop_ask_for_tick(loop);
        return;
    }
    double lasts = 2 * t->late < CATCH_UP_MOST ? 2 * t->late : CATCH_UP_MOST;
    if (list_empty(&loop->late) || lasts > loop->catch_up_until)
        loop->catch_up_until = lasts;
    list_append(&loop->late, &t->node);
    loop_ask_for_look(loop);
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)events;
    struct timer *t = w->data;
    if (loop_forked(t->loop)) {
        loop_leave_to_parent(t->loop);
        return;
    }
    loop_adopt(t->loop);
    /* Of one that has just gone off libev says how much time was left: less than none. */
    double left = ev_timer_remaining(ev, w);
    t->late = left < -LATE ? -left : 0;
    list_remove(&t->node);
    timer_is_due(t->loop, t);
}

void timer_init(struct timer *t, evpq_loop *loop, void (*fire)(struct timer *))
{
    t->fire = fire;
    t->loop = loop;
    t->due = t->late = 0;
    list_init(&t->node);
    ev_timer_init(timer_ev(t), on_timer, 0., 0.);
    timer_ev(t)->data = t;
}

void timer_start(struct timer *t, double after)
{
    ev_timer *w = timer_ev(t);
    ev_timer_stop(t->loop->ev, w);
    ev_now_update(t->loop->ev); /* the loop's idea of now is as old as the beginning of its turn */
    ev_timer_set(w, after > 0. ? after : 0., 0.);
    ev_timer_start(t->loop->ev, w);
    list_remove(&t->node);
    list_append(&t->loop->timers, &t->node);
    double at = ev_now(t->loop->ev) + after;
    if (at < t->loop->soonest)
        t->loop->soonest = at;
    if (t->loop->embedding)
        embed_timer(t->loop, t, after);
}

void timer_stop(struct timer *t)
{
    ev_timer_stop(t->loop->ev, timer_ev(t));
    if (!list_linked(&t->node))
        return;
    list_remove(&t->node);
    if (t->loop->embedding)
        embed_timer_stopped(t->loop);
}

bool timer_active(const struct timer *t)
{
    return list_linked(&t->node);
}

bool timer_excuse(struct timer *t, double most)
{
    if (t->late > 0)
        timer_start(t, t->late < most ? t->late : most);
    return t->late > 0;
}

/* No timer has its time before `soonest`, if only as one that was stopped had been the first. */
bool loop_has_timers_due(evpq_loop *loop)
{
    if (ev_time() < loop->soonest)
        return false;
    ev_now_update(loop->ev);
    double least = INFINITY;
    for (struct list *node = loop->timers.next; node != &loop->timers; node = node->next) {
        double left =
            ev_timer_remaining(loop->ev, timer_ev(container_of(node, struct timer, node)));
        least = left < least ? left : least;
    }
    loop->soonest = ev_now(loop->ev) + least;
    return least <= 0;
}

/* ---- descriptors ---- */

/* ev_io_set, not ev_io_modify: it makes libev tell the kernel again, even when number and events are
 * the same, which is needed when libpq has closed a socket and got the same number for the next.
 * libev does so right before it waits, and would hear only after that wait that the kernel refuses:
 * so it does not wait this time. */
static void io_watch(struct io *io, int fd, int events)
{
    ev_io_set(io_ev(io), fd, events);
    ev_io_start(io->loop->ev, io_ev(io));
    list_append(&io->loop->ios, &io->node);
    if (io->loop->embedding)
        embed_io(io->loop);
    else
        ev_idle_start(io->loop->ev, &io->loop->more);
}

/* ---- those that the kernel does not watch ----
 *
 * epoll_ctl fails where the user has as many watches as the system allows, or the kernel has no
 * memory: libev stops the watcher then, and calls it once with EV_ERROR. The descriptor is looked at
 * every LOOK_EVERY seconds from then on, and the kernel is asked again each time. It keeps the loop
 * running as one that is watched does; the timer does not. */

static const double LOOK_EVERY = 0.01;

static void io_is_unwatched(struct io *io)
{
    evpq_loop *loop = io->loop;
    list_remove(&io->node);
    list_append(&loop->unwatched, &io->node);
    io->unwatched = true;
    loop_hold(loop);
    if (timer_active(&loop->look))
        return;
    timer_start(&loop->look, LOOK_EVERY);
    loop_release(loop);
}

static void look_is_over(evpq_loop *loop)
{
    timer_stop(&loop->look);
    loop_hold(loop);
}

static void io_forget_unwatched(struct io *io)
{
    evpq_loop *loop = io->loop;
    if (!io->unwatched)
        return;
    io->unwatched = false;
    list_remove(&io->node);
    loop_release(loop);
    if (list_empty(&loop->unwatched) && timer_active(&loop->look))
        look_is_over(loop);
}

/* Also where there is no such descriptor: who reads it hears why. */
static bool io_is_ready(const struct io *io)
{
    struct pollfd p = {.fd = io_ev(io)->fd,
                       .events = (short)((io_ev(io)->events & EV_READ ? POLLIN : 0) |
                                         (io_ev(io)->events & EV_WRITE ? POLLOUT : 0))};
    return poll(&p, 1, 0) != 0;
}

static void watch_again(struct timer *t)
{
    evpq_loop *loop = t->loop;
    look_is_over(loop);
    while (!list_empty(&loop->unwatched)) {
        struct io *io = container_of(loop->unwatched.next, struct io, node);
        io_forget_unwatched(io);
        io_watch(io, io_ev(io)->fd, io_ev(io)->events & (EV_READ | EV_WRITE));
    }
}

void watch_init(evpq_loop *loop)
{
    list_init(&loop->timers);
    loop->soonest = INFINITY;
    list_init(&loop->ios);
    list_init(&loop->unwatched);
    timer_init(&loop->look, loop, watch_again);
}

/* ---- what is watched ---- */

static void on_io(struct ev_loop *ev, ev_io *w, int events)
{
    (void)ev;
    struct io *io = w->data;
    if (loop_forked(io->loop)) {
        loop_leave_to_parent(io->loop);
        return;
    }
    loop_adopt(io->loop);
    if (events & EV_ERROR)
        io_is_unwatched(io);
    if (!(events & EV_ERROR) || io_is_ready(io))
        io->ready(io);
}

void io_init(struct io *io, evpq_loop *loop, void (*ready)(struct io *))
{
    io->ready = ready;
    io->loop = loop;
    io->unwatched = false;
    list_init(&io->node);
    ev_io_init(io_ev(io), on_io, -1, 0);
    io_ev(io)->data = io;
}

void io_start(struct io *io, int fd, int events)
{
    io_stop(io);
    io_watch(io, fd, (events & IO_READ ? EV_READ : 0) | (events & IO_WRITE ? EV_WRITE : 0));
}

void io_stop(struct io *io)
{
    io_forget_unwatched(io);
    ev_io_stop(io->loop->ev, io_ev(io));
    list_remove(&io->node);
}

bool io_active(const struct io *io)
{
    return list_linked(&io->node);
}
