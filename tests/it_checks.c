/* it_checks.c - connections that do not pass before_acquire: what it costs, and whom (F67). */
#include "support/txns.h"

#include "support/seen.h"

#include "pool/pool.h"

enum how { ACQUIRE, BEGIN, TRANSACT, BATCH, EXECUTEMANY, STREAM, COPY_IN, COPY_OUT, ROWS_IN, HOWS };

/* The check: fails so many times, and then no more. */
static int failures_left, called;

static evpq_future *looks_good(evpq_lease *lease, void *arg)
{
    (void)arg;
    called++;
    if (failures_left <= 0)
        return NULL;
    failures_left--;
    return failures_left % 2 ? query_on(lease, "select no_such_column")
                             : evpq_future_failed(loop, EVPQ_INVALID, "the hook says no");
}

static evpq_future *in_txn(evpq_txn *txn, void *arg)
{
    (void)arg;
    return query_in(txn, "select 1");
}

/* Asks for a connection, and for nothing else that could fail. */
static evpq_future *use_one(enum how how)
{
    static const char *const columns[] = {"i"};
    const evpq_statement statements[] = {{.sql = "select 1"}, {.sql = "select 2"}};
    const evpq_args rows[] = {EVPQ_ARGS(1), EVPQ_ARGS(2)};
    evpq_stream *stream;
    evpq_copy *copy;
    evpq_future *f;
    switch (how) {
    case BEGIN:
        return evpq_pool_begin(pool, NULL);
    case TRANSACT:
        return evpq_transact(pool, NULL, in_txn, NULL);
    case BATCH:
        return evpq_pool_batch(pool, statements, 2);
    case EXECUTEMANY:
        return evpq_executemany(pool, "insert into f67 values ($1)", rows, 2);
    case STREAM:
        stream = evpq_pool_stream(pool, "select 1", EVPQ_ARGS(), NULL);
        f = evpq_stream_next(stream);
        evpq_await(f);
        evpq_stream_close(stream);
        return f;
    case COPY_IN:
        return evpq_copy_finish(evpq_pool_copy_in(pool, "copy f67 from stdin"));
    case COPY_OUT:
        copy = evpq_pool_copy_out(pool, "copy f67 to stdout");
        f = evpq_copy_read(copy);
        evpq_await(f);
        evpq_copy_close(copy);
        return f;
    case ROWS_IN:
        return evpq_copy_finish(evpq_pool_copy_rows_in(pool, "f67", columns, 1));
    default:
        return evpq_pool_acquire(pool);
    }
}

START_TEST(f67_a_failed_check_costs_the_connection_and_no_caller)
{
    server_exec("create table f67 (i int)");
    failures_left = 2;
    open_pool(.max_size = 1, .before_acquire = looks_good, .backoff_min = 0.005);
    ck_done(use_one((enum how)_i));
    ck_all_over();
    ck_assert_int_ge(called, 3);
    ck_assert_uint_eq(stats().connects, 3);
    ck_assert_uint_eq(stats().lost, 2);
    ck_assert_int_eq(failures_left, 0);
    pools_end();
    server_exec("drop table f67");
}
END_TEST

/* Connections that have gone stale: the next idle one is tried at once, and then a new one. */
START_TEST(f67_every_idle_connection_may_fail_its_check)
{
    enum { N = 4 };
    evpq_lease *leases[N];
    open_pool(.max_size = N, .before_acquire = looks_good, .backoff_min = 0.1,
              .reset = EVPQ_RESET_NONE);
    for (int i = 0; i < N; i++)
        leases[i] = lease_get();
    for (int i = 0; i < N; i++)
        evpq_lease_release(leases[i]);
    ck_quiet();
    run_for(evpq_loop_ev(loop), 0.15); /* none is as young as one that is dropped at once */
    failures_left = N;
    evpq_future *f = evpq_pool_acquire(pool);
    ck_until(!failures_left);
    ck_assert(!timer_active(&pool->retry)); /* without a pause, as each had passed before */
    ck_await_ok(f);
    evpq_future_unref(f);
    pools_end();
}
END_TEST

/* Whoever came first is served first, whatever became of the connection that it was to have. */
START_TEST(f67_a_place_in_the_queue_is_kept)
{
    failures_left = 3;
    open_pool(.max_size = 1, .before_acquire = looks_good, .backoff_min = 0.005);
    evpq_future *fs[] = {evpq_pool_acquire(pool), evpq_pool_acquire(pool), query("select 3")};
    ck_await_ok(fs[0]);
    ck_future_pending(fs[1]);
    ck_future_pending(fs[2]);
    evpq_lease_release(evpq_future_lease(fs[0]));
    ck_await_ok(fs[1]);
    evpq_lease_release(evpq_future_lease(fs[1]));
    ck_await_ok(fs[2]);
    for (int i = 0; i < 3; i++)
        evpq_future_unref(fs[i]);
    pools_end();
}
END_TEST

