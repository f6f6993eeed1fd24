/* it_cancel.c - giving up on queries, whatever the server, the network and the moment: nobody gets
 * another's answer, nobody is hit by another's cancel request, and every future ends. */
#include "support/proxy.h"
#include "support/seen.h"
#include "support/server.h"
#include "support/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evpq_pool_opts pool_of(int max_size)
{
    return (evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = max_size};
}

static struct site behind(struct proxy *p, const char *name, const evpq_pool_opts *opts)
{
    return site_open(
        server_conninfo_port(SERVER_TCP, proxy_port(p), strf("application_name=%s", name)), opts);
}

static long active(const char *name)
{
    return server_count(strf("select count(*) from pg_stat_activity where state = 'active' and"
                             " application_name = '%s'",
                             name));
}

/* Runs the loop until the server works on so many statements of this name. */
static bool wait_active(struct site *s, const char *name, long n)
{
    double until = site_time() + 10;
    while (active(name) != n) {
        if (site_time() > until)
            return false;
        run_for(s->ev, 0.005);
    }
    return true;
}

/* ---- F1: whose answer is it? ---- */

enum { IN_FLIGHT = 48 };

struct asked {
    struct storm *storm;
    evpq_future *f;
    int token;
    int turns; /* canceled after so many looks; -1: not at all */
};

struct storm {
    struct site s;
    unsigned long seed;
    int queries, next, settled, right, stopped;
    struct asked asked[IN_FLIGHT];
};

static void answered(evpq_future *f, void *arg);

static void ask(struct asked *a)
{
    struct storm *st = a->storm;
    if (st->next >= st->queries)
        return;
    a->token = ++st->next;
    a->turns = -1;
    int fate = (int)(random() % 100);
    a->f = fate < 3 ? evpq_pool_query(st->s.pool, "select $1::int, pg_sleep($2)",
                                      EVPQ_ARGS(a->token, (double)(random() % 4) / 1000))
                    : evpq_pool_query(st->s.pool, "select $1::int", EVPQ_ARGS(a->token));
    if (fate < 8)
        a->turns = (int)(random() % 6);
    else if (fate < 12)
        a->f = evpq_timeout(a->f, (double)(random() % 80) / 10000);
    ck_assert_int_eq(evpq_future_on_done(a->f, answered, a), EVPQ_OK);
}

static void answered(evpq_future *f, void *arg)
{
    struct asked *a = arg;
    struct storm *st = a->storm;
    evpq_status status = evpq_future_status(f);
    st->settled++;
    ck_assert_ptr_eq(f, a->f);
    ck_assert_msg(status == EVPQ_OK || status == EVPQ_CANCELED || status == EVPQ_TIMEOUT,
                  "query %d: %s (seed %lu)", a->token, check_future_text(f), st->seed);
    if (status == EVPQ_OK) {
        int got = evpq_result_int4(evpq_future_result(f), 0, 0);
        ck_assert_msg(got == a->token, "query %d was answered with %d (seed %lu)", a->token, got,
                      st->seed);
        st->right++;
    } else {
        st->stopped++;
    }
    a->f = evpq_future_unref(a->f);
    ask(a);
}

static void cancel_some(struct ev_loop *ev, ev_timer *w, int events)
{
    struct storm *st = w->data;
    (void)ev, (void)events;
    for (int i = 0; i < IN_FLIGHT; i++) {
        struct asked *a = &st->asked[i];
        if (a->f && a->turns >= 0 && a->turns-- == 0)
            evpq_future_cancel(a->f);
    }
}

