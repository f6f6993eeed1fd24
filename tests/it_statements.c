/* it_statements.c - how one-shot queries share a connection, and what becomes of the statements
 * that are prepared there. */
#include "support/pools.h"

#include "support/seen.h"

#include "pool/pool.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 64 };

static struct conn *the_conn(enum pool_conn_state state)
{
    struct list *node = list_first(&pool->conns[state]);
    ck_assert_ptr_nonnull(node);
    return &container_of(node, struct pool_conn, node)->conn;
}

static bool is_known_quick(const char *sql)
{
    struct conn *c = the_conn(POOL_CONN_IDLE);
    struct request r = {.sql = sql, .sql_length = strlen(sql)};
    struct stmt *s = stmts_use(&c->stmts, &r);
    bool quick = stmt_is_quick(s);
    stmt_unpin(s);
    return quick;
}

/* On a pool of one connection: runs it until it is known to be quick, however slow the machine. */
static void teach(const char *sql)
{
    for (int i = 0; i < 200; i++) {
        ask(sql);
        ck_quiet();
        if (i && is_known_quick(sql))
            return;
    }
    ck_abort_msg("%s is never quick", sql);
}

static void submit(evpq_future **fs, int n, const char *sql)
{
    for (int i = 0; i < n; i++)
        fs[i] = query(sql);
}

static void ck_all_done(evpq_future **fs, int n)
{
    for (int i = 0; i < n; i++)
        ck_done(fs[i]);
}

/* ---- riding ---- */

static const char *const pid = "select pg_backend_pid()";

START_TEST(quick_queries_share_a_connection)
{
    evpq_future *fs[MOST];
    open_pool(.max_size = 1, .pipeline_depth = MOST);
    teach(pid);
    submit(fs, 10, pid);
    ck_assert_int_eq(stats().waiting, 0);
    ck_assert_int_eq(stats().busy, 1);
    ck_assert_int_eq(pipeline_depth(&the_conn(POOL_CONN_SHARED)->pipeline), 10);
    for (int i = 0; i < 10; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0),
                         evpq_result_int8(evpq_future_result(fs[0]), 0, 0));
    }
    for (int i = 0; i < 10; i++)
        evpq_future_unref(fs[i]);
    pools_end();
}
END_TEST

START_TEST(pipeline_depth_is_the_most_that_share)
{
    evpq_future *fs[MOST];
    static const int depths[] = {1, 3};
    for (int i = 0; i < 2; i++) {
        open_pool(.max_size = 1, .pipeline_depth = depths[i]);
        teach(pid);
        submit(fs, 8, pid);
        ck_assert_int_eq(pipeline_depth(&the_conn(POOL_CONN_SHARED)->pipeline), depths[i]);
        ck_assert_int_eq(stats().waiting, 8 - depths[i]);
        for (int left = 8; left; left--) {
            ck_done(fs[8 - left]);
            if (stats().busy)
                ck_assert_int_le(pipeline_depth(&the_conn(POOL_CONN_SHARED)->pipeline), depths[i]);
        }
        pools_end();
    }
}
END_TEST

START_TEST(an_idle_connection_comes_before_a_shared_one)
{
    evpq_future *fs[2];
    open_pool(.max_size = 1, .pipeline_depth = MOST);
    teach(pid);
    ck_assert_int_eq(evpq_pool_resize(pool, 2, 2), EVPQ_OK);
    ck_until(stats().idle == 2);
    submit(fs, 2, pid);
    ck_assert_int_eq(stats().busy, 2);
    ck_await_ok(fs[0]);
    ck_await_ok(fs[1]);
    ck_assert_int_ne(evpq_result_int8(evpq_future_result(fs[0]), 0, 0),
                     evpq_result_int8(evpq_future_result(fs[1]), 0, 0));
    evpq_future_unref(fs[0]);
    evpq_future_unref(fs[1]);
    pools_end();
}
END_TEST

