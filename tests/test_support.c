/*
 * The rest of the shared test code: the watches over a loop's thread (support/watch.h), the name
 * server on order (support/names.h), allocations that fail on order (support/oom.h), and running a
 * loop until something holds (support/check.h).
 */
#include <arpa/inet.h>
#include <base/mem.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "support/check.h"
#include "support/names.h"
#include "support/oom.h"
#include "support/server.h"
#include "support/watch.h"

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- watch ---- */

START_TEST(watch_counts_calls_that_may_block)
{
    struct timespec brief = {.tv_nsec = 1000}, zero = {0};
    struct timeval none = {0}, some = {.tv_usec = 1};

    poll(NULL, 0, 1);
    watch_begin();
    poll(NULL, 0, 0);
    ppoll(NULL, 0, &zero, NULL);
    select(0, NULL, NULL, NULL, &none);
    pselect(0, NULL, NULL, NULL, &zero, NULL);
    ck_assert_str_eq(watch_first(), "");
    ck_assert_int_eq(watch_end(), 0);

    watch_begin();
    poll(NULL, 0, 1);
    ppoll(NULL, 0, &brief, NULL);
    select(0, NULL, NULL, NULL, &some);
    pselect(0, NULL, NULL, NULL, &brief, NULL);
    ck_assert_str_eq(watch_first(), "poll(timeout 1)");
    ck_assert_int_eq(watch_end(), 4);
    poll(NULL, 0, 1);
    ck_assert_int_eq(watch_end(), 4);
}
END_TEST

START_TEST(watch_looks_away_when_told)
{
    watch_begin();
    watch_pause();
    poll(NULL, 0, 1);
    watch_pause();
    watch_resume();
    poll(NULL, 0, 1);
    watch_resume();
    ck_assert_int_eq(watch_end(), 0);
}
END_TEST

static void *poll_elsewhere(void *arg)
{
    poll(NULL, 0, 1);
    return arg;
}

START_TEST(watch_sees_its_own_thread_only)
{
    pthread_t thread;

    watch_begin();
    ck_assert_int_eq(pthread_create(&thread, NULL, poll_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(watch_end(), 0);
}
END_TEST

START_TEST(watch_reaches_into_libpq)
{
    names_set(&(struct name){.host = "db.test", .error = EAI_NONAME});
    watch_begin();
    ck_assert(!server_reachable("host=db.test port=1"));
    ck_assert_str_eq(watch_first(), "getaddrinfo(db.test)");
    watch_end();
    ck_assert_int_eq(names_calls("db.test"), 1);
}
END_TEST

static void sleep_in_a_callback(struct ev_loop *loop, ev_timer *w, int events)
{
    usleep(80 * 1000);
}

START_TEST(drift_sees_a_callback_that_blocks)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    struct drift drift;
    ev_timer timer;

    drift_start(loop, &drift);
    run_for(loop, 0.02);
    ev_timer_init(&timer, sleep_in_a_callback, 0, 0);
    ev_timer_start(loop, &timer);
    run_for(loop, 0.02);
    ck_assert_double_ge(drift_stop(loop, &drift), 0.07);
    ev_loop_destroy(loop);
}
END_TEST

START_TEST(drift_lets_the_loop_end)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    struct drift drift;

    drift_start(loop, &drift);
    drift_stop(loop, &drift);
    ck_assert(!ev_run(loop, EVRUN_NOWAIT));
    ev_loop_destroy(loop);
}
END_TEST

/* ---- names ---- */

static const char *address(const struct addrinfo *a)
{
    char text[INET6_ADDRSTRLEN], port[8];

    ck_assert_int_eq(getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, port, sizeof port,
                                 NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    return strf("%s port %s", text, port);
}

START_TEST(names_give_the_addresses_in_order)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;

    names_set(&(struct name){.host = "db.test", .addresses = "127.0.0.9,::1,127.0.0.1"});
    ck_assert_int_eq(getaddrinfo("db.test", "5432", &hints, &list), 0);
    ck_assert_str_eq(address(list), "127.0.0.9 port 5432");
    ck_assert_str_eq(address(list->ai_next), "::1 port 5432");
    ck_assert_str_eq(address(list->ai_next->ai_next), "127.0.0.1 port 5432");
    ck_assert_ptr_null(list->ai_next->ai_next->ai_next);
    freeaddrinfo(list);

    hints.ai_family = AF_INET6;
    ck_assert_int_eq(getaddrinfo("db.test", "5432", &hints, &list), 0);
    ck_assert_str_eq(address(list), "::1 port 5432");
    ck_assert_ptr_null(list->ai_next);
    freeaddrinfo(list);
    ck_assert_int_eq(names_calls("db.test"), 2);
}
END_TEST

START_TEST(names_fail_and_take_their_time)
{
    struct addrinfo *list;
    double began = now();

    names_set(&(struct name){.host = "slow.test", .delay = 0.1, .error = EAI_AGAIN});
    ck_assert_int_eq(getaddrinfo("slow.test", NULL, NULL, &list), EAI_AGAIN);
    ck_assert_double_ge(now() - began, 0.1);

    names_set(&(struct name){.host = "slow.test", .error = EAI_FAIL});
    ck_assert_int_eq(getaddrinfo("slow.test", NULL, NULL, &list), EAI_FAIL);
    names_reset();
    ck_assert_int_eq(names_calls("slow.test"), 0);
}
END_TEST

