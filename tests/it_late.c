/* it_late.c - deadlines that pass while the program holds the loop up (F53): what the sockets held
 * by then counts as answered, in every verb; what did not come is late all the same. And such as
 * pass while the program never waits (F63). */
#include "support/txns.h"

#include "pool/pool.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 3.

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void block_until(double at)
{
    while (now() < at)
        usleep(10000);
}

/* ---- the program holds the loop up ---- */

static double began;

static long at_work(const char *how)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and %s",
                             pools_app(), how));
}

/* A callback that lasts until the server has answered everything, and every deadline has passed. */
static void hold_up(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    while (at_work("state = 'active'") > 0)
        usleep(10000);
    block_until(began + SECONDS + 0.5);
}

static void hold_up_soon(void)
{
    evpq_future *f = evpq_sleep(loop, 0);
    ck_assert_int_eq(evpq_future_on_done(f, hold_up, NULL), EVPQ_OK);
    ck_done(f);
}

/* ---- every verb ---- */

static const char slow[] = "select pg_sleep(1)";

static evpq_lease *lease[3];
static evpq_txn *txn[2];
static evpq_stream *stream;
static evpq_copy *copy;
static evpq_pool *other;

static void tables(void)
{
    server_exec("drop table if exists late, late_copy;"
                "create table late(i int); create table late_copy(i int);"
                "create or replace function late_wait() returns trigger language plpgsql as"
                " 'begin perform pg_sleep(1); return null; end';"
                "create constraint trigger w after insert on late deferrable initially deferred"
                " for each row execute function late_wait();"
                "create trigger w after insert on late_copy for each statement"
                " execute function late_wait()");
}

static evpq_future *asks(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    evpq_future *f = query(slow);
    if (evpq_await(f) != EVPQ_OK)
        return f;
    evpq_future_unref(f);
    return evpq_future_ok(loop, NULL, NULL);
}

static evpq_future *start(int verb)
{
    const evpq_args rows[] = {EVPQ_ARGS("0.5"), EVPQ_ARGS("0.5")};
    const evpq_statement two[] = {{.sql = slow}, {.sql = "select 2"}};
    switch (verb) {
    case 0:
        return evpq_timeout(query(slow), SECONDS);
    case 1:
        return evpq_timeout(evpq_pool_read(pool, slow, EVPQ_ARGS()), SECONDS);
    case 2:
        return evpq_timeout(query_on(lease[0], slow), SECONDS);
    case 3:
        return evpq_timeout(evpq_pool_batch(pool, two, 2), SECONDS);
    case 4:
        return evpq_timeout(evpq_executemany(pool, "select pg_sleep($1::text::float8)", rows, 2),
                            SECONDS);
    case 5:
        return evpq_timeout(query_in(txn[0], slow), SECONDS);
    case 6:
        return evpq_timeout(evpq_txn_commit(txn[1]), SECONDS);
    case 7:
        stream = evpq_lease_stream(lease[1], slow, EVPQ_ARGS(), NULL);
        return evpq_timeout(evpq_stream_next(stream), SECONDS);
    case 8:
        return evpq_timeout(evpq_copy_finish(copy), SECONDS);
    case 9:
        return evpq_task_spawn(loop, asks, NULL, TASK_OPTS(.deadline = SECONDS));
    case 10: /* query_timeout */
        return evpq_pool_query(other, slow, EVPQ_ARGS());
    case 11: /* its only connection is at work */
        return evpq_timeout(evpq_pool_acquire(other), SECONDS);
    default: /* acquire_timeout, behind that lease */
        return evpq_pool_acquire(other);
    }
}

enum { VERBS = 12, RUNNING = VERBS - 1 };

static const char *const verb_name[VERBS] = {
    "query",  "read",   "lease query", "batch", "executemany",   "transaction",
    "COMMIT", "stream", "COPY",        "task",  "query_timeout", "acquire",
};

static void prepare(void)
{
    tables();
    open_pool(.min_size = 12, .max_size = 12, .pipeline_depth = 1);
    other = evpq_pool_open(loop,
                           server_conninfo(SERVER_UNIX, strf("application_name='%s'", pools_app())),
                           &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                             .max_size = 1,
                                             .query_timeout = SECONDS,
                                             .acquire_timeout = SECONDS},
                           NULL);
    ck_done(evpq_pool_query(other, "select 1", EVPQ_ARGS()));
    for (int i = 0; i < 3; i++)
        lease[i] = lease_get();
    for (int i = 0; i < 2; i++)
        txn[i] = txn_get(NULL);
    exec_in(txn[0], "select 1");
    exec_in(txn[1], "insert into late values (1)");
    ck_until(stats_total() == 12 && !stats().connecting);
    copy = evpq_lease_copy_in(lease[2], "copy late_copy from stdin");
    ck_done(evpq_copy_drain(copy));
    ck_assert_int_eq(evpq_copy_write(copy, "1\n", 2), EVPQ_OK);
}

