/* test_future.c - the state of a future: settled once, told of later, alive as long as somebody
 * needs it. */
#include "async/future.h"

#include "support/check.h"
#include "support/seen.h"
#include "words/error.h"

#include <stdlib.h>

static evpq_loop *loop;

static void setup(void)
{
    loop = evpq_loop_new(NULL);
}

static void teardown(void)
{
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static evpq_future *pending(void)
{
    return evpq_future_new(loop, NULL, NULL);
}

/* ---- waiting ---- */

START_TEST(callbacks_come_in_the_order_they_were_added)
{
    setup();
    evpq_future *f = pending();
    struct seen seen[4];
    seen_watch(f, &seen[0]);
    seen_watch(f, &seen[1]);
    evpq_future_set_value(f, NULL, NULL);
    seen_watch(f, &seen[2]); /* settled, but nobody was told yet */
    evpq_loop_run(loop);
    seen_watch(f, &seen[3]);
    evpq_loop_run(loop);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(seen[i].calls, 1);
        ck_assert_int_eq(seen[i].place, i + 1);
        ck_assert_ptr_eq(seen[i].f, f);
        ck_assert_int_eq(seen[i].status, EVPQ_OK);
    }
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(futures_are_told_of_in_the_order_they_settled)
{
    setup();
    evpq_future *a = pending(), *b = pending();
    struct seen seen_a, seen_b;
    seen_watch(a, &seen_a);
    seen_watch(b, &seen_b);
    evpq_future_set_value(b, NULL, NULL);
    evpq_future_set_value(a, NULL, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen_b.place, 1);
    ck_assert_int_eq(seen_a.place, 2);
    evpq_future_unref(a);
    evpq_future_unref(b);
    teardown();
}
END_TEST

/* Set while the program is inside a call of ours. */
static bool inside;
static int outside_calls;

static void must_be_outside(evpq_future *f, void *arg)
{
    ck_assert(!inside);
    outside_calls++;
}

static evpq_future *then_must_be_outside(evpq_future *f, void *arg)
{
    must_be_outside(f, arg);
    return evpq_future_ref(f);
}

START_TEST(f44_no_call_runs_a_callback_in_its_own_stack)
{
    setup();
    inside = true;
    evpq_future *settled = evpq_future_ok(loop, NULL, NULL), *set = pending(), *failed = pending();
    evpq_future *canceled = evpq_future_new(loop, must_be_outside, NULL);
    evpq_future *members[] = {evpq_future_ref(set), evpq_future_ref(canceled)};
    evpq_future *all[] = {
        settled,
        set,
        failed,
        canceled,
        evpq_race(members, 2),
        evpq_timeout(evpq_future_ref(settled), 0.),
        evpq_shield(evpq_future_ref(settled)),
        evpq_then(evpq_future_ref(settled), then_must_be_outside, NULL),
        evpq_sleep(loop, -1.),
    };
    for (int i = 0; i < 9; i++)
        evpq_future_on_done(all[i], must_be_outside, NULL);
    evpq_future_set_value(set, NULL, NULL);
    evpq_future_set_error(failed, EVPQ_LOST, "lost");
    evpq_future_cancel(canceled);
    evpq_future_cancel(all[6]);
    for (int i = 0; i < 9; i++)
        evpq_future_unref(all[i]);
    ck_assert_int_eq(outside_calls, 0);
    inside = false;
    evpq_loop_run(loop);
    ck_assert_int_eq(outside_calls, 9 + 2); /* on_cancel and the function of then as well */
    teardown();
}
END_TEST

START_TEST(a_callback_needs_a_future_a_function_and_a_loop)
{
    setup();
    evpq_future *f = pending();
    ck_assert_int_eq(evpq_future_on_done(NULL, seen_done, NULL), EVPQ_INVALID);
    ck_assert_int_eq(evpq_future_on_done(f, NULL, NULL), EVPQ_INVALID);
    ck_assert_int_eq(evpq_future_on_done(future_constant(EVPQ_INVALID), seen_done, NULL),
                     EVPQ_INVALID);
    ck_assert_int_eq(evpq_future_on_done(future_constant(EVPQ_NOMEM), seen_done, NULL), EVPQ_NOMEM);
    evpq_future_cancel(f);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static struct waiter waiter;
static int waited;

static void waiter_run(struct job *job)
{
    waited++;
}

START_TEST(a_waiter_can_be_called_off_before_and_after_it_settles)
{
    setup();
    evpq_future *f = pending();
    future_watch(f, loop, &waiter, waiter_run);
    list_remove(&waiter.job.node);
    future_watch(f, loop, &waiter, waiter_run);
    evpq_future_set_value(f, NULL, NULL);
    list_remove(&waiter.job.node);
    evpq_loop_run(loop);
    ck_assert_int_eq(waited, 0);
    future_watch(f, loop, &waiter, waiter_run);
    evpq_loop_run(loop);
    ck_assert_int_eq(waited, 1);
    evpq_future_unref(f);
    teardown();
}
END_TEST

/* ---- life ---- */

START_TEST(letting_go_of_a_pending_future_does_not_stop_it)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 0.001);
    struct seen seen;
    seen_watch(f, &seen);
    ck_assert_ptr_null(evpq_future_unref(f));
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(seen.status, EVPQ_OK);
    teardown();
}
END_TEST

