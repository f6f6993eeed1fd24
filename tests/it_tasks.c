/* it_tasks.c - tasks against a server: deadlines that go on to queries, callbacks that cannot wait
 * (F45), what tasks may do to the pool they use (F42), and many of them while the server goes
 * down. */
#include "support/tasks.h"

#include "support/seen.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- deadlines ---- */

static evpq_lease *lease;
static evpq_status got[4];
static struct seen seen[4];

static evpq_future *forgets_a_query(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    evpq_future *f = query("select pg_sleep(60)");
    seen_watch(f, &seen[0]);
    evpq_future_unref(f);
    return NULL;
}

START_TEST(a_deadline_bounds_queries_that_nobody_waits_for)
{
    open_pool(.max_size = 1);
    ask("select 1");
    evpq_future *f = evpq_task_spawn(loop, forgets_a_query, NULL, TASK_OPTS(.deadline = 1));
    ck_assert_int_eq(outcome(f), EVPQ_OK);
    ck_until(seen[0].calls == 1);
    ck_assert_int_eq(seen[0].status, EVPQ_TIMEOUT);
    ck_all_over();
    ck_assert_int_eq(server_runs(), 0);
    pools_end();
}
END_TEST

static evpq_future *acquires(evpq_task *self, void *arg)
{
    (void)self;
    evpq_future *f = evpq_pool_acquire(pool);
    if (!arg)
        return f;
    evpq_await(f);
    return f;
}

START_TEST(a_deadline_bounds_the_wait_for_a_lease)
{
    open_pool(.max_size = 1);
    lease = lease_get();
    evpq_future *f = evpq_task_spawn(loop, acquires, _i ? &got : NULL, TASK_OPTS(.deadline = 0.05));
    ck_assert_int_eq(outcome(f), EVPQ_TIMEOUT);
    ck_assert_int_eq(stats().waiting, 0);
    evpq_lease_release(lease);
    ck_all_over();
    pools_end();
}
END_TEST

static evpq_future *sleeps_long(evpq_task *self, void *arg)
{
    (void)self;
    evpq_future *f = query("select pg_sleep(60)");
    if (arg)
        seen_watch(f, arg);
    evpq_await(f);
    return f;
}

/* A query, a child with another, and a group of two, all at once. */
static evpq_future *spreads_out(evpq_task *self, void *arg)
{
    (void)arg;
    evpq_group *g = evpq_group_open(loop, NULL);
    evpq_future *child = spawn(sleeps_long, &seen[1]), *f = query("select pg_sleep(60)");
    evpq_future_unref(evpq_group_spawn(g, sleeps_long, &seen[2], NULL));
    evpq_future_unref(evpq_group_spawn(g, sleeps_long, &seen[3], TASK_OPTS(.deadline = 50)));
    seen_watch(f, &seen[0]);
    evpq_future_unref(f);
    evpq_future *join = evpq_group_join(g);
    got[0] = evpq_await(child);
    got[1] = evpq_await(join);
    got[2] = evpq_yield(self);
    evpq_future_unref(child);
    return join;
}

START_TEST(a_deadline_bounds_all_that_is_below)
{
    open_pool(.max_size = 4);
    evpq_future *f = evpq_task_spawn(loop, spreads_out, NULL, TASK_OPTS(.deadline = 1));
    ck_assert_int_eq(outcome(f), EVPQ_TIMEOUT);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(got[i], EVPQ_TIMEOUT);
    ck_all_over();
    ck_assert_int_eq(server_runs(), 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(seen[i].calls, 1);
        ck_assert_int_eq(seen[i].status, EVPQ_TIMEOUT);
    }
    pools_end();
}
END_TEST

static evpq_future *spends(evpq_task *self, void *arg)
{
    int *n = arg;
    evpq_status status;
    while ((status = outcome(query("select pg_sleep(0.1)"))) == EVPQ_OK)
        ++*n;
    ck_assert_double_eq(evpq_task_time_left(self), 0);
    return evpq_future_failed(loop, status, "spent");
}

/* With a budget for each it would never end. Three fit in, however slow the machine; and of a loop that is late the
 * deadline does not take what has arrived meanwhile. */
