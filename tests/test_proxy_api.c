/* test_proxy_api.c - the public face of the fault proxy, between a pool and a scripted server. What the proxy does
 * inside is for test_proxy and test_proxy_traps. */
#include "support/server.h"
#include "support/site.h"

#include <evpq/testing.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static evpq_test_server *server;
static evpq_test_proxy *proxy;
static struct site site;

static void begin(const evpq_pool_opts *opts)
{
    char *error = NULL;
    server = evpq_test_server_start(NULL, &error);
    ck_assert_msg(server != NULL, "%s", error);
    proxy = evpq_test_proxy_start("127.0.0.1", evpq_test_server_port(server), &error);
    ck_assert_msg(proxy != NULL, "%s", error);
    site = site_open(
        strf("host=127.0.0.1 port=%d user=u dbname=d sslmode=disable", evpq_test_proxy_port(proxy)),
        opts);
    evpq_test_answer one = {.size = sizeof one,
                            .part = "select",
                            .columns = "n int4",
                            .rows = 1,
                            .cells = (const char *const[]){"1"}};
    evpq_test_answer other = {.size = sizeof other, .part = "update"};
    ck_assert(evpq_test_server_answer(server, &one, NULL));
    ck_assert(evpq_test_server_answer(server, &other, NULL));
}

static void end(void)
{
    site_close(&site);
    evpq_test_proxy_stop(proxy);
    evpq_test_server_stop(server);
}

static evpq_test_proxy_stats stats(void)
{
    evpq_test_proxy_stats s = {.size = sizeof s};
    ck_assert(evpq_test_proxy_get_stats(proxy, &s));
    return s;
}

static void arm(evpq_test_trap trap)
{
    char *error = NULL;
    trap.size = sizeof trap;
    ck_assert_msg(evpq_test_proxy_arm(proxy, &trap, &error), "%s", error);
}

static void fails(evpq_future *f, evpq_status status, evpq_outcome outcome)
{
    evpq_await(f);
    ck_failed(f, status, "", outcome);
    evpq_future_unref(f);
}

static evpq_future *update(void)
{
    return evpq_pool_query(site.pool, "update", EVPQ_ARGS());
}

