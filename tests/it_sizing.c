/* it_sizing.c - upkeep: how many connections are opened, how often it is tried, how old they
 * become, and what happens when they, or the server, die. */
#include "support/pools.h"

#include "support/fake.h"
#include "support/proxy.h"
#include "support/seen.h"

#include "pool/step.h"
#include "words/error.h"

#include <math.h>
#include <string.h>

static struct proxy *proxy;

/* The pool reaches the server through `proxy`. */
#define open_behind(...)  \
 (proxy = server_proxy(), \
  open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), __VA_ARGS__))

static void end_behind(void)
{
    pools_end();
    proxy_stop(proxy);
}

static void turn_for(double seconds)
{
    run_for(evpq_loop_ev(loop), seconds);
}

/* ---- F10: what is under way when connections die ---- */

static void ask_in_vain(evpq_future *f, void *arg)
{
    evpq_lease *lease = arg;
    ck_failed(query_on(lease, "select 4"), EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT);
    evpq_future_ref(f);
    evpq_future_unref(f);
}

START_TEST(f10_all_in_flight_settle_once_oldest_first)
{
    enum { N = 5 };
    struct seen seen[N], waited;
    evpq_future *fs[N];
    open_behind(.max_size = 1, .backoff_min = 0.01);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < N; i++) {
        fs[i] = query_on(lease, i ? "select 2" : "select pg_sleep(60)");
        seen_watch(fs[i], &seen[i]);
    }
    evpq_future_on_done(fs[0], ask_in_vain, lease);
    evpq_future *waiting = query("select 3");
    seen_watch(waiting, &waited);
    ck_running(1); /* all are with the server */
    proxy_cut(proxy);
    ck_done(waiting); /* on another connection, though the lease is still out */
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(seen[i].calls, 1);
        ck_assert_int_eq(seen[i].place, i + 1);
        ck_failed(fs[i], EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    }
    ck_assert_int_eq(waited.status, EVPQ_OK);
    ck_assert_uint_eq(stats().connects, 2);
    evpq_lease_release(lease);
    server_kill_backends(pools_app()); /* the first one's: it sleeps on */
    end_behind();
}
END_TEST

START_TEST(f10_queries_on_several_connections_all_settle)
{
    enum { N = 40 };
    struct seen seen[N];
    evpq_future *fs[N];
    open_behind(.max_size = 4, .backoff_min = 0.01);
    for (int i = 0; i < N; i++) {
        fs[i] = evpq_pool_query(pool, "select $1::int, pg_sleep(0.3)", EVPQ_ARGS(i));
        seen_watch(fs[i], &seen[i]);
    }
    ck_running(4);
    proxy_reset(proxy);
    /* Four were with the server; those who wait get new connections. */
    int lost = 0;
    for (int i = 0; i < N; i++) {
        if (evpq_await(fs[i]) == EVPQ_OK) {
            ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0), i);
        } else {
            lost++;
            ck_future_status(fs[i], EVPQ_LOST);
            ck_assert_int_eq(evpq_error_outcome(evpq_future_error(fs[i])), EVPQ_OUTCOME_UNKNOWN);
        }
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_ge(lost, 1);
    ck_assert_int_le(lost, 4);
    ck_quiet();
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(seen[i].calls, 1);
    end_behind();
}
END_TEST

/* ---- F12, F13: deadlines and connects ---- */

