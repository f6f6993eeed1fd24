/* evpq/task.h - straight-line code that waits without blocking: tasks, and groups of them.
 *
 * A task is a function with a stack of its own. Where it waits for a future (evpq_await) it is set
 * aside, the loop goes on, and the task goes on when the future has settled. It is what asyncio
 * calls a task: seen from outside it is a future, which settles with what the function returned;
 * seen from inside, `self`.
 *
 *     static evpq_future *checkout(evpq_task *self, void *arg)
 *     {
 *         struct order *o = arg;
 *         evpq_future *both[] = {
 *             evpq_pool_read(o->pool, "select credit from customer where id = $1",
 *                            EVPQ_ARGS(o->customer)),
 *             evpq_pool_read(o->pool, "select stock from item where id = $1", EVPQ_ARGS(o->item)),
 *         };
 *         evpq_future *all = evpq_all(both, 2);
 *         if (evpq_await(all) != EVPQ_OK)
 *             return all;
 *         ...
 *         evpq_future_unref(all);
 *         return NULL;
 *     }
 *
 * evpq_await in a task:
 *   - returns the status of its future (borrowed), which has settled then; at once where it has
 *     already. It is EVPQ_DEADLOCK, and the future still pending, where tasks and groups would
 *     wait for each other in a circle.
 *   - A task that was canceled (evpq_task_cancel) cancels what it waits for, or, if it waits for
 *     nothing pending then, what it waits for next; once. So the await returns EVPQ_CANCELED, and
 *     code that cleans up may wait again.
 *   - A task whose deadline has passed waits for nothing any more: each await makes a pending
 *     future fail with EVPQ_TIMEOUT, and returns EVPQ_TIMEOUT for one that is done (which it stays:
 *     evpq_future_status). A task that then returns this future has failed with EVPQ_TIMEOUT.
 *   - Where all that a task awaits has settled already, it is set aside after about a millisecond
 *     until the loop has had a turn: timers fire, its deadline strikes, and a cancel reaches it, as
 *     EVPQ_TIMEOUT or EVPQ_CANCELED from that await, whether its future is done or failed. So a
 *     task that tries again and again what fails at once (EVPQ_QUEUE_FULL) comes to an end.
 *   - Both stop the future itself, for all who wait for it (evpq_shield keeps one from harm). A
 *     task or group that is waited for is asked to stop instead, and the await lasts until it has,
 *     so that what its function uses may stand on the waiting function's stack. Not so through a
 *     combinator (evpq_all, evpq_timeout, ...), which settles at once and leaves tasks to clean up
 *     on their own: there, use a group, and its deadline.
 *   - A task waits for futures of its own evpq_loop.
 *
 * Functions that evpq calls from a task's stack, such as the free_value of a future that the task
 * lets go of, are callbacks: they cannot wait. A task may run its loop (evpq_loop_run) as a
 * callback may, but blocks itself with it. Leaving a task's function by longjmp or a C++ exception
 * is undefined.
 *
 * Thread: the loop's, for every call. */
#ifndef EVPQ_TASK_H
#define EVPQ_TASK_H

#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/loop.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_task evpq_task;

/* What a task does. `self` is borrowed for the call. Returns the future (taken) that the task is
 * then followed by, or NULL: done, without a value. To end with a value return evpq_future_ok, with
 * a failure of one's own evpq_future_failed; to pass on how something ended, that future. A pending
 * one is waited for without a stack. The task's own future or one of another loop is
 * EVPQ_INVALID. */
typedef evpq_future *evpq_task_fn(evpq_task *self, void *arg);

/* Zero (or NULL) is the default, which stands in brackets. Copied. */
typedef struct evpq_task_opts {
    size_t size; /* sizeof(evpq_task_opts): lets the struct grow */

    const char *name;  /* for evpq_task_dump ["task"] */
    size_t stack_size; /* bytes; rounded up to whole pages, at least 16 KiB [that of the loop, see
                          evpq_task_set_stack_size]. Pages are taken from the system when they are
                          first touched. What lies below is never mapped: a task that needs more
                          dies of SIGSEGV there */
    double deadline;   /* seconds from now after which no await of the task, and none of the tasks
                          and queries that it starts, lasts any longer. The deadline of the task
                          that spawns this one bounds it too. Negative: none, not even the
                          spawner's [the spawner's] */

    /* Called with the `arg` of evpq_task_spawn when the task has ended, and what it returned has
     * settled; also when it never began. The task's own future settles after it, unless that was
     * canceled (evpq_future_cancel). */
    void (*free_arg)(void *arg);
} evpq_task_opts;

/* ---- from outside ---- */

