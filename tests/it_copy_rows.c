/* it_copy_rows.c - COPY as rows: encoded as the table's columns want them, and read as any result.
 */
#include "support/pools.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_row(evpq_copy *copy, evpq_args args)
{
    evpq_status status;
    while ((status = evpq_copy_row(copy, args)) == EVPQ_QUEUE_FULL)
        ck_done(evpq_copy_drain(copy));
    ck_assert_msg(status == EVPQ_OK, "%s: %s", evpq_status_name(status),
                  evpq_error_message(evpq_copy_error(copy)));
}

static long finish(evpq_copy *copy)
{
    evpq_future *f = evpq_copy_finish(copy);
    ck_await_ok(f);
    long rows = (long)evpq_result_affected(evpq_future_result(f));
    evpq_future_unref(f);
    return rows;
}

/* It is refused so, its message has these words, and its error the column's name. */
static void refuses(evpq_copy *copy, evpq_args args, evpq_status want, const char *words,
                    const char *column)
{
    evpq_status status;
    while ((status = evpq_copy_row(copy, args)) == EVPQ_QUEUE_FULL)
        ck_done(evpq_copy_drain(copy));
    ck_assert_str_eq(evpq_status_name(status), evpq_status_name(want));
    const evpq_error *error = evpq_copy_error(copy);
    ck_assert_msg(strstr(evpq_error_message(error), words) != NULL, "%s",
                  evpq_error_message(error));
    ck_assert_pstr_eq(evpq_error_column(error), column);
}

START_TEST(rows_are_written_as_their_columns_want_them)
{
    static const uint8_t uuid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    open_pool(.max_size = 1);
    server_exec(
        "drop table if exists copy_types; drop type if exists copy_mood; drop domain if exists copy_small;"
        "drop domain if exists copy_int;"
        "create type copy_mood as enum ('sad', 'glad'); create domain copy_int as int4;"
        "create domain copy_small as copy_int check (value < 10);"
        "create table copy_types(b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, t text,"
        " v varchar(10), y bytea, u uuid, d date, ts timestamp, tz timestamptz, j jsonb, m copy_mood,"
        " s copy_small, a int8[])");
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "copy_types", NULL, 0);
    const int64_t numbers[] = {1, -1};
    put_row(copy, EVPQ_ARGS(true, 2, -4, INT64_MIN, 0.5f, 1e300, evpq_scaled(12345, 2),
                            "te\xc3\xa9xt", "var", evpq_bytes("\0\1", 2), evpq_uuid(uuid),
                            evpq_date(0), evpq_timestamp(1), evpq_timestamptz(-1),
                            evpq_jsonb("{\"a\": 1}"), "glad", 9, evpq_int8s(numbers, 2)));
    evpq_arg nulls[18];
    for (int i = 0; i < 18; i++)
        nulls[i] = evpq_null();
    put_row(copy, (evpq_args){.n = 18, .v = nulls});
    ck_assert_int_eq(finish(copy), 2);
    ck_assert_str_eq(ask_text("set timezone = 'UTC'"), "");
    ck_assert_str_eq(
        ask_text("select copy_types::text from copy_types where b"),
        "(t,2,-4,-9223372036854775808,0.5,1e+300,123.45,te\xc3\xa9xt,var,\"\\\\x0001\","
        "01020304-0506-0708-090a-0b0c0d0e0f10,1970-01-01,\"1970-01-01 00:00:00.000001\","
        "\"1969-12-31 23:59:59.999999+00\",\"{\"\"a\"\": 1}\",glad,9,\"{1,-1}\")");
    ck_assert_int_eq(ask("select count(*) from copy_types where copy_types is null"), 1);
    server_exec("drop table copy_types; drop type copy_mood; drop domain copy_small, copy_int");
    pools_end();
}
END_TEST

