/* it_oom.c - no memory at any moment of a pool's work: the n-th allocation fails, for n = 1 and on
 * until none is left to fail. It costs what it was made for and no more: every future settles, and
 * then the pool serves as before.
 *
 * While memory fails nothing of Check may be called: it would be what runs out. */
#include "support/pools.h"

#include "support/oom.h"
#include "support/opts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FUTURES = 9 };

static evpq_future *futures[FUTURES];
static evpq_status results[FUTURES];
static int n_futures;

static evpq_future *keep(evpq_future *f)
{
    return futures[n_futures++] = f;
}

/* While there is no memory at all a pool goes on trying, and calls wait: not for long, here. */
static double patience;

static void wait_for(evpq_future *f)
{
    RUN_UNTIL(evpq_loop_ev(loop), evpq_future_status(f) != EVPQ_PENDING, patience);
}

static void let_lease_go(void *lease)
{
    evpq_lease_release(lease);
}

/* The deadline that it has bounds each call. */
static evpq_future *transaction(evpq_task *self, void *arg)
{
    (void)arg;
    evpq_future *acquired = evpq_pool_acquire(pool);
    if (evpq_await(acquired) != EVPQ_OK)
        return acquired;
    evpq_lease *lease = evpq_future_lease(acquired);
    evpq_future_unref(acquired);
    evpq_status status = evpq_task_defer(self, let_lease_go, lease);
    if (status != EVPQ_OK) {
        evpq_lease_release(lease);
        return evpq_future_failed(loop, status, "cannot clean up");
    }
    evpq_future *f = query_on(lease, "begin");
    if (evpq_await(f) != EVPQ_OK)
        return f;
    evpq_future_unref(f);
    return query_on(lease, "select 6");
}

/* Queries that share a connection, one that is canceled as it runs, a lease, and waiting for the
 * end of it all; then a task. */
static void work(void)
{
    evpq_future *connected = keep(evpq_pool_connect(pool));
    wait_for(connected);
    evpq_future *slow = keep(query("select pg_sleep(600)"));
    evpq_future *quick =
        keep(evpq_pool_query(pool, "select $1::int + $2", EVPQ_ARGS(1, "text of some length")));
    evpq_future *acquired = keep(evpq_pool_acquire(pool));
    wait_for(quick);
    evpq_future_cancel(slow);
    wait_for(acquired);
    evpq_lease *lease = evpq_future_lease(acquired);
    keep(query_on(lease, "begin"));
    keep(query_on(lease, "select 1 / 0"));
    wait_for(keep(query_on(lease, "select relname from pg_class")));
    evpq_lease_release(lease);
    wait_for(
        keep(evpq_task_spawn(loop, transaction, NULL,
                             &(evpq_task_opts){.size = sizeof(evpq_task_opts), .deadline = 1000})));
    wait_for(keep(evpq_pool_drain(pool)));
}

static void run_to_the_end(void)
{
    for (int i = 0; i < n_futures; i++) {
        evpq_await(futures[i]);
        evpq_lease_release(evpq_future_lease(futures[i])); /* one that came late */
        results[i] = evpq_future_status(futures[i]);
    }
}

static void let_go(bool failed)
{
    static const evpq_status without_failure[FUTURES] = {
        EVPQ_OK,     EVPQ_CANCELED, EVPQ_SERVER, EVPQ_OK, EVPQ_OK,
        EVPQ_SERVER, EVPQ_SERVER,   EVPQ_OK,     EVPQ_OK,
    };
    for (int i = 0; i < n_futures; i++) {
        ck_assert_msg(results[i] != EVPQ_PENDING, "future %d never settled; %s", i, stats_text());
        if (!failed && patience > 1)
            ck_assert_msg(results[i] == without_failure[i], "future %d: %s", i,
                          check_future_text(futures[i]));
        evpq_future_unref(futures[i]);
    }
    n_futures = 0;
}