START_TEST(f12_nobodys_deadline_ends_a_connect)
{
    open_behind(.max_size = 1);
    proxy_delay(proxy, PROXY_TO_CLIENT, 100);
    for (int i = 0; i < 4; i++)
        ck_failed(evpq_timeout(i % 2 ? query("select 1") : evpq_pool_acquire(pool), 0.005),
                  EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    evpq_future *canceled = query("select 1");
    evpq_future_cancel(canceled);
    evpq_future_unref(canceled);
    ck_assert_int_eq(stats().connecting, 1);
    ck_until(stats().idle == 1);
    ck_assert_uint_eq(stats().connects, 1);
    ck_assert_uint_eq(stats().connect_failures, 0);
    ck_assert_int_eq(proxy_stats(proxy).seen, 1);
    end_behind();
}
END_TEST

static evpq_future *die(evpq_lease *lease, void *arg)
{
    (void)arg;
    return query_on(lease, "select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)");
}

/* Every connection dies as it is about to be handed over, and its taker is back in the queue: for
 * ever, were the deadline counted anew. */
START_TEST(f13_a_deadline_is_absolute)
{
    open_pool(.max_size = 1, .before_acquire = die, .acquire_timeout = _i ? 60 : 0.5,
              .backoff_min = 0.001);
    evpq_future *f = evpq_pool_acquire(pool);
    if (_i)
        f = evpq_timeout(f, 0.5);
    ck_failed(evpq_timeout(f, 30), EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_uint_ge(stats().lost, 2); /* it began anew each time */
    ck_assert_uint_eq(stats().acquire_timeouts, !_i);
    pools_end();
}
END_TEST

START_TEST(f13_a_query_that_comes_back_to_the_queue_has_its_deadline)
{
    open_behind(.max_size = 3, .min_size = 3, .acquire_timeout = 0.3, .backoff_min = 0.01);
    ck_until(stats().idle == 3);
    proxy_door(proxy, PROXY_REFUSE);
    proxy_cut(proxy); /* the loop has not seen it yet */
    evpq_future *fs[] = {query("select 1"), query("select 2"), evpq_pool_acquire(pool)};
    for (int i = 0; i < 3; i++)
        ck_failed(evpq_timeout(fs[i], 30), EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_uint_eq(stats().acquire_timeouts, 3);
    proxy_door(proxy, PROXY_OPEN);
    ck_until(stats().idle == 3);
    end_behind();
}
END_TEST

/* ---- F16: a spike ---- */

START_TEST(f16_a_spike_opens_no_more_than_ten)
{
    enum { OPEN = 5, N = 50 };
    evpq_future *fs[N];
    open_behind(.min_size = OPEN, .max_size = 60, .connect_timeout = 0.5);
    ck_until(stats().idle == OPEN);
    proxy_door(proxy, PROXY_SILENT); /* from now on a connect takes for ever */
    for (int i = 0; i < N; i++)
        fs[i] = query("select pg_sleep(0.002)");
    for (int i = 0; i < N; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_le(stats().connecting, 10);
        evpq_future_unref(fs[i]);
    }
    ck_assert_uint_eq(stats().connects, OPEN);
    ck_assert_int_le(proxy_stats(proxy).seen, OPEN + 10);
    end_behind();
}
END_TEST

/* ---- F17: dead connections and dead servers ---- */

enum { SIZE = 5 };

static void ck_all_succeed(int n)
{
    evpq_future *fs[100];
    for (int i = 0; i < n; i++)
        fs[i] = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(i));
    for (int i = 0; i < n; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(fs[i]), 0, 0), i);
        evpq_future_unref(fs[i]);
    }
}

START_TEST(f17_killed_while_idle)
{
    open_pool(.min_size = SIZE, .max_size = SIZE);
    ck_until(stats().idle == SIZE);
    for (int round = 0; round < 4; round++) {
        ck_assert_int_eq(server_kill_backends(pools_app()), SIZE);
        if (round % 2) /* the loop sees it first */
            ck_until(stats().lost == (uint64_t)(round + 1) * SIZE && stats().idle == SIZE);
        ck_all_succeed(100);
        ck_until(stats().idle == SIZE);
        ck_assert_uint_eq(stats().lost, (uint64_t)(round + 1) * SIZE);
    }
    pools_end();
}
END_TEST

