/* tick.c - the tick: what a turn of the loop ends with.
 *
 * Works through the run queue, the timers that are due, and the lists of what is to be read and to
 * be flushed. A tick is asked for by feeding an event to a watcher of the lowest priority: libev
 * then calls it once, after everything else of this turn, without any watcher being started and
 * without a system call. A tick is bounded, and asks for none after itself; when its jobs keep
 * making jobs, an idle watcher lets the loop look at its sockets before going on. */
#include "async/ask.h"
#include "async/loop_impl.h"

enum { JOBS_PER_TICK = 4096, JOBS_PER_LOOK = 64 };

static const double TICK_LASTS = 0.002; /* seconds of jobs alone, about */

static void flush_dirty(evpq_loop *loop)
{
    struct list now, *node;
    list_init(&now);
    list_splice(&now, &loop->flushers);
    loop->standing = true;
    while ((node = list_pop(&now))) {
        struct flusher *flusher = container_of(node, struct flusher, node);
        flusher->flush(flusher);
    }
    loop->standing = false;
}

static bool work_left(const evpq_loop *loop)
{
    return !runq_empty(&loop->runq) || !list_empty(&loop->readers) || !list_empty(&loop->due) ||
           !list_empty(&loop->flushers);
}

static bool read_piece(evpq_loop *loop, struct reader *reader)
{
    loop->standing = true;
    bool more = reader->read(reader);
    loop->standing = false;
    return more;
}

/* It is taken off when it has nothing left, not before: a callback that runs the loop again goes on
 * with it there. */
static void read_next(evpq_loop *loop)
{
    struct reader *reader = container_of(list_first(&loop->readers), struct reader, node);
    if (!read_piece(loop, reader))
        list_remove(&reader->node);
}

/* Whether jobs alone have had the loop for long enough; asked after every so many of them. */
static bool jobs_took_long(double *since)
{
    double now = clock_now();
    if (!*since)
        *since = now;
    return now - *since > TICK_LASTS;
}

/* ---- timers, and who waits for a turn ---- */

static void fire_due(evpq_loop *loop)
{
    struct list *node;
    while ((node = list_pop(&loop->due))) {
        struct timer *t = container_of(node, struct timer, node);
        t->fire(t);
    }
    loop->catching_up = false;
}

void loop_next_turn(evpq_loop *loop, struct job *job)
{
    list_append(&loop->next_turn, &job->node);
    loop_ask_for_look(loop);
}

/* A look at the sockets has been had since somebody asked for one. */
static void on_polled(struct ev_loop *ev, ev_check *w, int events)
{
    evpq_loop *loop = w->data;
    (void)events;
    if (loop_forked(loop)) {
        loop_leave_to_parent(loop);
        return;
    }
    ev_check_stop(ev, w);
    list_splice(&loop->runq.jobs, &loop->next_turn);
    if (!list_empty(&loop->late)) {
        list_splice(&loop->due, &loop->late);
        loop->catching_up = true;
        loop->catch_up_until += clock_now();
    }
    loop_ask_for_tick(loop);
}

bool loop_awaits_timers(const evpq_loop *loop)
{
    return !list_empty(&loop->due) || !list_empty(&loop->late);
}

bool loop_catches_up(const evpq_loop *loop)
{
    return loop->catching_up && clock_now() < loop->catch_up_until;
}

/* ---- a tick ---- */

/* Jobs that make jobs for ever must not keep everything else waiting. */
static void serve_each(evpq_loop *loop)
{
    struct list now, *node;
    list_init(&now);
    list_splice(&now, &loop->readers);
    while ((node = list_pop(&now))) {
        struct reader *reader = container_of(node, struct reader, node);
        if (read_piece(loop, reader))
            loop_read_soon(loop, reader);
    }
    fire_due(loop);
    if (list_empty(&loop->late))
        flush_dirty(loop);
}

/* Jobs go before the next read, so that an answer is used while it is still in the caches, and its
 * memory is free again for the next one. While jobs run, the next tick is asked for: a callback
 * that runs the loop again finds the others there. In the end it is not: libev would call it again
 * before it looks at anything else. A callback may come back in a forked child, which has no
 * business here. */
static void run_tick(evpq_loop *loop)
{
    unsigned outer = loop->ticking;
    int left = JOBS_PER_TICK;
    double since = 0;
    loop_adopt(loop);
    evpq_loop_ref(loop);
    loop->ticking = ev_depth(loop->ev);
    loop_time_passed(loop);
    loop->polled_at = list_empty(&loop->due) ? 0 : clock_now();
    /* The program may have been at something else for long before it let the loop run. */
    bool overdue = loop->unpolled && loop_has_timers_due(loop);
    while (!loop_forked(loop) && work_left(loop) && left > 0) {
        if (!runq_empty(&loop->runq)) {
            loop_ask_for_tick(loop);
            runq_run_first(&loop->runq);
            if (!(--left % JOBS_PER_LOOK) && jobs_took_long(&since))
                left = 0;
        } else if (!list_empty(&loop->readers)) {
            read_next(loop);
            since = 0;
            left = JOBS_PER_TICK; /* no more can come of this than the sockets have brought */
        } else if (!list_empty(&loop->due)) {
            fire_due(loop);
        } else if (list_empty(&loop->late) && !overdue) {
            flush_dirty(loop);
            left--;
        } else {
            break;
        }
    }
    if (!left && !loop_forked(loop))
        serve_each(loop);
    ev_clear_pending(loop->ev, &loop->tick);
    loop->ticking = outer;
    loop_time_passed(loop);
    loop->polled_at = 0;
    loop->unpolled = loop->catching_up = false;
    if (loop_forked(loop))
        loop_leave_to_parent(loop);
    else if (work_left(loop))
        ev_idle_start(loop->ev, &loop->more);
    evpq_loop_unref(loop);
}

static void on_tick(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)ev, (void)events;
    run_tick(w->data);
}

static void on_more(struct ev_loop *ev, ev_idle *w, int events)
{
    (void)events;
    ev_idle_stop(ev, w);
    loop_ask_for_tick(w->data);
}

void loop_defer(evpq_loop *loop, struct job *job)
{
    runq_push(&loop->runq, job);
    loop_ask_for_tick(loop);
}

void loop_read_soon(evpq_loop *loop, struct reader *reader)
{
    if (!list_linked(&reader->node))
        list_append(&loop->readers, &reader->node);
    loop_ask_for_tick(loop);
}

void loop_flush_later(evpq_loop *loop, struct flusher *flusher)
{
    if (!list_linked(&flusher->node))
        list_append(&loop->flushers, &flusher->node);
    loop_ask_for_tick(loop);
}

bool loop_unpolled(const evpq_loop *loop)
{
    return loop->unpolled;
}

/* ---- life ---- */

void tick_init(evpq_loop *loop)
{
    runq_init(&loop->runq);
    list_init(&loop->readers);
    list_init(&loop->flushers);
    list_init(&loop->late);
    list_init(&loop->next_turn);
    list_init(&loop->due);
    ev_prepare_init(&loop->tick, on_tick);
    ev_set_priority(&loop->tick, EV_MINPRI);
    loop->tick.data = loop;
    ev_idle_init(&loop->more, on_more);
    ev_set_priority(&loop->more, EV_MAXPRI);
    loop->more.data = loop;
    ev_check_init(&loop->looked, on_polled);
    ev_set_priority(&loop->looked, EV_MAXPRI);
    loop->looked.data = loop;
}
