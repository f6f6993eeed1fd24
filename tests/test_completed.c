/* test_completed.c - evpq_as_completed: futures in the order in which they settle. */
#include "async/future.h"

#include "support/check.h"
#include "support/dice.h"
#include "support/oom.h"
#include "support/seen.h"

#include <evpq/sync.h>
#include <string.h>

enum { N = 4 };

static evpq_loop *loop;
static evpq_future *f[N];      /* members: the test keeps a reference to each */
static evpq_future *places[N]; /* what is made of them */
static int values[N];

static void setup(void)
{
    loop = evpq_loop_new(NULL);
    for (int i = 0; i < N; i++)
        places[i] = evpq_future_ref(f[i] = evpq_future_new(loop, NULL, NULL));
    ck_assert_int_eq(evpq_as_completed(places, N, places), EVPQ_OK);
}

static void teardown(void)
{
    for (int i = 0; i < N; i++) {
        evpq_future_unref(places[i]);
        evpq_future_cancel(f[i]);
        evpq_future_unref(f[i]);
    }
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static void win(int i)
{
    ck_assert(evpq_future_set_value(f[i], &values[i], NULL));
}

static void lose(int i)
{
    ck_assert(evpq_future_set_error(f[i], EVPQ_LOST, "member %d", i));
}

/* ---- in order ---- */

START_TEST(they_settle_in_the_order_in_which_the_members_do)
{
    static const int order[N] = {2, 0, 3, 1};
    setup();
    for (int k = 0; k < N; k++) {
        ck_future_pending(places[k]);
        ck_assert_uint_eq(evpq_future_count(places[k]), 0);
        ck_assert_ptr_null(evpq_future_at(places[k], 0));
        win(order[k]);
        ck_await_ok(places[k]);
        ck_assert_ptr_eq(evpq_future_value(places[k]), &values[order[k]]);
        ck_assert_uint_eq(evpq_future_count(places[k]), 1);
        ck_assert_ptr_eq(evpq_future_at(places[k], 0), f[order[k]]);
    }
    teardown();
}
END_TEST

START_TEST(so_they_do_when_several_settle_in_one_turn)
{
    setup();
    win(3), win(1), win(0);
    ck_future_pending(places[0]);
    evpq_loop_run(loop);
    ck_assert_ptr_eq(evpq_future_at(places[0], 0), f[3]);
    ck_assert_ptr_eq(evpq_future_at(places[1], 0), f[1]);
    ck_assert_ptr_eq(evpq_future_at(places[2], 0), f[0]);
    ck_future_pending(places[3]);
    teardown();
}
END_TEST

START_TEST(a_member_that_fails_takes_its_place_and_disturbs_nobody)
{
    setup();
    lose(1), win(0);
    evpq_loop_run(loop);
    ck_future_status(places[0], EVPQ_LOST);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(places[0])), "member 1");
    ck_future_ok(places[1]);
    ck_future_pending(f[2]);
    teardown();
}
END_TEST

START_TEST(their_callbacks_are_called_in_order_too)
{
    struct seen seen[N];
    setup();
    for (int i = N; i--;)
        seen_watch(places[i], &seen[i]);
    for (int i = 0; i < N; i++)
        win(i);
    evpq_loop_run(loop);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(seen[i].calls, 1);
        ck_assert_int_eq(seen[i].place, i + 1);
    }
    teardown();
}
END_TEST

START_TEST(one_that_had_settled_before_counts_at_the_next_turn)
{
    setup();
    evpq_future *fs[] = {evpq_future_ref(f[0]), evpq_future_ok(loop, &values[1], NULL)}, *as[2];
    ck_assert_int_eq(evpq_as_completed(fs, 2, as), EVPQ_OK);
    ck_future_pending(as[0]);
    ck_await_ok(as[0]);
    ck_assert_ptr_eq(evpq_future_value(as[0]), &values[1]);
    ck_future_pending(as[1]);
    win(0);
    ck_await_ok(as[1]);
    evpq_future_unref(as[0]);
    evpq_future_unref(as[1]);
    teardown();
}
END_TEST

