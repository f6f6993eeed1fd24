/* run.c - a task's code: begun, run a stretch at a time, set aside, ended.
 *
 * It runs from a job of the run queue, as every callback does, and from nowhere else. */
#include "tasks/task.h"

#include "base/mem.h"
#include "words/error.h"

#include <math.h>

/* ---- the end ---- */

static void over(struct evpq_task *t)
{
    task_to(t, TASK_OVER);
    timer_stop(&t->timer);
    list_remove(&t->node);
    if (t->on_over)
        t->on_over(t);
    evpq_future_unref(&t->future); /* that of task_new */
}

static void settle_as(struct evpq_task *t, evpq_future *f)
{
    t->awaits = NULL;
    loop_free_value(t->future.loop, t->free_arg, t->arg);
    if (future_pending(&t->future))
        future_settle_follow(&t->future, f);
    evpq_future_unref(f);
    over(t);
}

static void returned_settled(struct job *job)
{
    struct evpq_task *t = container_of(job, struct evpq_task, turn.job);
    settle_as(t, t->awaits);
}

/* In place of the future (taken) by which it was told to stop, and which is done. */
static evpq_future *stopped_by(struct evpq_task *t, evpq_future *f)
{
    evpq_future_unref(f);
    return t->struck_as == EVPQ_TIMEOUT
               ? evpq_future_failed(t->future.loop, EVPQ_TIMEOUT,
                                    "the deadline of task \"%s\" has passed", t->name)
               : future_failed(t->future.loop,
                               evpq_error_ref(error_canceled(EVPQ_OUTCOME_UNKNOWN)));
}

/* The function has returned; whoever let go of the future meanwhile wants nothing more of it. */
static void take_returned(struct evpq_task *t, evpq_future *f)
{
    if (!f) {
        loop_free_value(t->future.loop, t->free_arg, t->arg);
        if (future_pending(&t->future))
            future_settle_value(&t->future, NULL, NULL);
        over(t);
        return;
    }
    if (t->struck_as != EVPQ_OK && f->struck && f->status == EVPQ_OK)
        f = stopped_by(t, f);
    f = future_checked(&t->future, f, "the function of a task");
    if (future_pending(f) && task_is_behind(f, t)) {
        evpq_future_unref(f);
        f = evpq_future_failed(t->future.loop, EVPQ_DEADLOCK,
                               "task \"%s\" returned what waits for it", t->name);
    }
    if (!future_pending(f)) {
        settle_as(t, f);
        return;
    }
    t->awaits = f;
    t->since = loop_time_polled(t->future.loop);
    future_watch(f, t->future.loop, &t->turn, returned_settled);
    if (t->cancel || t->late || !future_pending(&t->future))
        task_stop_waited(f, t->late);
}

/* Its function was not called, and will not be. */
static void end_unbegun(struct evpq_task *t, evpq_error *error)
{
    loop_free_value(t->future.loop, t->free_arg, t->arg);
    if (future_pending(&t->future))
        future_settle_error(&t->future, error);
    else
        evpq_error_unref(error);
    over(t);
}

/* ---- running ---- */

static void run_deferred(struct evpq_task *t)
{
    struct list *node;
    double deadline = t->coroutine.deadline;
    task_to(t, TASK_ENDING);
    t->coroutine.deadline = INFINITY;
    timer_stop(&t->timer);
    while ((node = list_pop_last(&t->deferred))) {
        struct deferred *d = container_of(node, struct deferred, node);
        void (*fn)(void *) = d->fn;
        void *arg = d->arg;
        if (d->owned)
            mem_free(d);
        fn(arg);
    }
    /* Of what the function returned. A deadline that has passed meanwhile strikes as any that is
     * found late: what has come goes first. */
    t->coroutine.deadline = deadline;
    if (deadline != INFINITY)
        timer_start(&t->timer, deadline - loop_time(t->future.loop));
}

static void take_stack_back(struct evpq_task *t)
{
    evpq_future *f = t->awaits;
    t->awaits = NULL;
    stack_give(t->stack);
    t->stack = NULL;
    take_returned(t, f);
}

static void on_stack(void *arg)
{
    struct evpq_task *t = arg;
    evpq_future *f = t->fn(t, t->arg);
    if (!list_empty(&t->deferred))
        run_deferred(t);
    t->awaits = f;
    task_to(t, TASK_RETURNED);
}

/* `t` is not in the caches as a rule: what is needed to go there is handed in. */
static void run(struct evpq_task *t, evpq_loop *loop, struct stack *stack, void *place)
{
    struct coroutine *outer = coroutine_enter(loop, &t->coroutine);
    task_to(t, t->state == TASK_ENDING_WAITING ? TASK_ENDING : TASK_RUNNING);
    stack_enter(stack, place);
    coroutine_leave(loop, outer);
    if (t->state == TASK_RETURNED)
        take_stack_back(t);
}

