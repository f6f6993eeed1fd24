/* it_callbacks.c - many answers have come at once, and the first of them is told: what its callback
 * does to the others, which libpq holds already, and to what they belong to. Meant to be run under
 * AddressSanitizer.
 *
 * A proxy keeps the answers back until the server has given all of them. The queries ride on one
 * connection, or run on a lease. */
#include "support/clock.h"
#include "support/pools.h"
#include "support/proxy.h"

#include "pool/pool.h"

#include <string.h>
#include <sys/ioctl.h>

enum { QUERIES = 40 };

static struct proxy *proxy;
static evpq_lease *lease; /* or NULL: they ride */
static struct told {
    evpq_future *f;
    int calls;
    evpq_status status;
} told[QUERIES];
static int n_told;
static int socket_of_all;

/* What the callback of the first of them does. */
static void (*first_does)(void);

static void on_done(evpq_future *f, void *arg)
{
    struct told *t = arg;
    t->calls++;
    t->status = evpq_future_status(f);
    if (t->status == EVPQ_OK)
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), (int)(t - told));
    if (n_told++)
        return;
    int left;
    ck_assert_ptr_eq(t, told);
    ck_assert_int_eq(t->status, EVPQ_OK);
    ck_assert_int_eq(ioctl(socket_of_all, FIONREAD, &left), 0);
    ck_assert_int_eq(left, 0); /* libpq has them all */
    if (first_does)
        first_does();
}

/* The last has a text of its own, by which it is known on the server. */
static const char text[] = "select $1::int as one", last_text[] = "select $1::int as last";

static evpq_future *run(const char *sql, int i)
{
    return lease ? evpq_lease_query(lease, sql, EVPQ_ARGS(i))
                 : evpq_pool_query(pool, sql, EVPQ_ARGS(i));
}

static void ask_all(void)
{
    for (int i = 0; i < QUERIES; i++) {
        told[i] = (struct told){.f = run(i == QUERIES - 1 ? last_text : text, i)};
        ck_assert_int_eq(evpq_future_on_done(told[i].f, on_done, &told[i]), EVPQ_OK);
    }
    n_told = 0;
}

static struct conn *only_conn(void)
{
    struct list *node = list_first(&pool->conns[lease ? POOL_CONN_LEASED : POOL_CONN_SHARED]);
    ck_assert_ptr_nonnull(node);
    return &container_of(node, struct pool_conn, node)->conn;
}

static const char *app; /* of its connection */

static bool server_is_at(const char *state, const char *sql)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and state = '%s' and query = '%s'",
                             app, state, sql)) == 1;
}

/* Known to be quick, and prepared. */
static void get_known(void)
{
    lease = NULL;
    for (int i = 0; i < 2; i++) {
        ck_done(run(text, i));
        ck_done(run(last_text, i));
    }
}

static void begin(bool on_lease)
{
    clock_hold();
    proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .pipeline_depth = 2 * QUERIES);
    app = pools_app();
    get_known();
    if (on_lease)
        lease = lease_get();
}

/* All are asked, and answered. */
static void hold_answers(void)
{
    proxy_stall(proxy, PROXY_TO_CLIENT, true);
    ask_all();
    socket_of_all = pq_socket(only_conn()->pipeline.wire.c);
    ck_until(only_conn()->pipeline.n_sent == QUERIES && server_is_at("idle", last_text));
    ck_assert_int_eq(n_told, 0);
}

static bool all_told(void)
{
    for (int i = 0; i < QUERIES; i++)
        if (!told[i].calls)
            return false;
    return true;
}

/* Each was told once, and so. */
static void ck_told(evpq_status others)
{
    ck_until(all_told());
    for (int i = 0; i < QUERIES; i++) {
        ck_assert_int_eq(told[i].calls, 1);
        ck_assert_int_eq(told[i].status, i ? others : EVPQ_OK);
        evpq_future_unref(told[i].f);
    }
}

static void end(void)
{
    lease = evpq_lease_release(lease);
    pools_end();
    clock_release();
    proxy_stop(proxy);
}

/* ---- what the first may do ---- */

static void cancel_others(void)
{
    for (int i = 1; i < QUERIES; i++) {
        evpq_future_cancel(told[i].f);
        ck_future_status(told[i].f, EVPQ_CANCELED);
        ck_assert_int_eq(told[i].calls, 0);
    }
}

START_TEST(the_first_cancels_the_others)
{
    begin(_i);
    first_does = cancel_others;
    hold_answers();
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_told(EVPQ_CANCELED);
    lease = evpq_lease_release(lease);
    ck_quiet();
    ck_assert_int_eq(ask("select 7"), 7);
    ck_assert_uint_eq(stats().connects, 1); /* it was not given up for that */
    ck_assert_uint_eq(stats().cancels, 0);  /* nor was the server asked to stop */
    end();
}
END_TEST

static void close_pool(void)
{
    evpq_future_unref(evpq_pool_close(pool, 0));
    pool = evpq_pool_unref(pool);
}

/* Their answers are here, so that is what they are told. */
START_TEST(the_first_closes_the_pool)
{
    begin(_i);
    first_does = close_pool;
    hold_answers();
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), all_told(), 10));
    for (int i = 0; i < QUERIES; i++) {
        ck_assert_int_eq(told[i].calls, 1);
        ck_assert_int_eq(told[i].status, EVPQ_OK);
        evpq_future_unref(told[i].f);
    }
    end();
}
END_TEST

/* The rest is told within the callback, which finds it there. */
static void run_again(void)
{
    ck_until(all_told());
}

