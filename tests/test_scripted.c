/* test_scripted.c - the scripted server of libevpq-test, by evpq itself. */
#include "support/comma.h"
#include "support/scripted.h"
#include "support/server.h"

#include <string.h>

static void begin_with(const evpq_test_server_opts *o, const evpq_pool_opts *pool)
{
    char *error = NULL;
    server = evpq_test_server_start(o, &error);
    ck_assert_msg(server != NULL, "%s", error);
    site = site_open(evpq_test_server_conninfo(server), pool);
}

static void begin(void)
{
    begin_with(NULL, NULL);
}

static evpq_test_server_stats stats(void)
{
    evpq_test_server_stats s = {.size = sizeof s};
    ck_assert(evpq_test_server_get_stats(server, &s));
    return s;
}

static void fails(const char *sql, evpq_status status, const char *sqlstate, evpq_outcome outcome)
{
    evpq_future *f = evpq_pool_query(site.pool, sql, EVPQ_ARGS());
    evpq_await(f);
    ck_failed(f, status, sqlstate, outcome);
    evpq_future_unref(f);
}

/* ---- answers ---- */

static const char *const value_cells[] = {
    "t",          "-7", "123456789", "-9223372036854775808", "1.5", "0.1", "Grün", "\\x00ff", NULL,
    "{\"a\": 1}", "42", "9.99",      "2026-11-30 12:00:00",
};

/* _i: in text, and in binary but for the last two. */
START_TEST(a_row_of_many_types)
{
    begin();
    ANSWER(.sql = "select all", .rows = 1, .cells = value_cells,
           .columns =
               _i ? "b bool, s smallint, i int, l int8, f float4, d double precision, t text, "
                    "y bytea, n int8, j jsonb, o oid"
                  : "b bool, s int2, i int4, l int8, f float4, d float8, t text, y bytea, "
                    "n int8, j jsonb, o oid, m numeric, w timestamp");
    evpq_args args = EVPQ_ARGS();
    args.result_format = _i;
    evpq_future *f = evpq_pool_query(site.pool, "  select all ;", args);
    ck_await_ok(f);
    const evpq_result *r = evpq_future_result(f);
    size_t n;
    ck_assert_int_eq(evpq_result_rows(r), 1);
    ck_assert_int_eq(evpq_result_column_format(r, 0), _i);
    ck_assert(evpq_result_bool(r, 0, 0));
    ck_assert_int_eq(evpq_result_int2(r, 0, 1), -7);
    ck_assert_int_eq(evpq_result_int4(r, 0, 2), 123456789);
    ck_assert(evpq_result_int8(r, 0, 3) == INT64_MIN);
    ck_assert_float_eq(evpq_result_float4(r, 0, 4), 1.5);
    ck_assert_double_eq(evpq_result_float8(r, 0, 5), 0.1);
    ck_assert_str_eq(evpq_result_text(r, 0, 6), "Grün");
    ck_assert_mem_eq(evpq_result_bytes(r, 0, 7, &n), "\0\377", 2);
    ck_assert_uint_eq(n, 2);
    ck_assert(evpq_result_is_null(r, 0, 8));
    ck_assert_str_eq(evpq_result_text(r, 0, 9), "{\"a\": 1}");
    ck_assert_int_eq(evpq_result_int8(r, 0, 10), 42);
    ck_assert_str_eq(evpq_result_column_name(r, 2), "i");
    if (!_i)
        ck_assert_str_eq(evpq_result_text(r, 0, 12), "2026-11-30 12:00:00");
    ck_assert_ptr_null(evpq_result_fault(r));
    evpq_future_unref(f);
    end();
}
END_TEST

START_TEST(a_type_without_a_binary_form_here)
{
    begin();
    ANSWER(.sql = "select price", .columns = "price numeric", .rows = 1, CELLS("9.99"));
    evpq_args args = EVPQ_ARGS();
    args.result_format = 1;
    evpq_future *f = evpq_pool_query(site.pool, "select price", args);
    evpq_await(f);
    ck_failed(f, EVPQ_SERVER, "0A000", EVPQ_OUTCOME_REJECTED);
    ck_assert_ptr_nonnull(
        strstr(evpq_error_message(evpq_future_error(f)), "numeric (column price)"));
    evpq_future_unref(f);
    end();
}
END_TEST

