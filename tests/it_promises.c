/* it_promises.c - promises of the README and the manual that stand on a guard of a line or two, which the
 * other tests would not miss. */
#include "support/proxy.h"
#include "support/txns.h"

#include <stdlib.h>
#include <string.h>

static struct proxy *proxy;

static const char *by_proxy(void)
{
    proxy = server_proxy();
    return server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL);
}

static void pools_end_with_proxy(void)
{
    pools_end();
    proxy_stop(proxy);
}

/* ---- a connection that is never idle ---- */

static bool crowd_goes_on;
static long crowd_answers;

static void ask_again(evpq_future *f, void *arg)
{
    (void)arg;
    if (f)
        crowd_answers++;
    if (f ? !crowd_goes_on : false)
        return;
    f = query("select 1");
    evpq_future_on_done(f, ask_again, NULL);
    evpq_future_unref(f);
}

/* Sixteen quick queries that are asked for again as soon as each is answered. */
static void crowd_in(void)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(ask("select 1"), 1); /* it is known to be quick, and prepared */
    crowd_goes_on = true;
    crowd_answers = 0;
    for (int i = 0; i < 16; i++)
        ask_again(NULL, NULL);
    ck_until(crowd_answers > 100);
}

static void crowd_out(void)
{
    crowd_goes_on = false;
    ck_quiet();
}

START_TEST(a_lease_that_waits_is_not_overtaken_for_ever)
{
    open_pool(.max_size = 1);
    crowd_in();
    long before = crowd_answers;
    evpq_future *f = evpq_pool_acquire(pool);
    ck_await_ok(f);
    ck_assert_int_le(crowd_answers - before, 200); /* those that had been sent, and no more */
    evpq_lease_release(evpq_future_lease(f));
    evpq_future_unref(f);
    crowd_out();
    pools_end();
}
END_TEST

START_TEST(a_connection_past_its_age_is_replaced_though_never_idle)
{
    open_pool(.max_size = 1, .max_lifetime = 0.3);
    crowd_in();
    ck_until(stats().retired >= 2);
    crowd_out();
    pools_end();
}
END_TEST

/* ---- company ---- */

START_TEST(nobody_boards_behind_one_that_is_overdue)
{
    open_pool(.max_size = 2);
    for (int i = 0; i < 5; i++) {
        ck_done(evpq_pool_query(pool, "select pg_sleep($1::float8)", EVPQ_ARGS(0.0)));
        ck_assert_int_eq(ask("select 1"), 1);
    }
    ck_until(stats_total() == 1);
    evpq_future *slow = evpq_pool_query(pool, "select pg_sleep($1::float8)", EVPQ_ARGS(30.0));
    ck_running(1);
    run_for(evpq_loop_ev(loop), 0.2); /* it was quick until now, and is overdue after some ms */
    ck_assert_int_eq(ask("select 1"), 1);
    ck_future_pending(slow);
    evpq_future_cancel(slow);
    evpq_future_unref(slow);
    pools_end();
}
END_TEST

/* The one that is canceled stands behind one that somebody waits for, or before it. */
START_TEST(neighbours_of_a_canceled_query_are_not_hit)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *first = query_on(lease, "select 1 from pg_sleep(0.5)");
    evpq_future *second = query_on(lease, "select 2 from pg_sleep(0.2)");
    ck_running(1);
    evpq_future_cancel(_i ? first : second);
    ck_await_ok(_i ? second : first);
    ck_await_status(_i ? first : second, EVPQ_CANCELED);
    evpq_future_unref(first);
    evpq_future_unref(second);
    ck_assert_int_eq(ask_on(lease, "select 3"), 3);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* The first is not run again behind the second: it runs before it, or fails. */
START_TEST(the_order_on_a_lease_survives_a_stale_plan)
{
    server_exec(
        "create table stale (a int); insert into stale values (1); create sequence stale_order");
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 7; i++)
        ck_done(query_on(lease, "select nextval('stale_order'), * from stale"));
    server_exec("alter table stale add b int");
    evpq_future *first = query_on(lease, "select nextval('stale_order'), * from stale");
    evpq_future *second = query_on(lease, "select nextval('stale_order')");
    ck_await_ok(second);
    long later = (long)evpq_result_int8(evpq_future_result(second), 0, 0);
    if (evpq_await(first) == EVPQ_OK)
        ck_assert_int_lt((long)evpq_result_int8(evpq_future_result(first), 0, 0), later);
    else
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(first)), "0A000");
    evpq_future_unref(first);
    evpq_future_unref(second);
    evpq_lease_release(lease);
    pools_end();
    server_exec("drop table stale; drop sequence stale_order");
}
END_TEST