START_TEST(nothing_rides_behind_what_is_not_known_to_be_quick)
{
    static const char *const slow = "select pg_sleep(0.02)";
    static const char *const before[] = {slow, "select 'new'", "set work_mem = '1MB'"};
    open_pool(.max_size = 1, .pipeline_depth = MOST);
    teach(pid);
    ask(slow);
    ck_quiet();
    for (int i = 0; i < 3; i++) {
        evpq_future *first = query(before[i]), *second = query(pid);
        ck_assert_msg(stats().waiting == 1, "rides behind %s", before[i]);
        ck_done(first);
        ck_done(second);
    }
    pools_end();
}
END_TEST

START_TEST(sharing_asks_for_one_more_connection)
{
    evpq_future *fs[MOST];
    open_pool(.max_size = 1, .pipeline_depth = MOST);
    teach(pid);
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 5), EVPQ_OK);
    submit(fs, 10, pid);
    ck_assert_int_eq(stats().connecting, 1);
    ck_all_done(fs, 10);
    pools_end();
}
END_TEST

START_TEST(f06_queries_that_share_commit_or_fail_each_alone)
{
    static const char *const put = "insert into f06 values (1) returning 1";
    static const char *const bad =
        "insert into f06 select 1 / (i - i) from generate_series(1, 1) i";
    server_exec("create table f06 (i int)");
    open_pool(.max_size = 1, .pipeline_depth = MOST);
    teach(put);
    for (int i = 0; i < 2; i++) /* a failure teaches nothing: prepared, or new, it fails alone */
        ck_failed(query(bad), EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    server_exec("truncate f06");
    evpq_future *fs[] = {query(put), query(put), query(bad), query(put)};
    ck_done(fs[0]);
    ck_done(fs[1]);
    ck_failed(fs[2], EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    ck_done(fs[3]);
    ck_assert_int_eq(server_count("select count(*) from f06"), 3);

    /* On one line at the same time: divided by its parameter, the same quick text succeeds or
     * fails. */
    static const char *const divide = "insert into f06 select 10 / $1::int returning 10 / $1::int";
    for (int i = 0; i < 200; i++) {
        ck_done(evpq_pool_query(pool, divide, EVPQ_ARGS(1)));
        ck_quiet();
        if (i && is_known_quick(divide))
            break;
    }
    server_exec("truncate f06");
    for (int i = 0; i < 4; i++)
        fs[i] = evpq_pool_query(pool, divide, EVPQ_ARGS(i % 2 ? 0 : i + 1));
    ck_assert_int_eq(pipeline_depth(&the_conn(POOL_CONN_SHARED)->pipeline), 4);
    for (int i = 0; i < 4; i++) {
        ck_await_status(fs[i], i % 2 ? EVPQ_SERVER : EVPQ_OK);
        evpq_future_unref(fs[i]);
    }
    ck_assert_str_eq(server_text("select string_agg(i::text, ',' order by i) from f06"), "3,10");
    server_exec("drop table f06");
    pools_end();
}
END_TEST

/* One that others ride behind gives up: they are not harmed, and get their own answers. */
START_TEST(a_canceled_query_does_not_harm_those_that_share)
{
    evpq_future *fs[MOST];
    static const char *const sql = "select $1::int";
    open_pool(.max_size = 1, .pipeline_depth = MOST);
    for (int i = 0; i < 200 && (i < 2 || !is_known_quick(sql)); i++) {
        ck_done(evpq_pool_query(pool, sql, EVPQ_ARGS(i)));
        ck_quiet();
    }
    for (int victim = 0; victim < 6; victim++) {
        for (int i = 0; i < 6; i++)
            fs[i] = evpq_pool_query(pool, sql, EVPQ_ARGS(i));
        if (victim % 2) { /* in flight already */
            struct pump p;
            pump_start(&p, evpq_loop_ev(loop), 5);
            pump_turn(&p);
            pump_stop(&p);
        }
        evpq_future_cancel(fs[victim]);
        for (int i = 0; i < 6; i++) {
            evpq_status status = evpq_await(fs[i]);
            if (i != victim)
                ck_future_ok(fs[i]);
            if (status == EVPQ_OK)
                ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0), i);
            evpq_future_unref(fs[i]);
        }
        ck_quiet();
    }
    pools_end();
}
END_TEST