START_TEST(tags)
{
    static const struct {
        const char *sql, *columns, *tag;
        int rows, affected;
    } cases[] = {
        {"insert into t values (1)", NULL, "INSERT 0 1", 0, 1},
        {"insert into t values (1) returning a", "a int4", "INSERT 0 2", 2, 2},
        {"update t set a = 1", NULL, "UPDATE 1", 0, 1},
        {"DELETE from t", NULL, "DELETE 1", 0, 1},
        {"merge into t using u on true", NULL, "MERGE 1", 0, 1},
        {"select a from t", "a int4", "SELECT 2", 2, 2},
        {"values (1)", "a int4", "SELECT 2", 2, 2},
        {"create table t (a int)", NULL, "CREATE TABLE", 0, -1},
        {"drop schema s", NULL, "DROP SCHEMA", 0, -1},
        {"vacuum", NULL, "VACUUM", 0, -1},
        {"/* a /* b */ */ -- c\nupdate t set a = 2", NULL, "UPDATE 1", 0, 1},
        {"start transaction", NULL, "START TRANSACTION", 0, -1},
    };
    begin();
    evpq_lease *lease = site_lease(&site);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strncmp(cases[i].sql, "start", 5))
            ANSWER(.sql = cases[i].sql, .columns = cases[i].columns, .rows = (size_t)cases[i].rows,
                   CELLS("1", "2"));
        evpq_future *f = evpq_lease_query(lease, cases[i].sql, EVPQ_ARGS());
        ck_await_ok(f);
        const evpq_result *r = evpq_future_result(f);
        ck_assert_str_eq(evpq_result_command(r), cases[i].tag);
        ck_assert_int_eq(evpq_result_rows(r), cases[i].rows);
        evpq_future_unref(f);
    }
    ANSWER(.sql = "update many", .tag = "UPDATE 17");
    evpq_future *f = evpq_lease_query(lease, "update many", EVPQ_ARGS());
    ck_await_ok(f);
    ck_assert_int_eq(evpq_future_affected(f), 17);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    end();
}
END_TEST

START_TEST(answers_are_used_in_order_as_often_as_they_say)
{
    begin();
    ANSWER(.sql = "select n", .times = 2, .columns = "n int4", .rows = 1, CELLS("1"));
    ANSWER(.part = "lect n", .columns = "n int4", .rows = 1, CELLS("2"));
    ck_assert_str_eq(site_text(&site, "select n"), "1");
    ck_assert_str_eq(site_text(&site, "select n where true"), "2");
    ck_assert_str_eq(site_text(&site, "select n"), "1");
    ck_assert_str_eq(site_text(&site, "select n"), "2");
    ck_assert_str_eq(site_text(&site, "select n;"), "2");
    ck_assert_uint_eq(evpq_test_server_count(server, "select n"), 5);
    ck_assert_uint_eq(evpq_test_server_count(server, "where"), 1);
    end();
}
END_TEST

START_TEST(what_did_not_come_and_what_was_not_expected)
{
    begin();
    ANSWER(.sql = "select 1", .times = 2, .columns = "n int4", .rows = 1, CELLS("1"));
    ANSWER(.part = "never", .times = 1);
    site_text(&site, "select 1");
    evpq_future *f = evpq_pool_query(site.pool, "select $1, $2", EVPQ_ARGS("it's", evpq_null()));
    evpq_await(f);
    ck_failed(f, EVPQ_SERVER, "58000", EVPQ_OUTCOME_REJECTED);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(f)),
                     "no answer is scripted for: select $1, $2 ($1 = 'it's', $2 is null)");
    evpq_future_unref(f);
    evpq_test_answer bad = {.size = sizeof bad, .sql = "a", .times = -1};
    ck_assert(!evpq_test_server_answer(server, &bad, NULL));
    ck_assert_uint_eq(stats().unscripted, 1);
    complains("evpq_test_answer for 'a': times is negative\n"
              "came 1 of 2 times: select 1\n"
              "came 0 of 1 times: ... never\n"
              "no answer is scripted for: select $1, $2 ($1 = 'it's', $2 is null)");
}
END_TEST