void task_start(struct job *job)
{
    struct evpq_task *t = container_of(job, struct evpq_task, turn.job);
    struct tasks *tasks = tasks_of(t->future.loop);
    if (t->late)
        end_unbegun(t, error_new(EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT,
                                 "the deadline of task \"%s\" passed before it began", t->name));
    else if (t->cancel)
        end_unbegun(t, evpq_error_ref(error_canceled(EVPQ_OUTCOME_NOT_SENT)));
    else if (!(t->stack = stack_take(&tasks->stacks, t->stack_size)))
        end_unbegun(t, error_new(EVPQ_NOMEM, EVPQ_OUTCOME_NOT_SENT,
                                 "no memory for the stack of task \"%s\"", t->name));
    else {
        void *place = stack_aim(t->stack, on_stack, t, t->name);
        run(t, t->future.loop, t->stack, place);
    }
}

/* A task that is set aside. Stands on its stack, so that whoever comes to wake it brings the frames
 * nearby into the caches (future_prefetch). */
struct pause {
    struct waiter wake;
    struct evpq_task *task;
    evpq_loop *loop;
    struct stack *stack;
    void *place;
};

static void resume(struct job *job)
{
    struct pause *p = container_of(job, struct pause, wake.job);
    run(p->task, p->loop, p->stack, p->place);
}

/* Until its job is run. */
static void leave(struct evpq_task *t, struct pause *p, evpq_loop *loop, evpq_future *awaits)
{
    p->task = t;
    p->loop = loop;
    p->stack = t->stack;
    task_to(t, t->state == TASK_ENDING ? TASK_ENDING_WAITING : TASK_WAITING);
    t->awaits = awaits;
    t->since = loop_time_polled(loop);
    stack_leave(t->stack, &p->place);
    t->awaits = NULL;
    t->streak = (struct streak){0};
}

/* Sets it aside until the loop has had its turn. */
static void leave_for_turn(struct evpq_task *t, evpq_loop *loop)
{
    struct pause pause;
    job_init(&pause.wake.job, resume);
    loop_next_turn(loop, &pause.wake.job);
    leave(t, &pause, loop, NULL);
}

/* The task is told to stop by the await of a future that has settled. One that returns this future
 * as the reason for stopping has not succeeded by it. */
static evpq_status strike(struct evpq_task *t, evpq_future *f, evpq_status status)
{
    f->struck = true;
    t->struck_as = status;
    return status;
}

static evpq_status told_to_stop(struct evpq_task *t, evpq_future *f)
{
    if (task_is_ending(t))
        return f->status;
    if (t->late)
        return strike(t, f, EVPQ_TIMEOUT);
    if (!t->cancel)
        return f->status;
    task_cancel_to(t, CANCEL_NONE);
    return strike(t, f, EVPQ_CANCELED);
}

evpq_status task_await_ready(struct evpq_task *t, evpq_future *f)
{
    if (t->late && f->status == EVPQ_OK)
        return told_to_stop(t, f);
    if (!streak_ends(&t->streak, t->coroutine.deadline) || loop_forked(f->loop))
        return f->status;
    evpq_future_ref(f);
    leave_for_turn(t, f->loop);
    evpq_status status = told_to_stop(t, f);
    evpq_future_unref(f);
    return status;
}

evpq_status task_await(struct evpq_task *t, evpq_future *f)
{
    if (task_is_behind(f, t))
        return EVPQ_DEADLOCK;
    evpq_future_ref(f);
    if ((t->cancel || t->late) && !task_is_ending(t)) {
        task_pass_cancel_on(t);
        task_stop_waited(f, t->late);
    }
    if (future_pending(f)) {
        struct pause pause;
        future_watch(f, f->loop, &pause.wake, resume);
        leave(t, &pause, f->loop, f);
    }
    evpq_status status = f->status;
    /* One that has succeeded does not tell it: the next does. */
    if (status != EVPQ_OK && t->cancel &&
        (t->cancel == CANCEL_PASSED_ON || status == EVPQ_CANCELED))
        task_cancel_to(t, CANCEL_NONE);
    evpq_future_unref(f);
    return status;
}

evpq_status evpq_yield(evpq_task *self)
{
    evpq_loop *loop = self ? self->future.loop : NULL;
    if (self && loop_check(loop))
        return loop_check(loop);
    if (!self || task_running(loop) != self)
        return EVPQ_DEADLOCK;
    struct pause pause;
    job_init(&pause.wake.job, resume);
    loop_defer(loop, &pause.wake.job);
    leave(self, &pause, loop, NULL);
    if (task_is_ending(self))
        return EVPQ_OK;
    if (self->late)
        return EVPQ_TIMEOUT;
    if (!self->cancel)
        return EVPQ_OK;
    task_cancel_to(self, CANCEL_NONE);
    return EVPQ_CANCELED;
}