START_TEST(one_budget_is_spent_once)
{
    int n = 0;
    open_pool(.max_size = 1);
    ask("select 1");
    evpq_future *f = evpq_task_spawn(loop, spends, &n, TASK_OPTS(.deadline = 0.35));
    ck_assert_int_eq(outcome(f), EVPQ_TIMEOUT);
    ck_assert_int_le(n, 10);
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- waiting in the wrong place ---- */

static evpq_future *never;
static int places[6];

static void wait_wrongly(int place)
{
    ck_assert_ptr_null(evpq_task_current(loop));
    ck_assert_int_eq(evpq_await(never), EVPQ_DEADLOCK);
    places[place]++;
}

static evpq_future *waits_after_connect(evpq_lease *l, void *arg)
{
    (void)l, (void)arg;
    return wait_wrongly(0), NULL;
}

static evpq_future *waits_before_acquire(evpq_lease *l, void *arg)
{
    (void)l, (void)arg;
    return wait_wrongly(1), NULL;
}

static void waits_on_notice(const evpq_error *notice, void *arg)
{
    (void)notice, (void)arg;
    wait_wrongly(2);
}

static evpq_future *waits_then(evpq_future *f, void *arg)
{
    (void)arg;
    return wait_wrongly(3), evpq_future_ref(f);
}

static evpq_future *waits_after_release(evpq_lease *l, void *arg)
{
    (void)l, (void)arg;
    return wait_wrongly(4), NULL;
}

static void waits_when_done(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    wait_wrongly(5);
    evpq_loop_stop(loop);
}

static evpq_future *runs_the_loop(evpq_task *self, void *arg)
{
    (void)arg;
    evpq_future *said =
        evpq_then(query("do $$ begin raise notice 'hear'; end $$"), waits_then, NULL);
    evpq_future *acquired = evpq_pool_acquire(pool);
    evpq_future *fs[] = {said, acquired};
    evpq_future *both = evpq_all(fs, 2);
    evpq_future_on_done(both, waits_when_done, NULL);
    evpq_loop_run(loop);
    ck_future_ok(both);
    evpq_lease_release(evpq_future_lease(acquired));
    evpq_future_unref(both);
    ck_assert_ptr_eq(evpq_task_current(loop), self);
    ck_assert_int_eq(outcome(query("select 1")), EVPQ_OK); /* and it may wait again */
    return NULL;
}

START_TEST(f45_callbacks_of_a_loop_that_a_task_runs_cannot_wait)
{
    open_pool(.max_size = 1, .after_connect = waits_after_connect,
              .before_acquire = waits_before_acquire, .after_release = waits_after_release,
              .on_notice = waits_on_notice);
    never = evpq_future_new(loop, NULL, NULL);
    evpq_future *f = spawn(runs_the_loop, NULL);
    ck_until(evpq_future_status(f) != EVPQ_PENDING);
    ck_future_ok(f);
    evpq_future_unref(f);
    ck_all_over();
    for (int i = 0; i < 6; i++)
        ck_assert_msg(places[i] > 0, "place %d", i);
    evpq_future_unref(never);
    pools_end();
}
END_TEST

/* ---- hooks ---- */

static evpq_future *gate; /* NULL: open */

/* A hook that is a task: two statements, one after the other. */
static evpq_future *asks_twice(evpq_task *self, void *arg)
{
    evpq_future *f = query_on(arg, "select 1");
    if (evpq_await(f) != EVPQ_OK)
        return f;
    evpq_future_unref(f);
    if (gate && evpq_await(gate) != EVPQ_OK)
        return evpq_future_ref(gate);
    evpq_yield(self);
    places[0]++;
    return query_on(arg, "set application_name to default");
}

static evpq_future *hook_as_task(evpq_lease *l, void *arg)
{
    (void)arg;
    return spawn(asks_twice, l);
}

static evpq_future *refuses(evpq_task *self, void *arg)
{
    (void)arg;
    evpq_yield(self);
    return evpq_future_failed(loop, EVPQ_TYPE, "not this one");
}

static evpq_future *hook_that_refuses(evpq_lease *l, void *arg)
{
    (void)l, (void)arg;
    return spawn(refuses, NULL);
}

START_TEST(a_hook_may_be_a_task)
{
    open_pool(.max_size = 1, .after_connect = hook_as_task, .before_acquire = hook_as_task,
              .after_release = hook_as_task, .reset = EVPQ_RESET_ROLLBACK);
    evpq_lease_release(lease_get());
    ck_all_over();
    ck_assert_int_eq(places[0], 3);
    pools_end();
}
END_TEST

START_TEST(a_hook_that_is_a_task_may_refuse)
{
    open_pool(.max_size = 1, .before_acquire = hook_that_refuses, .acquire_timeout = 0.3);
    evpq_future *f = evpq_pool_acquire(pool);
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), "not this one"));
    evpq_future_unref(f);
    ck_all_over();
    pools_end();
}
END_TEST