/* ---- sessions ---- */

START_TEST(what_is_set_by_the_lease_of_a_transaction_does_not_stay)
{
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    ck_done(query_on(evpq_txn_lease(txn), "set evpq.mark = 'behind'"));
    ck_done(evpq_txn_commit(txn));
    ck_assert_str_eq(ask_text("select coalesce(current_setting('evpq.mark', true), '')"), "");
    pools_end();
}
END_TEST

START_TEST(what_is_set_in_a_transaction_does_not_stay)
{
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "set evpq.mark = 'behind'");
    ck_done(evpq_txn_commit(txn));
    ck_assert_str_eq(ask_text("select coalesce(current_setting('evpq.mark', true), '')"), "");
    pools_end();
}
END_TEST

START_TEST(a_reset_that_hangs_costs_the_connection)
{
    open_pool_at(by_proxy(), .max_size = 1, .cancel_timeout = 0.3);
    evpq_lease *lease = lease_get();
    exec_on(lease, "set evpq.mark = 'behind'");
    proxy_stall(proxy, PROXY_TO_SERVER, true);
    evpq_lease_release(lease);
    ck_until(stats().lost == 1);
    proxy_stall(proxy, PROXY_TO_SERVER, false);
    ck_assert_int_eq(ask("select 1"), 1);
    pools_end_with_proxy();
}
END_TEST

/* ---- hooks ---- */

static int hook_calls;

static void let_go(evpq_future *f, void *arg)
{
    (void)arg;
    evpq_future_set_error(f, EVPQ_CANCELED, "nobody waits for the hook any more");
}

static evpq_future *first_never_ends(evpq_lease *lease, void *arg)
{
    (void)lease;
    (void)arg;
    return hook_calls++ ? NULL : evpq_future_new(loop, let_go, NULL);
}