/* A row that does not fit is refused by itself; the others are written. */
START_TEST(a_row_that_does_not_fit_is_not_sent)
{
    open_pool(.max_size = 1);
    server_exec(
        "drop table if exists copy_fit; create table copy_fit(a int2, b text, c timestamptz)");
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "copy_fit", NULL, 0);
    put_row(copy, EVPQ_ARGS(1, "one", evpq_timestamptz(0)));
    refuses(copy, EVPQ_ARGS(2, "two"), EVPQ_INVALID, "row 2 has 2 values, and 3 columns", NULL);
    refuses(copy, EVPQ_ARGS(), EVPQ_INVALID, "row 2 has 0 values", NULL);
    refuses(copy, (evpq_args){.n = 3}, EVPQ_INVALID, "row 2 has 0 values", NULL);
    refuses(copy, EVPQ_ARGS(40000, "two", evpq_timestamptz(0)), EVPQ_TYPE, "row 2, column 1", "a");
    refuses(copy, EVPQ_ARGS(2, "two", 3), EVPQ_TYPE, "row 2, column 3", "c");
    refuses(copy, EVPQ_ARGS(2, evpq_textn("a\0b", 3), evpq_null()), EVPQ_INVALID, "row 2, column 2",
            "b");
    refuses(copy, EVPQ_ARGS(2, evpq_textn("x", (size_t)1 << 30), evpq_null()), EVPQ_INVALID,
            "gigabyte", "b");
    put_row(copy, EVPQ_ARGS(evpq_null(), "", evpq_null()));
    ck_assert_ptr_null(evpq_copy_error(copy));
    ck_assert_int_eq(finish(copy), 2);
    ck_assert_int_eq(
        ask("select count(*) from copy_fit where a = 1 and b = 'one' or a is null and b = ''"), 2);
    server_exec("drop table copy_fit");
    pools_end();
}
END_TEST

START_TEST(columns_are_chosen_by_name)
{
    static const char *const some[] = {"odd \"Name\"", "id"};
    static const char *const none[] = {"id", "Id"};
    static const char *const dropped[] = {"........pg.dropped.2........"};
    static const char *const system[] = {"ctid"};
    open_pool(.max_size = 1);
    server_exec(
        "drop schema if exists \"Copy'S\" cascade; create schema \"Copy'S\";"
        "create table \"Copy'S\".\"A b\"(id int, gone int, \"odd \"\"Name\"\"\" text, twice int generated always as (id * 2) stored);"
        "alter table \"Copy'S\".\"A b\" drop column gone");
    const char *table = "\"Copy'S\".\"A b\"";
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, table, some, 2);
    put_row(copy, EVPQ_ARGS("first", 1));
    ck_assert_int_eq(finish(copy), 1);
    copy = evpq_pool_copy_rows_in(pool, table, NULL, 0);
    put_row(copy, EVPQ_ARGS(2, "second"));
    ck_assert_int_eq(finish(copy), 1);
    ck_assert_int_eq(ask("select sum(twice) from \"Copy'S\".\"A b\""), 6);
    struct {
        const char *table;
        const char *const *columns;
        size_t n;
        evpq_status status;
        const char *words;
    } bad[] = {
        {table, none, 2, EVPQ_INVALID, "has no column \"Id\""},
        {table, dropped, 1, EVPQ_INVALID, "has no column"},
        {table, system, 1, EVPQ_INVALID, "has no column"},
        {table, some, 0, EVPQ_INVALID, "no columns"},
        {table, NULL, 1, EVPQ_INVALID, "NULL pointer"},
        {NULL, NULL, 0, EVPQ_INVALID, "NULL pointer"},
        {"no_such_table", NULL, 0, EVPQ_SERVER, "does not exist"},
        {"pg_class; drop table x", NULL, 0, EVPQ_SERVER, "invalid"},
        {"-", NULL, 0, EVPQ_INVALID, "no columns"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        copy = evpq_pool_copy_rows_in(pool, bad[i].table, bad[i].columns, bad[i].n);
        evpq_future *f = evpq_copy_finish(copy);
        ck_await_status(f, bad[i].status);
        ck_assert_msg(strstr(evpq_error_message(evpq_future_error(f)), bad[i].words) != NULL,
                      "%zu: %s", i, evpq_error_message(evpq_future_error(f)));
        evpq_future_unref(f);
    }
    server_exec("drop schema \"Copy'S\" cascade");
    pools_end();
}
END_TEST

