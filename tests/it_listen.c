/* it_listen.c - LISTEN and NOTIFY against the server: what arrives, what a lost connection leaves
 * behind (F38), and what becomes of those who wait. */
#include "support/pools.h"

#include "listen/listener.h"
#include "support/child.h"
#include "support/fake.h"
#include "support/oom.h"
#include "support/proxy.h"
#include "support/seen.h"
#include "support/tasks.h"

#include <stdio.h>
#include <string.h>

static evpq_listener *listener;
static struct proxy *proxy;
static char ear_app[48];

/* ---- the set ---- */

static void listen_at(const char *conninfo, const evpq_listener_opts *given)
{
    evpq_listener_opts opts = *given;
    evpq_error *error = NULL;
    opts.size = sizeof opts;
    if (opts.backoff_min == 0.)
        opts.backoff_min = 0.01;
    snprintf(ear_app, sizeof ear_app, "ear-%ld", (long)getpid());
    listener =
        evpq_listener_open(loop, strf("%s application_name=%s", conninfo, ear_app), &opts, &error);
    ck_assert_msg(listener != NULL, "%s", evpq_error_message(error));
}

/* A pool, and a listener. */
#define open_set(...)                                                                \
 do {                                                                                \
  open_pool(.max_size = 2);                                                          \
  listen_at(server_conninfo(SERVER_UNIX, NULL),                                      \
            &(evpq_listener_opts){.size = sizeof(evpq_listener_opts), __VA_ARGS__}); \
 } while (0)

/* The same, the listener behind `proxy`. */
#define open_set_behind(...)                                                         \
 do {                                                                                \
  open_pool(.max_size = 2);                                                          \
  proxy = server_proxy();                                                            \
  listen_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL),               \
            &(evpq_listener_opts){.size = sizeof(evpq_listener_opts), __VA_ARGS__}); \
 } while (0)

static void end_set(void)
{
    if (listener) {
        ck_done(evpq_timeout(evpq_listener_close(listener), 10));
        listener = evpq_listener_unref(listener);
    }
    pools_end();
    proxy_stop(proxy);
    proxy = NULL;
    ck_assert(server_wait_backends(ear_app, 0, 10));
}

static evpq_subscription *subscribe_so(const char *channel, evpq_catch_up_fn *catch_up, void *arg)
{
    evpq_error *error = NULL;
    evpq_subscription *s = evpq_listener_subscribe(
        listener, channel,
        &(evpq_subscription_opts){
            .size = sizeof(evpq_subscription_opts), .catch_up = catch_up, .catch_up_arg = arg},
        &error);
    ck_assert_msg(s != NULL, "%s: %s", channel, evpq_error_message(error));
    return s;
}

/* One that listens already. */
static evpq_subscription *subscribe(const char *channel)
{
    evpq_subscription *s = subscribe_so(channel, NULL, NULL);
    ck_done(evpq_timeout(evpq_subscription_ready(s), 10));
    return s;
}

/* ---- events ---- */

/* The next event, of this kind. Given. */
static evpq_future *next(evpq_subscription *s, evpq_event event)
{
    evpq_future *f = evpq_timeout(evpq_subscription_next(s), 10);
    ck_await_ok(f);
    const evpq_notification *n = evpq_future_notification(f);
    ck_assert_ptr_nonnull(n);
    ck_assert_msg(evpq_notification_event(n) == event, "event %d (%s), not %d",
                  (int)evpq_notification_event(n), evpq_notification_payload(n), (int)event);
    return f;
}

static void ck_notify(evpq_subscription *s, uint64_t epoch, const char *payload)
{
    evpq_future *f = next(s, EVPQ_EVENT_NOTIFY);
    const evpq_notification *n = evpq_future_notification(f);
    ck_assert_str_eq(evpq_notification_payload(n), payload);
    ck_assert_str_eq(evpq_notification_channel(n), s->channel);
    ck_assert_uint_eq(evpq_notification_epoch(n), epoch);
    ck_assert_int_gt(evpq_notification_backend_pid(n), 0);
    ck_assert(!evpq_notification_reconnected(n));
    ck_assert_uint_eq(evpq_notification_dropped(n), 0);
    ck_assert_ptr_null(evpq_notification_caught_up(n));
    evpq_future_unref(f);
}

static void ck_gap(evpq_subscription *s, uint64_t epoch, bool reconnected, uint64_t dropped)
{
    evpq_future *f = next(s, EVPQ_EVENT_GAP);
    const evpq_notification *n = evpq_future_notification(f);
    ck_assert_str_eq(evpq_notification_payload(n), "");
    ck_assert_str_eq(evpq_notification_channel(n), s->channel);
    ck_assert_uint_eq(evpq_notification_epoch(n), epoch);
    ck_assert_int_eq(evpq_notification_backend_pid(n), 0);
    ck_assert_int_eq(evpq_notification_reconnected(n), reconnected);
    ck_assert_uint_eq(evpq_notification_dropped(n), dropped);
    evpq_future_unref(f);
}

static void ck_caught(evpq_subscription *s, uint64_t epoch, const char *text)
{
    evpq_future *f = next(s, EVPQ_EVENT_CATCH_UP);
    const evpq_notification *n = evpq_future_notification(f);
    const evpq_future *found = evpq_notification_caught_up(n);
    ck_assert_uint_eq(evpq_notification_epoch(n), epoch);
    ck_assert_msg(evpq_future_status(found) == EVPQ_OK, "%s", check_future_text(found));
    ck_assert_str_eq(evpq_result_text(evpq_future_result(found), 0, 0), text);
    evpq_future_unref(f);
}

static bool is_empty(const evpq_subscription *s)
{
    return list_empty(&s->events) && list_empty(&s->returned) && !s->gap && !s->catching;
}

