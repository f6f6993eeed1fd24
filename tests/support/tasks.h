/* tasks.h - tasks on the loop and pool of pools.h. */
#ifndef TESTS_SUPPORT_TASKS_H
#define TESTS_SUPPORT_TASKS_H

#include "support/pools.h"
#include "tasks/task.h"

#define TASK_OPTS(...)                        \
 &(evpq_task_opts)                            \
 {                                            \
  .size = sizeof(evpq_task_opts), __VA_ARGS__ \
 }

static inline evpq_future *spawn(evpq_task_fn *fn, void *arg)
{
    return evpq_task_spawn(loop, fn, arg, NULL);
}

/* Waits for f and lets go of it. */
static inline evpq_status outcome(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    evpq_future_unref(f);
    return status;
}

static inline bool no_task_left(void)
{
    struct loop_data *data = *loop_data_of(loop);
    return !data || list_empty(&container_of(data, struct tasks, loop_data)->live);
}

static inline long idle_in_transaction(void)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and state like 'idle in transaction%%'",
                             pools_app()));
}

/* Whatever happened, nothing of it is left. */
static inline void ck_all_over(void)
{
    ck_until(no_task_left());
    ck_quiet();
    ck_assert_int_eq(stats().busy + stats().leased + stats().waiting, 0);
    /* A process whose client was cut off sees it when it reads. */
    ck_until(idle_in_transaction() == 0);
}

#endif