START_TEST(a_hook_that_never_ends_costs_the_connection)
{
    evpq_hook_fn *hook[3] = {NULL};
    hook[_i] = first_never_ends;
    open_pool(.max_size = 1, .connect_timeout = 0.3, .acquire_timeout = _i == 1 ? 0.3 : 30,
              .cancel_timeout = 0.3, .after_connect = hook[0], .before_acquire = hook[1],
              .after_release = hook[2]);
    evpq_future *f = evpq_pool_acquire(pool);
    if (evpq_await(f) == EVPQ_OK)
        evpq_lease_release(evpq_future_lease(f));
    evpq_future_unref(f);
    evpq_lease *lease = NULL;
    while (!lease) { /* it may have come while the first connection was being given up */
        f = evpq_pool_acquire(pool);
        lease = evpq_await(f) == EVPQ_OK ? evpq_future_lease(f) : NULL;
        evpq_future_unref(f);
    }
    ck_assert_int_ge((int)(stats().connects + stats().connect_failures), 2);
    ck_assert_int_eq(ask_on(lease, "select 1"), 1);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

static evpq_future *left_behind;

static evpq_future *does_not_await(evpq_lease *lease, void *arg)
{
    (void)arg;
    if (!hook_calls++)
        left_behind = query_on(lease, "select pg_sleep(60)");
    return NULL;
}

/* It has sent a statement whose future is kept, so that nothing cancels it. */
START_TEST(what_a_hook_does_not_await_has_its_limit)
{
    evpq_hook_fn *hook[3] = {NULL};
    hook[_i] = does_not_await;
    hook_calls = 0;
    open_pool(.max_size = 1, .connect_timeout = _i == 0 ? 0.5 : 30,
              .acquire_timeout = _i == 1 ? 0.5 : 30, .cancel_timeout = _i == 2 ? 0.5 : 30,
              .after_connect = hook[0], .before_acquire = hook[1], .after_release = hook[2]);
    if (_i == 2)
        evpq_lease_release(lease_get());
    evpq_future *f = evpq_pool_acquire(pool);
    ck_until(left_behind && evpq_future_status(left_behind) != EVPQ_PENDING);
    const evpq_error *error = evpq_future_error(left_behind);
    ck_assert_msg(strstr(evpq_error_message(error), "the statements of a hook in time") != NULL,
                  "%s", evpq_error_message(error));
    ck_failed(left_behind, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    server_exec(strf("select pg_terminate_backend(pid) from pg_stat_activity where state = 'active'"
                     " and application_name = '%s'",
                     pools_app()));
    if (evpq_await(f) == EVPQ_OK)
        evpq_lease_release(evpq_future_lease(f));
    evpq_future_unref(f);
    ck_assert_int_eq(ask("select 1"), 1);
    pools_end();
}
END_TEST

/* ---- outcomes ---- */

enum { LARGE = 5 << 20 };

/* The server gets a part of a statement before the link breaks: it may not be called unsent. */
START_TEST(what_was_sent_in_part_is_unknown)
{
    char *text = malloc(LARGE + 1);
    memset(text, 'x', LARGE);
    text[LARGE] = 0;
    open_pool_at(by_proxy(), .max_size = 1);
    evpq_lease *lease = _i ? lease_get() : NULL;
    if (!lease)
        ck_assert_int_eq(ask("select 1"), 1);
    uint64_t connects = stats().connects;
    proxy_arm_after(proxy, PROXY_TO_SERVER, LARGE / 5, PROXY_RESET);
    const char *sql = "select length($1::text)";
    evpq_future *f = lease ? evpq_lease_query(lease, sql, EVPQ_ARGS(text))
                           : evpq_pool_query(pool, sql, EVPQ_ARGS(text));
    ck_failed(f, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    ck_assert_int_eq((int)(stats().connects - connects), 0); /* and it was not sent another way */
    evpq_lease_release(lease);
    pools_end_with_proxy();
    free(text);
}
END_TEST

/* The answer to COMMIT is lost, and the one before it was an error: nothing can have been committed. */
START_TEST(a_lost_commit_of_a_failed_transaction_is_rejected)
{
    open_pool_at(by_proxy(), .max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "select 1");
    proxy_arm(proxy, &(struct proxy_trigger){
                         .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .message = 'E', .nth = 1});
    evpq_future *wrong = query_in(txn, "select 1 / 0");
    evpq_future *f = evpq_txn_commit(txn);
    ck_sqlstate(wrong, "22012");
    evpq_await(f);
    ck_assert_int_ne(evpq_future_status(f), EVPQ_OK);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
    pools_end_with_proxy();
}
END_TEST

/* The server said why before it hung up; that the next send fails is not the reason. */
START_TEST(the_servers_last_words_are_told_when_a_send_fails)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    ck_assert_int_eq(server_kill_backends(pools_app()), 1);
    evpq_future *f = query_on(lease, "select 1");
    evpq_await(f);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "57P01");
    evpq_future_unref(f);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- the pool as a whole ---- */

/* A role that may not log in any more: who waits is served by the connection that is there. */
START_TEST(a_permanent_error_ends_nobody_while_others_are_connected)
{
    server_exec("create role promised login superuser");
    const char *password =
        getenv("PGPASSWORD"); /* a role of its own has the same, where there is one */
    if (password)
        server_exec(strf("alter role promised password '%s'", password));
    open_pool_at(server_conninfo(SERVER_UNIX, "user=promised"), .max_size = 2);
    evpq_lease *lease = lease_get();
    server_exec("alter role promised nologin");
    evpq_future *f = query("select 1");
    ck_until(stats().connect_failures >= 1);
    ck_future_pending(f);
    evpq_lease_release(lease);
    ck_done(f);
    pools_end();
    server_exec("drop role promised");
}
END_TEST

/* Whether the server is silent, or the lines are lost at the same time. */
START_TEST(closing_at_once_settles_what_is_under_way)
{
    open_pool_at(by_proxy(), .max_size = 2, .cancel_timeout = 50);
    evpq_lease *lease = lease_get();
    evpq_future *on_lease = query_on(lease, "select pg_sleep(2)");
    evpq_future *alone = query("select pg_sleep(2)");
    ck_running(2);
    proxy_stall(proxy, PROXY_TO_SERVER, true);
    proxy_stall(proxy, PROXY_TO_CLIENT, true);
    evpq_future *closed = evpq_pool_close(pool, 0);
    if (_i)
        proxy_reset(proxy);
    ck_until(evpq_future_status(on_lease) != EVPQ_PENDING);
    ck_until(evpq_future_status(alone) != EVPQ_PENDING);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(on_lease)), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(alone)), EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(on_lease);
    evpq_future_unref(alone);
    evpq_lease_release(lease);
    proxy_reset(proxy);
    ck_await_ok(closed);
    evpq_future_unref(closed);
    proxy_stall(proxy, PROXY_TO_SERVER, false);
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    pools_end_with_proxy();
}
END_TEST

