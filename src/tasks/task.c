/* task.c - tasks as they are spawned, stopped, and called upon; run.c runs them.
 *
 * Asking a task to stop only settles what it waits for: it is told through the run queue. Three
 * references keep it: its producer's until the future settles, one from `task_new` until it is
 * over, and those that were given. */
#include "tasks/task.h"

#include "base/mem.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <math.h>
#include <string.h>

enum { STACK_SIZE = 256 * 1024, STACK_LEAST = 16 * 1024 };

/* ---- the loop's tasks ---- */

static void tasks_free(struct loop_data *data)
{
    struct tasks *tasks = container_of(data, struct tasks, loop_data);
    stacks_free(&tasks->stacks);
    mem_free(tasks);
}

struct tasks *tasks_of(evpq_loop *loop)
{
    struct loop_data **data = loop_data_of(loop);
    if (*data)
        return container_of(*data, struct tasks, loop_data);
    struct tasks *tasks = mem_zalloc(sizeof *tasks);
    if (!tasks)
        return NULL;
    tasks->loop_data.free = tasks_free;
    tasks->stack_size = STACK_SIZE;
    list_init(&tasks->live);
    stacks_init(&tasks->stacks);
    *data = &tasks->loop_data;
    return tasks;
}

struct evpq_task *task_running(evpq_loop *loop)
{
    struct coroutine *coroutine = loop_coroutine(loop);
    return coroutine ? container_of(coroutine, struct evpq_task, coroutine) : NULL;
}

evpq_task *evpq_task_current(evpq_loop *loop)
{
    return loop && loop_is_mine(loop) ? task_running(loop) : NULL;
}

evpq_status evpq_task_set_stack_size(evpq_loop *loop, size_t bytes)
{
    if (loop_check(loop))
        return loop_check(loop);
    struct tasks *tasks = tasks_of(loop);
    if (!tasks)
        return EVPQ_NOMEM;
    tasks->stack_size = !bytes ? STACK_SIZE : bytes < STACK_LEAST ? STACK_LEAST : bytes;
    return EVPQ_OK;
}

/* ---- stopping ---- */

void task_stop_waited(evpq_future *f, bool late)
{
    if (f->class->stop)
        f->class->stop(f, late);
    else if (late)
        future_expire(f);
    else
        evpq_future_cancel(f);
}

static void mark_late(struct evpq_task *t)
{
    double now = loop_time(t->future.loop);
    t->late = true;
    if (t->coroutine.deadline > now && !task_is_ending(t))
        t->coroutine.deadline = now; /* for what it still starts */
}

/* What it waits for is asked to stop; of tasks that wait for tasks, one after the other, not one
 * inside the other: chains may be long. */
void task_stop(struct evpq_task *t, bool late)
{
    for (;;) {
        if (t->state == TASK_OVER)
            return;
        if (late)
            mark_late(t);
        else if (t->cancel == CANCEL_NONE)
            task_cancel_to(t, CANCEL_ASKED);
        if (task_is_ending(t))
            return; /* it goes for what the function returned, if anything */
        if (t->state == TASK_NEW)
            task_begin(t); /* it need not wait for its turn to end */
        evpq_future *f = t->awaits;
        if (!f || !future_pending(f))
            return;
        task_pass_cancel_on(t);
        if (f->class != &task_class) {
            task_stop_waited(f, late);
            return;
        }
        t = task_of(f);
    }
}

void evpq_task_cancel(evpq_future *f)
{
    if (f && f->loop && f->class->stop && !loop_is_barred(f->loop))
        f->class->stop(f, false);
    else
        evpq_future_cancel(f);
}

static void out_of_time(struct timer *timer)
{
    task_stop(container_of(timer, struct evpq_task, timer), true);
}

void task_set_deadline(struct evpq_task *t, double at)
{
    evpq_loop *loop = t->future.loop;
    t->coroutine.deadline = at;
    if (at == INFINITY)
        return;
    double left = at - loop_time(loop);
    if (left > 0)
        timer_start(&t->timer, left);
    else
        task_stop(t, true);
}

/* ---- the future ---- */

static void task_class_stop(evpq_future *f, bool late)
{
    task_stop(task_of(f), late);
}

static void task_class_cancel(evpq_future *f)
{
    struct evpq_task *t = task_of(f); /* kept by task_new's reference */
    future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
    task_stop(t, false);
}

static void task_class_free(evpq_future *f)
{
    recycler_give(loop_blocks(f->loop), task_of(f), task_of(f)->size);
}

static const char *task_class_detail(const evpq_future *f)
{
    return task_of(f)->name;
}

static void task_class_why(const evpq_future *f, struct why *why)
{
    const struct evpq_task *t = task_of(f);
    why_say(why, "task \"%s\" ", t->name);
    if (t->state == TASK_NEW) {
        why_say(why, "has not begun");
    } else if (t->awaits && future_pending(t->awaits)) {
        why_say(why, "waits");
        future_add_why(t->awaits, why);
    } else {
        why_say(why, "has not ended");
        why_failed(why, ", after: ", evpq_future_error(t->awaits));
    }
}

