/* loop.h - what the rest of the library sees of libev: timers, descriptors, "later", and the time.
 *
 * A tick is the end of one turn of the loop, after every watcher of that turn has been called: what
 * came in is read, a piece at a time, the run queue is emptied after each piece, and then each
 * dirty connection is flushed once. A tick happens only when something asked for it. */
#ifndef ASYNC_LOOP_H
#define ASYNC_LOOP_H

#include "async/runq.h"
#include "base/recycle.h"

#include <evpq/loop.h>
#include <stdbool.h>
#include <stdint.h>

/* Room for one libev watcher, so that it can live inside our structs while <ev.h> stays in
 * loop_impl.h. On 32 bits, too, it has two doubles or an int64_t behind its pointers. */
struct watcher_room {
    uint64_t words[8];
};

/* Calls fire(timer) once, `after` seconds from timer_start; then, and after timer_stop, it is off.
 *
 * It fires in the tick, when all that the sockets have brought has been read and the run queue is
 * empty, and before anything is sent: what came before it was due counts. One that is found late,
 * as the program held the loop up, first lets the loop look at its sockets once more. */
struct timer {
    void (*fire)(struct timer *);
    evpq_loop *loop;
    double due;       /* of an embedded loop's, by clock_now: when its time comes */
    double late;      /* while it fires: by so many seconds the loop was held up; 0: in time */
    struct list node; /* among the loop's that are on */
    struct watcher_room ev;
};

void timer_init(struct timer *t, evpq_loop *loop, void (*fire)(struct timer *));
void timer_start(struct timer *t, double after); /* also moves a running one */
void timer_stop(struct timer *t);
bool timer_active(const struct timer *t);

/* While it fires, for what takes several steps with a peer: if it was late, starts it again, for as
 * long as the loop was held up, but no longer than `most`. The peer was not heard meanwhile. */
bool timer_excuse(struct timer *t, double most);

/* Calls ready(io) whenever the descriptor is readable (IO_READ) or writable (IO_WRITE), until
 * io_stop. Stop it before the descriptor is closed: then an event of an earlier descriptor of the
 * same number is nobody's. */
enum io_event { IO_READ = 1, IO_WRITE = 2 };

struct io {
    void (*ready)(struct io *);
    evpq_loop *loop;
    bool unwatched;   /* the kernel has no room to watch it: it is looked at now and then */
    struct list node; /* among the loop's that are on */
    struct watcher_room ev;
};

void io_init(struct io *io, evpq_loop *loop, void (*ready)(struct io *));
void io_start(struct io *io, int fd,
              int events); /* a running one is re-armed, whatever became of its descriptor */
void io_stop(struct io *io);
bool io_active(const struct io *io);

/* Whether an active io keeps ev_run from returning; counted, so calls must pair. */
void loop_hold(evpq_loop *loop);
void loop_release(evpq_loop *loop);

/* Something to read in the tick, a piece at a time. read() is called again and again for as long as
 * it returns true, with the run queue emptied in between. Taking the node off its list calls it
 * off. */
struct reader {
    struct list node;
    bool (*read)(struct reader *);
};

/* Something to do when nothing is left to read or to run in the tick: flushing a socket. */
struct flusher {
    struct list node;
    void (*flush)(struct flusher *);
};

void loop_defer(evpq_loop *loop, struct job *job);
void loop_read_soon(evpq_loop *loop, struct reader *reader);
void loop_flush_later(evpq_loop *loop, struct flusher *flusher);

/* Whether this is a child process, forked since the loop was made: all that hangs on it is the
 * parent's then. What a program calls asks this first (EVPQ_FORKED), and the loop before it calls
 * anybody: so nothing below has to. */
bool loop_forked(const evpq_loop *loop);

/* Whether the calling thread is the one that ran it last, or made it and nobody has run it. The
 * loop's own calls always are. */
bool loop_is_mine(const evpq_loop *loop);

/* Whether another thread is running it at this moment: then nothing of it is touched, be it to let
 * go. Otherwise a thread may clean up after another. */
bool loop_elsewhere(const evpq_loop *loop);

/* evpq_loop_unref, for a loop that is not NULL, on its thread. */
void loop_unref(evpq_loop *loop);

/* Whether something may be asked of it: EVPQ_OK, or else EVPQ_INVALID (it is NULL, or another
 * thread's) or EVPQ_FORKED. */
static inline evpq_status loop_check(const evpq_loop *l)
{
    if (!l)
        return EVPQ_INVALID;
    if (loop_forked(l))
        return EVPQ_FORKED;
    return loop_is_mine(l) ? EVPQ_OK : EVPQ_INVALID;
}

