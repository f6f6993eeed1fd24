/* test_combine.c - many futures into one: all, all_settled, any, race. Random schedules of them:
 * test_schedules.c. */
#include "async/future.h"

#include "support/check.h"
#include "support/seen.h"

#include <string.h>

enum { N = 3 };

static evpq_loop *loop;
static evpq_future *f[N]; /* members: the test keeps a reference to each */
static int values[N];

static void setup(void)
{
    loop = evpq_loop_new(NULL);
    for (int i = 0; i < N; i++)
        f[i] = evpq_future_new(loop, NULL, NULL);
}

static void teardown(evpq_future *result)
{
    evpq_future_unref(result);
    for (int i = 0; i < N; i++) {
        evpq_future_cancel(f[i]);
        evpq_future_unref(f[i]);
    }
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static evpq_future *made_of(evpq_future *combinator(evpq_future *const *, size_t))
{
    evpq_future *members[N];
    for (int i = 0; i < N; i++)
        members[i] = evpq_future_ref(f[i]);
    return combinator(members, N);
}

static void win(int i)
{
    ck_assert(evpq_future_set_value(f[i], &values[i], NULL));
}

static void lose(int i)
{
    ck_assert(evpq_future_set_error(f[i], EVPQ_LOST, "member %d", i));
}

static void check_members(evpq_status a, evpq_status b, evpq_status c)
{
    ck_future_status(f[0], a);
    ck_future_status(f[1], b);
    ck_future_status(f[2], c);
}

typedef evpq_future *combinator_fn(evpq_future *const *, size_t);

static combinator_fn *const each_combinator[] = {evpq_all, evpq_all_settled, evpq_any, evpq_race};
enum { COMBINATORS = 4 };

/* ---- what each makes of its members ---- */

START_TEST(all_is_done_when_the_last_is)
{
    setup();
    evpq_future *all = made_of(evpq_all);
    win(2), win(0);
    evpq_loop_run(loop);
    ck_future_pending(all);
    win(1);
    ck_await_ok(all);
    ck_assert_ptr_null(evpq_future_value(all));
    for (int i = 0; i < N; i++) /* the values are read from the members, in their places */
        ck_assert_ptr_eq(evpq_future_value(evpq_future_at(all, (size_t)i)), &values[i]);
    teardown(all);
}
END_TEST

START_TEST(all_fails_with_the_first_failure_and_cancels_the_rest)
{
    setup();
    evpq_future *all = made_of(evpq_all);
    lose(1);
    ck_await_status(all, EVPQ_LOST);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(all)), "member 1");
    check_members(EVPQ_CANCELED, EVPQ_LOST, EVPQ_CANCELED);
    teardown(all);
}
END_TEST

START_TEST(the_first_failure_is_the_one_that_came_first)
{
    setup();
    evpq_future *all = made_of(evpq_all);
    lose(2), lose(0);
    ck_await_status(all, EVPQ_LOST);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(all)), "member 2");
    teardown(all);
}
END_TEST

START_TEST(all_settled_waits_for_failures_too_and_never_fails)
{
    setup();
    evpq_future *all = made_of(evpq_all_settled);
    lose(0), win(2);
    evpq_loop_run(loop);
    ck_future_pending(all);
    check_members(EVPQ_LOST, EVPQ_PENDING, EVPQ_OK);
    evpq_future_cancel(f[1]);
    ck_await_ok(all);
    check_members(EVPQ_LOST, EVPQ_CANCELED, EVPQ_OK);
    teardown(all);
}
END_TEST

START_TEST(any_takes_the_first_success_and_cancels_the_rest)
{
    setup();
    evpq_future *any = made_of(evpq_any);
    lose(0);
    evpq_loop_run(loop);
    ck_future_pending(any);
    win(2);
    ck_await_ok(any);
    ck_assert_ptr_eq(evpq_future_value(any), &values[2]);
    check_members(EVPQ_LOST, EVPQ_CANCELED, EVPQ_OK);
    teardown(any);
}
END_TEST

START_TEST(any_fails_with_the_last_failure_when_all_fail)
{
    setup();
    evpq_future *any = made_of(evpq_any);
    lose(2), lose(1);
    evpq_loop_run(loop);
    ck_future_pending(any);
    lose(0);
    ck_await_status(any, EVPQ_LOST);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(any)), "member 0");
    teardown(any);
}
END_TEST