START_TEST(parameters_are_kept_as_texts)
{
    static const uint8_t uuid[16] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
                                     1,    2,    3,    4,    5,    6,    7,    8};
    begin();
    ANSWER(.part = "insert", );
    evpq_future *f = evpq_pool_query(site.pool, "insert into t values ($1)",
                                     EVPQ_ARGS(-5, "text", evpq_null(), evpq_bool(true), 1.5,
                                               evpq_bytes("\0\1", 2), evpq_uuid(uuid), evpq_oid(77),
                                               evpq_jsonb("[]"), evpq_date(1),
                                               evpq_param_binary(21, "\377\376", 2),
                                               evpq_param_binary(701, "\77\360\0\0\0\0\0\0", 8)));
    static const char *const want[] = {"-5",
                                       "text",
                                       NULL,
                                       "true",
                                       "1.5",
                                       "\\x0001",
                                       "12345678-9abc-def0-0102-030405060708",
                                       "77",
                                       "[]",
                                       "\\xffffd534",
                                       "-2",
                                       "1"};
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_assert_str_eq(evpq_test_server_statement(server, 0), "insert into t values ($1)");
    ck_assert_ptr_null(evpq_test_server_statement(server, 1));
    ck_assert_int_eq(evpq_test_server_parameters(server, 0), 12);
    for (int i = 0; i < 12; i++)
        ck_assert_pstr_eq(evpq_test_server_parameter(server, 0, i), want[i]);
    ck_assert_ptr_null(evpq_test_server_parameter(server, 0, 12));
    ck_assert_ptr_null(evpq_test_server_parameter(server, 0, -1));
    ck_assert_ptr_null(evpq_test_server_parameter(server, 1, 0));
    ck_assert_int_eq(evpq_test_server_parameters(server, 1), 0);
    end();
}
END_TEST

/* In a cell and in a parameter, both in binary format. */
START_TEST(a_number_has_its_point_in_any_locale)
{
    if (!comma_set_locale())
        return;
    begin();
    ANSWER(.part = "select", .columns = "d float8", .rows = 1, CELLS("0.25"));
    evpq_args args = EVPQ_ARGS(evpq_param_binary(701, "\77\370\0\0\0\0\0\0", 8));
    args.result_format = 1;
    evpq_future *f = evpq_pool_query(site.pool, "select $1", args);
    ck_await_ok(f);
    ck_assert_double_eq(evpq_result_float8(evpq_future_result(f), 0, 0), 0.25);
    evpq_future_unref(f);
    ck_assert_str_eq(evpq_test_server_parameter(server, 0, 0), "1.5");
    end();
}
END_TEST

/* ---- errors and transactions ---- */

START_TEST(an_error_has_its_parts)
{
    begin();
    ANSWER(.sql = "insert", .sqlstate = "23505", .message = "twice", .detail = "a detail",
           .hint = "a hint", .constraint = "t_key", .notice = "beware");
    ANSWER(.sql = "plain", .sqlstate = "22012");
    evpq_future *f = evpq_pool_query(site.pool, "insert", EVPQ_ARGS());
    evpq_await(f);
    ck_failed(f, EVPQ_SERVER, "23505", EVPQ_OUTCOME_REJECTED);
    const evpq_error *e = evpq_future_error(f);
    ck_assert_str_eq(evpq_error_message(e), "twice");
    ck_assert_str_eq(evpq_error_detail(e), "a detail");
    ck_assert_str_eq(evpq_error_hint(e), "a hint");
    ck_assert_str_eq(evpq_error_constraint(e), "t_key");
    ck_assert_str_eq(evpq_error_severity(e), "ERROR");
    evpq_future_unref(f);
    fails("plain", EVPQ_SERVER, "22012", EVPQ_OUTCOME_REJECTED);
    end();
}
END_TEST

