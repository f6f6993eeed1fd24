/* test_semaphore.c - permits: never more than there are, none lost, first come first served. */
#include "async/future.h"

#include "support/check.h"
#include "support/dice.h"
#include "support/oom.h"
#include "support/seen.h"

#include <evpq/sync.h>

static evpq_loop *loop;

static evpq_semaphore *setup(size_t permits)
{
    loop = evpq_loop_new(NULL);
    return evpq_semaphore_new(loop, permits);
}

static void teardown(evpq_semaphore *s)
{
    evpq_semaphore_unref(s);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static evpq_future *acquire(evpq_semaphore *s)
{
    return evpq_semaphore_acquire(s);
}

START_TEST(permits_are_had_at_once_while_some_are_free)
{
    evpq_semaphore *s = setup(2);
    ck_assert_uint_eq(evpq_semaphore_free(s), 2);
    evpq_future *a = acquire(s), *b = acquire(s), *c = acquire(s);
    ck_future_ok(a);
    ck_future_ok(b);
    ck_future_pending(c);
    ck_assert_uint_eq(evpq_semaphore_free(s), 0);
    evpq_future_unref(a);
    ck_future_ok(c);
    evpq_future_unref(b);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    evpq_future_unref(c);
    ck_assert_uint_eq(evpq_semaphore_free(s), 2);
    teardown(s);
}
END_TEST

START_TEST(who_came_first_is_served_first_and_nobody_goes_ahead)
{
    evpq_semaphore *s = setup(1);
    evpq_future *f[4];
    for (int i = 0; i < 4; i++)
        f[i] = acquire(s);
    for (int i = 0; i < 4; i++) {
        ck_future_ok(f[i]);
        for (int j = i + 1; j < 4; j++)
            ck_future_pending(f[j]);
        evpq_future_unref(f[i]);
    }
    teardown(s);
}
END_TEST

START_TEST(a_permit_is_free_only_when_its_last_reference_goes)
{
    evpq_semaphore *s = setup(1);
    evpq_future *f = evpq_timeout(acquire(s), 1e6), *next = acquire(s);
    ck_await_ok(f);
    evpq_future *more = evpq_future_ref(f);
    evpq_future_unref(f);
    ck_future_pending(next);
    evpq_future_unref(more);
    ck_future_ok(next);
    evpq_future_unref(next);
    teardown(s);
}
END_TEST

START_TEST(one_that_is_canceled_while_it_waits_gets_none)
{
    evpq_semaphore *s = setup(1);
    evpq_future *a = acquire(s), *b = acquire(s), *c = acquire(s);
    evpq_future_cancel(b);
    ck_future_status(b, EVPQ_CANCELED);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(b)), EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(a);
    ck_future_ok(c);
    evpq_future_cancel(c); /* it has settled: it stays a permit */
    ck_future_ok(c);
    evpq_future_unref(b);
    ck_assert_uint_eq(evpq_semaphore_free(s), 0);
    evpq_future_unref(c);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    teardown(s);
}
END_TEST

START_TEST(one_that_was_let_go_of_while_it_waited_is_passed_over)
{
    evpq_semaphore *s = setup(1);
    evpq_future *a = acquire(s);
    evpq_future_unref(acquire(s));
    evpq_future *c = acquire(s);
    evpq_future_unref(a);
    ck_future_ok(c);
    evpq_future_unref(acquire(s));
    evpq_future_unref(c);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    teardown(s);
}
END_TEST

START_TEST(one_that_only_a_callback_waits_for_is_not)
{
    evpq_semaphore *s = setup(1);
    struct seen seen;
    evpq_future *a = acquire(s), *b = acquire(s);
    seen_watch(b, &seen);
    evpq_future_unref(b);
    evpq_future_unref(a);
    ck_assert_uint_eq(evpq_semaphore_free(s), 0);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(seen.status, EVPQ_OK);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    teardown(s);
}
END_TEST

START_TEST(settling_calls_nobody_yet)
{
    evpq_semaphore *s = setup(1);
    struct seen seen;
    evpq_future *a = acquire(s), *b = acquire(s);
    seen_watch(b, &seen);
    evpq_future_unref(a);
    ck_future_ok(b);
    ck_assert_int_eq(seen.calls, 0);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    evpq_future_unref(b);
    teardown(s);
}
END_TEST

START_TEST(a_permit_that_comes_with_the_cancel_is_not_lost)
{
    evpq_semaphore *s = setup(1);
    evpq_future *a = acquire(s), *waits = evpq_shield(acquire(s));
    evpq_future_unref(a); /* the other has it now, and the shield does not know yet */
    ck_future_pending(waits);
    evpq_future_cancel(waits);
    ck_future_status(waits, EVPQ_CANCELED);
    evpq_future_unref(waits);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    teardown(s);
}
END_TEST