static void tidy_up(void)
{
    stream = evpq_stream_close(stream);
    for (int i = 0; i < 3; i++)
        evpq_lease_release(lease[i]);
    ck_done(evpq_txn_rollback(txn[0]));
    ck_done(evpq_pool_close(other, 10));
    evpq_pool_unref(other);
    pools_end();
    server_exec("drop table late, late_copy; drop function late_wait");
}

START_TEST(f53_what_was_answered_in_time_is_never_late)
{
    evpq_future *f[VERBS];
    prepare();
    began = now();
    for (int i = 0; i < VERBS; i++)
        f[i] = start(i);
    ck_until(at_work("wait_event = 'PgSleep'") == RUNNING);
    hold_up_soon();
    for (int i = 0; i < VERBS; i++) {
        evpq_await(f[i]);
        ck_assert_msg(evpq_future_status(f[i]) == EVPQ_OK, "%s: %s", verb_name[i],
                      check_future_text(f[i]));
        evpq_future_unref(f[i]);
    }
    ck_assert_int_eq(server_count("select count(*) from late"), 1);
    ck_assert_int_eq(server_count("select count(*) from late_copy"), 1);
    tidy_up();
}
END_TEST

/* An answer that one read does not take, and others beside it. */
START_TEST(f53_a_large_answer_that_lay_there_is_never_late)
{
    evpq_future *f[80];
    open_pool(.min_size = 80, .max_size = 80, .pipeline_depth = 1);
    ck_until(stats().idle == 80);
    began = now();
    for (int i = 0; i < 80; i++)
        f[i] = evpq_timeout(query("select pg_sleep(1), repeat('x', 100000)"), SECONDS);
    ck_running(80);
    hold_up_soon();
    for (int i = 0; i < 80; i++)
        ck_done(f[i]);
    pools_end();
}
END_TEST