START_TEST(a_future_may_be_a_member_twice)
{
    setup();
    evpq_future *fs[] = {evpq_future_ref(f[0]), evpq_future_ref(f[0])};
    ck_assert_int_eq(evpq_as_completed(fs, 2, fs), EVPQ_OK);
    win(0);
    for (int i = 0; i < 2; i++) {
        ck_await_ok(fs[i]);
        ck_assert_ptr_eq(evpq_future_at(fs[i], 0), f[0]);
        evpq_future_unref(fs[i]);
    }
    teardown();
}
END_TEST

/* ---- letting go ---- */

START_TEST(letting_go_of_one_leaves_the_others_in_their_places)
{
    setup();
    places[_i] = evpq_future_unref(places[_i]);
    win(3), win(2), win(1), win(0);
    evpq_loop_run(loop);
    for (int k = 0; k < N; k++)
        if (k != _i)
            ck_assert_ptr_eq(evpq_future_at(places[k], 0), f[N - 1 - k]);
    teardown();
}
END_TEST

START_TEST(letting_go_of_all_leaves_the_members_running)
{
    setup();
    for (int i = 0; i < N; i++)
        places[i] = evpq_future_unref(places[i]);
    evpq_loop_run(loop);
    for (int i = 0; i < N; i++)
        ck_future_pending(f[i]);
    win(0);
    evpq_loop_run(loop);
    ck_future_pending(f[1]);
    teardown();
}
END_TEST

START_TEST(a_member_lives_in_its_place_and_no_longer)
{
    setup();
    evpq_future *fs[] = {evpq_future_ok(loop, &values[0], seen_free), evpq_future_ref(f[0])};
    ck_assert_int_eq(evpq_as_completed(fs, 2, fs), EVPQ_OK);
    ck_await_ok(fs[0]);
    ck_assert_int_eq(seen_freed, 0);
    evpq_future_unref(fs[0]);
    ck_assert_int_eq(seen_freed, 1);
    ck_future_pending(fs[1]);
    evpq_future_unref(fs[1]);
    teardown();
}
END_TEST

/* ---- canceling ---- */

START_TEST(canceling_one_cancels_the_members_that_have_no_place)
{
    int k = _i + 1;
    setup();
    win(2);
    ck_await_ok(places[0]);
    evpq_future_cancel(places[k]);
    ck_future_status(places[k], EVPQ_CANCELED);
    ck_assert_ptr_null(evpq_future_at(places[k], 0));
    ck_future_ok(f[2]);
    static const int rest[] = {0, 1, 3};
    for (int i = 0; i < 3; i++)
        ck_future_status(f[rest[i]], EVPQ_CANCELED);
    evpq_loop_run(loop);
    int next = 0;
    for (int i = 1; i < N; i++)
        if (i != k)
            ck_assert_ptr_eq(evpq_future_at(places[i], 0), f[rest[next++]]);
    ck_future_ok(places[0]);
    teardown();
}
END_TEST

START_TEST(what_settled_before_the_cancel_keeps_its_place)
{
    setup();
    win(1); /* and nobody has been told yet */
    evpq_future_cancel(places[3]);
    ck_await_ok(places[0]);
    ck_assert_ptr_eq(evpq_future_at(places[0], 0), f[1]);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(places[3])), EVPQ_OUTCOME_UNKNOWN);
    teardown();
}
END_TEST

START_TEST(canceling_all_ends_all_at_once)
{
    setup();
    for (int i = 0; i < N; i++)
        evpq_future_cancel(places[i]);
    for (int i = 0; i < N; i++) {
        ck_future_status(places[i], EVPQ_CANCELED);
        places[i] = evpq_future_unref(places[i]);
    }
    teardown();
}
END_TEST