const struct future_class task_class = {
    .name = "task",
    .cancel = task_class_cancel,
    .free = task_class_free,
    .stop = task_class_stop,
    .detail = task_class_detail,
    .why = task_class_why,
};

/* ---- spawning ---- */

static double nearer(double a, double b)
{
    return a < b ? a : b;
}

static double bound_of(evpq_loop *loop, double seconds)
{
    return seconds > 0 ? loop_time(loop) + seconds : INFINITY;
}

double task_bound(evpq_loop *loop, double seconds)
{
    const struct coroutine *spawner = loop_coroutine(loop);
    double bound = spawner && !(seconds < 0) ? spawner->deadline : INFINITY;
    return nearer(bound, bound_of(loop, seconds));
}

/* No task comes of it. */
static evpq_future *refuse(evpq_loop *loop, void *arg, const evpq_task_opts *o, evpq_future *why)
{
    loop_free_value(loop, o->free_arg, arg);
    return why;
}

/* The error in the place of `f`. Takes both. */
static evpq_future *say_why(evpq_loop *loop, evpq_future *f, evpq_error *error)
{
    if (loop_check(loop)) {
        evpq_error_unref(error);
        return f;
    }
    evpq_future_unref(f);
    return future_failed(loop, error);
}

evpq_future *task_new(evpq_loop *loop, evpq_task_fn *fn, void *arg, const evpq_task_opts *opts,
                      const double *of_group, struct evpq_task **ret_task)
{
    evpq_task_opts o;
    evpq_error *error = opts_read(OPTS_KIND(evpq_task_opts, name), opts, &o);
    *ret_task = NULL;
    if (!error && isnan(o.deadline))
        error = error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                          "evpq_task_opts: the deadline is not a number");
    if (error || !loop || !fn) {
        evpq_future *f = refuse(loop, arg, &o, future_constant(EVPQ_INVALID));
        return error ? say_why(loop, f, error) : f;
    }
    if (loop_check(loop))
        return refuse(loop, arg, &o, future_refused(loop));
    struct tasks *tasks = tasks_of(loop);
    const char *name = o.name ? o.name : "task";
    size_t length = strlen(name) + 1;
    struct evpq_task *t = tasks ? recycler_take(loop_blocks(loop), sizeof *t + length) : NULL;
    if (!t)
        return refuse(loop, arg, &o, future_constant(EVPQ_NOMEM));
    *t = (struct evpq_task){
        .size = sizeof *t + length, .fn = fn, .arg = arg, .free_arg = o.free_arg};
    future_init(&t->future, &task_class, loop);
    memcpy(t->name, name, length);
    t->stack_size = o.stack_size ? o.stack_size : tasks->stack_size;
    if (t->stack_size < STACK_LEAST)
        t->stack_size = STACK_LEAST;
    job_init(&t->turn.job, task_start);
    list_append(&tasks->live, &t->node);
    list_init(&t->deferred);
    list_init(&t->in_group);
    timer_init(&t->timer, loop, out_of_time);
    task_set_deadline(t, of_group ? nearer(*of_group, bound_of(loop, o.deadline))
                                  : task_bound(loop, o.deadline));
    evpq_future_ref(&t->future);
    *ret_task = t;
    return &t->future;
}

void task_begin(struct evpq_task *t)
{
    loop_defer(t->future.loop, &t->turn.job);
}

evpq_future *evpq_task_spawn(evpq_loop *loop, evpq_task_fn *fn, void *arg,
                             const evpq_task_opts *opts)
{
    struct evpq_task *t;
    evpq_future *f = task_new(loop, fn, arg, opts, NULL, &t);
    if (t)
        task_begin(t);
    return f;
}

/* ---- from inside ---- */

evpq_loop *evpq_task_loop(const evpq_task *self)
{
    return self->future.loop;
}

evpq_status evpq_task_defer(evpq_task *self, void (*fn)(void *arg), void *arg)
{
    if (!self || !fn || !loop_is_mine(self->future.loop) || self->state >= TASK_RETURNED)
        return EVPQ_INVALID;
    struct deferred *d = mem_alloc(sizeof *d);
    if (!d) {
        fn(arg);
        return EVPQ_NOMEM;
    }
    *d = (struct deferred){.fn = fn, .arg = arg, .owned = true};
    list_append(&self->deferred, &d->node);
    return EVPQ_OK;
}

evpq_status evpq_task_set_deadline(evpq_task *self, double seconds)
{
    if (!self || isnan(seconds))
        return EVPQ_INVALID;
    if (loop_check(self->future.loop))
        return loop_check(self->future.loop);
    double at = loop_time(self->future.loop) + (seconds > 0 ? seconds : 0);
    if (!task_is_ending(self) && at < self->coroutine.deadline)
        task_set_deadline(self, at);
    return EVPQ_OK;
}

double evpq_task_time_left(const evpq_task *self)
{
    double left = self->coroutine.deadline - loop_time(self->future.loop);
    return left > 0 ? left : 0;
}
