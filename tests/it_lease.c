/* it_lease.c - a connection lent out: what it can do, its hooks, and in which state it comes to the
 * next (F4, F5, F7, F48). */
#include "support/pools.h"

#include "support/proxy.h"
#include "support/seen.h"

#include <string.h>

static const evpq_reset levels[] = {EVPQ_RESET_FULL, EVPQ_RESET_ROLLBACK, EVPQ_RESET_NONE};
enum { LEVELS = 3 };

/* ---- use ---- */

START_TEST(a_lease_is_one_session)
{
    open_pool();
    evpq_lease *lease = lease_get();
    int pid = evpq_lease_backend_pid(lease);
    ck_assert_int_ne(pid, 0);
    ck_assert_int_eq(ask_on(lease, "select pg_backend_pid()"), pid);
    exec_on(lease, "create temp table mine (i int)");
    exec_on(lease, "begin");
    exec_on(lease, "insert into mine values (1), (2)");
    ck_assert_int_eq(ask_on(lease, "select count(*) from mine"), 2);
    exec_on(lease, "rollback");
    ck_assert_int_eq(ask_on(lease, "select count(*) from mine"), 0);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(statements_of_a_lease_run_in_order)
{
    enum { N = 50 };
    evpq_future *fs[N];
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    exec_on(lease, "create temp sequence s");
    for (int i = 0; i < N; i++)
        fs[i] = query_on(lease, "select nextval('s')");
    for (int i = 0; i < N; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0), i + 1);
        evpq_future_unref(fs[i]);
    }
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(f06_statements_in_flight_commit_or_fail_each_alone)
{
    server_exec("create table f06_lease (i int)");
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *fs[] = {
        query_on(lease, "insert into f06_lease values (1)"),
        query_on(lease, "insert into f06_lease select 1 / (x - x) from generate_series(1, 1) x"),
        query_on(lease, "insert into f06_lease values (3) returning pg_backend_pid()")};
    ck_done(fs[0]);
    ck_failed(fs[1], EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    ck_done(fs[2]);
    evpq_lease_release(lease);
    ck_assert_str_eq(server_text("select string_agg(i::text, ',' order by i) from f06_lease"),
                     "1,3");
    server_exec("drop table f06_lease");
    pools_end();
}
END_TEST

START_TEST(a_lease_is_taken_once)
{
    open_pool();
    evpq_future *f = evpq_pool_acquire(pool), *not_one = query("select 1");
    ck_assert_ptr_null(evpq_future_lease(f)); /* pending */
    ck_await_ok(f);
    ck_await_ok(not_one);
    ck_assert_ptr_null(evpq_future_lease(not_one));
    ck_assert_ptr_null(evpq_future_result(f));
    evpq_lease *lease = evpq_future_lease(f);
    ck_assert_ptr_nonnull(lease);
    ck_assert_ptr_null(evpq_future_lease(f));
    evpq_future_unref(f);
    evpq_future_unref(not_one);
    ck_assert_int_eq(ask_on(lease, "select 1"), 1);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(a_lease_goes_back_with_its_future)
{
    open_pool(.max_size = 1);
    for (int i = 0; i < 3; i++) {
        evpq_future *f = evpq_pool_acquire(pool);
        if (i)
            ck_await_ok(f);
        evpq_future_unref(f); /* pending the first time: it is got, and given back at once */
        ck_quiet();
        ck_assert_int_eq(stats().idle, 1);
    }
    pools_end();
}
END_TEST

START_TEST(release_lets_statements_in_flight_finish)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *fs[] = {query_on(lease, "select pg_sleep(0.03)"), query_on(lease, "begin"),
                         query_on(lease, "select 7")};
    evpq_lease_release(lease);
    evpq_future *next = evpq_pool_acquire(pool);
    ck_await_ok(fs[2]);
    ck_future_pending(next);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[2]), 0, 0), 7);
    for (int i = 0; i < 3; i++)
        ck_done(fs[i]);
    ck_await_ok(next);
    lease = evpq_future_lease(next);
    ck_assert(!lease_in_transaction(lease));
    evpq_lease_release(lease);
    evpq_future_unref(next);
    pools_end();
}
END_TEST