/* ---- F32: the plan is no longer what it was ---- */

static int columns_of(evpq_future *f)
{
    ck_await_ok(f);
    int n = evpq_result_columns(evpq_future_result(f));
    evpq_future_unref(f);
    return n;
}

static const char *const star = "select * from f32";

START_TEST(f32_after_ddl_a_query_succeeds)
{
    server_exec("create table f32 (a int)");
    open_pool(.max_size = 1);
    int columns = 1;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(columns_of(query(star)), columns);
    for (int round = 0; round < 3; round++) {
        server_exec(strf("alter table f32 add column c%d int", columns++));
        evpq_future *fs[] = {query(star), query(star), query(star)}; /* one alone, or sharing */
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(columns_of(fs[i]), columns);
    }
    server_exec("drop table f32; create table f32 (a int, b text, c int, d int, e int)");
    ck_assert_int_eq(columns_of(query(star)), 5);
    ck_assert_uint_eq(stats().connects, 1);
    server_exec("drop table f32");
    pools_end();
}
END_TEST

START_TEST(f32_on_a_lease_outside_a_transaction_it_succeeds)
{
    server_exec("create table f32 (a int)");
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(columns_of(query_on(lease, star)), 1);
    server_exec("alter table f32 add column b int");
    ck_assert_int_eq(columns_of(query_on(lease, star)), 2);
    evpq_lease_release(lease);
    server_exec("drop table f32");
    pools_end();
}
END_TEST

START_TEST(f32_within_a_transaction_it_is_an_error)
{
    server_exec("create table f32 (a int)");
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(columns_of(query_on(lease, star)), 1);
    server_exec("alter table f32 add column b int");
    exec_on(lease, "begin");
    fails_on(lease, star, "0A000");
    fails_on(lease, "select 1", "25P02");
    exec_on(lease, "rollback");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(columns_of(query_on(lease, star)), 2);
    exec_on(lease, "begin");
    ck_assert_int_eq(columns_of(query_on(lease, star)), 2);
    exec_on(lease, "commit");
    evpq_lease_release(lease);
    server_exec("drop table f32");
    pools_end();
}
END_TEST

