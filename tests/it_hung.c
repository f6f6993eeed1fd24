/* it_hung.c - a server process that does not answer (F61): it is stopped by a signal in each state
 * of each flow, and stays so until the place in the pool is back.
 *
 * The pool has one connection, so that its next query is served only when the place is free. What
 * has to be waited for is cancel_timeout, CANCEL here, and more where a query_timeout is to come
 * before it; that it is not longer is nowhere asserted, as a slow machine would decide it, but that
 * it comes without a word of the server's is. */
#include "support/txns.h"

#include <evpq/copy.h>
#include <evpq/listen.h>
#include <evpq/stream.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CANCEL 0.3

static int hung; /* the process that is stopped, or 0 */
static int guard;

/* ---- the server process ---- */

static bool is_stopped(int pid)
{
    char state = 0;
    FILE *f = fopen(strf("/proc/%d/stat", pid), "r");
    if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (f)
        fclose(f);
    return state == 'T';
}

/* A child that lets it go on when the test is over, however that ends. */
static void watch_over(void)
{
    int ends[2];
    char none;
    ck_assert_int_eq(pipe(ends), 0);
    if (!fork()) {
        setpgid(0, 0);
        close(ends[1]);
        while (read(ends[0], &none, 1) < 0)
            ;
        kill(hung, SIGCONT);
        _exit(0);
    }
    close(ends[0]);
    guard = ends[1];
}

static void stop(const char *application_name)
{
    hung = (int)server_count(
        strf("select pid from pg_stat_activity where application_name = '%s'", application_name));
    ck_assert_msg(hung > 1 && !kill(hung, SIGSTOP), "no process of %s", application_name);
    watch_over();
    for (int i = 0; i < 1000 && !is_stopped(hung); i++)
        usleep(1000);
    ck_assert(is_stopped(hung));
}

static void go_on(void)
{
    kill(hung, SIGCONT);
    hung = 0;
    close(guard);
}

static void hang(void)
{
    stop(pools_app());
}

static void at_work(void)
{
    ck_running(1);
    hang();
}

/* ---- what is done to it ---- */

static void call_off(evpq_future *f)
{
    run_for(evpq_loop_ev(loop), 0.02);
    evpq_future_cancel(f);
    evpq_future_unref(f);
}

static void a_query(void)
{
    hang();
    call_off(query("select 1"));
}

static void a_query_at_work(void)
{
    evpq_future *f = query("select pg_sleep(60)");
    at_work();
    call_off(f);
}

static void a_query_with_a_limit(void)
{
    hang();
    ck_failed(query("select 1"), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
}

static void a_read_group(void)
{
    evpq_future *f[4];
    hang();
    for (int i = 0; i < 4; i++)
        f[i] = evpq_pool_read(pool, "select 1", EVPQ_ARGS());
    run_for(evpq_loop_ev(loop), 0.02);
    for (int i = 0; i < 4; i++)
        call_off(f[i]);
}

static void a_statement_closed_before_it(void)
{
    for (int i = 0; i < 3; i++)
        ask("select 2"); /* prepared */
    hang();
    call_off(query("select 3")); /* takes its place */
}

static void a_lease(void)
{
    evpq_lease *lease = lease_get();
    hang();
    evpq_future *f = query_on(lease, "select 1");
    evpq_lease_release(lease);
    call_off(f);
}

static void a_lease_in_a_transaction(void)
{
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    hang();
    evpq_lease_release(lease);
}

static void a_lease_to_be_reset(void)
{
    evpq_lease *lease = lease_get();
    exec_on(lease, "set work_mem = '1MB'");
    hang();
    evpq_lease_release(lease);
}

static void a_batch(void)
{
    static const evpq_statement two[2] = {{.sql = "select 1"}, {.sql = "select 2"}};
    hang();
    call_off(evpq_pool_batch(pool, two, 2));
}

static void an_executemany(void)
{
    evpq_args rows[3] = {EVPQ_ARGS(1), EVPQ_ARGS(2), EVPQ_ARGS(3)};
    hang();
    call_off(evpq_executemany(pool, "insert into hung_t values ($1)", rows, 3));
}

/* ---- transactions ---- */

static evpq_txn *begun(void)
{
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "select 1");
    return txn;
}

