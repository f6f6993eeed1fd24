/* future.c - the state of a future: settled once, by future_settle alone, which only queues. */
#include "async/future.h"

#include "base/invariant.h"
#include "base/mem.h"
#include "words/error.h"

#include <stdint.h>

static const struct evpq_future constant_invalid = {.status = EVPQ_INVALID};
static const struct evpq_future constant_nomem[] = {
    [EVPQ_OUTCOME_NOT_SENT] = {.status = EVPQ_NOMEM},
    [EVPQ_OUTCOME_REJECTED] = {.status = EVPQ_NOMEM},
    [EVPQ_OUTCOME_UNKNOWN] = {.status = EVPQ_NOMEM}};
static const struct evpq_future constant_elsewhere = {.status = EVPQ_INVALID};
static const struct evpq_future constant_forked = {.status = EVPQ_FORKED};

/* ---- life ---- */

void future_init(evpq_future *f, const struct future_class *class, evpq_loop *loop)
{
    f->refs = 2;
    f->status = EVPQ_PENDING;
    f->ending = f->expired = f->struck = false;
    f->loop = evpq_loop_ref(loop);
    f->class = class;
    list_init(&f->waiters);
    f->error = NULL;
    f->follows = NULL;
    f->value_class = NULL;
    f->value = NULL;
    f->first.fn = NULL; /* the rest of it is written by who fills it in */
}

evpq_future *future_constant(evpq_status status)
{
    const evpq_future *f = status == EVPQ_NOMEM    ? &constant_nomem[EVPQ_OUTCOME_NOT_SENT]
                           : status == EVPQ_FORKED ? &constant_forked
                                                   : &constant_invalid;
    return (evpq_future *)(uintptr_t)f; /* never written to: all look at refs or loop first */
}

evpq_future *future_nomem(evpq_outcome outcome)
{
    return (evpq_future *)(uintptr_t)&constant_nomem[outcome];
}

evpq_future *future_refused(const evpq_loop *loop)
{
    if (!loop || loop_forked(loop))
        return future_constant(loop ? EVPQ_FORKED : EVPQ_INVALID);
    return (evpq_future *)(uintptr_t)&constant_elsewhere;
}

evpq_future *evpq_future_ref(evpq_future *f)
{
    if (f && f->refs)
        f->refs++;
    return f;
}

static void drop_value(evpq_future *f)
{
    const struct value_class *class = f->value_class;
    if (class && f->value && class->ours)
        class->free(f->value);
    else if (class && f->value)
        loop_free_value(f->loop, class->free, f->value);
    f->value = NULL;
}

static void free_future(evpq_future *f)
{
    evpq_loop *loop = f->loop;
    drop_value(f);
    evpq_error_unref(f->error);
    evpq_future_unref(f->follows);
    f->class->free(f);
    loop_unref(loop);
}

/* Whether no other future can hang on it. */
static bool is_leaf(const evpq_future *f)
{
    return f->class->is_leaf && !f->follows;
}

/* One after the other, not one inside the other: chains may be long. */
static void free_deferred(evpq_future *f)
{
    struct deferred_free *deferred = loop_deferred_free(f->loop);
    list_append(&deferred->dead, &f->waiters); /* it has none any more */
    if (deferred->busy)
        return;
    evpq_loop *loop = evpq_loop_ref(f->loop);
    struct list *node;
    deferred->busy = true;
    while ((node = list_pop(&deferred->dead)))
        free_future(container_of(node, struct evpq_future, waiters));
    deferred->busy = false;
    evpq_loop_unref(loop);
}

void future_unref(evpq_future *f)
{
    if (--f->refs)
        return;
    if (is_leaf(f))
        free_future(f);
    else
        free_deferred(f);
}

evpq_future *evpq_future_unref(evpq_future *f)
{
    if (f && f->refs && !loop_elsewhere(f->loop))
        future_unref(f);
    return NULL;
}

/* ---- settling ---- */

/* Gives the producer's reference back. */
static void future_settle(evpq_future *f, evpq_status status)
{
    INVARIANT(future_pending(f) && status != EVPQ_PENDING);
    f->status = status;
    list_each(node, &f->waiters) {
        list_remove(node);
        loop_defer(f->loop, container_of(node, struct job, node));
    }
    future_unref(f);
}

void future_settle_value(evpq_future *f, const struct value_class *class, void *value)
{
    f->value_class = class;
    f->value = value;
    future_settle(f, EVPQ_OK);
}

/* What is to be said of it when it has been canceled because its time is up; kept in f->error until
 * it settles. */
static evpq_error *late_error(const evpq_future *f)
{
    struct why why = {.n = 0};
    why_say(&why, "the deadline of the task has passed");
    future_add_why(f, &why);
    return error_build(&(struct error_fields){
        .status = EVPQ_TIMEOUT, .message = why.text, .sqlstate = why.sqlstate});
}

static evpq_error *expired_error(const evpq_error *late, evpq_error *canceled)
{
    evpq_error *error = error_build(&(struct error_fields){
        .status = EVPQ_TIMEOUT,
        .outcome = evpq_error_outcome(canceled),
        .message = late ? evpq_error_message(late) : "the deadline of the task has passed",
        .sqlstate = late ? evpq_error_sqlstate(late) : NULL,
        .detail = evpq_error_detail(canceled),
        .sql = evpq_error_sql(canceled),
    });
    evpq_error_unref(canceled);
    return error;
}

void future_settle_error(evpq_future *f, evpq_error *error)
{
    if (f->expired && evpq_error_status(error) == EVPQ_CANCELED)
        error = expired_error(f->error, error);
    evpq_error_unref(f->error);
    f->error = error;
    future_settle(f, evpq_error_status(error));
}

