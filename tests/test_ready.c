/* test_ready.c - code that finds everything ready at once (F63): it keeps neither the loop from its
 * turn nor itself from its deadline. */
#include "support/seen.h"
#include "tasks/task.h"

#include <evpq/sync.h>
#include <math.h>

static evpq_loop *loop;
static evpq_semaphore *semaphore;
static evpq_channel *channel;
static evpq_future *settled;

enum { KINDS = 4 };

/* One that is done already, of some kind. Given. */
static evpq_future *ready(long kind)
{
    switch (kind) {
    case 0:
        return evpq_future_ok(loop, NULL, NULL);
    case 1:
        return evpq_semaphore_acquire(semaphore);
    case 2:
        evpq_future_unref(evpq_channel_send(channel, &loop));
        return evpq_channel_receive(channel);
    default:
        return evpq_future_ref(settled);
    }
}

static void set_up(void)
{
    loop = evpq_loop_new(NULL);
    semaphore = evpq_semaphore_new(loop, 1);
    channel = evpq_channel_new(loop, 4, NULL);
    settled = evpq_future_ok(loop, NULL, NULL);
}

static void tear_down(void)
{
    evpq_semaphore_unref(semaphore);
    evpq_channel_unref(channel);
    evpq_future_unref(settled);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static long rounds;

static evpq_future *spins(evpq_task *self, void *arg)
{
    (void)self;
    for (;;) {
        evpq_future *f = ready((long)(intptr_t)arg);
        if (evpq_await(f) != EVPQ_OK)
            return f;
        rounds++;
        evpq_future_unref(f);
    }
}

static evpq_future *spin(long kind, double deadline)
{
    rounds = 0;
    return evpq_task_spawn(loop, spins, (void *)(intptr_t)kind,
                           &(evpq_task_opts){.size = sizeof(evpq_task_opts), .deadline = deadline});
}

static int ticks;

static void on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev, (void)w, (void)events;
    ticks++;
}

/* The task, taken, ends by its deadline, and timers fire meanwhile. */
static void ck_meets_its_deadline(evpq_future *task)
{
    ev_timer tick;
    ev_timer_init(&tick, on_tick, 0.005, 0.005);
    ev_timer_start(evpq_loop_ev(loop), &tick);
    ck_await_status(task, EVPQ_TIMEOUT);
    ck_assert_int_gt(ticks, 0);
    ck_assert_int_gt(rounds, 1); /* not a turn of the loop for each */
    evpq_future_unref(task);
    ev_timer_stop(evpq_loop_ev(loop), &tick);
}

START_TEST(f63_a_task_that_never_waits_meets_its_deadline)
{
    set_up();
    ck_meets_its_deadline(spin(_i, 0.1));
    tear_down();
}
END_TEST

static evpq_future *works_and_awaits(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    while (evpq_await(settled) == EVPQ_OK) {
        double until = loop_time(loop) + 0.01;
        while (loop_time(loop) < until)
            continue;
        rounds++;
    }
    return evpq_future_ref(settled);
}

START_TEST(f63_long_work_between_ready_awaits_meets_its_deadline)
{
    set_up();
    evpq_task_opts opts = {.size = sizeof opts, .deadline = 0.05};
    evpq_future *f = evpq_task_spawn(loop, works_and_awaits, NULL, &opts);
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_int_le(rounds, 32);
    evpq_future_unref(f);
    tear_down();
}
END_TEST

/* Tries again and again what fails at once. */
static evpq_future *insists(evpq_task *self, void *arg)
{
    evpq_status status = EVPQ_OK;
    (void)self, (void)arg;
    while (status != EVPQ_TIMEOUT && status != EVPQ_CANCELED) {
        evpq_future *f = evpq_future_failed(loop, EVPQ_QUEUE_FULL, "there is no room");
        status = evpq_await(f);
        evpq_future_unref(f);
        rounds++;
    }
    return evpq_future_failed(loop, status, "it was told to stop");
}

START_TEST(f63_a_task_that_fails_for_ever_meets_its_deadline)
{
    set_up();
    evpq_task_opts opts = {.size = sizeof opts, .deadline = 0.1};
    ck_meets_its_deadline(evpq_task_spawn(loop, insists, NULL, &opts));
    tear_down();
}
END_TEST

static void cancels(evpq_future *f, void *arg)
{
    (void)f;
    evpq_task_cancel(arg);
}

START_TEST(f63_a_task_that_never_waits_can_be_canceled)
{
    set_up();
    evpq_future *f = spin(_i, 0), *nap = evpq_sleep(loop, 0.02);
    ck_assert_int_eq(evpq_future_on_done(nap, cancels, f), EVPQ_OK);
    ck_await_status(f, EVPQ_CANCELED);
    evpq_future_unref(nap);
    evpq_future_unref(f);
    tear_down();
}
END_TEST

