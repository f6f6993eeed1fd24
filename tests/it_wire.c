/* it_wire.c - queries through the whole library to a real server: on every way there is to it, in
 * every size, from every place of a loop, and what becomes of them when the link ends. */
#include "support/basics.h"
#include "support/proxy.h"
#include "support/seen.h"
#include "support/server.h"
#include "support/site.h"
#include "support/watch.h"

#include "async/loop_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const evpq_pool_opts one = {.size = sizeof one, .max_size = 1};

/* ---- every way ---- */

START_TEST(basics_on_every_way)
{
    enum server_path path = (enum server_path)_i;
    if (path == SERVER_TLS && !server_has_tls())
        return;
    struct site s = site_open(server_conninfo(path, NULL),
                              &(evpq_pool_opts){.size = sizeof one, .max_size = 3});
    basics_run(&s, 300 * 1000, 3);
    site_close(&s);
}
END_TEST

/* One byte at a time; and late. */
START_TEST(basics_through_a_proxy)
{
    enum server_path path = _i % 2 ? SERVER_TLS : SERVER_TCP;
    if (path == SERVER_TLS && !server_has_tls())
        return;
    struct proxy *p = server_proxy();
    proxy_split(p, _i < 2);
    proxy_delay(p, PROXY_TO_CLIENT, _i < 2 ? 0 : 3);
    proxy_delay(p, PROXY_TO_SERVER, _i < 2 ? 0 : 2);
    struct site s = site_open(server_conninfo_port(path, proxy_port(p), NULL),
                              &(evpq_pool_opts){.size = sizeof one, .max_size = 3});
    basics_run(&s, _i < 2 ? 2000 : 300 * 1000, _i < 2 ? check_rounds(5) : 3);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

START_TEST(basics_without_pipeline_and_prepare)
{
    struct site s = site_open(
        server_conninfo(SERVER_UNIX, NULL),
        &(evpq_pool_opts){
            .size = sizeof one, .max_size = 3, .pipeline_depth = 1, .prepare = EVPQ_PREPARE_OFF});
    basics_run(&s, 300 * 1000, 3);
    site_close(&s);
}
END_TEST

/* ---- sizes ---- */

START_TEST(many_rows_and_columns)
{
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    evpq_future *f = site_query(&s, "select i, 'row ' || i from generate_series(0, 99999) i");
    const evpq_result *r = evpq_future_result(f);
    ck_assert_int_eq(evpq_result_rows(r), 100000);
    for (int row = 0; row < 100000; row += 997) {
        ck_assert_int_eq(evpq_result_int4(r, row, 0), row);
        ck_assert_str_eq(evpq_result_text(r, row, 1), strf("row %d", row));
    }
    evpq_future_unref(f);

    char sql[1600 * 6 + 16] = "select 0";
    size_t n = strlen(sql);
    for (int i = 1; i < 1600; i++)
        n += (size_t)snprintf(sql + n, sizeof sql - n, ",%d", i);
    f = site_query(&s, sql);
    r = evpq_future_result(f);
    ck_assert_int_eq(evpq_result_columns(r), 1600);
    for (int column = 0; column < 1600; column++)
        ck_assert_int_eq(evpq_result_int4(r, 0, column), column);
    evpq_future_unref(f);
    site_close(&s);
}
END_TEST

START_TEST(a_value_of_64_megabytes)
{
    size_t size = 64u << 20, n;
    char *value = malloc(size);
    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i < size; i++)
        value[i] = (char)(i * 31 + i / 255);
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    evpq_future *f =
        evpq_pool_query(s.pool, "select $1", evpq_binary(EVPQ_ARGS(evpq_bytes(value, size))));
    ck_await_ok(f);
    const void *back = evpq_result_bytes(evpq_future_result(f), 0, 0, &n);
    ck_assert_uint_eq(n, size);
    ck_assert(memcmp(back, value, size) == 0);
    evpq_future_unref(f);
    free(value);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    site_close(&s);
}
END_TEST