START_TEST(no_memory_for_a_moment_is_survived)
{
    bool for_the_rest_of_it = _i;
    const char *app = strf("evpq-oom-%ld", (long)getpid());
    char conninfo[512];
    snprintf(conninfo, sizeof conninfo, "%s application_name=%s",
             server_conninfo(SERVER_UNIX, NULL), app);
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.max_size = 2;
    opts.min_size = 1;
    opts.backoff_min = 0.001;
    opts.backoff_max = 0.005;
    patience = for_the_rest_of_it ? 0.01 : 10;
    EACH_ALLOCATION(n, failed) {
        evpq_error *error = NULL;
        loop = evpq_loop_new(NULL);
        (for_the_rest_of_it ? oom_fail_from : oom_fail_at)(n);
        pool = evpq_pool_open(loop, conninfo, &opts, &error);
        if (pool)
            work();
        failed = oom_end();
        if (pool) {
            run_to_the_end();
            let_go(failed);
            ck_assert_int_eq(ask("select 42"), 42);
            ck_quiet();
            ck_done(evpq_timeout(evpq_pool_close(pool, 5), 10));
        } else {
            ck_assert(failed);
            ck_assert_int_eq(evpq_error_status(error), EVPQ_NOMEM);
        }
        evpq_error_unref(error);
        pool = evpq_pool_unref(pool);
        evpq_loop_run(loop);
        loop = evpq_loop_unref(loop);
    }
    ck_assert(server_wait_backends(app, 0, 10));
}
END_TEST

/* Each call of a statement that runs, when there is no memory: nobody says that it was not sent. */
START_TEST(without_memory_what_was_sent_is_unknown)
{
    open_pool(.max_size = 1);
    for (int way = 0; way < 3; way++) {
        evpq_future *f = evpq_pool_query(pool, "select pg_sleep(60)", EVPQ_ARGS()), *fs[2];
        ck_running(1);
        oom_fail_at(1);
        f = way == 0   ? evpq_timeout(f, 5)
            : way == 1 ? evpq_all(&f, 1)
                       : (evpq_as_completed(&f, 1, fs), fs[0]);
        oom_end();
        ck_failed(f, EVPQ_NOMEM, EVPQ_OUTCOME_UNKNOWN);
        ck_quiet();
    }
    evpq_future *f = evpq_pool_query(pool, "select pg_sleep(60)", EVPQ_ARGS());
    ck_running(1);
    ck_failed(evpq_timeout(f, NAN), EVPQ_INVALID, EVPQ_OUTCOME_UNKNOWN);
    ck_quiet();
    pools_end();
}
END_TEST

/* It is said to be undone: what is around it must not commit it for want of memory for a ROLLBACK.
 * That waits behind what was asked for, as BEGIN has not been answered. */
START_TEST(a_savepoint_that_is_called_off_without_memory_is_not_committed)
{
    static const char insert[] = "insert into oom_savepoint values ($1)";
    open_pool(.max_size = 1);
    ck_done(query("drop table if exists oom_savepoint"));
    ck_done(query("create table oom_savepoint (i int)"));
    EACH_ALLOCATION(n, failed) {
        evpq_future *begun = evpq_pool_begin(pool, NULL);
        ck_await_status(begun, EVPQ_OK);
        evpq_txn *txn = evpq_future_txn(begun), *inner = evpq_txn_savepoint(txn);
        const evpq_args rows[] = {EVPQ_ARGS(1), EVPQ_ARGS(2)};
        evpq_future *many = evpq_txn_executemany(inner, insert, rows, 2);
        evpq_future *one = evpq_txn_query(inner, insert, EVPQ_ARGS(3));
        evpq_future *end = evpq_txn_commit(inner);
        oom_fail_at(n);
        evpq_future_cancel(end);
        failed = oom_end();
        ck_failed(end, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
        evpq_future *commit = evpq_txn_commit(txn);
        evpq_status status = evpq_await(commit);
        ck_assert_msg(failed || status == EVPQ_OK, "%s", evpq_status_name(status));
        evpq_future_unref(commit);
        evpq_future_unref(many);
        evpq_future_unref(one);
        evpq_future_unref(begun);
        ck_assert_int_eq(ask("select count(*)::int from oom_savepoint"), 0);
    }
    ck_done(query("drop table oom_savepoint"));
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("oom with a server");
    check_add(c, "no_memory_for_a_moment_is_survived", no_memory_for_a_moment_is_survived, 120, 2);
    CHECK_ADD(c, without_memory_what_was_sent_is_unknown);
    CHECK_ADD(c, a_savepoint_that_is_called_off_without_memory_is_not_committed);
    return check_end(c);
}