static void begin(void)
{
    evpq_txn *txn = txn_get(NULL);
    hang();
    call_off(query_in(txn, "select 1"));
    ck_done(evpq_txn_rollback(txn));
}

static void begin_alone(void)
{
    evpq_txn *txn = txn_get(NULL);
    hang();
    ck_assert_ptr_nonnull(evpq_txn_lease(txn));
    ck_until(!evpq_lease_backend_pid(evpq_txn_lease(txn)) || !stats().leased);
    evpq_future_unref(evpq_txn_rollback(txn));
}

static void rollback(void)
{
    evpq_txn *txn = begun();
    hang();
    ck_done(evpq_txn_rollback(txn));
}

static void rollback_with_a_statement(void)
{
    evpq_txn *txn = begun();
    evpq_future *f = query_in(txn, "select pg_sleep(60)");
    at_work();
    ck_done(evpq_txn_rollback(txn));
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
}

static void rollback_that_nobody_awaits(void)
{
    evpq_txn *txn = begun();
    hang();
    evpq_future_unref(evpq_txn_rollback(txn));
}

/* The BEGIN of a borrowed lease's transaction; the lease knows that its connection is lost. */
static void rollback_on_a_lease(void)
{
    evpq_lease *lease = lease_get();
    evpq_future *f = evpq_lease_begin(lease, NULL);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    exec_in(txn, "select 1");
    hang();
    ck_done(evpq_txn_rollback(txn));
    ck_assert_int_eq(evpq_lease_backend_pid(lease), 0);
    evpq_lease_release(lease);
}

static void a_savepoint(void)
{
    evpq_txn *txn = begun(), *inner = evpq_txn_savepoint(txn);
    hang();
    call_off(query_in(inner, "select 1"));
    evpq_future_unref(evpq_txn_rollback(inner));
    ck_done(evpq_txn_rollback(txn));
}

static void rollback_to_a_savepoint(void)
{
    evpq_txn *txn = begun(), *inner = evpq_txn_savepoint(txn);
    exec_in(inner, "select 1");
    hang();
    ck_done(evpq_txn_rollback(inner));
    ck_done(evpq_txn_rollback(txn));
}