static void keep_notice(const evpq_error *notice, void *arg)
{
    snprintf(arg, 64, "%s %s: %s", evpq_error_severity(notice), evpq_error_sqlstate(notice),
             evpq_error_message(notice));
}

START_TEST(a_notice_goes_before_its_answer)
{
    char heard[64] = "";
    evpq_pool_opts opts = {.size = sizeof opts, .on_notice = keep_notice, .notice_arg = heard};
    begin_with(NULL, &opts);
    ANSWER(.sql = "select 1", .notice = "beware", .columns = "n int4", .rows = 1, CELLS("1"));
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    ck_assert_str_eq(heard, "WARNING 01000: beware");
    end();
}
END_TEST

START_TEST(fatal_ends_the_connection)
{
    begin();
    ANSWER(.sql = "select 1", .times = 1, .sqlstate = "57P05", .severity = "FATAL");
    ANSWER(.sql = "select 1", .columns = "n int4", .rows = 1, CELLS("1"));
    fails("select 1", EVPQ_LOST, "57P05", EVPQ_OUTCOME_UNKNOWN);
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    ck_assert_uint_eq(stats().connections, 2);
    end();
}
END_TEST

static void lease_fails(evpq_lease *lease, const char *sql, const char *sqlstate)
{
    evpq_future *f = evpq_lease_query(lease, sql, EVPQ_ARGS());
    evpq_await(f);
    ck_failed(f, EVPQ_SERVER, sqlstate, EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
}

static const char *tag_of(evpq_lease *lease, const char *sql)
{
    evpq_future *f = evpq_lease_query(lease, sql, EVPQ_ARGS());
    ck_await_ok(f);
    const char *tag = strf("%s", evpq_result_command(evpq_future_result(f)));
    evpq_future_unref(f);
    return tag;
}

START_TEST(a_failed_transaction_takes_no_more)
{
    begin();
    ANSWER(.sql = "bad", .sqlstate = "22012");
    ANSWER(.sql = "good", .times = 1, .tag = "GOOD");
    evpq_lease *lease = site_lease(&site);
    ck_assert_str_eq(tag_of(lease, "begin"), "BEGIN");
    ck_assert_str_eq(tag_of(lease, "savepoint a"), "SAVEPOINT");
    lease_fails(lease, "bad", "22012");
    lease_fails(lease, "good", "25P02");
    lease_fails(lease, "set a = 1", "25P02");
    ck_assert_str_eq(tag_of(lease, "rollback work to savepoint a"), "ROLLBACK");
    ck_assert_str_eq(tag_of(lease, "good"), "GOOD");
    ck_assert_str_eq(tag_of(lease, "release a"), "RELEASE");
    lease_fails(lease, "bad", "22012");
    ck_assert_str_eq(tag_of(lease, "END"), "ROLLBACK");
    lease_fails(lease, "savepoint a", "25P01");
    ck_assert_str_eq(tag_of(lease, "set a = 1"), "SET");
    ck_assert_str_eq(tag_of(lease, "start transaction"), "START TRANSACTION");
    ck_assert_str_eq(tag_of(lease, "commit"), "COMMIT");
    evpq_lease_release(lease);
    end();
}
END_TEST

static evpq_future *pay(evpq_txn *txn, void *arg)
{
    ++*(int *)arg;
    return evpq_txn_query(txn, "update account set money = money - $1", EVPQ_ARGS(5));
}

/* _i: the statement, or COMMIT. */
START_TEST(a_conflict_is_tried_again)
{
    int called = 0;
    evpq_txn_opts opts = {.size = sizeof opts, .backoff_min = 0.001};
    begin();
    ANSWER(.part = _i ? "COMMIT" : "update", .times = 2, .sqlstate = "40001");
    ANSWER(.part = "update", );
    evpq_future *f = evpq_transact(site.pool, &opts, pay, &called);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_assert_int_eq(called, 3);
    ck_assert_uint_eq(evpq_test_server_count(server, "BEGIN"), 3);
    ck_assert_uint_eq(evpq_test_server_count(server, "COMMIT"), _i ? 3 : 1);
    ck_assert_uint_eq(evpq_test_server_count(server, "ROLLBACK"), _i ? 0 : 2);
    end();
}
END_TEST

/* ---- pipelines ---- */

START_TEST(many_at_once_each_with_its_sync)
{
    enum { N = 300 };
    evpq_future *f[N];
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 3};
    begin_with(NULL, &opts);
    ANSWER(.sql = "bad", .sqlstate = "22012");
    ANSWER(.part = "select", .columns = "n int8", .rows = 1, CELLS("1"));
    for (int i = 0; i < N; i++)
        f[i] = i % 7 ? evpq_pool_query(site.pool, "select $1::int8", EVPQ_ARGS(i))
                     : evpq_pool_query(site.pool, "bad", EVPQ_ARGS());
    for (int i = 0; i < N; i++) {
        evpq_await(f[i]);
        if (i % 7)
            ck_future_ok(f[i]);
        else
            ck_failed(f[i], EVPQ_SERVER, "22012", EVPQ_OUTCOME_REJECTED);
        evpq_future_unref(f[i]);
    }
    ck_assert_uint_eq(evpq_test_server_count(server, "select"), N - (N + 6) / 7);
    end();
}
END_TEST