/* As in libpq: what refuses the password is the server that was meant. */
START_TEST(a_refused_password_does_not_go_to_the_next_host)
{
    const char *user = getenv("EVPQ_PW_USER");
    if (!user)
        return;
    struct proxy *next = server_proxy();
    proxy = server_proxy();
    open_pool_at(strf("host=127.0.0.1,127.0.0.1 port=%d,%d user=%s password=wrong dbname=%s "
                      "sslmode=disable connect_timeout=20",
                      proxy_port(proxy), proxy_port(next), user, getenv("PGDATABASE")),
                 .max_size = 1);
    ck_sqlstate(query("select 1"), "28P01");
    ck_assert_int_eq(proxy_stats(next).seen, 0);
    ck_assert_int_eq(proxy_stats(proxy).seen, 1);
    pools_end_with_proxy();
    proxy_stop(next);
}
END_TEST

/* ---- streams ---- */

START_TEST(a_stream_that_nobody_reads_does_not_turn_the_loop)
{
    open_pool(.max_size = 1);
    evpq_stream *s =
        evpq_pool_stream(pool, "select generate_series(1, 1000000000)", EVPQ_ARGS(), NULL);
    evpq_future *f = evpq_stream_next(s);
    ck_await_ok(f);
    evpq_future_unref(f);
    run_for(evpq_loop_ev(loop), 0.3);
    unsigned before = ev_iteration(evpq_loop_ev(loop));
    run_for(evpq_loop_ev(loop), 1);
    ck_assert_uint_lt(ev_iteration(evpq_loop_ev(loop)) - before, 300);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

/* ---- reads that share a transaction ---- */

static evpq_future *take_the_name(evpq_lease *lease, void *arg)
{
    (void)arg;
    return query_on(lease, "prepare evpq_guard as select 'not what is meant'");
}

/* Several in one tick, behind something that holds them together. */
static void ck_reads(void)
{
    evpq_future *f[8];
    for (int i = 0; i < 8; i++)
        f[i] = evpq_pool_read(pool, "select $1::int", EVPQ_ARGS(i));
    for (int i = 0; i < 8; i++) {
        ck_await_ok(f[i]);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[i]), 0, 0), i);
        evpq_future_unref(f[i]);
    }
}

/* Whether two of one turn do, which say when theirs began, in one of many turns: as long as their text
 * is not known to be quick they do not. */
static bool share_a_transaction(void)
{
    static const char sql[] = "select extract(epoch from now())::text";
    bool same = false;
    for (int i = 0; i < 100 && !same; i++) {
        evpq_future *both[] = {evpq_pool_read(pool, sql, EVPQ_ARGS()),
                               evpq_pool_read(pool, sql, EVPQ_ARGS())};
        ck_await_ok(both[0]);
        ck_await_ok(both[1]);
        same = !strcmp(evpq_result_text(evpq_future_result(both[0]), 0, 0),
                       evpq_result_text(evpq_future_result(both[1]), 0, 0));
        evpq_future_unref(both[0]);
        evpq_future_unref(both[1]);
    }
    return same;
}

/* As by another client of the same pooler. */
START_TEST(a_name_of_ours_that_is_taken_harms_no_reader)
{
    open_pool(.max_size = 1, .pipeline_depth = 32, .after_connect = take_the_name);
    for (int i = 0; i < 5; i++)
        ck_reads();
    ck_assert_int_eq((int)stats().connects, 1);
    ck_assert(share_a_transaction()); /* the guard goes by its text from then on */
    pools_end();
}
END_TEST

