/* promise.c - futures without SQL behind them: a program's own, those settled from the start, and
 * sleep. */
#include "async/future.h"
#include "base/mem.h"
#include "words/error.h"

#include <math.h>
#include <stdarg.h>

struct promise {
    struct evpq_future future;
    struct value_class value_class; /* the program's: its address tells it from every other */
    struct job job;                 /* tells the program that it was canceled */
    struct timer timer;             /* sleep */
    evpq_done_fn *on_cancel;
    void *arg;
};

static struct promise *promise_of(const evpq_future *f)
{
    return container_of(f, struct promise, future);
}

static void promise_free(evpq_future *f)
{
    mem_free(promise_of(f));
}

/* ---- a program's own ---- */

static void tell_canceled(struct job *job)
{
    struct promise *p = container_of(job, struct promise, job);
    p->on_cancel(&p->future, p->arg);
    evpq_future_unref(&p->future);
}

static void promise_cancel(evpq_future *f)
{
    struct promise *p = promise_of(f);
    if (p->on_cancel) {
        evpq_future_ref(f);
        loop_defer(f->loop, &p->job);
    }
    future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
}

/* Only the program knows. */
static void why_unknown(const evpq_future *f, struct why *why)
{
    (void)f, (void)why;
}

static const struct future_class promise_class = {
    .name = "future", .cancel = promise_cancel, .free = promise_free, .why = why_unknown};

static struct promise *promise_new(evpq_loop *loop, const struct future_class *class)
{
    struct promise *p = mem_zalloc(sizeof *p);
    if (!p)
        return NULL;
    future_init(&p->future, class, loop);
    job_init(&p->job, tell_canceled);
    return p;
}

evpq_future *evpq_future_new(evpq_loop *loop, evpq_done_fn *on_cancel, void *arg)
{
    if (loop_check(loop))
        return future_refused(loop);
    struct promise *p = promise_new(loop, &promise_class);
    if (!p)
        return future_constant(EVPQ_NOMEM);
    p->on_cancel = on_cancel;
    p->arg = arg;
    return &p->future;
}

static bool is_open(const evpq_future *f)
{
    return f && f->loop && f->class == &promise_class && future_pending(f) && !loop_check(f->loop);
}

bool evpq_future_set_value(evpq_future *f, void *value, void (*free_value)(void *))
{
    if (!is_open(f))
        return false;
    promise_of(f)->value_class.free = free_value;
    future_settle_value(f, &promise_of(f)->value_class, value);
    return true;
}

/* A program may only fail a future with a status that says failure. */
static evpq_error *program_error(evpq_status status, const char *format, va_list args)
{
    if (status == EVPQ_OK || status == EVPQ_PENDING)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_UNKNOWN, "%s is not a failure",
                         evpq_status_name(status));
    return error_newv(status, EVPQ_OUTCOME_UNKNOWN, format, args);
}

bool evpq_future_set_error(evpq_future *f, evpq_status status, const char *format, ...)
{
    if (!is_open(f))
        return false;
    va_list args;
    va_start(args, format);
    evpq_error *error = program_error(status, format, args);
    va_end(args);
    future_settle_error(f, error);
    return true;
}

void *evpq_future_value(const evpq_future *f)
{
    while (f && f->follows)
        f = f->follows;
    if (!f || !f->loop || f->class != &promise_class)
        return NULL;
    return future_value(f, &promise_of(f)->value_class);
}

evpq_future *evpq_future_ok(evpq_loop *loop, void *value, void (*free_value)(void *))
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    if (!evpq_future_set_value(f, value, free_value) && value)
        loop_free_value(loop, free_value, value);
    return f;
}

evpq_future *evpq_future_failed(evpq_loop *loop, evpq_status status, const char *format, ...)
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    if (!is_open(f))
        return f;
    va_list args;
    va_start(args, format);
    future_settle_error(f, program_error(status, format, args));
    va_end(args);
    return f;
}

evpq_future *future_failed(evpq_loop *loop, evpq_error *error)
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    if (is_open(f)) {
        future_settle_error(f, error);
        return f;
    }
    if (evpq_future_status(f) == EVPQ_NOMEM)
        f = future_nomem(evpq_error_outcome(error));
    evpq_error_unref(error);
    return f;
}

/* ---- what a function of the program returned ---- */

evpq_future *future_checked(evpq_future *f, evpq_future *next, const char *who)
{
    const char *what;
    if (!next)
        what = "NULL";
    else if (next == f)
        what = "the future that waits for it";
    else if (next->loop && next->loop != f->loop)
        what = "a future of another loop";
    else
        return next;
    if (next && next != f)
        evpq_future_cancel(next);
    evpq_future_unref(next);
    return evpq_future_failed(f->loop, EVPQ_INVALID, "%s returned %s", who, what);
}

/* ---- sleep ---- */

static void woken(struct timer *t)
{
    struct promise *p = container_of(t, struct promise, timer);
    future_settle_value(&p->future, NULL, NULL);
}

static void sleep_cancel(evpq_future *f)
{
    timer_stop(&promise_of(f)->timer);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static const struct future_class sleep_class = {
    .name = "sleep", .cancel = sleep_cancel, .free = promise_free, .why = why_unknown};

evpq_future *evpq_sleep(evpq_loop *loop, double seconds)
{
    if (loop_check(loop))
        return future_refused(loop);
    if (isnan(seconds))
        return evpq_future_failed(loop, EVPQ_INVALID, "a sleep of seconds that are not a number");
    struct promise *p = promise_new(loop, &sleep_class);
    if (!p)
        return future_constant(EVPQ_NOMEM);
    timer_init(&p->timer, loop, woken);
    timer_start(&p->timer, seconds);
    return &p->future;
}