START_TEST(reads_share_a_transaction)
{
    enum { N = 100 };
    evpq_future *f[N];
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 1};
    begin_with(NULL, &opts);
    ANSWER(.part = "select", .columns = "n int8", .rows = 1, CELLS("1"));
    for (int i = 0; i < N; i++)
        f[i] = evpq_pool_read(site.pool, "select $1::int8", EVPQ_ARGS(i));
    for (int i = 0; i < N; i++) {
        ck_await_ok(f[i]);
        evpq_future_unref(f[i]);
    }
    ck_assert_uint_eq(evpq_test_server_count(server, NULL), N);
    end();
}
END_TEST

/* What is behind the one that fails is skipped, and not received. */
START_TEST(a_batch_fails_as_a_whole)
{
    const evpq_statement batch[] = {
        {"good", EVPQ_ARGS()}, {"bad", EVPQ_ARGS()}, {"good", EVPQ_ARGS()}};
    begin();
    ANSWER(.sql = "bad", .sqlstate = "23505");
    ANSWER(.sql = "good", );
    evpq_future *f = evpq_pool_batch(site.pool, batch, 3);
    evpq_await(f);
    ck_failed(f, EVPQ_SERVER, "23505", EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
    ck_assert_uint_eq(evpq_test_server_count(server, "good"), 1);
    end();
}
END_TEST

START_TEST(a_prepared_statement_is_bound)
{
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 1};
    begin_with(NULL, &opts);
    ANSWER(.part = "select", .columns = "n int8", .rows = 2, CELLS("1", "2"));
    for (int i = 0; i < 5; i++) {
        evpq_future *f = evpq_pool_query(site.pool, "select $1::int8", EVPQ_ARGS(i));
        ck_await_ok(f);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(f), 1, 0), 2);
        evpq_future_unref(f);
        ck_assert_str_eq(evpq_test_server_parameter(server, (size_t)i, 0), strf("%d", i));
    }
    evpq_lease *lease = site_lease(&site);
    ck_assert_str_eq(tag_of(lease, "discard all"), "DISCARD ALL");
    evpq_lease_release(lease);
    ck_assert_str_eq(site_text(&site, "select $1::int8"), "1");
    end();
}
END_TEST

/* evpq asks once more without it: the second answer. */
START_TEST(an_error_that_a_prepared_statement_may_have_caused)
{
    evpq_pool_opts opts = {
        .size = sizeof opts, .max_size = 1, .prepare = _i ? EVPQ_PREPARE_OFF : EVPQ_PREPARE_AUTO};
    begin_with(NULL, &opts);
    ANSWER(.sql = "select 1", .times = 4, .columns = "n int4", .rows = 1, CELLS("1"));
    ANSWER(.sql = "select 1", .times = 1, .sqlstate = "42P01");
    ANSWER(.sql = "select 1", .columns = "n int4", .rows = 1, CELLS("2"));
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(site_text(&site, "select 1"), "1");
    if (_i)
        fails("select 1", EVPQ_SERVER, "42P01", EVPQ_OUTCOME_REJECTED);
    else
        ck_assert_str_eq(site_text(&site, "select 1"), "2");
    end();
}
END_TEST