START_TEST(no_right_to_read_is_needed)
{
    open_pool(.max_size = 1);
    server_exec(
        "drop table if exists copy_private; drop role if exists copy_writer; create role copy_writer;"
        "create table copy_private(id int); grant insert on copy_private to copy_writer");
    evpq_lease *lease = lease_get();
    exec_on(lease, "set role copy_writer");
    evpq_copy *copy = evpq_lease_copy_rows_in(lease, "copy_private", NULL, 0);
    put_row(copy, EVPQ_ARGS(7));
    ck_assert_int_eq(finish(copy), 1);
    fails_on(lease, "select * from copy_private", "42501");
    evpq_lease_release(lease);
    server_exec("drop table copy_private; drop role copy_writer");
    pools_end();
}
END_TEST

/* Until the types are known nothing is taken, and drain says when they are. */
START_TEST(rows_wait_for_the_types)
{
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_wait; create table copy_wait(id int)");
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "copy_wait", NULL, 0);
    ck_assert_int_eq(evpq_copy_row(copy, EVPQ_ARGS(1)), EVPQ_QUEUE_FULL);
    ck_assert_ptr_null(evpq_copy_error(copy));
    ck_done(evpq_copy_drain(copy));
    ck_assert_int_eq(evpq_copy_row(copy, EVPQ_ARGS(1)), EVPQ_OK);
    ck_assert_int_eq(evpq_copy_write(copy, "x", 1), EVPQ_INVALID);
    ck_assert_int_eq(finish(copy), 1);
    ck_assert_int_eq(finish(evpq_pool_copy_rows_in(pool, "copy_wait", NULL, 0)), 0);
    copy = evpq_pool_copy_in(pool, "copy copy_wait from stdin");
    ck_assert_int_eq(evpq_copy_row(copy, EVPQ_ARGS(1)), EVPQ_INVALID);
    ck_assert_int_eq(evpq_copy_write(copy, "2\n", 2), EVPQ_OK);
    ck_assert_int_eq(finish(copy), 1);
    server_exec("drop table copy_wait");
    pools_end();
}
END_TEST

static long bytes_taken(void)
{
    return server_count(strf("select coalesce(max(bytes_processed), 0) from pg_stat_progress_copy"
                             " join pg_stat_activity using (pid) where application_name = '%s'",
                             pools_app()));
}

/* A row is not kept back until there are more, or the end. */
START_TEST(a_row_that_is_written_goes_at_once)
{
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_now; create table copy_now(id int)");
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "copy_now", NULL, 0);
    put_row(copy, EVPQ_ARGS(1));
    ck_until(bytes_taken() > 0);
    for (int i = 2; i < 5; i++) {
        long before = bytes_taken();
        put_row(copy, EVPQ_ARGS(i));
        ck_until(bytes_taken() > before);
    }
    ck_assert_int_eq(finish(copy), 4);
    server_exec("drop table copy_now");
    pools_end();
}
END_TEST

/* ---- from the server ---- */