START_TEST(f63_a_task_that_fails_for_ever_can_be_canceled)
{
    set_up();
    evpq_future *f = evpq_task_spawn(loop, insists, NULL, NULL), *nap = evpq_sleep(loop, 0.02);
    ck_assert_int_eq(evpq_future_on_done(nap, cancels, f), EVPQ_OK);
    ck_await_status(f, EVPQ_CANCELED);
    evpq_future_unref(nap);
    evpq_future_unref(f);
    tear_down();
}
END_TEST

/* What it makes of being told is its own affair: only the future it was told by is not a success.
 */
static evpq_future *ends_as_it_likes(evpq_task *self, void *arg)
{
    (void)arg;
    while (evpq_await(settled) == EVPQ_OK)
        continue;
    ck_future_ok(settled);
    evpq_future *permit = evpq_semaphore_acquire(semaphore);
    ck_assert_int_eq(evpq_await(permit), EVPQ_TIMEOUT);
    evpq_future_unref(permit);
    ck_assert_uint_eq(evpq_semaphore_free(semaphore), 1);
    ck_assert_int_eq(evpq_await(settled), EVPQ_TIMEOUT); /* and again */
    evpq_future *failed = evpq_future_failed(loop, EVPQ_TYPE, "of its own");
    ck_assert_int_eq(evpq_await(failed), EVPQ_TYPE);
    evpq_future_unref(failed);
    ck_assert_int_eq(evpq_yield(self), EVPQ_TIMEOUT);
    return evpq_future_ok(loop, NULL, NULL);
}

static void cleans_up(void *arg)
{
    (void)arg;
    ck_assert_int_eq(evpq_await(settled), EVPQ_OK);
}

static evpq_future *ends_and_cleans_up(evpq_task *self, void *arg)
{
    ck_assert_int_eq(evpq_task_defer(self, cleans_up, NULL), EVPQ_OK);
    return ends_as_it_likes(self, arg);
}

START_TEST(f63_a_task_that_was_told_may_end_as_it_likes)
{
    set_up();
    evpq_task_opts opts = {.size = sizeof opts, .deadline = 0.02};
    evpq_future *f = evpq_task_spawn(loop, ends_and_cleans_up, NULL, &opts);
    ck_await_ok(f);
    evpq_future_unref(f);
    tear_down();
}
END_TEST

/* Code outside the loop, which never runs it. */
START_TEST(f63_awaits_outside_the_loop_let_it_turn)
{
    struct seen seen;
    set_up();
    evpq_future *nap = evpq_sleep(loop, 0.02);
    seen_watch(nap, &seen);
    for (rounds = 0; !seen.calls && rounds < 1000000000; rounds++) {
        evpq_future *f = ready(_i);
        ck_assert_int_eq(evpq_await(f), EVPQ_OK);
        evpq_future_unref(f);
    }
    ck_assert_int_eq(seen.status, EVPQ_OK);
    evpq_future_unref(nap);
    tear_down();
}
END_TEST

static bool enough;

static void attaches_again(evpq_future *f, void *arg)
{
    (void)arg;
    if (!enough)
        evpq_future_on_done(f, attaches_again, NULL);
}

static void has_enough(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    enough = true;
}

/* Beside a task that spins as well. */
START_TEST(f63_callbacks_that_are_ready_for_ever_let_timers_fire)
{
    set_up();
    attaches_again(settled, NULL);
    evpq_future *late = evpq_timeout(evpq_sleep(loop, 60), 0.02), *f = spin(0, 0.02);
    evpq_future_on_done(late, has_enough, NULL);
    evpq_loop_run(loop);
    ck_future_status(late, EVPQ_TIMEOUT);
    ck_future_status(f, EVPQ_TIMEOUT);
    evpq_future_unref(late);
    evpq_future_unref(f);
    tear_down();
}
END_TEST

START_TEST(a_streak_ends_after_a_while_at_the_deadline_or_after_so_many)
{
    struct streak s = {0};
    set_up();
    double now = loop_time(loop);
    int n = 1;
    while (!streak_ends(&s, now - 1))
        n++;
    ck_assert_int_le(n, 8);
    ck_assert_uint_eq(s.n, 0);
    for (n = 1; !streak_ends(&s, INFINITY); n++)
        continue;
    ck_assert(n >= 100000 || loop_time(loop) - now >= 0.001);
    tear_down();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("ready");
    CHECK_ADD_LOOP(c, f63_a_task_that_never_waits_meets_its_deadline, KINDS);
    CHECK_ADD(c, f63_long_work_between_ready_awaits_meets_its_deadline);
    CHECK_ADD_LOOP(c, f63_a_task_that_never_waits_can_be_canceled, KINDS);
    CHECK_ADD(c, f63_a_task_that_fails_for_ever_meets_its_deadline);
    CHECK_ADD(c, f63_a_task_that_fails_for_ever_can_be_canceled);
    CHECK_ADD(c, f63_a_task_that_was_told_may_end_as_it_likes);
    CHECK_ADD_LOOP(c, f63_awaits_outside_the_loop_let_it_turn, KINDS);
    CHECK_ADD(c, f63_callbacks_that_are_ready_for_ever_let_timers_fire);
    CHECK_ADD(c, a_streak_ends_after_a_while_at_the_deadline_or_after_so_many);
    return check_end(c);
}
