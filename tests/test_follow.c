/* test_follow.c - one future into another: timeout, shield, then; and long chains of them. */
#include "async/future.h"

#include "support/check.h"
#include "support/seen.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

static evpq_loop *loop;
static evpq_future *f; /* the child: the test keeps a reference */
static int value;

static void setup(void)
{
    loop = evpq_loop_new(NULL);
    f = evpq_future_new(loop, NULL, NULL);
}

static void teardown(evpq_future *result)
{
    evpq_future_unref(result);
    evpq_future_cancel(f);
    evpq_future_unref(f);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static evpq_future *child(void)
{
    return evpq_future_ref(f);
}

static evpq_future *pass_on(evpq_future *first, void *arg)
{
    return evpq_future_ref(first);
}

static evpq_future *endless(evpq_future *first)
{
    return evpq_timeout(first, 1e6);
}

static evpq_future *passing(evpq_future *first)
{
    return evpq_then(first, pass_on, NULL);
}

typedef evpq_future *follower_fn(evpq_future *);

static follower_fn *const each_follower[] = {endless, passing, evpq_shield};
enum { FOLLOWERS = 3, SHIELD = 2 };

/* ---- all three ---- */

START_TEST(it_reads_as_its_child_does)
{
    setup();
    evpq_future *w = each_follower[_i](child());
    ck_assert_uint_eq(evpq_future_count(w), 1);
    ck_assert_ptr_eq(evpq_future_at(w, 0), f);
    ck_assert_ptr_null(evpq_future_at(w, 1));
    evpq_future_set_value(f, &value, NULL);
    ck_future_pending(w);
    ck_await_ok(w);
    ck_assert_ptr_eq(evpq_future_value(w), &value);
    teardown(w);
}
END_TEST

START_TEST(it_fails_as_its_child_does)
{
    setup();
    evpq_future *w = each_follower[_i](child());
    evpq_future_set_error(f, EVPQ_LOST, "gone");
    ck_await_status(w, EVPQ_LOST);
    ck_assert_ptr_eq(evpq_future_error(w), evpq_future_error(f));
    teardown(w);
}
END_TEST

START_TEST(canceling_it_cancels_the_child_of_all_but_shield)
{
    setup();
    evpq_future *w = each_follower[_i](child());
    struct seen seen;
    seen_watch(w, &seen);
    evpq_future_cancel(w);
    ck_future_status(w, EVPQ_CANCELED);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(w)), EVPQ_OUTCOME_UNKNOWN);
    ck_future_status(f, _i == SHIELD ? EVPQ_PENDING : EVPQ_CANCELED);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    if (_i == SHIELD)
        ck_assert(evpq_future_set_value(f, NULL, NULL));
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_future_status(w, EVPQ_CANCELED);
    teardown(w);
}
END_TEST

START_TEST(a_canceled_child_cancels_it)
{
    setup();
    evpq_future *w = each_follower[_i](child());
    evpq_future_cancel(f);
    ck_await_status(w, EVPQ_CANCELED);
    teardown(w);
}
END_TEST

START_TEST(dropping_it_stops_nothing)
{
    setup();
    struct seen seen;
    evpq_future *w = each_follower[_i](child());
    seen_watch(w, &seen);
    evpq_future_unref(w);
    evpq_future_set_value(f, NULL, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(seen.status, EVPQ_OK);
    teardown(NULL);
}
END_TEST

START_TEST(a_child_without_a_loop_is_passed_through)
{
    ck_future_status(each_follower[_i](NULL), EVPQ_INVALID);
    ck_future_status(each_follower[_i](future_constant(EVPQ_INVALID)), EVPQ_INVALID);
    ck_future_status(each_follower[_i](future_constant(EVPQ_NOMEM)), EVPQ_NOMEM);
}
END_TEST

/* ---- timeout ---- */

START_TEST(a_deadline_fails_it_and_cancels_the_child)
{
    setup();
    double start = loop_time(loop);
    evpq_future *w = evpq_timeout(child(), 0.01);
    ck_await_status(w, EVPQ_TIMEOUT);
    ck_assert_double_ge(loop_time(loop) - start, 0.0099);
    ck_future_status(f, EVPQ_CANCELED);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(w)), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(w)), "not done within 0.01 s");
    teardown(w);
}
END_TEST