/* What was asked for later waits, although the types are asked for first. */
START_TEST(rows_keep_their_place_on_a_lease)
{
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_place; create table copy_place(i int)");
    evpq_lease *lease = lease_get();
    evpq_copy *copy = evpq_lease_copy_rows_in(lease, "copy_place", NULL, 0);
    evpq_copy *from = evpq_lease_copy_rows_out(lease, "select count(*) from copy_place");
    evpq_future *behind = query_on(lease, "update copy_place set i = i + 10 returning i");
    evpq_future *last = query_on(lease, "select sum(i) from copy_place");
    put_row(copy, EVPQ_ARGS(1));
    ck_assert_int_eq(finish(copy), 1);
    evpq_future *read = evpq_copy_read(from);
    ck_await_ok(read);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(read), 0, 0), 1);
    evpq_future_unref(read);
    ck_done(evpq_copy_read(from));
    evpq_copy_close(from);
    ck_await_ok(behind);
    ck_assert_int_eq(evpq_result_int4(evpq_future_result(behind), 0, 0), 11);
    evpq_future_unref(behind);
    ck_await_ok(last);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(last), 0, 0), 11);
    evpq_future_unref(last);
    evpq_lease_release(lease);
    server_exec("drop table copy_place");
    pools_end();
}
END_TEST

START_TEST(a_querys_rows_are_read_as_any_result)
{
    enum { ROWS = 50000 };
    open_pool(.max_size = 1);
    evpq_copy *copy = evpq_pool_copy_rows_out(
        pool,
        "select i::int8 as id, i::float8 / 2 as half, case when i % 3 = 0 then null else 'row ' || i end as \"The name\","
        " timestamptz 'epoch' + i * interval '1 s' as at from generate_series(1, 50000) i -- to the end");
    int64_t id = 0;
    for (;;) {
        evpq_future *f = evpq_copy_read(copy);
        ck_await_ok(f);
        const evpq_result *r = evpq_future_result(f);
        ck_assert_ptr_null(evpq_future_bytes(f, NULL));
        if (!evpq_result_rows(r)) {
            ck_assert_int_eq(evpq_result_affected(r), ROWS);
            evpq_future_unref(f);
            break;
        }
        ck_assert_str_eq(evpq_result_column_name(r, 2), "The name");
        ck_assert_int_eq(evpq_result_column_type(r, 1), 701);
        ck_assert_int_eq(evpq_result_column_format(r, 0), 1);
        for (int row = 0; row < evpq_result_rows(r); row++) {
            id++;
            ck_assert_int_eq(evpq_result_int8(r, row, 0), id);
            ck_assert(evpq_result_float8(r, row, 1) == (double)id / 2);
            ck_assert_int_eq(evpq_result_is_null(r, row, 2), id % 3 == 0);
            ck_assert_pstr_eq(evpq_result_text(r, row, 2),
                              id % 3 ? strf("row %" PRId64, id) : NULL);
            ck_assert_int_eq(evpq_result_timestamptz(r, row, 3), id * 1000000);
        }
        ck_assert_ptr_null(evpq_result_fault(r));
        evpq_future_unref(f);
    }
    ck_assert_int_eq(id, ROWS);
    evpq_copy_close(copy);
    pools_end();
}
END_TEST

static evpq_future *first_read(const char *query)
{
    evpq_copy *copy = evpq_pool_copy_rows_out(pool, query);
    evpq_future *f = evpq_copy_read(copy);
    evpq_await(f);
    evpq_copy_close(copy);
    return f;
}

