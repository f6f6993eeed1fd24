/* spawn.c - making a task, and setting it going. */
#include "tasks/task.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <math.h>
#include <string.h>

/* No task comes of it. */
static evpq_future *task_refuse(evpq_loop *loop, void *arg, const evpq_task_opts *o,
                                evpq_future *why)
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
        evpq_future *f = task_refuse(loop, arg, &o, future_constant(EVPQ_INVALID));
        return error ? say_why(loop, f, error) : f;
    }
    if (loop_check(loop))
        return task_refuse(loop, arg, &o, future_refused(loop));
    struct tasks *tasks = tasks_of(loop);
    const char *name = o.name ? o.name : "task";
    size_t length = strlen(name) + 1;
    struct evpq_task *t = tasks ? recycler_take(loop_blocks(loop), sizeof *t + length) : NULL;
    if (!t)
        return task_refuse(loop, arg, &o, future_constant(EVPQ_NOMEM));
    *t = (struct evpq_task){
        .size = sizeof *t + length, .fn = fn, .arg = arg, .free_arg = o.free_arg};
    future_init(&t->future, &task_class, loop);
    memcpy(t->name, name, length);
    t->stack_size = o.stack_size ? o.stack_size : tasks->stack_size;
    if (t->stack_size < TASK_STACK_LEAST)
        t->stack_size = TASK_STACK_LEAST;
    job_init(&t->turn.job, task_start);
    list_append(&tasks->live, &t->node);
    list_init(&t->deferred);
    list_init(&t->in_group);
    timer_init(&t->timer, loop, task_out_of_time);
    task_set_deadline(t, of_group ? task_nearer(*of_group, task_bound_of(loop, o.deadline))
                                  : task_bound(loop, o.deadline));
    evpq_future_ref(&t->future);
    *ret_task = t;
    return &t->future;
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
