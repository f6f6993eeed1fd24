/* it_copy_faults.c - COPY broken at every step: by the server, the program, the link, and the pool.
 * Whatever happens everybody is told, and the next user finds the connection as new. */
#include "support/pools.h"
#include "support/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int pid;

/* A pool of one connection, and a table that is to stay as it is. */
static void begin(void)
{
    open_pool(.max_size = 1, .cancel_timeout = 30);
    server_exec(
        "drop table if exists copy_fault; create table copy_fault(n int primary key, t text)");
    pid = (int)ask("select pg_backend_pid()");
}

/* The same connection is good for the next, and in pipeline mode. */
static void end(bool same)
{
    evpq_future *both[] = {query("select pg_backend_pid()"), query("select pg_backend_pid()")};
    for (int i = 0; i < 2; i++) {
        ck_await_ok(both[i]);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(both[i]), 0, 0) == pid, same);
        evpq_future_unref(both[i]);
    }
    ck_assert_int_eq(ask("select count(*) from copy_fault"), 0);
    server_exec("drop table copy_fault");
    pools_end();
}

static evpq_copy *copy_in(void)
{
    return evpq_pool_copy_in(pool, "copy copy_fault from stdin");
}

static evpq_copy *copy_out(void)
{
    return evpq_pool_copy_out(
        pool, "copy (select i, repeat('x', 500) from generate_series(1, 1000000) i) to stdout");
}

static void put(evpq_copy *copy, const char *text)
{
    ck_assert_int_eq(evpq_copy_write(copy, text, strlen(text)), EVPQ_OK);
}

static bool at_work(const char *wait)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and state = 'active' and query ilike 'copy%%'"
                             " and coalesce(wait_event, '') ~ '%s'",
                             pools_app(), wait)) == 1;
}

#define ck_at_work(wait) ck_until(at_work(wait))

static void ck_sqlstate(evpq_future *f, const char *sqlstate)
{
    ck_await_status(f, EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), sqlstate);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_REJECTED);
    ck_assert_ptr_nonnull(evpq_error_sql(evpq_future_error(f)));
    evpq_future_unref(f);
}

static void read_one(evpq_copy *copy)
{
    size_t n;
    evpq_future *f = evpq_copy_read(copy);
    ck_await_ok(f);
    ck_assert_ptr_nonnull(evpq_future_bytes(f, &n));
    ck_assert_uint_gt(n, 0);
    evpq_future_unref(f);
}

/* Its status is that of the read that is not done any more. */
static evpq_future *read_to_failure(evpq_copy *copy)
{
    for (;;) {
        evpq_future *f = evpq_copy_read(copy);
        if (evpq_await(f) != EVPQ_OK)
            return f;
        ck_assert_ptr_nonnull(evpq_future_bytes(f, NULL));
        evpq_future_unref(f);
    }
}

/* ---- refused ---- */