START_TEST(the_first_runs_the_loop_until_the_others_are_told)
{
    begin(_i);
    first_does = run_again;
    hold_answers();
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_told(EVPQ_OK);
    end();
}
END_TEST

/* As deep as there are answers. */
static int deepest;

static void run_deeper(evpq_future *f, void *arg)
{
    struct told *t = arg;
    (void)f;
    int depth = (int)ev_depth(evpq_loop_ev(loop));
    deepest = depth > deepest ? depth : deepest;
    if (t + 1 < told + QUERIES)
        ck_assert(RUN_UNTIL(evpq_loop_ev(loop), t[1].calls, 10));
}

START_TEST(each_runs_the_loop_until_the_next_is_told)
{
    begin(_i);
    first_does = NULL;
    deepest = 0;
    hold_answers();
    for (int i = 0; i < QUERIES; i++)
        ck_assert_int_eq(evpq_future_on_done(told[i].f, run_deeper, &told[i]), EVPQ_OK);
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_told(EVPQ_OK);
    ck_assert_int_ge(deepest, QUERIES);
    end();
}
END_TEST

static void cancel_and_run_again(void)
{
    cancel_others();
    run_again();
}

START_TEST(the_first_cancels_the_others_and_runs_the_loop)
{
    begin(_i);
    first_does = cancel_and_run_again;
    hold_answers();
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_told(EVPQ_CANCELED);
    lease = evpq_lease_release(lease);
    ck_quiet();
    ck_assert_int_eq(ask("select 7"), 7);
    end();
}
END_TEST

static void let_go(void)
{
    evpq_pool *mine = pool;
    pool = NULL;
    lease = evpq_lease_release(lease);
    evpq_pool_unref(mine);
    for (int i = 0; i < QUERIES; i++)
        evpq_future_unref(told[i].f);
    evpq_loop_unref(loop);
}

/* The program has nothing left of all this, and the others are told all the same. */
START_TEST(the_first_lets_go_of_all)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    app = "evpq-let-go";
    clock_hold();
    proxy = server_proxy();
    loop = evpq_loop_new(ev);
    pool = evpq_pool_open(
        loop, server_conninfo_port(SERVER_TCP, proxy_port(proxy), strf("application_name=%s", app)),
        &(evpq_pool_opts){
            .size = sizeof(evpq_pool_opts), .max_size = 1, .pipeline_depth = 2 * QUERIES},
        NULL);
    get_known();
    if (_i)
        lease = lease_get();
    first_does = let_go;
    hold_answers();
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ev_run(ev, 0); /* returns when all is closed */
    ck_assert_int_eq(n_told, QUERIES);
    for (int i = 0; i < QUERIES; i++)
        ck_assert_int_eq(told[i].status, EVPQ_OK);
    ev_loop_destroy(ev);
    clock_release();
    proxy_stop(proxy);
}
END_TEST

/* ---- the end comes with them ---- */

/* What was answered before is told so: with nothing behind, and with one that the server was at;
 * and when the end is found, by a run within, before the answers are told. */
START_TEST(f10_answers_before_the_end_count)
{
    static const char sleep[] = "select pg_sleep(60)";
    evpq_future *sleeper = NULL;
    begin(_i % 2);
    first_does = _i < 2 ? NULL : run_again;
    hold_answers();
    if (lease) {
        sleeper = query_on(lease, sleep);
        ck_until(server_is_at("active", sleep));
    }
    ck_assert_int_eq(server_kill_backends(app), 1);
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_told(EVPQ_OK);
    if (lease) {
        ck_await_status(sleeper, EVPQ_LOST);
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(sleeper)), "57P01");
        evpq_future_unref(sleeper);
    }
    ck_until(stats().lost == 1);
    lease = evpq_lease_release(lease);
    ck_assert_int_eq(ask("select 8"), 8);
    end();
}
END_TEST

/* And whoever asks for more there, on the connection that is no more, is told. */
static evpq_future *more[QUERIES];

static void ask_for_more(void)
{
    for (int i = 0; i < QUERIES; i++)
        more[i] = run(text, i);
}

START_TEST(f10_what_is_asked_for_between_answers_and_end)
{
    begin(_i);
    first_does = ask_for_more;
    hold_answers();
    ck_assert_int_eq(server_kill_backends(app), 1);
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_told(EVPQ_OK);
    for (int i = 0; i < QUERIES; i++) {
        evpq_status status = evpq_await(more[i]);
        if (status == EVPQ_OK) {
            ck_assert(!lease); /* on another connection */
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(more[i]), 0, 0), i);
        } else {
            ck_assert_int_eq(status, EVPQ_LOST);
        }
        evpq_future_unref(more[i]);
    }
    ck_until(stats().lost == 1);
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("answers");
    CHECK_ADD_LOOP(c, the_first_cancels_the_others, 2);
    CHECK_ADD_LOOP(c, the_first_closes_the_pool, 2);
    CHECK_ADD_LOOP(c, the_first_runs_the_loop_until_the_others_are_told, 2);
    CHECK_ADD_LOOP(c, each_runs_the_loop_until_the_next_is_told, 2);
    CHECK_ADD_LOOP(c, the_first_cancels_the_others_and_runs_the_loop, 2);
    CHECK_ADD_LOOP(c, the_first_lets_go_of_all, 2);
    CHECK_ADD_LOOP(c, f10_answers_before_the_end_count, 4);
    CHECK_ADD_LOOP(c, f10_what_is_asked_for_between_answers_and_end, 2);
    return check_end(c);
}