/* While the hook runs: the one it runs for is canceled, or its pool closed. */
START_TEST(f42_a_hook_that_is_a_task_outlives_what_it_runs_for)
{
    open_pool(.max_size = 1, .before_acquire = hook_as_task);
    ask("select 1");
    gate = evpq_future_new(loop, NULL, NULL);
    evpq_future *f = evpq_pool_acquire(pool);
    ck_until(!no_task_left() && stats().queries == 2);
    if (_i)
        evpq_future_unref(evpq_pool_close(pool, 0));
    else
        evpq_future_cancel(f);
    ck_assert_int_ne(evpq_await(f), EVPQ_OK);
    evpq_future_unref(f);
    if (_i)
        ck_until(no_task_left());
    ck_assert_int_eq(places[0], 0);
    evpq_future_set_value(gate, NULL, NULL);
    if (!_i)
        ck_all_over();
    ck_assert_int_eq(places[0], !_i);
    evpq_future_unref(gate);
    pools_end();
}
END_TEST

/* ---- many, and what they do to their pool ---- */

enum { MANY = 40 };

static struct worker {
    int begun, ended, freed;
    struct seen told;
    evpq_future *f;
} workers[MANY];

static void worker_freed(void *arg)
{
    ((struct worker *)arg)->freed++;
}

static void employ(int n, evpq_task_fn *fn)
{
    for (int i = 0; i < n; i++) {
        struct worker *worker = &workers[i];
        *worker = (struct worker){0};
        worker->f = evpq_task_spawn(loop, fn, worker, TASK_OPTS(.free_arg = worker_freed));
        seen_watch(worker->f, &worker->told);
    }
}

static bool all_told(int n)
{
    for (int i = 0; i < n; i++)
        if (!workers[i].told.calls)
            return false;
    return true;
}

/* Each ends once, whatever way. */
static void dismiss(int n)
{
    ck_until(all_told(n) && no_task_left());
    for (int i = 0; i < n; i++) {
        struct worker *worker = &workers[i];
        ck_assert_msg(worker->told.calls == 1 && worker->freed == 1 &&
                          worker->begun == worker->ended,
                      "task %d: %d begun, %d ended, %d freed, told %d times", i, worker->begun,
                      worker->ended, worker->freed, worker->told.calls);
        evpq_future_unref(worker->f);
    }
}

static evpq_future *works(evpq_task *self, void *arg)
{
    struct worker *worker = arg;
    worker->begun++;
    evpq_status status = EVPQ_OK;
    for (int i = 0; i < 3 && pool && status != EVPQ_CANCELED; i++) {
        status = outcome(query("select pg_sleep(0.002)"));
        evpq_future *acquired = pool ? evpq_pool_acquire(pool) : NULL;
        if (acquired && evpq_await(acquired) == EVPQ_OK) {
            evpq_lease *l = evpq_future_lease(acquired);
            outcome(query_on(l, "begin"));
            evpq_yield(self);
            evpq_lease_release(l);
        }
        evpq_future_unref(acquired);
    }
    worker->ended++;
    return NULL;
}

