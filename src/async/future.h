/* future.h - the future as its producers see it.
 *
 * A future is embedded at the start of whatever stands for the work (a query, a timer, a
 * combinator). Its producer holds one of its references from future_init until it settles; settling
 * hands that reference back, so the block may be gone when a future_settle_ function returns.
 *
 * A future either has a value of its own, or follows another that has settled: then it reads as
 * that one does. */
#ifndef ASYNC_FUTURE_H
#define ASYNC_FUTURE_H

#include "async/loop.h"
#include "words/why.h"

#include <evpq/future.h>

struct evpq_task;

struct future_class {
    const char *name; /* what it is, for people */
    /* It is pending: stop the work and settle it, as canceled. */
    void (*cancel)(evpq_future *f);
    /* The last reference is gone: free the block; the value is gone already. */
    void (*free)(evpq_future *f);
    /* Its children; NULL: none. */
    size_t (*count)(const evpq_future *f);
    evpq_future *(*at)(const evpq_future *f, size_t i);
    bool is_leaf;  /* holds no other future */
    bool is_limit; /* the library has put it around its child, which the program is to see */
    /* Asks it to stop as canceled, or as out of time, and to settle when it has; NULL: canceling is
     * all that can be done. */
    void (*stop)(evpq_future *f, bool late);
    /* What tells it from others of its class; NULL, or an answer of NULL: nothing does. Borrowed
     * while f is. */
    const char *(*detail)(const evpq_future *f);
    /* It is pending: whether it cannot settle before the task goes on or ends. NULL: not so. */
    bool (*is_behind)(const evpq_future *f, const struct evpq_task *t);
    /* It is pending: says what it waits for. NULL: its children's words, or its name, will do. */
    void (*why)(const evpq_future *f, struct why *why);
};

/* Says what a value is (by address) and how to let go of it (NULL: not at all). */
struct value_class {
    void (*free)(void *value);
    bool ours; /* free runs no code of the program, and keeps its hands off the loop */
};

/* Somebody who wants to know; called once, from the run queue. Taking job.node off its list calls
 * it off. */
struct waiter {
    struct job job;
};

/* A program's callback, waiting. */
struct callback {
    struct waiter waiter;
    evpq_future *f;
    evpq_done_fn *fn; /* NULL: this one is free */
    void *arg;
};

struct evpq_future {
    unsigned refs; /* 0: one of the constant futures */
    evpq_status status;
    bool ending;     /* being canceled, or about to settle: deaf to evpq_future_cancel */
    bool expired;    /* being canceled because the time is up */
    bool struck;     /* it was done, but a task that awaited it was told to stop instead */
    evpq_loop *loop; /* NULL for the constant ones */
    const struct future_class *class;
    struct list waiters;
    evpq_error *error;
    evpq_future *follows;
    const struct value_class *value_class;
    void *value;
    struct callback first; /* most have one; others are allocated */
};

/* Initialises an embedded future with two references: the producer's and the one to be given to the
 * caller. */
void future_init(evpq_future *f, const struct future_class *class, evpq_loop *loop);

/* A future without memory or loop: constant, failed with EVPQ_INVALID, EVPQ_NOMEM or EVPQ_FORKED.
 * Needs no reference counting, but takes part in it. */
evpq_future *future_constant(evpq_status status);

/* Such a one, of which more than nothing may have been done. */
evpq_future *future_nomem(evpq_outcome outcome);

/* Such a one for what loop_check refuses. */
evpq_future *future_refused(const evpq_loop *loop);

/* How many children it has, by class->at; evpq_future_count looks through limits. */
static inline size_t future_count(const evpq_future *f)
{
    return f->loop && f->class->count ? f->class->count(f) : 0;
}

/* evpq_timeout, for what the library bounds by itself: to the program its children are those of
 * `f`, where that has any. Takes and gives. */
evpq_future *future_limit(evpq_future *f, double seconds);

/* evpq_future_ref, for one that is not constant. */
static inline evpq_future *future_ref(evpq_future *f)
{
    f->refs++;
    return f;
}

/* evpq_future_unref, for one that is pending or settled on this thread's loop. */
void future_unref(evpq_future *f);

static inline bool future_pending(const evpq_future *f)
{
    return f->status == EVPQ_PENDING;
}

/* Of a pending future: its producer alone still holds it, so that nobody will see how it ends. */
static inline bool future_forgotten(const evpq_future *f)
{
    return f->refs == 1;
}

/* The only ways to settle. All need a pending future and take the value, or the error. */
void future_settle_value(evpq_future *f, const struct value_class *class, void *value);
void future_settle_error(evpq_future *f, evpq_error *error);
void future_settle_follow(evpq_future *f, evpq_future *settled); /* borrows `settled` */
void future_settle_canceled(evpq_future *f, evpq_outcome outcome);

/* What f waits for, if it is pending. */
void future_why(const evpq_future *f, struct why *why);

/* Adds it to what was said, behind a colon; nothing, where nothing is known. */
void future_add_why(const evpq_future *f, struct why *why);

/* evpq_future_cancel, but what settles as canceled then says that the deadline has passed. */
void future_expire(evpq_future *f);

/* `next` (taken) as what `f` may follow: itself, or a failure that says why not. `who` gave it. */
evpq_future *future_checked(evpq_future *f, evpq_future *next, const char *who);

/* Queues w->job on `loop` when f settles (at once when it has). */
void future_watch(evpq_future *f, evpq_loop *loop, struct waiter *w, void (*run)(struct job *));

/* It will settle soon: fetches what will be needed then. A task waits with a node on its stack,
 * which has been out of the caches since it was set aside; the frames that it goes on with lie
 * below and above. */
static inline void future_prefetch(const evpq_future *f)
{
    enum { LINE = 64, NEAR = 2, BELOW = 5 };
    const char *waiter = (const char *)f->waiters.next;
    for (int i = 0; i <= NEAR; i++) {
        __builtin_prefetch(waiter - i * LINE, 1);
        __builtin_prefetch(waiter + i * LINE, 1);
    }
    for (int i = NEAR + 1; i <= BELOW; i++)
        __builtin_prefetch(waiter - i * LINE, 1);
}

/* A future that has failed from the start. Takes the error. */
__attribute__((cold, noinline)) evpq_future *future_failed(evpq_loop *loop, evpq_error *error);

/* The value, if it is of that class; NULL otherwise, and while pending or failed.
 * `future_take_value` leaves none behind. */
void *future_value(const evpq_future *f, const struct value_class *class);
void *future_take_value(evpq_future *f, const struct value_class *class);

/* The outcome to report when what f is part of is canceled or timed out, after f was canceled
 * itself. */
evpq_outcome future_outcome(const evpq_future *f);

#endif
