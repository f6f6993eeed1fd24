/* it_batch.c - many statements, or one for many rows, in one round trip: all or nothing. */
#include "support/txns.h"

#include "support/oom.h"
#include "support/opts.h"
#include "support/proxy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void begin_test(void)
{
    server_exec("set client_min_messages = warning; drop table if exists batch_t;"
                " create table batch_t (i int primary key, t text)");
}

static long count_rows(void)
{
    return server_count("select count(*) from batch_t");
}

#define COUNT(v) (sizeof(v) / sizeof *(v))
#define S(text, ...)                            \
 {                                              \
  .sql = (text), .args = EVPQ_ARGS(__VA_ARGS__) \
 }

/* Who is asked: the pool, a lease, a transaction. */
enum { ON_POOL, ON_LEASE, ON_TXN, ON_ALL };

static evpq_lease *lease;
static evpq_txn *txn;
static double query_timeout;

static void open_on(int on)
{
    open_pool(.max_size = 1, .query_timeout = query_timeout);
    lease = on == ON_LEASE ? lease_get() : NULL;
    txn = on == ON_TXN ? txn_get(NULL) : NULL;
}

static void end_on(bool commits)
{
    if (txn)
        ck_done(commits ? evpq_txn_commit(txn) : evpq_txn_rollback(txn));
    evpq_lease_release(lease);
    ck_all_over();
    pools_end();
}

static evpq_future *batch(int on, const evpq_statement *v, size_t n)
{
    return on == ON_POOL    ? evpq_pool_batch(pool, v, n)
           : on == ON_LEASE ? evpq_lease_batch(lease, v, n)
                            : evpq_txn_batch(txn, v, n);
}

static evpq_future *many(int on, const char *sql, const evpq_args *rows, size_t n)
{
    return on == ON_POOL    ? evpq_executemany(pool, sql, rows, n)
           : on == ON_LEASE ? evpq_lease_executemany(lease, sql, rows, n)
                            : evpq_txn_executemany(txn, sql, rows, n);
}

/* ---- batches ---- */

/* Again and again, so that its statements are run as they are, prepared, and found prepared; also where a limit of the
 * pool's stands around the batch. */
START_TEST(the_results_are_in_order)
{
    begin_test();
    query_timeout = _i < ON_ALL ? 0 : 60;
    open_on(_i % ON_ALL);
    for (int round = 0; round < 4; round++) {
        const evpq_statement v[] = {
            S("insert into batch_t values ($1, $2)", round, "x"),
            S("insert into batch_t values ($1 + 100, $2)", round, "y"),
            S("select count(*) from batch_t"),
            S("select $1::text || $2", "a", "b"),
            S("select $1::text || $2", "c", "d"),
        };
        evpq_future *f = batch(_i % ON_ALL, v, COUNT(v));
        ck_await_ok(f);
        ck_assert_uint_eq(evpq_future_count(f), COUNT(v));
        ck_assert_ptr_null(evpq_future_at(f, COUNT(v)));
        const evpq_result *rs[COUNT(v)];
        for (size_t i = 0; i < COUNT(v); i++) {
            ck_future_ok(evpq_future_at(f, i));
            rs[i] = evpq_future_result(evpq_future_at(f, i));
        }
        ck_assert_int_eq(evpq_future_affected(evpq_future_at(f, 0)), 1);
        ck_assert_int_eq(evpq_result_int8(rs[2], 0, 0), 2 * (round + 1));
        ck_assert_str_eq(evpq_result_text(rs[3], 0, 0), "ab");
        ck_assert_str_eq(evpq_result_text(rs[4], 0, 0), "cd");
        evpq_future *last = evpq_future_ref(evpq_future_at(f, 4));
        evpq_future_unref(f);
        ck_assert_str_eq(evpq_result_text(evpq_future_result(last), 0, 0), "cd");
        evpq_future_unref(last);
    }
    end_on(true);
    ck_assert_int_eq(count_rows(), 8);
}
END_TEST