START_TEST(a_cancel_reports_the_worst_outcome_of_the_members)
{
    setup();
    evpq_future *fs[] = {evpq_sleep(loop, 1e6), evpq_sleep(loop, 1e6)};
    ck_assert_int_eq(evpq_as_completed(fs, 2, fs), EVPQ_OK);
    evpq_future_cancel(fs[1]);
    evpq_future_cancel(places[0]);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(fs[1])), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(places[0])), EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(fs[0]);
    evpq_future_unref(fs[1]);
    teardown();
}
END_TEST

static void free_and_run(void *item)
{
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
}

START_TEST(the_loop_may_run_while_one_is_being_canceled)
{
    setup();
    evpq_channel *c = evpq_channel_new(loop, 0, free_and_run);
    evpq_future *fs[] = {evpq_channel_send(c, c), evpq_future_ref(f[0])}, *as[2];
    evpq_future *sent = evpq_future_ref(fs[0]);
    ck_assert_int_eq(evpq_as_completed(fs, 2, as), EVPQ_OK);
    evpq_future_cancel(as[0]);
    ck_future_status(as[0], EVPQ_CANCELED);
    ck_assert_ptr_eq(evpq_future_at(as[1], 0), sent);
    ck_future_status(f[0], EVPQ_CANCELED);
    evpq_future_unref(sent);
    evpq_future_unref(as[0]);
    evpq_future_unref(as[1]);
    evpq_channel_unref(c);
    teardown();
}
END_TEST

/* ---- members it cannot have ---- */

START_TEST(no_members_give_nothing)
{
    evpq_future *as[] = {NULL};
    ck_assert_int_eq(evpq_as_completed(NULL, 0, NULL), EVPQ_OK);
    ck_assert_int_eq(evpq_as_completed(as, 0, as), EVPQ_OK);
    ck_assert_ptr_null(as[0]);
}
END_TEST

START_TEST(without_an_array_it_is_invalid_and_the_members_are_stopped)
{
    evpq_future *as[2];
    ck_assert_int_eq(evpq_as_completed(NULL, 2, as), EVPQ_INVALID);
    ck_future_status(as[0], EVPQ_INVALID);
    ck_future_status(as[1], EVPQ_INVALID);
    setup();
    evpq_future *fs[] = {evpq_future_ref(f[0])};
    ck_assert_int_eq(evpq_as_completed(fs, 1, NULL), EVPQ_INVALID);
    ck_future_status(f[0], EVPQ_CANCELED);
    teardown();
}
END_TEST

START_TEST(a_null_member_is_one_that_has_failed)
{
    setup();
    evpq_future *fs[] = {evpq_future_ref(f[0]), NULL, future_constant(EVPQ_NOMEM)};
    ck_assert_int_eq(evpq_as_completed(fs, 3, fs), EVPQ_OK);
    ck_await_status(fs[0], EVPQ_INVALID);
    ck_await_status(fs[1], EVPQ_NOMEM);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(fs[1])), "out of memory");
    ck_future_pending(fs[2]);
    for (int i = 0; i < 3; i++)
        evpq_future_unref(fs[i]);
    teardown();
}
END_TEST

START_TEST(members_without_a_loop_stand_as_they_are)
{
    evpq_future *fs[] = {NULL, future_constant(EVPQ_NOMEM)};
    ck_assert_int_eq(evpq_as_completed(fs, 2, fs), EVPQ_OK);
    ck_future_status(fs[0], EVPQ_INVALID);
    ck_future_status(fs[1], EVPQ_NOMEM);
}
END_TEST

