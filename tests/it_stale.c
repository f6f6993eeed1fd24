/* it_stale.c - F50, F54, F73: what statements do to their session and to each other, and what a
 * schema that changes does to those that are prepared. */
#include "support/pools.h"

#include <stdio.h>
#include <string.h>

/* ---- F50: SELECT INTO has no company ---- */

static const char *const makers[] = {
    "select 1 as a into temp report",
    "(select 1 as a into temp report)",
    "with x as (select 1 as a) select a into temporary table report from x",
    "/* into */ select 'x' as b, 1 as a into/**/temp report union select 'y', 2",
    "select E'\\'' as b, 1 as a into temp report",
    "select a, x.insert into temp report from (select 1 as a, 2 as insert) x",
    "with x as (select 1 as a) select a, (a) merge into temp report from x"};

START_TEST(f50_a_table_that_hides_another_has_no_company)
{
    server_exec("create table report (a int)");
    open_pool(.max_size = 1 + _i % 2);
    for (int i = 0; i < 40; i++) {
        evpq_future *maker = query(makers[_i]);
        evpq_future *insert = evpq_pool_query(pool, "insert into report values ($1)", EVPQ_ARGS(i));
        ck_done(maker);
        ck_done(insert);
    }
    ck_assert_int_eq(server_count("select count(*) from report"), 40);
    server_exec("drop table report");
    pools_end();
}
END_TEST

/* ---- F54: prepared under another schema ---- */

enum verb { POOL, LEASE, BATCH, MANY, STREAM, VERBS };

/* Runs `sql` with one parameter by that verb, to its end. */
static evpq_status run(enum verb verb, evpq_lease *lease, const char *sql, const char *value)
{
    const evpq_args args = EVPQ_ARGS(value);
    const evpq_statement statement = {.sql = sql, .args = args};
    evpq_stream *stream;
    evpq_future *f;
    switch (verb) {
    case POOL:
        f = evpq_pool_query(pool, sql, args);
        break;
    case LEASE:
        f = evpq_lease_query(lease, sql, args);
        break;
    case BATCH:
        f = evpq_lease_batch(lease, &statement, 1);
        break;
    case MANY:
        f = evpq_lease_executemany(lease, sql, &args, 1);
        break;
    default:
        stream = evpq_lease_stream(lease, sql, args, NULL);
        for (f = evpq_stream_next(stream); evpq_await(f) == EVPQ_OK && evpq_future_result(f);
             f = evpq_stream_next(stream))
            evpq_future_unref(f);
        evpq_stream_close(stream);
        break;
    }
    evpq_status status = evpq_await(f);
    if (status)
        fprintf(stderr, "%s: %s\n", sql, evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    return status;
}

static void many_times(enum verb verb, evpq_lease *lease, const char *value)
{
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(run(verb, lease, "insert into f54 (m) values ($1)", value), EVPQ_OK);
        ck_assert_int_eq(run(verb, lease, "select m from f54 where m = $1", value), EVPQ_OK);
    }
}

static const struct {
    const char *before, *change, *old, *young;
} changes[] = {
    {"create type f54_mood as enum ('a', 'b'); create table f54 (m f54_mood)",
     "alter type f54_mood rename to f54_old; create type f54_mood as enum ('a', 'b', 'c');"
     "alter table f54 alter m type f54_mood using m::text::f54_mood; drop type f54_old",
     "a", "c"},
    {"create table f54 (m int)", "alter table f54 alter m type bigint", "1", "3000000000"},
    {"create table f54 (m int)", "alter table f54 alter m type text", "1", "a word"},
    {"create table f54 (m date)", "alter table f54 alter m type text", "2024-01-01", "soon"},
};
enum { CHANGES = sizeof changes / sizeof *changes };

START_TEST(f54_a_change_of_schema_is_not_seen)
{
    const int which = _i % CHANGES;
    const enum verb verb = (enum verb)(_i / CHANGES);
    server_exec(changes[which].before);
    open_pool(.max_size = 1);
    evpq_lease *lease = verb == POOL ? NULL : lease_get();
    many_times(verb, lease, changes[which].old);
    server_exec(changes[which].change);
    many_times(verb, lease, changes[which].young);
    evpq_lease_release(lease);
    server_exec("drop table f54; drop type if exists f54_mood");
    pools_end();
}
END_TEST

