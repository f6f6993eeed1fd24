/* await.c - waiting in straight-line code: in a task by giving up the stack, at the top level by
 * running the loop. */
#include "tasks/task.h"

#include <math.h>

struct awaiter {
    struct waiter waiter;
    evpq_loop *loop;
};

static void stop_loop(struct job *job)
{
    loop_leave(container_of(job, struct awaiter, waiter.job)->loop);
}

static evpq_status run_loop_until(evpq_future *f)
{
    struct awaiter awaiter = {.loop = f->loop};
    evpq_future_ref(f);
    future_watch(f, f->loop, &awaiter.waiter, stop_loop);
    bool alive = loop_run(f->loop);
    list_remove(&awaiter.waiter.job.node); /* still listed when the program stopped the loop */
    evpq_status status = f->status;
    if (status == EVPQ_PENDING && loop_forked(f->loop))
        status = EVPQ_FORKED; /* by a callback */
    else if (status == EVPQ_PENDING && !alive)
        status = EVPQ_DEADLOCK;
    evpq_future_unref(f);
    return status;
}

/* Code that finds all ready for ever must not keep the loop from its turn, nor miss its own
 * deadline. In a callback there is nothing to be done about it. */
static evpq_status await_ready(evpq_future *f)
{
    struct evpq_task *t = task_running(f->loop);
    if (t)
        return task_await_ready(t, f);
    if (loop_running(f->loop) || !streak_ends(loop_streak(f->loop), INFINITY))
        return f->status;
    evpq_future_ref(f);
    loop_turn(f->loop);
    evpq_status status = f->status;
    evpq_future_unref(f);
    return status;
}

evpq_status evpq_await(evpq_future *f)
{
    if (!f)
        return EVPQ_INVALID;
    if (f->loop && loop_elsewhere(f->loop))
        return EVPQ_INVALID;
    if (!future_pending(f))
        return f->loop ? await_ready(f) : f->status;
    if (loop_forked(f->loop))
        return EVPQ_FORKED;
    struct evpq_task *t = task_running(f->loop);
    if (t)
        return task_await(t, f);
    return loop_running(f->loop) ? EVPQ_DEADLOCK : run_loop_until(f);
}