enum action {
    CLOSE_AND_WAIT,
    CLOSE_NOW,
    UNREF_POOL,
    CANCEL_ITSELF,
    CANCEL_ITS_FUTURE,
    CANCEL_ALL,
    UNREF_ITS_FUTURE,
    RESIZE,
    SPAWN_AND_LEAVE,
    OPEN_AND_LEAVE,
    DRAIN,
    ACTIONS
};

/* The first of the workers, in the midst of its work. */
static void act(enum action action, struct worker *worker)
{
    evpq_group *g;
    switch (action) {
    case CLOSE_AND_WAIT:
        ck_assert_int_eq(outcome(evpq_pool_close(pool, -1)), EVPQ_OK);
        break;
    case CLOSE_NOW:
        evpq_future_unref(evpq_pool_close(pool, 0));
        break;
    case UNREF_POOL:
        pool = evpq_pool_unref(pool);
        break;
    case CANCEL_ITSELF:
        evpq_task_cancel(worker->f);
        break;
    case CANCEL_ITS_FUTURE:
        evpq_future_cancel(worker->f);
        break;
    case CANCEL_ALL:
        for (int i = 0; i < MANY; i++)
            evpq_task_cancel(workers[i].f);
        break;
    case UNREF_ITS_FUTURE:
        worker->f = evpq_future_unref(worker->f);
        break;
    case RESIZE:
        ck_assert_int_eq(evpq_pool_resize(pool, 0, 1), EVPQ_OK);
        break;
    case SPAWN_AND_LEAVE:
        evpq_future_unref(evpq_task_spawn(loop, sleeps_long, NULL, TASK_OPTS(.deadline = 0.01)));
        break;
    case OPEN_AND_LEAVE:
        g = evpq_group_open(loop, NULL);
        for (int i = 0; i < 3; i++)
            evpq_future_unref(evpq_group_spawn(g, sleeps_long, NULL, NULL));
        break;
    default:
        evpq_future_unref(evpq_timeout(evpq_pool_drain(pool), 0.01));
        break;
    }
}

static enum action acting;
static bool deferred;

static void act_at_the_end(void *arg)
{
    act(acting, arg);
}

static evpq_future *acts(evpq_task *self, void *arg)
{
    struct worker *worker = arg;
    worker->begun++;
    outcome(query("select 1"));
    if (deferred)
        evpq_task_defer(self, act_at_the_end, worker);
    else
        act(acting, worker);
    if (pool)
        outcome(query("select 2"));
    evpq_yield(self);
    worker->ended++;
    return NULL;
}

START_TEST(f42_a_task_may_do_anything_to_what_it_uses)
{
    acting = (enum action)(_i / 2);
    deferred = _i % 2;
    open_pool(.max_size = 3);
    for (int i = 0; i < MANY; i++)
        workers[i] = (struct worker){0};
    employ(MANY - 1, works);
    struct worker *last = &workers[MANY - 1];
    last->f = evpq_task_spawn(loop, acts, last, TASK_OPTS(.free_arg = worker_freed));
    seen_watch(last->f, &last->told);
    ck_until(all_told(MANY));
    dismiss(MANY);
    if (pool && acting > UNREF_POOL)
        ck_all_over();
    pools_end();
}
END_TEST

/* ---- trees ---- */

enum { DEPTH = 3, WIDTH = 3 };

static struct {
    int begun, ended;
    int fails; /* the last of the leaves */
} tree;

static evpq_future *grow_tree(evpq_task *self, void *arg)
{
    int level = (int)(intptr_t)arg;
    (void)self;
    int order = tree.begun++;
    evpq_future *f;
    if (level == DEPTH && tree.fails && order == tree.fails) {
        f = query("select 1 / (i - i) from generate_series(1, 1) i");
    } else if (level == DEPTH) {
        f = order % 5 ? evpq_sleep(loop, 60) : query("select pg_sleep(60)");
    } else {
        evpq_group *g = evpq_group_open(loop, NULL);
        for (int i = 0; i < WIDTH; i++)
            evpq_future_unref(evpq_group_spawn(g, grow_tree, (void *)(intptr_t)(level + 1), NULL));
        f = evpq_group_join(g);
    }
    evpq_await(f);
    outcome(query("select 'clean-up'")); /* it may wait again */
    tree.ended++;
    return f;
}

