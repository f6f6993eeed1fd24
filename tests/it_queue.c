/* it_queue.c - waiting for a connection: order, limits, deadlines, and giving up at any moment. */
#include "support/pools.h"

#include "support/proxy.h"
#include "support/seen.h"

#include <stdio.h>
#include <string.h>

/* ---- order ---- */

START_TEST(f11_those_who_wait_are_served_in_their_order)
{
    enum { WORKERS = 100, CONNECTIONS = 10 };
    struct seen seen[WORKERS];
    evpq_future *fs[WORKERS];
    open_pool(.max_size = CONNECTIONS);
    evpq_lease *held[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        held[i] = lease_get();
    for (int i = 0; i < WORKERS; i++) {
        fs[i] = evpq_pool_acquire(pool);
        seen_watch(fs[i], &seen[i]);
    }
    /* Whichever connection is given back first: the next in line gets it. */
    for (int i = 0; i < WORKERS; i++) {
        int which = i * 7 % CONNECTIONS;
        for (int j = i; j < WORKERS; j++)
            ck_future_pending(fs[j]);
        ck_assert_int_eq(stats().waiting, WORKERS - i);
        evpq_lease_release(held[which]);
        ck_await_ok(fs[i]);
        held[which] = evpq_future_lease(fs[i]);
        ck_assert_ptr_nonnull(held[which]);
    }
    ck_until(seen[WORKERS - 1].calls == 1);
    for (int i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(seen[i].calls, 1);
        ck_assert_int_eq(seen[i].place, i + 1);
        evpq_future_unref(fs[i]);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        evpq_lease_release(held[i]);
    ck_quiet();
    ck_assert_uint_eq(stats().leases, WORKERS + CONNECTIONS);
    pools_end();
}
END_TEST

START_TEST(f11_a_query_does_not_overtake_a_lease)
{
    struct seen first, second, third;
    open_pool(.max_size = 1);
    for (int i = 0; i < 3; i++) /* known to be quick: it could ride */
        ask("select 1");
    evpq_lease *lease = lease_get();
    evpq_future *fs[] = {query("select 1"), evpq_pool_acquire(pool), query("select 1")};
    seen_watch(fs[0], &first);
    seen_watch(fs[1], &second);
    seen_watch(fs[2], &third);
    evpq_lease_release(lease);
    ck_await_ok(fs[1]);
    ck_future_ok(fs[0]);
    run_for(evpq_loop_ev(loop), 0.02);
    ck_future_pending(fs[2]);
    evpq_lease_release(evpq_future_lease(fs[1]));
    ck_await_ok(fs[2]);
    ck_until(third.calls);
    ck_assert_int_lt(first.place, second.place);
    ck_assert_int_lt(second.place, third.place);
    for (int i = 0; i < 3; i++)
        evpq_future_unref(fs[i]);
    pools_end();
}
END_TEST

/* ---- limits ---- */

START_TEST(f15_one_too_many_fails_in_the_same_tick)
{
    open_pool(.max_size = 1, .max_waiting = 3);
    evpq_lease *lease = lease_get();
    evpq_future *fs[] = {query("select 1"), evpq_pool_acquire(pool), query("set work_mem = '1MB'")};
    evpq_future *many[] = {query("select 4"), evpq_pool_acquire(pool)};
    for (int i = 0; i < 2; i++) {
        ck_future_status(many[i], EVPQ_QUEUE_FULL); /* the loop has not run */
        ck_failed(many[i], EVPQ_QUEUE_FULL, EVPQ_OUTCOME_NOT_SENT);
    }
    ck_assert_uint_eq(stats().rejected, 2);
    ck_assert_int_eq(stats().waiting, 3);
    evpq_lease_release(lease);
    for (int i = 0; i < 3; i++)
        ck_done(fs[i]);
    ck_assert_int_eq(ask("select 5"), 5); /* there is room again */
    pools_end();
}
END_TEST

START_TEST(acquire_timeout_ends_the_wait_of_queries_and_leases)
{
    open_pool(.max_size = 1, .acquire_timeout = 0.05);
    ck_done(evpq_pool_connect(pool));
    evpq_lease *lease = lease_get();
    evpq_future *asked = query("select 17"), *acquiring = evpq_pool_acquire(pool);
    ck_await_status(asked, EVPQ_TIMEOUT);
    ck_assert_str_eq(evpq_error_sql(evpq_future_error(asked)), "select 17");
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(asked)), EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(asked);
    ck_failed(acquiring, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_uint_eq(stats().acquire_timeouts, 2);
    ck_assert_int_eq(ask_on(lease, "select 18"), 18); /* who had one keeps it */
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* Two limits end in one moment: the one that says more is told. */
START_TEST(acquire_timeout_is_told_before_query_timeout)
{
    open_pool(.max_size = 1, .acquire_timeout = 0.05, .query_timeout = 0.05);
    ck_done(evpq_pool_connect(pool));
    evpq_lease *lease = lease_get();
    evpq_future *f = query("select 1");
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_msg(strstr(evpq_error_message(evpq_future_error(f)), "no connection became free"),
                  "%s", evpq_error_message(evpq_future_error(f)));
    ck_assert_uint_eq(stats().acquire_timeouts, 1);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(a_timeout_says_that_connecting_failed)
{
    open_pool_at(server_conninfo_port(SERVER_TCP, 1, NULL), .acquire_timeout = 0.1);
    evpq_future *f = query("select 1");
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), "refused"));
    evpq_future_unref(f);
    pools_end();
}
END_TEST

START_TEST(no_acquire_timeout_is_no_deadline)
{
    open_pool(.max_size = 1, .acquire_timeout = -1);
    evpq_lease *lease = lease_get();
    evpq_future *acquiring = evpq_pool_acquire(pool), *asked = query("select 1");
    run_for(evpq_loop_ev(loop), 0.1);
    ck_future_pending(acquiring);
    ck_future_pending(asked);
    evpq_lease_release(lease);
    ck_done(acquiring);
    ck_done(asked);
    pools_end();
}
END_TEST

START_TEST(f14_who_holds_and_acquires_again_is_told_so)
{
    open_pool(.max_size = 1, .acquire_timeout = 0.05);
    ck_done(evpq_pool_connect(pool));
    evpq_lease *lease = lease_get();
    evpq_future *again = evpq_pool_acquire(pool);
    ck_await_status(again, EVPQ_TIMEOUT);
    const char *message = evpq_error_message(evpq_future_error(again));
    const char *holder = strf("server process %d", evpq_lease_backend_pid(lease));
    ck_assert_msg(strstr(message, holder) != NULL, "%s names no %s", message, holder);
    ck_assert_msg(strstr(message, "1 leased") != NULL, "%s", message);
    ck_assert_msg(strstr(message, "1 waiting") != NULL, "%s", message);
    evpq_future_unref(again);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- giving up ---- */

START_TEST(who_gives_up_is_taken_off_the_queue)
{
    enum { N = 30 };
    struct seen seen[N];
    evpq_future *fs[N];
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < N; i++) {
        fs[i] = i % 2 ? query("select 1") : evpq_pool_acquire(pool);
        if (i % 5 == 3)
            fs[i] = evpq_timeout(fs[i], 0);
        seen_watch(fs[i], &seen[i]);
    }
    for (int i = 0; i < N; i += 3)
        evpq_future_cancel(fs[i]);
    int left = 0;
    for (int i = 0; i < N; i++)
        left += i % 3 && i % 5 != 3;
    ck_until(stats().waiting == left);
    for (int i = 0; i < N; i++) {
        if (i % 3 == 0)
            ck_future_status(fs[i], EVPQ_CANCELED);
        else if (i % 5 == 3)
            ck_future_status(fs[i], EVPQ_TIMEOUT);
        if (i % 3 == 0 || i % 5 == 3)
            ck_assert_int_eq(evpq_error_outcome(evpq_future_error(fs[i])), EVPQ_OUTCOME_NOT_SENT);
    }
    evpq_lease_release(lease);
    int place = 0;
    for (int i = 0; i < N; i++) {
        if (seen[i].status == EVPQ_PENDING) {
            ck_await_ok(fs[i]);
            ck_until(seen[i].calls);
            ck_assert_int_gt(seen[i].place, place);
            place = seen[i].place;
        }
        ck_assert_int_eq(seen[i].calls, 1);
        evpq_future_unref(fs[i]); /* an untaken lease goes back */
    }
    ck_assert_int_eq(ask("select 2"), 2);
    pools_end();
}
END_TEST

/* What a canceled step leaves behind is checked by what comes after: a connection that is free and
 * gives right answers. */
static void ck_unharmed(void)
{
    ck_quiet();
    evpq_pool_stats s = stats();
    ck_assert_int_eq(s.busy, 0);
    ck_assert_int_eq(s.leased, 0);
    ck_assert_int_eq(s.waiting, 0);
    ck_assert_int_eq(s.idle, stats_total());
    ck_assert_int_eq(ask("select 4711"), 4711);
    evpq_lease *lease = lease_get();
    ck_assert(!lease_in_transaction(lease));
    ck_assert_int_eq(ask_on(lease, "select 4712"), 4712);
    evpq_lease_release(lease);
    ck_quiet();
}

static evpq_future *ping(evpq_lease *lease, void *arg)
{
    (void)arg;
    return evpq_lease_query(lease, "select 'hook'", EVPQ_ARGS());
}

enum asked { ACQUIRE, QUERY, SESSION, TWO_STEPS, KINDS };

static evpq_future *hold_briefly(evpq_future *f, void *arg)
{
    evpq_lease *lease = evpq_future_lease(f);
    (void)arg;
    evpq_future *both = lease ? query_on(lease, "select 2") : evpq_future_ref(f);
    evpq_lease_release(lease); /* with the query in flight */
    return both;
}

static evpq_future *begin(enum asked what)
{
    switch (what) {
    case ACQUIRE:
        return evpq_pool_acquire(pool);
    case QUERY:
        return query("select pg_sleep(0.001)");
    case SESSION:
        return query("set work_mem = '3MB'");
    default:
        return evpq_then(evpq_pool_acquire(pool), hold_briefly, NULL);
    }
}

/* Lets the loop turn so often; false when f has settled before. */
static bool step(evpq_future *f, int turns)
{
    struct pump p;
    pump_start(&p, evpq_loop_ev(loop), 10);
    for (int i = 0; i < turns && evpq_future_status(f) == EVPQ_PENDING; i++)
        pump_turn(&p);
    pump_stop(&p);
    return evpq_future_status(f) == EVPQ_PENDING;
}

/* Begins the same work again and again on the same pool, and cancels it after 0, 1, 2 ... turns of
 * the loop, until it is over before it is canceled. What the server says comes byte by byte, so
 * that there are many turns to it. */
static void cancel_at_every_step(enum asked what, bool busy, struct proxy *proxy)
{
    bool pending = true;
    for (int turns = 0; pending; turns += 1 + turns / 6) {
        evpq_future *before = busy ? query("select pg_sleep(0.002)") : NULL;
        proxy_split(proxy, true);
        evpq_future *f = begin(what);
        pending = step(f, turns);
        proxy_split(proxy, false);
        evpq_future_cancel(f);
        if (pending)
            ck_future_status(f, EVPQ_CANCELED);
        else
            ck_future_ok(f);
        evpq_future_unref(f);
        if (before)
            ck_done(before);
        ck_unharmed();
        ck_assert_int_lt(turns, 100000);
    }
}

static void f08_cancel(int i, bool with_hooks)
{
    enum asked what = (enum asked)(i % KINDS);
    bool busy = i / KINDS % 2;
    evpq_hook_fn *hook = with_hooks ? ping : NULL;
    struct proxy *proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .after_connect = hook, .before_acquire = hook, .after_release = hook);
    cancel_at_every_step(what, busy, proxy);
    pools_end();
    proxy_stop(proxy);
}