/* It is out of time when it has come to the server. */
static void runs_out_of_time(size_t nth)
{
    evpq_future *f = evpq_pool_query(site.pool, "slow", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(site.ev, evpq_test_server_count(server, "slow") == nth, 20));
    fails(evpq_timeout(f, 0.01), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
}

START_TEST(all_passes_and_is_counted)
{
    begin(NULL);
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    ck_assert_uint_eq(stats().connections, 1);
    ck_assert_uint_eq(stats().open, 1);
    ck_assert_uint_gt(stats().to_server, 20);
    ck_assert_uint_gt(stats().to_client, 100);
    evpq_test_proxy_stats small = {.size = 1};
    ck_assert(!evpq_test_proxy_get_stats(proxy, &small));
    end();
}
END_TEST

START_TEST(a_delay_each_way)
{
    begin(NULL);
    site_text(&site, "select 1");
    evpq_test_proxy_delay(proxy, _i ? EVPQ_TEST_TO_SERVER : EVPQ_TEST_TO_CLIENT, 0.2);
    double before = site_time();
    site_text(&site, "select 1");
    ck_assert_double_ge(site_time() - before, 0.2);
    evpq_test_proxy_delay(proxy, _i ? EVPQ_TEST_TO_SERVER : EVPQ_TEST_TO_CLIENT, -1);
    site_text(&site, "select 1");
    end();
}
END_TEST

/* Nothing is lost in a stall; a healed line carries on. */
START_TEST(a_stall_and_the_end_of_it)
{
    begin(NULL);
    site_text(&site, "select 1");
    evpq_test_proxy_stall(proxy, EVPQ_TEST_TO_CLIENT, true);
    evpq_future *f = evpq_pool_query(site.pool, "select 2", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(site.ev, evpq_test_server_count(server, "select 2") == 1, 10));
    site_run(&site, 0.05);
    ck_future_pending(f);
    if (_i)
        evpq_test_proxy_heal(proxy);
    else
        evpq_test_proxy_stall(proxy, EVPQ_TEST_TO_CLIENT, false);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_assert_uint_eq(stats().connections, 1);
    end();
}
END_TEST

START_TEST(what_is_no_way_changes_nothing)
{
    begin(NULL);
    for (int way = -1; way < 3; way += 3) {
        evpq_test_proxy_delay(proxy, (evpq_test_way)way, 1000);
        evpq_test_proxy_stall(proxy, (evpq_test_way)way, true);
    }
    evpq_future *f = evpq_timeout(evpq_pool_query(site.pool, "select 1", EVPQ_ARGS()), 20);
    ck_await_ok(f);
    evpq_future_unref(f);
    end();
}
END_TEST

START_TEST(new_connections_meet_the_door)
{
    evpq_pool_opts opts = {.size = sizeof opts, .backoff_min = 0.01, .backoff_max = 0.02};
    begin(&opts);
    evpq_test_proxy_door(proxy, (evpq_test_door)(EVPQ_TEST_DOOR_REFUSE + _i));
    fails(evpq_timeout(update(), 0.2), EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    evpq_test_proxy_heal(proxy);
    evpq_test_proxy_cut(proxy); /* what the silent door has let in */
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    end();
}
END_TEST

START_TEST(all_connections_are_cut_or_reset)
{
    begin(NULL);
    evpq_future *f = evpq_pool_query(site.pool, "select 1", EVPQ_ARGS());
    ck_await_ok(f);
    evpq_future_unref(f);
    evpq_test_proxy_stall(proxy, EVPQ_TEST_TO_CLIENT, true);
    f = evpq_pool_query(site.pool, "update", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(site.ev, evpq_test_server_count(server, "update") == 1, 10));
    if (_i)
        evpq_test_proxy_reset(proxy);
    else
        evpq_test_proxy_cut(proxy);
    ck_assert_uint_eq(stats().open, 0);
    evpq_await(f);
    ck_failed(f, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    evpq_test_proxy_heal(proxy);
    end();
}
END_TEST

/* What the server has received of the statement tells where each trap lay. */
START_TEST(traps)
{
    static const struct {
        evpq_test_trap trap;
        evpq_status status;
        size_t received;
    } cases[] = {
        {{.way = EVPQ_TEST_TO_SERVER, .text = "update", .before = true}, EVPQ_LOST, 0},
        {{.way = EVPQ_TEST_TO_SERVER, .act = EVPQ_TEST_ACT_SWALLOW, .text = "update"},
         EVPQ_LOST,
         1},
        {{.way = EVPQ_TEST_TO_SERVER, .act = EVPQ_TEST_ACT_RESET, .message = 'E', .before = true},
         EVPQ_LOST,
         0},
        {{.way = EVPQ_TEST_TO_CLIENT, .message = 'C', .before = true}, EVPQ_LOST, 1},
        {{.way = EVPQ_TEST_TO_CLIENT, .act = EVPQ_TEST_ACT_STALL, .message = 'C'}, EVPQ_TIMEOUT, 1},
        {{.way = EVPQ_TEST_TO_CLIENT, .bytes = 3}, EVPQ_LOST, 1},
    };
    evpq_pool_opts opts = {.size = sizeof opts, .cancel_timeout = 0.1};
    begin(&opts);
    site_text(&site, "select 1");
    arm(cases[_i].trap);
    evpq_future *f = update();
    if (cases[_i].status == EVPQ_TIMEOUT) {
        ck_assert(RUN_UNTIL(site.ev, stats().fired == 1, 20));
        f = evpq_timeout(f, 0.01);
    }
    fails(f, cases[_i].status, EVPQ_OUTCOME_UNKNOWN);
    ck_assert(evpq_test_proxy_wait(proxy, 1, 10));
    ck_assert(!evpq_test_proxy_wait(proxy, 2, 0.01));
    ck_assert_uint_eq(stats().fired, 1);
    if (cases[_i].received)
        ck_assert(evpq_test_server_wait(server, "update", 1, 10));
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    ck_assert_uint_eq(evpq_test_server_count(server, "update"), cases[_i].received);
    end();
}
END_TEST

START_TEST(the_nth_and_none_after_healing)
{
    begin(NULL);
    arm((evpq_test_trap){.way = EVPQ_TEST_TO_SERVER, .text = "update", .nth = 2});
    evpq_future_unref(site_query(&site, "update"));
    evpq_test_proxy_heal(proxy);
    evpq_future_unref(site_query(&site, "update"));
    arm((evpq_test_trap){.way = EVPQ_TEST_TO_CLIENT, .message = 'C', .nth = 2});
    evpq_future_unref(site_query(&site, "update"));
    fails(update(), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    end();
}
END_TEST

START_TEST(cancel_requests_are_dropped)
{
    evpq_pool_opts opts = {.size = sizeof opts, .cancel_timeout = 0.1};
    evpq_test_answer never = {.size = sizeof never, .sql = "slow", .then = EVPQ_TEST_THEN_NEVER};
    begin(&opts);
    evpq_test_server_answer(server, &never, NULL);
    site_text(&site, "select 1");
    evpq_test_proxy_drop_cancels(proxy, true);
    runs_out_of_time(1);
    ck_assert(RUN_UNTIL(site.ev, stats().cancels > 0 && site_stats(&site).closing == 0, 20));
    evpq_test_server_stats s = {.size = sizeof s};
    evpq_test_server_get_stats(server, &s);
    ck_assert_uint_eq(s.cancels, 0);
    evpq_test_proxy_drop_cancels(proxy, false);
    runs_out_of_time(2);
    ck_assert(RUN_UNTIL(site.ev, (evpq_test_server_get_stats(server, &s), s.cancels > 0), 20));
    end();
}
END_TEST

START_TEST(it_leads_elsewhere)
{
    begin(NULL);
    evpq_test_server *second = evpq_test_server_start(NULL, NULL);
    evpq_test_answer two = {.size = sizeof two,
                            .part = "select",
                            .columns = "n int4",
                            .rows = 1,
                            .cells = (const char *const[]){"2"}};
    evpq_test_server_answer(second, &two, NULL);
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    ck_assert(!evpq_test_proxy_target(proxy, "localhost", 5432));
    ck_assert(!evpq_test_proxy_target(proxy, "127.0.0.1", 0));
    ck_assert(evpq_test_proxy_target(proxy, "127.0.0.1", evpq_test_server_port(second)));
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    evpq_test_proxy_cut(proxy);
    ck_assert(RUN_UNTIL(site.ev, site_stats(&site).idle == 0, 10));
    ck_assert_str_eq(site_text(&site, "select 1"), "2");
    end();
    evpq_test_server_stop(second);
}
END_TEST

START_TEST(what_makes_no_sense)
{
    static const char long_text[] =
        "12345678901234567890123456789012345678901234567890123456789012345";
    static const struct {
        evpq_test_trap trap;
        const char *why;
    } cases[] = {
        {{.size = 2}, "the field size is 2"},
        {{.way = 2}, "way"},
        {{.act = 4}, "act"},
        {{.way = EVPQ_TEST_TO_CLIENT, .act = EVPQ_TEST_ACT_SWALLOW}, "EVPQ_TEST_TO_SERVER"},
        {{.nth = -1}, "nth"},
        {{.message = 'Q', .text = "a"}, "only one"},
        {{.message = 'Q', .bytes = 1}, "only one"},
        {{.text = ""}, "text is empty"},
        {{.text = long_text}, "more than 64"},
    };
    char *error = NULL;
    begin(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evpq_test_trap trap = cases[i].trap;
        trap.size = trap.size ? trap.size : sizeof trap;
        ck_assert_msg(!evpq_test_proxy_arm(proxy, &trap, &error), "%zu", i);
        ck_assert_msg(strstr(error, cases[i].why), "%s", error);
        free(error);
    }
    ck_assert(!evpq_test_proxy_arm(proxy, NULL, NULL));
    for (int i = 0; i < 8; i++)
        arm((evpq_test_trap){.text = "nobody says that"});
    evpq_test_trap ninth = {.size = sizeof ninth, .text = "nor that"};
    ck_assert(!evpq_test_proxy_arm(proxy, &ninth, &error));
    ck_assert_ptr_nonnull(strstr(error, "there are 8 already"));
    free(error);
    ck_assert_ptr_null(evpq_test_proxy_start("localhost", 5432, &error));
    ck_assert_str_eq(error, "a proxy to localhost, port 5432: host is to be a numeric IPv4 address "
                            "or the folder of a Unix socket, port 1 to 65535");
    free(error);
    ck_assert_ptr_null(evpq_test_proxy_start(NULL, 5432, NULL));
    ck_assert_ptr_null(evpq_test_proxy_start("127.0.0.1", 65536, NULL));
    evpq_test_proxy_stop(NULL);
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("proxy_api");
    CHECK_ADD(c, all_passes_and_is_counted);
    CHECK_ADD_LOOP(c, a_delay_each_way, 2);
    CHECK_ADD_LOOP(c, a_stall_and_the_end_of_it, 2);
    CHECK_ADD(c, what_is_no_way_changes_nothing);
    CHECK_ADD_LOOP(c, new_connections_meet_the_door, 3);
    CHECK_ADD_LOOP(c, all_connections_are_cut_or_reset, 2);
    CHECK_ADD_LOOP(c, traps, 6);
    CHECK_ADD(c, the_nth_and_none_after_healing);
    CHECK_ADD(c, cancel_requests_are_dropped);
    CHECK_ADD(c, it_leads_elsewhere);
    CHECK_ADD(c, what_makes_no_sense);
    return check_end(c);
}