START_TEST(the_losers_of_a_race_give_theirs_back)
{
    evpq_semaphore *s = setup(3);
    evpq_future *members[] = {acquire(s), acquire(s), acquire(s)};
    evpq_future *race = evpq_race(members, 3);
    ck_await_ok(race);
    evpq_future_unref(race);
    ck_assert_uint_eq(evpq_semaphore_free(s), 3);
    teardown(s);
}
END_TEST

START_TEST(permits_and_waits_outlive_the_last_reference_to_it)
{
    evpq_semaphore *s = setup(1);
    evpq_future *a = acquire(s), *b = acquire(s);
    evpq_semaphore_unref(evpq_semaphore_ref(s));
    evpq_semaphore_unref(s);
    evpq_future_unref(a);
    ck_await_ok(b);
    evpq_future_unref(b);
    teardown(NULL);
}
END_TEST

START_TEST(many_are_passed_over_without_recursion)
{
    enum { MANY = 300000 };
    evpq_semaphore *s = setup(1);
    evpq_future *a = acquire(s);
    for (int i = 0; i < MANY; i++)
        evpq_future_unref(acquire(s));
    evpq_future *last = acquire(s);
    evpq_future_unref(a);
    ck_future_ok(last);
    evpq_future_unref(last);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    teardown(s);
}
END_TEST

START_TEST(a_wait_keeps_no_loop_alive)
{
    evpq_semaphore *s = setup(1);
    evpq_future *a = acquire(s), *b = acquire(s);
    ck_assert_int_eq(evpq_await(b), EVPQ_DEADLOCK);
    evpq_future_unref(b);
    evpq_future_unref(a);
    teardown(s);
}
END_TEST

START_TEST(nothing_is_made_of_nothing)
{
    teardown(setup(1));
    loop = evpq_loop_new(NULL);
    ck_assert_ptr_null(evpq_semaphore_new(loop, 0));
    ck_assert_ptr_null(evpq_semaphore_new(NULL, 1));
    ck_assert_ptr_null(evpq_semaphore_ref(NULL));
    ck_assert_ptr_null(evpq_semaphore_unref(NULL));
    ck_future_status(evpq_semaphore_acquire(NULL), EVPQ_INVALID);
    ck_assert_uint_eq(evpq_semaphore_free(NULL), 0);
    teardown(NULL);
}
END_TEST

/* ---- memory ---- */

START_TEST(without_memory_there_is_no_semaphore_and_no_wait)
{
    loop = evpq_loop_new(NULL);
    evpq_semaphore *s;
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        s = evpq_semaphore_new(loop, 1);
        failed = oom_end();
        ck_assert_int_eq(!s, failed);
        ck_assert(failed || n > 1);
    }
    evpq_future *a = acquire(s), *b = acquire(s);
    oom_fail_from(1);
    evpq_future *c = acquire(s);
    bool failed = oom_end();
    ck_assert(failed);
    ck_future_status(c, EVPQ_NOMEM);
    oom_fail_from(1);
    evpq_future_unref(a);
    oom_end();
    ck_future_ok(b);
    evpq_future_unref(b);
    ck_assert_uint_eq(evpq_semaphore_free(s), 1);
    teardown(s);
}
END_TEST

START_TEST(one_permit_after_the_other_costs_no_allocation)
{
    evpq_semaphore *s = setup(1);
    evpq_future_unref(acquire(s));
    oom_fail_at(0);
    for (int i = 0; i < 100; i++)
        evpq_future_unref(acquire(s));
    ck_assert_int_eq(oom_count(), RECYCLER_KEEPS ? 0 : 100);
    oom_end();
    teardown(s);
}
END_TEST

/* ---- random schedules, held against a model (F46) ---- */

enum { MOST = 16, PERMITS = 3, STEPS = 24 };
enum phase { WAITS, HOLDS, OVER };

/* One call: `f` is it, or a timeout around it. */
struct wait {
    evpq_future *f;
    bool ours, wrapped, brief; /* brief: a timeout of no time at all */
    enum phase phase;
};

static struct {
    struct dice dice;
    evpq_semaphore *semaphore;
    struct wait waits[MOST];
    int n;
    size_t free;
} m;

#define MUST(condition) DICE_HOLDS(&m.dice, condition)

/* One that nobody can see is passed over. A timeout is seen, until it has settled itself. */
static void model_serve(void)
{
    for (int i = 0; i < m.n && m.free; i++) {
        struct wait *w = &m.waits[i];
        if (w->phase != WAITS)
            continue;
        w->phase = w->ours || w->wrapped ? HOLDS : OVER;
        m.free -= w->phase == HOLDS;
    }
}

static void model_release(struct wait *w)
{
    w->phase = OVER;
    m.free++;
    model_serve();
}

