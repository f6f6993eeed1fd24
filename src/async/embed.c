/* embed.c - a loop inside a loop of another kind: the descriptor by which the host learns that it
 * wants a turn.
 *
 * The descriptor is an epoll set of two: libev's own epoll set, which knows the sockets, and a
 * timerfd, which is set to the first timer, or to a time that has passed when there is work of which
 * no descriptor tells. It is readable until the turn that the work is waiting for, and then not
 * before there is more: embed_settle sees to that after each run, the others between two. libev
 * tells the kernel of a descriptor late, in the run after it was started: so that run is had at
 * once. */
#include "async/loop_impl.h"

#include "base/mem.h"

#include <math.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct embedding {
    int fd, timer_fd;
    int backend_fd;  /* libev's epoll set, by number; -1: it is not in `fd` */
    double armed;    /* by clock_now, when timer_fd becomes readable; 0: it is; INFINITY: never */
    double earliest; /* by clock_now: no timer has its time before */
    bool changed;    /* a descriptor was started, and libev may have yet to tell the kernel */
    bool in_turn;    /* a turn is under way, which ends with embed_settle */
};

/* How often the loop is run once more for what a run has started. */
enum { RUNS_MORE = 2 };

/* Of more timers than these the first is not looked for after each run. */
enum { FEW_TIMERS = 32 };

/* A timerfd that goes off too early is left alone as long as it is early by no more than so much of
 * the time until then: a deadline that moves on with each query costs no system call each. */
static const double EARLY = 0.125;

/* Without libev's epoll set, for want of memory, the sockets are looked at so often. */
static const double LOOK_EVERY = 0.01;

/* A timerfd takes no more than a time_t, which may have 32 bits; no machine is up for so long. */
static const double LATEST = 2e9;

/* ---- the two descriptors ---- */