START_TEST(f01_every_answer_is_the_answer_to_its_query)
{
    struct proxy *p = server_proxy();
    evpq_pool_opts opts = pool_of(4);
    opts.pipeline_depth = 16;
    struct storm st = {
        .seed = site_seed(), .queries = check_rounds(40000), .s = behind(p, "f01", &opts)};
    proxy_delay(p, PROXY_TO_CLIENT, 1);
    ev_timer timer;
    ev_timer_init(&timer, cancel_some, 0.001, 0.001);
    timer.data = &st;
    ev_timer_start(st.s.ev, &timer);
    for (int i = 0; i < IN_FLIGHT; i++) {
        st.asked[i].storm = &st;
        ask(&st.asked[i]);
    }
    ck_assert_msg(RUN_UNTIL(st.s.ev, st.settled == st.queries, 100),
                  "%d of %d have settled (seed %lu)", st.settled, st.queries, st.seed);
    ev_timer_stop(st.s.ev, &timer);
    ck_assert_int_gt(st.right, st.queries / 2);
    ck_assert_int_gt(st.stopped, 100);
    ck_assert(site_quiet(&st.s, 20));
    ck_assert_uint_gt(site_stats(&st.s).cancels, (unsigned)st.queries / 8000);
    ck_assert_uint_eq(site_stats(&st.s).lost, 0);
    ck_assert_int_le(server_backends("f01"), 4);
    site_close(&st.s);
    proxy_stop(p);
}
END_TEST

/* ---- F3: whom does the request hit? ---- */

/* A victim, an innocent that waits for its connection, and one after the other. */
static void cancel_and_reuse(struct site *s, int round, unsigned long seed)
{
    evpq_future *victim = evpq_pool_query(s->pool, "select pg_sleep(60)", EVPQ_ARGS());
    evpq_future *early = evpq_pool_query(s->pool, "select $1::int", EVPQ_ARGS(round));
    for (long turns = random() % 4; turns > 0; turns--)
        ev_run(s->ev, EVRUN_NOWAIT);
    if (random() % 4 == 0)
        site_run(s, (double)(random() % 20) / 10000);
    evpq_future_cancel(victim);
    ck_future_status(victim, EVPQ_CANCELED);
    evpq_future *late = evpq_pool_query(s->pool, "select $1::int", EVPQ_ARGS(-round));
    evpq_status first = evpq_await(early), second = evpq_await(late);
    ck_assert_msg(first == EVPQ_OK && second == EVPQ_OK, "round %d: %s, %s (seed %lu)", round,
                  check_future_text(early), check_future_text(late), seed);
    ck_assert_int_eq(evpq_result_int4(evpq_future_result(early), 0, 0), round);
    ck_assert_int_eq(evpq_result_int4(evpq_future_result(late), 0, 0), -round);
    evpq_future_unref(victim);
    evpq_future_unref(early);
    evpq_future_unref(late);
}

START_TEST(f03_a_cancel_request_hits_nobody_else)
{
    unsigned long seed = site_seed();
    evpq_pool_opts opts = pool_of(1 + _i % 2);
    struct site s = site_open(
        server_conninfo(_i < 2 ? SERVER_UNIX : SERVER_TCP, "application_name=f03"), &opts);
    int rounds = check_rounds(500);
    for (int round = 1; round <= rounds; round++) {
        cancel_and_reuse(&s, round, seed);
        if (round % 20 == 0)
            ck_assert_int_le(server_backends("f03"), opts.max_size);
    }
    ck_assert_uint_gt(site_stats(&s).cancels, (unsigned)rounds / 50);
    ck_assert_uint_le(site_stats(&s).connects, (unsigned)opts.max_size);
    site_close(&s);
}
END_TEST