/* A task that calls fn(self, arg) from the loop, later. The future is given; letting go of it does
 * not stop the task. `arg` is borrowed until the task has ended, or taken when opts->free_arg says
 * so; where the options' size is refused (EVPQ_INVALID), free_arg has not been read, and `arg`
 * stays the caller's. The function is called once, or never: when the task is canceled before it
 * began, or no memory is left for a stack (EVPQ_NOMEM). evpq_future_cancel on a task's future
 * cancels the task as evpq_task_cancel does, and settles the future at once; the task then cleans
 * up on its own. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_task_spawn(evpq_loop *loop, evpq_task_fn *fn, void *arg,
                                                     const evpq_task_opts *opts);

/* asyncio's Task.cancel: asks `task` (borrowed; the future of evpq_task_spawn or evpq_group_join,
 * where all that runs in the group is canceled) to stop: see above. The future settles when the
 * function has returned, with what it returned. A task that has not begun is canceled at once. A
 * task that waits for nothing, or ends, is not hurt; one that runs its deferred functions cannot
 * be canceled. Any other future is canceled as by evpq_future_cancel. */
EVPQ_API void evpq_task_cancel(evpq_future *task);

/* The stack size of tasks of this loop that ask for none of their own; 0: 256 KiB, as before the
 * first call. EVPQ_OK, EVPQ_INVALID or EVPQ_NOMEM. */
EVPQ_API evpq_status evpq_task_set_stack_size(evpq_loop *loop, size_t bytes);

/* Writes a line to `out` (borrowed) for each task of `loop` that has not ended: its name, what it
 * waits for and since when, and its deadline. */
EVPQ_API void evpq_task_dump(evpq_loop *loop, FILE *out);

/* ---- from inside ---- */

/* The task that calls, borrowed until it ends; NULL where the calling code is not one of
 * `loop`. */
EVPQ_API evpq_task *evpq_task_current(evpq_loop *loop);

/* The loop it runs on, borrowed until the task ends. */
EVPQ_API evpq_loop *evpq_task_loop(const evpq_task *self);

/* Lets all that is ready run before going on. EVPQ_OK; EVPQ_CANCELED (once) or EVPQ_TIMEOUT when
 * the task should stop; EVPQ_DEADLOCK when `self` is not the calling task. */
EVPQ_API evpq_status evpq_yield(evpq_task *self);

/* Calls fn(arg) when the task ends, whatever the way: after its function has returned, last added
 * first, on the task's stack and before its future settles. They may wait, cannot be canceled (a
 * cancel then goes to what the function returned), and have no deadline: use evpq_timeout there.
 * `arg` is borrowed until then. EVPQ_OK;
 * EVPQ_NOMEM when there was no memory to remember it by: fn(arg) has been called at once then, and
 * nothing is left to be released; EVPQ_INVALID, where it is never called. */
EVPQ_API evpq_status evpq_task_defer(evpq_task *self, void (*fn)(void *arg), void *arg);

/* Brings the task's deadline forward to `seconds` from now; a nearer one stays. Tasks and queries
 * that it started before keep theirs. EVPQ_INVALID for not a number. */
EVPQ_API evpq_status evpq_task_set_deadline(evpq_task *self, double seconds);

/* Seconds left until the deadline, 0 when it has passed, infinity when there is none. */
EVPQ_API double evpq_task_time_left(const evpq_task *self);

/* ---- groups ----
 * asyncio.TaskGroup: tasks that end together. The first that fails (other than by being canceled)
 * cancels the rest, and is what the group fails with. */

typedef struct evpq_group evpq_group;

/* Zero is the default, which stands in brackets. Copied. */
typedef struct evpq_group_opts {
    size_t size; /* sizeof(evpq_group_opts) */

    int limit;       /* tasks that run at once; others begin as these end [no limit] */
    double deadline; /* seconds from evpq_group_open after which no await of any task in it lasts
                        any longer; negative: none, not even the opener's. In place of a spawner's,
                        for the tasks in it [the opener's] */
} evpq_group_opts;

/* A group, given: hand it to evpq_group_join. Opened in a task it belongs to that: one that is not
 * joined when the task's function returns is canceled and joined then, as if by a deferred function
 * (evpq_task_defer); what its tasks use must not stand in the frame of that function. NULL when out
 * of memory, or the options make no sense; the other functions take a NULL group, and fail. */
EVPQ_API EVPQ_NODISCARD evpq_group *evpq_group_open(evpq_loop *loop, const evpq_group_opts *opts);

/* evpq_task_spawn within the group (borrowed). A task that is spawned after the group has failed or
 * was canceled never begins: its future fails with EVPQ_CANCELED. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_group_spawn(evpq_group *group, evpq_task_fn *fn,
                                                      void *arg, const evpq_task_opts *opts);

/* Asks all tasks of the group (borrowed) to stop, and lets no more begin. */
EVPQ_API void evpq_group_cancel(evpq_group *group);

/* The group (taken) as a future, given: settles when the last task of it has ended, with the first
 * failure, with EVPQ_CANCELED when the group was canceled, or done. Tasks of the group may go on
 * spawning into it until then: their pointer stays valid as long as they run. Letting go of the
 * future leaves the tasks running; evpq_task_cancel stops them. A task of the group that waits for
 * it is EVPQ_DEADLOCK. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_group_join(evpq_group *group);

#ifdef __cplusplus
}
#endif

#endif
