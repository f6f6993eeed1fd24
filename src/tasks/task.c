/* task.c - tasks as they are stopped and called upon; spawn.c makes them, run.c runs them.
 *
 * Asking a task to stop only settles what it waits for: it is told through the run queue. Three
 * references keep it: its producer's until the future settles, one from `task_new` until it is
 * over, and those that were given. */
#include "tasks/task.h"

#include "base/mem.h"

#include <math.h>

enum { STACK_SIZE = 256 * 1024 };

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
    tasks->stack_size = !bytes ? STACK_SIZE : bytes < TASK_STACK_LEAST ? TASK_STACK_LEAST : bytes;
    return EVPQ_OK;
}

/* Of tasks that wait for tasks one after the other, as in task_stop. */
bool task_is_behind(const evpq_future *f, const struct evpq_task *t)
{
    for (; f && future_pending(f) && f->class == &task_class; f = task_of(f)->awaits)
        if (task_of(f) == t)
            return true;
    return f && future_pending(f) && f->class->is_behind && f->class->is_behind(f, t);
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
        /* Timers of one deadline go off one after the other: a cancel may come in between. */
        late = late || t->coroutine.deadline <= loop_time(t->future.loop);
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

void task_out_of_time(struct timer *timer)
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

/* ---- beginning ---- */

void task_begin(struct evpq_task *t)
{
    loop_defer(t->future.loop, &t->turn.job);
}

double task_bound_of(evpq_loop *loop, double seconds)
{
    return seconds > 0 ? loop_time(loop) + seconds : INFINITY;
}

double task_bound(evpq_loop *loop, double seconds)
{
    const struct coroutine *spawner = loop_coroutine(loop);
    double bound = spawner && !(seconds < 0) ? spawner->deadline : INFINITY;
    return task_nearer(bound, task_bound_of(loop, seconds));
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
