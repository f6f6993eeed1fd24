/* it_cancel_points.c - F39: a task in a transaction, stopped at each of its awaits in turn. Whatever stops
 * it and wherever: it is rolled back, lease and permits are back, and nobody waits. */
#include "support/tasks.h"

#include "support/seen.h"

#include <stdlib.h>
#include <unistd.h>

enum way {
    BEFORE_IT_WAITS,
    WHILE_IT_WAITS,
    AS_IT_SETTLES, /* between the settling and going on */
    AT_EACH_FROM_THERE,
    BY_ITS_FUTURE,
    BY_ITS_FUTURE_AS_IT_SETTLES,
    DEADLINE_HAS_PASSED,
    DEADLINE_PASSES,
    WAYS
};

enum { PERMITS = 2, CHILDREN = 3 };

static struct walk {
    enum way way;
    bool bounded; /* by a deadline far away, from the beginning */
    int at;       /* the await to be stopped at */
    int steps;    /* awaits begun */
    evpq_future *f;
    evpq_task *self; /* NULL: not running */
    evpq_semaphore *semaphore;
    evpq_channel *in, *out; /* what the transaction receives, and sends */
    evpq_lease *lease;
    int deferred;     /* functions added, and not called yet */
    int items;        /* that somebody owns */
    int begun, ended; /* functions of tasks */
    int args;         /* given, and not freed yet */
    bool is_over;     /* the transaction, its deferred functions included */
    bool committing, committed;
    evpq_status rolled_back; /* OK, too, where there was nothing to roll back */
} w;

static char table[32];

static void stop_it(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    if (w.way == BY_ITS_FUTURE || w.way == BY_ITS_FUTURE_AS_IT_SETTLES)
        evpq_future_cancel(w.f);
    else
        evpq_task_cancel(w.f);
}

/* From the run queue, after what is there. */
static void stop_it_soon(void)
{
    evpq_future *now = evpq_future_ok(loop, NULL, NULL);
    evpq_future_on_done(now, stop_it, NULL);
    evpq_future_unref(now);
}

static void arrange(evpq_future *f)
{
    switch (w.way) {
    case BEFORE_IT_WAITS:
        stop_it(NULL, NULL);
        break;
    case AS_IT_SETTLES:
    case BY_ITS_FUTURE_AS_IT_SETTLES:
        if (f)
            evpq_future_on_done(f, stop_it, NULL);
        else
            stop_it_soon();
        break;
    case DEADLINE_HAS_PASSED:
    case DEADLINE_PASSES:
        if (w.self)
            evpq_task_set_deadline(w.self, w.way == DEADLINE_PASSES ? 0.0005 : 0.);
        break;
    default:
        stop_it_soon();
        break;
    }
}

static void count_step(evpq_future *f)
{
    w.steps++;
    if (w.steps == w.at || (w.way == AT_EACH_FROM_THERE && w.at && w.steps > w.at))
        arrange(f);
}

static evpq_status step(evpq_future *f)
{
    count_step(f);
    return evpq_await(f);
}

/* Waits for it in its turn, and ends the task with it where it fails. */
#define TRY(f)                \
 do {                         \
  evpq_future *tried = (f);   \
  if (step(tried) != EVPQ_OK) \
   return w.ended++, tried;   \
  evpq_future_unref(tried);   \
 } while (0)

#define TRY_YIELD(self)                                                       \
 do {                                                                         \
  count_step(NULL);                                                           \
  evpq_status yielded = evpq_yield(self);                                     \
  if (yielded != EVPQ_OK)                                                     \
   return w.ended++, evpq_future_failed(loop, yielded, "stopped in a yield"); \
 } while (0)

static void free_arg(void *arg)
{
    (void)arg;
    w.args--;
}

static void transaction_over(void *arg)
{
    (void)arg;
    w.args--;
    ck_assert(!w.is_over);
    w.is_over = true;
    w.self = NULL;
}

static void free_item(void *item)
{
    w.items--;
    free(item);
}

static void *new_item(void)
{
    w.items++;
    return malloc(1);
}

static void let_go_of_permit(void *arg)
{
    ck_assert_int_eq(--w.deferred, 0); /* the first added is the last called */
    evpq_future_unref(arg);
}

/* Whoever has canceled it may go on doing so. */
static void roll_back(void *arg)
{
    (void)arg;
    ck_assert_int_eq(--w.deferred, 1);
    if (w.at) {
        stop_it(NULL, NULL);
        stop_it_soon();
    }
    w.rolled_back = outcome(query_on(w.lease, "rollback"));
    w.lease = evpq_lease_release(w.lease);
}