START_TEST(all_of_a_batch_or_none)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (1)"},
                                       {.sql = "select 1 / (i - 1) from batch_t"},
                                       {.sql = "insert into batch_t values (2)"}};
    begin_test();
    open_on(_i);
    evpq_future *f = batch(_i, v, COUNT(v));
    ck_await_status(f, EVPQ_SERVER);
    const evpq_error *e = evpq_future_error(f);
    ck_assert_str_eq(evpq_error_sqlstate(e), "22012");
    ck_assert_str_eq(evpq_error_sql(e), v[1].sql);
    ck_assert_str_eq(evpq_error_detail(e), "statement 2 of 3");
    ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_REJECTED);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(evpq_future_at(f, 1))), "22012");
    for (size_t i = 0; i < 3; i += 2) {
        const evpq_error *other = evpq_future_error(evpq_future_at(f, i));
        ck_assert_str_eq(evpq_error_sqlstate(other), "25P02");
        ck_assert_ptr_nonnull(strstr(evpq_error_message(other), "statement 2 of the batch failed"));
    }
    evpq_future_unref(f);
    if (txn)
        ck_sqlstate(evpq_txn_commit(txn), "22012");
    txn = NULL;
    end_on(true);
    ck_assert_int_eq(count_rows(), 0);
}
END_TEST

/* The first as well as the others. */
START_TEST(statements_that_come_again_are_prepared)
{
    static const evpq_statement v[] = {{.sql = "select 1 as one"}, {.sql = "select 2 as two"}};
    open_pool(.max_size = 1, .prepare = EVPQ_PREPARE_AUTO);
    evpq_lease *session = lease_get();
    for (int i = 0; i < 4; i++)
        ck_done(evpq_lease_batch(session, v, 2));
    if (!server_is_pooled()) /* then nothing is, as the session is not ours alone */
        ck_assert_int_eq(ask_on(session,
                                "select count(*) from pg_prepared_statements"
                                " where statement in ('select 1 as one', 'select 2 as two')"),
                         2);
    evpq_lease_release(session);
    pools_end();
}
END_TEST

START_TEST(a_batch_that_fails_as_it_is_committed)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_d values (1)"},
                                       {.sql = "insert into batch_d values (1)"}};
    server_exec("create table batch_d (i int unique deferrable initially deferred)");
    open_pool(.max_size = 1);
    evpq_future *f = evpq_pool_batch(pool, v, 2);
    ck_await_status(f, EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(evpq_future_at(f, 0))), "23505");
    ck_sqlstate(f, "23505");
    ck_assert_int_eq(server_count("select count(*) from batch_d"), 0);
    server_exec("drop table batch_d");
    pools_end();
}
END_TEST