START_TEST(f53_what_did_not_come_is_late_though_the_loop_was_held_up)
{
    open_pool(.max_size = 1);
    ask("select 1");
    began = now();
    evpq_future *f = evpq_timeout(query("select pg_sleep(60)"), SECONDS);
    evpq_future *behind = evpq_timeout(query("create temp table never()"), SECONDS);
    ck_running(1);
    block_until(began + SECONDS + 0.2);
    ck_failed(f, EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
    ck_failed(behind, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

/* What waits, and whose time is up, is not sent because another's answer is found. */
START_TEST(f53_what_was_not_sent_in_time_is_not_sent_late)
{
    open_pool(.max_size = 1, .pipeline_depth = 1);
    ask("select 1");
    began = now();
    evpq_future *first = evpq_timeout(query(slow), SECONDS);
    evpq_future *second = evpq_timeout(query("select 2"), SECONDS);
    ck_running(1);
    hold_up_soon();
    ck_done(first);
    ck_failed(second, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

/* Whoever asks the loop to run only after the deadline has nothing sent. */
START_TEST(f53_what_was_late_before_the_loop_ran_is_not_sent)
{
    open_pool(.max_size = 1);
    ask("select 1");
    began = now();
    evpq_future *f = evpq_timeout(query("create table late_never()"), 0.05);
    evpq_future *behind = query("select 1");
    block_until(began + 0.2);
    ck_failed(f, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    ck_done(behind);
    ck_assert_int_eq(server_count("select count(*) from pg_class where relname = 'late_never'"), 0);
    pools_end();
}
END_TEST

/* As Ctrl-Z and fg do: then epoll_wait is interrupted, and has not looked at the sockets. */
START_TEST(f53_a_process_that_was_stopped_has_not_missed_its_answers)
{
    open_pool(.max_size = 1);
    ask("select 1");
    evpq_future *f = evpq_timeout(query(slow), SECONDS);
    ck_running(1);
    pid_t self = getpid(), child = fork();
    if (!child) {
        usleep(100000);
        kill(self, SIGSTOP);
        usleep((useconds_t)(SECONDS * 1e6 + 200000));
        kill(self, SIGCONT);
        _exit(0);
    }
    ck_done(f);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    pools_end();
}
END_TEST

static void dawdle(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    usleep(300000);
}

/* Two answers lie there, and what the first is used for takes long. */
START_TEST(time_goes_on_from_one_socket_to_the_next)
{
    evpq_future *f[2];
    open_pool(.min_size = 2, .max_size = 2, .pipeline_depth = 1);
    ck_until(stats().idle == 2);
    for (int i = 0; i < 2; i++) {
        f[i] = query("select pg_sleep(1)");
        ck_assert_int_eq(evpq_future_on_done(f[i], dawdle, NULL), EVPQ_OK);
    }
    ck_running(2);
    usleep(1300000);
    for (int i = 0; i < 2; i++)
        ck_done(f[i]);
    ck_quiet();
    double since[2] = {0, 0};
    int n = 0;
    list_each(node, &pool->conns[POOL_CONN_IDLE])
        since[n++] = container_of(node, struct pool_conn, node)->conn.pipeline.head_since;
    double between = since[0] > since[1] ? since[0] - since[1] : since[1] - since[0];
    ck_assert_msg(between > 0.25, "%g s", between);
    pools_end();
}
END_TEST

/* ---- what evpq itself waits for ---- */

/* So far it comes. */
static void turn(int turns)
{
    while (turns--) {
        ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
        usleep(1000);
    }
}

START_TEST(f53_a_handshake_that_got_on_is_not_given_up)
{
    enum server_path path = _i ? SERVER_TLS : SERVER_UNIX;
    if (_i && !server_has_tls())
        return;
    static const int all_turns[] = {1, 2, 4, 6};
    for (size_t i = 0; i < sizeof all_turns / sizeof *all_turns; i++) {
        /* What is left of the handshake has as long as the timer was late: a busy machine needs it. */
        open_pool_at(server_conninfo(path, NULL), .max_size = 1, .connect_timeout = 1.2);
        evpq_future *f = evpq_pool_connect(pool);
        turn(all_turns[i]);
        block_until(now() + 2.4);
        ck_done(f);
        ck_assert_uint_eq(stats().connect_failures, 0);
        pools_end();
    }
}
END_TEST

START_TEST(f53_a_cancel_that_got_on_keeps_its_connection)
{
    open_pool(.max_size = 1, .cancel_timeout = 1);
    ask("select 1");
    for (int turns = 0; turns < 4; turns++) {
        evpq_future *f = query("select pg_sleep(60)");
        ck_running(1);
        evpq_future_cancel(f);
        evpq_future_unref(f);
        turn(turns);
        block_until(now() + 1.2);
        ck_quiet();
    }
    ck_assert_uint_eq(stats().connects, 1);
    ck_assert_uint_eq(stats().lost, 0);
    pools_end();
}
END_TEST

START_TEST(f53_close_lets_finish_what_had_finished)
{
    open_pool(.max_size = 1);
    ask("select 1");
    evpq_future *f = query(slow);
    ck_running(1);
    began = now();
    evpq_future *closed = evpq_pool_close(pool, SECONDS);
    hold_up_soon();
    ck_done(f);
    ck_done(closed);
    pools_end();
}
END_TEST

/* ---- what is ready for ever (F63) ---- */

static evpq_subscription *sub;

/* It wants to know that something has changed, not what: so it is told the same again. */
static evpq_future *only_wakes(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    for (;;) {
        evpq_future *f = evpq_subscription_next(sub);
        if (evpq_await(f) != EVPQ_OK)
            return f;
        evpq_future_unref(f);
    }
}

START_TEST(f63_one_notification_that_nobody_looks_at_does_not_freeze_the_loop)
{
    open_pool(.max_size = 1);
    evpq_listener *l = evpq_listener_open(loop, server_conninfo(SERVER_UNIX, NULL), NULL, NULL);
    sub = evpq_listener_subscribe(l, "c", NULL, NULL);
    ck_done(evpq_subscription_ready(sub));
    ck_done(evpq_notify(pool, "c", ""));
    evpq_future *f = evpq_task_spawn(loop, only_wakes, NULL, TASK_OPTS(.deadline = 0.5));
    evpq_future *beside = query("select pg_sleep(0.1)");
    ck_done(beside);
    ck_failed(f, EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
    evpq_subscription_unref(sub);
    evpq_listener_unref(l);
    pools_end();
}
END_TEST

static evpq_future *reads_on(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    for (;;) {
        evpq_future *f = evpq_stream_next(stream);
        if (evpq_await(f) != EVPQ_OK || !evpq_future_result(f))
            return f;
        evpq_future_unref(f);
    }
}

START_TEST(f63_a_stream_without_end_meets_the_deadline)
{
    open_pool(.max_size = 2);
    stream = evpq_pool_stream(pool, "select generate_series(1, 1000000000)", EVPQ_ARGS(), NULL);
    ck_done(evpq_stream_next(stream));
    evpq_future *f = evpq_task_spawn(loop, reads_on, NULL, TASK_OPTS(.deadline = 0.5));
    ck_done(query("select pg_sleep(0.1)"));
    ck_assert_int_eq(outcome(f), EVPQ_TIMEOUT);
    evpq_stream_close(stream);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("late");
    CHECK_ADD(c, f53_what_was_answered_in_time_is_never_late);
    CHECK_ADD(c, f53_a_large_answer_that_lay_there_is_never_late);
    CHECK_ADD(c, f53_what_did_not_come_is_late_though_the_loop_was_held_up);
    CHECK_ADD(c, f53_what_was_not_sent_in_time_is_not_sent_late);
    CHECK_ADD(c, f53_what_was_late_before_the_loop_ran_is_not_sent);
    CHECK_ADD(c, f53_a_process_that_was_stopped_has_not_missed_its_answers);
    CHECK_ADD(c, time_goes_on_from_one_socket_to_the_next);
    CHECK_ADD_LOOP(c, f53_a_handshake_that_got_on_is_not_given_up, 2);
    CHECK_ADD(c, f53_a_cancel_that_got_on_keeps_its_connection);
    CHECK_ADD(c, f53_close_lets_finish_what_had_finished);
    CHECK_ADD(c, f63_one_notification_that_nobody_looks_at_does_not_freeze_the_loop);
    CHECK_ADD(c, f63_a_stream_without_end_meets_the_deadline);
    return check_end(c);
}