START_TEST(f32_statements_deallocated_by_the_program_are_prepared_again)
{
    static const char *const ways[] = {"deallocate all", "discard all"};
    open_pool(.max_size = 1, .reset = EVPQ_RESET_NONE);
    for (int i = 0; i < 2; i++) {
        evpq_lease *lease = lease_get();
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(ask_on(lease, "select 5"), 5);
        exec_on(lease, ways[i]);
        ck_assert_int_eq(ask_on(lease, "select 5"), 5);
        evpq_lease_release(lease);
        ask("select 6");
        ask("select 6");
        ck_done(query(ways[i]));
        ck_assert_int_eq(ask("select 6"), 6);
    }
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

/* Whatever else fails is not run twice. */
START_TEST(f32_no_other_error_is_tried_again)
{
    server_exec("create sequence f32_s");
    open_pool(.max_size = 1);
    for (int i = 0; i < 5; i++)
        ck_failed(query("select nextval('f32_s') / (i - i) from generate_series(1, 1) i"),
                  EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    ck_assert_int_eq(ask("select nextval('f32_s')"), 6);
    server_exec("drop sequence f32_s");
    pools_end();
}
END_TEST

/* ---- F33: the cache is bounded ---- */

static const char *const count_prepared = "select count(*) from pg_prepared_statements";

START_TEST(f33_the_server_keeps_no_more_than_prepared_max)
{
    enum { MAX = 8, TEXTS = 40 };
    open_pool(.max_size = 1, .prepared_max = MAX, .reset = EVPQ_RESET_ROLLBACK);
    evpq_lease *lease = lease_get();
    long most = 0;
    for (int i = 0; i < 2 * TEXTS; i++) {
        const char *sql = strf("select %d", i % TEXTS);
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(ask_on(lease, sql), i % TEXTS);
        long n = ask_on(lease, count_prepared);
        ck_assert_int_le(n, MAX);
        most = n > most ? n : most;
    }
    ck_assert_int_eq(most, MAX);
    evpq_future *fs[TEXTS]; /* all at once: more than there is room for */
    for (int i = 0; i < TEXTS; i++)
        fs[i] = query_on(lease, strf("select %d", i));
    for (int i = 0; i < TEXTS; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0), i);
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_le(ask_on(lease, count_prepared), MAX);
    for (int j = 0; j < 3; j++) /* the old make room for what comes */
        ask_on(lease, "select 4711");
    ck_assert_int_eq(ask_on(lease, "select count(*) from pg_prepared_statements"
                                   " where statement = 'select 4711'"),
                     1);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* A statement cannot be closed within a failed transaction: it is closed after it. */
START_TEST(f33_bounded_across_failed_transactions)
{
    enum { MAX = 4 };
    open_pool(.max_size = 1, .prepared_max = MAX);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 30; i++) {
        exec_on(lease, "begin");
        for (int j = 0; j < 3; j++)
            ask_on(lease, strf("select %d", i));
        fails_on(lease, "select 1 / (i - i) from generate_series(1, 1) i", "22012");
        for (int j = 0; j < 3; j++)
            fails_on(lease, strf("select -%d", i), "25P02");
        exec_on(lease, "rollback");
        ask_on(lease, "select 'after'");
        long n = ask_on(lease, count_prepared);
        ck_assert_msg(n <= MAX + 1, "%ld are prepared", n); /* one may be on its way out */
    }
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(what_is_used_stays_prepared)
{
    open_pool(.max_size = 1, .prepared_max = 4);
    evpq_lease *lease = lease_get();
    static const char *const hot = "select name from pg_prepared_statements where statement like "
                                   "'%this one%' /* this one */";
    evpq_future *f;
    char name[64] = "";
    for (int i = 0; i < 40; i++) {
        for (int j = 0; j < 2; j++)
            ask_on(lease, strf("select %d", i));
        f = query_on(lease, hot);
        ck_await_ok(f);
        if (evpq_result_rows(evpq_future_result(f))) {
            const char *now = evpq_result_text(evpq_future_result(f), 0, 0);
            if (*name)
                ck_assert_str_eq(now, name); /* never closed and prepared anew */
            snprintf(name, sizeof name, "%s", now);
        }
        evpq_future_unref(f);
    }
    ck_assert_str_ne(name, "");
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

static void since_when(char to[64])
{
    const char *when =
        ask_text("select coalesce((select prepare_time::text from pg_prepared_statements"
                 " where statement = 'select 54'), 'not')");
    snprintf(to, 64, "%s", when);
}

/* F54: also less than a second. */
START_TEST(f54_what_was_prepared_too_long_ago_is_prepared_again)
{
    char before[64], after[64];
    open_pool(.max_size = 1, .prepared_lifetime = 0.9);
    for (int i = 0; i < 3; i++)
        ask("select 54");
    since_when(before);
    run_for(evpq_loop_ev(loop), 1);
    for (int i = 0; i < 3; i++)
        ask("select 54");
    since_when(after);
    ck_assert_str_ne(before, after);
    pools_end();
}
END_TEST

START_TEST(prepare_can_be_switched_off)
{
    open_pool(.max_size = 1, .prepare = EVPQ_PREPARE_OFF);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(ask_on(lease, count_prepared), 0);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- statements whose parameters declare types ---- */

enum { INT2_OID = 21, INT4_OID = 23, INT8_OID = 20 };

static const evpq_arg *int4_arg(int32_t value)
{
    static evpq_arg arg;
    static unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)((uint32_t)value >> (24 - 8 * i));
    arg = evpq_param_binary(INT4_OID, bytes, sizeof bytes);
    return &arg;
}

static evpq_future *query_int4(evpq_lease *lease, const char *sql, int32_t value)
{
    return evpq_lease_query(lease, sql, (evpq_args){.n = 1, .v = int4_arg(value)});
}

static long number_of(evpq_future *f)
{
    ck_await_ok(f);
    long n = (long)evpq_result_int8(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    return n;
}

/* What is prepared of a text that holds this word, by name or by types. */
static const char *prepared_on(evpq_lease *lease, const char *what, const char *word)
{
    evpq_future *f =
        query_on(lease, strf("select coalesce(string_agg(%s::text, ' ' order by name), '')"
                             " from pg_prepared_statements"
                             " where statement like '%%%s%%'"
                             " and statement not like '%%string_agg%%'",
                             what, word));
    ck_await_ok(f);
    const char *text = strf("%s", evpq_result_text(evpq_future_result(f), 0, 0));
    evpq_future_unref(f);
    return text;
}

/* At the second use it is asked whose session this is. */
START_TEST(a_typed_statement_is_prepared_at_its_third_use_on_a_lease)
{
    static const char *const sql = "select $1 + 1 as typed";
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    char name[64] = "";
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(number_of(query_int4(lease, sql, i)), i + 1);
        ck_assert_str_eq(prepared_on(lease, "parameter_types", "typed"), i > 1 ? "{integer}" : "");
        const char *now = prepared_on(lease, "name", "typed");
        if (i > 2)
            ck_assert_str_eq(now, name);
        snprintf(name, sizeof name, "%s", now);
    }
    /* The type is declared, and the format is another matter. */
    ck_assert_int_eq(number_of(evpq_lease_query(lease, sql, EVPQ_ARGS(evpq_param(INT4_OID, "9")))),
                     10);
    ck_assert_str_eq(prepared_on(lease, "name", "typed"), name);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(one_text_with_other_types_is_another_statement)
{
    static const char *const sql = "select pg_typeof($1)::text || length($1::text) as typed";
    static const struct {
        uint32_t type;
        const char *value, *answer;
    } kinds[] = {{INT4_OID, "12", "integer2"},
                 {INT8_OID, "12345678901", "bigint11"},
                 {INT2_OID, "1", "smallint1"}};
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    char names[160] = "";
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 3; i++) {
            evpq_future *f =
                evpq_lease_query(lease, sql, EVPQ_ARGS(evpq_param(kinds[i].type, kinds[i].value)));
            ck_await_ok(f);
            ck_assert_str_eq(evpq_result_text(evpq_future_result(f), 0, 0), kinds[i].answer);
            evpq_future_unref(f);
        }
        /* At the first that comes back it is asked whose session this is. */
        ck_assert_str_eq(prepared_on(lease, "parameter_types", "typed"),
                         round > 1 ? "{bigint} {smallint} {integer}"
                                   : (round ? "{bigint} {smallint}" : ""));
        const char *now = prepared_on(lease, "name", "typed");
        if (round > 2)
            ck_assert_str_eq(now, names); /* none has pushed out another */
        snprintf(names, sizeof names, "%s", now);
    }
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(a_type_of_zero_is_none)
{
    static const char *const sql = "select $1::int as typed";
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    ck_assert_int_eq(number_of(evpq_lease_query(lease, sql, EVPQ_ARGS(1))), 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(number_of(evpq_lease_query(lease, sql, EVPQ_ARGS(evpq_param(0, "2")))), 2);
        ck_assert_str_eq(prepared_on(lease, "parameter_types", "typed"), i ? "{integer}" : "");
    }
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* What the server refuses with its types is refused each time, and does no harm to others. */
START_TEST(types_that_do_not_fit_are_refused_each_time)
{
    static const char *const sql = "select upper($1) as typed";
    open_pool(.max_size = 1);
    for (int i = 0; i < 4; i++) {
        evpq_future *bad = evpq_pool_query(pool, sql, EVPQ_ARGS(evpq_param(INT4_OID, "1")));
        evpq_future *good = evpq_pool_query(pool, sql, EVPQ_ARGS(evpq_param(25, "a")));
        ck_failed(bad, EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
        ck_done(good);
    }
    pools_end();
}
END_TEST

START_TEST(f32_typed_statements_are_healed)
{
    static const char *const sql = "select * from f32 where $1 = 1";
    static const char *const lost[] = {"deallocate all", "discard all",
                                       "do 'begin execute ''deallocate all''; end'"};
    server_exec("create table f32 (a int)");
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    int columns = 1;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(columns_of(query_int4(lease, sql, 1)), columns);
    for (int i = 0; i < 3; i++) {
        server_exec(strf("alter table f32 add column c%d int", columns++));
        ck_assert_int_eq(columns_of(query_int4(lease, sql, 1)), columns);
        exec_on(lease, lost[i]);
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(columns_of(query_int4(lease, sql, 1)), columns);
    }
    /* Prepared it is, or this would succeed. */
    server_exec("alter table f32 add column last int");
    exec_on(lease, "begin");
    evpq_future *f = query_int4(lease, sql, 1);
    ck_await_status(f, EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "0A000");
    evpq_future_unref(f);
    exec_on(lease, "rollback");
    ck_assert_int_eq(columns_of(query_int4(lease, sql, 1)), columns + 1);
    ck_assert_uint_eq(stats().connects, 1);
    evpq_lease_release(lease);
    server_exec("drop table f32");
    pools_end();
}
END_TEST

/* Many texts, and one text with many types. */
START_TEST(f33_typed_statements_are_bounded_too)
{
    enum { MAX = 4, TYPES = 10 };
    static const uint32_t types[TYPES] = {21, 23, 20, 700, 701, 1700, 25, 1043, 1042, 26};
    open_pool(.max_size = 1, .prepared_max = MAX);
    evpq_lease *lease = lease_get();
    long most = 0;
    for (int i = 0; i < 3 * TYPES; i++) {
        for (int j = 0; j < 3; j++) {
            ck_assert_int_eq(number_of(query_int4(lease, strf("select $1 + %d", i), j)), i + j);
            evpq_future *f = evpq_lease_query(lease, "select $1::text",
                                              EVPQ_ARGS(evpq_param(types[i % TYPES], "1")));
            ck_await_ok(f);
            ck_assert_str_eq(evpq_result_text(evpq_future_result(f), 0, 0), "1");
            evpq_future_unref(f);
        }
        long n = ask_on(lease, count_prepared);
        ck_assert_int_le(n, MAX);
        most = n > most ? n : most;
    }
    ck_assert_int_eq(most, MAX);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("statements");
    CHECK_ADD(c, quick_queries_share_a_connection);
    CHECK_ADD(c, pipeline_depth_is_the_most_that_share);
    CHECK_ADD(c, an_idle_connection_comes_before_a_shared_one);
    CHECK_ADD(c, nothing_rides_behind_what_is_not_known_to_be_quick);
    CHECK_ADD(c, sharing_asks_for_one_more_connection);
    CHECK_ADD(c, f06_queries_that_share_commit_or_fail_each_alone);
    CHECK_ADD(c, a_canceled_query_does_not_harm_those_that_share);
    CHECK_ADD(c, f32_after_ddl_a_query_succeeds);
    CHECK_ADD(c, f32_on_a_lease_outside_a_transaction_it_succeeds);
    CHECK_ADD(c, f32_within_a_transaction_it_is_an_error);
    CHECK_ADD(c, f32_statements_deallocated_by_the_program_are_prepared_again);
    CHECK_ADD(c, f32_no_other_error_is_tried_again);
    CHECK_ADD(c, f33_the_server_keeps_no_more_than_prepared_max);
    CHECK_ADD(c, f33_bounded_across_failed_transactions);
    CHECK_ADD(c, what_is_used_stays_prepared);
    CHECK_ADD(c, f54_what_was_prepared_too_long_ago_is_prepared_again);
    CHECK_ADD(c, prepare_can_be_switched_off);
    CHECK_ADD(c, a_typed_statement_is_prepared_at_its_third_use_on_a_lease);
    CHECK_ADD(c, one_text_with_other_types_is_another_statement);
    CHECK_ADD(c, a_type_of_zero_is_none);
    CHECK_ADD(c, types_that_do_not_fit_are_refused_each_time);
    CHECK_ADD(c, f32_typed_statements_are_healed);
    CHECK_ADD(c, f33_typed_statements_are_bounded_too);
    return check_end(c);
}