/* All of it lies there, and yet the loop looks at others before it is read to its end. */
START_TEST(a_long_answer_is_read_in_several_turns)
{
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    evpq_future_unref(site_query(&s, "select 1"));
    evpq_future *f = evpq_pool_query(
        s.pool, "select repeat('x', 1000) from generate_series(1, 150)", EVPQ_ARGS());
    ev_run(s.ev, EVRUN_NOWAIT); /* it is sent */
    usleep(300000);
    int turns = 0;
    for (; evpq_future_status(f) == EVPQ_PENDING; turns++)
        ev_run(s.ev, EVRUN_ONCE);
    ck_future_ok(f);
    ck_assert_int_ge(turns, 4);
    evpq_future_unref(f);
    site_close(&s);
}
END_TEST

/* Results that no row could hold, one after the other on a connection, all complete. */
START_TEST(results_of_every_size)
{
    struct site s = site_open(server_conninfo(SERVER_TCP, NULL), &one);
    for (int size = 0; size <= 70000; size += size < 20 ? 1 : size / 3) {
        evpq_future *f = evpq_pool_query(s.pool, "select repeat('z', $1)", EVPQ_ARGS(size));
        ck_await_ok(f);
        ck_assert_uint_eq(evpq_result_length(evpq_future_result(f), 0, 0), (size_t)size);
        evpq_future_unref(f);
    }
    site_close(&s);
}
END_TEST

/* F27: more is on the way in each direction than any buffer holds. */
START_TEST(f27_both_sides_buffers_are_full)
{
    enum { QUERIES = 1000, SIZE = 70 * 1000 };
    char *text = malloc(SIZE + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'b', SIZE);
    text[SIZE] = '\0';
    struct proxy *p = _i == 2 ? server_proxy() : NULL;
    struct site s = site_open(p ? server_conninfo_port(SERVER_TCP, proxy_port(p), NULL)
                                : server_conninfo(_i ? SERVER_TCP : SERVER_UNIX, NULL),
                              &one);
    if (p) /* blocks and unblocks more often */
        proxy_delay(p, PROXY_TO_SERVER, 1);
    evpq_lease *lease = site_lease(&s);
    evpq_future *f[QUERIES];
    for (int i = 0; i < QUERIES; i++)
        f[i] = evpq_lease_query(lease, "select $1::text, $2::int", EVPQ_ARGS(text, i));
    for (int i = 0; i < QUERIES; i++) {
        ck_await_ok(f[i]);
        ck_assert_uint_eq(evpq_result_length(evpq_future_result(f[i]), 0, 0), SIZE);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[i]), 0, 1), i);
        evpq_future_unref(f[i]);
    }
    evpq_lease_release(lease);
    free(text);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* ---- one for each, one Sync each ---- */

/* F6 */
START_TEST(f06_neighbours_commit_and_fail_alone)
{
    server_exec("create table alone(n int)");
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    evpq_lease *lease = site_lease(&s);
    for (int round = 0; round < 3; round++) { /* as it is, prepared, and bound only */
        evpq_future *q1 = evpq_lease_query(lease, "insert into alone values ($1)", EVPQ_ARGS(1));
        evpq_future *q2 = evpq_lease_query(lease, "select 1 / $1::int", EVPQ_ARGS(0));
        evpq_future *q3 = evpq_lease_query(lease, "insert into alone values ($1)", EVPQ_ARGS(3));
        ck_await_ok(q3);
        ck_future_ok(q1);
        ck_future_status(q2, EVPQ_SERVER);
        evpq_future_unref(q1);
        evpq_future_unref(q2);
        evpq_future_unref(q3);
        ck_assert_int_eq(server_count("select sum(n) from alone"), 4 * (round + 1));
    }
    evpq_lease_release(lease);
    site_close(&s);
    server_exec("drop table alone");
}
END_TEST