static void add(void)
{
    if (m.n == MOST)
        return;
    struct wait *w = &m.waits[m.n++];
    *w = (struct wait){.ours = true, .wrapped = dice_below(&m.dice, 2)};
    w->f = evpq_semaphore_acquire(m.semaphore);
    if (w->wrapped) {
        w->brief = dice_below(&m.dice, 2);
        w->f = evpq_timeout(w->f, w->brief ? 0. : 1e6);
    }
    model_serve();
}

static void cancel(struct wait *w)
{
    if (!w->ours)
        return;
    evpq_future_cancel(w->f);
    if (w->phase == WAITS)
        w->phase = OVER;
}

/* A timeout that has not settled keeps what is in it until the next turn. */
static void let_go(struct wait *w)
{
    if (!w->ours)
        return;
    if (w->brief)
        cancel(w);
    bool settled = evpq_future_status(w->f) != EVPQ_PENDING;
    w->ours = false;
    evpq_future_unref(w->f);
    if (w->phase == HOLDS && (settled || !w->wrapped))
        model_release(w);
}

/* Whether the loop's clock has moved far enough for a timeout of no time is for it to say. */
static void turn(void)
{
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
    for (int i = 0; i < m.n; i++) {
        struct wait *w = &m.waits[i];
        if (w->ours && w->brief && evpq_future_status(w->f) == EVPQ_TIMEOUT)
            w->phase = OVER;
    }
    for (int i = 0; i < m.n; i++)
        if (m.waits[i].phase == HOLDS && !m.waits[i].ours) {
            model_release(&m.waits[i]);
            i = -1;
        }
}

static void check_model(void)
{
    size_t held = 0;
    for (int i = 0; i < m.n; i++) {
        struct wait *w = &m.waits[i];
        held += w->phase == HOLDS;
        if (!w->ours)
            continue;
        evpq_future *inner = w->wrapped ? evpq_future_at(w->f, 0) : w->f;
        evpq_status status = evpq_future_status(inner);
        MUST((status == EVPQ_PENDING) == (w->phase == WAITS));
        MUST((status == EVPQ_OK) == (w->phase == HOLDS));
    }
    MUST(evpq_semaphore_free(m.semaphore) == m.free);
    MUST(held + m.free == PERMITS);
}

static void step(void)
{
    struct wait *w = &m.waits[m.n ? dice_below(&m.dice, (unsigned)m.n) : 0];
    switch (dice_below(&m.dice, 6)) {
    case 0:
    case 1:
        add();
        break;
    case 2:
        cancel(w);
        break;
    case 3:
    case 4:
        let_go(w);
        break;
    default:
        turn();
        break;
    }
    check_model();
}

static void schedule(void)
{
    m.n = 0;
    m.waits[0].ours = false;
    m.free = PERMITS;
    m.semaphore = evpq_semaphore_new(loop, PERMITS);
    for (unsigned n = STEPS / 2 + dice_below(&m.dice, STEPS); n; n--)
        step();
    for (int i = 0; i < m.n; i++)
        let_go(&m.waits[i]);
    turn();
    check_model();
    MUST(m.free == PERMITS);
    evpq_semaphore_unref(m.semaphore);
}

START_TEST(f46_no_schedule_loses_a_permit_or_makes_one)
{
    loop = evpq_loop_new(NULL);
    dice_schedules(&m.dice, schedule);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("semaphore");
    CHECK_ADD(c, permits_are_had_at_once_while_some_are_free);
    CHECK_ADD(c, who_came_first_is_served_first_and_nobody_goes_ahead);
    CHECK_ADD(c, a_permit_is_free_only_when_its_last_reference_goes);
    CHECK_ADD(c, one_that_is_canceled_while_it_waits_gets_none);
    CHECK_ADD(c, one_that_was_let_go_of_while_it_waited_is_passed_over);
    CHECK_ADD(c, one_that_only_a_callback_waits_for_is_not);
    CHECK_ADD(c, settling_calls_nobody_yet);
    CHECK_ADD(c, a_permit_that_comes_with_the_cancel_is_not_lost);
    CHECK_ADD(c, the_losers_of_a_race_give_theirs_back);
    CHECK_ADD(c, permits_and_waits_outlive_the_last_reference_to_it);
    CHECK_ADD(c, many_are_passed_over_without_recursion);
    CHECK_ADD(c, a_wait_keeps_no_loop_alive);
    CHECK_ADD(c, nothing_is_made_of_nothing);
    CHECK_ADD(c, without_memory_there_is_no_semaphore_and_no_wait);
    CHECK_ADD(c, one_permit_after_the_other_costs_no_allocation);
    CHECK_ADD_SLOW(c, f46_no_schedule_loses_a_permit_or_makes_one, 300);
    return check_end(c);
}