START_TEST(a_deadline_that_has_passed_fails_a_pending_child_at_the_next_turn)
{
    const double times[] = {0., -0., -1., -INFINITY};
    setup();
    for (int i = 0; i < 4; i++) {
        evpq_future *w = evpq_timeout(evpq_sleep(loop, 1e6), times[i]);
        ck_future_pending(w);
        ck_await_status(w, EVPQ_TIMEOUT);
        ck_assert_int_eq(evpq_error_outcome(evpq_future_error(w)), EVPQ_OUTCOME_NOT_SENT);
        evpq_future_unref(w);
    }
    teardown(NULL);
}
END_TEST

START_TEST(a_child_that_had_settled_is_never_too_late)
{
    setup();
    evpq_future_set_value(f, &value, NULL);
    evpq_future *w = evpq_timeout(child(), 0.);
    ck_await_ok(w);
    teardown(w);
}
END_TEST

static void settles_child(struct ev_loop *l, ev_timer *timer, int events)
{
    evpq_future_set_value(f, &value, NULL);
}

START_TEST(a_child_that_settles_in_the_turn_of_the_deadline_is_in_time)
{
    ev_timer just_before;
    setup();
    evpq_future *w = evpq_timeout(child(), 0.);
    ev_timer_init(&just_before, settles_child, 0., 0.);
    ev_set_priority(&just_before, EV_MAXPRI);
    ev_timer_start(evpq_loop_ev(loop), &just_before);
    ck_await_ok(w);
    teardown(w);
}
END_TEST

START_TEST(no_deadline_at_all_is_infinity)
{
    setup();
    evpq_future *w = evpq_timeout(child(), INFINITY);
    ck_assert(!ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT)); /* not even a timer */
    ck_future_pending(w);
    evpq_future_set_value(f, NULL, NULL);
    ck_await_ok(w);
    teardown(w);
}
END_TEST

START_TEST(a_deadline_is_a_number)
{
    setup();
    evpq_future *w = evpq_timeout(child(), NAN);
    ck_future_status(w, EVPQ_INVALID);
    ck_future_status(f, EVPQ_CANCELED);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(w)), "number"));
    ck_future_status(evpq_timeout(NULL, NAN), EVPQ_INVALID);
    teardown(w);
}
END_TEST

START_TEST(an_answer_in_time_leaves_no_timer)
{
    setup();
    evpq_future *w = evpq_timeout(child(), 1e6);
    evpq_future_set_value(f, NULL, NULL);
    evpq_loop_run(loop); /* returns */
    ck_future_ok(w);
    teardown(w);
}
END_TEST

START_TEST(the_shorter_of_two_deadlines_counts)
{
    setup();
    evpq_future *w = evpq_timeout(evpq_timeout(child(), 1e6), 0.);
    ck_await_status(w, EVPQ_TIMEOUT);
    ck_future_status(evpq_future_at(w, 0), EVPQ_CANCELED);
    evpq_loop_run(loop); /* the longer one's timer is gone */
    teardown(w);
}
END_TEST

START_TEST(wait_for_a_shielded_future_leaves_it_running)
{
    setup();
    evpq_future *w = evpq_timeout(evpq_shield(child()), 0.);
    ck_await_status(w, EVPQ_TIMEOUT);
    ck_future_pending(f);
    teardown(w);
}
END_TEST

/* ---- then ---- */

static struct {
    int calls;
    evpq_status first; /* as the function saw it */
    evpq_future *returns, *cancels;
    bool adds;
} step;

static evpq_future *then_step(evpq_future *first, void *arg)
{
    ck_assert_ptr_eq(arg, &step);
    step.calls++;
    step.first = evpq_future_status(first);
    evpq_future_cancel(step.cancels);
    return step.returns;
}