/* The request is delivered late: the query may have ended by itself by then. */
START_TEST(f03_a_late_cancel_request_hits_nobody_else)
{
    unsigned long seed = site_seed();
    evpq_pool_opts opts = pool_of(1);
    struct proxy *p = server_proxy();
    struct site s = behind(p, "f03-late", &opts);
    for (int round = 1; round <= 60; round++) {
        proxy_cancels(p, PROXY_CANCEL_PASS, (int)(random() % 15));
        evpq_future *victim = evpq_pool_query(s.pool, "select pg_sleep(0.005)", EVPQ_ARGS());
        site_run(&s, (double)(random() % 60) / 10000);
        evpq_future_cancel(victim);
        evpq_future_unref(victim);
        for (int i = 0; i < 5; i++) {
            evpq_future *f = evpq_pool_query(s.pool, "select $1::int", EVPQ_ARGS(i));
            ck_assert_msg(evpq_await(f) == EVPQ_OK, "round %d: %s (seed %lu)", round,
                          check_future_text(f), seed);
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), i);
            evpq_future_unref(f);
        }
    }
    ck_assert_int_gt(proxy_stats(p).cancels, 5);
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* On a lease, with a transaction around: the request ends the statement, and nothing behind it. */
START_TEST(f03_a_lease_goes_on_after_a_cancel)
{
    evpq_pool_opts opts = pool_of(1);
    struct site s = site_open(server_conninfo(SERVER_UNIX, "application_name=f03-lease"), &opts);
    evpq_lease *lease = site_lease(&s);
    int pid = evpq_lease_backend_pid(lease);
    for (int round = 0; round < 100; round++) {
        evpq_future *victim = evpq_lease_query(lease, "select pg_sleep(60)", EVPQ_ARGS());
        for (int turns = round % 4; turns > 0; turns--)
            ev_run(s.ev, EVRUN_NOWAIT);
        evpq_future_cancel(victim);
        evpq_future *next = evpq_lease_query(lease, "select $1::int", EVPQ_ARGS(round));
        ck_await_ok(next);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(next), 0, 0), round);
        evpq_future_unref(victim);
        evpq_future_unref(next);
    }
    lease_text(lease, "begin");
    evpq_future *victim = evpq_lease_query(lease, "select pg_sleep(60)", EVPQ_ARGS());
    ck_assert(wait_active(&s, "f03-lease", 1));
    evpq_future_cancel(victim);
    evpq_future_unref(victim);
    evpq_future *next = evpq_lease_query(lease, "select 1", EVPQ_ARGS());
    ck_await_status(next, EVPQ_SERVER);
    ck_failed(next, EVPQ_SERVER, "25P02", EVPQ_OUTCOME_REJECTED); /* the transaction has failed */
    evpq_future_unref(next);
    lease_text(lease, "rollback");
    ck_assert_str_eq(lease_text(lease, "select 'whole again'"), "whole again");
    ck_assert_int_eq(evpq_lease_backend_pid(lease), pid);
    evpq_lease_release(lease);
    site_close(&s);
}
END_TEST

START_TEST(a_cancel_waits_for_those_behind_it)
{
    evpq_pool_opts opts = pool_of(1);
    struct site s = site_open(server_conninfo(SERVER_UNIX, "application_name=behind"), &opts);
    evpq_lease *lease = site_lease(&s);
    evpq_future *first = evpq_lease_query(lease, "select pg_sleep(0.2)", EVPQ_ARGS());
    evpq_future *second = evpq_lease_query(lease, "select 'unharmed'", EVPQ_ARGS());
    ck_assert(wait_active(&s, "behind", 1));
    evpq_future_cancel(first);
    ck_failed(first, EVPQ_CANCELED, "", EVPQ_OUTCOME_UNKNOWN);
    ck_await_ok(second);
    ck_assert_str_eq(evpq_result_text(evpq_future_result(second), 0, 0), "unharmed");
    ck_assert_uint_eq(site_stats(&s).cancels, 0);
    evpq_future_unref(first);
    evpq_future_unref(second);

    first = evpq_lease_query(lease, "select pg_sleep(60)", EVPQ_ARGS());
    second = evpq_lease_query(lease, "select pg_sleep(60)", EVPQ_ARGS());
    ck_assert(wait_active(&s, "behind", 1));
    evpq_future_cancel(first);
    run_for(s.ev, 0.02);
    ck_assert_uint_eq(site_stats(&s).cancels, 0);
    evpq_future_cancel(second);
    ck_assert_uint_eq(site_stats(&s).cancels, 1);
    ck_assert_str_eq(lease_text(lease, "select 'next'"), "next");
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    evpq_future_unref(first);
    evpq_future_unref(second);
    evpq_lease_release(lease);
    site_close(&s);
}
END_TEST

