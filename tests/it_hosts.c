/* it_hosts.c - evpq in loops of other kinds, each with its adapter: the same program in each, which lets
 * the host run and waits for nothing itself; and an idle loop, which wakes no host. */
#include "hosts/hosts.h"
#include "support/check.h"
#include "support/server.h"

#include <evpq/evpq.h>

enum { CONNECTIONS = 4, LONG = 30 };

static const struct host *host;
static void *h;
static evpq_loop *loop;
static evpq_pool *pool;

/* ---- turns, counted: the linker leads each adapter here ---- */

bool __real_evpq_loop_turn(evpq_loop *turned);
bool __wrap_evpq_loop_turn(evpq_loop *turned);

static unsigned turns;

bool __wrap_evpq_loop_turn(evpq_loop *turned)
{
    turns++;
    return __real_evpq_loop_turn(turned);
}

/* ---- one loop ---- */

static const char *app(void)
{
    return strf("evpq-hosts-%s", host->name);
}

static void begin(int i)
{
    host = hosts[i];
    loop = host->loop_new();
    ck_assert_ptr_nonnull(loop);
    h = host->begin(loop);
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = CONNECTIONS};
    pool = evpq_pool_open(loop, server_conninfo(SERVER_UNIX, strf("application_name=%s", app())),
                          &opts, NULL);
    ck_assert_ptr_nonnull(pool);
}

/* ---- waiting, with the host at work ---- */

static int left; /* futures that the host runs for */

static void count(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    if (!--left)
        host->stop(h);
}

static void wait_for(evpq_future *f)
{
    left = 1;
    ck_assert_int_eq(evpq_future_on_done(f, count, NULL), EVPQ_OK);
    host->run(h, LONG);
    ck_assert_msg(!left, "nothing has come of it in %s", host->name);
}

/* f is let go of. */
static void ck_ends(evpq_future *f, evpq_status wanted)
{
    wait_for(f);
    ck_future_status(f, wanted);
    evpq_future_unref(f);
}

/* The first field. */
static int ask(const char *sql)
{
    evpq_future *f = evpq_pool_query(pool, sql, EVPQ_ARGS());
    wait_for(f);
    ck_future_ok(f);
    int value = evpq_result_int4(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    return value;
}

static void end(void)
{
    ck_ends(evpq_pool_close(pool, LONG), EVPQ_OK);
    pool = evpq_pool_unref(pool);
    ck_assert(server_wait_backends(app(), 0, LONG));
    host->end(h);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
}

/* ---- queries ---- */

enum { IN_A_ROW = 500 };

static int answers;
static long sum;

static void ask_next(evpq_future *f, void *arg);

static void ask_one(void)
{
    evpq_future *f = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(answers));
    ck_assert_int_eq(evpq_future_on_done(f, ask_next, NULL), EVPQ_OK);
    evpq_future_unref(f);
}

static void ask_next(evpq_future *f, void *arg)
{
    (void)arg;
    ck_future_ok(f);
    sum += evpq_result_int4(evpq_future_result(f), 0, 0);
    if (++answers < IN_A_ROW)
        ask_one();
    else
        host->stop(h);
}

/* Each in the callback of the one before. */
START_TEST(queries_one_after_another)
{
    begin(_i);
    answers = 0, sum = 0;
    ask_one();
    host->run(h, LONG);
    ck_assert_int_eq(answers, IN_A_ROW);
    ck_assert_int_eq(sum, (long)IN_A_ROW * (IN_A_ROW - 1) / 2);
    end();
}
END_TEST

START_TEST(many_queries_at_once)
{
    enum { QUERIES = 400 };
    evpq_future *f[QUERIES];
    begin(_i);
    for (left = 0; left < QUERIES; left++) {
        f[left] = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(left));
        ck_assert_int_eq(evpq_future_on_done(f[left], count, NULL), EVPQ_OK);
    }
    host->run(h, LONG);
    ck_assert_int_eq(left, 0);
    for (int i = 0; i < QUERIES; i++) {
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[i]), 0, 0), i);
        evpq_future_unref(f[i]);
    }
    end();
}
END_TEST

START_TEST(what_is_canceled_ends)
{
    begin(_i);
    evpq_future *f = evpq_pool_query(pool, "select pg_sleep(600)", EVPQ_ARGS());
    while (!server_count(strf("select count(*) from pg_stat_activity where application_name = '%s' "
                              "and wait_event = 'PgSleep'",
                              app())))
        host->run(h, 0.01);
    evpq_future_cancel(f); /* between two turns */
    ck_ends(f, EVPQ_CANCELED);
    ck_assert_int_eq(ask("select 7"), 7);
    end();
}
END_TEST

START_TEST(what_takes_too_long_ends)
{
    begin(_i);
    ck_assert_int_eq(ask("select 6"), 6);
    evpq_future *slow = evpq_pool_query(pool, "select pg_sleep(600)", EVPQ_ARGS());
    ck_ends(evpq_timeout(slow, 0.1), EVPQ_TIMEOUT);
    ck_assert_int_eq(ask("select 7"), 7);
    end();
}
END_TEST

/* Connections that go, and come back at other descriptors. */
START_TEST(lost_connections_come_back)
{
    begin(_i);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask("select 6"), 6);
        ck_assert_int_gt(server_kill_backends(app()), 0);
        host->run(h, 0.02);
        ck_assert_int_eq(ask("select 7"), 7);
    }
    end();
}
END_TEST