static void release_of_a_savepoint(void)
{
    evpq_txn *txn = begun(), *inner = evpq_txn_savepoint(txn);
    exec_in(inner, "select 1");
    hang();
    ck_failed(evpq_txn_commit(inner), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    ck_done(evpq_txn_rollback(txn));
}

static void commit(void)
{
    evpq_txn *txn = begun();
    hang();
    ck_failed(evpq_txn_commit(txn), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
}

static void commit_that_is_canceled(void)
{
    evpq_txn *txn = begun();
    hang();
    call_off(evpq_txn_commit(txn));
}

static void commit_with_a_probe(void)
{
    evpq_txn *txn = txn_get(TXN_OPTS(.probe = true));
    exec_in(txn, "insert into hung_t values (1)");
    hang();
    ck_failed(evpq_txn_commit(txn), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
}

/* ---- a function in a transaction ---- */

static evpq_future *hang_and_ask(evpq_txn *txn, void *arg)
{
    (void)arg;
    evpq_future_unref(evpq_txn_query(txn, "select 1", EVPQ_ARGS()));
    exec_in(txn, "select 1");
    hang();
    return query_in(txn, "select 2");
}

static evpq_future *hang_and_fail(evpq_txn *txn, void *arg)
{
    (void)arg;
    exec_in(txn, "select 1");
    hang();
    return evpq_future_failed(loop, EVPQ_INVALID, "no");
}

static evpq_future *hang_and_be_done(evpq_txn *txn, void *arg)
{
    (void)arg;
    exec_in(txn, "select 1");
    hang();
    return NULL;
}

static void transact_in_its_function(void)
{
    ck_failed(evpq_transact(pool, TXN_OPTS(.timeout = 0.5), hang_and_ask, NULL), EVPQ_TIMEOUT,
              EVPQ_OUTCOME_REJECTED);
}

static void transact_that_is_canceled(void)
{
    evpq_future *f = evpq_transact(pool, NULL, hang_and_ask, NULL);
    ck_until(hung);
    call_off(f);
}

static void transact_that_rolls_back(void)
{
    ck_failed(evpq_transact(pool, NULL, hang_and_fail, NULL), EVPQ_INVALID, EVPQ_OUTCOME_UNKNOWN);
}

static void transact_that_commits(void)
{
    ck_failed(evpq_transact(pool, NULL, hang_and_be_done, NULL), EVPQ_TIMEOUT,
              EVPQ_OUTCOME_UNKNOWN);
}

/* ---- streams and COPY ---- */

static evpq_stream *stream_of(const char *sql)
{
    evpq_stream *s = evpq_pool_stream(pool, sql, EVPQ_ARGS(), NULL);
    ck_assert_ptr_nonnull(s);
    return s;
}

static void a_stream(void)
{
    hang();
    evpq_stream *s = stream_of("select generate_series(1, 10)");
    evpq_future *f = evpq_stream_next(s);
    run_for(evpq_loop_ev(loop), 0.02);
    evpq_stream_close(s);
    ck_failed(f, EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
}

/* The server is stopped while its rows fill all buffers, and nobody takes them. */
static void a_stream_that_nobody_reads(void)
{
    evpq_stream *s = stream_of("select repeat('x', 1000), i from generate_series(1, 1000000) i");
    run_for(evpq_loop_ev(loop), 0.1);
    hang();
    evpq_stream_close(s);
}

static void a_stream_that_was_abandoned(void)
{
    evpq_stream *s = stream_of("select pg_sleep(0.01), i from generate_series(1, 100000) i");
    ck_running(1);
    hang();
    evpq_stream_close(s);
}

static evpq_copy *copy_in(void)
{
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy hung_t from stdin");
    ck_assert_int_eq(evpq_copy_write(copy, "1\n", 2), EVPQ_OK);
    ck_until(server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                               " and state = 'active' and query like 'copy%%'",
                               pools_app())));
    return copy;
}

static void fill(evpq_copy *copy)
{
    static char lines[64 * 1024];
    for (size_t i = 0; i < sizeof lines; i += 2)
        lines[i] = '1', lines[i + 1] = '\n';
    for (int i = 0; i < 1000; i++) {
        if (evpq_copy_write(copy, lines, sizeof lines) != EVPQ_OK)
            break;
        run_for(evpq_loop_ev(loop), 0.001);
    }
}

static void a_copy_in_that_is_aborted(void)
{
    evpq_copy *copy = copy_in();
    hang();
    evpq_copy_abort(copy, "no");
}

static void a_copy_in_that_is_full(void)
{
    evpq_copy *copy = copy_in();
    hang();
    fill(copy);
    evpq_copy_close(copy);
}

static void a_copy_in_at_its_end(void)
{
    evpq_copy *copy = copy_in();
    hang();
    call_off(evpq_copy_finish(copy));
}

static void a_copy_in_of_rows(void)
{
    hang();
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "hung_t", NULL, 0);
    call_off(evpq_copy_drain(copy));
    run_for(evpq_loop_ev(loop), 0.02);
    evpq_copy_close(copy);
}

static evpq_copy *copy_out(void)
{
    evpq_copy *copy = evpq_pool_copy_out(
        pool, "copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout");
    ck_done(evpq_copy_read(copy));
    return copy;
}

static void a_copy_out(void)
{
    evpq_copy *copy = copy_out();
    hang();
    evpq_copy_close(copy);
}

static void a_copy_out_that_is_read(void)
{
    evpq_copy *copy = copy_out();
    hang();
    evpq_future *f;
    do {
        f = evpq_copy_read(copy);
        evpq_future *soon = evpq_timeout(evpq_shield(evpq_future_ref(f)), 0.1);
        evpq_await(soon);
        evpq_future_unref(soon);
    } while (evpq_future_status(f) == EVPQ_OK && (evpq_future_unref(f), true));
    call_off(f);
    evpq_copy_close(copy);
}

/* ---- hooks ---- */

static evpq_future *asks(evpq_lease *lease, void *arg)
{
    (void)arg;
    if (!hung)
        hang();
    return query_on(lease, "select 1");
}

static int hooks;

/* The second time, so that there is something to stop. */
static evpq_future *asks_the_second_time(evpq_lease *lease, void *arg)
{
    return hooks++ == 1 ? asks(lease, arg) : NULL;
}

/* It waits for nothing, though there is an answer to come. */
static evpq_future *asks_and_goes(evpq_lease *lease, void *arg)
{
    if (hooks++ != 1)
        return NULL;
    evpq_future_unref(asks(lease, arg));
    return NULL;
}

static void a_hook(void)
{
    for (int i = 0; i < 2; i++) {
        evpq_future *f = evpq_pool_acquire(pool);
        evpq_await(f);
        evpq_lease_release(evpq_future_lease(f));
        evpq_future_unref(f);
        ck_until(hung || !stats().leased);
    }
    ck_assert(hung);
}

/* A reset makes the session new, and after_connect runs again. */
static void a_hook_after_a_reset(void)
{
    evpq_lease *lease = lease_get();
    exec_on(lease, "set work_mem = '1MB'");
    evpq_lease_release(lease);
    ck_until(hung);
}

/* ---- the end of the pool ---- */

static void drain(void)
{
    evpq_txn *txn = begun();
    hang();
    evpq_future *f = evpq_pool_drain(pool);
    evpq_future_unref(evpq_txn_rollback(txn));
    ck_done(f);
}

#define LIMITED .query_timeout = 1

static const struct state {
    const char *name;
    void (*hang)(void);
    evpq_pool_opts opts;
} states[] = {
#define STATE(name, ...)                         \
 {                                               \
#  name, name,                                   \
  {                                              \
   .size = sizeof(evpq_pool_opts), ##__VA_ARGS__ \
  }                                              \
 }
    STATE(a_query),
    STATE(a_query_at_work),
    STATE(a_query_with_a_limit, LIMITED),
    STATE(a_read_group),
    STATE(a_statement_closed_before_it, .prepared_max = 1),
    STATE(a_lease),
    STATE(a_lease_in_a_transaction),
    STATE(a_lease_to_be_reset),
    STATE(a_batch),
    STATE(an_executemany),
    STATE(begin),
    STATE(begin_alone),
    STATE(rollback),
    STATE(rollback_with_a_statement),
    STATE(rollback_that_nobody_awaits),
    STATE(rollback_on_a_lease),
    STATE(a_savepoint),
    STATE(rollback_to_a_savepoint),
    STATE(release_of_a_savepoint),
    STATE(commit, LIMITED),
    STATE(commit_that_is_canceled),
    STATE(commit_with_a_probe, LIMITED),
    STATE(transact_in_its_function),
    STATE(transact_that_is_canceled),
    STATE(transact_that_rolls_back),
    STATE(transact_that_commits, LIMITED),
    STATE(a_stream),
    STATE(a_stream_that_nobody_reads),
    STATE(a_stream_that_was_abandoned),
    STATE(a_copy_in_that_is_aborted),
    STATE(a_copy_in_that_is_full),
    STATE(a_copy_in_at_its_end),
    STATE(a_copy_in_of_rows),
    STATE(a_copy_out),
    STATE(a_copy_out_that_is_read),
    STATE(a_hook, .before_acquire = asks_the_second_time, .acquire_timeout = 0.5),
    STATE(a_hook, .after_release = asks_the_second_time),
    STATE(a_hook, .before_acquire = asks_and_goes, .acquire_timeout = 0.5),
    STATE(a_hook, .after_release = asks_and_goes),
    STATE(a_hook_after_a_reset, .after_connect = asks_the_second_time, .connect_timeout = 0.5),
    STATE(a_hook_after_a_reset, .after_connect = asks_and_goes, .connect_timeout = 0.5),
    STATE(drain),
#undef STATE
};

enum { STATES = sizeof states / sizeof *states };

static bool place_is_back(void)
{
    evpq_pool_stats s = stats();
    return !s.busy && !s.leased && !s.waiting && !s.closing;
}

START_TEST(f61_the_place_comes_back)
{
    const struct state *state = &states[_i];
    evpq_pool_opts opts = state->opts;
    server_exec("set client_min_messages = warning; create table if not exists hung_t (i int)");
    opts.max_size = 1;
    opts.cancel_timeout = opts.query_timeout ? 1.5 * opts.query_timeout : CANCEL;
    pools_open(server_conninfo(SERVER_UNIX, NULL), &opts);
    evpq_future *f = query("select 1"); /* a hook of the pool's is not called for it */
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_until(stats().idle == 1);
    state->hang();
    ck_assert(hung && is_stopped(hung));
    ck_assert_msg(RUN_UNTIL(evpq_loop_ev(loop), place_is_back(), 10), "%s: %s", state->name,
                  stats_text());
    f = evpq_timeout(query("select 1"), 10);
    ck_assert_msg(evpq_await(f) == EVPQ_OK, "%s: %s", state->name, check_future_text(f));
    evpq_future_unref(f);
    ck_assert_msg(is_stopped(hung), "%s: the server had a hand in it", state->name);
    ck_assert(no_task_left());
    go_on();
    pools_end();
}
END_TEST

/* ---- what is no part of the table ---- */

/* close(0) takes what is out on lease; close(-1) waits for a rollback, and for no longer than that
 * may take. */
START_TEST(f61_a_pool_closes)
{
    open_pool(.max_size = 1, .cancel_timeout = CANCEL);
    evpq_txn *txn = begun();
    hang();
    if (_i == 0)
        evpq_future_unref(evpq_txn_rollback(txn));
    ck_done(evpq_timeout(evpq_pool_close(pool, _i == 0 ? -1 : 0), 10));
    if (_i == 1)
        ck_done(evpq_txn_rollback(txn));
    ck_assert(is_stopped(hung));
    go_on();
    pools_end();
}
END_TEST

/* Who is sent behind the Close of a statement does not wait for ever for that to be answered. */
START_TEST(f61_a_close_has_a_limit)
{
    open_pool(.max_size = 1, .prepared_max = 1, .cancel_timeout = CANCEL);
    for (int i = 0; i < 3; i++)
        ask("select 2"); /* prepared */
    hang();
    ck_failed(evpq_timeout(query("select 3"), 20), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    ck_assert(is_stopped(hung));
    go_on();
    pools_end();
}
END_TEST

/* An answer that has come in time counts, though the program keeps the loop from seeing it. */
START_TEST(f61_a_late_loop_costs_nothing)
{
    open_pool(.max_size = 1, .cancel_timeout = CANCEL);
    evpq_txn *txn = begun();
    evpq_future *f = evpq_txn_rollback(txn);
    run_for(evpq_loop_ev(loop), 0); /* it is sent */
    usleep((useconds_t)(3 * CANCEL * 1e6));
    ck_done(f);
    ck_quiet();
    ck_assert_uint_eq(stats().lost, 0);
    pools_end();
}
END_TEST

/* What shares a Sync with a statement of the program's is answered with it, however long that
 * takes. */
START_TEST(f61_begin_waits_for_what_is_sent_with_it)
{
    open_pool(.max_size = 1, .cancel_timeout = CANCEL);
    evpq_txn *txn = txn_get(NULL);
    evpq_future *f = query_in(txn, strf("select pg_sleep(%g)", 3 * CANCEL));
    ck_done(f);
    evpq_txn *inner = evpq_txn_savepoint(txn);
    ck_done(query_in(inner, strf("select pg_sleep(%g)", 3 * CANCEL)));
    ck_done(evpq_txn_commit(inner));
    ck_done(evpq_txn_commit(txn));
    ck_assert_uint_eq(stats().lost, 0);
    pools_end();
}
END_TEST

/* COMMIT may take as long as it takes, where nobody says how long. */
START_TEST(f61_commit_has_no_limit_but_query_timeout)
{
    server_exec("set client_min_messages = warning; drop table if exists hung_slow;"
                "create table hung_slow (i int);"
                "create or replace function hung_sleep() returns trigger language plpgsql as"
                " 'begin perform pg_sleep(1); return null; end';"
                "create constraint trigger slow after insert on hung_slow deferrable"
                " initially deferred for each row execute function hung_sleep()");
    open_pool(.max_size = 1, .cancel_timeout = CANCEL);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into hung_slow values (1)");
    ck_done(evpq_txn_commit(txn));
    ck_assert_uint_eq(stats().lost, 0);
    pools_end();
}
END_TEST

/* ---- a listener ---- */

START_TEST(f61_a_listener_gets_another_connection)
{
    open_pool(.max_size = 1);
    const char *app = strf("evpq-ear-%ld", (long)getpid());
    evpq_listener *listener = evpq_listener_open(
        loop, strf("%s application_name=%s", server_conninfo(SERVER_UNIX, NULL), app),
        &(evpq_listener_opts){
            .size = sizeof(evpq_listener_opts), .keepalive = 0.2, .keepalive_timeout = 0.2},
        NULL);
    evpq_subscription *s = evpq_listener_subscribe(listener, "hung", NULL, NULL);
    ck_done(evpq_timeout(evpq_subscription_ready(s), 10));
    int before = evpq_listener_backend_pid(listener);
    stop(app);
    ck_until(evpq_listener_backend_pid(listener) && evpq_listener_backend_pid(listener) != before);
    ck_done(evpq_timeout(evpq_subscription_ready(s), 10));
    ck_assert(is_stopped(hung));
    go_on();
    evpq_subscription_unref(s);
    ck_done(evpq_timeout(evpq_listener_close(listener), 10));
    evpq_listener_unref(listener);
    pools_end();
}
END_TEST

/* A LISTEN that is not answered, and nobody told the listener to ask whether the server lives. */
START_TEST(f61_a_listen_has_a_limit)
{
    open_pool(.max_size = 1);
    const char *app = strf("evpq-ear-%ld", (long)getpid());
    evpq_listener *listener = evpq_listener_open(
        loop, strf("%s application_name=%s", server_conninfo(SERVER_UNIX, NULL), app),
        &(evpq_listener_opts){
            .size = sizeof(evpq_listener_opts), .keepalive = -1, .keepalive_timeout = 0.2},
        NULL);
    ck_until(evpq_listener_backend_pid(listener));
    stop(app);
    evpq_subscription *s = evpq_listener_subscribe(listener, "hung", NULL, NULL);
    ck_done(evpq_timeout(evpq_subscription_ready(s), 20)); /* CANCEL_TIMEOUT of listener.c */
    ck_assert(is_stopped(hung));
    go_on();
    evpq_subscription_unref(s);
    ck_done(evpq_timeout(evpq_listener_close(listener), 10));
    evpq_listener_unref(listener);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("a server process that hangs");
    CHECK_ADD_LOOP(c, f61_the_place_comes_back, STATES);
    CHECK_ADD_LOOP(c, f61_a_pool_closes, 2);
    CHECK_ADD(c, f61_a_close_has_a_limit);
    CHECK_ADD(c, f61_a_late_loop_costs_nothing);
    CHECK_ADD(c, f61_begin_waits_for_what_is_sent_with_it);
    CHECK_ADD(c, f61_commit_has_no_limit_but_query_timeout);
    CHECK_ADD(c, f61_a_listener_gets_another_connection);
    CHECK_ADD_SLOW(c, f61_a_listen_has_a_limit, 60);
    return check_end(c);
}