static evpq_future *stepping(void)
{
    return evpq_then(child(), then_step, &step);
}

START_TEST(then_is_called_for_success_and_failure)
{
    bool succeeds = _i;
    setup();
    evpq_future *w = stepping();
    step.returns = evpq_future_ok(loop, &value, NULL);
    if (succeeds)
        evpq_future_set_value(f, NULL, NULL);
    else
        evpq_future_set_error(f, EVPQ_LOST, "gone");
    ck_assert_int_eq(step.calls, 0);
    ck_await_ok(w);
    ck_assert_int_eq(step.calls, 1);
    ck_assert_int_eq(step.first, succeeds ? EVPQ_OK : EVPQ_LOST);
    ck_assert_ptr_eq(evpq_future_value(w), &value);
    teardown(w);
}
END_TEST

START_TEST(then_follows_what_was_returned)
{
    bool succeeds = _i;
    setup();
    evpq_future *w = stepping(), *second = evpq_future_new(loop, NULL, NULL);
    step.returns = evpq_future_ref(second);
    evpq_future_set_value(f, NULL, NULL);
    evpq_loop_run(loop);
    ck_future_pending(w);
    ck_assert_ptr_eq(evpq_future_at(w, 0), second);
    if (succeeds)
        evpq_future_set_value(second, &value, NULL);
    else
        evpq_future_set_error(second, EVPQ_TYPE, "second");
    ck_await_status(w, succeeds ? EVPQ_OK : EVPQ_TYPE);
    evpq_future_unref(second);
    teardown(w);
}
END_TEST

START_TEST(canceling_then_cancels_what_was_returned)
{
    setup();
    evpq_future *w = stepping(), *second = evpq_future_new(loop, NULL, NULL);
    step.returns = evpq_future_ref(second);
    evpq_future_set_value(f, NULL, NULL);
    evpq_loop_run(loop);
    evpq_future_cancel(w);
    ck_future_status(w, EVPQ_CANCELED);
    ck_future_status(second, EVPQ_CANCELED);
    ck_future_ok(f);
    evpq_future_unref(second);
    teardown(w);
}
END_TEST

START_TEST(then_is_not_called_once_it_was_canceled)
{
    bool settled = _i; /* but the function had not been called yet */
    setup();
    evpq_future *w = stepping();
    if (settled)
        evpq_future_set_value(f, NULL, NULL);
    evpq_future_cancel(w);
    evpq_loop_run(loop);
    ck_assert_int_eq(step.calls, 0);
    ck_future_status(w, EVPQ_CANCELED);
    teardown(w);
}
END_TEST

START_TEST(then_may_be_canceled_by_its_own_function)
{
    setup();
    evpq_future *w = stepping(), *second = evpq_future_new(loop, NULL, NULL);
    step.returns = evpq_future_ref(second);
    step.cancels = w;
    evpq_future_set_value(f, NULL, NULL);
    ck_await_status(w, EVPQ_CANCELED);
    ck_future_status(second, EVPQ_CANCELED); /* nobody else could stop it */
    evpq_future_unref(second);
    teardown(w);
}
END_TEST

START_TEST(then_may_return_what_has_failed_or_is_constant)
{
    setup();
    evpq_future *w = stepping();
    step.returns = _i ? future_constant(EVPQ_NOMEM) : evpq_future_failed(loop, EVPQ_NOMEM, "no");
    evpq_future_set_value(f, NULL, NULL);
    ck_await_status(w, EVPQ_NOMEM);
    teardown(w);
}
END_TEST

START_TEST(then_cannot_return_nothing)
{
    setup();
    evpq_future *w = stepping();
    evpq_future_set_value(f, NULL, NULL);
    ck_await_status(w, EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(w)), "NULL"));
    teardown(w);
}
END_TEST

