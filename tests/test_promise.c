/* test_promise.c - a program's own futures, those settled from the start, and sleep. */
#include "async/future.h"

#include "support/check.h"
#include "support/seen.h"
#include "words/error.h"

#include <math.h>
#include <string.h>

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

START_TEST(a_value_is_kept_until_its_future_goes)
{
    setup();
    int value;
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    ck_assert_ptr_null(evpq_future_value(f));
    ck_assert(evpq_future_set_value(f, &value, seen_free));
    ck_future_ok(f);
    ck_assert_ptr_eq(evpq_future_value(f), &value);
    ck_assert_ptr_null(evpq_future_error(f));
    ck_assert_int_eq(seen_freed, 0);
    evpq_future_unref(f);
    ck_assert_int_eq(seen_freed, 1);
    teardown();
}
END_TEST

START_TEST(it_settles_once)
{
    setup();
    int first, second;
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    ck_assert(evpq_future_set_value(f, &first, seen_free));
    ck_assert(!evpq_future_set_value(f, &second, seen_free));
    ck_assert(!evpq_future_set_error(f, EVPQ_LOST, "late"));
    ck_future_ok(f);
    ck_assert_ptr_eq(evpq_future_value(f), &first);
    evpq_future_unref(f);
    ck_assert_int_eq(seen_freed, 1); /* the second is still its owner's */
    teardown();
}
END_TEST

START_TEST(a_failure_says_what_the_program_said)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    ck_assert(evpq_future_set_error(f, EVPQ_CONNECT, "no %s on %d", "answer", 7));
    ck_future_status(f, EVPQ_CONNECT);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(f)), "no answer on 7");
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_ptr_null(evpq_future_value(f));
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(success_is_no_failure)
{
    setup();
    const evpq_status not_failures[] = {EVPQ_OK, EVPQ_PENDING};
    for (int i = 0; i < 2; i++) {
        evpq_future *f = evpq_future_new(loop, NULL, NULL);
        evpq_future *failed = evpq_future_failed(loop, not_failures[i], "oops");
        ck_assert(evpq_future_set_error(f, not_failures[i], "oops"));
        ck_future_status(f, EVPQ_INVALID);
        ck_future_status(failed, EVPQ_INVALID);
        evpq_future_unref(f);
        evpq_future_unref(failed);
    }
    teardown();
}
END_TEST

START_TEST(it_can_be_settled_without_a_reference_of_ones_own)
{
    setup();
    struct seen seen;
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    seen_watch(f, &seen);
    evpq_future_unref(f);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 0);
    ck_assert(evpq_future_set_value(f, NULL, NULL));
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    teardown();
}
END_TEST

/* ---- on_cancel ---- */

static int canceled;

static void on_cancel(evpq_future *f, void *arg)
{
    canceled++;
    ck_future_status(f, EVPQ_CANCELED);
    ck_assert(!evpq_future_set_value(f, arg, seen_free)); /* too late */
}

START_TEST(the_program_is_told_once_of_a_cancel)
{
    setup();
    int work;
    evpq_future *f = evpq_future_new(loop, on_cancel, &work);
    evpq_future_cancel(f);
    evpq_future_cancel(f);
    evpq_future_unref(f); /* it lives until the program has been told */
    ck_assert_int_eq(canceled, 0);
    evpq_loop_run(loop);
    ck_assert_int_eq(canceled, 1);
    ck_assert_int_eq(seen_freed, 0);
    teardown();
}
END_TEST

START_TEST(the_program_is_not_told_of_a_cancel_that_came_too_late)
{
    setup();
    evpq_future *f = evpq_future_new(loop, on_cancel, NULL);
    evpq_future_set_value(f, NULL, NULL);
    evpq_future_cancel(f);
    evpq_loop_run(loop);
    ck_assert_int_eq(canceled, 0);
    ck_future_ok(f);
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(on_cancel_comes_before_the_callbacks)
{
    setup();
    struct seen told, done;
    memset(&told, 0, sizeof told);
    evpq_future *f = evpq_future_new(loop, seen_done, &told);
    seen_watch(f, &done);
    evpq_future_cancel(f);
    evpq_loop_run(loop);
    ck_assert_int_eq(told.place, 1);
    ck_assert_int_eq(done.place, 2);
    evpq_future_unref(f);
    teardown();
}
END_TEST

/* ---- settled from the start ---- */

START_TEST(ok_and_failed_have_settled_already)
{
    setup();
    int value;
    evpq_future *ok = evpq_future_ok(loop, &value, seen_free);
    evpq_future *failed = evpq_future_failed(loop, EVPQ_LOST, "%d", 5);
    ck_future_ok(ok);
    ck_assert_ptr_eq(evpq_future_value(ok), &value);
    ck_future_status(failed, EVPQ_LOST);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(failed)), "5");
    evpq_future_unref(ok);
    evpq_future_unref(failed);
    ck_assert_int_eq(seen_freed, 1);
    teardown();
}
END_TEST