/* What fails without being prepared as well says nothing against the prepared statement. */
START_TEST(f54_what_fails_for_its_value_stays_prepared)
{
    open_pool(.max_size = 1);
    for (int i = 0; i < 4; i++)
        ck_done(evpq_pool_query(pool, "select $1::int", EVPQ_ARGS("1")));
    const char *prepared = "select count(*) from pg_prepared_statements where from_sql = false";
    long n = ask(prepared);
    ck_assert_int_gt(n, 0);
    for (int i = 0; i < 3; i++) {
        evpq_future *f = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS("one"));
        ck_assert_int_eq(evpq_await(f), EVPQ_SERVER);
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "22P02");
        ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_REJECTED);
        evpq_future_unref(f);
    }
    ck_assert_int_ge(ask(prepared), n);
    pools_end();
}
END_TEST

/* A constraint is no schema's fault: it is tried once. */
START_TEST(f54_a_constraint_is_tried_once)
{
    server_exec("create sequence f54_s; create table f54 (a int primary key, b bigint)");
    open_pool(.max_size = 1);
    for (int i = 0; i < 4; i++)
        ck_done(
            evpq_pool_query(pool, "insert into f54 values ($1, nextval('f54_s'))", EVPQ_ARGS(i)));
    evpq_future *f =
        evpq_pool_query(pool, "insert into f54 values ($1, nextval('f54_s'))", EVPQ_ARGS(1));
    ck_assert_int_eq(evpq_await(f), EVPQ_SERVER);
    evpq_future_unref(f);
    ck_assert_int_eq(server_count("select last_value from f54_s"), 5);
    server_exec("drop table f54; drop sequence f54_s");
    pools_end();
}
END_TEST

/* What may be due to its having been prepared is tried once more without, unseen, and no third time. */
START_TEST(f54_what_fails_is_tried_again_once)
{
    static const char sql[] = "select 1 / ($1::int * nextval('f54_s'))";
    const enum verb verb = (enum verb)_i;
    server_exec("create sequence f54_s");
    open_pool(.max_size = 1);
    evpq_lease *lease = verb == POOL ? NULL : lease_get();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(run(verb, lease, sql, "1"), EVPQ_OK);
    for (int i = 0; i < 3; i++) {
        long before = server_count("select last_value from f54_s");
        ck_assert_int_eq(run(verb, lease, sql, "0"), EVPQ_SERVER);
        long times = server_count("select last_value from f54_s") - before;
        ck_assert_msg(times == 1 || times == 2, "it was run %ld times", times);
    }
    evpq_lease_release(lease);
    server_exec("drop sequence f54_s");
    pools_end();
}
END_TEST

/* ---- F73: who forgets the statements ---- */

START_TEST(f73_deallocate_all_by_every_verb)
{
    static const char *const texts[] = {"deallocate all", "discard all"};
    const char *const sql = texts[_i % 2];
    const enum verb verb = (enum verb)(_i / 2);
    open_pool(.max_size = 1, .reset = EVPQ_RESET_ROLLBACK);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ask_on(lease, "select 7"), 7);
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement statement = {.sql = sql, .args = none};
    if (verb == BATCH)
        ck_done(evpq_lease_batch(lease, &(evpq_statement){.sql = texts[0]}, 1));
    else if (verb == MANY)
        ck_done(evpq_lease_executemany(lease, texts[0], &none, 1));
    else if (verb == STREAM)
        exec_on(lease, sql);
    else
        ck_done(evpq_lease_query(lease, statement.sql, none));
    exec_on(lease, "begin");
    ck_assert_int_eq(ask_on(lease, "select 7"), 7);
    exec_on(lease, "commit");
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("stale");
    CHECK_ADD_LOOP(c, f50_a_table_that_hides_another_has_no_company,
                   (int)(sizeof makers / sizeof *makers));
    CHECK_ADD_LOOP(c, f54_a_change_of_schema_is_not_seen, CHANGES * VERBS);
    CHECK_ADD(c, f54_what_fails_for_its_value_stays_prepared);
    CHECK_ADD(c, f54_a_constraint_is_tried_once);
    CHECK_ADD_LOOP(c, f54_what_fails_is_tried_again_once, VERBS);
    CHECK_ADD_LOOP(c, f73_deallocate_all_by_every_verb, 8);
    return check_end(c);
}