START_TEST(then_cannot_wait_for_itself)
{
    setup();
    evpq_future *w = stepping();
    step.returns = evpq_future_ref(w);
    evpq_future_set_value(f, NULL, NULL);
    ck_await_status(w, EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(w)), "waits for it"));
    teardown(w);
}
END_TEST

START_TEST(then_cannot_follow_to_another_loop)
{
    setup();
    evpq_loop *other = evpq_loop_new(NULL);
    evpq_future *w = stepping(), *alien = evpq_future_new(other, NULL, NULL);
    step.returns = evpq_future_ref(alien);
    evpq_future_set_value(f, NULL, NULL);
    ck_await_status(w, EVPQ_INVALID);
    ck_future_status(alien, EVPQ_CANCELED);
    evpq_future_unref(alien);
    evpq_loop_unref(other);
    teardown(w);
}
END_TEST

START_TEST(then_needs_a_function)
{
    setup();
    evpq_future *w = evpq_then(child(), NULL, NULL);
    ck_future_status(w, EVPQ_INVALID);
    ck_future_status(f, EVPQ_CANCELED);
    ck_future_status(evpq_then(NULL, NULL, NULL), EVPQ_INVALID);
    teardown(w);
}
END_TEST

/* Waits, in a roundabout way, for itself: only a cancel can end it. */
static evpq_future *then_cycle(evpq_future *first, void *arg)
{
    evpq_future *members[] = {evpq_shield(child()), evpq_timeout(evpq_future_ref(arg), 1e6)};
    return evpq_all(members, 2);
}

static evpq_future *cycle; /* holds itself for ever, in the end */

static evpq_future *then_cycle_of(evpq_future *first, void *arg)
{
    return then_cycle(first, cycle);
}

START_TEST(a_cycle_can_be_canceled)
{
    setup();
    cycle = evpq_then(evpq_future_ok(loop, NULL, NULL), then_cycle_of, NULL);
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
    ck_future_pending(cycle);
    evpq_future *group = evpq_future_at(cycle, 0);
    evpq_future_cancel(_i ? group : cycle);
    evpq_loop_run(loop);
    ck_future_status(cycle, EVPQ_CANCELED);
    ck_future_status(group, EVPQ_CANCELED);
    ck_future_pending(f);
    teardown(cycle);
}
END_TEST

START_TEST(a_cycle_can_end_by_itself)
{
    setup();
    evpq_future *members[] = {child(),
                              evpq_then(evpq_future_ok(loop, NULL, NULL), then_cycle_of, NULL)};
    cycle = evpq_race(members, 2);
    evpq_future_set_value(evpq_future_at(cycle, 0), &value, NULL);
    ck_await_ok(cycle);
    ck_future_status(evpq_future_at(cycle, 1), EVPQ_CANCELED);
    teardown(cycle);
}
END_TEST

/* ---- long chains ---- */

enum { LONG = 100000 };

/* Recursion to such a depth would not fit. */
static void setup_little_stack(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = 512 * 1024;
    ck_assert_int_eq(setrlimit(RLIMIT_STACK, &limit), 0);
    setup();
}

static evpq_future *chain_of(int kind, int n)
{
    evpq_future *w = child();
    for (int i = 0; i < n; i++)
        w = each_follower[kind](w);
    return w;
}

START_TEST(a_long_chain_settles_and_is_freed)
{
    setup_little_stack();
    evpq_future *w = chain_of(_i, LONG);
    evpq_future_set_value(f, &value, NULL);
    ck_await_ok(w);
    ck_assert_ptr_eq(evpq_future_value(w), &value);
    teardown(w);
}
END_TEST

START_TEST(a_long_chain_is_canceled_and_freed)
{
    setup_little_stack();
    evpq_future *w = chain_of(_i, LONG);
    evpq_future_cancel(w);
    ck_future_status(w, EVPQ_CANCELED);
    ck_future_status(f, _i == SHIELD ? EVPQ_PENDING : EVPQ_CANCELED);
    if (_i == SHIELD)
        evpq_future_cancel(f);
    teardown(w);
}
END_TEST

