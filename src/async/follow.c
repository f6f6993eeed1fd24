/* follow.c - one future into another: timeout, shield, then.
 *
 * Each holds its child, waits for it, and in the end reads as the child does. They differ in what
 * else may happen. */
#include "async/future.h"
#include "base/mem.h"
#include "words/error.h"

#include <math.h>

struct follower {
    struct evpq_future future;
    struct waiter waiter;
    evpq_future *child;
    struct timer timer; /* timeout */
    double seconds;
    evpq_then_fn *fn; /* then */
    void *arg;
    struct follower *outer; /* while being canceled: the one to cancel next */
};

static struct follower *follower_of(const evpq_future *f)
{
    return container_of(f, struct follower, future);
}

static void stop_waiting(struct follower *w)
{
    list_remove(&w->waiter.job.node);
    timer_stop(&w->timer);
}

static void follow_child(struct follower *w)
{
    stop_waiting(w);
    future_settle_follow(&w->future, w->child);
}

static void child_settled(struct job *job)
{
    follow_child(container_of(job, struct follower, waiter.job));
}

static void cancel_with_child(evpq_future *f);

static bool cancels_with_child(const evpq_future *f)
{
    return future_pending(f) && !f->ending && f->class->cancel == cancel_with_child;
}

/* From the innermost out. Down and up again, not by recursion: chains may be long. */
static void cancel_with_child(evpq_future *f)
{
    struct follower *w = follower_of(f), *outer;
    w->outer = NULL;
    stop_waiting(w);
    for (; cancels_with_child(w->child); w = follower_of(w->child)) {
        struct follower *inner = follower_of(w->child);
        inner->outer = w;
        inner->future.ending = true;
        stop_waiting(inner);
    }
    evpq_future_cancel(w->child);
    for (; w; w = outer) {
        outer = w->outer;
        future_settle_canceled(&w->future, future_outcome(w->child));
    }
}

static void follower_free(evpq_future *f)
{
    struct follower *w = follower_of(f);
    evpq_future_unref(w->child);
    mem_free(w);
}

static size_t follower_count(const evpq_future *f)
{
    (void)f;
    return 1;
}

static evpq_future *follower_at(const evpq_future *f, size_t i)
{
    (void)i;
    return follower_of(f)->child;
}

/* A failure in the place of a follower of `child`, which is taken, and stopped, as nobody could any
 * more. */
static evpq_future *follow_refuse(evpq_future *child, const char *why)
{
    if (!child)
        return future_constant(EVPQ_INVALID);
    if (!child->loop)
        return child;
    evpq_future_cancel(child);
    evpq_future *failed =
        future_failed(child->loop, error_new(EVPQ_INVALID, future_outcome(child), "%s", why));
    evpq_future_unref(child);
    return failed;
}

/* Takes `child`. With no follower there is only the future to be returned. */
static evpq_future *follower_new(evpq_future *child, const struct future_class *class,
                                 struct follower **ret_follower)
{
    *ret_follower = NULL;
    if (!child)
        return future_constant(EVPQ_INVALID);
    if (!child->loop)
        return child;
    if (loop_check(child->loop)) {
        evpq_future *refused = future_refused(child->loop);
        evpq_future_unref(child);
        return refused;
    }
    struct follower *w = mem_zalloc(sizeof *w);
    if (!w) {
        evpq_future_cancel(child);
        evpq_future *failed = future_nomem(future_outcome(child));
        evpq_future_unref(child);
        return failed;
    }
    future_init(&w->future, class, child->loop);
    timer_init(&w->timer, child->loop, NULL);
    w->child = child;
    *ret_follower = w;
    return &w->future;
}

static void watch_child(struct follower *w, void (*run)(struct job *))
{
    future_watch(w->child, w->future.loop, &w->waiter, run);
}

/* ---- timeout ---- */

static const struct future_class timeout_class = {.name = "timeout",
                                                  .cancel = cancel_with_child,
                                                  .free = follower_free,
                                                  .count = follower_count,
                                                  .at = follower_at};