START_TEST(what_cannot_be_in_a_batch)
{
    static const char *const texts[] = {"begin", "commit", "copy batch_t from stdin", NULL};
    begin_test();
    open_on(_i);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const evpq_statement v[] = {{.sql = "select 1"}, {.sql = texts[i]}};
        evpq_future *f = batch(_i, v, 2);
        ck_await_status(f, EVPQ_INVALID);
        ck_assert_ptr_nonnull(strstr(evpq_error_detail(evpq_future_error(f)), "statement 2 of 2"));
        ck_failed(f, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    }
    ck_failed(batch(_i, NULL, 0), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    const evpq_statement vacuum[] = {{.sql = "select 1"}, {.sql = "vacuum batch_t"}};
    ck_sqlstate(batch(_i, vacuum, 2), "25001");
    end_on(false);
}
END_TEST

/* The limit is looked at before the statements, of which the first is bad here. */
START_TEST(a_batch_has_a_limit)
{
    static const evpq_statement bad[] = {{.sql = NULL}};
    const size_t most = INT_MAX / 4;
    open_on(_i);
    evpq_future *f = batch(_i, bad, most);
    ck_await_status(f, EVPQ_INVALID);
    ck_assert_str_eq(evpq_error_detail(evpq_future_error(f)), strf("statement 1 of %zu", most));
    evpq_future_unref(f);
    f = batch(_i, bad, most + 1);
    ck_await_status(f, EVPQ_INVALID);
    const char *message = evpq_error_message(evpq_future_error(f));
    ck_assert_msg(strstr(message, strf("has %zu statements", most + 1)) &&
                      strstr(message, strf("at most %zu", most)),
                  "%s", message);
    ck_failed(f, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    end_on(false);
}
END_TEST

START_TEST(nothing_to_ask)
{
    static const evpq_statement v[] = {{.sql = "select 1"}};
    ck_failed(evpq_pool_batch(NULL, v, 1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_lease_batch(NULL, v, 1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_txn_batch(NULL, v, 1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_executemany(NULL, "", NULL, 0), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_lease_executemany(NULL, "", NULL, 0), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_txn_executemany(NULL, "", NULL, 0), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(evpq_future_affected(NULL), -1);
}
END_TEST

/* A statement that leaves a mark on its session: the connection is reset before another has it. */
START_TEST(a_batch_leaves_no_mark)
{
    static const evpq_statement v[] = {{.sql = "create temp table mark (i int)"},
                                       {.sql = "set work_mem = '1MB'"}};
    open_pool(.max_size = 1);
    ck_done(evpq_pool_batch(pool, v, 2));
    ck_assert_str_ne(ask_text("show work_mem"), "1MB");
    ck_assert_str_eq(ask_text("select coalesce(to_regclass('pg_temp.mark')::text, '')"), "");
    pools_end();
}
END_TEST

START_TEST(f32_a_stale_plan_is_run_again_outside_a_transaction)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (default)"},
                                       {.sql = "select * from batch_t limit 1"}};
    const evpq_args rows[] = {EVPQ_ARGS(), EVPQ_ARGS()};
    const char *returning = "insert into batch_t default values returning *";
    begin_test();
    server_exec("create sequence batch_s; alter table batch_t alter i set default"
                " nextval('batch_s')");
    open_on(_i);
    for (int round = 0; round < 3; round++) {
        ck_done(batch(_i, v, 2));
        ck_done(many(_i, returning, rows, 2));
    }
    if (txn)
        ck_done(evpq_txn_commit(txn));
    server_exec("alter table batch_t add more int");
    if (txn)
        txn = txn_get(NULL);
    if (txn) {
        ck_sqlstate(batch(_i, v, 2), "0A000");
        ck_done(evpq_txn_rollback(txn));
        txn = txn_get(NULL);
        ck_sqlstate(many(_i, returning, rows, 2), "0A000");
    } else {
        ck_done(batch(_i, v, 2));
        ck_done(many(_i, returning, rows, 2));
        ck_assert_int_eq(count_rows(), 12);
    }
    end_on(false);
    server_exec("drop table batch_t; drop sequence batch_s");
}
END_TEST

/* In a transaction that the program began by itself: what failed is not run in it again. */
START_TEST(f32_a_stale_plan_in_the_programs_own_transaction)
{
    static const evpq_statement v[] = {{.sql = "select * from batch_t"}, {.sql = "select 1"}};
    const evpq_args rows[] = {EVPQ_ARGS(), EVPQ_ARGS()};
    begin_test();
    open_on(ON_LEASE);
    for (int round = 0; round < 3; round++)
        ck_done(_i ? many(ON_LEASE, v[0].sql, rows, 2) : batch(ON_LEASE, v, 2));
    exec_on(lease, "begin");
    server_exec("alter table batch_t add more int");
    ck_sqlstate(_i ? many(ON_LEASE, v[0].sql, rows, 2) : batch(ON_LEASE, v, 2), "0A000");
    exec_on(lease, "rollback");
    end_on(false);
}
END_TEST

/* A Prepare ahead, not answered yet, comes to nothing: what follows must not rely on it. */
START_TEST(a_prepare_that_comes_to_nothing)
{
    static const evpq_statement v[] = {{.sql = "select count(*) from batch_t"}};
    const evpq_args rows[] = {EVPQ_ARGS()};
    begin_test();
    open_on(ON_LEASE);
    exec_on(lease, v[0].sql); /* to be prepared the next time */
    exec_on(lease, "begin");
    evpq_future *save = evpq_lease_query(lease, "savepoint a", EVPQ_ARGS()),
                *bad = evpq_lease_query(lease, "select 1 / 0", EVPQ_ARGS()),
                *lost = evpq_lease_query(lease, v[0].sql, EVPQ_ARGS()),
                *back = evpq_lease_query(lease, "rollback to a", EVPQ_ARGS()),
                *after = _i ? many(ON_LEASE, v[0].sql, rows, 1) : batch(ON_LEASE, v, 1);
    ck_done(save);
    ck_sqlstate(bad, "22012");
    ck_sqlstate(lost, "25P02");
    ck_done(back);
    ck_done(after);
    exec_on(lease, "commit");
    end_on(false);
}
END_TEST

START_TEST(a_batch_is_canceled_as_a_whole)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (1)"},
                                       {.sql = "select pg_sleep(60)"},
                                       {.sql = "insert into batch_t values (2)"}};
    begin_test();
    open_on(_i);
    for (int how = 0; how < 4; how++) {
        evpq_future *f = batch(_i, v, 3);
        if (how & 1)
            ck_running(1);
        evpq_future_cancel(how & 2 ? evpq_future_at(f, 2) : f);
        ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)),
                         how & 1 ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT);
        for (size_t i = 0; i < 3; i++)
            ck_future_status(evpq_future_at(f, i), EVPQ_CANCELED);
        ck_await_status(f, EVPQ_CANCELED);
        evpq_future_unref(f);
        if (txn) {
            ck_done(evpq_txn_rollback(txn));
            txn = txn_get(NULL);
        }
        ck_until(server_runs() == 0);
        ck_assert_int_eq(count_rows(), 0);
    }
    end_on(false);
}
END_TEST