START_TEST(a_long_chain_times_out_and_is_freed)
{
    setup_little_stack();
    evpq_future *w = evpq_timeout(chain_of(_i, LONG), 0.);
    ck_await_status(w, EVPQ_TIMEOUT);
    if (_i == SHIELD)
        evpq_future_cancel(f);
    teardown(w);
}
END_TEST

/* A loop in the shape of futures: each turn's future waits for the next turn's. */
static evpq_future *then_again(evpq_future *first, void *arg)
{
    int *left = arg;
    if (--*left == 0)
        return child();
    return evpq_then(evpq_future_ok(loop, NULL, NULL), then_again, arg);
}

START_TEST(a_long_loop_of_thens_is_freed)
{
    bool settles = _i;
    int left = LONG;
    setup_little_stack();
    evpq_future *w = evpq_then(evpq_future_ok(loop, NULL, NULL), then_again, &left);
    evpq_loop_run(loop);
    ck_assert_int_eq(left, 0);
    if (settles)
        evpq_future_set_value(f, NULL, NULL);
    else
        evpq_future_cancel(w);
    ck_await_status(w, settles ? EVPQ_OK : EVPQ_CANCELED);
    teardown(w);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("follow");
    CHECK_ADD_LOOP(c, it_reads_as_its_child_does, FOLLOWERS);
    CHECK_ADD_LOOP(c, it_fails_as_its_child_does, FOLLOWERS);
    CHECK_ADD_LOOP(c, canceling_it_cancels_the_child_of_all_but_shield, FOLLOWERS);
    CHECK_ADD_LOOP(c, a_canceled_child_cancels_it, FOLLOWERS);
    CHECK_ADD_LOOP(c, dropping_it_stops_nothing, FOLLOWERS);
    CHECK_ADD_LOOP(c, a_child_without_a_loop_is_passed_through, FOLLOWERS);
    CHECK_ADD(c, a_deadline_fails_it_and_cancels_the_child);
    CHECK_ADD(c, a_deadline_that_has_passed_fails_a_pending_child_at_the_next_turn);
    CHECK_ADD(c, a_child_that_had_settled_is_never_too_late);
    CHECK_ADD(c, a_child_that_settles_in_the_turn_of_the_deadline_is_in_time);
    CHECK_ADD(c, no_deadline_at_all_is_infinity);
    CHECK_ADD(c, a_deadline_is_a_number);
    CHECK_ADD(c, an_answer_in_time_leaves_no_timer);
    CHECK_ADD(c, the_shorter_of_two_deadlines_counts);
    CHECK_ADD(c, wait_for_a_shielded_future_leaves_it_running);
    CHECK_ADD_LOOP(c, then_is_called_for_success_and_failure, 2);
    CHECK_ADD_LOOP(c, then_follows_what_was_returned, 2);
    CHECK_ADD(c, canceling_then_cancels_what_was_returned);
    CHECK_ADD_LOOP(c, then_is_not_called_once_it_was_canceled, 2);
    CHECK_ADD(c, then_may_be_canceled_by_its_own_function);
    CHECK_ADD_LOOP(c, then_may_return_what_has_failed_or_is_constant, 2);
    CHECK_ADD(c, then_cannot_return_nothing);
    CHECK_ADD(c, then_cannot_wait_for_itself);
    CHECK_ADD(c, then_cannot_follow_to_another_loop);
    CHECK_ADD(c, then_needs_a_function);
    CHECK_ADD_LOOP(c, a_cycle_can_be_canceled, 2);
    CHECK_ADD(c, a_cycle_can_end_by_itself);
    CHECK_ADD_LOOP(c, a_long_chain_settles_and_is_freed, FOLLOWERS);
    CHECK_ADD_LOOP(c, a_long_chain_is_canceled_and_freed, FOLLOWERS);
    CHECK_ADD_LOOP(c, a_long_chain_times_out_and_is_freed, FOLLOWERS);
    CHECK_ADD_LOOP(c, a_long_loop_of_thens_is_freed, 2);
    return check_end(c);
}