START_TEST(f17_one_by_one_through_a_lease)
{
    open_pool(.min_size = SIZE, .max_size = SIZE);
    ck_until(stats().idle == SIZE);
    ck_assert_int_eq(server_kill_backends(pools_app()), SIZE);
    for (int i = 0; i < 100; i++) {
        evpq_lease *lease = lease_get();
        evpq_future *f = query_on(lease, "select 1");
        ck_done(f);
        evpq_lease_release(lease);
    }
    pools_end();
}
END_TEST

START_TEST(f17_restart_of_the_server)
{
    open_pool(.min_size = SIZE, .max_size = SIZE, .backoff_min = 0.02, .backoff_max = 0.1);
    ck_until(stats().idle == SIZE);
    server_restart();
    ck_all_succeed(100);
    ck_until(stats().idle == SIZE);
    ck_assert_uint_eq(stats().lost, SIZE);
    pools_end();
}
END_TEST

START_TEST(f17_refill_never_stops_trying)
{
    open_pool(.min_size = SIZE, .max_size = SIZE, .backoff_min = 0.01, .backoff_max = 0.05);
    ck_until(stats().idle == SIZE);
    server_stop();
    ck_until(stats().connect_failures >= 8);
    server_start();
    ck_until(stats().idle == SIZE); /* nobody has asked for anything */
    ck_assert_int_eq(server_backends(pools_app()), SIZE);
    pools_end();
}
END_TEST