static const struct future_class limit_class = {.name = "timeout",
                                                .cancel = cancel_with_child,
                                                .free = follower_free,
                                                .count = follower_count,
                                                .at = follower_at,
                                                .is_limit = true};

static void timed_out(struct timer *t)
{
    struct follower *w = container_of(t, struct follower, timer);
    if (!future_pending(w->child)) {
        follow_child(w); /* the answer is here, its waiter only not yet called */
        return;
    }
    struct why why = {.n = 0};
    double ms = w->seconds * 1000;     /* what is left of a deadline is no round number */
    bool rounds = ms >= 1 && ms < 1e9; /* and fits an int */
    why_say(&why, "not done within %.6g s", rounds ? (int)(ms + 0.5) / 1e3 : w->seconds);
    future_add_why(w->child, &why);
    w->future.ending = true;
    stop_waiting(w);
    evpq_future_cancel(w->child);
    const evpq_error *canceled = evpq_future_error(w->child);
    future_settle_error(&w->future,
                        error_build(&(struct error_fields){.status = EVPQ_TIMEOUT,
                                                           .outcome = future_outcome(w->child),
                                                           .message = why.text,
                                                           .sqlstate = why.sqlstate,
                                                           .detail = evpq_error_detail(canceled),
                                                           .sql = evpq_error_sql(canceled)}));
}

static evpq_future *bound(evpq_future *f, double seconds, const struct future_class *class)
{
    struct follower *w;
    evpq_future *outer = follower_new(f, class, &w);
    if (!w)
        return outer;
    w->seconds = seconds;
    w->timer.fire = timed_out;
    watch_child(w, child_settled);
    if (future_pending(f) && isfinite(seconds))
        timer_start(&w->timer, seconds);
    else if (future_pending(f) && seconds < 0)
        timer_start(&w->timer, 0.);
    return outer;
}

evpq_future *evpq_timeout(evpq_future *f, double seconds)
{
    return isnan(seconds) ? follow_refuse(f, "a timeout of seconds that are not a number")
                          : bound(f, seconds, &timeout_class);
}

evpq_future *future_limit(evpq_future *f, double seconds)
{
    return bound(f, seconds, &limit_class);
}

/* ---- shield ---- */

static void leave_child(evpq_future *f)
{
    stop_waiting(follower_of(f));
    future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
}

static const struct future_class shield_class = {.name = "shield",
                                                 .cancel = leave_child,
                                                 .free = follower_free,
                                                 .count = follower_count,
                                                 .at = follower_at};

evpq_future *evpq_shield(evpq_future *f)
{
    struct follower *w;
    evpq_future *outer = follower_new(f, &shield_class, &w);
    if (w)
        watch_child(w, child_settled);
    return outer;
}

/* ---- then ---- */

static const struct future_class then_class = {.name = "then",
                                               .cancel = cancel_with_child,
                                               .free = follower_free,
                                               .count = follower_count,
                                               .at = follower_at};

/* The program's function may cancel or let go of anything, this future included. */
static void call_then(struct job *job)
{
    struct follower *w = container_of(job, struct follower, waiter.job);
    evpq_future_ref(&w->future);
    evpq_future *first = evpq_future_ref(w->child);
    evpq_future *second = w->fn(first, w->arg);
    evpq_future_unref(first);
    if (!future_pending(&w->future)) {
        evpq_future_cancel(second);
        evpq_future_unref(second);
    } else {
        evpq_future_unref(w->child);
        w->child = future_checked(&w->future, second, "the function of evpq_then");
        watch_child(w, child_settled);
    }
    evpq_future_unref(&w->future);
}

evpq_future *evpq_then(evpq_future *f, evpq_then_fn *fn, void *arg)
{
    struct follower *w;
    if (!fn)
        return follow_refuse(f, "no function to call then");
    evpq_future *outer = follower_new(f, &then_class, &w);
    if (!w)
        return outer;
    w->fn = fn;
    w->arg = arg;
    watch_child(w, call_then);
    return outer;
}