START_TEST(a_constraint_that_fails_at_commit_is_that_querys_error)
{
    server_exec("create table late(n int unique deferrable initially deferred)");
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    for (int round = 0; round < 3; round++) {
        evpq_future *before = evpq_pool_query(s.pool, "select 'before'", EVPQ_ARGS());
        evpq_future *f = evpq_pool_query(s.pool, "insert into late values (1), (1)", EVPQ_ARGS());
        evpq_future *behind = evpq_pool_query(s.pool, "select 'behind'", EVPQ_ARGS());
        ck_await_status(f, EVPQ_SERVER);
        ck_failed(f, EVPQ_SERVER, "23505", EVPQ_OUTCOME_REJECTED);
        ck_assert_ptr_null(evpq_future_result(f));
        ck_await_ok(before);
        ck_await_ok(behind);
        ck_assert_str_eq(evpq_result_text(evpq_future_result(behind), 0, 0), "behind");
        evpq_future_unref(before);
        evpq_future_unref(f);
        evpq_future_unref(behind);
    }
    ck_assert_int_eq(server_count("select count(*) from late"), 0);
    site_close(&s);
    server_exec("drop table late");
}
END_TEST

START_TEST(copy_is_refused_and_neighbours_go_on)
{
    static const char *const copies[] = {
        "copy (select 1) to stdout",
        "copy pg_class to stdout with (format csv)",
        "/* a */ copy pg_class from stdin",
        "-- b\n COPY pg_class FROM STDIN",
    };
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++) {
        evpq_future *before = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS());
        evpq_future *f = evpq_pool_query(s.pool, copies[i], EVPQ_ARGS());
        evpq_future *behind = evpq_pool_query(s.pool, "select 2", EVPQ_ARGS());
        ck_await_status(f, EVPQ_INVALID);
        ck_failed(f, EVPQ_INVALID, "", EVPQ_OUTCOME_NOT_SENT);
        ck_await_ok(before);
        ck_await_ok(behind);
        evpq_future_unref(before);
        evpq_future_unref(f);
        evpq_future_unref(behind);
    }
    ck_assert_uint_eq(site_stats(&s).lost, 0);
    site_close(&s);
}
END_TEST

/* ---- notices ---- */

struct notices {
    int n;
    char message[100], severity[20], sqlstate[6];
};

static void take_notice(const evpq_error *notice, void *arg)
{
    struct notices *seen = arg;
    seen->n++;
    snprintf(seen->message, sizeof seen->message, "%s", evpq_error_message(notice));
    snprintf(seen->severity, sizeof seen->severity, "%s", evpq_error_severity(notice));
    snprintf(seen->sqlstate, sizeof seen->sqlstate, "%s", evpq_error_sqlstate(notice));
}

START_TEST(notices_are_told)
{
    struct notices seen = {0};
    struct site s = site_open(
        server_conninfo(SERVER_UNIX, NULL),
        &(evpq_pool_opts){
            .size = sizeof one, .max_size = 1, .on_notice = take_notice, .notice_arg = &seen});
    evpq_future_unref(
        site_query(&s, "do $$ begin raise notice 'one'; raise warning 'two'; end $$"));
    ck_assert(RUN_UNTIL(s.ev, seen.n == 2, 10));
    ck_assert_str_eq(seen.message, "two");
    ck_assert_str_eq(seen.severity, "WARNING");
    ck_assert_str_eq(seen.sqlstate, "01000");
    evpq_future_unref(site_query(&s, "select 1"));
    ck_assert_int_eq(seen.n, 2);
    site_close(&s);
    ck_assert_int_eq(seen.n, 2);
}
END_TEST

/* ---- F28: from wherever a query is asked for, it is on its way before the loop sleeps ---- */

struct asked {
    struct site *s;
    evpq_future *f;
    struct seen seen;
};