START_TEST(it_keeps_its_loop_alive)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 0.001);
    evpq_loop_unref(loop);
    ck_await_ok(f);
    evpq_future_unref(f);
}
END_TEST

START_TEST(a_reference_outlives_the_callback)
{
    setup();
    evpq_future *f = pending();
    ck_assert_ptr_eq(evpq_future_ref(f), f);
    evpq_future_unref(f);
    evpq_future_set_error(f, EVPQ_LOST, "gone");
    evpq_loop_run(loop);
    ck_future_status(f, EVPQ_LOST);
    evpq_error *error = evpq_error_ref(evpq_future_error(f));
    evpq_future_unref(f);
    ck_assert_str_eq(evpq_error_message(error), "gone");
    evpq_error_unref(error);
    teardown();
}
END_TEST

START_TEST(null_is_nobodys_future)
{
    ck_assert_ptr_null(evpq_future_ref(NULL));
    ck_assert_ptr_null(evpq_future_unref(NULL));
    evpq_future_cancel(NULL);
    ck_assert_int_eq(evpq_future_status(NULL), EVPQ_INVALID);
    ck_assert_ptr_null(evpq_future_error(NULL));
    ck_assert_ptr_null(evpq_future_value(NULL));
    ck_assert_uint_eq(evpq_future_count(NULL), 0);
    ck_assert_ptr_null(evpq_future_at(NULL, 0));
}
END_TEST

START_TEST(constant_futures_take_part_in_everything)
{
    const evpq_status statuses[] = {EVPQ_INVALID, EVPQ_NOMEM};
    for (int i = 0; i < 2; i++) {
        evpq_future *f = future_constant(statuses[i]);
        ck_assert_ptr_eq(evpq_future_ref(f), f);
        for (int n = 0; n < 3; n++)
            evpq_future_unref(f);
        evpq_future_cancel(f);
        ck_future_status(f, statuses[i]);
        ck_assert_int_eq(evpq_error_status(evpq_future_error(f)), statuses[i]);
        ck_assert_ptr_null(evpq_future_value(f));
        ck_assert_uint_eq(evpq_future_count(f), 0);
        ck_assert(!evpq_future_set_value(f, NULL, NULL));
        ck_assert_int_eq(evpq_await(f), statuses[i]);
    }
}
END_TEST

/* ---- canceling ---- */