START_TEST(a_failure_can_be_made_of_any_error)
{
    setup();
    evpq_error *error = error_build(&(struct error_fields){
        .status = EVPQ_SERVER, .outcome = EVPQ_OUTCOME_REJECTED, .sqlstate = "42601"});
    evpq_future *f = future_failed(loop, evpq_error_ref(error));
    ck_future_status(f, EVPQ_SERVER);
    ck_assert_ptr_eq(evpq_future_error(f), error);
    evpq_future_unref(f);
    ck_future_status(future_failed(NULL, error), EVPQ_INVALID); /* taken even so */
    teardown();
}
END_TEST

START_TEST(without_a_loop_there_is_only_failure)
{
    int value;
    ck_future_status(evpq_future_new(NULL, NULL, NULL), EVPQ_INVALID);
    ck_future_status(evpq_sleep(NULL, 1.), EVPQ_INVALID);
    ck_future_status(evpq_future_failed(NULL, EVPQ_LOST, "x"), EVPQ_INVALID);
    ck_future_status(evpq_future_ok(NULL, &value, seen_free), EVPQ_INVALID);
    ck_assert_int_eq(seen_freed, 1); /* taken even so */
    ck_future_status(evpq_future_ok(NULL, NULL, seen_free), EVPQ_INVALID);
    ck_assert_int_eq(seen_freed, 1);
}
END_TEST

START_TEST(only_a_programs_own_future_can_be_settled_by_it)
{
    setup();
    evpq_future *slept = evpq_sleep(loop, 1e6), *shield = evpq_shield(evpq_future_ref(slept));
    ck_assert(!evpq_future_set_value(slept, NULL, NULL));
    ck_assert(!evpq_future_set_error(shield, EVPQ_LOST, "x"));
    ck_assert(!evpq_future_set_value(NULL, NULL, NULL));
    ck_future_pending(slept);
    evpq_future_cancel(slept);
    evpq_future_unref(slept);
    evpq_future_unref(shield);
    teardown();
}
END_TEST

/* ---- sleep ---- */

START_TEST(sleep_is_done_and_not_early)
{
    setup();
    double start = loop_time(loop);
    evpq_future *f = evpq_sleep(loop, 0.01);
    ck_await_ok(f);
    ck_assert_double_ge(loop_time(loop) - start, 0.0099);
    ck_assert_ptr_null(evpq_future_value(f));
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(sleep_for_nothing_or_less_is_done_at_the_next_turn)
{
    setup();
    const double times[] = {0., -0., -1., -INFINITY};
    for (int i = 0; i < 4; i++) {
        evpq_future *f = evpq_sleep(loop, times[i]);
        ck_future_pending(f);
        ck_await_ok(f);
        evpq_future_unref(f);
    }
    teardown();
}
END_TEST

START_TEST(sleep_can_be_endless_but_not_meaningless)
{
    setup();
    evpq_future *endless = evpq_sleep(loop, INFINITY), *nan = evpq_sleep(loop, NAN);
    ck_future_status(nan, EVPQ_INVALID);
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
    ck_future_pending(endless);
    evpq_future_cancel(endless);
    evpq_future_unref(endless);
    evpq_future_unref(nan);
    teardown();
}
END_TEST

START_TEST(a_canceled_sleep_keeps_no_timer)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 1e6);
    evpq_future_cancel(f);
    evpq_loop_run(loop); /* returns */
    ck_future_status(f, EVPQ_CANCELED);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(f);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("promise");
    CHECK_ADD(c, a_value_is_kept_until_its_future_goes);
    CHECK_ADD(c, it_settles_once);
    CHECK_ADD(c, a_failure_says_what_the_program_said);
    CHECK_ADD(c, success_is_no_failure);
    CHECK_ADD(c, it_can_be_settled_without_a_reference_of_ones_own);
    CHECK_ADD(c, the_program_is_told_once_of_a_cancel);
    CHECK_ADD(c, the_program_is_not_told_of_a_cancel_that_came_too_late);
    CHECK_ADD(c, on_cancel_comes_before_the_callbacks);
    CHECK_ADD(c, ok_and_failed_have_settled_already);
    CHECK_ADD(c, a_failure_can_be_made_of_any_error);
    CHECK_ADD(c, without_a_loop_there_is_only_failure);
    CHECK_ADD(c, only_a_programs_own_future_can_be_settled_by_it);
    CHECK_ADD(c, sleep_is_done_and_not_early);
    CHECK_ADD(c, sleep_for_nothing_or_less_is_done_at_the_next_turn);
    CHECK_ADD(c, sleep_can_be_endless_but_not_meaningless);
    CHECK_ADD(c, a_canceled_sleep_keeps_no_timer);
    return check_end(c);
}