START_TEST(members_of_different_loops_are_refused_and_stopped)
{
    setup();
    evpq_loop *other = evpq_loop_new(NULL);
    evpq_future *alien = evpq_future_new(other, NULL, NULL);
    evpq_future *fs[] = {evpq_future_ref(f[0]), evpq_future_ref(alien)};
    ck_assert_int_eq(evpq_as_completed(fs, 2, fs), EVPQ_INVALID);
    ck_future_status(f[0], EVPQ_CANCELED);
    ck_future_status(alien, EVPQ_CANCELED);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(evpq_await(fs[i]), EVPQ_INVALID);
        ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(fs[i])), "loops"));
        evpq_future_unref(fs[i]);
    }
    evpq_future_unref(alien);
    evpq_loop_unref(other);
    teardown();
}
END_TEST

START_TEST(without_memory_the_members_are_stopped_and_each_says_so)
{
    setup();
    EACH_ALLOCATION(n, failed) {
        evpq_future *a = evpq_future_new(loop, NULL, NULL), *b = evpq_sleep(loop, 1e6);
        evpq_future *fs[] = {evpq_future_ref(a), evpq_future_ref(b)};
        oom_fail_at(n);
        evpq_status status = evpq_as_completed(fs, 2, fs);
        failed = oom_end();
        ck_assert(failed || n > 1);
        ck_assert_int_eq(status, failed ? EVPQ_NOMEM : EVPQ_OK);
        ck_future_status(a, failed ? EVPQ_CANCELED : EVPQ_PENDING);
        for (int i = 0; i < 2; i++) {
            ck_future_status(fs[i], failed ? EVPQ_NOMEM : EVPQ_PENDING);
            evpq_future_cancel(fs[i]);
            evpq_future_unref(fs[i]);
        }
        ck_future_status(b, EVPQ_CANCELED);
        evpq_future_unref(a);
        evpq_future_unref(b);
        evpq_loop_run(loop);
    }
    teardown();
}
END_TEST

/* ---- random schedules, held against a model (F46) ---- */

enum { MOST = 6, STEPS = 16 };

static struct {
    struct dice dice;
    int n;
    evpq_future *members[MOST], *places[MOST]; /* NULL: let go of */
    evpq_status status[MOST];                  /* of the members */
    int queue[MOST], queued, told;             /* members in the order in which they settled */
    int at[MOST];                              /* the member in each place */
    bool canceled[MOST];
} m;

enum { NOBODY = -1 };

#define MUST(condition) DICE_HOLDS(&m.dice, condition)

static void model_settled(int i, evpq_status status)
{
    if (m.status[i] != EVPQ_PENDING)
        return;
    m.status[i] = status;
    m.queue[m.queued++] = i;
}

static void model_turn(void)
{
    for (; m.told < m.queued; m.told++)
        for (int k = 0; k < m.n; k++)
            if (m.at[k] == NOBODY && !m.canceled[k]) {
                m.at[k] = m.queue[m.told];
                break;
            }
}

static void settle_member(int i)
{
    if (m.status[i] != EVPQ_PENDING)
        return;
    bool fails = dice_below(&m.dice, 3) == 0;
    MUST(fails ? evpq_future_set_error(m.members[i], EVPQ_LOST, "lost")
               : evpq_future_set_value(m.members[i], &m, NULL));
    model_settled(i, fails ? EVPQ_LOST : EVPQ_OK);
}

static void cancel_member(int i)
{
    evpq_future_cancel(m.members[i]);
    model_settled(i, EVPQ_CANCELED);
}

static void cancel_place(int k)
{
    if (!m.places[k] || m.at[k] != NOBODY || m.canceled[k])
        return;
    evpq_future_cancel(m.places[k]);
    m.canceled[k] = true;
    for (int i = 0; i < m.n; i++)
        model_settled(i, EVPQ_CANCELED);
}

static void let_go(int k)
{
    m.places[k] = evpq_future_unref(m.places[k]);
}

static void turn(void)
{
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
    model_turn();
}