/* In a forked child it is the parent's, too, and is left alone. */
static void set_timer(evpq_loop *loop, double at)
{
    struct embedding *e = loop->embedding;
    struct itimerspec spec = {0}; /* never */
    if (loop_forked(loop))
        return;
    if (at <= 0)
        spec.it_value.tv_nsec = 1; /* long ago */
    else if (at < INFINITY) {
        double until = at < LATEST ? at : LATEST;
        spec.it_value.tv_sec = (time_t)until;
        spec.it_value.tv_nsec = (long)((until - (double)spec.it_value.tv_sec) * 1e9);
    }
    e->armed = at;
    timerfd_settime(e->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static bool watch_fd(const struct embedding *e, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && !epoll_ctl(e->fd, EPOLL_CTL_ADD, fd, &event);
}

/* libev's epoll set: it has no call for that, but a watcher that embeds a loop waits for it. */
static int backend_of(struct ev_loop *ev)
{
    ev_embed w;
    ev_embed_init(&w, NULL, ev);
    ev_embed_start(ev, &w);
    int fd = w.io.fd;
    ev_embed_stop(ev, &w);
    return fd;
}

static void watch_backend(struct embedding *e, struct ev_loop *ev)
{
    int fd = backend_of(ev);
    e->backend_fd = watch_fd(e, fd) ? fd : -1;
}

void embed_backend_goes(evpq_loop *loop)
{
    struct embedding *e = loop->embedding;
    if (!e || e->backend_fd < 0)
        return;
    epoll_ctl(e->fd, EPOLL_CTL_DEL, e->backend_fd, NULL);
    e->backend_fd = -1;
}

/* ---- when the host is to be woken ---- */

/* When the first timer has its time, or earlier where there are many. */
static double first_timer(evpq_loop *loop)
{
    struct embedding *e = loop->embedding;
    double least = INFINITY, now = clock_now();
    int n = 0;
    for (struct list *node = loop->timers.next; node != &loop->timers; node = node->next) {
        if (++n > FEW_TIMERS && e->earliest > now)
            return e->earliest;
        double due = container_of(node, struct timer, node)->due;
        least = due < least ? due : least;
    }
    return e->earliest = least;
}

static bool is_close_enough(double armed, double at)
{
    if (armed == at)
        return true;
    if (armed > at || at == INFINITY)
        return false;
    double left = armed - clock_now();
    return left > 0 && at - armed < left * EARLY;
}

static void arm(evpq_loop *loop, double at)
{
    if (!is_close_enough(loop->embedding->armed, at))
        set_timer(loop, at);
}

static double next_turn_at(evpq_loop *loop)
{
    struct embedding *e = loop->embedding;
    if (e->changed || ev_pending_count(loop->ev) || ev_is_active(&loop->more))
        return 0;
    double at = first_timer(loop);
    if (e->backend_fd < 0) {
        double look = clock_now() + LOOK_EVERY;
        at = look < at ? look : at;
    }
    return at;
}

/* ---- between two runs ---- */

void embed_wake(evpq_loop *loop)
{
    const struct embedding *e = loop->embedding;
    if (!e->in_turn && e->armed > 0)
        set_timer(loop, 0);
}

void embed_timer(evpq_loop *loop, struct timer *t, double after)
{
    struct embedding *e = loop->embedding;
    t->due = clock_now() + (after > 0 ? after : 0);
    if (t->due < e->earliest)
        e->earliest = t->due;
    if (!e->in_turn && t->due < e->armed)
        set_timer(loop, t->due);
}

void embed_timer_stopped(evpq_loop *loop)
{
    const struct embedding *e = loop->embedding;
    if (!e->in_turn && e->armed > clock_now()) /* else a turn comes anyway */
        arm(loop, next_turn_at(loop));
}

void embed_io(evpq_loop *loop)
{
    loop->embedding->changed = true;
    embed_wake(loop);
}

/* ---- a turn ---- */

void embed_begin(evpq_loop *loop)
{
    if (loop->embedding)
        loop->embedding->in_turn = true;
}

bool embed_run_more(evpq_loop *loop, bool alive)
{
    struct embedding *e = loop->embedding;
    for (int i = 0; e && i < RUNS_MORE && e->changed && !loop_forked(loop); i++) {
        e->changed = false;
        alive = ev_run(loop->ev, EVRUN_NOWAIT);
    }
    return alive;
}

/* A run that was stopped is not gone on with: where libev has yet to tell the kernel of a descriptor,
 * the host gives the loop a turn at once. */
void embed_settle(evpq_loop *loop)
{
    struct embedding *e = loop->embedding;
    if (!e || loop_forked(loop))
        return;
    if (e->backend_fd < 0)
        watch_backend(e, loop->ev);
    arm(loop, next_turn_at(loop));
    e->in_turn = false;
}

/* ---- for the host ---- */

int evpq_loop_fd(const evpq_loop *loop)
{
    return loop->embedding && !loop_forked(loop) ? loop->embedding->fd : -1;
}

double evpq_loop_timeout(const evpq_loop *loop)
{
    const struct embedding *e = loop->embedding;
    if (!e || loop_forked(loop))
        return -1;
    if (e->in_turn)
        return 0; /* what is asked for in a turn is not counted before its end */
    if (e->armed == INFINITY)
        return -1;
    double left = e->armed - clock_now();
    return left > 0 ? left : 0;
}

/* ---- life ---- */

struct embedding *embedding_new(struct ev_loop *ev)
{
    struct embedding *e = mem_zalloc(sizeof *e);
    if (!e)
        return NULL;
    e->fd = epoll_create1(EPOLL_CLOEXEC);
    e->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    e->backend_fd = -1;
    e->armed = e->earliest = INFINITY;
    if (e->fd >= 0 && watch_fd(e, e->timer_fd))
        watch_backend(e, ev);
    return e->backend_fd < 0 ? embedding_free(e) : e;
}

struct embedding *embedding_free(struct embedding *e)
{
    if (!e)
        return NULL;
    if (e->fd >= 0)
        close(e->fd);
    if (e->timer_fd >= 0)
        close(e->timer_fd);
    mem_free(e);
    return NULL;
}