/* ---- every moment of a query's life ---- */

START_TEST(canceled_at_every_step)
{
    evpq_pool_opts opts = pool_of(1);
    struct site s = site_open(server_conninfo(SERVER_UNIX, "application_name=steps"), &opts);

    evpq_future *f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS()); /* nobody has connected */
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, "", EVPQ_OUTCOME_NOT_SENT);
    evpq_future_cancel(f); /* settled: nothing happens */
    evpq_future_unref(f);

    evpq_future_unref(site_query(&s, "select 1"));
    f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS()); /* on the line, not handed to libpq */
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, "", EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(f);
    ck_assert(site_quiet(&s, 10));

    evpq_future *running = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
    ck_assert(wait_active(&s, "steps", 1));
    f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS()); /* in the queue */
    ck_assert_int_eq(site_stats(&s).waiting, 1);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, "", EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(site_stats(&s).waiting, 0);
    evpq_future_unref(f);

    struct seen seen;
    seen_watch(running, &seen);
    evpq_future_cancel(running);
    ck_failed(running, EVPQ_CANCELED, "", EVPQ_OUTCOME_UNKNOWN);
    ck_assert_ptr_null(evpq_error_detail(evpq_future_error(running)));
    ck_assert_int_eq(seen.calls, 0);
    ck_assert_int_eq(site_stats(&s).closing, 1);
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).idle == 1, 10));
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(active("steps"), 0);
    evpq_future_unref(running);

    f = site_query(&s, "select 1"); /* done */
    evpq_future_cancel(f);
    ck_future_ok(f);
    evpq_future_unref(f);
    ck_assert_uint_ge(site_stats(&s).cancels, 1);
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    site_close(&s);
}
END_TEST

START_TEST(a_large_answer_is_canceled_midway)
{
    evpq_pool_opts opts = pool_of(1);
    struct site s = site_open(server_conninfo(_i ? SERVER_TCP : SERVER_UNIX, NULL), &opts);
    for (int round = 0; round < 5; round++) {
        evpq_future *f = evpq_pool_query(
            s.pool, "select repeat('x', 1000) from generate_series(1, 1000000)", EVPQ_ARGS());
        site_run(&s, 0.003 * round);
        evpq_future_cancel(f);
        ck_future_status(f, EVPQ_CANCELED);
        evpq_future_unref(f);
        ck_assert_str_eq(site_text(&s, "select 'mine'"), "mine");
    }
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    site_close(&s);
}
END_TEST

