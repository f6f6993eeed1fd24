/* transact.c - a function in a transaction, again where that helps.
 *
 *   BEGINNING     waits for a connection
 *   RUNNING       the function's task
 *   COMMITTING
 *   ROLLING_BACK  then PAUSING, and again from the top; or the end
 *   OVER          its future has settled, and nothing holds it but who has that
 *
 * It holds itself until it is over, whether or not anybody waits. */
#include "base/backoff.h"
#include "base/mem.h"
#include "flows/txn_end.h"
#include "tasks/task.h"
#include "words/error.h"

#include <math.h>
#include <string.h>

enum transact_phase { BEGINNING, RUNNING, COMMITTING, ROLLING_BACK, PAUSING, OVER };

struct transact {
    struct evpq_future future;
    evpq_pool *pool; /* a reference */
    evpq_txn_opts opts;
    unsigned modes;
    evpq_txn_fn *fn;
    void *arg;
    enum transact_phase phase;
    int tried;
    double pause; /* the last between two tries, before the random part */
    bool stopped; /* asked to: it is not run again */
    bool late;
    evpq_error *too_late; /* the error for that, without the outcome */
    evpq_txn *txn;        /* given back by the phase that ends it; a reference besides */
    evpq_future *step;    /* what the phase waits for */
    evpq_future *value;   /* what the function's task came to */
    evpq_error *error;    /* of the commit */
    struct waiter done;
    struct timer again, deadline;
    double at; /* the deadline, on loop_time's clock */
};

static struct transact *transact_of(evpq_future *f)
{
    return container_of(f, struct transact, future);
}

static evpq_loop *transact_loop_of(const struct transact *t)
{
    return t->pool->loop;
}

/* ---- the end ---- */

static void drop_step(struct transact *t)
{
    list_remove(&t->done.job.node);
    t->step = evpq_future_unref(t->step);
}

static void forget_try(struct transact *t)
{
    drop_step(t);
    txn_unref(t->txn);
    t->txn = NULL;
    t->value = evpq_future_unref(t->value);
    t->error = evpq_error_unref(t->error);
}

/* Its future has settled. */
static void transact_over(struct transact *t)
{
    t->phase = OVER;
    timer_stop(&t->again);
    timer_stop(&t->deadline);
    forget_try(t);
    evpq_future_unref(&t->future);
}

static evpq_error *stopped_error(const struct transact *t, evpq_outcome outcome)
{
    return t->late ? error_about(t->too_late, EVPQ_OK, outcome, evpq_error_sql(t->too_late))
                   : evpq_error_ref(error_canceled(outcome));
}

/* It was asked to stop, or cannot go on for want of memory (error, taken). */
static void transact_fail(struct transact *t, evpq_error *error)
{
    if (future_pending(&t->future))
        future_settle_error(&t->future, error);
    else
        evpq_error_unref(error);
    transact_over(t);
}

/* As the function, or the commit, has failed. */
static void fail_as_it_did(struct transact *t)
{
    if (t->late) {
        transact_fail(t, stopped_error(t, EVPQ_OUTCOME_REJECTED));
        return;
    }
    if (future_pending(&t->future)) {
        if (t->error)
            future_settle_error(&t->future, evpq_error_ref(t->error));
        else
            future_settle_follow(&t->future, t->value);
    }
    transact_over(t);
}

/* ---- again ---- */

static void transact_wait_for(struct transact *t, enum transact_phase phase, evpq_future *step,
                              void (*run)(struct job *))
{
    drop_step(t);
    t->phase = phase;
    t->step = step;
    future_watch(step, transact_loop_of(t), &t->done, run);
}

static void transact_begin(struct transact *t);

static void pause_over(struct timer *timer)
{
    transact_begin(container_of(timer, struct transact, again));
}

static bool is_conflict(const evpq_error *error)
{
    const char *sqlstate = evpq_error_sqlstate(error);
    return !strcmp(sqlstate, "40001") || !strcmp(sqlstate, "40P01");
}

