/* test_wrong_thread.c - what another thread than the loop's gets when it calls: a refusal, at once
 * (F70). Meant to be run under ThreadSanitizer too: what is refused touches nothing. */
#include <evpq/evpq.h>

#include "support/basics.h"
#include "support/check.h"

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static evpq_loop *loop;
static evpq_pool *pool;
static evpq_listener *listener;
static evpq_subscription *subscription;
static evpq_stream *stream;
static evpq_copy *copy;
static evpq_future *open_future, *sleeping;
static evpq_semaphore *semaphore;
static evpq_channel *channel;
static atomic_int wrong, freed;

#define NOWHERE "host=/nonexistent/evpq"

static void never(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    atomic_fetch_add(&wrong, 1);
}

static void count_freed(void *arg)
{
    (void)arg;
    atomic_fetch_add(&freed, 1);
}

static evpq_future *nothing(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    atomic_fetch_add(&wrong, 1);
    return NULL;
}

static evpq_future *no_second(evpq_future *f, void *arg)
{
    (void)arg;
    atomic_fetch_add(&wrong, 1);
    return evpq_future_ref(f);
}

static void set_up(void)
{
    static evpq_pool_opts opts = {.size = sizeof opts, .backoff_min = 1};
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, NOWHERE, &opts, NULL);
    listener = evpq_listener_open(loop, NOWHERE, NULL, NULL);
    subscription = evpq_listener_subscribe(listener, "c", NULL, NULL);
    stream = evpq_pool_stream(pool, "select 1", EVPQ_ARGS(), NULL);
    copy = evpq_pool_copy_in(pool, "copy t from stdin");
    open_future = evpq_future_new(loop, NULL, NULL);
    sleeping = evpq_sleep(loop, 1e6);
    semaphore = evpq_semaphore_new(loop, 1);
    channel = evpq_channel_new(loop, 1, count_freed);
    ck_assert(pool && listener && subscription && stream && copy && semaphore && channel);
}

static void tear_down(void)
{
    evpq_channel_unref(channel);
    evpq_semaphore_unref(semaphore);
    evpq_future_unref(open_future);
    evpq_future_cancel(sleeping);
    evpq_future_unref(sleeping);
    evpq_copy_close(copy);
    evpq_stream_close(stream);
    evpq_subscription_unref(subscription);
    evpq_listener_unref(listener);
    evpq_future_unref(evpq_pool_close(pool, 0));
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

/* ck_ functions are not for other threads. */
static void refused(evpq_future *f, const char *what)
{
    const char *message = evpq_error_message(evpq_future_error(f));
    if (evpq_future_status(f) != EVPQ_INVALID || !strstr(message, "another thread")) {
        atomic_fetch_add(&wrong, 1);
        fprintf(stderr, "%s: %s (%s)\n", what, evpq_status_name(evpq_future_status(f)), message);
    }
    evpq_future_unref(f);
}
#define REFUSED(call) refused((call), #call)

static void refused_status(evpq_status status, const char *what)
{
    if (status == EVPQ_INVALID)
        return;
    atomic_fetch_add(&wrong, 1);
    fprintf(stderr, "%s: %s\n", what, evpq_status_name(status));
}
#define REFUSED_STATUS(call) refused_status((call), #call)

static void refused_object(const void *object, evpq_error *error, const char *what)
{
    if (object || (error && !strstr(evpq_error_message(error), "another thread"))) {
        atomic_fetch_add(&wrong, 1);
        fprintf(stderr, "%s: %s\n", what, evpq_error_message(error));
    }
    evpq_error_unref(error);
}

/* What would start something. */
static void *call_all(void *arg)
{
    const evpq_statement statement = {.sql = "select 1"};
    const evpq_args row = EVPQ_ARGS(1);
    evpq_future *ordered = NULL;
    evpq_error *error = NULL;
    REFUSED(evpq_pool_query(pool, "select 1", EVPQ_ARGS()));
    REFUSED(evpq_pool_read(pool, "select 1", EVPQ_ARGS()));
    REFUSED(evpq_pool_acquire(pool));
    REFUSED(evpq_pool_begin(pool, NULL));
    REFUSED(evpq_transact(pool, NULL, NULL, NULL));
    REFUSED(evpq_pool_batch(pool, &statement, 1));
    REFUSED(evpq_executemany(pool, "select $1", &row, 1));
    REFUSED(evpq_pool_connect(pool));
    REFUSED(evpq_pool_drain(pool));
    REFUSED(evpq_pool_close(pool, 0));
    REFUSED_STATUS(evpq_pool_resize(pool, 0, 1));
    REFUSED(evpq_notify(pool, "c", ""));
    REFUSED(evpq_stream_next(stream));
    REFUSED_STATUS(evpq_copy_write(copy, "1\n", 2));
    REFUSED(evpq_copy_drain(copy));
    REFUSED(evpq_copy_finish(copy));
    REFUSED(evpq_listener_query(listener, "select 1", EVPQ_ARGS()));
    REFUSED(evpq_listener_close(listener));
    REFUSED(evpq_subscription_next(subscription));
    REFUSED(evpq_subscription_ready(subscription));
    refused_object(evpq_pool_open(loop, NOWHERE, NULL, &error), error, "evpq_pool_open");
    error = NULL;
    refused_object(evpq_listener_open(loop, NOWHERE, NULL, &error), error, "evpq_listener_open");
    error = NULL;
    refused_object(evpq_listener_subscribe(listener, "d", NULL, &error), error, "subscribe");

    REFUSED(evpq_future_new(loop, NULL, NULL));
    REFUSED(evpq_future_ok(loop, NULL, NULL));
    REFUSED(evpq_sleep(loop, 0));
    REFUSED(evpq_task_spawn(loop, nothing, NULL, NULL));
    REFUSED_STATUS(evpq_task_set_stack_size(loop, 0));
    REFUSED(evpq_semaphore_acquire(semaphore));
    REFUSED(evpq_channel_send(channel, &loop));
    REFUSED(evpq_channel_receive(channel));
    REFUSED_STATUS(evpq_future_on_done(open_future, never, NULL));
    if (evpq_future_set_value(open_future, NULL, NULL) ||
        evpq_future_set_error(open_future, EVPQ_TYPE, "x"))
        atomic_fetch_add(&wrong, 1);
    if (arg) { /* these let go of what they were given, where nobody runs the loop */
        evpq_future *given[] = {open_future};
        REFUSED(evpq_timeout(open_future, 1));
        REFUSED(evpq_shield(open_future));
        REFUSED(evpq_then(open_future, no_second, NULL));
        REFUSED(evpq_all(given, 1));
        REFUSED(evpq_race(given, 1));
        REFUSED_STATUS(evpq_as_completed(given, 1, &ordered));
        REFUSED_STATUS(evpq_await(open_future));
        /* These say nothing, and do nothing. */
        evpq_future_cancel(open_future);
        evpq_task_cancel(open_future);
        evpq_future_unref(open_future);
        evpq_future_unref(sleeping);
        evpq_pool_unref(pool);
        evpq_listener_unref(listener);
        evpq_subscription_unref(subscription);
        evpq_stream_close(stream);
        evpq_copy_abort(copy, "x");
        evpq_semaphore_unref(semaphore);
        evpq_channel_close(channel);
        evpq_channel_unref(channel);
        evpq_loop_run(loop);
        evpq_loop_stop(loop);
        evpq_loop_unref(loop);
    }
    return NULL;
}

/* ---- while the loop's thread runs it ---- */

static atomic_bool running, over;

static void *call_while_running(void *arg)
{
    while (!atomic_load(&running))
        usleep(1000);
    call_all(arg);
    atomic_store(&over, true);
    return NULL;
}

static void look(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)events;
    atomic_store(&running, true);
    if (atomic_load(&over)) {
        ev_timer_stop(ev, w);
        ev_break(ev, EVBREAK_ALL);
    }
}