/* The server's own cancels are its errors, not the program's. */
START_TEST(a_statement_timeout_is_the_servers)
{
    evpq_pool_opts opts = pool_of(1);
    struct site s =
        site_open(server_conninfo(SERVER_UNIX, "options='-c statement_timeout=20'"), &opts);
    evpq_future *f = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
    ck_await_status(f, EVPQ_SERVER);
    ck_failed(f, EVPQ_SERVER, "57014", EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
    site_close(&s);
}
END_TEST

/* ---- F19, F20: the server or the network does not help ---- */

START_TEST(f19_a_black_hole_holds_nobody_past_the_deadline)
{
    struct proxy *p = server_proxy();
    evpq_pool_opts opts = pool_of(1);
    opts.cancel_timeout = 0.4;
    opts.connect_timeout = 0.3;
    opts.backoff_max = 0.1;
    struct site s = behind(p, "f19", &opts);
    const char *pid = site_text(&s, "select pg_backend_pid()");
    proxy_stall(p, PROXY_TO_CLIENT, true);
    proxy_stall(p, PROXY_TO_SERVER, true);

    double began = site_time();
    evpq_future *f = evpq_timeout(evpq_pool_query(s.pool, "select 1", EVPQ_ARGS()), 0.1);
    evpq_future *behind_it = evpq_pool_query(s.pool, "select pg_backend_pid()", EVPQ_ARGS());
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert(site_time() - began >= 0.099);
    ck_failed(f, EVPQ_TIMEOUT, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);

    ck_assert_int_eq(site_stats(&s).closing, 1); /* in quarantine */
    ck_assert_int_eq(site_stats(&s).idle, 0);
    double quarantined = site_time();
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).closing == 0, 20));
    ck_assert(site_time() - quarantined >= 0.3);
    ck_assert_uint_eq(site_stats(&s).lost, 1);
    ck_future_pending(behind_it);

    proxy_stall(p, PROXY_TO_CLIENT, false);
    proxy_stall(p, PROXY_TO_SERVER, false);
    ck_await_ok(behind_it);
    ck_assert_str_ne(evpq_result_text(evpq_future_result(behind_it), 0, 0), pid);
    evpq_future_unref(behind_it);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* The request is lost on its way (0), or gets no end (1), or nothing accepts it (2). */
START_TEST(f20_a_deadline_does_not_wait_for_the_cancel_request)
{
    struct proxy *p = server_proxy();
    evpq_pool_opts opts = pool_of(1);
    opts.cancel_timeout = 0.3;
    struct site s = behind(p, "f20", &opts);
    const char *pid = site_text(&s, "select pg_backend_pid()");
    if (_i < 2)
        proxy_cancels(p, _i ? PROXY_CANCEL_STALL : PROXY_CANCEL_DROP, 0);
    else
        proxy_door(p, PROXY_IGNORE);

    evpq_future *f = evpq_timeout(evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS()), 0.1);
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_failed(f, EVPQ_TIMEOUT, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    double quarantined = site_time();
    evpq_future *next = evpq_pool_query(s.pool, "select pg_backend_pid()", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).closing == 0, 20));
    ck_assert(site_time() - quarantined >= 0.25);
    proxy_door(p, PROXY_OPEN);
    ck_await_ok(next);
    ck_assert_str_ne(evpq_result_text(evpq_future_result(next), 0, 0), pid);
    evpq_future_unref(next);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* A server that is stopped in every way answers neither query nor request. */
START_TEST(f20_a_deadline_holds_when_the_connection_is_cut_meanwhile)
{
    struct proxy *p = server_proxy();
    evpq_pool_opts opts = pool_of(1);
    struct site s = behind(p, "f20-cut", &opts);
    evpq_future_unref(site_query(&s, "select 1"));
    proxy_cancels(p, PROXY_CANCEL_STALL, 0);
    evpq_future *f = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
    ck_assert(wait_active(&s, "f20-cut", 1));
    evpq_future_cancel(f);
    run_for(s.ev, 0.02);
    proxy_cut(p); /* both the connection and the request */
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).lost == 1, 10));
    ck_future_status(f, EVPQ_CANCELED);
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&s, "select 'on'"), "on");
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* ---- F31 ---- */

START_TEST(f31_without_a_key_the_connection_is_closed)
{
    struct proxy *p = server_proxy();
    evpq_pool_opts opts = pool_of(1);
    proxy_strip_key(p, true);
    struct site s = behind(p, "f31", &opts);
    evpq_future_unref(site_query(&s, "select 1"));
    evpq_future *f = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
    if (_i) {
        f = evpq_timeout(f, 0.1);
        ck_await_status(f, EVPQ_TIMEOUT);
    } else {
        run_for(s.ev, 0.05);
        evpq_future_cancel(f);
        ck_failed(f, EVPQ_CANCELED, "", EVPQ_OUTCOME_UNKNOWN);
        ck_assert_ptr_nonnull(evpq_error_detail(evpq_future_error(f)));
        ck_assert_ptr_nonnull(strstr(evpq_error_detail(evpq_future_error(f)), "no key"));
    }
    evpq_future_unref(f);
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).closing == 0, 10));
    ck_assert_int_eq(proxy_stats(p).cancels, 0);
    ck_assert_str_eq(site_text(&s, "select 'another'"), "another");
    ck_assert_uint_eq(site_stats(&s).connects, 2);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* ---- one request at a time ---- */