START_TEST(race_takes_the_first_to_settle_and_cancels_the_rest)
{
    bool succeeds = _i;
    setup();
    evpq_future *race = made_of(evpq_race);
    (succeeds ? win : lose)(1);
    ck_await_status(race, succeeds ? EVPQ_OK : EVPQ_LOST);
    ck_assert_ptr_eq(evpq_future_value(race), succeeds ? &values[1] : NULL);
    check_members(EVPQ_CANCELED, evpq_future_status(race), EVPQ_CANCELED);
    teardown(race);
}
END_TEST

/* ---- what they have in common ---- */

START_TEST(canceling_it_cancels_every_member)
{
    setup();
    evpq_future *g = made_of(each_combinator[_i]);
    struct seen seen;
    seen_watch(g, &seen);
    evpq_future_cancel(g);
    ck_future_status(g, EVPQ_CANCELED);
    check_members(EVPQ_CANCELED, EVPQ_CANCELED, EVPQ_CANCELED);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_future_status(g, EVPQ_CANCELED);
    teardown(g);
}
END_TEST

START_TEST(a_canceled_group_reports_the_worst_outcome_of_its_members)
{
    setup();
    evpq_future *members[] = {evpq_sleep(loop, 1e6), evpq_sleep(loop, 1e6)};
    evpq_future *not_sent = evpq_all(members, 2), *unknown = made_of(evpq_all);
    evpq_future_cancel(not_sent);
    evpq_future_cancel(unknown);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(not_sent)), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(unknown)), EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(not_sent);
    teardown(unknown);
}
END_TEST

START_TEST(what_a_member_has_done_cannot_be_undone_by_a_cancel)
{
    setup();
    evpq_future *members[] = {evpq_future_ok(loop, NULL, NULL), evpq_sleep(loop, 1e6)};
    evpq_future *all = evpq_all(members, 2);
    evpq_future_cancel(all);
    ck_future_status(all, EVPQ_CANCELED);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(all)), EVPQ_OUTCOME_UNKNOWN);
    teardown(all);
}
END_TEST

START_TEST(members_that_have_settled_count_at_the_next_turn)
{
    setup();
    win(0), win(1), win(2);
    evpq_future *g = made_of(each_combinator[_i]);
    ck_future_pending(g);
    ck_await_ok(g);
    teardown(g);
}
END_TEST

START_TEST(dropping_it_leaves_the_members_running)
{
    setup();
    evpq_future *g = made_of(each_combinator[_i]);
    struct seen seen;
    seen_watch(g, &seen);
    evpq_future_unref(g);
    evpq_loop_run(loop);
    check_members(EVPQ_PENDING, EVPQ_PENDING, EVPQ_PENDING);
    win(0), win(1), win(2);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    teardown(NULL);
}
END_TEST

START_TEST(members_can_be_read_and_outlive_their_other_references)
{
    setup();
    evpq_future *g = made_of(each_combinator[_i]);
    ck_assert_uint_eq(evpq_future_count(g), N);
    for (int i = 0; i < N; i++)
        ck_assert_ptr_eq(evpq_future_at(g, (size_t)i), f[i]);
    ck_assert_ptr_null(evpq_future_at(g, N));
    ck_assert_ptr_null(evpq_future_at(g, (size_t)-1));
    win(0), win(1), win(2);
    for (int i = 0; i < N; i++)
        f[i] = evpq_future_unref(f[i]);
    ck_await_ok(g);
    ck_assert_ptr_eq(evpq_future_value(evpq_future_at(g, 1)), &values[1]);
    teardown(g);
}
END_TEST

START_TEST(a_future_may_be_a_member_twice)
{
    setup();
    evpq_future *twice[] = {evpq_future_ref(f[0]), evpq_future_ref(f[0])};
    evpq_future *g = each_combinator[_i](twice, 2);
    win(0);
    ck_await_ok(g);
    teardown(g);
}
END_TEST

