/* it_pool.c - a pool as a whole: what it opens and answers, its figures, sizes, and ways to end.
 * What waits is in it_queue.c, leases are in it_lease.c, upkeep is in it_sizing.c. */
#include "support/pools.h"

#include "support/proxy.h"
#include "support/seen.h"

#include "pool/pool.h"

#include <math.h>
#include <string.h>

/* ---- queries ---- */

START_TEST(a_query_is_answered)
{
    open_pool();
    ck_assert_int_eq(stats_total(), 0); /* nothing is opened before it is needed */
    evpq_future *f = evpq_pool_query(pool, "select $1::int + 1, $2::text", EVPQ_ARGS(41, "word"));
    ck_await_ok(f);
    const evpq_result *r = evpq_future_result(f);
    ck_assert_int_eq(evpq_result_int8(r, 0, 0), 42);
    ck_assert_str_eq(evpq_result_text(r, 0, 1), "word");
    evpq_future_unref(f);
    ck_quiet();
    evpq_pool_stats s = stats();
    ck_assert_int_eq(s.idle, 1);
    ck_assert_uint_eq(s.queries, 1);
    ck_assert_uint_eq(s.connects, 1);
    ck_assert_uint_eq(s.leases + s.connect_failures + s.lost + s.retired + s.cancels, 0);
    pools_end();
}
END_TEST

START_TEST(an_error_belongs_to_its_statement)
{
    open_pool();
    evpq_future *f = query("select 1 / (x - x) from generate_series(7, 7) x");
    ck_await_status(f, EVPQ_SERVER);
    const evpq_error *e = evpq_future_error(f);
    ck_assert_str_eq(evpq_error_sqlstate(e), "22012");
    ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_REJECTED);
    ck_assert_str_eq(evpq_error_sql(e), "select 1 / (x - x) from generate_series(7, 7) x");
    evpq_future_unref(f);
    ck_assert_int_eq(ask("select 5"), 5);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(every_answer_is_that_of_its_query)
{
    enum { N = 400 };
    open_pool(.max_size = 3);
    evpq_future *fs[N];
    for (int i = 0; i < N; i++)
        fs[i] = evpq_pool_query(pool, i % 2 ? "select $1::int" : "select $1::int as other",
                                EVPQ_ARGS(i));
    for (int i = 0; i < N; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0), i);
        evpq_future_unref(fs[i]);
    }
    ck_assert_uint_eq(stats().queries, N);
    ck_assert_uint_le(stats().connects, 3);
    pools_end();
}
END_TEST

START_TEST(f44_nothing_is_called_in_the_callers_stack)
{
    struct seen good, bad, closed;
    open_pool();
    evpq_future *fs[] = {query("select 1"), query(NULL), NULL};
    seen_watch(fs[0], &good);
    seen_watch(fs[1], &bad);
    ck_done(evpq_pool_close(pool, -1));
    fs[2] = query("select 1");
    seen_watch(fs[2], &closed);
    ck_future_status(fs[1], EVPQ_INVALID);
    ck_future_status(fs[2], EVPQ_CLOSED);
    ck_assert_int_eq(closed.calls, 0);
    ck_until(good.calls + bad.calls + closed.calls == 3);
    for (int i = 0; i < 3; i++)
        evpq_future_unref(fs[i]);
    pools_end();
}
END_TEST

START_TEST(what_cannot_be_a_query_is_refused)
{
    open_pool();
    static const char *const texts[] = {NULL, "copy pg_class from stdin",
                                        "copy (select 1) to stdout"};
    for (int i = 0; i < 3; i++)
        ck_failed(query(texts[i]), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(stats_total(), 0);
    evpq_future *two = query("select 1; select 2");
    ck_await_status(two, EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(two)), "42601");
    evpq_future_unref(two);
    ck_assert_int_eq(ask("select 3"), 3);
    pools_end();
}
END_TEST