static void ask(struct asked *a)
{
    a->f = evpq_pool_query(a->s->pool, "select 28", EVPQ_ARGS());
    seen_watch(a->f, &a->seen);
}

static void ask_from_callback(evpq_future *f, void *arg)
{
    (void)f;
    ask(arg);
}

static void ask_from_timer(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev, (void)events;
    ask(w->data);
}

static void ask_from_prepare(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)events;
    ev_prepare_stop(ev, w);
    ask(w->data);
}

static void ask_from_check(struct ev_loop *ev, ev_check *w, int events)
{
    (void)events;
    ev_check_stop(ev, w);
    ask(w->data);
}

static void ask_from_idle(struct ev_loop *ev, ev_idle *w, int events)
{
    (void)events;
    ev_idle_stop(ev, w);
    ask(w->data);
}

static void wake_up(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev, (void)w, (void)events;
}

static void stop_loop(evpq_future *f, void *arg)
{
    (void)f;
    evpq_loop_stop(arg);
}

/* The loop has no other reason to wake up: what was not flushed would wait for ever. */
static void answer_comes(struct asked *a)
{
    if (!a->f) { /* asked for within the loop */
        while (!a->f)
            ev_run(a->s->ev, EVRUN_ONCE);
    }
    ck_assert_int_eq(evpq_future_on_done(a->f, stop_loop, a->s->loop), EVPQ_OK);
    if (!a->seen.calls)
        evpq_loop_run(a->s->loop);
    ck_future_ok(a->f);
    ck_assert_int_eq(a->seen.calls, 1);
    a->f = evpq_future_unref(a->f);
}

START_TEST(f28_what_is_asked_for_is_sent_before_the_loop_sleeps)
{
    struct site s = site_open(server_conninfo(_i ? SERVER_TCP : SERVER_UNIX, NULL), &one);
    struct asked a = {.s = &s};
    for (int round = 0; round < 5; round++) {
        ask(&a); /* from outside; the first time there is no connection yet */
        answer_comes(&a);

        evpq_future *before = evpq_pool_query(s.pool, "select 27", EVPQ_ARGS());
        ck_assert_int_eq(evpq_future_on_done(before, ask_from_callback, &a), EVPQ_OK);
        evpq_future_unref(before);
        answer_comes(&a);

        ev_timer timer;
        ev_timer_init(&timer, ask_from_timer, 0.001, 0);
        timer.data = &a;
        ev_timer_start(s.ev, &timer);
        answer_comes(&a);

        ev_prepare prepare;
        ev_prepare_init(&prepare, ask_from_prepare);
        ev_set_priority(&prepare, round % 2 ? EV_MINPRI : EV_MAXPRI);
        prepare.data = &a;
        ev_prepare_start(s.ev, &prepare);
        ev_timer_init(&timer, wake_up, 0.001, 0);
        ev_timer_start(s.ev, &timer);
        answer_comes(&a);
        ev_timer_stop(s.ev, &timer);

        ev_check check;
        ev_check_init(&check, ask_from_check);
        ev_set_priority(&check, round % 2 ? EV_MINPRI : EV_MAXPRI);
        check.data = &a;
        ev_check_start(s.ev, &check);
        ev_timer_init(&timer, wake_up, 0.001, 0);
        ev_timer_start(s.ev, &timer);
        answer_comes(&a);
        ev_timer_stop(s.ev, &timer);

        ev_idle idle;
        ev_idle_init(&idle, ask_from_idle);
        idle.data = &a;
        ev_idle_start(s.ev, &idle);
        answer_comes(&a);
    }
    site_close(&s);
}
END_TEST

/* ---- F45 ---- */

struct waits_inside {
    struct site *s;
    evpq_future *f;
    evpq_status got;
};

static void wait_inside(evpq_future *f, void *arg)
{
    struct waits_inside *w = arg;
    (void)f;
    w->f = evpq_pool_query(w->s->pool, "select 45", EVPQ_ARGS());
    w->got = evpq_await(w->f);
}