static void check_model(void)
{
    for (int k = 0; k < m.n; k++) {
        MUST(evpq_future_status(m.members[k]) == m.status[k]);
        if (!m.places[k])
            continue;
        bool settled = m.at[k] != NOBODY;
        MUST(evpq_future_status(m.places[k]) == (m.canceled[k] ? EVPQ_CANCELED
                                                 : settled     ? m.status[m.at[k]]
                                                               : EVPQ_PENDING));
        MUST(evpq_future_at(m.places[k], 0) == (settled ? m.members[m.at[k]] : NULL));
    }
}

static void step(void)
{
    int i = (int)dice_below(&m.dice, (unsigned)m.n);
    switch (dice_below(&m.dice, 8)) {
    case 0:
    case 1:
    case 2:
        settle_member(i);
        break;
    case 3:
        cancel_member(i);
        break;
    case 4:
        if (dice_below(&m.dice, 2))
            cancel_place(i);
        break;
    case 5:
        let_go(i);
        break;
    default:
        turn();
        break;
    }
    check_model();
}

static void schedule(void)
{
    m.n = 1 + (int)dice_below(&m.dice, MOST);
    m.queued = m.told = 0;
    for (int i = 0; i < m.n; i++) {
        m.members[i] = evpq_future_new(loop, NULL, NULL);
        m.places[i] = evpq_future_ref(m.members[i]);
        m.status[i] = EVPQ_PENDING;
        m.at[i] = NOBODY;
        m.canceled[i] = false;
    }
    MUST(evpq_as_completed(m.places, (size_t)m.n, m.places) == EVPQ_OK);
    for (unsigned n = 1 + dice_below(&m.dice, STEPS); n; n--)
        step();
    for (int i = 0; i < m.n; i++)
        settle_member(i);
    turn();
    check_model();
    for (int i = 0; i < m.n; i++) {
        let_go(i);
        evpq_future_unref(m.members[i]);
    }
}

START_TEST(f46_each_place_of_any_schedule_has_the_member_that_is_due)
{
    loop = evpq_loop_new(NULL);
    dice_schedules(&m.dice, schedule);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("completed");
    CHECK_ADD(c, they_settle_in_the_order_in_which_the_members_do);
    CHECK_ADD(c, so_they_do_when_several_settle_in_one_turn);
    CHECK_ADD(c, a_member_that_fails_takes_its_place_and_disturbs_nobody);
    CHECK_ADD(c, their_callbacks_are_called_in_order_too);
    CHECK_ADD(c, one_that_had_settled_before_counts_at_the_next_turn);
    CHECK_ADD(c, a_future_may_be_a_member_twice);
    CHECK_ADD_LOOP(c, letting_go_of_one_leaves_the_others_in_their_places, N);
    CHECK_ADD(c, letting_go_of_all_leaves_the_members_running);
    CHECK_ADD(c, a_member_lives_in_its_place_and_no_longer);
    CHECK_ADD_LOOP(c, canceling_one_cancels_the_members_that_have_no_place, N - 1);
    CHECK_ADD(c, what_settled_before_the_cancel_keeps_its_place);
    CHECK_ADD(c, canceling_all_ends_all_at_once);
    CHECK_ADD(c, a_cancel_reports_the_worst_outcome_of_the_members);
    CHECK_ADD(c, the_loop_may_run_while_one_is_being_canceled);
    CHECK_ADD(c, no_members_give_nothing);
    CHECK_ADD(c, without_an_array_it_is_invalid_and_the_members_are_stopped);
    CHECK_ADD(c, a_null_member_is_one_that_has_failed);
    CHECK_ADD(c, members_without_a_loop_stand_as_they_are);
    CHECK_ADD(c, members_of_different_loops_are_refused_and_stopped);
    CHECK_ADD(c, without_memory_the_members_are_stopped_and_each_says_so);
    CHECK_ADD_SLOW(c, f46_each_place_of_any_schedule_has_the_member_that_is_due, 300);
    return check_end(c);
}