START_TEST(f08_cancel_at_every_step)
{
    f08_cancel(_i, false);
}
END_TEST

START_TEST(f08_cancel_at_every_step_with_hooks)
{
    f08_cancel(_i, true);
}
END_TEST

START_TEST(f08_cancel_at_every_step_while_connecting)
{
    for (int turns = 0, pending = 1; pending; turns++) {
        open_pool(.max_size = 2, .after_connect = ping, .before_acquire = ping);
        evpq_future *f = begin((enum asked)_i);
        pending = step(f, turns);
        evpq_future_cancel(f);
        evpq_future_unref(f);
        ck_unharmed();
        ck_assert_uint_eq(stats().connect_failures, 0);
        pools_end();
    }
}
END_TEST

/* The deadline falls wherever it falls: nearer or further, until the work is done before it. */
START_TEST(f08_deadline_at_every_moment)
{
    open_pool(.max_size = 1, .before_acquire = ping, .after_release = ping);
    evpq_status status = EVPQ_TIMEOUT;
    for (double seconds = 0; status != EVPQ_OK && seconds < 5;
         seconds = seconds < 0.01 ? seconds + 0.0004 : seconds * 2) {
        evpq_future *f = evpq_timeout(begin((enum asked)_i), seconds);
        status = evpq_await(f);
        ck_assert_msg(status == EVPQ_OK || status == EVPQ_TIMEOUT, "%s", check_future_text(f));
        evpq_future_unref(f);
        ck_unharmed();
    }
    ck_assert_int_eq(status, EVPQ_OK);
    pools_end();
}
END_TEST