START_TEST(release_with_a_canceled_statement_in_flight)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *slow = query_on(lease, "select pg_sleep(60)"), *fresh;
    ck_running(1);
    evpq_future_cancel(slow);
    fresh = query_on(lease, "select 8"); /* goes when the line is clean again */
    evpq_lease_release(lease);
    ck_done(fresh);
    ck_failed(slow, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    lease = lease_get();
    ck_assert_int_eq(ask_on(lease, "select 9"), 9);
    evpq_lease_release(lease);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(a_lease_outlives_its_connection)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *running = query_on(lease, "select pg_sleep(60)");
    ck_running(1);
    server_kill_backends(pools_app());
    evpq_status status = evpq_await(running);
    ck_assert_msg(status == EVPQ_LOST || status == EVPQ_SERVER, "%s", check_future_text(running));
    const char *why = strf("%s", evpq_error_sqlstate(evpq_future_error(running)));
    evpq_future_unref(running);
    ck_until(!evpq_lease_backend_pid(lease));
    evpq_future *late = query_on(lease, "select 1");
    ck_await_status(late, EVPQ_LOST);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(late)), why); /* it knows as much */
    ck_failed(late, EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(ask("select 2"), 2); /* its place in the pool is free already */
    evpq_lease_release(lease);
    ck_assert_uint_eq(stats().lost, 1);
    pools_end();
}
END_TEST