START_TEST(f17_crash_of_a_backend)
{
    open_pool(.min_size = 2, .max_size = 2, .backoff_min = 0.01, .backoff_max = 0.05);
    evpq_lease *lease = lease_get();
    evpq_future *running = query_on(lease, "select pg_sleep(60)");
    ck_running(1);
    ck_until(stats().idle == 1);
    server_kill9(evpq_lease_backend_pid(lease));
    evpq_await(running);
    ck_assert(evpq_error_outcome(evpq_future_error(running)) != EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(running);
    evpq_lease_release(lease);
    /* The server takes the other one down too, and at times one that came in before it knew. */
    ck_until(stats().lost >= 2);
    ck_all_succeed(20); /* after the recovery, during which it is not let in */
    ck_until(stats().idle == 2);
    pools_end();
}
END_TEST

/* ---- F18: no herd ---- */

static uint64_t came_up_before;
static int most_at_once;

/* At most one attempt until one succeeds, then two, four ... */
static bool is_no_herd(void)
{
    uint64_t came_up = stats().connects - came_up_before;
    int allowed = came_up < 4 ? 1 << came_up : 10;
    int connecting = stats().connecting;
    ck_assert_msg(connecting <= allowed, "%d attempts at once after %d successes: %s", connecting,
                  (int)came_up, stats_text());
    if (connecting > most_at_once)
        most_at_once = connecting;
    return true;
}

START_TEST(f18_one_attempt_while_down_then_more)
{
    enum { WAITERS = 100 };
    evpq_future *fs[WAITERS];
    open_behind(.min_size = SIZE, .max_size = 20, .connect_timeout = 0.2, .backoff_min = 0.01,
                .backoff_max = 0.02);
    ck_until(stats().idle == SIZE);
    came_up_before = stats().connects;
    proxy_door(proxy, PROXY_SILENT);
    proxy_cut(proxy);
    ck_until(stats().lost == SIZE);
    for (int i = 0; i < WAITERS; i++)
        fs[i] = query(i % 2 ? "select pg_sleep(0.01)" : "set work_mem = '1MB'");
    ck_until(is_no_herd() && stats().connect_failures >= 6);
    ck_assert_int_eq(most_at_once, 1);
    ck_assert_int_eq(stats().waiting, WAITERS); /* nobody was let down */
    proxy_door(proxy, PROXY_OPEN);
    proxy_delay(proxy, PROXY_TO_CLIENT, 20);
    ck_until(is_no_herd() && stats().waiting < WAITERS / 2);
    ck_assert_int_gt(most_at_once, 1);
    for (int i = 0; i < WAITERS; i++)
        ck_done(fs[i]);
    end_behind();
}
END_TEST

START_TEST(f18_lifetimes_are_spread)
{
    enum { N = 16 };
    open_pool(.min_size = N, .max_size = N, .max_lifetime = 1000, .lifetime_jitter = 800);
    ck_until(stats().idle == N);
    double least = 1e9, longest = 0;
    list_each(node, &pool->conns[POOL_CONN_IDLE]) {
        struct pool_conn *c = container_of(node, struct pool_conn, node);
        double life = c->retire_at - c->born;
        ck_assert(life > 200 - 1e-6 && life <= 1000 + 1e-6);
        least = life < least ? life : least;
        longest = life > longest ? life : longest;
    }
    ck_assert_msg(longest - least > 160, "all within %g seconds", longest - least);
    pools_end();
}
END_TEST

/* The window: one attempt at a time until one succeeds, then 2, 4, 8 and at most 10; again one after a
 * loss or a failure. */
START_TEST(f18_the_window_doubles_with_each_success)
{
    enum { SIZE_MOST = 14 };
    open_behind(.min_size = SIZE, .max_size = SIZE, .backoff_min = 0.01, .backoff_max = 0.01);
    proxy_delay(proxy, PROXY_TO_CLIENT, 20);
    for (uint64_t connects = 0; connects < SIZE;) {
        int want = connects > 3 ? 10 : 1 << connects;
        ck_assert_int_eq(pool->window, want);
        int room = SIZE - stats_total() + stats().connecting;
        ck_assert_int_eq(stats().connecting, want < room ? want : room);
        ck_until(stats().connects > connects);
        connects = stats().connects;
    }
    ck_until(stats().idle == SIZE);
    proxy_door(proxy, PROXY_REFUSE);
    proxy_cut(proxy);
    ck_until(stats().lost == SIZE);
    ck_assert_int_eq(pool->window, 1);
    ck_until(stats().connect_failures >= 2);
    ck_assert_int_eq(pool->window, 1);
    proxy_door(proxy, PROXY_OPEN);
    end_behind();
}
END_TEST

/* ... and so it does after connections that did not last, once the pause is over. */
START_TEST(f64_after_the_pause_the_window_doubles_again)
{
    open_behind(.min_size = 3, .max_size = 3, .backoff_min = 0.05, .backoff_max = 10);
    ck_until(stats().idle == 3);
    proxy_cut(proxy); /* before they have answered anything */
    ck_until(stats().lost == 3);
    ck_assert(pool->drops);
    ck_until(stats().idle == 3);
    ck_assert_int_eq(pool->window, 8);
    end_behind();
}
END_TEST

/* The first pause of many pools is spread over a quarter less and a quarter more: programs that have lost
 * the same server do not come back at once. */
START_TEST(f18_pauses_are_spread)
{
    enum { POOLS = 60 };
    static evpq_pool *pools[POOLS];
    double least = 2, most = 0;
    open_behind(.max_size = 1);
    proxy_door(proxy, PROXY_REFUSE);
    const char *conninfo = server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL);
    for (int i = 0; i < POOLS; i++) {
        pools[i] = evpq_pool_open(loop, conninfo,
                                  &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                                    .min_size = 1,
                                                    .backoff_min = 1000,
                                                    .backoff_max = 2000},
                                  NULL);
        ck_assert_ptr_nonnull(pools[i]);
        ck_until(pools[i]->done.connect_failures == 1);
        ev_timer *retry = (ev_timer *)(void *)&pools[i]->retry.ev;
        double share = ev_timer_remaining(evpq_loop_ev(loop), retry) / 1000;
        ck_assert_msg(share > 0.74 && share <= 1.25 + 1e-6, "a pause of %g", share);
        least = share < least ? share : least;
        most = share > most ? share : most;
    }
    ck_assert_msg(least < 0.85 && most > 1.15, "all between %g and %g", least, most);
    for (int i = 0; i < POOLS; i++) {
        ck_done(evpq_pool_close(pools[i], 0));
        evpq_pool_unref(pools[i]);
    }
    proxy_door(proxy, PROXY_OPEN);
    end_behind();
}
END_TEST