static evpq_future *holds_a_permit(evpq_task *self, void *arg)
{
    (void)arg;
    w.begun++;
    evpq_future *permit = evpq_semaphore_acquire(w.semaphore);
    if (step(permit) != EVPQ_OK)
        return w.ended++, permit;
    evpq_yield(self);
    evpq_yield(self);
    evpq_future_unref(permit);
    w.ended++;
    return NULL;
}

static evpq_future *sends(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    w.begun++;
    TRY(evpq_sleep(loop, 0.001));
    TRY(evpq_channel_send(w.in, new_item()));
    TRY(evpq_channel_send(w.in, new_item()));
    w.ended++;
    return NULL;
}

static evpq_future *receives(evpq_task *self, void *arg)
{
    evpq_channel *channel = arg;
    (void)self;
    w.begun++;
    evpq_future *f = evpq_channel_receive(channel);
    if (step(f) == EVPQ_OK)
        free_item(evpq_channel_item(f));
    w.ended++;
    return f;
}

/* `arg` stands on the frame of who waits for it. */
static evpq_future *child(evpq_task *self, void *arg)
{
    w.begun++;
    TRY(evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(1)));
    TRY_YIELD(self);
    TRY(evpq_sleep(loop, 0.0005));
    ++*(int *)arg;
    w.ended++;
    return evpq_pool_query(pool, "select 2", EVPQ_ARGS());
}

static evpq_future *spawn_child(int *count)
{
    w.args++;
    return evpq_task_spawn(loop, child, count, TASK_OPTS(.free_arg = free_arg));
}

static evpq_future *run_group(int *count)
{
    evpq_group *g = evpq_group_open(
        loop, &(evpq_group_opts){.size = sizeof(evpq_group_opts), .limit = CHILDREN - 1});
    for (int i = 0; i < CHILDREN; i++, w.args++)
        evpq_future_unref(evpq_group_spawn(g, child, count, TASK_OPTS(.free_arg = free_arg)));
    return evpq_group_join(g);
}

static evpq_future *three_queries(void)
{
    evpq_future *fs[] = {query("select 1"), query("select pg_sleep(0.002)"),
                         evpq_timeout(query("select 3"), 30)};
    return evpq_all(fs, 3);
}

static evpq_future *transaction(evpq_task *self, void *arg)
{
    int counted = 0;
    (void)arg;
    w.begun++;
    w.self = self;
    evpq_future *permit = evpq_semaphore_acquire(w.semaphore);
    evpq_task_defer(self, let_go_of_permit, permit);
    w.deferred++;
    if (step(permit) != EVPQ_OK)
        return w.ended++, evpq_future_ref(permit);

    evpq_future *acquired = evpq_pool_acquire(pool);
    if (step(acquired) != EVPQ_OK)
        return w.ended++, acquired;
    w.lease = evpq_future_lease(acquired);
    evpq_future_unref(acquired);
    evpq_task_defer(self, roll_back, NULL);
    w.deferred++;

    TRY(query_on(w.lease, "begin"));
    TRY(query_on(w.lease, strf("insert into %s values (1)", table)));
    TRY(three_queries());
    TRY(spawn_child(&counted));
    ck_assert_int_eq(counted, 1);
    TRY(run_group(&counted));
    ck_assert_int_eq(counted, 1 + CHILDREN);
    TRY(spawn(receives, w.in));
    TRY(evpq_channel_send(w.out, new_item()));
    TRY(evpq_sleep(loop, 0.001));
    TRY_YIELD(self);
    TRY(evpq_shield(query_on(w.lease, "select 4")));
    w.committing = true;
    TRY(query_on(w.lease, "commit"));
    w.committed = true;
    w.ended++;
    return evpq_future_ok(loop, &w, NULL);
}

static evpq_status expected_status(void)
{
    return w.way == DEADLINE_HAS_PASSED || w.way == DEADLINE_PASSES ? EVPQ_TIMEOUT : EVPQ_CANCELED;
}

static void check_after(evpq_status status)
{
    ck_assert_msg(status == EVPQ_OK || (w.at && status == expected_status()),
                  "way %d, await %d: %s", (int)w.way, w.at, check_future_text(w.f));
    ck_assert_msg(w.begun == w.ended, "way %d, await %d: %d begun, %d ended", (int)w.way, w.at,
                  w.begun, w.ended);
    ck_assert_int_eq(w.deferred, 0);
    ck_assert_int_eq(w.args, 0);
    ck_assert_ptr_null(w.lease);
    ck_assert_msg(w.rolled_back == EVPQ_OK, "way %d, await %d: the roll-back is %s", (int)w.way,
                  w.at, evpq_status_name(w.rolled_back));
    evpq_future_unref(w.f); /* it may be the one that has a lease that came too late */
    ck_assert_int_eq((long)evpq_semaphore_free(w.semaphore), PERMITS);
    ck_all_over();
    long rows = server_count(strf("select count(*) from %s", table));
    if (w.committed || !w.committing)
        ck_assert_int_eq(rows, w.committed);
}