START_TEST(every_kind_of_query_is_read_and_nothing_else)
{
    static const struct {
        const char *query;
        int rows;
    } good[] = {
        {"values (1), (2)", 2},
        {"table copy_kinds ;", 3},
        {"with w as (select 1) select * from w;", 1},
        {"insert into copy_kinds values (4) returning n", 1},
        {"update copy_kinds set n = n returning n", 4},
        {"select n from copy_kinds where false", 0},
        {"select repeat('x', 300000) from generate_series(1, 1)", 1},
        {"select ')', '(', $$ ; $$, E'\\'' /* ) */", 1},
    };
    static const struct {
        const char *query, *sqlstate;
        evpq_status status;
    } bad[] = {
        {"select 1) to stdout; drop table copy_kinds; --", "", EVPQ_INVALID},
        {"select 1; drop table copy_kinds", "", EVPQ_INVALID},
        {"select 1) to stdout --", "42601", EVPQ_SERVER},
        {"delete from copy_kinds", "", EVPQ_INVALID},
        {"select $1::int", "42P02", EVPQ_SERVER},
        {"show work_mem", "42601", EVPQ_SERVER},
        {"", "", EVPQ_INVALID},
        {";", "", EVPQ_INVALID},
        {NULL, "", EVPQ_INVALID},
        {"select no_such_column", "42703", EVPQ_SERVER},
        {"select 1 / 0", "22012", EVPQ_SERVER},
    };
    open_pool(.max_size = 1);
    server_exec(
        "drop table if exists copy_kinds; create table copy_kinds(n int); insert into copy_kinds values (1), (2), (3)");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        evpq_future *f = first_read(good[i].query);
        ck_future_ok(f);
        ck_assert_int_eq(evpq_result_rows(evpq_future_result(f)), good[i].rows);
        evpq_future_unref(f);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_future *f = first_read(bad[i].query);
        ck_assert_msg(evpq_future_status(f) == bad[i].status, "%zu: %s", i, check_future_text(f));
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), bad[i].sqlstate);
        evpq_future_unref(f);
    }
    ck_assert_int_eq(ask("select count(*) from copy_kinds"), 4);
    server_exec("drop table copy_kinds");
    pools_end();
}
END_TEST

/* What is read is written back by what was read, and nothing changes on the way. */
START_TEST(values_come_back_as_they_went)
{
    enum { ROWS = 20000 };
    open_pool(.max_size = 2);
    server_exec(
        "drop table if exists copy_back, copy_forth;"
        "create table copy_forth as select random() as f8, (random() * 1e9)::int4 as i4,"
        " md5(random()::text) as t, random()::numeric as n, sha256(random()::text::bytea) as y,"
        " now() - random() * interval '100 years' as tz from generate_series(1, 20000);"
        "insert into copy_forth values ('nan', -2147483648, '', 'nan', '', 'infinity'), ('-infinity', 0, null, '1e100', null, '-infinity');"
        "create table copy_back (like copy_forth)");
    evpq_copy *from = evpq_pool_copy_rows_out(pool, "table copy_forth");
    evpq_copy *to = evpq_pool_copy_rows_in(pool, "copy_back", NULL, 0);
    for (int rows = 1; rows;) {
        evpq_future *f = evpq_copy_read(from);
        ck_await_ok(f);
        const evpq_result *r = evpq_future_result(f);
        rows = evpq_result_rows(r);
        for (int row = 0; row < rows; row++) {
            evpq_arg v[6];
            for (int column = 0; column < 6; column++) {
                size_t n;
                const void *raw = evpq_result_raw(r, row, column, &n);
                v[column] = raw ? evpq_param_binary(evpq_result_column_type(r, column), raw, n)
                                : evpq_null();
            }
            put_row(to, (evpq_args){.n = 6, .v = v});
        }
        evpq_future_unref(f);
    }
    evpq_copy_close(from);
    ck_assert_int_eq(finish(to), ROWS + 2);
    ck_assert_int_eq(ask("select count(*) from (table copy_back except all table copy_forth) s"),
                     0);
    server_exec("drop table copy_back, copy_forth");
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("copy_rows");
    CHECK_ADD(c, rows_are_written_as_their_columns_want_them);
    CHECK_ADD(c, a_row_that_does_not_fit_is_not_sent);
    CHECK_ADD(c, columns_are_chosen_by_name);
    CHECK_ADD(c, no_right_to_read_is_needed);
    CHECK_ADD(c, rows_wait_for_the_types);
    CHECK_ADD(c, a_row_that_is_written_goes_at_once);
    CHECK_ADD(c, rows_keep_their_place_on_a_lease);
    CHECK_ADD(c, a_querys_rows_are_read_as_any_result);
    CHECK_ADD(c, every_kind_of_query_is_read_and_nothing_else);
    CHECK_ADD(c, values_come_back_as_they_went);
    return check_end(c);
}