static int nodes_of_tree(void)
{
    int n = 0, level = 1;
    for (int i = 0; i <= DEPTH; i++, level *= WIDTH)
        n += level;
    return n;
}

START_TEST(a_failure_far_below_ends_the_whole_tree)
{
    tree.fails = nodes_of_tree() - 1;
    open_pool(.max_size = 8);
    evpq_future *f = spawn(grow_tree, NULL);
    ck_assert_int_eq(evpq_await(f), EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "22012");
    ck_assert_int_eq(tree.begun, tree.ended);
    evpq_future_unref(f);
    ck_all_over();
    ck_assert_int_eq(server_runs(), 0);
    pools_end();
}
END_TEST

START_TEST(canceling_the_root_ends_the_whole_tree)
{
    open_pool(.max_size = 4);
    evpq_future *f = spawn(grow_tree, NULL);
    ck_until(server_runs() > 2);
    ck_assert_int_eq(tree.begun, nodes_of_tree());
    if (_i)
        evpq_future_cancel(f);
    else
        evpq_task_cancel(f);
    ck_assert_int_eq(outcome(f), EVPQ_CANCELED);
    ck_until(no_task_left());
    ck_assert_int_eq(tree.ended, tree.begun);
    ck_all_over();
    ck_assert_int_eq(server_runs(), 0);
    pools_end();
}
END_TEST

/* ---- a server that goes ---- */

static bool stopping;

/* Works until it is told to stop, whatever fails. */
static evpq_future *carries_on(evpq_task *self, void *arg)
{
    struct worker *worker = arg;
    worker->begun++;
    (void)self;
    while (!stopping) {
        evpq_status status = outcome(query("select pg_sleep(0.005)"));
        ck_assert_msg(status == EVPQ_OK || status == EVPQ_LOST || status == EVPQ_SERVER ||
                          status == EVPQ_CONNECT,
                      "%s", evpq_status_name(status));
        evpq_future *acquired = evpq_pool_acquire(pool);
        if (evpq_await(acquired) == EVPQ_OK) {
            evpq_lease *l = evpq_future_lease(acquired);
            outcome(query_on(l, "begin"));
            outcome(query_on(l, "select pg_sleep(0.005)"));
            evpq_lease_release(l);
        }
        evpq_future_unref(acquired);
    }
    worker->ended++;
    return NULL;
}

static int some_backend(void)
{
    long pid;
    while (!(pid = server_count(strf("select pid from pg_stat_activity where application_name ="
                                     " '%s' limit 1",
                                     pools_app()))))
        run_for(evpq_loop_ev(loop), 0.01);
    return (int)pid;
}