static evpq_future *make_fate(evpq_lease *lease, void *arg)
{
    (void)arg;
    return query_on(lease, "create temp table fate (i int unique deferrable initially deferred)");
}

/* What fails when their transaction ends is the failure of one, and the others have their rows: the
 * last of them, too. */
START_TEST(an_error_at_the_end_of_a_shared_transaction_is_the_failure_of_one)
{
    server_exec(
        "create function tempt_fate(wrong bool) returns int language plpgsql as"
        " 'begin insert into fate select 1 from generate_series(1, 2) where wrong; return 1;"
        " end'");
    open_pool(.max_size = 1, .after_connect = make_fate);
    for (int i = 0; i < 6; i++) { /* all are known to be quick, when it counts */
        evpq_future *before = evpq_pool_read(pool, "select 1", EVPQ_ARGS());
        evpq_future *wrong =
            evpq_pool_read(pool, "select tempt_fate($1)", EVPQ_ARGS(evpq_bool(i == 5)));
        evpq_future *behind = evpq_pool_read(pool, "select 2", EVPQ_ARGS());
        ck_done(before);
        if (i == 5)
            ck_sqlstate(wrong, "23505");
        else
            ck_done(wrong);
        ck_done(behind);
    }
    pools_end();
    server_exec("drop function tempt_fate(bool)");
}
END_TEST

/* ---- a server that hangs up ---- */

/* It lets connections up and drops them at once: not eight times in a second. */
START_TEST(a_server_that_drops_connections_is_not_asked_in_a_circle)
{
    open_pool_at(by_proxy(), .min_size = 1, .max_size = 2, .backoff_min = 0.5);
    int drops = 0;
    for (int i = 0; i < 100; i++) {
        run_for(evpq_loop_ev(loop), 0.01);
        if (stats().idle) {
            proxy_cut(proxy);
            ck_until(!stats().idle);
            drops++;
        }
    }
    ck_assert_int_ge(drops, 1);
    ck_assert_int_lt(drops, 8);
    ck_assert_int_eq(ask("select 1"), 1);
    pools_end_with_proxy();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("promises");
    CHECK_ADD(c, a_lease_that_waits_is_not_overtaken_for_ever);
    CHECK_ADD(c, a_connection_past_its_age_is_replaced_though_never_idle);
    CHECK_ADD(c, nobody_boards_behind_one_that_is_overdue);
    CHECK_ADD_LOOP(c, neighbours_of_a_canceled_query_are_not_hit, 2);
    CHECK_ADD(c, the_order_on_a_lease_survives_a_stale_plan);
    CHECK_ADD(c, what_is_set_by_the_lease_of_a_transaction_does_not_stay);
    CHECK_ADD(c, what_is_set_in_a_transaction_does_not_stay);
    CHECK_ADD(c, a_reset_that_hangs_costs_the_connection);
    CHECK_ADD_LOOP(c, a_hook_that_never_ends_costs_the_connection, 3);
    CHECK_ADD_LOOP(c, what_a_hook_does_not_await_has_its_limit, 3);
    CHECK_ADD_LOOP(c, what_was_sent_in_part_is_unknown, 2);
    CHECK_ADD(c, a_lost_commit_of_a_failed_transaction_is_rejected);
    CHECK_ADD(c, the_servers_last_words_are_told_when_a_send_fails);
    CHECK_ADD(c, a_permanent_error_ends_nobody_while_others_are_connected);
    CHECK_ADD_LOOP(c, closing_at_once_settles_what_is_under_way, 2);
    CHECK_ADD(c, a_refused_password_does_not_go_to_the_next_host);
    CHECK_ADD(c, a_stream_that_nobody_reads_does_not_turn_the_loop);
    CHECK_ADD(c, a_name_of_ours_that_is_taken_harms_no_reader);
    CHECK_ADD(c, an_error_at_the_end_of_a_shared_transaction_is_the_failure_of_one);
    CHECK_ADD(c, a_server_that_drops_connections_is_not_asked_in_a_circle);
    return check_end(c);
}
