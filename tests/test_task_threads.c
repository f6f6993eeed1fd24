/* test_task_threads.c - tasks of several loops, each in a thread of its own: they share nothing.
 * Meant to be run under ThreadSanitizer, which has to be told of every switch. */
#include <evpq/evpq.h>

#include "support/check.h"

#include <pthread.h>
#include <stdint.h>

enum { THREADS = 3, ROUNDS = 5, SENDERS = 20, ITEMS = 50 };

struct factory {
    evpq_loop *loop;
    evpq_channel *channel;
    evpq_semaphore *semaphore;
    evpq_future *all;
    long sum, canceled, deferred;
    evpq_status status;
};

static void count_deferred(void *arg)
{
    ((struct factory *)arg)->deferred++;
}

/* Sends 1 ... ITEMS, with a permit each time. */
static evpq_future *send_all(evpq_task *self, void *arg)
{
    struct factory *factory = arg;
    evpq_task_defer(self, count_deferred, factory);
    for (intptr_t i = 1; i <= ITEMS; i++) {
        evpq_future *permit = evpq_semaphore_acquire(factory->semaphore);
        evpq_await(permit);
        evpq_future *sent = evpq_channel_send(factory->channel, (void *)i);
        evpq_await(sent);
        evpq_future_unref(sent);
        evpq_future_unref(permit);
        if (i % 8 == 0)
            evpq_yield(self);
    }
    return NULL;
}

static evpq_future *receive_all(evpq_task *self, void *arg)
{
    struct factory *factory = arg;
    for (;;) {
        evpq_future *f = evpq_channel_receive(factory->channel);
        evpq_status status = evpq_await(f);
        factory->sum += (intptr_t)evpq_channel_item(f);
        evpq_future_unref(f);
        if (status != EVPQ_OK)
            return NULL;
    }
}

static evpq_future *sleep_long(evpq_task *self, void *arg)
{
    struct factory *factory = arg;
    evpq_future *f = evpq_sleep(evpq_task_loop(self), 1e6);
    factory->canceled += evpq_await(f) == EVPQ_CANCELED;
    return f;
}

/* One round: the senders' group, one receiver, and one that is canceled in the end. */
static evpq_future *run_factory(evpq_task *self, void *arg)
{
    struct factory *factory = arg;
    evpq_loop *loop = evpq_task_loop(self);
    evpq_future *sleeper = evpq_task_spawn(loop, sleep_long, factory, NULL);
    evpq_future *receiver = evpq_task_spawn(loop, receive_all, factory, NULL);
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < SENDERS; i++)
        evpq_future_unref(evpq_group_spawn(g, send_all, factory, NULL));
    evpq_future *join = evpq_group_join(g);
    evpq_await(join);
    evpq_channel_close(factory->channel);
    evpq_await(receiver);
    evpq_task_cancel(sleeper);
    evpq_await(sleeper);
    evpq_future_unref(sleeper);
    evpq_future_unref(receiver);
    return join;
}

static void set_up(struct factory *factory)
{
    *factory = (struct factory){.loop = evpq_loop_new(NULL)};
    factory->semaphore = evpq_semaphore_new(factory->loop, 3);
    factory->channel = evpq_channel_new(factory->loop, 4, NULL);
    factory->all = evpq_task_spawn(factory->loop, run_factory, factory, NULL);
}

static void run(struct factory *factory)
{
    factory->status = evpq_await(factory->all);
}

static void tear_down(struct factory *factory)
{
    evpq_future_unref(factory->all);
    evpq_semaphore_unref(factory->semaphore);
    evpq_channel_unref(factory->channel);
    evpq_loop_unref(factory->loop);
}

static void ck_right(const struct factory *factory)
{
    ck_assert_int_eq(factory->status, EVPQ_OK);
    ck_assert_int_eq(factory->sum, (long)SENDERS * ITEMS * (ITEMS + 1) / 2);
    ck_assert_int_eq(factory->canceled, 1);
    ck_assert_int_eq(factory->deferred, SENDERS);
}

static void *run_whole(void *arg)
{
    set_up(arg);
    run(arg);
    tear_down(arg);
    return NULL;
}

START_TEST(loops_in_threads_have_tasks_of_their_own)
{
    static struct factory factories[THREADS + 1];
    pthread_t threads[THREADS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++)
            ck_assert_int_eq(pthread_create(&threads[i], NULL, run_whole, &factories[i]), 0);
        run_whole(&factories[THREADS]); /* and here */
        for (int i = 0; i < THREADS; i++)
            ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i <= THREADS; i++)
            ck_right(&factories[i]);
    }
}
END_TEST

/* ---- one after the other ---- */

static void *run_some(void *arg)
{
    for (int turns = 0; turns < 3; turns++)
        ev_run(evpq_loop_ev(((struct factory *)arg)->loop), EVRUN_NOWAIT);
    return NULL;
}

/* A loop may go from thread to thread, as long as one is done with it before the next begins. */
START_TEST(a_loop_is_handed_on_with_the_tasks_that_wait)
{
    struct factory factory;
    pthread_t thread;
    set_up(&factory);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, run_some, &factory), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
    run(&factory);
    tear_down(&factory);
    ck_right(&factory);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("task threads");
    CHECK_ADD(c, loops_in_threads_have_tasks_of_their_own);
    CHECK_ADD(c, a_loop_is_handed_on_with_the_tasks_that_wait);
    return check_end(c);
}