START_TEST(a_lease_on_a_pool_let_go_of)
{
    open_pool();
    evpq_lease *lease = lease_get();
    evpq_future *f = query_on(lease, "select 1");
    pool = evpq_pool_unref(pool);
    ck_done(f);
    ck_done(query_on(lease, "select 2"));
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(a_lease_of_a_closed_pool)
{
    open_pool();
    evpq_lease *lease = lease_get();
    ck_done(evpq_pool_close(pool, 0));
    pool = evpq_pool_unref(pool);
    ck_failed(query_on(lease, "select 1"), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(query_on(lease, "select 2"), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- F4: a transaction is never handed on ---- */

static void ck_next_is_outside(void)
{
    evpq_lease *lease = lease_get();
    ck_assert_msg(!lease_in_transaction(lease), "handed on within a transaction");
    evpq_lease_release(lease);
    ck_quiet();
    ck_assert_int_eq(ask("select 1"), 1);
    ck_assert_str_eq(server_text(strf("select string_agg(distinct state, ',') from pg_stat_activity"
                                      " where application_name = '%s'",
                                      pools_app())),
                     "idle");
}

START_TEST(f04_begin_as_a_one_shot_query)
{
    open_pool(.max_size = 1, .reset = levels[_i]);
    static const char *const openings[] = {"begin", "start transaction", "/* x */ BEGIN",
                                           "begin isolation level serializable"};
    for (int i = 0; i < 4; i++) {
        ck_done(query(openings[i]));
        ck_next_is_outside();
        evpq_future *begin = query(openings[i]), *behind = query("savepoint outside");
        ck_done(begin);
        ck_failed(behind, EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
        ck_next_is_outside();
    }
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(f04_begin_in_a_released_lease)
{
    open_pool(.max_size = 1, .reset = levels[_i]);
    for (int in_flight = 0; in_flight < 2; in_flight++) {
        evpq_lease *lease = lease_get();
        evpq_future *f = query_on(lease, "begin");
        if (!in_flight)
            ck_await_ok(f);
        evpq_lease_release(lease);
        ck_await_ok(f);
        evpq_future_unref(f);
        ck_next_is_outside();
    }
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(f04_failed_transaction_in_a_released_lease)
{
    open_pool(.max_size = 1, .reset = levels[_i]);
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    fails_on(lease, "select no_such_column", "42703");
    fails_on(lease, "select 1", "25P02");
    evpq_lease_release(lease);
    ck_next_is_outside();
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(f04_transaction_of_a_canceled_statement)
{
    open_pool(.max_size = 1, .reset = levels[_i]);
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    evpq_future *f = query_on(lease, "select pg_sleep(60)");
    ck_running(1);
    evpq_future_cancel(f);
    evpq_lease_release(lease);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_next_is_outside();
    pools_end();
}
END_TEST

/* A transaction that after_connect leaves open is nobody's. */
static evpq_future *begin_hook(evpq_lease *lease, void *arg)
{
    (void)arg;
    return query_on(lease, "begin");
}

START_TEST(f04_begin_in_every_hook)
{
    open_pool(.max_size = 1, .reset = levels[_i], .after_connect = begin_hook);
    ck_next_is_outside();
    pools_end();
    open_pool(.max_size = 1, .reset = levels[_i], .after_release = begin_hook);
    ck_next_is_outside();
    ck_next_is_outside();
    pools_end();
}
END_TEST

/* The reset itself fails: that connection is closed. */
START_TEST(f04_a_failed_reset_closes_the_connection)
{
    open_pool(.max_size = 1, .cancel_timeout = 60); /* that it does not wait for */
    evpq_lease *lease = lease_get();
    int pid = evpq_lease_backend_pid(lease);
    exec_on(lease, "create temp table slow (i int)");
    /* DISCARD ALL drops the table and waits for a lock on it, which another session has. */
    evpq_future *locked = query_on(lease, "select pg_my_temp_schema()::regnamespace::text");
    ck_await_ok(locked);
    const char *schema = strf("%s", evpq_result_text(evpq_future_result(locked), 0, 0));
    evpq_future_unref(locked);
    evpq_pool *other = evpq_pool_open(loop, server_conninfo(SERVER_UNIX, NULL), NULL, NULL);
    evpq_future *f = evpq_pool_acquire(other);
    ck_await_ok(f);
    evpq_lease *locker = evpq_future_lease(f);
    evpq_future_unref(f);
    exec_on(locker, "begin");
    exec_on(locker, strf("lock table %s.slow in access share mode", schema));
    exec_on(lease, "set statement_timeout = 30");
    evpq_lease_release(lease);
    lease = lease_get();
    ck_assert_int_ne(evpq_lease_backend_pid(lease), pid);
    evpq_lease_release(lease);
    evpq_lease_release(locker);
    evpq_pool_unref(other);
    ck_assert_uint_eq(stats().lost, 1);
    pools_end();
}
END_TEST

/* ---- F5: what a session leaves behind ---- */

static const struct leak {
    const char *name;
    const char *make[2];
    const char *seen; /* counts what is visible of it */
} leaks[] = {
    {"setting",
     {"set work_mem = '77MB'"},
     "select count(*) from pg_settings where name = 'work_mem' and setting = '78848'"},
    {"custom setting",
     {"select set_config('evpq.leak', 'x', false)"},
     "select count(*) where current_setting('evpq.leak', true) = 'x'"},
    {"role", {"set role pg_monitor"}, "select count(*) where current_user = 'pg_monitor'"},
    {"session authorization",
     {"set session authorization pw"},
     "select count(*) where session_user = 'pw'"},
    {"temporary table",
     {"create temp table leak (i int)"},
     "select count(*) from pg_class where relname = 'leak'"},
    {"listen", {"listen leak"}, "select count(*) from pg_listening_channels()"},
    {"advisory lock",
     {"select pg_advisory_lock(77)"},
     "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"},
    {"cursor with hold",
     {"declare leak cursor with hold for select 1"},
     "select count(*) from pg_cursors where name = 'leak'"},
    {"prepared statement",
     {"prepare leak as select 1"},
     "select count(*) from pg_prepared_statements where name = 'leak'"},
    {"sequence cache",
     {"create temp sequence leak_s", "select nextval('leak_s')"},
     "select count(*) from pg_class where relname = 'leak_s'"},
};
enum { LEAKS = sizeof leaks / sizeof *leaks };

static void leave(const struct leak *l)
{
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 2 && l->make[i]; i++)
        exec_on(lease, l->make[i]);
    ck_assert_msg(ask_on(lease, l->seen) == 1, "the test of %s does not see it", l->name);
    evpq_lease_release(lease);
}

static long found(const struct leak *l)
{
    evpq_lease *lease = lease_get();
    long n = ask_on(lease, l->seen);
    evpq_lease_release(lease);
    return n;
}

START_TEST(f05_nothing_is_left_at_level_full)
{
    const struct leak *l = &leaks[_i];
    open_pool(.max_size = 1, .prepare = EVPQ_PREPARE_OFF);
    leave(l);
    ck_assert_msg(found(l) == 0, "%s is visible to the next", l->name);
    leave(l);
    ck_assert_msg(ask(l->seen) == 0, "%s is visible to a query", l->name);
    ck_quiet();
    ck_assert_uint_eq(stats().connects, 1); /* it was the same session */
    pools_end();
}
END_TEST

START_TEST(f05_levels_none_and_rollback_leave_the_session_as_it_is)
{
    const struct leak *l = &leaks[_i];
    for (int level = 1; level < LEVELS; level++) {
        open_pool(.max_size = 1, .reset = levels[level]);
        leave(l);
        ck_assert_msg(found(l) == 1, "%s is gone", l->name);
        ck_assert_msg(ask(l->seen) == 1, "%s is gone", l->name);
        pools_end();
    }
}
END_TEST

/* DISCARD ALL drops the library's own prepared statements too, and the library knows. */
START_TEST(f05_prepared_statements_are_prepared_again_after_a_reset)
{
    open_pool(.max_size = 1);
    for (int i = 0; i < 4; i++) {
        evpq_lease *lease = lease_get();
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(ask_on(lease, "select 12"), 12);
        ck_assert_int_gt(ask_on(lease, "select count(*) from pg_prepared_statements"), 0);
        evpq_lease_release(lease);
        ck_assert_int_eq(ask("select 12"), 12);
    }
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

/* ---- F7: session commands as one-shot queries ---- */

START_TEST(f07_a_session_command_reaches_nobody_else)
{
    static const char *const commands[] = {
        "begin",
        "set work_mem = '77MB'",
        "listen leak",
        "prepare leak as select 1",
        "create temp table leak (i int)",
        "set role pg_monitor",
        "declare leak cursor with hold for select 1",
        "do $$ begin perform set_config('evpq.leak', 'x', false); end $$"};
    enum { COMMANDS = sizeof commands / sizeof *commands, N = 8 };
    open_pool(.max_size = 2, .prepare = EVPQ_PREPARE_OFF);
    for (int i = 0; i < COMMANDS; i++) {
        evpq_future *before[N], *after[N];
        for (int j = 0; j < N; j++)
            before[j] = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(j));
        evpq_future *command = query(commands[i]);
        for (int j = 0; j < N; j++)
            after[j] = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(j));
        ck_done(command);
        for (int j = 0; j < N; j++) {
            ck_await_ok(before[j]);
            ck_await_ok(after[j]);
            ck_assert_int_eq(evpq_result_int8(evpq_future_result(before[j]), 0, 0), j);
            ck_assert_int_eq(evpq_result_int8(evpq_future_result(after[j]), 0, 0), j);
            evpq_future_unref(before[j]);
            evpq_future_unref(after[j]);
        }
        evpq_lease *both[] = {lease_get(), lease_get()};
        for (int k = 0; k < 2; k++) {
            ck_assert_msg(!lease_in_transaction(both[k]), "%s", commands[i]);
            for (int l = 0; l < LEAKS; l++)
                ck_assert_msg(!ask_on(both[k], leaks[l].seen), "%s leaves a %s", commands[i],
                              leaks[l].name);
            evpq_lease_release(both[k]);
        }
        ck_quiet();
    }
    ck_assert_uint_le(stats().connects, 2);
    pools_end();
}
END_TEST

START_TEST(f07_copy_is_refused_and_harms_no_neighbour)
{
    open_pool(.max_size = 1);
    evpq_future *before = query("select 1");
    evpq_future *in = query("copy pg_class from stdin"), *out = query("COPY (select 1) TO STDOUT");
    evpq_future *after = query("select 2");
    ck_done(before);
    ck_failed(in, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(out, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_done(after);
    evpq_lease *lease = lease_get();
    ck_failed(query_on(lease, "copy pg_class to stdout"), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(ask_on(lease, "select 3"), 3);
    evpq_lease_release(lease);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

/* ---- hooks ---- */

/* Writes down which hook was called, in order; what it returns is the test's choice. */
enum hook { CONNECT, ACQUIRE, RELEASE, HOOKS };
static char called[64];
static evpq_future *(*answer)(evpq_lease *lease, enum hook which);

static evpq_future *note(evpq_lease *lease, enum hook which, void *arg)
{
    ck_assert_ptr_eq(arg, called);
    ck_assert_int_ne(evpq_lease_backend_pid(lease), 0);
    ck_assert_uint_lt(strlen(called), sizeof called - 2);
    called[strlen(called)] = "car"[which];
    return answer ? answer(lease, which) : NULL;
}

static evpq_future *on_connect(evpq_lease *lease, void *arg)
{
    return note(lease, CONNECT, arg);
}

static evpq_future *on_acquire(evpq_lease *lease, void *arg)
{
    return note(lease, ACQUIRE, arg);
}

static evpq_future *on_release(evpq_lease *lease, void *arg)
{
    return note(lease, RELEASE, arg);
}

#define open_hooked(...)                                                                           \
 open_pool(.after_connect = on_connect, .before_acquire = on_acquire, .after_release = on_release, \
           .hook_arg = called, __VA_ARGS__)

START_TEST(hooks_are_called_in_their_order)
{
    open_hooked(.max_size = 1);
    ask("select 1");
    ck_assert_str_eq(called, "c"); /* a one-shot query needs no more */
    evpq_lease *lease = lease_get();
    ck_assert_str_eq(called, "ca");
    evpq_lease_release(lease);
    ck_quiet();
    ck_assert_str_eq(called, "carc"); /* the reset has made the connection new */
    evpq_lease_release(lease_get());
    ck_quiet();
    ck_assert_str_eq(called, "carcarc");
    pools_end();
}
END_TEST

/* The reset of a lease is under way when the pool closes, with or without time for it. */
START_TEST(a_connection_that_is_to_go_is_not_prepared_anew)
{
    open_hooked(.max_size = 1);
    evpq_lease_release(lease_get());
    ck_done(evpq_pool_close(pool, _i ? 0 : -1));
    ck_assert_str_eq(called, "car");
    pools_end();
}
END_TEST

static evpq_future *set_for(evpq_lease *lease, enum hook which)
{
    return evpq_lease_query(lease, "select set_config('evpq.hook', $1, false)",
                            EVPQ_ARGS(which == CONNECT ? "connected" : "acquired"));
}

START_TEST(hooks_prepare_the_session)
{
    answer = set_for;
    open_hooked(.max_size = 1, .reset = _i ? EVPQ_RESET_FULL : EVPQ_RESET_ROLLBACK);
    ck_assert_str_eq(ask_text("select current_setting('evpq.hook')"), "connected");
    evpq_lease *lease = lease_get();
    evpq_future *f = query_on(lease, "select current_setting('evpq.hook')");
    ck_await_ok(f);
    ck_assert_str_eq(evpq_result_text(evpq_future_result(f), 0, 0), "acquired");
    evpq_future_unref(f);
    evpq_lease_release(lease);
    ck_quiet();
    ck_assert_str_eq(ask_text("select current_setting('evpq.hook')"),
                     _i ? "connected" : "acquired"); /* a full reset is followed by after_connect */
    ask("set evpq.hook = 'leaked'");
    ck_quiet();
    ck_assert_str_eq(ask_text("select current_setting('evpq.hook')"), _i ? "connected" : "leaked");
    pools_end();
}
END_TEST

/* Statements that a hook does not wait for are over all the same before its phase is. */
static evpq_future *leave_in_flight(evpq_lease *lease, enum hook which)
{
    static const char *const what[] = {[CONNECT] = "select set_config('evpq.late', 'new', false)",
                                       [ACQUIRE] = "select set_config('evpq.late', 'out', false)",
                                       [RELEASE] = "select set_config('evpq.late', 'back', false)"};
    for (int i = 0; i < 3; i++)
        evpq_future_unref(query_on(lease, "select pg_sleep(0.005)"));
    evpq_future_unref(query_on(lease, what[which]));
    return NULL;
}

START_TEST(a_hook_that_returns_null_has_its_statements_run)
{
    answer = leave_in_flight;
    open_hooked(.max_size = 1);
    for (int i = 0; i < 2; i++) {
        evpq_lease *lease = lease_get();
        ck_assert_int_eq(
            ask_on(lease, "select count(*) where current_setting('evpq.late', true) = 'out'"), 1);
        evpq_lease_release(lease);
        ck_quiet(); /* which sees that what after_release has set is reset */
        ck_assert_int_eq(ask("select count(*) where current_setting('evpq.late', true) = 'new'"),
                         1);
    }
    pools_end();
}
END_TEST

static enum hook chosen;

/* The chosen hook fails, once. */
static int failures_left;

static evpq_future *fail_if_chosen(evpq_lease *lease, enum hook which)
{
    if (which != chosen || !failures_left)
        return NULL;
    failures_left--;
    return failures_left % 2 ? query_on(lease, "select no_such_column")
                             : evpq_future_failed(loop, EVPQ_TYPE, "the hook says no");
}

START_TEST(a_failing_after_connect_is_a_failed_connect)
{
    answer = fail_if_chosen;
    chosen = CONNECT;
    failures_left = 1;
    open_hooked(.max_size = 1, .backoff_min = 0.01);
    evpq_future *connected = evpq_pool_connect(pool);
    ck_await_status(connected, EVPQ_TYPE);
    evpq_future_unref(connected);
    ck_assert_uint_eq(stats().connect_failures, 1);
    ck_assert_uint_eq(stats().connects, 0);
    ck_assert_int_eq(ask("select 1"), 1); /* the next attempt comes up */
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(f67_a_failing_before_acquire_costs_the_connection_alone)
{
    answer = fail_if_chosen;
    chosen = ACQUIRE;
    failures_left = 2;
    open_hooked(.max_size = 1, .backoff_min = 0.01);
    evpq_lease_release(lease_get());
    ck_quiet();
    ck_assert_uint_eq(stats().connects, 3); /* each failure closes its connection */
    ck_assert_uint_eq(stats().leases, 1);
    ck_assert_uint_eq(stats().lost, 2);
    pools_end();
}
END_TEST

START_TEST(a_failing_after_release_closes_the_connection)
{
    answer = fail_if_chosen;
    chosen = RELEASE;
    failures_left = 2;
    open_hooked(.max_size = 1);
    for (int i = 0; i < 3; i++) {
        evpq_lease *lease = lease_get();
        ck_assert_int_eq(ask_on(lease, "select 1"), 1);
        evpq_lease_release(lease);
    }
    ck_quiet();
    ck_assert_uint_eq(stats().connects, 3);
    ck_assert_uint_eq(stats().leases, 3);
    pools_end();
}
END_TEST

/* The chosen hook's connection is ended under it by the server, once. */
static evpq_future *die_if_chosen(evpq_lease *lease, enum hook which)
{
    if (which != chosen || !failures_left)
        return NULL;
    failures_left--;
    return query_on(lease, "select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)");
}

START_TEST(a_connection_that_dies_in_a_hook_is_replaced)
{
    answer = die_if_chosen;
    chosen = (enum hook)_i;
    failures_left = 1;
    open_hooked(.max_size = 1, .backoff_min = 0.01);
    evpq_lease *lease = lease_get(); /* before_acquire: who waits gets another one */
    ck_assert_int_eq(ask_on(lease, "select 1"), 1);
    evpq_lease_release(lease);
    ck_assert_int_eq(ask("select 2"), 2);
    ck_quiet();
    ck_assert_int_eq(failures_left, 0);
    ck_assert_uint_eq(stats().connects + stats().connect_failures, 2);
    pools_end();
}
END_TEST

/* The chosen hook waits for what the test settles. */
static evpq_future *gate;

static evpq_future *wait_if_chosen(evpq_lease *lease, enum hook which)
{
    if (which != chosen)
        return NULL;
    evpq_future_unref(query_on(lease, "select set_config('evpq.leak', 'x', false)"));
    return evpq_future_ref(gate);
}

START_TEST(f48_reset_comes_before_idle)
{
    answer = wait_if_chosen;
    chosen = RELEASE;
    open_hooked(.max_size = 1);
    gate = evpq_future_new(loop, NULL, NULL);
    evpq_lease *lease = lease_get();
    exec_on(lease, "set work_mem = '77MB'");
    evpq_future *next = evpq_pool_acquire(pool), *asked = query("show work_mem");
    evpq_lease_release(lease);
    run_for(evpq_loop_ev(loop), 0.05);
    ck_future_pending(next); /* as long as the connection is on its way back, it is nobody's */
    ck_future_pending(asked);
    ck_assert_int_eq(stats().leased, 1);
    ck_assert_int_eq(stats().idle, 0);
    chosen = HOOKS;
    evpq_future_set_value(gate, NULL, NULL);
    ck_await_ok(next);
    lease = evpq_future_lease(next);
    ck_assert_int_eq(
        ask_on(lease, "select count(*) where current_setting('evpq.leak', true) = 'x'"), 0);
    ck_assert_int_eq(ask_on(lease, "select setting::int from pg_settings where name = 'work_mem'"),
                     4096);
    evpq_lease_release(lease);
    ck_await_ok(asked);
    ck_assert_str_eq(evpq_result_text(evpq_future_result(asked), 0, 0), "4MB");
    evpq_future_unref(asked);
    evpq_future_unref(next);
    evpq_future_unref(gate);
    pools_end();
}
END_TEST

/* The chosen hook closes the pool, at once or in the end. */
static evpq_future *closed;
static double close_seconds;

static evpq_future *close_if_chosen(evpq_lease *lease, enum hook which)
{
    (void)lease;
    if (which != chosen || closed)
        return NULL;
    closed = evpq_pool_close(pool, close_seconds);
    return evpq_sleep(loop, close_seconds ? 0.02 : 600);
}

START_TEST(the_pool_is_closed_within_a_hook)
{
    answer = close_if_chosen;
    chosen = (enum hook)(_i % HOOKS);
    close_seconds = _i < HOOKS ? 0 : -1;
    open_hooked(.max_size = 1);
    evpq_future *acquiring = evpq_pool_acquire(pool), *behind = query("select 1");
    evpq_status status = evpq_await(acquiring);
    if (close_seconds < 0 || chosen == RELEASE)
        ck_assert_int_eq(status, EVPQ_OK);
    else
        ck_assert_int_eq(status, EVPQ_CLOSED);
    evpq_future_unref(acquiring); /* gives the lease back, if it is one */
    status = evpq_await(behind);
    ck_assert_int_eq(status, close_seconds < 0 ? EVPQ_OK : EVPQ_CLOSED);
    evpq_future_unref(behind);
    ck_assert_ptr_nonnull(closed);
    ck_done(evpq_timeout(closed, 10));
    pools_end();
}
END_TEST

/* A hook may not keep, nor give back, the lease that is lent to it. */
static evpq_future *release_it(evpq_lease *lease, enum hook which)
{
    (void)which;
    evpq_lease_release(lease);
    return query_on(lease, "select 1");
}

START_TEST(a_hook_cannot_release_its_lease)
{
    answer = release_it;
    open_hooked(.max_size = 1);
    for (int i = 0; i < 2; i++) {
        evpq_lease *lease = lease_get();
        ck_assert_int_eq(ask_on(lease, "select 1"), 1);
        evpq_lease_release(lease);
    }
    ck_quiet();
    ck_assert_str_eq(called, "carcarc");
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("lease");
    CHECK_ADD(c, a_lease_is_one_session);
    CHECK_ADD(c, statements_of_a_lease_run_in_order);
    CHECK_ADD(c, f06_statements_in_flight_commit_or_fail_each_alone);
    CHECK_ADD(c, a_lease_is_taken_once);
    CHECK_ADD(c, a_lease_goes_back_with_its_future);
    CHECK_ADD(c, release_lets_statements_in_flight_finish);
    CHECK_ADD(c, release_with_a_canceled_statement_in_flight);
    CHECK_ADD(c, a_lease_outlives_its_connection);
    CHECK_ADD(c, a_lease_on_a_pool_let_go_of);
    CHECK_ADD(c, a_lease_of_a_closed_pool);
    CHECK_ADD_LOOP(c, f04_begin_as_a_one_shot_query, LEVELS);
    CHECK_ADD_LOOP(c, f04_begin_in_a_released_lease, LEVELS);
    CHECK_ADD_LOOP(c, f04_failed_transaction_in_a_released_lease, LEVELS);
    CHECK_ADD_LOOP(c, f04_transaction_of_a_canceled_statement, LEVELS);
    CHECK_ADD_LOOP(c, f04_begin_in_every_hook, LEVELS);
    CHECK_ADD(c, f04_a_failed_reset_closes_the_connection);
    CHECK_ADD_LOOP(c, f05_nothing_is_left_at_level_full, LEAKS);
    CHECK_ADD_LOOP(c, f05_levels_none_and_rollback_leave_the_session_as_it_is, LEAKS);
    CHECK_ADD(c, f05_prepared_statements_are_prepared_again_after_a_reset);
    CHECK_ADD(c, f07_a_session_command_reaches_nobody_else);
    CHECK_ADD(c, f07_copy_is_refused_and_harms_no_neighbour);
    CHECK_ADD(c, hooks_are_called_in_their_order);
    check_add(c, "a_connection_that_is_to_go_is_not_prepared_anew",
              a_connection_that_is_to_go_is_not_prepared_anew, 20, 2);
    CHECK_ADD_LOOP(c, hooks_prepare_the_session, 2);
    CHECK_ADD(c, a_hook_that_returns_null_has_its_statements_run);
    CHECK_ADD(c, a_failing_after_connect_is_a_failed_connect);
    CHECK_ADD(c, f67_a_failing_before_acquire_costs_the_connection_alone);
    CHECK_ADD(c, a_failing_after_release_closes_the_connection);
    CHECK_ADD_LOOP(c, a_connection_that_dies_in_a_hook_is_replaced, HOOKS);
    CHECK_ADD(c, f48_reset_comes_before_idle);
    CHECK_ADD_LOOP(c, the_pool_is_closed_within_a_hook, 2 * HOOKS);
    CHECK_ADD(c, a_hook_cannot_release_its_lease);
    return check_end(c);
}