START_TEST(f29_what_is_not_one_copy_is_refused)
{
    static const char *const in[] = {
        "copy copy_fault to stdout",
        "copy copy_fault from '/tmp/x'",
        "select 1",
        "",
        "copy",
        NULL,
        "copy copy_fault from stdin; drop table copy_fault",
        "copy copy_fault from stdin (delimiter '\\'); drop table copy_fault; --')"};
    begin();
    for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
        evpq_copy *copy = evpq_pool_copy_in(pool, in[i]);
        ck_assert_int_eq(evpq_copy_write(copy, "x", 1), EVPQ_INVALID);
        ck_failed(evpq_copy_drain(copy), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
        ck_failed(evpq_copy_finish(copy), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    }
    evpq_copy *copy = evpq_pool_copy_out(pool, "copy copy_fault from stdin");
    ck_failed(evpq_copy_read(copy), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    evpq_copy_close(copy);
    evpq_future *f = query("copy copy_fault from stdin");
    ck_await_status(f, EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_hint(evpq_future_error(f)), "evpq_pool_copy_in"));
    evpq_future_unref(f);
    end(true);
}
END_TEST

START_TEST(no_copy_at_all_is_invalid)
{
    begin();
    ck_assert_ptr_null(evpq_pool_copy_in(NULL, "copy copy_fault from stdin"));
    ck_assert_ptr_null(evpq_lease_copy_rows_out(NULL, "select 1"));
    ck_assert_int_eq(evpq_copy_write(NULL, "", 0), EVPQ_INVALID);
    ck_assert_int_eq(evpq_copy_row(NULL, EVPQ_ARGS(1)), EVPQ_INVALID);
    ck_assert_int_eq(evpq_future_status(evpq_copy_drain(NULL)), EVPQ_INVALID);
    ck_assert_int_eq(evpq_future_status(evpq_copy_finish(NULL)), EVPQ_INVALID);
    ck_assert_int_eq(evpq_future_status(evpq_copy_read(NULL)), EVPQ_INVALID);
    ck_assert_ptr_null(evpq_copy_abort(NULL, "x"));
    ck_assert_ptr_null(evpq_copy_close(NULL));
    ck_assert_int_eq(evpq_error_status(evpq_copy_error(NULL)), EVPQ_INVALID);
    evpq_copy *copy = copy_in();
    ck_failed(evpq_copy_read(copy), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    evpq_copy_close(copy);
    copy = copy_out();
    ck_assert_int_eq(evpq_copy_write(copy, "x", 1), EVPQ_INVALID);
    ck_assert_ptr_nonnull(evpq_copy_error(copy));
    ck_failed(evpq_copy_drain(copy), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_copy_finish(copy), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_quiet();
    end(true);
}
END_TEST

/* ---- the server's errors ---- */

START_TEST(f37_an_error_before_the_data)
{
    begin();
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy no_such_table from stdin");
    put(copy, "1\tone\n");
    evpq_status status;
    do {
        evpq_future *f = evpq_copy_drain(copy);
        status = evpq_await(f);
        evpq_future_unref(f);
        run_for(evpq_loop_ev(loop), 0.01);
    } while (status == EVPQ_OK);
    ck_assert_int_eq(status, EVPQ_SERVER);
    ck_assert_int_eq(evpq_copy_write(copy, "x", 1), EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_copy_error(copy)), "42P01");
    ck_sqlstate(evpq_copy_finish(copy), "42P01");
    copy = evpq_pool_copy_out(pool, "copy no_such_table to stdout");
    ck_sqlstate(evpq_copy_read(copy), "42P01");
    evpq_copy_close(copy);
    end(true);
}
END_TEST

START_TEST(f37_an_error_in_the_data)
{
    begin();
    evpq_copy *copy = copy_in();
    put(copy, "1\tone\n2\ttwo\nthree\n4\tfour\n");
    ck_done(evpq_copy_drain(copy));
    for (int i = 0; i < 100; i++) {
        put(copy, "5\tmore and more of it\n");
        ck_done(evpq_copy_drain(copy));
    }
    evpq_future *f = evpq_copy_finish(copy);
    ck_await_status(f, EVPQ_SERVER);
    ck_assert_ptr_nonnull(strstr(evpq_error_context(evpq_future_error(f)), "line 3"));
    ck_sqlstate(f, "22P02");
    copy = evpq_pool_copy_out(
        pool, "copy (select 1 / (5000 - i) from generate_series(1, 10000) i) to stdout");
    ck_sqlstate(read_to_failure(copy), "22012");
    evpq_copy_close(copy);
    end(true);
}
END_TEST

/* What was received before an error is given before it. */
START_TEST(f37_data_come_before_the_error_behind_them)
{
    begin();
    evpq_copy *copy =
        evpq_pool_copy_rows_out(pool, "select 1 / (50000 - i) from generate_series(1, 100000) i");
    long rows = 0;
    evpq_future *f;
    while (evpq_await(f = evpq_copy_read(copy)) == EVPQ_OK) {
        rows += evpq_result_rows(evpq_future_result(f));
        evpq_future_unref(f);
    }
    ck_assert_int_eq(rows, 49999);
    ck_sqlstate(f, "22012");
    ck_sqlstate(evpq_copy_read(copy), "22012");
    evpq_copy_close(copy);
    end(true);
}
END_TEST

START_TEST(f37_a_constraint_that_waits_for_the_end)
{
    begin();
    server_exec("drop table if exists copy_deferred;"
                "create table copy_deferred(n int unique deferrable initially deferred)");
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy copy_deferred from stdin");
    put(copy, "1\n2\n1\n");
    ck_sqlstate(evpq_copy_finish(copy), "23505");
    ck_assert_int_eq(ask("select count(*) from copy_deferred"), 0);
    server_exec("drop table copy_deferred");
    end(true);
}
END_TEST

START_TEST(f37_in_a_transaction)
{
    begin();
    evpq_lease *lease = lease_get();
    for (int how = 0; how < 4; how++) {
        exec_on(lease, "begin");
        exec_on(lease, "insert into copy_fault values (0, 'before')");
        evpq_copy *copy = evpq_lease_copy_in(lease, how == 0 ? "copy no_such_table from stdin"
                                                             : "copy copy_fault from stdin");
        put(copy, how == 1 ? "bad\n" : "1\tone\n");
        if (how == 2)
            ck_at_work("ClientRead");
        evpq_future *behind = query_on(lease, "select 1");
        if (how == 2)
            evpq_copy_abort(copy, "changed my mind");
        else if (how == 3)
            ck_done(evpq_copy_finish(copy));
        else
            ck_sqlstate(evpq_copy_finish(copy), how ? "22P02" : "42P01");
        ck_await_status(behind, how == 3 ? EVPQ_OK : EVPQ_SERVER);
        evpq_future_unref(behind);
        if (how == 3)
            ck_assert_int_eq(ask_on(lease, "select count(*) from copy_fault"), 2);
        else
            fails_on(lease, "select 1", "25P02");
        exec_on(lease, "rollback");
    }
    evpq_lease_release(lease);
    end(true);
}
END_TEST

/* A trigger that has much to say: what comes is read while data are sent. */
START_TEST(f37_notices_in_great_number_block_nobody)
{
    begin();
    server_exec(
        "create or replace function copy_talk() returns trigger language plpgsql as"
        " $$ begin raise notice '%', repeat('n', 500); return null; end $$;"
        "create trigger talk before insert on copy_fault for each row execute function copy_talk()");
    evpq_copy *copy = copy_in();
    char row[600];
    for (int i = 0; i < 20000; i++) {
        snprintf(row, sizeof row, "%d\t%0500d\n", i, i);
        while (evpq_copy_write(copy, row, strlen(row)) == EVPQ_QUEUE_FULL)
            ck_done(evpq_copy_drain(copy));
    }
    ck_done(evpq_copy_finish(copy));
    server_exec("drop function copy_talk cascade");
    end(true);
}
END_TEST

/* ---- stopped by the program ---- */

/* Before it has a connection, as it is sent, while it takes data, at once and later. */
START_TEST(f37_an_abort_undoes_it)
{
    begin();
    for (int when = 0; when < 4; when++) {
        evpq_lease *lease = when == 0 ? lease_get() : NULL;
        evpq_copy *copy = copy_in();
        put(copy, "1\tone\n");
        evpq_future *room = evpq_copy_drain(copy);
        if (when >= 2)
            ck_at_work("ClientRead");
        if (when == 3)
            server_exec("select pg_sleep(0.05)");
        ck_assert_ptr_null(evpq_copy_abort(copy, when == 1 ? NULL : "it's \"enough\""));
        evpq_await(room);
        evpq_future_unref(room);
        evpq_lease_release(lease);
        ck_quiet();
    }
    ck_quiet();
    end(true);
}
END_TEST

START_TEST(f37_the_server_is_told_why)
{
    begin();
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    evpq_copy *copy = evpq_lease_copy_in(lease, "copy copy_fault from stdin");
    put(copy, "1\tone\n");
    ck_at_work("ClientRead");
    evpq_copy_abort(copy, "the file was not to be read");
    ck_assert_int_eq(server_count("select 1"), 1);
    ck_until(lease_in_transaction(lease));
    fails_on(lease, "select 1", "25P02");
    exec_on(lease, "rollback");
    evpq_lease_release(lease);
    ck_quiet();
    end(true);
}
END_TEST

/* A wait that is called off hurts nothing. */
START_TEST(canceling_a_drain_or_a_read_stops_the_wait_alone)
{
    begin();
    evpq_lease *lease = lease_get();
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "copy_fault", NULL, 0);
    evpq_future *room = evpq_copy_drain(copy);
    ck_future_pending(room);
    evpq_future_cancel(room);
    ck_future_status(room, EVPQ_CANCELED);
    evpq_future_unref(room);
    evpq_lease_release(lease);
    ck_done(evpq_copy_drain(copy));
    ck_assert_int_eq(evpq_copy_row(copy, EVPQ_ARGS(1, "one")), EVPQ_OK);
    ck_done(evpq_copy_finish(copy));
    ck_assert_int_eq(ask("with d as (delete from copy_fault returning 1) select count(*) from d"),
                     1);

    copy = evpq_pool_copy_out(pool, "copy (select 'x', pg_sleep(0.1)) to stdout");
    evpq_future *f = evpq_copy_read(copy);
    evpq_future_cancel(f);
    ck_future_status(f, EVPQ_CANCELED);
    evpq_future_unref(f);
    evpq_future_unref(evpq_copy_read(copy)); /* nobody waits for this one: the next gets it */
    read_one(copy);
    f = evpq_copy_read(copy);
    ck_await_ok(f);
    ck_assert_ptr_null(evpq_future_bytes(f, NULL));
    ck_assert_int_eq(evpq_result_affected(evpq_future_result(f)), 1);
    evpq_future_unref(f);
    evpq_copy_close(copy);
    end(true);
}
END_TEST

/* Before its connection, before its turn, in a trigger that takes its time; by hand and by
 * deadline. */
START_TEST(canceling_finish_stops_the_copy)
{
    begin();
    server_exec(
        "create or replace function copy_sleep() returns trigger language plpgsql as"
        " $$ begin perform pg_sleep(600); return new; end $$;"
        "create trigger sleepy before insert on copy_fault for each row execute function copy_sleep()");
    for (int when = 0; when < 4; when++) {
        evpq_lease *lease = when == 0 ? lease_get() : NULL;
        evpq_copy *copy = copy_in();
        put(copy, "1\tone\n");
        evpq_future *f = evpq_copy_finish(copy);
        if (when == 3)
            f = evpq_timeout(f, 0.1);
        if (when == 2)
            ck_at_work("PgSleep");
        if (when == 3)
            ck_await_status(f, EVPQ_TIMEOUT);
        evpq_future_cancel(f);
        if (when < 3)
            ck_future_status(f, EVPQ_CANCELED);
        ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)),
                         when < 2 ? EVPQ_OUTCOME_NOT_SENT : EVPQ_OUTCOME_UNKNOWN);
        evpq_future_unref(f);
        evpq_lease_release(lease);
        ck_quiet();
    }
    server_exec("drop function copy_sleep cascade");
    end(true);
}
END_TEST