START_TEST(f45_waiting_inside_a_callback_fails_at_once)
{
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    struct waits_inside w = {.s = &s};
    evpq_future *f = evpq_pool_query(s.pool, "select 44", EVPQ_ARGS());
    ck_assert_int_eq(evpq_future_on_done(f, wait_inside, &w), EVPQ_OK);
    ck_await_ok(f);
    ck_assert(RUN_UNTIL(s.ev, w.f != NULL, 10));
    ck_assert_int_eq(w.got, EVPQ_DEADLOCK);
    ck_await_ok(w.f); /* the query itself goes on */
    evpq_future_unref(w.f);
    evpq_future_unref(f);
    site_close(&s);
}
END_TEST

/* ---- F26 ---- */

START_TEST(f26_libpq_never_waits_on_the_loops_thread)
{
    enum server_path path = (enum server_path)_i;
    if (path == SERVER_TLS && !server_has_tls())
        return;
    const char *conninfo = server_conninfo(path, NULL);
    watch_begin();
    struct site s = site_open(conninfo, &(evpq_pool_opts){.size = sizeof one, .max_size = 2});
    evpq_future *f[30];
    for (int i = 0; i < 30; i++)
        f[i] = evpq_pool_query(s.pool, "select repeat('x', $1)", EVPQ_ARGS(i * 5000));
    for (int i = 0; i < 30; i++) {
        ck_await_ok(f[i]);
        evpq_future_unref(f[i]);
    }
    evpq_lease *lease = site_lease(&s);
    lease_text(lease, "begin");
    evpq_future *sleeper = evpq_lease_query(lease, "select pg_sleep(60)", EVPQ_ARGS());
    run_for(s.ev, 0.05);
    evpq_future_cancel(sleeper);
    ck_future_status(sleeper, EVPQ_CANCELED);
    evpq_future_unref(sleeper);
    evpq_lease_release(lease); /* the reset waits for the cancel */
    ck_assert(site_quiet(&s, 20));
    evpq_future_unref(site_query(&s, "select 1"));
    site_close(&s);
    long calls = watch_end();
    ck_assert_msg(calls == 0, "%ld blocking calls, the first was %s", calls, watch_first());
}
END_TEST

/* ---- the link ends ---- */

/* F10: on one line, oldest first, each once, with an outcome. */
START_TEST(f10_what_was_in_flight_fails_once_oldest_first)
{
    struct proxy *p = server_proxy();
    struct site s =
        site_open(server_conninfo_port(SERVER_TCP, proxy_port(p), "application_name=f10"), &one);
    evpq_lease *lease = site_lease(&s);
    evpq_future *f[6];
    struct seen seen[6];
    for (int i = 0; i < 5; i++) {
        f[i] = evpq_lease_query(lease, i ? "select 1" : "select pg_sleep(60)", EVPQ_ARGS());
        seen_watch(f[i], &seen[i]);
    }
    run_for(s.ev, 0.05);
    if (_i == 0)
        ck_assert_int_eq(server_kill_backends("f10"), 1);
    else if (_i == 1)
        proxy_reset(p);
    else
        proxy_cut(p);
    f[5] = evpq_lease_query(lease, "select 'too late'", EVPQ_ARGS());
    seen_watch(f[5], &seen[5]);
    ck_assert(RUN_UNTIL(s.ev, seen[5].calls, 10));
    run_for(s.ev, 0.02);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(seen[i].calls, 1);
        ck_assert_int_eq(seen[i].place, i + 1);
        ck_future_status(f[i], EVPQ_LOST);
        if (i < 5)
            ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f[i])), EVPQ_OUTCOME_UNKNOWN);
        if (_i == 0 && i == 0 && evpq_error_sqlstate(evpq_future_error(f[i]))[0])
            /* its last words; TCP may drop them for the statements that it never read */
            ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f[i])), "57P01");
        evpq_future_unref(f[i]);
    }
    ck_assert_int_eq(evpq_lease_backend_pid(lease), 0);
    evpq_lease_release(lease);
    ck_assert_str_eq(site_text(&s, "select 'again'"), "again");
    ck_assert_uint_eq(site_stats(&s).lost, 1);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* F10: whoever waits gets another connection. */