struct put_off {
    evpq_lease *lease;
    evpq_future *second, *third;
    ev_timer timer;
};

static void give_up_the_third(struct ev_loop *ev, ev_timer *w, int events)
{
    struct put_off *o = w->data;
    (void)ev, (void)events;
    evpq_future_cancel(o->third);
}

/* Called while the connection is being read: the request for the second is put off until it has been. */
static void give_up_the_second(evpq_future *f, void *arg)
{
    struct put_off *o = arg;
    ck_future_ok(f);
    evpq_future_cancel(o->second);
    o->third = evpq_lease_query(o->lease, "select pg_sleep(60)", EVPQ_ARGS());
}

/* A second request beside the first would be forgotten, and hit whoever comes after the fence. */
START_TEST(one_request_is_under_way_at_a_time)
{
    evpq_pool_opts opts = pool_of(1);
    opts.cancel_timeout = 30;
    struct proxy *p = server_proxy();
    struct site s = behind(p, "put-off", &opts);
    struct put_off o = {.lease = site_lease(&s)};
    proxy_cancels(p, PROXY_CANCEL_STALL, 0);
    evpq_future *first = evpq_lease_query(o.lease, "select 1", EVPQ_ARGS());
    ck_assert_int_eq(evpq_future_on_done(first, give_up_the_second, &o), EVPQ_OK);
    o.second = evpq_lease_query(o.lease, "select pg_sleep(60)", EVPQ_ARGS());
    ev_timer_init(&o.timer, give_up_the_third, 0., 0.);
    o.timer.data = &o;
    while (!o.third)
        ev_run(s.ev, EVRUN_ONCE);
    ev_timer_start(s.ev, &o.timer);
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).cancels > 0, 10));
    run_for(s.ev, 0.05);
    ck_assert_uint_eq(site_stats(&s).cancels, 1);
    ck_assert_int_eq(proxy_stats(p).cancels, 1);
    evpq_future_unref(first);
    evpq_future_unref(o.second);
    evpq_future_unref(o.third);
    evpq_lease_release(o.lease);
    proxy_cut(p);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("cancel");
    CHECK_ADD_SLOW(c, f01_every_answer_is_the_answer_to_its_query, 120);
    CHECK_ADD_LOOP(c, f03_a_cancel_request_hits_nobody_else, 4);
    CHECK_ADD(c, f03_a_late_cancel_request_hits_nobody_else);
    CHECK_ADD(c, f03_a_lease_goes_on_after_a_cancel);
    CHECK_ADD(c, a_cancel_waits_for_those_behind_it);
    CHECK_ADD(c, canceled_at_every_step);
    CHECK_ADD_LOOP(c, a_large_answer_is_canceled_midway, 2);
    CHECK_ADD(c, a_statement_timeout_is_the_servers);
    CHECK_ADD(c, f19_a_black_hole_holds_nobody_past_the_deadline);
    CHECK_ADD_LOOP(c, f20_a_deadline_does_not_wait_for_the_cancel_request, 3);
    CHECK_ADD(c, f20_a_deadline_holds_when_the_connection_is_cut_meanwhile);
    CHECK_ADD(c, one_request_is_under_way_at_a_time);
    CHECK_ADD_LOOP(c, f31_without_a_key_the_connection_is_closed, 2);
    return check_end(c);
}