START_TEST(a_batch_is_let_go_of)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (1)"}};
    begin_test();
    open_on(_i);
    evpq_future *f = batch(_i, v, 1), *child = evpq_future_ref(evpq_future_at(f, 0));
    evpq_future_unref(f);
    ck_done(child);
    end_on(true);
    ck_assert_int_eq(count_rows(), 1);
}
END_TEST

/* ---- one statement for many rows ---- */

static const char insert[] = "insert into batch_t values ($1, $2)";

/* Rows 0 to n - 1, each with `length` bytes of text. Given: free. */
static evpq_args *rows_new(size_t n, size_t length)
{
    char *text = malloc(length + 1);
    memset(text, 'x', length);
    text[length] = '\0';
    evpq_args *rows = malloc(n * sizeof *rows);
    evpq_arg *args = malloc(2 * n * sizeof *args + sizeof text);
    for (size_t i = 0; i < n; i++) {
        args[2 * i] = evpq_int((int64_t)i);
        args[2 * i + 1] = evpq_text(text);
        rows[i] = (evpq_args){.n = 2, .v = &args[2 * i]};
    }
    return rows;
}

static void rows_free(evpq_args *rows)
{
    free((void *)(uintptr_t)rows[0].v[1].value.data);
    free((void *)(uintptr_t)rows[0].v);
    free(rows);
}

START_TEST(every_row_is_run)
{
    static const size_t counts[] = {1, 2, 3000, 5};
    begin_test();
    open_on(_i);
    for (size_t i = 0; i < COUNT(counts); i++) {
        evpq_args *rows = rows_new(counts[i], 40);
        evpq_future *f = many(_i, insert, rows, counts[i]);
        rows_free(rows);
        ck_await_ok(f);
        ck_assert_int_eq(evpq_future_affected(f), (int64_t)counts[i]);
        ck_assert_ptr_null(evpq_future_result(f));
        evpq_future_unref(f);
        const evpq_args none[] = {EVPQ_ARGS()};
        f = many(_i, "delete from batch_t", none, 1);
        ck_await_ok(f);
        ck_assert_int_eq(evpq_future_affected(f), (int64_t)counts[i]);
        evpq_future_unref(f);
    }
    end_on(true);
}
END_TEST

/* Another statement behind it, and the commit, wait for their turn. */
START_TEST(it_rides_in_a_transaction)
{
    begin_test();
    open_on(ON_TXN);
    evpq_args *rows = rows_new(5000, 100);
    evpq_future *fs[] = {query_in(txn, "insert into batch_t values (-1)"),
                         evpq_txn_executemany(txn, insert, rows, 5000),
                         query_in(txn, "select count(*) from batch_t"), evpq_txn_commit(txn)};
    txn = NULL;
    rows_free(rows);
    ck_await_ok(fs[2]);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[2]), 0, 0), 5001);
    for (int i = 0; i < 4; i++)
        ck_done(fs[i]);
    end_on(true);
    ck_assert_int_eq(count_rows(), 5001);
}
END_TEST

/* The row that fails is early, late, the first, the last: of few, and of more than fit into all the
 * buffers on the way. */