START_TEST(tasks_outlive_the_server)
{
    open_pool(.max_size = 4, .backoff_min = 0.01, .backoff_max = 0.05);
    employ(MANY, carries_on);
    ck_until(stats().leases > 20);
    switch (_i) {
    case 0:
        server_kill9(some_backend());
        break;
    case 1:
        server_stop();
        run_for(evpq_loop_ev(loop), 0.2);
        server_start();
        break;
    default:
        server_stop_immediate();
        run_for(evpq_loop_ev(loop), 0.2);
        server_start();
        break;
    }
    server_wait_up();
    run_for(evpq_loop_ev(loop), 0.2);
    stopping = true;
    dismiss(MANY);
    ck_assert_int_eq(ask("select 42"), 42);
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- dumps ---- */

static evpq_future *awaits_arg(evpq_task *self, void *arg)
{
    (void)self;
    evpq_await(arg);
    return arg;
}

START_TEST(a_dump_says_what_each_task_waits_for)
{
    open_pool(.max_size = 1);
    lease = lease_get();
    evpq_semaphore *semaphore = evpq_semaphore_new(loop, 1);
    evpq_channel *channel = evpq_channel_new(loop, 0, NULL),
                 *full = evpq_channel_new(loop, 0, NULL);
    evpq_future *permit = evpq_semaphore_acquire(semaphore);
    evpq_future *fs[] = {query_on(lease, "select pg_sleep(60)"),
                         evpq_timeout(query("select 'one shot'"), 60),
                         evpq_pool_acquire(pool),
                         evpq_semaphore_acquire(semaphore),
                         evpq_channel_receive(channel),
                         evpq_channel_send(full, &channel),
                         evpq_pool_drain(pool)};
    static const char *const texts[] = {"for query \"select pg_sleep(60)\"",
                                        "for timeout of query \"select 'one shot'\"",
                                        "for lease",
                                        "for semaphore",
                                        "for receive",
                                        "for send",
                                        "for pool"};
    enum { N = sizeof fs / sizeof *fs };
    evpq_future *ts[N];
    char *text;
    size_t size;
    for (int i = 0; i < N; i++)
        ts[i] = evpq_task_spawn(loop, awaits_arg, fs[i], TASK_OPTS(.name = strf("t%d", i)));
    ck_running(1);
    FILE *out = open_memstream(&text, &size);
    evpq_task_dump(loop, out);
    fclose(out);
    for (int i = 0; i < N; i++) {
        char *line = strstr(text, strf("task \"t%d\" waits ", i));
        ck_assert_msg(line != NULL, "t%d: %s", i, text);
        char *found = strstr(line, texts[i]);
        ck_assert_msg(found && found < strchr(line, '\n'), "%s: %s", texts[i], text);
        evpq_task_cancel(ts[i]);
        ck_assert_int_eq(outcome(ts[i]), EVPQ_CANCELED);
    }
    free(text);
    evpq_future_unref(permit);
    evpq_semaphore_unref(semaphore);
    evpq_channel_unref(channel);
    evpq_channel_unref(full);
    evpq_lease_release(lease);
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- a crowd ---- */

enum { CROWD = 1000, QUERIES = 20 };

static evpq_future *asks_for_its_own(evpq_task *self, void *arg)
{
    int number = (int)(intptr_t)arg;
    (void)self;
    for (int i = 0; i < QUERIES; i++) {
        int token = number * QUERIES + i;
        evpq_future *f = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(token));
        if (evpq_await(f) != EVPQ_OK)
            return f;
        bool right = evpq_result_int4(evpq_future_result(f), 0, 0) == token;
        evpq_future_unref(f);
        if (!right)
            return evpq_future_failed(loop, EVPQ_TYPE, "the answer of another");
    }
    return NULL;
}

START_TEST(each_of_a_crowd_gets_its_own_answers)
{
    open_pool(.max_size = 8);
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < CROWD; i++)
        evpq_future_unref(evpq_group_spawn(g, asks_for_its_own, (void *)(intptr_t)i, NULL));
    evpq_future *join = evpq_group_join(g);
    ck_await_ok(join);
    evpq_future_unref(join);
    ck_assert_uint_ge(stats().queries, CROWD * QUERIES);
    ck_all_over();
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("tasks with a server");
    CHECK_ADD(c, a_deadline_bounds_queries_that_nobody_waits_for);
    CHECK_ADD_LOOP(c, a_deadline_bounds_the_wait_for_a_lease, 2);
    CHECK_ADD(c, a_deadline_bounds_all_that_is_below);
    CHECK_ADD(c, one_budget_is_spent_once);
    CHECK_ADD(c, f45_callbacks_of_a_loop_that_a_task_runs_cannot_wait);
    CHECK_ADD(c, a_hook_may_be_a_task);
    CHECK_ADD(c, a_hook_that_is_a_task_may_refuse);
    CHECK_ADD_LOOP(c, f42_a_hook_that_is_a_task_outlives_what_it_runs_for, 2);
    CHECK_ADD_LOOP(c, f42_a_task_may_do_anything_to_what_it_uses, (int)ACTIONS * 2);
    CHECK_ADD(c, a_failure_far_below_ends_the_whole_tree);
    CHECK_ADD_LOOP(c, canceling_the_root_ends_the_whole_tree, 2);
    CHECK_ADD_LOOP(c, tasks_outlive_the_server, 3);
    CHECK_ADD(c, a_dump_says_what_each_task_waits_for);
    CHECK_ADD(c, each_of_a_crowd_gets_its_own_answers);
    return check_end(c);
}
