/* loop_impl.h - the loop as its own files see it. Each uses those above it:
 *
 *   loop_owner   which thread runs it, and whether the process was forked
 *   loop_time    the clock
 *   embed        the descriptor of a loop inside a loop of another kind
 *   ask.h        asking for a turn
 *   watch        timers and descriptors
 *   loop_refs    its references and its end
 *   tick         what it does in a turn
 *   loop         making and running it */
#ifndef ASYNC_LOOP_IMPL_H
#define ASYNC_LOOP_IMPL_H

#include "async/loop.h"
#include "base/forked.h"
#include "base/thread_mark.h"
#include "words/sql.h"

#include <ev.h>
#include <stdatomic.h>
#include <time.h>

struct evpq_loop {
    unsigned refs;
    _Atomic(const char *) owner; /* whose thread_mark: of the thread that made it or ran it last */
    bool owns_ev;
    struct ev_loop *ev;
    struct embedding *embedding; /* NULL: it is not in a loop of another kind */
    struct runq runq;
    struct list readers, flushers;
    ev_prepare tick;  /* never started, only fed */
    bool unpolled;    /* the tick was asked for from outside the loop */
    unsigned ticking; /* the depth of ev_run in which a tick is under way; 0: none is */
    bool standing;    /* it reads or flushes, and runs no job */
    bool timed;       /* both times below are known */
    double now;       /* the time, while it stands still; 0: not asked for yet */
    double polled_at; /* when this tick first knew the time: about when the sockets were polled */
    ev_idle more;
    ev_prepare leaving; /* started when the outermost run is to end and an inner one is under way */
    struct coroutine *coroutine;
    struct loop_data *data;
    struct fork_mark birth;
    ev_prepare adopting;
    ev_fork forked;
    double soonest;          /* by ev_now: none of its timers has its time before */
    struct list timers, ios; /* those that are on, and */
    struct list unwatched;   /* ios that the kernel has refused to watch, */
    struct timer look;       /* and when it is asked again */
    struct list late, due; /* timers that wait for a look at the sockets; that fire in this tick */
    struct list next_turn; /* jobs that wait for that look, too */
    ev_check looked;       /* started while there are some of either: libev has looked again */
    struct streak streak;  /* of code outside the loop */
    bool catching_up;      /* in the tick after that, ... */
    double catch_up_until; /* ... sockets are read on until then */
    int held;              /* how often the loop is held: what has to go in a forked child */
    struct loop_data *mailbox;
    struct recycler *blocks;
    struct sql_memo texts;
    struct deferred_free deferred_free;
};

/* libev has called us: it is run by this thread. */
static inline void loop_adopt(evpq_loop *loop)
{
    if (atomic_load_explicit(&loop->owner, memory_order_relaxed) != &thread_mark)
        atomic_store_explicit(&loop->owner, &thread_mark, memory_order_relaxed);
}

/* Its timers and descriptors: there are none. */
void watch_init(evpq_loop *loop);

/* In a forked child: takes off `ev` all that is the parent's. */
void loop_leave_to_parent(evpq_loop *loop);

static inline double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The watchers and lists that tick.c works with; and those watchers are stopped. */
void loop_stop_tick(evpq_loop *loop);
void tick_init(evpq_loop *loop);

/* Whether there are timers whose time has come, and libev has yet to find them. */
bool loop_has_timers_due(evpq_loop *loop);

/* Called by libev in a child that goes on with the inherited ev loop. */
void loop_on_fork(struct ev_loop *ev, ev_fork *w, int events);

/* ---- embed.c; of any loop: embed_begin, embed_run_more, embed_settle, embed_backend_goes ---- */

/* NULL when out of memory or descriptors. `ev` has epoll. */
struct embedding *embedding_new(struct ev_loop *ev);
struct embedding *embedding_free(struct embedding *e); /* NULL is allowed. Returns NULL */

/* The host is to give it a turn. */
void embed_wake(evpq_loop *loop);

/* A timer was started, or stopped, or a descriptor started. */
void embed_timer(evpq_loop *loop, struct timer *t, double after);
void embed_timer_stopped(evpq_loop *loop);
void embed_io(evpq_loop *loop);

/* Before and after each run. In between all that is asked for waits for embed_settle, without a system
 * call; then the host hears of what comes from now on, also while an outer run goes on: its callback
 * may run the host. */
void embed_begin(evpq_loop *loop);
/* Of a turn: libev is told of the descriptors that were started in it. Returns whether something keeps
 * the loop alive: `alive`, or what a run more has come to. */
bool embed_run_more(evpq_loop *loop, bool alive);
void embed_settle(evpq_loop *loop);

/* libev is about to make its epoll set anew: here, where it finds that a descriptor it watches was
 * closed while another process holds it open, for this process too. */
void embed_backend_goes(evpq_loop *loop);

#endif