/* Why, where loop_check says no. */
const evpq_error *loop_refusal(const evpq_loop *loop);

/* Whether there is nothing to be done in calls that only cancel, close or release: it is the
 * parent's, or another thread is at it. */
static inline bool loop_is_barred(const evpq_loop *l)
{
    return loop_forked(l) || loop_elsewhere(l);
}

/* Whether the calling code was itself called by the loop. */
bool loop_running(const evpq_loop *loop);

/* In a tick: whether the loop has yet to look at its descriptors since the program, outside the
 * loop, asked for it. What is known of a socket may then be old. */
bool loop_unpolled(const evpq_loop *loop);

/* Runs until evpq_loop_stop (true) or until no watcher is left that could do anything (false; also
 * in a forked child, at once). */
bool loop_run(evpq_loop *loop);

/* Ends loop_run as soon as it is the innermost: a callback may be running the loop again, and is
 * left to that. */
void loop_leave(evpq_loop *loop);

/* Seconds, now, on a clock that never jumps. While a reader reads or a flusher flushes time stands
 * still, but for loop_time_passed, which they call when they turn to a socket: so that they may ask
 * for each answer. */
double loop_time(evpq_loop *loop);
void loop_time_passed(evpq_loop *loop);

/* In a tick, about when the sockets were last polled; outside, now. For one that asks what the
 * server may be doing, which we know no better than then. */
double loop_time_polled(evpq_loop *loop);

/* In a tick: whether timers whose time has come have yet to fire. Nothing new is sent before they
 * have. */
bool loop_awaits_timers(const evpq_loop *loop);

/* In a tick, with timers that were late: a socket is read on as long as it has more. */
bool loop_catches_up(const evpq_loop *loop);

/* Runs the job once the loop has looked at its sockets and timers again. */
void loop_next_turn(evpq_loop *loop, struct job *job);

/* Lets it turn once, without waiting. Whether a watcher is left that could do anything (false; also in
 * a forked child, at once). */
bool loop_turn(evpq_loop *loop);

/* How often in a row code has found ready what it was about to wait for: it never comes back to the
 * loop by itself then. Zero when the loop has had its turn. */
struct streak {
    unsigned n;
    double since; /* the first look at the clock; 0: none yet */
};

/* Of code outside the loop. */
struct streak *loop_streak(evpq_loop *loop);

bool streak_is_over(struct streak *s, double deadline);

/* Counts one more. Whether it is time to let the loop turn: after about a millisecond, after so
 * many, or when the deadline (on loop_time's clock) has passed. Then the next streak begins. */
static inline bool streak_ends(struct streak *s, double deadline)
{
    enum { LOOK_EVERY = 8 };
    return !(++s->n % LOOK_EVERY) && streak_is_over(s, deadline);
}

/* Code that the loop runs on a stack of its own, a task. Only what runs there, at the depth of
 * ev_run in which it was let in, is that coroutine: a callback of a run within is not. */
struct coroutine {
    double deadline; /* on loop_time's clock; infinity: none */
    unsigned depth;
};

/* Before and after `coroutine` (NULL: code that may not wait) runs; what coroutine_enter returns belongs to
 * the other. */
struct coroutine *coroutine_enter(evpq_loop *loop, struct coroutine *coroutine);
void coroutine_leave(evpq_loop *loop, struct coroutine *outer);

/* free_value(value), if there is such a function: the program's, called in the middle of things, so
 * that it may not wait. Without a loop, and in another thread, it is just called. */
void loop_free_value(evpq_loop *loop, void (*free_value)(void *), void *value);

/* Whose code is calling; NULL: a callback's, or the program's outside the loop. */
struct coroutine *loop_coroutine(const evpq_loop *loop);

/* For what comes and goes with each query; it may outlive the loop through references of its
 * own. */
struct recycler *loop_blocks(evpq_loop *loop);

/* The texts that its queries have. */
struct sql_memo;
struct sql_memo *loop_texts(evpq_loop *loop);

/* What others keep with the loop; freed with it. */
struct loop_data {
    void (*free)(struct loop_data *);
};

/* Where the floor above, tasks, keeps its own, and thread.c its mailbox. */
struct loop_data **loop_data_of(evpq_loop *loop);
struct loop_data **loop_mailbox(evpq_loop *loop);

/* The futures that future.c is about to free. */
struct deferred_free {
    struct list dead;
    bool busy;
};
struct deferred_free *loop_deferred_free(evpq_loop *loop);

#endif