/* A lease that has been settled, but not taken, when its future is canceled or dropped. */
START_TEST(f08_an_untaken_lease_goes_back)
{
    open_pool(.max_size = 1);
    evpq_future *f = evpq_pool_acquire(pool);
    ck_await_ok(f);
    evpq_future_cancel(f); /* too late */
    ck_future_ok(f);
    ck_assert_int_eq(stats().leased, 1);
    evpq_future *next = query("select 1");
    evpq_future_unref(f);
    ck_done(next);
    ck_unharmed();
    pools_end();
}
END_TEST

/* ---- wake-ups ---- */

struct chain {
    evpq_future *victim;
    int calls;
};

static void cancel_victim(evpq_future *f, void *arg)
{
    struct chain *c = arg;
    (void)f;
    c->calls++;
    pools_look();
    evpq_future_cancel(c->victim);
    pools_look();
}

/* The first in line is canceled in the very tick in which the connection comes back. */
START_TEST(f09_a_woken_waiter_that_dies_passes_the_wake_on)
{
    evpq_hook_fn *hook = _i ? ping : NULL;
    open_pool(.max_size = 1, .before_acquire = hook);
    evpq_lease *lease = lease_get();
    struct chain c = {.victim = evpq_pool_acquire(pool)};
    evpq_future *next = evpq_pool_acquire(pool), *last = query("select 3");
    evpq_future *trigger = query_on(lease, "select 1");
    evpq_future_on_done(trigger, cancel_victim, &c);
    evpq_lease_release(lease);
    ck_await_ok(next);
    ck_assert_int_eq(c.calls, 1);
    ck_future_status(c.victim, EVPQ_CANCELED);
    evpq_lease_release(evpq_future_lease(next));
    ck_done(last);
    evpq_future_unref(next);
    evpq_future_unref(trigger);
    evpq_future_unref(c.victim);
    pools_end();
}
END_TEST