START_TEST(f10_waiters_get_another_connection)
{
    struct site s = site_open(server_conninfo(SERVER_UNIX, "application_name=f10-wait"), &one);
    evpq_future *running = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
    evpq_future *waiting[20];
    ck_assert(server_wait_backends("f10-wait", 0, 10));
    for (int i = 0; i < 20; i++)
        waiting[i] = evpq_pool_query(s.pool, "select $1::int", EVPQ_ARGS(i));
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).busy == 1, 10));
    run_for(s.ev, 0.05);
    ck_assert_int_eq(server_kill_backends("f10-wait"), 1);
    ck_await_status(running, EVPQ_LOST);
    ck_failed(running, EVPQ_LOST, "57P01", EVPQ_OUTCOME_UNKNOWN);
    for (int i = 0; i < 20; i++) {
        ck_await_ok(waiting[i]);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(waiting[i]), 0, 0), i);
        evpq_future_unref(waiting[i]);
    }
    evpq_future_unref(running);
    site_close(&s);
}
END_TEST

/* F40 */
START_TEST(f40_a_commit_without_an_answer_is_unknown_and_not_repeated)
{
    struct proxy *p = server_proxy();
    server_exec("create table unknown(n int)");
    struct site s =
        site_open(server_conninfo_port(SERVER_TCP, proxy_port(p), "application_name=f40"), &one);
    evpq_future *f;
    if (_i == 0) { /* COMMIT */
        evpq_lease *lease = site_lease(&s);
        lease_text(lease, "begin");
        lease_text(lease, "insert into unknown values (1)");
        proxy_arm(p, &(struct proxy_trigger){.act = PROXY_SWALLOW, .bytes = "commit"});
        f = evpq_lease_query(lease, "commit", EVPQ_ARGS());
        ck_await_status(f, EVPQ_LOST);
        evpq_lease_release(lease);
    } else { /* a statement that is its own transaction */
        evpq_future_unref(site_query(&s, "select 1"));
        proxy_arm(p, &(struct proxy_trigger){.act = PROXY_SWALLOW, .bytes = "insert into"});
        f = evpq_pool_query(s.pool, "insert into unknown values (1)", EVPQ_ARGS());
        ck_await_status(f, EVPQ_LOST);
    }
    ck_failed(f, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    run_for(s.ev, 0.1);
    ck_assert_int_eq(server_count("select count(*) from unknown"), 1);
    site_close(&s);
    server_exec("drop table unknown");
    proxy_stop(p);
}
END_TEST

/* F43: the socket is readable (a reset) and writable at once; the read half ends everything. */
struct ends_all {
    struct site *s;
    evpq_lease *lease;
    evpq_future *others[3];
    int calls;
};

static void end_all(evpq_future *f, void *arg)
{
    struct ends_all *e = arg;
    (void)f;
    if (e->calls++)
        return;
    for (int i = 0; i < 3; i++)
        evpq_future_cancel(e->others[i]);
    e->lease = evpq_lease_release(e->lease);
    evpq_future_unref(evpq_pool_close(e->s->pool, 0));
}

START_TEST(f43_read_and_write_ready_together)
{
    enum { SIZE = 16 << 20 };
    char *text = malloc(SIZE + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'w', SIZE);
    text[SIZE] = '\0';
    struct proxy *p = server_proxy();
    struct site s = site_open(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), &one);
    struct ends_all e = {.s = &s, .lease = site_lease(&s)};
    proxy_stall(p, PROXY_TO_SERVER, true);
    evpq_future *f = evpq_lease_query(e.lease, "select $1::text", EVPQ_ARGS(text));
    ck_assert_int_eq(evpq_future_on_done(f, end_all, &e), EVPQ_OK);
    for (int i = 0; i < 3; i++) {
        e.others[i] = evpq_lease_query(e.lease, "select 1", EVPQ_ARGS());
        ck_assert_int_eq(evpq_future_on_done(e.others[i], end_all, &e), EVPQ_OK);
    }
    run_for(s.ev, 0.05); /* writes until the buffers between are full */
    if (_i)
        proxy_cut(p);
    else
        proxy_reset(p);
    ck_assert(RUN_UNTIL(s.ev, e.calls == 4, 10));
    ck_future_status(f, EVPQ_LOST);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    for (int i = 0; i < 3; i++)
        evpq_future_unref(e.others[i]);
    evpq_future_unref(f);
    site_close(&s);
    proxy_stop(p);
    free(text);
}
END_TEST