/* For ever: the caller is told when its time is over, and why; meanwhile the server is asked with
 * pauses that grow, and not in a tight circle. */
START_TEST(f67_a_check_that_always_fails_is_told_at_the_deadline)
{
    failures_left = 1000000;
    open_pool(.max_size = 5, .before_acquire = looks_good, .acquire_timeout = 1.5,
              .backoff_min = 0.1, .backoff_max = 0.4);
    evpq_future *fs[5];
    for (int i = 0; i < 5; i++)
        fs[i] = evpq_pool_acquire(pool);
    for (int i = 0; i < 5; i++) {
        ck_await_status(fs[i], EVPQ_TIMEOUT);
        const evpq_error *error = evpq_future_error(fs[i]);
        ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
        ck_assert_msg(strstr(evpq_error_message(error), "before_acquire failed last: the hook") ||
                          strstr(evpq_error_message(error), "before_acquire failed last: column"),
                      "%s", evpq_error_message(error));
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_le(called, 20); /* 0.1, 0.2, 0.4, ... with jitter, and those of a first window */
    ck_assert_int_ge(called, 2);
    failures_left = 0;
    evpq_lease_release(lease_get());
    failures_left = 1;
    evpq_lease_release(lease_get()); /* what passed once had nothing against the next */
    pools_end();
}
END_TEST

/* Nobody waits any more when the hook fails: the connection goes all the same. */
START_TEST(f67_a_check_fails_for_nobody)
{
    failures_left = 1;
    open_pool(.max_size = 1, .before_acquire = looks_good, .backoff_min = 0.005);
    evpq_future *f = evpq_pool_acquire(pool);
    ck_until(called == 1);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    ck_until(stats().lost == 1);
    ck_assert_int_eq(ask("select 1"), 1);
    ck_assert_uint_eq(stats().connects, 2);
    pools_end();
}
END_TEST

/* A hook that never ends costs its connection too, and the next in line is served. */
static evpq_future *hang_once(evpq_lease *lease, void *arg)
{
    (void)lease, (void)arg;
    return called++ ? NULL : evpq_future_new(loop, NULL, NULL);
}

START_TEST(f67_a_check_that_never_ends)
{
    open_pool(.max_size = 1, .before_acquire = hang_once, .acquire_timeout = 0.5,
              .backoff_min = 0.005);
    evpq_future *f = evpq_pool_acquire(pool);
    ck_failed(evpq_timeout(f, 10), EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    for (int i = 0; i < 3; i++)
        evpq_lease_release(lease_get());
    ck_quiet();
    pools_end();
}
END_TEST

/* acquire_timeout bounds the wait in the queue and the hook together; the hook goes on for the next
 * one. */
static evpq_future *takes_its_time(evpq_lease *lease, void *arg)
{
    (void)arg;
    called++;
    return query_on(lease, "select pg_sleep(1.8)");
}

START_TEST(the_deadline_bounds_the_hook_too)
{
    open_pool(.max_size = 1, .before_acquire = takes_its_time, .acquire_timeout = 2);
    ck_done(evpq_pool_query(pool, "select 1", EVPQ_ARGS())); /* connected */
    evpq_future *busy = evpq_pool_query(pool, "select pg_sleep(0.5)", EVPQ_ARGS());
    ck_running(1);
    evpq_future *f = evpq_pool_acquire(pool);
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_ptr_nonnull(
        strstr(evpq_error_message(evpq_future_error(f)), "before_acquire has run"));
    evpq_future_unref(f);
    ck_done(busy);
    ck_quiet();
    ck_assert_int_eq(called, 1);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("checks");
    CHECK_ADD_LOOP(c, f67_a_failed_check_costs_the_connection_and_no_caller, HOWS);
    CHECK_ADD(c, f67_every_idle_connection_may_fail_its_check);
    CHECK_ADD(c, f67_a_place_in_the_queue_is_kept);
    CHECK_ADD(c, f67_a_check_that_always_fails_is_told_at_the_deadline);
    CHECK_ADD(c, f67_a_check_fails_for_nobody);
    CHECK_ADD(c, f67_a_check_that_never_ends);
    CHECK_ADD(c, the_deadline_bounds_the_hook_too);
    return check_end(c);
}