START_TEST(an_early_close_stops_the_server)
{
    begin();
    for (int reads = 0; reads < 4; reads++) {
        evpq_copy *copy = copy_out();
        for (int i = 0; i < reads; i++)
            read_one(copy);
        evpq_copy_close(copy);
        ck_quiet();
    }
    evpq_copy *copy = evpq_pool_copy_rows_out(pool, "select pg_sleep(600)");
    evpq_future *f = evpq_copy_read(copy);
    ck_at_work("PgSleep");
    evpq_copy_close(copy);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_quiet();
    end(true);
}
END_TEST

/* ---- from callbacks (F42) ---- */

struct closer {
    evpq_copy *copy;
    int left, calls;
    bool pool;
};

static void close_here(evpq_future *f, void *arg)
{
    struct closer *c = arg;
    c->calls++;
    if (c->left-- > 0) {
        evpq_future *next = evpq_copy_read(c->copy);
        evpq_future_on_done(next, close_here, c);
        evpq_future_unref(next);
    } else {
        c->copy = evpq_copy_close(c->copy);
        if (c->pool)
            evpq_future_unref(evpq_pool_close(pool, 0));
    }
    evpq_future_cancel(f);
}

START_TEST(f42_closing_from_callbacks)
{
    begin();
    for (int left = 0; left < 5; left++) {
        struct closer out = {.copy = copy_out(), .left = left};
        evpq_future *f = evpq_copy_read(out.copy);
        evpq_future_on_done(f, close_here, &out);
        evpq_future_unref(f);
        ck_until(!out.copy);
        ck_quiet();
        ck_assert_int_eq(out.calls, left + 1);
    }
    struct closer in = {.copy = copy_in()};
    put(in.copy, "1\tone\n");
    evpq_future *f = evpq_copy_drain(in.copy);
    evpq_future_on_done(f, close_here, &in);
    evpq_future_unref(f);
    ck_until(!in.copy);
    ck_quiet();
    end(true);
}
END_TEST