static evpq_future *sleep_and_ask(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    for (int i = 0; i < 3; i++) {
        evpq_future *f = evpq_sleep(loop, 0.001);
        ck_assert_int_eq(evpq_await(f), EVPQ_OK);
        evpq_future_unref(f);
        f = evpq_pool_query(pool, "select 1", EVPQ_ARGS());
        ck_assert_int_eq(evpq_await(f), EVPQ_OK);
        evpq_future_unref(f);
    }
    return NULL;
}

START_TEST(tasks_go_on)
{
    begin(_i);
    ck_ends(evpq_task_spawn(loop, sleep_and_ask, NULL, NULL), EVPQ_OK);
    end();
}
END_TEST

START_TEST(notifications_come)
{
    begin(_i);
    evpq_listener *listener =
        evpq_listener_open(loop, server_conninfo(SERVER_UNIX, NULL), NULL, NULL);
    ck_assert_ptr_nonnull(listener);
    evpq_subscription *s = evpq_listener_subscribe(listener, app(), NULL, NULL);
    ck_assert_ptr_nonnull(s);
    ck_ends(evpq_subscription_ready(s), EVPQ_OK);
    evpq_future *f = evpq_subscription_next(s);
    host->run(h, 0.02);
    ck_future_pending(f);
    server_exec(strf("notify \"%s\", 'hello'", app()));
    wait_for(f);
    ck_future_ok(f);
    ck_assert_str_eq(evpq_notification_payload(evpq_future_notification(f)), "hello");
    evpq_future_unref(f);
    evpq_subscription_unref(s);
    ck_ends(evpq_listener_close(listener), EVPQ_OK);
    evpq_listener_unref(listener);
    end();
}
END_TEST

/* ---- the host ---- */

/* A loop with an open pool and nothing to do. */
START_TEST(an_idle_loop_wakes_no_host)
{
    begin(_i);
    if (evpq_loop_fd(loop) >= 0) {
        answers = IN_A_ROW - 10, sum = 0;
        ask_one();
        host->run(h, LONG);
        ck_assert_int_eq(answers, IN_A_ROW);
        host->run(h, 0.05); /* the server may still say something, the pool look around */
        turns = 0;
        host->run(h, 0.5);
        ck_assert_uint_eq(turns, 0);
        ck_assert_int_eq(ask("select 7"), 7);
        ck_assert_uint_gt(turns, 0);
    }
    end();
}
END_TEST

/* While it is out, work waits. */
START_TEST(it_is_taken_out_and_put_in_again)
{
    begin(_i);
    ck_assert_int_eq(ask("select 6"), 6);
    if (evpq_loop_fd(loop) >= 0) {
        host->detach(h);
        evpq_future *f = evpq_pool_query(pool, "select 7", EVPQ_ARGS());
        host->run(h, 0.05);
        ck_future_pending(f);
        host->attach(h);
        ck_ends(f, EVPQ_OK);
        host->run(h, 0.01); /* libuv's first adapter ends */
    }
    end();
}
END_TEST

/* By a callback of evpq's, in the midst of a turn. */
static void detach(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    host->detach(h);
    host->stop(h);
}

START_TEST(a_callback_may_take_it_out)
{
    begin(_i);
    evpq_future *f = evpq_pool_query(pool, "select 7", EVPQ_ARGS());
    ck_assert_int_eq(evpq_future_on_done(f, detach, NULL), EVPQ_OK);
    host->run(h, LONG);
    ck_future_ok(f);
    evpq_future_unref(f);
    host->attach(h);
    end();
}
END_TEST

/* In the midst of a turn, too. What comes first there is asked for in that callback. */
static void run_within(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    if (host == &host_epoll)
        evpq_loop_turn(loop);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask("select 8"), 8);
        ck_ends(evpq_sleep(loop, 0.01), EVPQ_OK);
    }
    host->stop(h);
}

START_TEST(a_callback_may_run_the_host)
{
    begin(_i);
    if (host->nests) {
        evpq_future *f = evpq_pool_query(pool, "select 7", EVPQ_ARGS());
        ck_assert_int_eq(evpq_future_on_done(f, run_within, NULL), EVPQ_OK);
        host->run(h, LONG);
        ck_future_ok(f);
        evpq_future_unref(f);
    }
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("hosts");
    CHECK_ADD_LOOP(c, queries_one_after_another, n_hosts);
    CHECK_ADD_LOOP(c, many_queries_at_once, n_hosts);
    CHECK_ADD_LOOP(c, what_is_canceled_ends, n_hosts);
    CHECK_ADD_LOOP(c, what_takes_too_long_ends, n_hosts);
    CHECK_ADD_LOOP(c, lost_connections_come_back, n_hosts);
    CHECK_ADD_LOOP(c, tasks_go_on, n_hosts);
    CHECK_ADD_LOOP(c, notifications_come, n_hosts);
    CHECK_ADD_LOOP(c, an_idle_loop_wakes_no_host, n_hosts);
    CHECK_ADD_LOOP(c, it_is_taken_out_and_put_in_again, n_hosts);
    CHECK_ADD_LOOP(c, a_callback_may_take_it_out, n_hosts);
    CHECK_ADD_LOOP(c, a_callback_may_run_the_host, n_hosts);
    return check_end(c);
}