START_TEST(names_leave_numbers_alone)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *list;

    names_set(&(struct name){.host = "db.test", .addresses = "127.0.0.9"});
    watch_begin();
    ck_assert_int_eq(getaddrinfo("127.0.0.1", "5432", &hints, &list), 0);
    ck_assert_int_eq(watch_end(), 0);
    ck_assert_str_eq(address(list), "127.0.0.1 port 5432");
    freeaddrinfo(list);
}
END_TEST

/* ---- oom ---- */

START_TEST(oom_fails_the_nth_allocation_only)
{
    oom_fail_at(2);
    void *first = mem_alloc(10);
    void *second = mem_zalloc(10);
    void *third = mem_strdup("text");
    bool failed = oom_end();

    ck_assert_int_eq(oom_count(), 3);
    ck_assert(failed);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(third);
    mem_free(first);
    mem_free(third);
}
END_TEST

START_TEST(oom_counts_the_blocks_that_are_out)
{
    long before = oom_blocks();
    void *first = mem_alloc(10), *second = mem_zalloc(10), *third = mem_strdup("text");
    long between = oom_blocks();
    oom_fail_at(1);
    void *none = mem_alloc(10);
    oom_end();
    mem_free(none);
    second = realloc(second, 1000);
    mem_free(first);
    long after = oom_blocks();
    mem_free(second);
    mem_free(third);
    ck_assert_int_eq(oom_blocks(), before);
    ck_assert_int_eq(between, before + 3);
    ck_assert_int_eq(after, before + 2);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(oom_fails_all_from_the_nth_on)
{
    oom_fail_from(2);
    void *first = malloc(10);
    void *second = realloc(first, 20);
    void *third = calloc(1, 1);
    bool failed = oom_end();

    ck_assert(failed);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(second);
    ck_assert_ptr_null(third);
    first = realloc(first, 20);
    ck_assert_ptr_nonnull(first);
    free(first);
}
END_TEST

START_TEST(oom_says_when_nothing_failed)
{
    oom_fail_at(2);
    void *only = mem_alloc(10);
    bool failed = oom_end();

    ck_assert(!failed);
    ck_assert_int_eq(oom_count(), 1);
    oom_fail_at(0);
    void *again = mem_alloc(10);
    failed = oom_end();
    ck_assert(!failed);
    ck_assert_int_eq(oom_count(), 1);
    mem_free(only);
    mem_free(again);
}
END_TEST

static void *allocate_elsewhere(void *arg)
{
    return malloc(10);
}

START_TEST(oom_is_one_thread_s_own)
{
    pthread_t thread;
    void *memory = NULL;

    oom_fail_from(1);
    pthread_create(&thread, NULL, allocate_elsewhere, NULL);
    pthread_join(thread, &memory);
    bool failed = oom_end();

    ck_assert(!failed);
    ck_assert_ptr_nonnull(memory);
    free(memory);
}
END_TEST

/* ---- check ---- */

static bool is_three(void *arg)
{
    return ++*(int *)arg == 3;
}

START_TEST(run_until_turns_until_it_holds_or_gives_up)
{
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    double began = now();
    int turns = 0;

    ck_assert(run_until(loop, is_three, &turns, 10));
    ck_assert_int_eq(turns, 3);
    ck_assert(RUN_UNTIL(loop, true, 0));
    ck_assert(!RUN_UNTIL(loop, false, 0.05));
    ck_assert_double_ge(now() - began, 0.05);
    ck_assert(!ev_run(loop, EVRUN_NOWAIT));
    ev_loop_destroy(loop);
}
END_TEST

START_TEST(a_future_s_text_says_what_is_wrong)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_future *good = evpq_future_ok(loop, NULL, NULL);
    evpq_future *bad = evpq_future_failed(loop, EVPQ_TIMEOUT, "late by %d", 3);

    ck_await_ok(good);
    ck_future_ok(good);
    ck_future_status(bad, EVPQ_TIMEOUT);
    ck_await_status(bad, EVPQ_TIMEOUT);
    ck_assert_str_eq(check_future_text(good), "EVPQ_OK");
    ck_assert_str_eq(check_future_text(bad), "EVPQ_TIMEOUT (late by 3; SQLSTATE \"\")");
    evpq_future_unref(good);
    evpq_future_unref(bad);
    evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("support");

    CHECK_ADD(c, watch_counts_calls_that_may_block);
    CHECK_ADD(c, watch_looks_away_when_told);
    CHECK_ADD(c, watch_sees_its_own_thread_only);
    CHECK_ADD(c, watch_reaches_into_libpq);
    CHECK_ADD(c, drift_sees_a_callback_that_blocks);
    CHECK_ADD(c, drift_lets_the_loop_end);
    CHECK_ADD(c, names_give_the_addresses_in_order);
    CHECK_ADD(c, names_fail_and_take_their_time);
    CHECK_ADD(c, names_leave_numbers_alone);
    CHECK_ADD(c, oom_fails_the_nth_allocation_only);
    CHECK_ADD(c, oom_counts_the_blocks_that_are_out);
    CHECK_ADD(c, oom_fails_all_from_the_nth_on);
    CHECK_ADD(c, oom_says_when_nothing_failed);
    CHECK_ADD(c, oom_is_one_thread_s_own);
    CHECK_ADD(c, run_until_turns_until_it_holds_or_gives_up);
    CHECK_ADD(c, a_future_s_text_says_what_is_wrong);
    return check_end(c);
}