/* ---- ages ---- */

START_TEST(the_old_are_replaced)
{
    open_pool(.min_size = 3, .max_size = 3, .max_lifetime = 0.1);
    ck_until(stats().idle == 3);
    evpq_lease *lease = lease_get();
    int pid = evpq_lease_backend_pid(lease);
    ck_until(stats().retired >= 6);
    ck_assert_int_eq(ask_on(lease, "select pg_backend_pid()"), pid); /* not while it is in use */
    evpq_lease_release(lease);
    ck_until(stats().retired >= 9);
    ck_assert_uint_eq(stats().lost, 0);
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 3), EVPQ_OK);
    ck_until(stats_total() == 0);
    pools_end();
}
END_TEST

START_TEST(the_idle_are_closed_down_to_min_size)
{
    open_pool(.min_size = 1, .max_size = 4, .idle_timeout = 0.1);
    evpq_lease *leases[4];
    for (int i = 0; i < 4; i++)
        leases[i] = lease_get();
    for (int i = 0; i < 4; i++)
        evpq_lease_release(leases[i]);
    ck_until(stats().idle == 4);
    ck_until(stats().idle == 1);
    ck_assert_uint_eq(stats().retired, 3);
    turn_for(0.3);
    ck_assert_int_eq(stats().idle, 1);
    ck_assert_uint_eq(stats().connects, 4);
    pools_end();
}
END_TEST

static double sweep_after(void)
{
    ev_timer *sweep = (ev_timer *)(void *)&pool->sweep.ev;
    return timer_active(&pool->sweep) ? ev_timer_remaining(evpq_loop_ev(loop), sweep) : INFINITY;
}

/* Four times in the shortest time that there is to keep. */
START_TEST(the_sweep_is_as_frequent_as_it_has_to_be)
{
    static const struct {
        double idle, life, every;
    } is[] = {{-1, -1, 10}, {600, 3600, 10}, {8, -1, 2}, {-1, 4, 1}, {8, 20, 2}, {20, 4, 1}};
    open_pool(.min_size = 1, .idle_timeout = is[_i].idle, .max_lifetime = is[_i].life,
              .lifetime_jitter = 0);
    ck_until(stats().idle == 1);
    double after = sweep_after();
    ck_assert_msg(after > 0.3 * is[_i].every && after < 1.01 * is[_i].every, "after %g s", after);
    pools_end();
}
END_TEST

/* With nothing to do it wakes nobody before a connection is to be closed. */
START_TEST(the_sweep_rests_while_nothing_is_shared)
{
    static const struct {
        double idle, life, least, most;
        int min_size, leases;
    } is[] = {
        {-1, -1, INFINITY, INFINITY, 0, 1},  /* nothing ends */
        {600, -1, INFINITY, INFINITY, 1, 1}, /* there are no more than are to stay */
        {600, -1, 590, 601, 0, 1},           /* the idle one */
        {600, 3600, 590, 601, 0, 1},         /* whichever is first */
        {600, 300, 290, 301, 0, 1},          /* its age */
        {600, 3600, 3590, 3601, 1, 1},       /* it stays when idle, and ages */
        {-1, 3600, 3590, 3601, 0, 2},        /* one is in use, and ages */
        {600, -1, 590, 601, 0, 2},           /* one is in use, and may be idle by then */
    };
    open_pool(.min_size = is[_i].min_size, .idle_timeout = is[_i].idle, .max_lifetime = is[_i].life,
              .lifetime_jitter = 0.001);
    evpq_lease *leases[2] = {lease_get(), is[_i].leases > 1 ? lease_get() : NULL};
    evpq_lease_release(leases[0]);
    ck_until(stats().idle == 1);
    ck_assert_double_le(sweep_after(), 10);
    pool->sweep_due = true;
    pool_step(pool);
    double after = sweep_after();
    ck_assert_msg(after >= is[_i].least && after <= is[_i].most, "after %g s", after);
    evpq_future *f = query("select 1");
    ck_assert_double_le(sweep_after(), 10.1);
    ck_done(f);
    evpq_lease_release(leases[1]);
    pools_end();
}
END_TEST