void future_settle_follow(evpq_future *f, evpq_future *settled)
{
    INVARIANT(!future_pending(settled));
    f->follows = evpq_future_ref(settled);
    future_settle(f, settled->status);
}

void future_settle_canceled(evpq_future *f, evpq_outcome outcome)
{
    future_settle_error(f, evpq_error_ref(error_canceled(outcome)));
}

static evpq_future *first_pending(const evpq_future *f, size_t *ret_n)
{
    evpq_future *first = NULL;
    *ret_n = 0;
    for (size_t i = 0, n = future_count(f); i < n; i++) {
        evpq_future *child = f->class->at(f, i);
        if (evpq_future_status(child) != EVPQ_PENDING)
            continue;
        if (!(*ret_n)++)
            first = child;
    }
    return first;
}

void future_why(const evpq_future *f, struct why *why)
{
    enum { DEEPEST = 8 };
    size_t n;
    if (!f || !future_pending(f) || why->depth >= DEEPEST)
        return;
    if (f->class->why) {
        why->depth++;
        f->class->why(f, why);
        why->depth--;
        return;
    }
    const evpq_future *child = first_pending(f, &n);
    if (!child) {
        why_say(why, "it waits for a %s", f->class->name);
        return;
    }
    if (n > 1)
        why_say(why, "%zu of %zu are not done; of the first: ", n, future_count(f));
    why->depth++;
    future_why(child, why);
    why->depth--;
}

void future_add_why(const evpq_future *f, struct why *why)
{
    size_t n = why->n;
    why_say(why, ": ");
    future_why(f, why);
    if (why->n <= n + 2)
        why->text[why->n = n] = '\0';
}

void evpq_future_cancel(evpq_future *f)
{
    if (!f || !future_pending(f) || f->ending || loop_is_barred(f->loop))
        return;
    f->ending = true;
    f->class->cancel(f);
}

void future_expire(evpq_future *f)
{
    if (!future_pending(f) || f->ending)
        return;
    f->expired = true;
    f->error = late_error(f);
    evpq_future_cancel(f);
}

/* ---- waiting ---- */

void future_watch(evpq_future *f, evpq_loop *loop, struct waiter *w, void (*run)(struct job *))
{
    job_init(&w->job, run);
    if (future_pending(f))
        list_append(&f->waiters, &w->job.node);
    else
        loop_defer(loop, &w->job);
}

static void run_callback(struct job *job)
{
    struct callback *cb = container_of(job, struct callback, waiter.job);
    evpq_future *f = cb->f;
    cb->fn(f, cb->arg);
    if (cb != &f->first)
        mem_free(cb);
    evpq_future_unref(f);
}

evpq_status evpq_future_on_done(evpq_future *f, evpq_done_fn *fn, void *arg)
{
    if (!f || !fn)
        return EVPQ_INVALID;
    if (!f->loop)
        return f->status; /* there is nowhere to call from */
    if (loop_check(f->loop))
        return loop_check(f->loop);
    struct callback *cb = f->first.fn ? mem_alloc(sizeof *cb) : &f->first;
    if (!cb)
        return EVPQ_NOMEM;
    *cb = (struct callback){.f = future_ref(f), .fn = fn, .arg = arg};
    future_watch(f, f->loop, &cb->waiter, run_callback);
    return EVPQ_OK;
}

/* ---- reading ---- */

static const evpq_future *source(const evpq_future *f)
{
    while (f && f->follows)
        f = f->follows;
    return f;
}

evpq_status evpq_future_status(const evpq_future *f)
{
    return f ? f->status : EVPQ_INVALID;
}

const evpq_error *evpq_future_error(const evpq_future *f)
{
    const evpq_future *s = source(f);
    if (!s || s->status == EVPQ_OK || s->status == EVPQ_PENDING)
        return NULL;
    if (s->error)
        return s->error;
    if (s->status == EVPQ_FORKED)
        return error_forked();
    if (s == &constant_elsewhere)
        return error_elsewhere();
    for (evpq_outcome o = EVPQ_OUTCOME_NOT_SENT; o <= EVPQ_OUTCOME_UNKNOWN; o++)
        if (s == &constant_nomem[o])
            return error_nomem_after(o);
    return s->status == EVPQ_NOMEM ? error_nomem() : error_invalid();
}

void *future_value(const evpq_future *f, const struct value_class *class)
{
    const evpq_future *s = source(f);
    return s && s->status == EVPQ_OK && s->value_class == class ? s->value : NULL;
}

void *future_take_value(evpq_future *f, const struct value_class *class)
{
    void *value = future_value(f, class);
    if (value)
        ((evpq_future *)(uintptr_t)source(f))->value = NULL;
    return value;
}

evpq_outcome future_outcome(const evpq_future *f)
{
    if (evpq_future_status(f) == EVPQ_OK)
        return EVPQ_OUTCOME_UNKNOWN; /* what it stands for was done, though another will say that it
                                        was not */
    return evpq_error_outcome(evpq_future_error(f));
}

static const evpq_future *within_limits(const evpq_future *f)
{
    while (future_count(f) && f->class->is_limit && future_count(f->class->at(f, 0)))
        f = f->class->at(f, 0);
    return f;
}

size_t evpq_future_count(const evpq_future *f)
{
    return f ? future_count(within_limits(f)) : 0;
}

evpq_future *evpq_future_at(const evpq_future *f, size_t i)
{
    const evpq_future *holder = f ? within_limits(f) : NULL;
    return holder && i < future_count(holder) ? holder->class->at(holder, i) : NULL;
}