START_TEST(all_rows_or_none)
{
    static const struct {
        size_t n, bad;
    } cases[] = {{1, 0}, {3, 0}, {3, 1}, {3, 2}, {20000, 0}, {20000, 10}, {20000, 19999}};
    begin_test();
    open_on(_i);
    for (size_t i = 0; i < COUNT(cases); i++) {
        evpq_args *rows = rows_new(cases[i].n, 500);
        ((evpq_arg *)(uintptr_t)rows[cases[i].bad].v)[0] = evpq_text("not a number");
        evpq_future *f = many(_i, insert, rows, cases[i].n);
        rows_free(rows);
        ck_await_status(f, EVPQ_SERVER);
        const evpq_error *e = evpq_future_error(f);
        ck_assert_str_eq(evpq_error_sqlstate(e), "22P02");
        ck_assert_str_eq(evpq_error_detail(e),
                         strf("row %zu of %zu", cases[i].bad + 1, cases[i].n));
        ck_assert_str_eq(evpq_error_sql(e), insert);
        evpq_future_unref(f);
        if (txn) {
            ck_sqlstate(evpq_txn_commit(txn), "22P02");
            txn = txn_get(NULL);
        }
        ck_assert_int_eq(count_rows(), 0);
    }
    ck_sqlstate(many(_i, "insert into no_such_table values ($1)",
                     (const evpq_args[]){EVPQ_ARGS(1), EVPQ_ARGS(2)}, 2),
                "42P01");
    end_on(false);
}
END_TEST