START_TEST(query_timeout_is_the_deadline_of_each_query)
{
    open_pool(.query_timeout = 0.05, .max_size = 1);
    ck_done(evpq_pool_connect(pool)); /* which may take longer than that */
    ck_failed(query("select pg_sleep(60)"), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
    ck_quiet();
    ck_assert_uint_ge(stats().cancels, 1);
    evpq_lease *lease = lease_get();
    ck_failed(query_on(lease, "select pg_sleep(60)"), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

static int notices;

static void on_notice(const evpq_error *notice, void *arg)
{
    ck_assert_ptr_eq(arg, &notices);
    ck_assert_str_eq(evpq_error_message(notice), "mind the gap");
    notices++;
}

START_TEST(notices_are_told)
{
    open_pool(.on_notice = on_notice, .notice_arg = &notices);
    ck_done(query("do $$ begin raise notice 'mind the gap'; end $$"));
    ck_until(notices == 1);
    pools_end();
}
END_TEST

START_TEST(two_pools_share_a_loop)
{
    open_pool(.max_size = 1);
    evpq_pool *other = evpq_pool_open(
        loop, server_conninfo(SERVER_UNIX, "application_name=evpq-other"), NULL, NULL);
    evpq_future *here = query("select current_setting('application_name')");
    evpq_future *there =
        evpq_pool_query(other, "select current_setting('application_name')", EVPQ_ARGS());
    ck_await_ok(here);
    ck_await_ok(there);
    ck_assert_str_eq(evpq_result_text(evpq_future_result(here), 0, 0), pools_app());
    ck_assert_str_eq(evpq_result_text(evpq_future_result(there), 0, 0), "evpq-other");
    evpq_future_unref(here);
    evpq_future_unref(there);
    evpq_pool_unref(other);
    pools_end();
}
END_TEST

/* ---- opening ---- */

START_TEST(a_wrong_pool_is_not_opened)
{
    evpq_error *error = NULL;
    evpq_pool_opts wrong = {.size = sizeof wrong, .max_size = -1};
    evpq_loop *l = evpq_loop_new(NULL);
    ck_assert_ptr_null(evpq_pool_open(l, "no such=option", NULL, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    error = evpq_error_unref(error);
    ck_assert_ptr_null(evpq_pool_open(l, "", &wrong, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    error = evpq_error_unref(error);
    ck_assert_ptr_null(evpq_pool_open(NULL, "", NULL, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    evpq_error_unref(error);
    ck_assert_ptr_null(evpq_pool_open(l, "no such=option", NULL, NULL));
    evpq_loop_run(l);
    evpq_loop_unref(l);
}
END_TEST

START_TEST(no_pool_is_no_crash)
{
    evpq_future *fs[] = {evpq_pool_query(NULL, "select 1", EVPQ_ARGS()), evpq_pool_acquire(NULL),
                         evpq_pool_connect(NULL), evpq_pool_drain(NULL), evpq_pool_close(NULL, 0)};
    for (int i = 0; i < 5; i++) {
        ck_future_status(fs[i], EVPQ_INVALID);
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_eq(evpq_pool_resize(NULL, 1, 1), EVPQ_INVALID);
    ck_assert_ptr_null(evpq_pool_ref(NULL));
    ck_assert_ptr_null(evpq_pool_unref(NULL));
    ck_assert_ptr_null(evpq_lease_release(NULL));
    ck_assert_int_eq(evpq_lease_backend_pid(NULL), 0);
}
END_TEST

START_TEST(min_size_is_opened_and_kept)
{
    open_pool(.min_size = 3, .idle_timeout = 0.05);
    ck_until(stats().idle == 3);
    run_for(evpq_loop_ev(loop), 0.2); /* idle for longer than they may be */
    ck_assert_int_eq(stats().idle, 3);
    ck_assert_uint_eq(stats().connects, 3);
    ck_assert_int_eq(server_backends(pools_app()), 3);
    pools_end();
}
END_TEST

START_TEST(max_size_is_never_exceeded)
{
    enum { N = 12 };
    open_pool(.max_size = 3);
    evpq_future *fs[2 * N];
    for (int i = 0; i < N; i++) {
        fs[2 * i] = query("select pg_sleep(0.01)");
        fs[2 * i + 1] = evpq_pool_acquire(pool); /* an untaken lease goes back with its future */
    }
    for (int i = 0; i < 2 * N; i++)
        ck_done(fs[i]);
    ck_quiet();
    ck_assert_int_eq(stats().idle, 3);
    ck_assert_uint_eq(stats().connects, 3);
    ck_assert_int_eq(server_backends(pools_app()), 3);
    pools_end();
}
END_TEST

/* ---- figures ---- */

START_TEST(stats_are_filled_as_far_as_they_go)
{
    open_pool();
    ask("select 1");
    ck_quiet();
    evpq_pool_stats s;
    memset(&s, 0x5a, sizeof s);
    s.size = offsetof(evpq_pool_stats, busy);
    evpq_pool_get_stats(pool, &s);
    ck_assert_int_eq(s.idle, 1);
    ck_assert_int_eq(s.busy, 0x5a5a5a5a);
    ck_assert_uint_eq(s.size, offsetof(evpq_pool_stats, busy));
    pools_end();
}
END_TEST

START_TEST(stats_follow_each_connection)
{
    open_pool(.max_size = 2);
    evpq_future *first = query("select pg_sleep(0.02)");
    ck_assert_int_eq(stats().connecting, 1);
    ck_assert_int_eq(stats().waiting, 1);
    ck_until(stats().busy == 1);
    evpq_lease *lease = lease_get();
    ck_assert_int_eq(stats().leased, 1);
    ck_assert_uint_eq(stats().leases, 1);
    ck_done(first);
    evpq_lease_release(lease);
    ck_quiet();
    ck_assert_int_eq(stats().idle, 2);
    evpq_future *slow = query("select pg_sleep(60)");
    ck_running(1);
    evpq_future_cancel(slow);
    ck_assert_int_eq(stats().closing, 1);
    ck_assert_int_eq(stats().busy, 0);
    ck_assert_uint_ge(stats().cancels, 1);
    ck_failed(slow, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    pools_end();
}
END_TEST

/* ---- resize ---- */

START_TEST(resize_opens_and_closes)
{
    open_pool(.max_size = 2);
    ask("select 1");
    ck_assert_int_eq(evpq_pool_resize(pool, 4, 4), EVPQ_OK);
    ck_until(stats().idle == 4);
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 1), EVPQ_OK);
    ck_assert_int_eq(stats_total(), 1);
    ck_assert_uint_eq(stats().retired, 3);
    ck_assert_int_eq(evpq_pool_resize(pool, -1, 1), EVPQ_INVALID);
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 0), EVPQ_INVALID);
    ck_assert_int_eq(evpq_pool_resize(pool, 3, 2), EVPQ_INVALID);
    ck_assert_int_eq(ask("select 6"), 6);
    ck_quiet();
    ck_assert_int_eq(stats_total(), 1);
    pools_end();
}
END_TEST

START_TEST(resize_lets_what_runs_finish)
{
    open_pool(.max_size = 3);
    evpq_future *running = query("select pg_sleep(0.1)");
    ck_until(stats().busy == 1);
    evpq_lease *one = lease_get(), *two = lease_get();
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 1), EVPQ_OK);
    ck_assert_int_eq(ask_on(one, "select 1"), 1);
    ck_assert_int_eq(ask_on(two, "select 2"), 2);
    evpq_lease_release(one);
    ck_until(stats_total() == 2 || stats_total() == 1);
    evpq_lease_release(two);
    ck_done(running);
    ck_quiet();
    ck_assert_int_eq(stats_total(), 1);
    pools_end();
}
END_TEST

START_TEST(resize_to_more_serves_who_waits)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *waiting = query("select 8");
    run_for(evpq_loop_ev(loop), 0.02);
    ck_future_pending(waiting);
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 2), EVPQ_OK);
    ck_done(waiting);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- connect, drain ---- */

START_TEST(connect_is_a_start_up_check)
{
    open_pool(.min_size = 2);
    ck_done(evpq_pool_connect(pool));
    ck_assert_int_eq(stats().idle, 2);
    ck_done(evpq_pool_connect(pool));
    pools_end();

    open_pool();
    ck_done(evpq_pool_connect(pool)); /* one, though min_size is 0 */
    ck_assert_int_eq(stats_total(), 1);
    pools_end();
}
END_TEST

START_TEST(connect_fails_with_the_first_error)
{
    open_pool_at(server_conninfo(SERVER_UNIX, "dbname=no_such_database"));
    evpq_future *f = evpq_pool_connect(pool);
    ck_await_status(f, EVPQ_CONNECT);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "3D000");
    evpq_future_unref(f);
    ck_assert_uint_eq(stats().connect_failures, 1);
    evpq_future *canceled = evpq_pool_connect(pool);
    evpq_future_cancel(canceled);
    ck_failed(canceled, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

START_TEST(connect_of_a_pool_that_closes_fails)
{
    open_pool_at(server_conninfo_port(SERVER_TCP, 1, NULL));
    evpq_future *f = evpq_pool_connect(pool);
    ck_done(evpq_pool_close(pool, -1));
    ck_failed(f, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

START_TEST(drain_waits_for_all_that_was_asked)
{
    open_pool(.max_size = 2);
    ck_done(evpq_pool_drain(pool)); /* of a pool that has done nothing */
    evpq_lease *lease = lease_get();
    evpq_future *running = query("select pg_sleep(0.02)"),
                *waiting = query("select pg_sleep(0.01)");
    evpq_future *drained = evpq_pool_drain(pool);
    ck_await_ok(running);
    ck_await_ok(waiting);
    ck_future_pending(drained);
    evpq_lease_release(lease);
    ck_await_ok(drained);
    ck_assert(is_quiet());
    evpq_future_unref(running);
    evpq_future_unref(waiting);
    evpq_future_unref(drained);
    ck_assert_int_eq(ask("select 9"), 9); /* the pool is still open */
    pools_end();
}
END_TEST

START_TEST(drain_ends_when_the_last_who_waits_gives_up)
{
    open_pool_at(server_conninfo_port(SERVER_TCP, 1, NULL), .backoff_min = 30, .backoff_max = 30,
                 .acquire_timeout = 0.2);
    evpq_future *query_canceled = query("select 1");
    evpq_future *drained = evpq_timeout(evpq_pool_drain(pool), 10);
    ck_until(stats().connect_failures == 1);
    evpq_future_cancel(query_canceled);
    ck_done(drained);
    evpq_future *expires = evpq_pool_acquire(pool);
    drained = evpq_timeout(evpq_pool_drain(pool), 10);
    ck_failed(expires, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    ck_done(drained);
    evpq_future_unref(query_canceled);
    pools_end();
}
END_TEST

/* ---- close ---- */

START_TEST(close_without_a_deadline_lets_all_finish)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *waiting = query("select 1"), *acquiring = evpq_pool_acquire(pool);
    evpq_future *closed = evpq_pool_close(pool, -1);
    ck_failed(query("select 2"), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_pool_acquire(pool), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(ask_on(lease, "select 3"), 3);
    ck_future_pending(waiting);
    ck_future_pending(closed);
    evpq_lease_release(lease);
    ck_done(waiting);
    ck_done(acquiring);
    ck_done(closed);
    ck_assert_int_eq(stats_total(), 0);
    ck_done(evpq_pool_close(pool, 0)); /* of a pool that is closed */
    ck_done(evpq_pool_drain(pool));
    pools_end();
}
END_TEST

START_TEST(close_at_once_fails_what_is_left)
{
    open_pool(.max_size = 2);
    evpq_lease *lease = lease_get();
    evpq_future *leased = query_on(lease, "select pg_sleep(60)");
    evpq_future *running = query("select pg_sleep(60)");
    ck_running(2);
    evpq_future *waiting = query("select 1"), *acquiring = evpq_pool_acquire(pool);
    evpq_future *closed = evpq_pool_close(pool, 0);
    ck_failed(leased, EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
    ck_failed(running, EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
    ck_failed(waiting, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(acquiring, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(query_on(lease, "select 2"), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(evpq_lease_backend_pid(lease), 0);
    ck_done(closed);
    ck_assert_uint_ge(stats().cancels, 2);
    evpq_lease_release(lease);
    pools_end(); /* finds that the server runs neither of them any more */
}
END_TEST

START_TEST(close_with_a_deadline_lets_the_quick_finish)
{
    open_pool(.max_size = 2);
    evpq_future *slow = query("select pg_sleep(60)");
    ck_until(stats().busy == 1);
    evpq_future *quick = query("select 1");
    evpq_future *closed = evpq_pool_close(pool, 0.3);
    ck_done(quick);
    ck_future_pending(slow);
    ck_failed(slow, EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
    ck_done(closed);
    pools_end();
}
END_TEST

START_TEST(closing_again_can_only_bring_the_end_nearer)
{
    open_pool();
    evpq_future *slow = query("select pg_sleep(60)");
    ck_until(stats().busy == 1);
    evpq_future *patient = evpq_pool_close(pool, -1);
    evpq_future *sooner = evpq_pool_close(pool, 0.05);
    evpq_future *later = evpq_pool_close(pool, 50);
    evpq_future *never = evpq_pool_close(pool, (double)INFINITY);
    ck_failed(evpq_pool_close(pool, (double)NAN), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(slow, EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
    ck_done(patient);
    ck_done(sooner);
    ck_done(later);
    ck_done(never);
    pools_end();
}
END_TEST

START_TEST(close_ends_when_the_last_who_waits_gives_up)
{
    for (int expires = 0; expires < 2; expires++) {
        open_pool_at(server_conninfo_port(SERVER_TCP, 1, NULL), .backoff_min = 30,
                     .backoff_max = 30, .acquire_timeout = expires ? 0.1 : 60);
        evpq_future *waiting = query("select 1");
        ck_until(stats().connect_failures == 1);
        evpq_future *closed = evpq_timeout(evpq_pool_close(pool, -1), 10);
        if (!expires)
            evpq_future_cancel(waiting);
        ck_failed(waiting, expires ? EVPQ_TIMEOUT : EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
        ck_done(closed);
        pools_end();
    }
}
END_TEST

START_TEST(close_at_once_ends_a_connect_that_gets_nowhere)
{
    struct proxy *proxy = server_proxy();
    proxy_door(proxy, PROXY_SILENT);
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .connect_timeout = 600,
                 .min_size = 1);
    evpq_future *waiting = query("select 1");
    ck_until(proxy_stats(proxy).seen == 1);
    evpq_future *closed = evpq_timeout(evpq_pool_close(pool, 0), 10);
    ck_failed(waiting, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_done(closed);
    pools_end();
    proxy_stop(proxy);
}
END_TEST

/* Callers that were already given a connection, but for a hook, must not come back for another. */
static evpq_future *never(evpq_lease *lease, void *arg)
{
    (void)lease, (void)arg;
    return evpq_future_new(loop, NULL, NULL);
}

START_TEST(close_at_once_ends_who_is_about_to_get_a_lease)
{
    open_pool(.before_acquire = never);
    evpq_future *acquiring = evpq_pool_acquire(pool);
    ck_until(stats().leased == 1);
    run_for(evpq_loop_ev(loop), 0.02);
    evpq_future *closed = evpq_timeout(evpq_pool_close(pool, 0), 10);
    evpq_future *limited = evpq_timeout(acquiring, 10);
    ck_failed(limited, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_done(closed);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

/* Work that was given a connection in the very turn in which the deadline falls has not been sent
 * yet. */
static void close_in_this_turn(evpq_future *f, void *arg)
{
    (void)f;
    evpq_future **ret_f = arg;
    *ret_f = query("select pg_sleep(60)");
    evpq_future_unref(evpq_pool_close(pool, -1));
    pool->close_timer.fire(&pool->close_timer);
}

START_TEST(close_at_once_does_not_run_what_was_not_sent)
{
    open_pool(.max_size = 1);
    ask("select 1");
    ck_quiet();
    evpq_future *late = NULL, *soon = evpq_sleep(loop, 0);
    evpq_future_on_done(soon, close_in_this_turn, &late);
    ck_await_ok(soon);
    evpq_future *closed = evpq_timeout(evpq_pool_close(pool, -1), 10);
    ck_await_status(late, EVPQ_CLOSED);
    ck_done(closed);
    evpq_future_unref(late);
    evpq_future_unref(soon);
    pools_end();
}
END_TEST

/* ---- letting go ---- */

START_TEST(unref_still_does_what_was_asked)
{
    open_pool(.max_size = 1);
    evpq_pool *again = evpq_pool_ref(pool);
    evpq_future *one = query("select 1"), *two = query("select pg_sleep(0.02)");
    pool = evpq_pool_unref(pool);
    evpq_future *three =
        evpq_pool_query(again, "select 3", EVPQ_ARGS()); /* there was another reference */
    evpq_pool_unref(again);
    ck_done(one);
    ck_done(two);
    ck_done(three);
    pools_end();
}
END_TEST

START_TEST(unref_with_a_lease_out_waits_for_it)
{
    open_pool();
    evpq_lease *lease = lease_get();
    pool = evpq_pool_unref(pool);
    ck_assert_int_eq(ask_on(lease, "select 4"), 4);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* The last connection dies with a statement on it that was not sent: the pool must not be gone
 * before that is sent another way. */
START_TEST(unref_while_the_connection_is_dead_still_does_what_was_asked)
{
    open_pool(.max_size = 1);
    ask("select 1");
    ck_quiet();
    ck_assert_int_eq(server_kill_backends(pools_app()), 1);
    evpq_future *asked = query("select 7");
    evpq_future *drained = evpq_pool_drain(pool);
    pool = evpq_pool_unref(pool);
    ck_await_ok(asked);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(asked), 0, 0), 7);
    evpq_future_unref(asked);
    ck_done(drained);
    pools_end();
}
END_TEST

START_TEST(drain_does_not_miss_what_goes_another_way)
{
    open_pool(.max_size = 1);
    ask("select 1");
    ck_quiet();
    ck_assert_int_eq(server_kill_backends(pools_app()), 1);
    evpq_future *asked = query("select pg_sleep(0.05)");
    evpq_future *drained = evpq_pool_drain(pool);
    ck_await_ok(drained);
    ck_future_ok(asked);
    evpq_future_unref(drained);
    evpq_future_unref(asked);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("pool");
    CHECK_ADD(c, a_query_is_answered);
    CHECK_ADD(c, an_error_belongs_to_its_statement);
    CHECK_ADD(c, every_answer_is_that_of_its_query);
    CHECK_ADD(c, f44_nothing_is_called_in_the_callers_stack);
    CHECK_ADD(c, what_cannot_be_a_query_is_refused);
    CHECK_ADD(c, query_timeout_is_the_deadline_of_each_query);
    CHECK_ADD(c, notices_are_told);
    CHECK_ADD(c, two_pools_share_a_loop);
    CHECK_ADD(c, a_wrong_pool_is_not_opened);
    CHECK_ADD(c, no_pool_is_no_crash);
    CHECK_ADD(c, min_size_is_opened_and_kept);
    CHECK_ADD(c, max_size_is_never_exceeded);
    CHECK_ADD(c, stats_are_filled_as_far_as_they_go);
    CHECK_ADD(c, stats_follow_each_connection);
    CHECK_ADD(c, resize_opens_and_closes);
    CHECK_ADD(c, resize_lets_what_runs_finish);
    CHECK_ADD(c, resize_to_more_serves_who_waits);
    CHECK_ADD(c, connect_is_a_start_up_check);
    CHECK_ADD(c, connect_fails_with_the_first_error);
    CHECK_ADD(c, connect_of_a_pool_that_closes_fails);
    CHECK_ADD(c, drain_waits_for_all_that_was_asked);
    CHECK_ADD(c, drain_ends_when_the_last_who_waits_gives_up);
    CHECK_ADD(c, close_without_a_deadline_lets_all_finish);
    CHECK_ADD(c, close_at_once_fails_what_is_left);
    CHECK_ADD(c, close_with_a_deadline_lets_the_quick_finish);
    CHECK_ADD(c, closing_again_can_only_bring_the_end_nearer);
    CHECK_ADD(c, close_ends_when_the_last_who_waits_gives_up);
    CHECK_ADD(c, close_at_once_ends_a_connect_that_gets_nowhere);
    CHECK_ADD(c, close_at_once_ends_who_is_about_to_get_a_lease);
    CHECK_ADD(c, close_at_once_does_not_run_what_was_not_sent);
    CHECK_ADD(c, unref_still_does_what_was_asked);
    CHECK_ADD(c, unref_with_a_lease_out_waits_for_it);
    CHECK_ADD(c, unref_while_the_connection_is_dead_still_does_what_was_asked);
    CHECK_ADD(c, drain_does_not_miss_what_goes_another_way);
    return check_end(c);
}