/* As the connection is given to the first, before_acquire cancels that one: the second gets it. */
static evpq_future *victim_of_hook;

static evpq_future *cancel_in_hook(evpq_lease *lease, void *arg)
{
    (void)lease, (void)arg;
    if (victim_of_hook)
        evpq_future_cancel(victim_of_hook);
    victim_of_hook = evpq_future_unref(victim_of_hook);
    pools_look();
    return NULL;
}

START_TEST(f09_who_is_canceled_in_a_hook_passes_the_wake_on)
{
    open_pool(.max_size = 1, .before_acquire = cancel_in_hook);
    evpq_lease *lease = lease_get();
    evpq_future *first = evpq_pool_acquire(pool), *second = evpq_pool_acquire(pool);
    victim_of_hook = evpq_future_ref(first);
    evpq_lease_release(lease);
    ck_await_ok(second);
    ck_failed(first, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(second);
    ck_quiet();
    ck_assert_uint_eq(stats().leases, 2);
    pools_end();
}
END_TEST

static int looked;

static void look_now(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    looked++;
    pools_look();
}

/* Churn of all kinds; the rules hold in every callback, as at every turn. */
START_TEST(f09_never_idle_while_somebody_waits)
{
    enum { N = 600 };
    static evpq_future *fs[N];
    open_pool(.max_size = 4, .after_release = ping, .max_waiting = 10 * N);
    unsigned random = 12345;
    for (int i = 0; i < N; i++) {
        random = random * 1103515245 + 12345;
        unsigned draw = random >> 16;
        fs[i] = begin((enum asked)(draw % KINDS));
        if (draw / 8 % 4 == 0)
            fs[i] = evpq_timeout(fs[i], (draw / 32 % 50) * 0.001);
        ck_assert_int_eq(evpq_future_on_done(fs[i], look_now, NULL), EVPQ_OK);
        if (i % 10 == 9)
            step(fs[i], (int)(draw % 4));
        if (draw / 2048 % 4 == 0)
            evpq_future_cancel(fs[draw % (unsigned)(i + 1)]);
        if (evpq_future_status(fs[i]) != EVPQ_PENDING || draw % KINDS != ACQUIRE)
            continue;
        evpq_future_on_done(fs[i], look_now, NULL);
        fs[i] = evpq_then(fs[i], hold_briefly, NULL); /* nobody keeps a lease */
    }
    for (int i = 0; i < N; i++) {
        evpq_await(fs[i]);
        evpq_future_unref(fs[i]);
    }
    ck_unharmed();
    ck_assert_int_ge(looked, N);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("queue");
    CHECK_ADD(c, f11_those_who_wait_are_served_in_their_order);
    CHECK_ADD(c, f11_a_query_does_not_overtake_a_lease);
    CHECK_ADD(c, f15_one_too_many_fails_in_the_same_tick);
    CHECK_ADD(c, acquire_timeout_ends_the_wait_of_queries_and_leases);
    CHECK_ADD(c, a_timeout_says_that_connecting_failed);
    CHECK_ADD(c, acquire_timeout_is_told_before_query_timeout);
    CHECK_ADD(c, no_acquire_timeout_is_no_deadline);
    CHECK_ADD(c, f14_who_holds_and_acquires_again_is_told_so);
    CHECK_ADD(c, who_gives_up_is_taken_off_the_queue);
    CHECK_ADD_LOOP(c, f08_cancel_at_every_step, 2 * KINDS);
    CHECK_ADD_LOOP(c, f08_cancel_at_every_step_with_hooks, 2 * KINDS);
    CHECK_ADD_LOOP(c, f08_cancel_at_every_step_while_connecting, KINDS);
    CHECK_ADD_LOOP(c, f08_deadline_at_every_moment, KINDS);
    CHECK_ADD(c, f08_an_untaken_lease_goes_back);
    CHECK_ADD_LOOP(c, f09_a_woken_waiter_that_dies_passes_the_wake_on, 2);
    CHECK_ADD(c, f09_who_is_canceled_in_a_hook_passes_the_wake_on);
    CHECK_ADD(c, f09_never_idle_while_somebody_waits);
    return check_end(c);
}
