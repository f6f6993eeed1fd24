/* task.h - the task as its own floor sees it. */
#ifndef TASKS_TASK_H
#define TASKS_TASK_H

#include "async/future.h"
#include "base/state.h"
#include "tasks/stack.h"

#include <evpq/task.h>

enum task_state {
    TASK_NEW,            /* its function has not been called */
    TASK_RUNNING,        /* its code runs, or has run the loop */
    TASK_WAITING,        /* for `awaits`, which may have settled since; or, NULL, for its turn */
    TASK_ENDING,         /* its function has returned, and the deferred ones run */
    TASK_ENDING_WAITING, /* one of those waits */
    TASK_RETURNED,       /* its stack is given back: `awaits` is what it returned */
    TASK_OVER,
};

/* A cancel that was asked for. */
enum task_cancel {
    CANCEL_NONE,      /* or the task was told */
    CANCEL_ASKED,     /* and not yet told to it */
    CANCEL_PASSED_ON, /* nor to it, but to what it waits for, which may fail in a way of its own */
};

struct evpq_task {
    struct evpq_future future;

    /* What every await uses, together. */
    struct coroutine coroutine;
    enum task_state state;   /* written by task_to alone */
    enum task_cancel cancel; /* written by task_cancel_to alone */
    bool late;               /* its deadline has passed */
    bool counted;            /* in what the group's limit bounds */
    struct streak streak;
    evpq_status struck_as; /* what an await of a done future said; EVPQ_OK: none did */
    struct stack *stack;
    evpq_future *awaits; /* borrowed; TASK_RETURNED: owned */
    double since;        /* when it began to wait */

    struct waiter turn; /* to begin; then, for what it returned */
    struct list node;   /* in struct tasks */
    size_t size;        /* of this block */
    size_t stack_size;
    evpq_task_fn *fn;
    void *arg;
    void (*free_arg)(void *arg);
    struct list deferred;
    struct timer timer; /* the deadline */
    /* The group's: called when it is over, its future settled. */
    void (*on_over)(struct evpq_task *t);
    struct evpq_group *group;
    struct list in_group;
    char name[];
};

static const unsigned task_next[] = {
    [TASK_NEW] = TO(TASK_RUNNING) | TO(TASK_OVER),
    [TASK_RUNNING] = TO(TASK_WAITING) | TO(TASK_ENDING) | TO(TASK_RETURNED),
    [TASK_WAITING] = TO(TASK_RUNNING),
    [TASK_ENDING] = TO(TASK_ENDING_WAITING) | TO(TASK_RETURNED),
    [TASK_ENDING_WAITING] = TO(TASK_ENDING),
    [TASK_RETURNED] = TO(TASK_OVER),
    [TASK_OVER] = 0,
};

static inline void task_to(struct evpq_task *t, enum task_state state)
{
    TRANSITION(task_next, t->state, state);
    t->state = state;
}

static inline bool task_is_ending(const struct evpq_task *t)
{
    return t->state == TASK_ENDING || t->state == TASK_ENDING_WAITING;
}

static const unsigned task_cancel_next[] = {
    [CANCEL_NONE] = TO(CANCEL_ASKED),
    [CANCEL_ASKED] = TO(CANCEL_PASSED_ON) | TO(CANCEL_NONE),
    [CANCEL_PASSED_ON] = TO(CANCEL_NONE),
};

static inline void task_cancel_to(struct evpq_task *t, enum task_cancel cancel)
{
    TRANSITION(task_cancel_next, t->cancel, cancel);
    t->cancel = cancel;
}

/* What it waits for is asked to stop. */
static inline void task_pass_cancel_on(struct evpq_task *t)
{
    if (t->cancel == CANCEL_ASKED)
        task_cancel_to(t, CANCEL_PASSED_ON);
}

/* Something to do when the task ends, last in first out. */
struct deferred {
    struct list node;
    void (*fn)(void *arg);
    void *arg;
    bool owned; /* a block of its own, to be freed */
};

/* What a loop keeps for its tasks. */
struct tasks {
    struct loop_data loop_data;
    struct list live;
    struct stacks stacks;
    size_t stack_size;
};

/* NULL when out of memory. */
struct tasks *tasks_of(evpq_loop *loop);

/* The task that is running, or NULL. */
struct evpq_task *task_running(evpq_loop *loop);

/* The deadline of what is started here to end within `seconds` (0: no bound of its own; less: not
 * even the one of the task that is running), on loop_time's clock. */
double task_bound(evpq_loop *loop, double seconds);

/* A task that has not been begun; or *ret_task is NULL and the future has failed. Its deadline is
 * that of its opts, and `of_group` where it is in one; else that of who spawns it. */
evpq_future *task_new(evpq_loop *loop, evpq_task_fn *fn, void *arg, const evpq_task_opts *opts,
                      const double *of_group, struct evpq_task **ret_task);
void task_begin(struct evpq_task *t);

enum { TASK_STACK_LEAST = 16 * 1024 };

static inline double task_nearer(double a, double b)
{
    return a < b ? a : b;
}

/* So many seconds from now, on loop_time's clock; infinity: no bound. */
double task_bound_of(evpq_loop *loop, double seconds);

/* Between task.c, run.c and spawn.c. */
void task_out_of_time(struct timer *timer);
extern const struct future_class task_class;
void task_start(struct job *job);
void task_set_deadline(struct evpq_task *t, double at);
void task_stop_waited(evpq_future *f, bool late); /* it is pending */

static inline struct evpq_task *task_of(const evpq_future *f)
{
    return container_of(f, struct evpq_task, future);
}

/* Asks it to stop: cancels it, or (late) lets its deadline be over. */
void task_stop(struct evpq_task *t, bool late);

/* Whether f cannot settle before t goes on or ends, as far as tasks and groups tell. */
bool task_is_behind(const evpq_future *f, const struct evpq_task *t);

/* evpq_await in a task, of what is pending, and of what has settled. */
evpq_status task_await(struct evpq_task *t, evpq_future *f);
evpq_status task_await_ready(struct evpq_task *t, evpq_future *f);

#endif