/* ---- waits, cuts ---- */

START_TEST(what_is_never_answered_can_be_canceled)
{
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 1};
    begin_with(NULL, &opts);
    ANSWER(.sql = "slow", .then = EVPQ_TEST_THEN_NEVER);
    ANSWER(.sql = "select 1", .columns = "n int4", .rows = 1, CELLS("1"));
    site_text(&site, "select 1");
    evpq_future *f = evpq_pool_query(site.pool, "slow", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(site.ev, evpq_test_server_count(server, "slow") == 1, 20));
    f = evpq_timeout(f, 0.01);
    evpq_await(f);
    ck_failed(f, EVPQ_TIMEOUT, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    ck_assert_uint_ge(stats().cancels, 1);
    ck_assert_uint_eq(stats().connections, 1);
    ck_assert_uint_eq(stats().open, 1);
    end();
}
END_TEST

/* A delay of an hour, where an hour is short; and one that lasts. */
START_TEST(delays_are_in_the_script_s_seconds)
{
    evpq_test_server_opts o = {.size = sizeof o, .second = 1e-5};
    begin_with(&o, NULL);
    ANSWER(.sql = "an hour", .delay = 3600);
    ANSWER(.sql = "a year", .delay = 365 * 86400.);
    double before = site_time();
    evpq_future *f = evpq_pool_query(site.pool, "an hour", EVPQ_ARGS());
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_assert_double_ge(site_time() - before, 0.036);
    f = evpq_timeout(evpq_pool_query(site.pool, "a year", EVPQ_ARGS()), 0.02);
    ck_await_status(f, EVPQ_TIMEOUT);
    evpq_future_unref(f);
    end();
}
END_TEST

/* What becomes of a COMMIT whose connection is cut, by where it is. */
START_TEST(a_cut_around_commit)
{
    static const struct {
        evpq_test_then then;
        evpq_status status;
    } cases[] = {{EVPQ_TEST_THEN_CUT_BEFORE, EVPQ_LOST},
                 {EVPQ_TEST_THEN_CUT_WITHIN, EVPQ_LOST},
                 {EVPQ_TEST_THEN_CUT_AFTER, EVPQ_OK}};
    int called = 0;
    begin();
    ANSWER(.part = "update", );
    ANSWER(.sql = "COMMIT", .times = 1, .then = cases[_i].then);
    evpq_future *f = evpq_transact(site.pool, NULL, pay, &called);
    ck_await_status(f, cases[_i].status);
    if (cases[_i].status != EVPQ_OK)
        ck_failed(f, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    ck_assert_int_eq(called, 1);
    ck_assert(RUN_UNTIL(site.ev, stats().open == 0, 10));
    f = evpq_transact(site.pool, NULL, pay, &called);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_assert_uint_eq(stats().connections, 2);
    end();
}
END_TEST

/* Under one Sync, a cut stands whatever the lines of later statements say. _i: that one fails. */
START_TEST(a_cut_is_not_taken_back_by_a_later_statement)
{
    const evpq_statement batch[] = {{"first", EVPQ_ARGS()}, {"second", EVPQ_ARGS()}};
    begin();
    ANSWER(.sql = "first", .times = 1, .then = EVPQ_TEST_THEN_CUT_AFTER);
    ANSWER(.sql = "second", .times = 1, .sqlstate = _i ? "22012" : NULL);
    evpq_future *f = evpq_pool_batch(site.pool, batch, 2);
    ck_await_status(f, _i ? EVPQ_SERVER : EVPQ_OK);
    evpq_future_unref(f);
    ck_assert(RUN_UNTIL(site.ev, stats().open == 0, 10));
    ck_assert_uint_eq(evpq_test_server_count(server, NULL), 2);
    end();
}
END_TEST

START_TEST(all_connections_end_at_a_word)
{
    begin();
    ANSWER(.sql = "slow", .then = EVPQ_TEST_THEN_NEVER);
    evpq_future *f = evpq_pool_query(site.pool, "slow", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(site.ev, evpq_test_server_count(server, "slow") == 1, 10));
    if (_i)
        evpq_test_server_terminate(server);
    else
        evpq_test_server_cut(server);
    ck_assert_uint_eq(stats().open, 0);
    evpq_await(f);
    ck_failed(f, EVPQ_LOST, _i ? "57P01" : "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    end();
}
END_TEST

START_TEST(new_connections_are_refused)
{
    begin();
    ANSWER(.sql = "select 1", .columns = "n int4", .rows = 1, CELLS("1"));
    evpq_test_server_refuse(server, "57P03", "not yet");
    evpq_future *f = evpq_pool_connect(site.pool);
    evpq_await(f);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "57P03");
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), "not yet"));
    evpq_future_unref(f);
    ck_assert_uint_gt(stats().refused, 0);
    ck_assert_uint_eq(stats().connections, 0);
    evpq_test_server_refuse(server, NULL, NULL);
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    end();
}
END_TEST