/* Wherever in an answer the link is cut, the query ends: LOST, or the whole answer had come. */
START_TEST(an_answer_cut_anywhere_is_lost)
{
    struct proxy *p = server_proxy();
    struct site s = site_open(
        server_conninfo_port(SERVER_TCP, proxy_port(p), NULL),
        &(evpq_pool_opts){
            .size = sizeof one, .max_size = 1, .backoff_min = 0.001, .backoff_max = 0.01});
    int lost = 0, whole = 0;
    for (int bytes = 1; bytes < 140; bytes += 3) {
        evpq_future_unref(site_query(&s, "select 1"));
        ck_assert(site_quiet(&s, 10));
        proxy_arm_after(p, PROXY_TO_CLIENT, (uint64_t)bytes, bytes % 2 ? PROXY_CUT : PROXY_RESET);
        evpq_future *f = evpq_pool_query(s.pool, "select 'a rather short answer'", EVPQ_ARGS());
        evpq_status status = evpq_await(f);
        if (status == EVPQ_OK) {
            ck_assert_str_eq(evpq_result_text(evpq_future_result(f), 0, 0),
                             "a rather short answer");
            whole++;
        } else {
            ck_failed(f, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN);
            lost++;
        }
        evpq_future_unref(f);
        proxy_disarm(p);
    }
    ck_assert_int_gt(lost, 20);
    ck_assert_int_gt(whole, 0);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* F24: descriptors are closed and their numbers come back within the loop's turns, beside a
 * connection at work. */
START_TEST(f24_reused_descriptors_call_nobody_back)
{
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), &one);
    struct site t = s; /* another pool on the same loop, which reaches nobody */
    struct proxy *p = server_proxy();
    evpq_future_unref(site_query(&s, "select 1"));
    for (int i = 0, n = check_rounds(2500); i < n; i++) {
        proxy_door(p, i % 3 == 0 ? PROXY_REFUSE : i % 3 == 1 ? PROXY_SILENT : PROXY_OPEN);
        t.pool = evpq_pool_open(s.loop, server_conninfo_port(SERVER_TCP, proxy_port(p), NULL),
                                &(evpq_pool_opts){.size = sizeof one, .min_size = 2, .max_size = 2},
                                NULL);
        ck_assert_ptr_nonnull(t.pool);
        evpq_future *f = evpq_pool_query(s.pool, "select $1::int", EVPQ_ARGS(i));
        for (int turns = i % 5; turns > 0; turns--)
            ev_run(s.ev, EVRUN_NOWAIT);
        evpq_future_unref(evpq_pool_close(t.pool, 0));
        evpq_pool_unref(t.pool);
        ck_await_ok(f);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), i);
        evpq_future_unref(f);
    }
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* ---- what is watched ---- */

static const ev_io *io_ev(const struct io *io)
{
    return (const ev_io *)(const void *)&io->ev;
}