START_TEST(groups_may_share_a_member)
{
    setup();
    evpq_future *one = made_of(evpq_all_settled), *other = made_of(evpq_race);
    win(0);
    evpq_loop_run(loop);
    ck_future_ok(one); /* the race canceled the others */
    ck_future_ok(other);
    evpq_future_unref(other);
    teardown(one);
}
END_TEST

/* ---- members it cannot have ---- */

START_TEST(no_members_are_invalid)
{
    evpq_future *none[1] = {NULL};
    ck_future_status(each_combinator[_i](none, 0), EVPQ_INVALID);
    ck_future_status(each_combinator[_i](NULL, 0), EVPQ_INVALID);
    ck_future_status(each_combinator[_i](NULL, 3), EVPQ_INVALID);
    ck_future_status(each_combinator[_i](none, 1), EVPQ_INVALID);
}
END_TEST

START_TEST(a_null_member_is_one_that_has_failed)
{
    setup();
    evpq_future *members[] = {evpq_future_ref(f[0]), NULL};
    evpq_future *g = each_combinator[_i](members, 2);
    ck_assert_uint_eq(evpq_future_count(g), 2);
    ck_future_status(evpq_future_at(g, 1), EVPQ_INVALID);
    win(0);
    bool tolerates = each_combinator[_i] == evpq_all_settled || each_combinator[_i] == evpq_any;
    ck_await_status(g, tolerates ? EVPQ_OK : EVPQ_INVALID);
    teardown(g);
}
END_TEST

START_TEST(members_without_a_loop_fail_it_as_they_failed)
{
    evpq_future *members[] = {future_constant(EVPQ_NOMEM), future_constant(EVPQ_INVALID)};
    ck_future_status(each_combinator[_i](members, 2), EVPQ_NOMEM);
}
END_TEST

START_TEST(members_of_different_loops_are_refused_and_stopped)
{
    setup();
    evpq_loop *other = evpq_loop_new(NULL);
    evpq_future *alien = evpq_future_new(other, NULL, NULL);
    evpq_future *members[] = {evpq_future_ref(f[0]), evpq_future_ref(alien)};
    evpq_future *g = each_combinator[_i](members, 2);
    ck_future_status(g, EVPQ_INVALID);
    ck_future_status(f[0], EVPQ_CANCELED);
    ck_future_status(alien, EVPQ_CANCELED);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(g)), "loops"));
    evpq_future_unref(alien);
    evpq_loop_unref(other);
    teardown(g);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("combine");
    CHECK_ADD(c, all_is_done_when_the_last_is);
    CHECK_ADD(c, all_fails_with_the_first_failure_and_cancels_the_rest);
    CHECK_ADD(c, the_first_failure_is_the_one_that_came_first);
    CHECK_ADD(c, all_settled_waits_for_failures_too_and_never_fails);
    CHECK_ADD(c, any_takes_the_first_success_and_cancels_the_rest);
    CHECK_ADD(c, any_fails_with_the_last_failure_when_all_fail);
    CHECK_ADD_LOOP(c, race_takes_the_first_to_settle_and_cancels_the_rest, 2);
    CHECK_ADD_LOOP(c, canceling_it_cancels_every_member, COMBINATORS);
    CHECK_ADD(c, a_canceled_group_reports_the_worst_outcome_of_its_members);
    CHECK_ADD(c, what_a_member_has_done_cannot_be_undone_by_a_cancel);
    CHECK_ADD_LOOP(c, members_that_have_settled_count_at_the_next_turn, COMBINATORS);
    CHECK_ADD_LOOP(c, dropping_it_leaves_the_members_running, COMBINATORS);
    CHECK_ADD_LOOP(c, members_can_be_read_and_outlive_their_other_references, COMBINATORS);
    CHECK_ADD_LOOP(c, a_future_may_be_a_member_twice, COMBINATORS);
    CHECK_ADD(c, groups_may_share_a_member);
    CHECK_ADD_LOOP(c, no_members_are_invalid, COMBINATORS);
    CHECK_ADD_LOOP(c, a_null_member_is_one_that_has_failed, COMBINATORS);
    CHECK_ADD_LOOP(c, members_without_a_loop_fail_it_as_they_failed, COMBINATORS);
    CHECK_ADD_LOOP(c, members_of_different_loops_are_refused_and_stopped, COMBINATORS);
    return check_end(c);
}