static int retiring(void)
{
    int n = 0;
    list_each(node, &pool->conns[POOL_CONN_SHARED])
        n += container_of(node, struct pool_conn, node)->retiring;
    return n;
}

/* What is surplus, or has grown, takes nothing more while it is shared, so that it comes to rest. */
START_TEST(what_is_to_go_takes_nothing_more)
{
    open_pool(.min_size = 2, .max_size = 2);
    ck_until(stats().idle == 2);
    evpq_future *fs[] = {query("select pg_sleep(0.5)"), query("select pg_sleep(0.5)")};
    ck_running(2);
    ck_assert_int_eq(retiring(), 0);
    if (_i == 0)
        ck_assert_int_eq(evpq_pool_resize(pool, 1, 1), EVPQ_OK);
    else
        container_of(list_first(&pool->conns[POOL_CONN_SHARED]), struct pool_conn, node)
            ->conn.pipeline.grown = true;
    pool->sweep_due = true;
    pool_step(pool);
    ck_assert_int_eq(retiring(), 1);
    ck_done(fs[0]);
    ck_done(fs[1]);
    ck_until(stats().retired == 1);
    ck_until(stats_total() == (_i == 0 ? 1 : 2));
    pools_end();
}
END_TEST

/* ---- back-off ---- */

/* After the n-th failure in a row, whichever one the test gets to see. */
static void ck_pause(uint64_t n)
{
    static const double pauses[] = {0.01, 0.02, 0.04, 0.05};
    ck_assert_uint_ge(n, 1);
    ck_assert_double_eq_tol(pool->pause, pauses[n < 4 ? n - 1 : 3], 1e-9);
}

START_TEST(the_pause_doubles_up_to_its_limit)
{
    open_behind(.min_size = 1, .backoff_min = 0.01, .backoff_max = 0.05);
    proxy_door(proxy, PROXY_REFUSE);
    for (uint64_t i = 0; i < 5; i++) {
        ck_until(stats().connect_failures >= i + 1);
        ck_pause(stats().connect_failures);
    }
    proxy_door(proxy, PROXY_OPEN);
    ck_until(stats().idle == 1);
    run_for(evpq_loop_ev(loop), 0.1); /* longer than the pause: it begins anew next time */
    proxy_door(proxy, PROXY_REFUSE);
    proxy_cut(proxy);
    uint64_t before = stats().connect_failures;
    ck_until(stats().connect_failures > before);
    ck_pause(stats().connect_failures - before);
    proxy_door(proxy, PROXY_OPEN);
    ck_until(stats().idle == 1);
    end_behind();
}
END_TEST

START_TEST(an_error_that_time_does_not_mend_is_told_at_once)
{
    static const char *const wrong[] = {"dbname=no_such_database", "user=no_such_role",
                                        "options='-c no_such_setting=1'"};
    open_pool_at(server_conninfo(SERVER_UNIX, wrong[_i]), .acquire_timeout = 600);
    evpq_future *fs[] = {query("select 1"), evpq_pool_acquire(pool)};
    for (int i = 0; i < 2; i++) {
        ck_await_status(fs[i], EVPQ_CONNECT);
        ck_assert_str_ne(evpq_error_sqlstate(evpq_future_error(fs[i])), "");
        ck_assert_int_eq(evpq_error_outcome(evpq_future_error(fs[i])), EVPQ_OUTCOME_NOT_SENT);
        evpq_future_unref(fs[i]);
    }
    pools_end();
}
END_TEST