/* Whether it is certain that it was rolled back, for a reason that may be gone at the next try. */
static bool may_succeed_again(const struct transact *t)
{
    const evpq_error *error = t->error ? t->error : evpq_future_error(t->value);
    if (is_conflict(error))
        return true;
    if (t->error)
        return evpq_error_status(t->error) == EVPQ_LOST &&
               evpq_error_outcome(t->error) != EVPQ_OUTCOME_UNKNOWN;
    return is_conflict(t->txn->cause) || evpq_error_status(error) == EVPQ_LOST ||
           evpq_error_status(t->txn->cause) == EVPQ_LOST;
}

static double next_pause(struct transact *t)
{
    double pause = backoff_next(&t->pause, t->opts.backoff_min, t->opts.backoff_max);
    return backoff_spread(pause, 0.5, &t->pool->rng);
}

/* The try is over, and has failed. */
static void again_or_fail(struct transact *t)
{
    double pause = next_pause(t);
    if (t->stopped || t->late || !future_pending(&t->future) || t->tried >= t->opts.tries ||
        !may_succeed_again(t) || loop_time(transact_loop_of(t)) + pause >= t->at) {
        fail_as_it_did(t);
        return;
    }
    forget_try(t);
    t->phase = PAUSING;
    timer_start(&t->again, pause);
}

/* ---- a try ---- */

static void transact_rolled_back(struct job *job)
{
    again_or_fail(container_of(job, struct transact, done.job));
}

static void committed(struct job *job)
{
    struct transact *t = container_of(job, struct transact, done.job);
    const evpq_error *error = evpq_future_error(t->step);
    t->error = evpq_error_ref(error);
    if (error) {
        again_or_fail(t);
        return;
    }
    if (future_pending(&t->future))
        future_settle_follow(&t->future, t->value);
    transact_over(t);
}

/* The function's task is over. */
static void returned(struct job *job)
{
    struct transact *t = container_of(job, struct transact, done.job);
    t->value = evpq_future_ref(t->step);
    txn_ref(t->txn); /* the other goes with the transaction */
    if (t->late || !future_pending(&t->future)) {
        txn_drop(t->txn);
        fail_as_it_did(t);
    } else if (evpq_future_status(t->value) == EVPQ_OK) {
        evpq_future *commit = txn_commit(t->txn);
        double limit = t->pool->opts.query_timeout;
        transact_wait_for(t, COMMITTING, limit > 0 ? evpq_timeout(commit, limit) : commit,
                          committed);
    } else {
        transact_wait_for(t, ROLLING_BACK, txn_roll_back(t->txn), transact_rolled_back);
    }
}

static evpq_future *call(evpq_task *self, void *arg)
{
    struct transact *t = arg;
    (void)self;
    return t->fn(t->txn, t->arg);
}

static void transact_run(struct transact *t)
{
    evpq_task_opts opts = {.size = sizeof opts, .name = "transact"};
    if (isfinite(t->at)) {
        opts.deadline = t->at - loop_time(transact_loop_of(t));
        if (opts.deadline <= 0)
            opts.deadline = 1e-6;
    }
    transact_wait_for(t, RUNNING, evpq_task_spawn(transact_loop_of(t), call, t, &opts), returned);
}

static void begun(struct job *job)
{
    struct transact *t = container_of(job, struct transact, done.job);
    t->txn = evpq_future_txn(t->step);
    if (!t->txn) {
        transact_fail(t, evpq_error_ref(evpq_future_error(t->step)));
        return;
    }
    t->txn->kept = true;
    transact_run(t);
}

static void transact_begin(struct transact *t)
{
    t->tried++;
    transact_wait_for(t, BEGINNING, txn_ask(t->pool, t->modes), begun);
}

/* ---- stopping ---- */

static void stop_now(struct transact *t, evpq_outcome outcome)
{
    evpq_future_cancel(t->step);
    transact_fail(t, stopped_error(t, outcome));
}

static void transact_stop_phase(struct transact *t)
{
    switch (t->phase) {
    case BEGINNING:
        stop_now(t, t->tried > 1 ? EVPQ_OUTCOME_REJECTED : EVPQ_OUTCOME_NOT_SENT);
        break;
    case RUNNING:
        if (t->step->class == &task_class)
            task_stop(task_of(t->step), t->late);
        break;
    case COMMITTING:
        evpq_future_cancel(t->step);
        transact_fail(t, stopped_error(t, future_outcome(t->step)));
        break;
    case ROLLING_BACK:
        fail_as_it_did(t);
        break;
    case PAUSING:
        stop_now(t, EVPQ_OUTCOME_REJECTED);
        break;
    case OVER:
        break;
    }
}