START_TEST(rows_that_do_not_agree)
{
    open_pool(.max_size = 1);
    const evpq_args counts[] = {EVPQ_ARGS(1), EVPQ_ARGS(1, 2)};
    const evpq_args types[] = {EVPQ_ARGS(1), EVPQ_ARGS(evpq_param(25, "x"))};
    ck_failed(evpq_executemany(pool, "select $1", counts, 2), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_executemany(pool, "select $1", types, 2), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_executemany(pool, "select $1", types, 0), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_executemany(pool, NULL, types, 1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_executemany(pool, "commit", types, 1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

/* Rows that return more than they send: the server's buffers fill while ours do (F27). */
START_TEST(f27_both_sides_buffers_full)
{
    enum { N = 2000 };
    open_pool(.max_size = 1);
    evpq_args *rows = rows_new(N, 20000);
    evpq_future *f = evpq_executemany(pool, "select $2::text || $2, $1::int", rows, N);
    rows_free(rows);
    ck_await_ok(f);
    ck_assert_int_eq(evpq_future_affected(f), N);
    evpq_future_unref(f);
    pools_end();
}
END_TEST

/* Canceled when part of the rows is on the server: none of them is kept. */
START_TEST(canceled_in_the_middle)
{
    enum { N = 20000 };
    begin_test();
    open_on(_i);
    for (int how = 0; how < 3; how++) {
        evpq_args *rows = rows_new(N, 2000);
        evpq_future *f = many(_i, insert, rows, N);
        rows_free(rows);
        if (how)
            run_for(evpq_loop_ev(loop), 0.02 * how);
        evpq_future_cancel(f);
        if (evpq_await(f) == EVPQ_OK) /* it was quick */
            server_exec("delete from batch_t");
        evpq_future_unref(f);
        if (txn) { /* what was sent of it dooms the transaction, or nothing was sent */
            evpq_future_unref(query_in(txn, "select 1"));
            evpq_future *end = evpq_txn_commit(txn);
            evpq_await(end);
            evpq_future_unref(end);
            txn = NULL;
        }
        if (lease)
            ck_assert_int_eq(ask_on(lease, "select 1"), 1);
        else
            ck_all_over();
        ck_assert_int_eq(count_rows(), 0);
        if (_i == ON_TXN)
            txn = txn_get(NULL);
    }
    end_on(false);
}
END_TEST

static struct proxy *proxy;

static void open_through_proxy(void)
{
    proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .backoff_min = 0.05, .backoff_max = 0.05);
}

static void end_with_proxy(void)
{
    ck_all_over();
    pools_end();
    proxy_stop(proxy);
}

/* Some 40 MB, of which a part is on its way, and the rest waits for the socket. */
static evpq_future *many_in_part(evpq_txn *t)
{
    enum { N = 20000 };
    evpq_args *rows = rows_new(N, 2000);
    uint64_t before = proxy_stats(proxy).bytes[PROXY_TO_SERVER];
    evpq_future *f =
        t ? evpq_txn_executemany(t, insert, rows, N) : evpq_executemany(pool, insert, rows, N);
    rows_free(rows);
    ck_until(proxy_stats(proxy).bytes[PROXY_TO_SERVER] > before + 1000000);
    return f;
}

/* What keeps the Sync from committing is said once, though the cancel request comes to nothing. */
START_TEST(what_is_called_off_is_spoiled_once)
{
    begin_test();
    open_through_proxy();
    proxy_cancels(proxy, PROXY_CANCEL_DROP, 0);
    evpq_future *f = many_in_part(NULL);
    proxy_arm(proxy, &(struct proxy_trigger){.dir = PROXY_TO_SERVER,
                                             .act = PROXY_CUT,
                                             .bytes = "executemany was called off",
                                             .nth = 2});
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_quiet();
    ck_assert_int_eq(proxy_stats(proxy).fired, 0);
    ck_assert_int_eq(count_rows(), 0);
    end_with_proxy();
}
END_TEST

/* Its failure is its own: what shares the Sync and was carried out before it is told so. */
START_TEST(what_is_called_off_spoils_nothing_before_it)
{
    begin_test();
    open_through_proxy();
    evpq_txn *t = txn_get(NULL);
    evpq_future *first = query_in(t, "insert into batch_t values (-1)");
    evpq_future *f = many_in_part(t);
    ck_future_pending(first);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_done(first);
    ck_done(evpq_txn_rollback(t));
    ck_assert_int_eq(count_rows(), 0);
    end_with_proxy();
}
END_TEST

/* ---- accidents ---- */

/* The connection that it got is dead before it is sent, and there is no other for now. */
START_TEST(what_was_not_sent_waits_for_another_connection)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (1, 'x')"}};
    const evpq_args row = EVPQ_ARGS(2, "y");
    begin_test();
    open_through_proxy();
    ck_assert_int_eq(ask("select 1"), 1);
    evpq_future *f = _i ? evpq_executemany(pool, insert, &row, 1) : evpq_pool_batch(pool, v, 1);
    proxy_door(proxy, PROXY_REFUSE);
    proxy_cut(proxy);
    f = evpq_timeout(f, 0.5);
    ck_await_status(f, EVPQ_TIMEOUT);
    const char *message = evpq_error_message(evpq_future_error(f));
    ck_assert_msg(strstr(message, "number 1 in the queue") != NULL, "%s", message);
    ck_failed(f, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_uint_eq(stats().lost, 1);
    proxy_door(proxy, PROXY_OPEN);
    ck_assert_int_eq(ask("select 1"), 1);
    ck_assert_int_eq(count_rows(), 0);
    end_with_proxy();
}
END_TEST

static evpq_future *asked[2];

static void ask_both(int on)
{
    static const evpq_statement v[] = {{.sql = "select pg_sleep(60)"}, {.sql = "select 2"}};
    static const evpq_arg arg = {.kind = EVPQ_ARG_INT};
    static const evpq_args rows[] = {{.n = 1, .v = &arg}, {.n = 1, .v = &arg}};
    asked[0] = batch(on, v, 2);
    asked[1] = many(on, "select pg_sleep(60 + $1)", rows, 2);
}

/* In the queue of the pool: it leaves it, and is not run when its turn would have come. */
START_TEST(canceled_while_it_waits_for_a_connection)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (1, 'x')"}};
    const evpq_args row = EVPQ_ARGS(2, "y");
    begin_test();
    open_on(ON_LEASE);
    for (int i = 0; i < 4; i++) {
        evpq_future *f =
            i % 2 ? evpq_executemany(pool, insert, &row, 1) : evpq_pool_batch(pool, v, 1);
        ck_until(stats().waiting == 1);
        evpq_future_cancel(f);
        ck_assert_int_eq(stats().waiting, 0);
        ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    }
    end_on(true);
    ck_assert_int_eq(count_rows(), 0);
}
END_TEST

START_TEST(the_backend_is_killed)
{
    open_on(_i);
    ask_both(_i);
    ck_running(1);
    server_kill_backends(pools_app());
    ck_failed(asked[0], EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    if (_i == ON_POOL)
        ck_running(1);                            /* it was not sent: it goes another way */
    else if (evpq_await(asked[1]) == EVPQ_SERVER) /* in one segment with the other */
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(asked[1])), "25P02");
    else
        ck_await_status(asked[1], EVPQ_LOST);
    evpq_future_cancel(asked[1]);
    evpq_future_unref(asked[1]);
    end_on(false);
}
END_TEST

START_TEST(the_pool_is_closed_meanwhile)
{
    open_on(_i);
    ask_both(_i);
    ck_running(1);
    ck_done(evpq_pool_close(pool, 0));
    for (int i = 0; i < 2; i++) {
        ck_await_status(asked[i], EVPQ_CLOSED);
        evpq_future_unref(asked[i]);
    }
    static const evpq_statement v[] = {{.sql = "select 1"}};
    ck_failed(evpq_pool_batch(pool, v, 1), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    if (txn)
        ck_done(evpq_txn_rollback(txn));
    evpq_lease_release(lease);
    pool = evpq_pool_unref(pool);
    pools_end();
}
END_TEST

/* ---- no memory ---- */

enum { FUTURES = 10 };

static evpq_future *futures[FUTURES];
static evpq_status ends[FUTURES];

static evpq_future *inserts(evpq_txn *t, void *arg)
{
    (void)arg;
    return query_in(t, "insert into batch_t values (7)");
}

static void wait_for(evpq_future *f)
{
    RUN_UNTIL(evpq_loop_ev(loop), evpq_future_status(f) != EVPQ_PENDING, 10);
}

static void work(evpq_args *rows)
{
    static const evpq_statement v[] = {{.sql = "insert into batch_t values (1)"},
                                       {.sql = "insert into batch_t values (2)"}};
    futures[0] = evpq_pool_batch(pool, v, 2);
    wait_for(futures[0]);
    futures[1] = evpq_executemany(pool, "delete from batch_t where i = $1 or t = $2", rows, 3);
    wait_for(futures[1]);
    futures[2] = evpq_pool_begin(pool, TXN_OPTS(.probe = true));
    wait_for(futures[2]);
    evpq_txn *t = evpq_future_txn(futures[2]), *inner = evpq_txn_savepoint(t);
    futures[3] = evpq_txn_query(inner, "insert into batch_t values (3)", EVPQ_ARGS());
    futures[4] = evpq_txn_rollback(inner);
    wait_for(futures[4]);
    futures[5] = evpq_txn_batch(t, v, 2);
    futures[6] = evpq_txn_commit(t);
    wait_for(futures[6]);
    futures[7] = evpq_transact(pool, NULL, inserts, NULL);
    wait_for(futures[7]);
    futures[8] = evpq_pool_begin(pool, NULL);
    wait_for(futures[8]);
    t = evpq_future_txn(futures[8]);
    evpq_future_unref(evpq_txn_query(t, "insert into batch_t values (9)", EVPQ_ARGS()));
    futures[9] = evpq_txn_rollback(t);
    wait_for(futures[9]);
}

/* What says that it was committed was, and nothing else. */
static void ck_truth(void)
{
    ck_assert_int_eq(server_count("select count(*) from batch_t where i in (3, 9)"), 0);
    if (ends[7] == EVPQ_OK)
        ck_assert_int_eq(server_count("select count(*) from batch_t where i = 7"), 1);
    if (ends[6] == EVPQ_OK && ends[5] == EVPQ_OK)
        ck_assert_int_eq(server_count("select count(*) from batch_t where i in (1, 2)"), 2);
}

START_TEST(no_memory_for_a_moment_is_survived)
{
    begin_test();
    evpq_args *rows = rows_new(3, 10);
    char conninfo[512], app[40];
    snprintf(app, sizeof app, "evpq-oom-%ld", (long)getpid());
    snprintf(conninfo, sizeof conninfo, "%s application_name=%s",
             server_conninfo(SERVER_UNIX, NULL), app);
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.max_size = 2;
    opts.backoff_min = 0.001;
    opts.backoff_max = 0.005;
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, conninfo, &opts, NULL); /* without an eye on it that allocates */
    EACH_ALLOCATION(n, failed) {
        ck_assert_int_eq(ask("select 1"), 1);
        oom_fail_at(n);
        work(rows);
        failed = oom_end();
        for (int i = 0; i < FUTURES; i++) {
            ends[i] = evpq_future_status(futures[i]);
            ck_assert_msg(ends[i] != EVPQ_PENDING, "future %d of allocation %ld", i, n);
            if (!failed && i != 3) /* which its rollback called off */
                ck_assert_msg(ends[i] == EVPQ_OK, "future %d: %s", i,
                              check_future_text(futures[i]));
            evpq_future_unref(futures[i]);
        }
        ck_until(no_task_left());
        ck_quiet();
        ck_assert_int_eq(server_count(strf("select count(*) from pg_stat_activity where"
                                           " application_name = '%s' and state <> 'idle'",
                                           app)),
                         0);
        ck_truth();
        server_exec("delete from batch_t");
    }
    rows_free(rows);
    ck_done(evpq_timeout(evpq_pool_close(pool, 5), 10));
    pool = evpq_pool_unref(pool);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
}
END_TEST

/* The two answers by which a connection learns who is at its other end come one after the other, and a batch is asked
 * for in between. */
START_TEST(the_peer_is_asked_once_at_a_time)
{
    const evpq_statement v[] = {S("select 1"), S("select 2")};
    for (int bytes = 10; bytes < 250; bytes += 10) {
        struct proxy *p = server_proxy();
        open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), .max_size = 1);
        lease = lease_get();
        proxy_arm_after(p, PROXY_TO_CLIENT, (uint64_t)bytes, PROXY_STALL);
        evpq_future *first = evpq_lease_batch(lease, v, COUNT(v));
        run_for(evpq_loop_ev(loop), 0.02);
        evpq_future *second = evpq_timeout(evpq_lease_batch(lease, v, COUNT(v)), 0.01);
        run_for(evpq_loop_ev(loop), 0.02);
        proxy_cut(p);
        evpq_await(first);
        evpq_future_unref(first);
        evpq_await(second); /* its deadline looks for what it waits for */
        evpq_future_unref(second);
        evpq_lease_release(lease);
        pools_end();
        proxy_stop(p);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("batches");
    CHECK_ADD_LOOP(c, the_results_are_in_order, 2 * ON_ALL);
    CHECK_ADD_LOOP(c, all_of_a_batch_or_none, ON_ALL);
    CHECK_ADD(c, statements_that_come_again_are_prepared);
    CHECK_ADD(c, a_batch_that_fails_as_it_is_committed);
    CHECK_ADD_LOOP(c, what_cannot_be_in_a_batch, ON_ALL);
    CHECK_ADD_LOOP(c, a_batch_has_a_limit, ON_ALL);
    CHECK_ADD(c, nothing_to_ask);
    CHECK_ADD(c, a_batch_leaves_no_mark);
    CHECK_ADD_LOOP(c, f32_a_stale_plan_is_run_again_outside_a_transaction, ON_ALL);
    CHECK_ADD_LOOP(c, f32_a_stale_plan_in_the_programs_own_transaction, 2);
    CHECK_ADD_LOOP(c, a_prepare_that_comes_to_nothing, 2);
    CHECK_ADD_LOOP(c, a_batch_is_canceled_as_a_whole, ON_ALL);
    CHECK_ADD_LOOP(c, a_batch_is_let_go_of, ON_ALL);
    CHECK_ADD_LOOP(c, every_row_is_run, ON_ALL);
    CHECK_ADD(c, it_rides_in_a_transaction);
    CHECK_ADD_LOOP(c, all_rows_or_none, ON_ALL);
    CHECK_ADD(c, rows_that_do_not_agree);
    CHECK_ADD(c, f27_both_sides_buffers_full);
    CHECK_ADD_LOOP(c, canceled_in_the_middle, ON_ALL);
    CHECK_ADD(c, what_is_called_off_is_spoiled_once);
    CHECK_ADD(c, what_is_called_off_spoils_nothing_before_it);
    CHECK_ADD_LOOP(c, what_was_not_sent_waits_for_another_connection, 2);
    CHECK_ADD(c, canceled_while_it_waits_for_a_connection);
    CHECK_ADD_LOOP(c, the_backend_is_killed, ON_ALL);
    CHECK_ADD_LOOP(c, the_pool_is_closed_meanwhile, ON_ALL);
    CHECK_ADD_SLOW(c, no_memory_for_a_moment_is_survived, 120);
    CHECK_ADD(c, the_peer_is_asked_once_at_a_time);
    return check_end(c);
}