static void notify(const char *channel, const char *payload)
{
    ck_done(evpq_notify(pool, channel, payload));
}

/* Channels that the listener's server process listens on. */
static long channels(void)
{
    evpq_future *f =
        evpq_listener_query(listener, "select count(*) from pg_listening_channels()", EVPQ_ARGS());
    ck_await_ok(f);
    long n = (long)evpq_result_int8(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    return n;
}

/* ---- what arrives ---- */

START_TEST(what_is_notified_arrives)
{
    open_set();
    evpq_subscription *s = subscribe("news");
    notify("news", "first");
    ck_notify(s, 1, "first");
    evpq_lease *lease = lease_get();
    exec_on(lease, "notify news, 'second'");
    evpq_future *f = next(s, EVPQ_EVENT_NOTIFY);
    ck_assert_int_eq(evpq_notification_backend_pid(evpq_future_notification(f)),
                     evpq_lease_backend_pid(lease));
    evpq_future_unref(f);
    exec_on(lease, "begin");
    exec_on(lease, "notify news, 'never'");
    exec_on(lease, "rollback");
    evpq_lease_release(lease);
    notify("other", "elsewhere");
    notify("news", "third");
    ck_notify(s, 1, "third");
    ck_assert(is_empty(s));
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(payloads_of_every_length_arrive_in_order)
{
    char text[8000];
    open_set();
    evpq_subscription *s = subscribe("p");
    static const size_t lengths[] = {0, 1, 7999, 0, 4096};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memset(text, 'x', lengths[i]);
        text[lengths[i]] = 0;
        notify("p", text);
        ck_notify(s, 1, text);
    }
    notify("p", "Grüße '\"\\ $1");
    ck_notify(s, 1, "Grüße '\"\\ $1");
    server_exec("select pg_notify('p', i::text) from generate_series(1, 1000) i");
    for (int i = 1; i <= 1000; i++)
        ck_notify(s, 1, strf("%d", i));
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(a_listener_hears_itself)
{
    open_set();
    evpq_subscription *s = subscribe("self");
    ck_done(evpq_listener_query(listener, "select pg_notify('self', 'me')", EVPQ_ARGS()));
    evpq_future *f = next(s, EVPQ_EVENT_NOTIFY);
    ck_assert_int_gt(evpq_listener_backend_pid(listener), 0);
    ck_assert_int_eq(evpq_notification_backend_pid(evpq_future_notification(f)),
                     evpq_listener_backend_pid(listener));
    evpq_future_unref(f);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

/* libpq stops at an answer, and does not look at what came with it. */
START_TEST(a_notification_that_comes_with_an_answer_is_told)
{
    open_set_behind(.keepalive = -1);
    evpq_subscription *s = subscribe("late");
    proxy_stall(proxy, PROXY_TO_CLIENT, true);
    evpq_future *f = evpq_listener_query(listener, "select 1", EVPQ_ARGS());
    run_for(evpq_loop_ev(loop), 0.2);
    server_exec("notify late, 'behind it'");
    server_count("select pg_sleep(0.1)");
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    ck_done(f);
    ck_notify(s, 1, "behind it");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(subscriptions_of_a_channel_share_its_listen)
{
    open_set();
    evpq_subscription *s[] = {subscribe("a"), subscribe("a"), subscribe("b")};
    ck_assert_int_eq(channels(), 2);
    notify("a", "1");
    ck_notify(s[0], 1, "1");
    s[0] = evpq_subscription_unref(s[0]);
    notify("a", "2");
    ck_notify(s[1], 1, "1");
    ck_notify(s[1], 1, "2");
    ck_assert_int_eq(channels(), 2);
    s[1] = evpq_subscription_unref(s[1]);
    ck_assert_int_eq(channels(), 1);
    ck_assert_uint_eq(listener->channels.count, 1);
    ck_assert(is_empty(s[2]));
    evpq_subscription_unref(s[2]);
    ck_assert_int_eq(channels(), 0);
    ck_assert_uint_eq(listener->channels.count, 0);
    end_set();
}
END_TEST

/* However often the mind is changed before the server has answered. */
START_TEST(subscribing_and_leaving_in_haste_ends_as_it_should)
{
    open_set();
    evpq_subscription_unref(subscribe("x"));
    evpq_subscription *s = NULL;
    for (int i = 0; i < 5; i++) {
        evpq_subscription_unref(s);
        s = subscribe_so("x", NULL, NULL);
        if (i == 2)
            ck_done(evpq_subscription_ready(s));
    }
    ck_done(evpq_subscription_ready(s));
    notify("x", "here");
    ck_notify(s, 1, "here");
    ck_assert_int_eq(channels(), 1);
    evpq_subscription_unref(s);
    ck_assert_int_eq(channels(), 0);
    end_set();
}
END_TEST

/* What the old LISTEN still brings does not prove that the new one is in force. */
START_TEST(the_last_of_the_old_listen_is_not_taken_for_the_new)
{
    open_set_behind(.keepalive = -1);
    evpq_subscription *s = subscribe("x"), *other = subscribe("y");
    proxy_stall(proxy, PROXY_TO_SERVER, true);
    evpq_subscription_unref(s);
    s = subscribe_so("x", NULL, NULL);
    evpq_future *ready = evpq_subscription_ready(s);
    run_for(evpq_loop_ev(loop), 0.05); /* the UNLISTEN is on its way, and comes no further */
    server_exec("notify x, 'old'; notify y, 'old'");
    ck_notify(other, 1, "old");
    ck_future_pending(ready);
    proxy_stall(proxy, PROXY_TO_SERVER, false);
    ck_done(ready);
    notify("x", "new");
    ck_notify(s, 1, "new");
    evpq_subscription_unref(s);
    evpq_subscription_unref(other);
    end_set();
}
END_TEST

/* As long as a name can be. */
#define EIGHT "\"\"\"\"\"\"\"\""
#define FULL_OF_QUOTES (EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT "\"\"\"\"\"\"\"")

START_TEST(names_are_taken_as_they_stand)
{
    static const char *const names[] = {
        "Jobs", "jobs",   "a\"b",  "\"; drop table t; --", "it's \\ $1 %s",
        " ",    "select", "Grüße", FULL_OF_QUOTES,
    };
    enum { N = sizeof names / sizeof *names };
    evpq_subscription *s[N];
    open_set();
    ck_assert_uint_eq(strlen(names[N - 1]), 63);
    for (int i = 0; i < N; i++)
        s[i] = subscribe(names[i]);
    ck_assert_int_eq(channels(), N);
    for (int i = 0; i < N; i++) {
        notify(names[i], names[i]);
        ck_notify(s[i], 1, names[i]);
    }
    for (int i = 0; i < N; i++) {
        ck_assert(is_empty(s[i]));
        evpq_subscription_unref(s[i]);
    }
    ck_assert_int_eq(channels(), 0);
    end_set();
}
END_TEST

START_TEST(what_cannot_be_is_refused)
{
    char long_name[65], long_payload[8001];
    evpq_error *error = NULL;
    memset(long_name, 'n', 64);
    memset(long_payload, 'p', 8000);
    long_name[64] = long_payload[8000] = 0;
    open_set();
    const char *const names[] = {NULL, "", long_name};
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_null(evpq_listener_subscribe(listener, names[i], NULL, &error));
        ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
        ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "channel"));
        evpq_error_unref(error);
        ck_assert_ptr_null(evpq_listener_subscribe(listener, names[i], NULL, NULL));
        ck_failed(evpq_notify(pool, names[i], ""), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    }
    ck_failed(evpq_notify(pool, "x", NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_notify(pool, "x", long_payload), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_notify(NULL, "x", ""), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_null(evpq_listener_subscribe(NULL, "x", NULL, &error));
    evpq_error_unref(error);
    ck_assert_ptr_null(
        evpq_listener_subscribe(listener, "x", &(evpq_subscription_opts){.size = 1}, &error));
    evpq_error_unref(error);
    ck_failed(evpq_subscription_next(NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_subscription_ready(NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_listener_close(NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_null(evpq_future_notification(NULL));
    ck_assert_uint_eq(evpq_notification_epoch(NULL), 0);
    ck_assert_str_eq(evpq_notification_channel(NULL), "");
    ck_assert_str_eq(evpq_notification_payload(NULL), "");
    end_set();
}
END_TEST

START_TEST(options_that_make_no_sense_are_refused)
{
    static const evpq_listener_opts wrong[] = {
        {.size = 1},
        {.backoff_min = -1},
        {.backoff_min = 2, .backoff_max = 1},
        {.keepalive_timeout = -1},
        {.connect_timeout = -1},
        {.buffer = -1},
        {.keepalive = 1. / 0.},
    };
    open_pool();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        evpq_listener_opts opts = wrong[i];
        evpq_error *error = NULL;
        opts.size = opts.size ? opts.size : sizeof opts;
        ck_assert_ptr_null(evpq_listener_open(loop, "", &opts, &error));
        ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
        evpq_error_unref(error);
    }
    ck_assert_ptr_null(evpq_listener_open(loop, "no=such", NULL, NULL));
    ck_assert_ptr_null(evpq_listener_open(NULL, "", NULL, NULL));
    pools_end();
}
END_TEST

/* Its name is no text in this database; the others go on. */
START_TEST(a_channel_that_the_server_refuses_fails_alone)
{
    open_set();
    evpq_subscription *good = subscribe("good"), *bad = subscribe_so("\xff\xfe", NULL, NULL);
    int pid = evpq_listener_backend_pid(listener);
    evpq_future *waits = evpq_subscription_next(bad);
    ck_failed(evpq_subscription_ready(bad), EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    ck_failed(waits, EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    ck_failed(evpq_subscription_next(bad), EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    notify("good", "still");
    ck_notify(good, 1, "still");
    ck_assert_int_eq(evpq_listener_backend_pid(listener), pid);
    evpq_subscription_unref(bad);
    evpq_subscription_unref(good);
    end_set();
}
END_TEST

/* A server that lacks memory, locks or room for a moment: LISTEN is said again on the next connection, and
 * only those are told that wait for it. */
START_TEST(a_listen_refused_for_want_of_resources_is_said_again)
{
    static const char error[] = "SERROR\0VERROR\0C53200\0Mout of memory\0RLISTEN\0";
    static const char body[] = "\0\0\0\7c\0still";
    open_pool();
    fake_hello();
    struct fake_bytes *b = fake_next_answer();
    fake_add(b, 'E', error, sizeof error);
    fake_add_ready(b);
    b = fake_next_answer();
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'n', NULL, 0);
    FAKE_ADD(b, 'C', "LISTEN");
    fake_add(b, 'A', body, sizeof body);
    fake_add_ready(b);
    listen_at(fake_start(), &(evpq_listener_opts){0});
    evpq_subscription *s = subscribe_so("c", NULL, NULL);
    ck_failed(evpq_subscription_ready(s), EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
    ck_done(evpq_timeout(evpq_subscription_ready(s), 10));
    ck_notify(s, 1, "still");
    ck_assert_int_eq(fake.connections, 2);
    evpq_subscription_unref(s);
    end_set();
    fake_stop();
}
END_TEST

/* ---- F38: lost connections ---- */

static void cut_by_kill(void)
{
    ck_assert_int_eq(server_kill_backends(ear_app), 1);
}

static void cut_by_proxy(void)
{
    proxy_cut(proxy);
}

static void cut_by_reset(void)
{
    proxy_reset(proxy);
}

static void cut_by_crash(void)
{
    server_kill9(evpq_listener_backend_pid(listener));
}

static void cut_by_restart(void)
{
    server_restart();
}

static void (*const cuts[])(void) = {cut_by_kill, cut_by_proxy, cut_by_reset, cut_by_crash,
                                     cut_by_restart};

START_TEST(f38_all_channels_again_and_one_gap_before_what_comes_later)
{
    open_set_behind();
    evpq_subscription *s[] = {subscribe("one"), subscribe("two"), subscribe("two"),
                              subscribe("three")};
    notify("two", "before");
    for (int i = 1; i < 3; i++)
        ck_notify(s[i], 1, "before");
    for (uint64_t epoch = 2; epoch < 4; epoch++) {
        int pid = evpq_listener_backend_pid(listener);
        cuts[_i]();
        ck_until(evpq_listener_backend_pid(listener) && evpq_listener_backend_pid(listener) != pid);
        for (int i = 0; i < 4; i++)
            ck_done(evpq_timeout(evpq_subscription_ready(s[i]), 10));
        ck_assert_int_eq(channels(), 3);
        server_exec("notify one, 'after'; notify two, 'after'; notify three, 'after'");
        for (int i = 0; i < 4; i++) {
            ck_gap(s[i], epoch, true, 0);
            ck_notify(s[i], epoch, "after");
            ck_assert(is_empty(s[i]));
        }
    }
    for (int i = 0; i < 4; i++)
        evpq_subscription_unref(s[i]);
    end_set();
}
END_TEST

START_TEST(f38_losses_without_a_notification_between_are_one_gap)
{
    open_set();
    evpq_subscription *s = subscribe("c");
    notify("c", "unread");
    ck_until(s->count == 1);
    for (int i = 0; i < 3; i++) {
        cut_by_kill();
        ck_until(!s->on);
        ck_done(evpq_timeout(evpq_subscription_ready(s), 10));
    }
    notify("c", "later");
    ck_notify(s, 1, "unread");
    ck_gap(s, 2, true, 0);
    ck_notify(s, 2, "later");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(f38_the_gap_comes_even_when_nothing_follows)
{
    open_set();
    evpq_subscription *s = subscribe("c");
    evpq_future *f = evpq_subscription_next(s);
    cut_by_kill();
    ck_await_ok(f);
    ck_assert_int_eq(evpq_notification_event(evpq_future_notification(f)), EVPQ_EVENT_GAP);
    ck_assert_int_eq(channels(), 1); /* it is told when listening is in force again */
    evpq_future_unref(f);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(f38_the_first_connection_is_no_gap)
{
    proxy = server_proxy();
    proxy_door(proxy, PROXY_REFUSE);
    open_pool();
    listen_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL),
              &(evpq_listener_opts){.backoff_min = 0.01});
    evpq_subscription *s = subscribe_so("c", NULL, NULL);
    evpq_future *ready = evpq_subscription_ready(s);
    ck_failed(evpq_listener_query(listener, "select 1", EVPQ_ARGS()), EVPQ_LOST,
              EVPQ_OUTCOME_NOT_SENT);
    run_for(evpq_loop_ev(loop), 0.1);
    ck_future_pending(ready);
    ck_assert_int_eq(evpq_listener_backend_pid(listener), 0);
    proxy_door(proxy, PROXY_OPEN);
    ck_done(ready);
    notify("c", "first");
    ck_notify(s, 1, "first");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(f38_one_attempt_at_a_time_with_growing_pauses)
{
    open_set_behind(.backoff_min = 0.01, .backoff_max = 0.04);
    evpq_subscription *s = subscribe("c");
    proxy_door(proxy, PROXY_REFUSE);
    run_for(evpq_loop_ev(loop), 0.05);
    proxy_cut(proxy);
    for (int i = 0; i < 200; i++) {
        run_for(evpq_loop_ev(loop), 0.001);
        ck_assert_int_le(listener->unfreed, 1);
    }
    ck_until(listener->pause >= 0.04);
    ck_assert_double_eq_tol(listener->pause, 0.04, 1e-9);
    proxy_door(proxy, PROXY_OPEN);
    ck_gap(s, 2, true, 0);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(an_error_that_time_does_not_mend_is_told)
{
    open_pool();
    listen_at(server_conninfo(SERVER_UNIX, "dbname=no_such_database"), &(evpq_listener_opts){0});
    evpq_subscription *s = subscribe_so("c", NULL, NULL);
    ck_failed(evpq_subscription_ready(s), EVPQ_CONNECT, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_subscription_next(s), EVPQ_CONNECT, EVPQ_OUTCOME_NOT_SENT);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

/* ---- keepalive ---- */

START_TEST(f38_a_black_hole_is_found_by_keepalive)
{
    open_set_behind(.keepalive = 0.1, .keepalive_timeout = 0.3, .connect_timeout = 1);
    evpq_subscription *s = subscribe("c");
    int pid = evpq_listener_backend_pid(listener);
    proxy_stall(proxy, PROXY_TO_CLIENT, true);
    proxy_stall(proxy, PROXY_TO_SERVER, true);
    ck_until(evpq_listener_backend_pid(listener) != pid);
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    proxy_stall(proxy, PROXY_TO_SERVER, false);
    ck_gap(s, 2, true, 0);
    notify("c", "light");
    ck_notify(s, 2, "light");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(keepalive_leaves_a_silent_connection_alone)
{
    open_set(.keepalive = 0.02, .keepalive_timeout = 5);
    evpq_subscription *s = subscribe("c");
    int pid = evpq_listener_backend_pid(listener);
    double before = listener->heard_at;
    run_for(evpq_loop_ev(loop), 0.3);
    ck_assert(listener->heard_at > before);
    ck_assert_int_eq(evpq_listener_backend_pid(listener), pid);
    ck_assert(is_empty(s));
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

/* ---- catching up ---- */

static int caught;

static evpq_future *count_rows(evpq_subscription *s, void *arg)
{
    (void)s;
    caught++;
    return evpq_listener_query(listener, arg, EVPQ_ARGS());
}

START_TEST(f38_a_catch_up_comes_between_the_gap_and_what_is_new)
{
    server_exec("create table if not exists ledger (i int); truncate ledger");
    open_set();
    evpq_subscription *s = subscribe_so("c", count_rows, (char[]){"select count(*) from ledger"});
    ck_caught(s, 1, "0");
    notify("c", "a");
    ck_notify(s, 1, "a");
    ck_assert_int_eq(caught, 1);
    server_exec("insert into ledger values (1)");
    cut_by_kill();
    server_exec("insert into ledger values (2); notify c, 'missed, perhaps'");
    ck_until(s->on && s->began && s->gap);
    notify("c", "b");
    ck_until(s->count >= 1);
    server_exec("insert into ledger values (3)");
    ck_gap(s, 2, true, 0);
    notify("c", "d");
    ck_caught(s, 2, "3");
    evpq_future *f = next(s, EVPQ_EVENT_NOTIFY);
    if (!strcmp(evpq_notification_payload(evpq_future_notification(f)), "missed, perhaps")) {
        evpq_future_unref(f);
        ck_notify(s, 2, "b");
    } else {
        evpq_future_unref(f);
    }
    ck_notify(s, 2, "d");
    ck_assert_int_eq(caught, 2);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

static evpq_future *held;

static evpq_future *hold(evpq_subscription *s, void *arg)
{
    (void)s, (void)arg;
    caught++;
    held = evpq_future_new(loop, NULL, NULL);
    return evpq_future_ref(held);
}

START_TEST(what_is_notified_during_a_catch_up_comes_behind_it)
{
    open_set();
    evpq_subscription *s = subscribe_so("c", hold, NULL);
    ck_done(evpq_subscription_ready(s));
    evpq_future *first = evpq_subscription_next(s), *second = evpq_subscription_next(s);
    ck_until(caught == 1);
    for (int i = 0; i < 3; i++)
        notify("c", strf("%d", i));
    ck_until(s->count == 3);
    ck_future_pending(first);
    evpq_future_set_value(held, NULL, NULL);
    ck_await_ok(second);
    ck_future_ok(first);
    ck_assert_int_eq(evpq_notification_event(evpq_future_notification(first)), EVPQ_EVENT_CATCH_UP);
    ck_assert_str_eq(evpq_notification_payload(evpq_future_notification(second)), "0");
    evpq_future_unref(first);
    evpq_future_unref(second);
    evpq_future_unref(held);
    ck_notify(s, 1, "1");
    ck_notify(s, 1, "2");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(a_catch_up_that_fails_is_told)
{
    open_set();
    evpq_subscription *s = subscribe_so("c", count_rows, (char[]){"select 1 / 0"});
    evpq_future *f = next(s, EVPQ_EVENT_CATCH_UP);
    const evpq_future *found = evpq_notification_caught_up(evpq_future_notification(f));
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(found)), "22012");
    evpq_future_unref(f);
    notify("c", "on it goes");
    ck_notify(s, 1, "on it goes");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

static evpq_future *sleep_once(evpq_subscription *s, void *arg)
{
    (void)s, (void)arg;
    return evpq_listener_query(listener, caught++ ? "select 'x'" : "select pg_sleep(600)",
                               EVPQ_ARGS());
}

START_TEST(f38_a_connection_lost_during_a_catch_up)
{
    open_set();
    evpq_subscription *s = subscribe_so("c", sleep_once, NULL);
    evpq_future *f = evpq_subscription_next(s);
    ck_until(caught == 1);
    run_for(evpq_loop_ev(loop), 0.05);
    cut_by_kill();
    ck_await_ok(f);
    ck_future_status((evpq_future *)evpq_notification_caught_up(evpq_future_notification(f)),
                     EVPQ_LOST);
    evpq_future_unref(f);
    ck_gap(s, 2, true, 0);
    ck_caught(s, 2, "x");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

static evpq_subscription *passing;

static evpq_future *leave(evpq_subscription *s, void *arg)
{
    (void)arg;
    passing = NULL;
    evpq_subscription_unref(s);
    return evpq_sleep(loop, 100);
}

static evpq_future *close_all(evpq_subscription *s, void *arg)
{
    (void)s, (void)arg;
    evpq_future_unref(evpq_listener_close(listener));
    return NULL;
}

static evpq_future *nothing(evpq_subscription *s, void *arg)
{
    (void)s, (void)arg;
    return NULL;
}

START_TEST(f42_a_catch_up_may_end_all)
{
    open_set();
    passing = subscribe_so("c", leave, NULL);
    evpq_future *f = evpq_subscription_next(passing);
    ck_await_status(f, EVPQ_CLOSED);
    evpq_future_unref(f);
    evpq_subscription *s = subscribe_so("d", nothing, NULL);
    f = next(s, EVPQ_EVENT_CATCH_UP);
    ck_future_ok((evpq_future *)evpq_notification_caught_up(evpq_future_notification(f)));
    evpq_future_unref(f);
    evpq_subscription_unref(s);
    s = subscribe_so("e", close_all, NULL);
    f = evpq_subscription_next(s);
    ck_await_status(f, EVPQ_CLOSED);
    evpq_future_unref(f);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

/* ---- bounds ---- */

START_TEST(what_there_is_no_room_for_is_told)
{
    open_set(.buffer = 5);
    evpq_subscription *slow = subscribe("c"), *quick = subscribe("c");
    for (int i = 0; i < 12; i++) {
        notify("c", strf("%d", i));
        ck_notify(quick, 1, strf("%d", i));
    }
    for (int i = 0; i < 2; i++)
        ck_notify(slow, 1, strf("%d", i));
    notify("c", "later");
    ck_notify(quick, 1, "later");
    for (int i = 2; i < 5; i++)
        ck_notify(slow, 1, strf("%d", i));
    ck_gap(slow, 2, false, 7);
    ck_notify(slow, 2, "later");
    ck_assert(is_empty(slow));
    evpq_subscription_unref(slow);
    evpq_subscription_unref(quick);
    end_set();
}
END_TEST

START_TEST(bytes_are_bounded_too)
{
    char text[4001];
    memset(text, 't', 4000);
    text[4000] = 0;
    open_set(.buffer_bytes = 10000);
    evpq_subscription *s = subscribe("c"), *other = subscribe("end");
    for (int i = 0; i < 4; i++)
        notify("c", text);
    notify("end", "");
    ck_notify(other, 1, "");
    ck_notify(s, 1, text);
    ck_notify(s, 1, text);
    ck_gap(s, 2, false, 2);
    ck_assert_uint_eq(s->bytes, 0);
    evpq_subscription_unref(s);
    evpq_subscription_unref(other);
    end_set();
}
END_TEST

/* ---- those who wait ---- */

START_TEST(no_event_is_lost_to_a_cancel_or_a_deadline)
{
    open_set();
    evpq_subscription *s = subscribe("c");
    evpq_future *canceled = evpq_subscription_next(s),
                *late = evpq_timeout(evpq_subscription_next(s), 0.01);
    evpq_future_unref(evpq_subscription_next(s)); /* forgotten */
    evpq_future_cancel(canceled);
    ck_failed(canceled, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(late, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    evpq_future *unread[3];
    for (int i = 0; i < 3; i++)
        unread[i] = evpq_subscription_next(s);
    for (int i = 0; i < 5; i++)
        notify("c", strf("%d", i));
    for (int i = 0; i < 3; i++)
        ck_await_ok(unread[i]);
    evpq_future_unref(unread[1]);
    evpq_future_unref(unread[2]);
    evpq_future_unref(unread[0]);
    for (int i = 0; i < 5; i++)
        ck_notify(s, 1, strf("%d", i));
    ck_assert(is_empty(s));
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(an_event_outlives_its_subscription)
{
    open_set();
    evpq_subscription *s = subscribe("c");
    notify("c", "kept");
    evpq_future *f = next(s, EVPQ_EVENT_NOTIFY), *unread = evpq_subscription_next(s);
    notify("c", "unread");
    ck_await_ok(unread);
    notify("c", "left");
    evpq_subscription_unref(s);
    end_set();
    ck_assert_str_eq(evpq_notification_payload(evpq_future_notification(f)), "kept");
    ck_assert_str_eq(evpq_notification_channel(evpq_future_notification(f)), "c");
    evpq_future_unref(f);
    evpq_future_unref(unread);
}
END_TEST

START_TEST(after_the_close_what_waits_can_be_taken)
{
    open_set();
    evpq_subscription *s = subscribe("c"), *idle = subscribe("d");
    evpq_future *waits = evpq_subscription_next(idle);
    notify("c", "1");
    notify("c", "2");
    ck_until(s->count == 2);
    evpq_future *closed = evpq_listener_close(listener), *again = evpq_listener_close(listener);
    ck_failed(waits, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_done(closed);
    ck_done(again);
    ck_notify(s, 1, "1");
    ck_notify(s, 1, "2");
    ck_failed(evpq_subscription_next(s), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_subscription_ready(s), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_listener_query(listener, "select 1", EVPQ_ARGS()), EVPQ_CLOSED,
              EVPQ_OUTCOME_NOT_SENT);
    evpq_error *error = NULL;
    ck_assert_ptr_null(evpq_listener_subscribe(listener, "e", NULL, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_CLOSED);
    evpq_error_unref(error);
    evpq_subscription_unref(s);
    evpq_subscription_unref(idle);
    end_set();
}
END_TEST

/* By letting go, at each stage of connecting; the loop ends by itself. */
START_TEST(a_listener_that_is_let_go_of_is_closed)
{
    open_set();
    evpq_subscription *s = subscribe_so("c", NULL, NULL);
    run_for(evpq_loop_ev(loop), 0.001 * _i);
    evpq_future *f = evpq_subscription_next(s);
    ck_assert_ptr_eq(evpq_listener_ref(listener), listener);
    evpq_listener_unref(listener);
    listener = evpq_listener_unref(listener);
    ck_failed(f, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_eq(evpq_subscription_ref(s), s);
    evpq_subscription_unref(s);
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

START_TEST(only_queries_go_down_a_listeners_connection)
{
    static const char *const others[] = {"begin", "unlisten *", "listen x", "set role none", ""};
    open_set();
    evpq_subscription *s = subscribe("c");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_failed(evpq_listener_query(listener, others[i], EVPQ_ARGS()), EVPQ_INVALID,
                  EVPQ_OUTCOME_NOT_SENT);
    evpq_future *slow = evpq_listener_query(listener, "select pg_sleep(60)", EVPQ_ARGS());
    run_for(evpq_loop_ev(loop), 0.05);
    evpq_future_cancel(slow);
    ck_failed(slow, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    notify("c", "back");
    ck_notify(s, 1, "back");
    evpq_subscription_unref(s);
    end_set();
}
END_TEST

/* ---- F42: from within a callback ---- */

static evpq_subscription *mine;
static int told;

static void act(evpq_future *f, void *arg)
{
    told++;
    evpq_future_notification(f);
    switch (*(int *)arg) {
    case 0:
        mine = evpq_subscription_unref(mine);
        break;
    case 1:
        evpq_future_unref(evpq_listener_close(listener));
        break;
    case 2:
        listener = evpq_listener_unref(listener);
        break;
    case 3:
        evpq_subscription_unref(subscribe_so("another", NULL, NULL));
        evpq_subscription_unref(subscribe_so("c", NULL, NULL));
        break;
    case 4:
        mine = evpq_subscription_unref(mine);
        listener = evpq_listener_unref(listener);
        break;
    default:
        evpq_future_unref(evpq_subscription_next(mine));
        break;
    }
}

START_TEST(f42_anything_within_a_callback)
{
    enum { N = 4 };
    struct seen seen[N];
    evpq_future *fs[N];
    open_set();
    mine = subscribe("c");
    for (int i = 0; i < N; i++) {
        fs[i] = evpq_subscription_next(mine);
        if (i == 1)
            evpq_future_on_done(fs[i], act, &_i);
        seen_watch(fs[i], &seen[i]);
    }
    server_exec("select pg_notify('c', i::text) from generate_series(1, 3) i");
    for (int i = 0; i < 3; i++) {
        evpq_await(fs[i]);
        ck_until(seen[i].calls == 1);
    }
    evpq_future_cancel(fs[3]);
    ck_until(seen[3].calls == 1);
    ck_assert_int_eq(told, 1);
    for (int i = 0; i < N; i++)
        evpq_future_unref(fs[i]);
    evpq_subscription_unref(mine);
    end_set();
}
END_TEST

/* ---- tasks ---- */

static evpq_future *count_to(evpq_task *self, void *arg)
{
    int *n = arg;
    (void)self;
    evpq_subscription *s = subscribe_so("t", NULL, NULL);
    evpq_status status = EVPQ_OK;
    while (status == EVPQ_OK) {
        evpq_future *f = evpq_subscription_next(s);
        status = evpq_await(f);
        if (evpq_future_notification(f))
            ++*n;
        evpq_future_unref(f);
    }
    evpq_subscription_unref(s);
    return evpq_future_failed(loop, status, "ended");
}

START_TEST(a_task_reads_until_it_is_canceled)
{
    int n = 0;
    open_set();
    evpq_future *task = spawn(count_to, &n);
    evpq_subscription *s = subscribe("t");
    for (int i = 0; i < 3; i++)
        notify("t", "");
    ck_until(n == 3);
    evpq_task_cancel(task);
    ck_assert_int_eq(outcome(task), EVPQ_CANCELED);
    evpq_subscription_unref(s);
    task = evpq_task_spawn(loop, count_to, &n, TASK_OPTS(.deadline = 0.05));
    ck_assert_int_eq(outcome(task), EVPQ_TIMEOUT);
    ck_assert_int_eq(channels(), 0);
    end_set();
}
END_TEST

/* ---- F47: forks ---- */

static evpq_future *pending;

static void a_child(void)
{
    ck_assert_int_eq(evpq_future_status(evpq_subscription_next(mine)), EVPQ_FORKED);
    ck_assert_int_eq(evpq_future_status(evpq_subscription_ready(mine)), EVPQ_FORKED);
    ck_assert_int_eq(evpq_future_status(evpq_listener_query(listener, "select 1", EVPQ_ARGS())),
                     EVPQ_FORKED);
    ck_assert_int_eq(evpq_future_status(evpq_notify(pool, "c", "")), EVPQ_FORKED);
    ck_assert_int_eq(evpq_future_status(evpq_listener_close(listener)), EVPQ_FORKED);
    evpq_error *error = NULL;
    ck_assert_ptr_null(evpq_listener_subscribe(listener, "d", NULL, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_FORKED);
    evpq_error_unref(error);
    evpq_future_cancel(pending);
    evpq_future_unref(pending);
    evpq_subscription_unref(mine);
    evpq_listener_unref(listener);
    evpq_loop_run(loop);
}

START_TEST(f47_a_forked_child_harms_no_listener)
{
    open_set();
    mine = subscribe("c");
    int pid = evpq_listener_backend_pid(listener);
    pending = evpq_subscription_next(mine);
    child_run(a_child, child_ends[_i]);
    notify("c", "parent");
    ck_await_ok(pending);
    ck_assert_str_eq(evpq_notification_payload(evpq_future_notification(pending)), "parent");
    evpq_future_unref(pending);
    ck_assert_int_eq(evpq_listener_backend_pid(listener), pid);
    evpq_subscription_unref(mine);
    end_set();
}
END_TEST

/* ---- memory ---- */

static evpq_future *look(evpq_subscription *s, void *arg)
{
    (void)s, (void)arg;
    return evpq_listener_query(listener, "select 1", EVPQ_ARGS());
}

/* While there is no memory at all, nothing may come of it. */
static double patience;

static void settle(evpq_future *f)
{
    RUN_UNTIL(evpq_loop_ev(loop), evpq_future_status(f) != EVPQ_PENDING, patience);
}

/* Subscribes, notifies itself, and takes three events; no assert, as memory fails meanwhile. */
static evpq_subscription *work_without_memory(const evpq_subscription_opts *opts)
{
    evpq_subscription *s = evpq_listener_subscribe(listener, "c", opts, NULL);
    if (!s)
        return NULL;
    evpq_future *f = evpq_subscription_ready(s);
    settle(f);
    evpq_future_unref(f);
    f = evpq_listener_query(listener, "select pg_notify('c', 'x') from generate_series(1, 2)",
                            EVPQ_ARGS());
    settle(f);
    evpq_future_unref(f);
    for (int i = 0; i < 2; i++) {
        f = evpq_subscription_next(s);
        settle(f);
        evpq_future_notification(f);
        evpq_future_unref(f);
    }
    return s;
}

/* Whatever fails, listening comes into force, and what is sent then arrives. */
START_TEST(no_memory_for_a_moment_is_survived)
{
    static const evpq_subscription_opts subscription_opts = {.size = sizeof(evpq_subscription_opts),
                                                             .catch_up = look};
    static const evpq_listener_opts opts = {
        .size = sizeof opts, .backoff_min = 0.001, .backoff_max = 0.005};
    char conninfo[512];
    bool for_the_rest_of_it = _i;
    patience = for_the_rest_of_it ? 0.01 : 10;
    snprintf(ear_app, sizeof ear_app, "ear-%ld", (long)getpid());
    snprintf(conninfo, sizeof conninfo, "%s application_name=%s",
             server_conninfo(SERVER_UNIX, NULL), ear_app);
    EACH_ALLOCATION(n, failed) {
        evpq_error *error = NULL;
        evpq_subscription *s = NULL;
        loop = evpq_loop_new(NULL);
        (for_the_rest_of_it ? oom_fail_from : oom_fail_at)(n);
        listener = evpq_listener_open(loop, conninfo, &opts, &error);
        if (listener)
            s = work_without_memory(&subscription_opts);
        failed = oom_end();
        if (!listener)
            ck_assert_int_eq(evpq_error_status(error), EVPQ_NOMEM);
        evpq_error_unref(error);
        if (s) {
            ck_done(evpq_timeout(evpq_subscription_ready(s), 10));
            ck_done(evpq_listener_query(listener, "select pg_notify('c', 'last')", EVPQ_ARGS()));
            for (bool last = false; !last;) {
                evpq_future *f = evpq_timeout(evpq_subscription_next(s), 10);
                ck_await_ok(f);
                last = !strcmp(evpq_notification_payload(evpq_future_notification(f)), "last");
                evpq_future_unref(f);
            }
            evpq_subscription_unref(s);
        }
        if (listener) {
            ck_done(evpq_timeout(evpq_listener_close(listener), 10));
            listener = evpq_listener_unref(listener);
        }
        evpq_loop_run(loop);
        loop = evpq_loop_unref(loop);
    }
    ck_assert(server_wait_backends(ear_app, 0, 10));
}
END_TEST

int main(void)
{
    struct check *c = check_begin("listen");
    CHECK_ADD(c, what_is_notified_arrives);
    CHECK_ADD(c, payloads_of_every_length_arrive_in_order);
    CHECK_ADD(c, a_listener_hears_itself);
    CHECK_ADD(c, a_notification_that_comes_with_an_answer_is_told);
    CHECK_ADD(c, subscriptions_of_a_channel_share_its_listen);
    CHECK_ADD(c, subscribing_and_leaving_in_haste_ends_as_it_should);
    CHECK_ADD(c, the_last_of_the_old_listen_is_not_taken_for_the_new);
    CHECK_ADD(c, names_are_taken_as_they_stand);
    CHECK_ADD(c, what_cannot_be_is_refused);
    CHECK_ADD(c, options_that_make_no_sense_are_refused);
    CHECK_ADD(c, a_channel_that_the_server_refuses_fails_alone);
    CHECK_ADD(c, a_listen_refused_for_want_of_resources_is_said_again);
    CHECK_ADD_LOOP(c, f38_all_channels_again_and_one_gap_before_what_comes_later, 5);
    CHECK_ADD(c, f38_losses_without_a_notification_between_are_one_gap);
    CHECK_ADD(c, f38_the_gap_comes_even_when_nothing_follows);
    CHECK_ADD(c, f38_the_first_connection_is_no_gap);
    CHECK_ADD(c, f38_one_attempt_at_a_time_with_growing_pauses);
    CHECK_ADD(c, an_error_that_time_does_not_mend_is_told);
    CHECK_ADD(c, f38_a_black_hole_is_found_by_keepalive);
    CHECK_ADD(c, keepalive_leaves_a_silent_connection_alone);
    CHECK_ADD(c, f38_a_catch_up_comes_between_the_gap_and_what_is_new);
    CHECK_ADD(c, what_is_notified_during_a_catch_up_comes_behind_it);
    CHECK_ADD(c, a_catch_up_that_fails_is_told);
    CHECK_ADD(c, f38_a_connection_lost_during_a_catch_up);
    CHECK_ADD(c, f42_a_catch_up_may_end_all);
    CHECK_ADD(c, what_there_is_no_room_for_is_told);
    CHECK_ADD(c, bytes_are_bounded_too);
    CHECK_ADD(c, no_event_is_lost_to_a_cancel_or_a_deadline);
    CHECK_ADD(c, an_event_outlives_its_subscription);
    CHECK_ADD(c, after_the_close_what_waits_can_be_taken);
    CHECK_ADD_LOOP(c, a_listener_that_is_let_go_of_is_closed, 8);
    CHECK_ADD(c, only_queries_go_down_a_listeners_connection);
    CHECK_ADD_LOOP(c, f42_anything_within_a_callback, 6);
    CHECK_ADD(c, a_task_reads_until_it_is_canceled);
    CHECK_ADD_LOOP(c, f47_a_forked_child_harms_no_listener, CHILD_ENDS);
    check_add(c, "no_memory_for_a_moment_is_survived", no_memory_for_a_moment_is_survived, 120, 2);
    return check_end(c);
}