static void transact_why(const evpq_future *f, struct why *why)
{
    const struct transact *t = container_of(f, struct transact, future);
    static const char *const at[] = {
        [BEGINNING] = "begins",
        [RUNNING] = "runs its function",
        [COMMITTING] = "commits",
        [ROLLING_BACK] = "rolls back",
        [PAUSING] = "pauses after a conflict",
        [OVER] = "is over",
    };
    why_say(why, "it %s (try %d)", at[t->phase], t->tried);
    if (t->step)
        future_add_why(t->step, why);
}

static evpq_error *too_late(const struct transact *t)
{
    struct why why = {.n = 0};
    why_say(&why, "the transaction was not done in time: ");
    transact_why(&t->future, &why);
    return error_build(&(struct error_fields){
        .status = EVPQ_TIMEOUT, .message = why.text, .sqlstate = why.sqlstate});
}

static void transact_stop(evpq_future *f, bool late)
{
    struct transact *t = transact_of(f);
    t->stopped = true;
    if (late && !t->too_late)
        t->too_late = too_late(t);
    t->late |= late;
    transact_stop_phase(t);
}

static void out_of_time(struct timer *timer)
{
    transact_stop(&container_of(timer, struct transact, deadline)->future, true);
}

/* Settles at once. The function's task may go on to clean up. */
static void transact_cancel(evpq_future *f)
{
    struct transact *t = transact_of(f);
    t->stopped = true;
    if (t->phase == RUNNING || t->phase == ROLLING_BACK)
        future_settle_canceled(f, EVPQ_OUTCOME_REJECTED);
    transact_stop_phase(t);
}

static void transact_free(evpq_future *f)
{
    struct transact *t = transact_of(f);
    evpq_error_unref(t->too_late);
    pool_unref(t->pool);
    mem_free(t);
}

static const struct future_class transact_class = {
    .name = "transact",
    .cancel = transact_cancel,
    .free = transact_free,
    .stop = transact_stop,
    .why = transact_why,
};

/* ---- options ---- */

static const char *fill(evpq_txn_opts *o)
{
    if (o->tries < 0)
        return "tries is negative";
    if (isnan(o->timeout) || !(o->backoff_min >= 0) || !(o->backoff_max >= 0))
        return "a time is negative, or not a number";
    o->tries = o->tries ? o->tries : 5;
    o->backoff_min = o->backoff_min > 0 ? o->backoff_min : 0.01;
    if (o->backoff_max > 0 && o->backoff_max < o->backoff_min)
        return "backoff_max is below backoff_min";
    if (!(o->backoff_max > 0))
        o->backoff_max = o->backoff_min > 1 ? o->backoff_min : 1;
    return NULL;
}

evpq_future *evpq_transact(evpq_pool *pool, const evpq_txn_opts *opts, evpq_txn_fn *fn, void *arg)
{
    evpq_txn_opts filled;
    if (pool_check(pool))
        return pool_refused(pool);
    unsigned modes;
    evpq_error *error = txn_modes(opts, &filled, &modes);
    const char *wrong = error ? NULL : !fn ? "there is no function to call" : fill(&filled);
    if (wrong)
        error = error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "%s", wrong);
    if (error)
        return future_failed(pool->loop, error);
    struct transact *t = mem_zalloc(sizeof *t);
    if (!t)
        return future_constant(EVPQ_NOMEM);
    future_init(&t->future, &transact_class, pool->loop);
    evpq_future_ref(&t->future);
    t->pool = pool;
    pool_ref(pool);
    t->opts = filled;
    t->modes = modes;
    t->fn = fn;
    t->arg = arg;
    list_init(&t->done.job.node);
    timer_init(&t->again, pool->loop, pause_over);
    timer_init(&t->deadline, pool->loop, out_of_time);
    t->at = task_bound(pool->loop, filled.timeout > 0 ? filled.timeout : 0);
    if (isfinite(t->at)) {
        double left = t->at - loop_time(pool->loop);
        timer_start(&t->deadline, left > 0 ? left : 0);
    }
    transact_begin(t);
    return &t->future;
}