START_TEST(f42_closing_the_pool_from_a_callback)
{
    begin();
    struct closer out = {.copy = copy_out(), .left = 2, .pool = true};
    evpq_future *f = evpq_copy_read(out.copy);
    evpq_future_on_done(f, close_here, &out);
    evpq_future_unref(f);
    ck_until(!out.copy);
    ck_done(evpq_pool_close(pool, 0));
    server_exec("drop table copy_fault");
    pools_end();
}
END_TEST

/* ---- the pool ---- */

START_TEST(a_pool_that_closes_tells_everyone)
{
    begin();
    evpq_copy *waiting = copy_in(), *copy = copy_in();
    evpq_copy *first = _i ? waiting : copy;
    (void)first;
    evpq_future *room = evpq_copy_drain(waiting);
    ck_await_ok(room);
    evpq_future_unref(room);
    ck_at_work("ClientRead");
    evpq_future *later = evpq_copy_finish(copy), *closed = evpq_pool_close(pool, _i ? 0.05 : 0);
    ck_await_status(later, EVPQ_CLOSED);
    ck_failed(evpq_copy_finish(waiting), EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(later);
    ck_done(closed);
    evpq_copy *late = copy_in();
    ck_failed(evpq_copy_finish(late), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    late = evpq_pool_copy_rows_out(pool, "select 1");
    ck_failed(evpq_copy_read(late), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    evpq_copy_close(late);
    server_exec("drop table copy_fault");
    pools_end();
}
END_TEST

/* A closing pool lets a COPY come to its end; so does a lease that is released under it. */
START_TEST(what_runs_is_finished_first)
{
    begin();
    evpq_lease *lease = lease_get();
    evpq_copy *copy = evpq_lease_copy_rows_in(lease, "copy_fault", NULL, 0);
    evpq_lease_release(lease);
    ck_done(evpq_copy_drain(copy));
    ck_assert_int_eq(evpq_copy_row(copy, EVPQ_ARGS(1, "one")), EVPQ_OK);
    evpq_future *closed = evpq_pool_close(pool, 30);
    run_for(evpq_loop_ev(loop), 0.05);
    ck_done(evpq_copy_finish(copy));
    ck_done(closed);
    ck_assert_int_eq(server_count("select count(*) from copy_fault"), 1);
    server_exec("drop table copy_fault");
    pools_end();
}
END_TEST

/* ---- the link ---- */

START_TEST(f37_the_server_process_is_killed)
{
    begin();
    evpq_copy *copy = copy_in();
    put(copy, "1\tone\n");
    ck_at_work("ClientRead");
    ck_assert_int_eq(server_kill_backends(pools_app()), 1);
    ck_until(evpq_copy_error(copy) != NULL);
    ck_assert_ptr_nonnull(
        strstr(evpq_error_message(evpq_copy_error(copy)), "terminating connection"));
    ck_assert_int_eq(evpq_copy_write(copy, "x", 1), evpq_error_status(evpq_copy_error(copy)));
    evpq_future *f = evpq_copy_finish(copy);
    ck_assert_int_ne(evpq_await(f), EVPQ_OK);
    evpq_future_unref(f);
    copy = copy_out();
    read_one(copy);
    ck_assert_int_eq(server_kill_backends(pools_app()), 1);
    ck_failed(read_to_failure(copy), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    evpq_copy_close(copy);
    end(false);
}
END_TEST

/* ... and a flush finds the end, as the program writes on before the loop has looked. */
START_TEST(f37_last_words_that_came_before_a_flush_failed_are_told)
{
    enum { SIZE = 64 * 1024 + 100 };
    char *text = malloc(SIZE);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', SIZE);
    begin();
    evpq_copy *copy = copy_in();
    ck_done(evpq_copy_drain(copy));
    ck_at_work("ClientRead");
    server_exec(strf("select pg_terminate_backend(%d, 30000)", pid));
    ck_assert_int_eq(evpq_copy_write(copy, text, SIZE), EVPQ_OK);
    evpq_future *f = evpq_copy_finish(copy);
    ck_await_status(f, EVPQ_LOST);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "57P01");
    evpq_future_unref(f);
    free(text);
    end(false);
}
END_TEST

START_TEST(f37_the_link_is_cut)
{
    struct proxy *proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1);
    server_exec(
        "drop table if exists copy_fault; create table copy_fault(n int primary key, t text)");
    for (int how = 0; how < 6; how++) {
        ck_assert_int_eq(ask("select 1"), 1);
        evpq_copy *copy = how < 3 ? copy_in() : copy_out();
        if (how < 3) {
            put(copy, "1\tone\n");
            ck_at_work("ClientRead");
        } else if (how > 3) {
            read_one(copy);
        }
        if (how % 3 == 1)
            proxy_reset(proxy);
        else
            proxy_cut(proxy);
        evpq_future *f = how < 3 ? evpq_copy_finish(copy) : read_to_failure(copy);
        ck_assert_int_eq(evpq_await(f), EVPQ_LOST);
        evpq_future_unref(f);
        if (how >= 3)
            evpq_copy_close(copy);
    }
    ck_assert_int_eq(ask("select count(*) from copy_fault"), 0);
    /* the server says nothing any more after the last of the data */
    evpq_copy *copy = copy_in();
    put(copy, "1\tone\n");
    ck_at_work("ClientRead");
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COPY 1", .before = true});
    ck_failed(evpq_copy_finish(copy), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    ck_assert_int_eq(ask("select count(*) from copy_fault"), 1);
    server_exec("drop table copy_fault");
    pools_end();
    proxy_stop(proxy);
}
END_TEST

START_TEST(byte_by_byte)
{
    struct proxy *proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1);
    server_exec(
        "drop table if exists copy_fault; create table copy_fault(n int primary key, t text)");
    ck_assert_int_eq(ask("select 1"), 1);
    proxy_split(proxy, true);
    evpq_copy *in = evpq_pool_copy_rows_in(pool, "copy_fault", NULL, 0);
    for (int i = 0; i < 100; i++)
        while (evpq_copy_row(in, EVPQ_ARGS(i, "text")) == EVPQ_QUEUE_FULL)
            ck_done(evpq_copy_drain(in));
    ck_done(evpq_copy_finish(in));
    evpq_copy *out = evpq_pool_copy_rows_out(pool, "table copy_fault order by n");
    int rows = 0, more;
    do {
        evpq_future *f = evpq_copy_read(out);
        ck_await_ok(f);
        const evpq_result *r = evpq_future_result(f);
        more = evpq_result_rows(r);
        for (int row = 0; row < more; row++)
            ck_assert_int_eq(evpq_result_int4(r, row, 0), rows++);
        evpq_future_unref(f);
    } while (more);
    ck_assert_int_eq(rows, 100);
    evpq_copy_close(out);
    server_exec("drop table copy_fault");
    pools_end();
    proxy_stop(proxy);
}
END_TEST

START_TEST(encrypted)
{
    if (!server_has_tls())
        return;
    open_pool_at(server_conninfo(SERVER_TLS, NULL), .max_size = 1);
    server_exec("drop table if exists copy_tls; create table copy_tls(n int8, t text)");
    evpq_copy *in = evpq_pool_copy_rows_in(pool, "copy_tls", NULL, 0);
    for (int i = 0; i < 100000; i++)
        while (evpq_copy_row(in, EVPQ_ARGS(i, "a text of some length")) == EVPQ_QUEUE_FULL)
            ck_done(evpq_copy_drain(in));
    ck_done(evpq_copy_finish(in));
    evpq_copy *out = evpq_pool_copy_rows_out(pool, "table copy_tls");
    long rows = 0, more;
    do {
        evpq_future *f = evpq_copy_read(out);
        ck_await_ok(f);
        rows += more = evpq_result_rows(evpq_future_result(f));
        evpq_future_unref(f);
    } while (more);
    ck_assert_int_eq(rows, 100000);
    evpq_copy_close(out);
    server_exec("drop table copy_tls");
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("copy_faults");
    CHECK_ADD(c, f29_what_is_not_one_copy_is_refused);
    CHECK_ADD(c, no_copy_at_all_is_invalid);
    CHECK_ADD(c, f37_an_error_before_the_data);
    CHECK_ADD(c, f37_an_error_in_the_data);
    CHECK_ADD(c, f37_data_come_before_the_error_behind_them);
    CHECK_ADD(c, f37_a_constraint_that_waits_for_the_end);
    CHECK_ADD(c, f37_in_a_transaction);
    CHECK_ADD(c, f37_notices_in_great_number_block_nobody);
    CHECK_ADD(c, f37_an_abort_undoes_it);
    CHECK_ADD(c, f37_the_server_is_told_why);
    CHECK_ADD(c, canceling_a_drain_or_a_read_stops_the_wait_alone);
    CHECK_ADD(c, canceling_finish_stops_the_copy);
    CHECK_ADD(c, an_early_close_stops_the_server);
    CHECK_ADD(c, f42_closing_from_callbacks);
    CHECK_ADD(c, f42_closing_the_pool_from_a_callback);
    CHECK_ADD_LOOP(c, a_pool_that_closes_tells_everyone, 2);
    CHECK_ADD(c, what_runs_is_finished_first);
    CHECK_ADD(c, f37_the_server_process_is_killed);
    CHECK_ADD(c, f37_last_words_that_came_before_a_flush_failed_are_told);
    CHECK_ADD(c, f37_the_link_is_cut);
    CHECK_ADD(c, byte_by_byte);
    CHECK_ADD(c, encrypted);
    return check_end(c);
}