START_TEST(cancel_settles_at_once_and_once)
{
    setup();
    evpq_future *f = pending();
    struct seen seen;
    seen_watch(f, &seen);
    evpq_future_cancel(f);
    ck_future_status(f, EVPQ_CANCELED);
    const evpq_error *error = evpq_future_error(f);
    evpq_future_cancel(f);
    ck_assert_ptr_eq(evpq_future_error(f), error);
    evpq_loop_run(loop);
    evpq_future_cancel(f);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(seen.status, EVPQ_CANCELED);
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(a_settled_future_is_not_canceled)
{
    setup();
    int value;
    evpq_future *f = evpq_future_ok(loop, &value, NULL);
    evpq_future_cancel(f);
    ck_future_ok(f);
    ck_assert_ptr_eq(evpq_future_value(f), &value);
    ck_assert_ptr_null(evpq_future_error(f));
    evpq_future_unref(f);
    teardown();
}
END_TEST

/* ---- values: the producers' side ---- */

struct work {
    struct evpq_future future;
    bool *freed;
};

static void work_cancel(evpq_future *f)
{
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void work_free(evpq_future *f)
{
    struct work *w = container_of(f, struct work, future);
    *w->freed = true;
    free(w);
}

static const struct future_class work_class = {.cancel = work_cancel, .free = work_free};
static const struct value_class counted = {.free = seen_free}, other = {.free = NULL};

static struct work *work_new(bool *freed)
{
    struct work *w = calloc(1, sizeof *w);
    future_init(&w->future, &work_class, loop);
    w->freed = freed;
    *freed = false;
    return w;
}

START_TEST(a_producer_holds_its_future_until_it_settles)
{
    setup();
    bool freed;
    struct work *w = work_new(&freed);
    evpq_future_unref(&w->future);
    ck_assert(!freed);
    future_settle_value(&w->future, NULL, NULL);
    ck_assert(freed);
    teardown();
}
END_TEST

START_TEST(a_value_is_read_by_its_class_alone)
{
    setup();
    bool freed;
    int value;
    struct work *w = work_new(&freed);
    ck_assert_ptr_null(future_value(&w->future, &counted));
    future_settle_value(&w->future, &counted, &value);
    ck_assert_ptr_eq(future_value(&w->future, &counted), &value);
    ck_assert_ptr_null(future_value(&w->future, &other));
    ck_assert_ptr_null(evpq_future_value(&w->future));
    evpq_future_unref(&w->future);
    ck_assert(freed);
    ck_assert_int_eq(seen_freed, 1);
    teardown();
}
END_TEST

START_TEST(a_value_can_be_taken_through_a_follower_once)
{
    setup();
    bool freed, outer_freed;
    int value;
    struct work *w = work_new(&freed), *outer = work_new(&outer_freed);
    future_settle_value(&w->future, &counted, &value);
    future_settle_follow(&outer->future, &w->future);
    evpq_future_unref(&w->future);
    ck_assert(!freed);
    ck_assert_ptr_eq(future_take_value(&outer->future, &counted), &value);
    ck_assert_ptr_null(future_take_value(&outer->future, &counted));
    evpq_future_unref(&outer->future);
    ck_assert(outer_freed && freed);
    ck_assert_int_eq(seen_freed, 0);
    teardown();
}
END_TEST

START_TEST(a_follower_reads_as_the_one_it_follows)
{
    setup();
    bool freed;
    struct work *w = work_new(&freed);
    evpq_future *failed = evpq_future_failed(loop, EVPQ_LOST, "gone");
    future_settle_follow(&w->future, failed);
    ck_future_status(&w->future, EVPQ_LOST);
    ck_assert_ptr_eq(evpq_future_error(&w->future), evpq_future_error(failed));
    ck_assert_int_eq(future_outcome(&w->future), EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(failed);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(&w->future)), "gone");
    evpq_future_unref(&w->future);
    teardown();
}
END_TEST

/* ---- F42: what a callback may do ---- */

enum { KINDS = 7, ACTIONS = 4, OTHERS = 3 };

/* A future of each kind, with callbacks around the one that acts; the program's references are in
 * `held`. */
static struct scene {
    int action, acted;
    evpq_future *held[OTHERS + 1];
    struct seen before, after, others[OTHERS], more;
} scene;

static void drop_all(void)
{
    for (int i = 0; i <= OTHERS; i++)
        scene.held[i] = evpq_future_unref(scene.held[i]);
}

static void act(evpq_future *f, void *arg)
{
    scene.acted++;
    switch (scene.action) {
    case 0:
        drop_all();
        break;
    case 1:
        for (int i = 0; i <= OTHERS; i++)
            evpq_future_cancel(scene.held[i]);
        break;
    case 2:
        f = evpq_sleep(loop, 0.);
        seen_watch(f, &scene.more);
        evpq_future_unref(f);
        break;
    case 3:
        drop_all();
        loop = evpq_loop_unref(loop);
        break;
    }
}

static evpq_future *act_then(evpq_future *f, void *arg)
{
    act(f, arg);
    return evpq_sleep(f->loop, 0.);
}

/* Makes the future number `kind` and sees to it that `act` is called in the callback that is
 * meant. */
static evpq_future *make(int kind)
{
    evpq_future *f, *members[] = {evpq_sleep(loop, 0.), evpq_sleep(loop, 1e6)};
    switch (kind) {
    case 0: /* a program's own */
        f = pending();
        break;
    case 1: /* a timer's */
        f = evpq_sleep(loop, 0.);
        break;
    case 2: /* a combinator's */
        return evpq_race(members, 2);
    case 3: /* a deadline's */
        f = evpq_timeout(pending(), 0.);
        break;
    case 4: /* on_cancel */
        f = evpq_future_new(loop, act, NULL);
        break;
    case 5: /* a function of then */
        f = evpq_then(evpq_sleep(loop, 0.), act_then, NULL);
        break;
    default: /* one that had settled before */
        f = evpq_future_ok(loop, NULL, NULL);
        break;
    }
    for (int i = 0; i < 2; i++) {
        evpq_future_cancel(members[i]);
        evpq_future_unref(members[i]);
    }
    return f;
}

START_TEST(f42_a_callback_may_do_anything_and_the_others_still_come_once)
{
    int kind = _i / ACTIONS;
    setup();
    scene.action = _i % ACTIONS;
    scene.held[0] = make(kind);
    for (int i = 0; i < OTHERS; i++) {
        scene.held[i + 1] = evpq_sleep(loop, i * 0.001);
        seen_watch(scene.held[i + 1], &scene.others[i]);
    }
    seen_watch(scene.held[0], &scene.before);
    if (kind != 4 && kind != 5)
        evpq_future_on_done(scene.held[0], act, NULL);
    seen_watch(scene.held[0], &scene.after);
    if (kind == 0)
        evpq_future_set_value(scene.held[0], NULL, NULL);
    if (kind == 4)
        evpq_future_cancel(scene.held[0]);
    evpq_loop_run(loop);
    ck_assert_int_eq(scene.acted, 1);
    ck_assert_int_eq(scene.before.calls, 1);
    ck_assert_int_eq(scene.after.calls, 1);
    for (int i = 0; i < OTHERS; i++)
        ck_assert_int_eq(scene.others[i].calls, 1);
    ck_assert_int_eq(scene.more.calls, scene.action == 2);
    drop_all();
    evpq_loop_unref(loop);
}
END_TEST

static void drops_itself(evpq_future *f, void *arg)
{
    evpq_future_unref(f);
}

START_TEST(f42_a_callback_may_drop_the_last_reference_to_its_own_future)
{
    setup();
    struct seen seen;
    evpq_future *f = evpq_future_ok(loop, NULL, seen_free);
    evpq_future_on_done(f, drops_itself, NULL);
    seen_watch(f, &seen);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("future");
    CHECK_ADD(c, callbacks_come_in_the_order_they_were_added);
    CHECK_ADD(c, futures_are_told_of_in_the_order_they_settled);
    CHECK_ADD(c, f44_no_call_runs_a_callback_in_its_own_stack);
    CHECK_ADD(c, a_callback_needs_a_future_a_function_and_a_loop);
    CHECK_ADD(c, a_waiter_can_be_called_off_before_and_after_it_settles);
    CHECK_ADD(c, letting_go_of_a_pending_future_does_not_stop_it);
    CHECK_ADD(c, it_keeps_its_loop_alive);
    CHECK_ADD(c, a_reference_outlives_the_callback);
    CHECK_ADD(c, null_is_nobodys_future);
    CHECK_ADD(c, constant_futures_take_part_in_everything);
    CHECK_ADD(c, cancel_settles_at_once_and_once);
    CHECK_ADD(c, a_settled_future_is_not_canceled);
    CHECK_ADD(c, a_producer_holds_its_future_until_it_settles);
    CHECK_ADD(c, a_value_is_read_by_its_class_alone);
    CHECK_ADD(c, a_value_can_be_taken_through_a_follower_once);
    CHECK_ADD(c, a_follower_reads_as_the_one_it_follows);
    CHECK_ADD_LOOP(c, f42_a_callback_may_do_anything_and_the_others_still_come_once,
                   KINDS * ACTIONS);
    CHECK_ADD(c, f42_a_callback_may_drop_the_last_reference_to_its_own_future);
    return check_end(c);
}