START_TEST(too_many_connections_for_the_server_is_no_end)
{
    server_exec("create role evpq_few login connection limit 2");
    open_pool_at(server_conninfo(SERVER_UNIX, "user=evpq_few"), .max_size = 5, .backoff_min = 0.01,
                 .backoff_max = 0.05);
    do { /* until both places of the role are taken, and a third was refused */
        evpq_future *fs[20];
        for (int i = 0; i < 20; i++)
            fs[i] = query("select pg_sleep(0.01)");
        for (int i = 0; i < 20; i++)
            ck_done(fs[i]);
        ck_assert_uint_le(stats().connects, 2);
    } while (stats().connects < 2 || !stats().connect_failures);
    pools_end();
    server_exec("drop role evpq_few");
}
END_TEST

/* The server lets each connection up and drops it: at once, or after its first answer. */
static bool drops_after_answer;

START_TEST(f64_a_server_that_drops_is_asked_less_and_less)
{
    open_behind(.max_size = 1, .backoff_min = 0.05, .backoff_max = 10, .acquire_timeout = 30);
    drops_after_answer = _i;
    double until = loop_time(loop) + 2;
    evpq_future *f = query("select 1");
    for (uint64_t seen = 0; loop_time(loop) < until;) {
        turn_for(0.002);
        bool answered = evpq_future_status(f) == EVPQ_OK;
        if (drops_after_answer ? answered : stats().connects > seen) {
            seen = stats().connects;
            proxy_cut(proxy);
        }
        if (evpq_future_status(f) != EVPQ_PENDING) {
            evpq_future_unref(f);
            f = query("select 1");
        }
    }
    ck_assert_uint_le(stats().connects, 8); /* 0.05, 0.1, ... 1.6 s, less a quarter */
    evpq_future_unref(f);
    end_behind();
}
END_TEST

static evpq_future *asks_on_and_on(evpq_task *self, void *arg)
{
    const double *until = arg;
    (void)self;
    while (loop_time(loop) < *until) {
        evpq_future *f = query("select 1");
        evpq_await(f);
        evpq_future_unref(f);
    }
    return NULL;
}

/* It drops each as soon as it is let in, and others are connecting at that time. */
START_TEST(f64_one_more_that_comes_up_is_no_reason_to_go_on)
{
    evpq_future *tasks[20];
    fake_hello();
    fake.hangs_up_at_once = true;
    open_pool_at(fake_start(), .min_size = 2, .max_size = 4, .backoff_min = 0.05,
                 .backoff_max = 10);
    double until = loop_time(loop) + 2;
    for (int i = 0; i < 20; i++)
        tasks[i] = evpq_task_spawn(loop, asks_on_and_on, &until, NULL);
    while (loop_time(loop) < until)
        turn_for(0.1);
    ck_assert_uint_ge(stats().connects, 2);
    ck_assert_uint_le(stats().connects, 40); /* four after each of the pauses, as above */
    evpq_future_unref(evpq_pool_close(pool, 0));
    for (int i = 0; i < 20; i++)
        ck_done(tasks[i]);
    pools_end();
    fake_stop();
}
END_TEST

/* It drops each later than the shortest pause, but before anything was answered. */
START_TEST(f64_to_be_let_in_is_not_to_be_served)
{
    open_behind(.min_size = 1, .max_size = 1, .backoff_min = 0.05, .backoff_max = 10);
    double until = loop_time(loop) + 3;
    for (uint64_t seen = 0; loop_time(loop) < until;) {
        turn_for(0.002);
        if (stats().connects == seen)
            continue;
        seen = stats().connects;
        turn_for(0.1);
        proxy_cut(proxy);
    }
    ck_assert_uint_le(stats().connects, 9);
    end_behind();
}
END_TEST