/* However the loop is run. */
static void run(int how)
{
    ev_timer timer;
    ev_timer_init(&timer, look, 0.01, 0.01);
    ev_timer_start(evpq_loop_ev(loop), &timer);
    if (how == 0)
        evpq_loop_run(loop);
    else if (how == 1)
        ev_run(evpq_loop_ev(loop), 0);
    else
        evpq_await(sleeping);
}

START_TEST(f70_a_call_while_another_thread_runs_the_loop_is_refused)
{
    pthread_t thread;
    set_up();
    ck_assert_int_eq(pthread_create(&thread, NULL, call_while_running, &loop), 0);
    run(_i);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(atomic_load(&wrong), 0);
    ck_assert_int_eq(atomic_load(&freed), 1); /* the item of a send that was refused */
    ck_assert(evpq_future_set_value(open_future, NULL, NULL)); /* untouched */
    ck_assert_int_eq(evpq_future_status(sleeping), EVPQ_PENDING);
    tear_down();
}
END_TEST

/* ---- while nobody does ---- */

START_TEST(f70_a_call_from_a_thread_that_never_ran_the_loop_is_refused)
{
    pthread_t thread;
    set_up();
    ck_assert_int_eq(pthread_create(&thread, NULL, call_all, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(atomic_load(&wrong), 0);
    tear_down();
}
END_TEST

/* ---- handed on ---- */

static void *run_it(void *arg)
{
    (void)arg;
    run(0);
    evpq_future *f = evpq_sleep(loop, 0); /* it is this thread's now */
    if (evpq_await(f) != EVPQ_OK)
        atomic_fetch_add(&wrong, 1);
    evpq_future_unref(f);
    return NULL;
}

START_TEST(f70_a_loop_is_whose_who_ran_it_last)
{
    pthread_t thread;
    set_up();
    atomic_store(&over, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_it, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    REFUSED(evpq_sleep(loop, 0));
    ck_assert_int_eq(atomic_load(&wrong), 0);
    evpq_future_set_value(open_future, NULL, NULL);
    ck_assert_int_eq(evpq_future_status(open_future), EVPQ_PENDING);
    run(0);
    ck_assert(evpq_future_set_value(open_future, NULL, NULL));
    tear_down();
}
END_TEST

/* The loop's thread has ended: what it leaves behind is let go of by another. */
static void *only_run(void *arg)
{
    (void)arg;
    run(0);
    return NULL;
}

START_TEST(f70_a_thread_may_clean_up_after_another)
{
    pthread_t thread;
    set_up();
    atomic_store(&over, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, only_run, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    evpq_future_cancel(sleeping);
    ck_assert_int_eq(evpq_future_status(sleeping), EVPQ_CANCELED);
    evpq_stream_close(stream);
    evpq_copy_close(copy);
    evpq_pool_unref(pool);
    evpq_subscription_unref(subscription);
    evpq_listener_unref(listener);
    evpq_future_unref(open_future);
    evpq_future_unref(sleeping);
    evpq_semaphore_unref(semaphore);
    evpq_channel_unref(channel);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    ck_assert_int_eq(atomic_load(&wrong), 0);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("wrong thread");
    CHECK_ADD_LOOP(c, f70_a_call_while_another_thread_runs_the_loop_is_refused, 3);
    CHECK_ADD(c, f70_a_call_from_a_thread_that_never_ran_the_loop_is_refused);
    CHECK_ADD(c, f70_a_loop_is_whose_who_ran_it_last);
    CHECK_ADD(c, f70_a_thread_may_clean_up_after_another);
    return check_end(c);
}