/* ---- LISTEN ---- */

START_TEST(listeners_hear)
{
    begin();
    evpq_listener *l = evpq_listener_open(site.loop, evpq_test_server_conninfo(server), NULL, NULL);
    evpq_subscription *jobs = evpq_listener_subscribe(l, "jobs", NULL, NULL);
    evpq_future *f = evpq_subscription_ready(jobs);
    ck_await_ok(f);
    evpq_future_unref(f);
    evpq_test_server_notify(server, "others", "not for us");
    evpq_test_server_notify(server, "jobs", "one");
    f = evpq_subscription_next(jobs);
    ck_await_ok(f);
    const evpq_notification *n = evpq_future_notification(f);
    ck_assert_str_eq(evpq_notification_channel(n), "jobs");
    ck_assert_str_eq(evpq_notification_payload(n), "one");
    evpq_future_unref(f);
    evpq_subscription_unref(jobs);
    f = evpq_listener_close(l);
    ck_await_ok(f);
    evpq_future_unref(f);
    evpq_listener_unref(l);
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("scripted");
    CHECK_ADD_LOOP(c, a_row_of_many_types, 2);
    CHECK_ADD(c, a_type_without_a_binary_form_here);
    CHECK_ADD(c, tags);
    CHECK_ADD(c, answers_are_used_in_order_as_often_as_they_say);
    CHECK_ADD(c, what_did_not_come_and_what_was_not_expected);
    CHECK_ADD(c, parameters_are_kept_as_texts);
    CHECK_ADD(c, a_number_has_its_point_in_any_locale);
    CHECK_ADD(c, an_error_has_its_parts);
    CHECK_ADD(c, a_notice_goes_before_its_answer);
    CHECK_ADD(c, fatal_ends_the_connection);
    CHECK_ADD(c, a_failed_transaction_takes_no_more);
    CHECK_ADD_LOOP(c, a_conflict_is_tried_again, 2);
    CHECK_ADD(c, many_at_once_each_with_its_sync);
    CHECK_ADD(c, reads_share_a_transaction);
    CHECK_ADD(c, a_batch_fails_as_a_whole);
    CHECK_ADD(c, a_prepared_statement_is_bound);
    CHECK_ADD_LOOP(c, an_error_that_a_prepared_statement_may_have_caused, 2);
    CHECK_ADD(c, what_is_never_answered_can_be_canceled);
    CHECK_ADD(c, delays_are_in_the_script_s_seconds);
    CHECK_ADD_LOOP(c, a_cut_around_commit, 3);
    CHECK_ADD_LOOP(c, a_cut_is_not_taken_back_by_a_later_statement, 2);
    CHECK_ADD_LOOP(c, all_connections_end_at_a_word, 2);
    CHECK_ADD(c, new_connections_are_refused);
    CHECK_ADD(c, listeners_hear);
    return check_end(c);
}