/* The loop watches no descriptor that is closed: its number may be another's already. */
static void ck_watches(evpq_loop *loop)
{
    list_each(node, &loop->ios) {
        int fd = io_ev(container_of(node, struct io, node))->fd;
        ck_assert_msg(fcntl(fd, F_GETFD) >= 0, "%d is watched, and closed", fd);
    }
}

static void check_watches(struct ev_loop *ev, ev_check *w, int events)
{
    (void)ev, (void)events;
    ck_watches(w->data);
}

/* The link breaks while rows that have come wait for somebody to take them: after a large one libpq reads
 * many small ones at once, and the end behind them. */
START_TEST(no_closed_descriptor_is_watched)
{
    struct proxy *p = server_proxy();
    struct site s = site_open(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), &one);
    ev_check check;
    ev_check_init(&check, check_watches);
    check.data = s.loop;
    ev_check_start(s.ev, &check);
    evpq_stream *stream = evpq_pool_stream(
        s.pool,
        "select repeat('x', case i when 1 then 4000000 else 1000 end) from generate_series(1, 100000) i",
        EVPQ_ARGS(), &(evpq_stream_opts){.size = sizeof(evpq_stream_opts), .rows = 5});
    evpq_future *f = evpq_stream_next(stream);
    ck_await_ok(f);
    evpq_future_unref(f);
    run_for(s.ev, 0.1);
    if (_i)
        proxy_cut(p);
    else
        proxy_reset(p);
    run_for(s.ev, 0.1);
    evpq_status status = EVPQ_OK;
    for (int i = 0; i < 40000 && status == EVPQ_OK; i++) {
        f = evpq_stream_next(stream);
        status = evpq_await(f);
        ck_watches(s.loop);
        ck_assert(status != EVPQ_OK || evpq_future_result(f));
        evpq_future_unref(f);
    }
    ck_assert_int_eq(status, EVPQ_LOST);
    evpq_stream_close(stream);
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).lost == 1, 10));
    ck_watches(s.loop);
    evpq_future_unref(site_query(&s, "select 1"));
    ev_check_stop(s.ev, &check);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("wire");
    CHECK_ADD_LOOP(c, basics_on_every_way, 3);
    CHECK_ADD_LOOP(c, basics_through_a_proxy, 4);
    CHECK_ADD(c, basics_without_pipeline_and_prepare);
    CHECK_ADD(c, many_rows_and_columns);
    CHECK_ADD(c, a_value_of_64_megabytes);
    CHECK_ADD(c, a_long_answer_is_read_in_several_turns);
    CHECK_ADD(c, results_of_every_size);
    CHECK_ADD_LOOP(c, f27_both_sides_buffers_are_full, 3);
    CHECK_ADD(c, f06_neighbours_commit_and_fail_alone);
    CHECK_ADD(c, a_constraint_that_fails_at_commit_is_that_querys_error);
    CHECK_ADD(c, copy_is_refused_and_neighbours_go_on);
    CHECK_ADD(c, notices_are_told);
    CHECK_ADD_LOOP(c, f28_what_is_asked_for_is_sent_before_the_loop_sleeps, 2);
    CHECK_ADD(c, f45_waiting_inside_a_callback_fails_at_once);
    CHECK_ADD_LOOP(c, f26_libpq_never_waits_on_the_loops_thread, 3);
    CHECK_ADD_LOOP(c, f10_what_was_in_flight_fails_once_oldest_first, 3);
    CHECK_ADD(c, f10_waiters_get_another_connection);
    CHECK_ADD_LOOP(c, f40_a_commit_without_an_answer_is_unknown_and_not_repeated, 2);
    CHECK_ADD_LOOP(c, f43_read_and_write_ready_together, 2);
    CHECK_ADD(c, an_answer_cut_anywhere_is_lost);
    CHECK_ADD(c, f24_reused_descriptors_call_nobody_back);
    CHECK_ADD_LOOP(c, no_closed_descriptor_is_watched, 2);
    return check_end(c);
}