/* Runs it once, stopped at that await (0: at none); true when it had so many. */
static bool walk_to(int at)
{
    struct seen told;
    w = (struct walk){.way = w.way, .bounded = w.bounded, .at = at};
    server_exec(strf("truncate %s", table));
    w.semaphore = evpq_semaphore_new(loop, PERMITS);
    w.in = evpq_channel_new(loop, 1, free_item);
    w.out = evpq_channel_new(loop, 0, free_item);
    evpq_future *helpers[] = {spawn(holds_a_permit, NULL), spawn(holds_a_permit, NULL),
                              spawn(sends, NULL), spawn(receives, w.out)};
    w.args++;
    w.f =
        evpq_task_spawn(loop, transaction, NULL,
                        TASK_OPTS(.free_arg = transaction_over, .deadline = w.bounded ? 1000 : 0));
    seen_watch(w.f, &told);
    evpq_status status = evpq_await(w.f);
    ck_until(w.is_over);
    evpq_channel_close(w.in);
    evpq_channel_close(w.out);
    for (int i = 0; i < 4; i++)
        evpq_future_unref(helpers[i]);
    ck_until(no_task_left());
    ck_assert_int_eq(told.calls, 1);
    check_after(status);
    evpq_semaphore_unref(w.semaphore);
    evpq_channel_unref(w.in);
    evpq_channel_unref(w.out);
    ck_assert_int_eq(w.items, 0);
    return w.steps >= at;
}

START_TEST(f39_f42_a_task_stopped_at_any_await_leaves_nothing)
{
    open_pool(.max_size = 3);
    snprintf(table, sizeof table, "tasks_%ld", (long)getpid());
    server_exec(strf("create table %s (n int)", table));
    w.way = (enum way)(_i / 2);
    w.bounded = _i % 2;
    ck_assert(walk_to(0));
    ck_assert(w.committed);
    int awaits = w.steps, at = 1;
    ck_assert_int_gt(awaits, 30);
    while (walk_to(at))
        at++;
    ck_assert_int_gt(at, 20);
    server_exec(strf("drop table %s", table));
    pools_end();
}
END_TEST

/* ---- F39 ---- */

static evpq_lease *lease;
static evpq_status got[4];

static void roll_back_slowly(void *arg)
{
    (void)arg;
    got[1] = outcome(query_on(lease, "rollback"));
    got[2] = outcome(query_on(lease, "select pg_sleep(0.1)"));
    evpq_lease_release(lease);
}

static evpq_future *sleeps_in_transaction(evpq_task *self, void *arg)
{
    (void)arg;
    lease = lease_get();
    evpq_task_defer(self, roll_back_slowly, NULL);
    exec_on(lease, "begin");
    exec_on(lease, "create temp table t (n int)");
    evpq_future *f = query_on(lease, "select pg_sleep(60)");
    got[0] = evpq_await(f);
    return f;
}

START_TEST(f39_a_roll_back_in_a_deferred_function_cannot_be_stopped)
{
    bool by_deadline = _i;
    open_pool(.max_size = 1, .reset = EVPQ_RESET_ROLLBACK);
    ask("select 1");
    evpq_future *f = evpq_task_spawn(loop, sleeps_in_transaction, NULL,
                                     TASK_OPTS(.deadline = by_deadline ? 1 : 0));
    if (!by_deadline) {
        ck_running(1);
        evpq_task_cancel(f);
    }
    got[0] = EVPQ_PENDING;
    ck_until(got[0] != EVPQ_PENDING);
    while (evpq_future_status(f) == EVPQ_PENDING) {
        evpq_task_cancel(f);
        ev_run(evpq_loop_ev(loop), EVRUN_ONCE);
    }
    ck_assert_int_eq(got[0], by_deadline ? EVPQ_TIMEOUT : EVPQ_CANCELED);
    ck_assert_int_eq(got[1], EVPQ_OK);
    ck_assert_int_eq(got[2], EVPQ_OK);
    ck_assert_int_eq(outcome(f), got[0]);
    ck_all_over();
    ck_assert_int_eq(ask("select count(*) from pg_class where relname = 't'"), 0);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("stops");
    check_add(c, "f39_f42_a_task_stopped_at_any_await_leaves_nothing",
              f39_f42_a_task_stopped_at_any_await_leaves_nothing, 120, 2 * (int)WAYS);
    CHECK_ADD_LOOP(c, f39_a_roll_back_in_a_deferred_function_cannot_be_stopped, 2);
    return check_end(c);
}