static struct conn *first_of(enum pool_conn_state state)
{
    struct list *node = list_first(&pool->conns[state]);
    ck_assert_ptr_nonnull(node);
    return &container_of(node, struct pool_conn, node)->conn;
}

/* One attempt is on its way, another is refused, and a connection is lost that was new: the pause goes
 * on when the first comes up. */
START_TEST(f64_a_loss_within_a_pause_counts)
{
    open_behind(.max_size = 4, .backoff_min = 30, .backoff_max = 60);
    evpq_lease *lease = lease_get();
    proxy_delay(proxy, PROXY_TO_CLIENT, 150);
    long seen = proxy_stats(proxy).seen;
    evpq_future *first = evpq_pool_acquire(pool);
    ck_until(proxy_stats(proxy).seen > seen);
    proxy_door(proxy, PROXY_REFUSE);
    evpq_future *second = evpq_pool_acquire(pool);
    ck_until(stats().connect_failures == 1);
    ck_assert(!pool->drops);
    evpq_error *why = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "by the test");
    conn_kill(first_of(POOL_CONN_LEASED), why);
    evpq_error_unref(why);
    ck_assert_uint_eq(stats().lost, 1);
    ck_assert_int_eq(stats().connecting, 1);
    ck_await_ok(first);
    ck_assert_int_eq(pool->window, 1);
    ck_assert(timer_active(&pool->retry));
    evpq_future_cancel(second);
    evpq_future_unref(second);
    evpq_lease_release(evpq_future_lease(first));
    evpq_future_unref(first);
    evpq_lease_release(lease);
    proxy_door(proxy, PROXY_OPEN);
    end_behind();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("sizing");
    CHECK_ADD(c, f10_all_in_flight_settle_once_oldest_first);
    CHECK_ADD(c, f10_queries_on_several_connections_all_settle);
    CHECK_ADD(c, f12_nobodys_deadline_ends_a_connect);
    CHECK_ADD_LOOP(c, f13_a_deadline_is_absolute, 2);
    CHECK_ADD(c, f13_a_query_that_comes_back_to_the_queue_has_its_deadline);
    CHECK_ADD(c, f16_a_spike_opens_no_more_than_ten);
    CHECK_ADD(c, f17_killed_while_idle);
    CHECK_ADD(c, f17_one_by_one_through_a_lease);
    CHECK_ADD(c, f17_restart_of_the_server);
    CHECK_ADD(c, f17_refill_never_stops_trying);
    CHECK_ADD(c, f17_crash_of_a_backend);
    CHECK_ADD(c, f18_one_attempt_while_down_then_more);
    CHECK_ADD(c, f18_lifetimes_are_spread);
    CHECK_ADD(c, f18_the_window_doubles_with_each_success);
    CHECK_ADD(c, f64_after_the_pause_the_window_doubles_again);
    CHECK_ADD(c, f18_pauses_are_spread);
    CHECK_ADD(c, the_old_are_replaced);
    CHECK_ADD(c, the_idle_are_closed_down_to_min_size);
    CHECK_ADD_LOOP(c, the_sweep_is_as_frequent_as_it_has_to_be, 6);
    CHECK_ADD_LOOP(c, the_sweep_rests_while_nothing_is_shared, 8);
    CHECK_ADD_LOOP(c, what_is_to_go_takes_nothing_more, 2);
    CHECK_ADD(c, the_pause_doubles_up_to_its_limit);
    CHECK_ADD_LOOP(c, an_error_that_time_does_not_mend_is_told_at_once, 3);
    CHECK_ADD(c, too_many_connections_for_the_server_is_no_end);
    CHECK_ADD_LOOP(c, f64_a_server_that_drops_is_asked_less_and_less, 2);
    CHECK_ADD(c, f64_one_more_that_comes_up_is_no_reason_to_go_on);
    CHECK_ADD(c, f64_to_be_let_in_is_not_to_be_served);
    CHECK_ADD(c, f64_a_loss_within_a_pause_counts);
    return check_end(c);
}
