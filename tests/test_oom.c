/* test_oom.c - no memory: the n-th allocation fails, for n = 1 and on until the call succeeds.
 * Whatever fails then says EVPQ_NOMEM, has taken what it was given, and leaves nothing behind
 * (which the sanitizers see). */
#include "async/future.h"
#include "async/thread.h"
#include "base/map.h"
#include "base/mem.h"
#include "words/error.h"

#include "support/check.h"
#include "support/oom.h"
#include "support/seen.h"

#include <math.h>
#include <stdio.h>
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

START_TEST(a_new_loop_is_null_without_memory)
{
    struct ev_loop *theirs = ev_loop_new(0);
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        loop = evpq_loop_new(_i ? theirs : NULL);
        failed = oom_end();
        ck_assert_int_eq(n <= 2, failed); /* the loop, and what keeps its blocks */
        ck_assert_int_eq(!loop, failed);
        evpq_loop_unref(loop);
    }
    ev_loop_destroy(theirs);
}
END_TEST

/* ---- futures out of nothing ---- */

static evpq_future *make_new(void)
{
    static struct seen told;
    return evpq_future_new(loop, seen_done, &told);
}

static evpq_future *make_ok(void)
{
    return evpq_future_ok(loop, &loop, seen_free);
}

static evpq_future *make_failed(void)
{
    return evpq_future_failed(loop, EVPQ_LOST, "%s", "gone");
}

static evpq_future *make_sleep(void)
{
    return evpq_sleep(loop, 1e6);
}

START_TEST(a_future_that_cannot_be_had_has_failed_with_nomem)
{
    static evpq_future *(*const makers[])(void) = {make_new, make_ok, make_failed, make_sleep};
    static const evpq_status without_failure[] = {EVPQ_PENDING, EVPQ_OK, EVPQ_LOST, EVPQ_PENDING};
    setup();
    int taken = 0;
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        evpq_future *f = makers[_i]();
        failed = oom_end();
        ck_future_status(f, failed ? EVPQ_NOMEM : without_failure[_i]);
        ck_assert(evpq_future_status(f) == EVPQ_PENDING ||
                  (evpq_future_status(f) == EVPQ_OK) == !evpq_future_error(f));
        ck_assert(failed || n > 1);
        evpq_future_cancel(f);
        evpq_future_unref(f);
        evpq_loop_run(loop);
        taken++;
    }
    if (makers[_i] == make_ok)
        ck_assert_int_eq(seen_freed, taken); /* the value, each time */
    teardown();
}
END_TEST

/* ---- futures out of futures ---- */

static evpq_future *pass_on(evpq_future *f, void *arg)
{
    return evpq_future_ref(f);
}

static evpq_future *out_of(int kind, evpq_future *a, evpq_future *b)
{
    evpq_future *members[] = {a, b};
    switch (kind) {
    case 0:
        return evpq_all(members, 2);
    case 1:
        return evpq_all_settled(members, 2);
    case 2:
        return evpq_any(members, 2);
    case 3:
        return evpq_race(members, 2);
    }
    evpq_future_unref(b);
    switch (kind) {
    case 4:
        return evpq_timeout(a, 1e6);
    case 5:
        return evpq_timeout(a, NAN);
    case 6:
        return evpq_shield(a);
    default:
        return evpq_then(a, pass_on, NULL);
    }
}

enum { OUT_OF = 8, MEANINGLESS = 5 };

START_TEST(members_are_taken_and_stopped_when_nobody_could_any_more)
{
    setup();
    EACH_ALLOCATION(n, failed) {
        evpq_future *a = evpq_future_new(loop, NULL, NULL), *b = evpq_sleep(loop, 1e6);
        evpq_future_ref(a), evpq_future_ref(b);
        oom_fail_at(n);
        evpq_future *f = out_of(_i, a, b);
        failed = oom_end();
        if (failed)
            ck_future_status(f, EVPQ_NOMEM);
        else
            ck_future_status(f, _i == MEANINGLESS ? EVPQ_INVALID : EVPQ_PENDING);
        ck_future_status(a, failed || _i == MEANINGLESS ? EVPQ_CANCELED : EVPQ_PENDING);
        evpq_future_cancel(f);
        evpq_future_unref(f);
        evpq_future_cancel(a);
        evpq_future_cancel(b);
        evpq_future_unref(a);
        evpq_future_unref(b);
        evpq_loop_run(loop);
    }
    teardown();
}
END_TEST

/* ---- what happens to them ---- */

START_TEST(a_callback_that_cannot_be_added_is_not_called)
{
    setup();
    struct seen seen;
    EACH_ALLOCATION(n, failed) {
        evpq_future *f = evpq_sleep(loop, 0.);
        seen = (struct seen){.calls = 0};
        oom_fail_at(n);
        evpq_status status = evpq_future_on_done(f, seen_done, &seen);
        failed = oom_end();
        ck_assert_int_eq(status, failed ? EVPQ_NOMEM : EVPQ_OK);
        evpq_future_unref(f);
        evpq_loop_run(loop);
        ck_assert_int_eq(seen.calls, !failed);
    }
    teardown();
}
END_TEST

START_TEST(settling_needs_no_memory_but_for_what_is_said)
{
    setup();
    EACH_ALLOCATION(n, failed) {
        evpq_future *ok = evpq_future_new(loop, NULL, NULL);
        evpq_future *canceled = evpq_future_new(loop, seen_done, &(struct seen){.calls = 0});
        evpq_future *failing = evpq_future_new(loop, NULL, NULL);
        oom_fail_at(n);
        evpq_future_set_value(ok, NULL, NULL);
        evpq_future_cancel(canceled);
        evpq_future_set_error(failing, EVPQ_LOST, "gone");
        evpq_loop_run(loop);
        failed = oom_end();
        ck_future_ok(ok);
        ck_future_status(canceled, EVPQ_CANCELED);
        ck_future_status(failing, failed ? EVPQ_NOMEM : EVPQ_LOST);
        ck_assert_str_eq(evpq_error_message(evpq_future_error(failing)),
                         failed ? "out of memory" : "gone");
        evpq_future_unref(ok);
        evpq_future_unref(canceled);
        evpq_future_unref(failing);
    }
    teardown();
}
END_TEST

/* A tree of everything is made, runs and ends while there is no memory from some moment on. */
static evpq_future *then_nothing(evpq_future *f, void *arg)
{
    return NULL;
}

static void exercise(struct seen *seen)
{
    evpq_future *slow = evpq_future_new(loop, NULL, NULL);
    evpq_future *members[] = {
        evpq_timeout(evpq_future_ref(slow), 0.),
        evpq_then(evpq_sleep(loop, 0.), pass_on, NULL),
        evpq_then(evpq_sleep(loop, 0.), then_nothing, NULL),
        evpq_shield(evpq_future_failed(loop, EVPQ_LOST, "%d", 1)),
    };
    evpq_future *all = evpq_all_settled(members, 4);
    seen->status = evpq_future_on_done(all, seen_done, seen);
    evpq_loop_run(loop);
    evpq_future_cancel(all);
    evpq_future_cancel(slow);
    evpq_future_unref(all);
    evpq_future_unref(slow);
    evpq_loop_run(loop);
}

START_TEST(no_memory_at_any_moment_ends_everything_once)
{
    bool forever = _i;
    setup();
    EACH_ALLOCATION(n, failed) {
        struct seen seen = {.calls = 0};
        (forever ? oom_fail_from : oom_fail_at)(n);
        exercise(&seen);
        failed = oom_end();
        if (!failed)
            ck_assert_int_eq(seen.calls, 1);
        ck_assert_int_le(seen.calls, 1);
        ck_assert(seen.calls || seen.status != EVPQ_OK);
    }
    teardown();
}
END_TEST

/* ---- the ground below ---- */

START_TEST(an_error_without_memory_says_so)
{
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        evpq_error *e = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "gone");
        evpq_error *about = error_about(e, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, "select 1");
        failed = oom_end();
        ck_assert_int_eq(evpq_error_status(e), n == 1 ? EVPQ_NOMEM : EVPQ_LOST);
        ck_assert_int_eq(evpq_error_status(about), n <= 2 ? EVPQ_NOMEM : EVPQ_LOST);
        evpq_error_unref(e);
        evpq_error_unref(about);
    }
}
END_TEST

START_TEST(memory_that_is_not_there_is_null)
{
    void *blocks[4];
    oom_fail_from(1);
    blocks[0] = mem_alloc(1);
    blocks[1] = mem_zalloc(1);
    blocks[2] = mem_dup("x", 1);
    blocks[3] = mem_strdup("x");
    ck_assert(oom_end());
    for (int i = 0; i < 4; i++)
        ck_assert_ptr_null(blocks[i]);
}
END_TEST

START_TEST(a_map_that_cannot_grow_still_takes_and_finds)
{
    enum { MANY = 300 };
    static struct map_node nodes[MANY];
    struct map m;
    map_init(&m);
    oom_fail_from(_i ? 3 : 1);
    for (int i = 0; i < MANY; i++)
        map_insert(&m, &nodes[i], map_hash(0, &i, sizeof i));
    ck_assert(oom_end());
    ck_assert_uint_lt(m.size, MANY / 2);
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_eq(map_first(&m, map_hash(0, &i, sizeof i)), &nodes[i]);
    map_remove(&m, &nodes[7]);
    ck_assert_ptr_null(map_first(&m, nodes[7].hash));
    ck_assert_uint_eq(m.count, MANY - 1);
    map_free(&m);
}
END_TEST

static int errands_run;

static void errand_work(struct thread_call *call)
{
}

static void errand_done(struct thread_call *call)
{
    errands_run++;
    loop_release(loop);
}

START_TEST(an_errand_that_cannot_be_sent_is_not_called)
{
    struct thread_call call = {.work = errand_work, .done = errand_done};
    setup();
    int sent = 0;
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        bool ran = thread_call_start(loop, &call);
        failed = oom_end();
        ck_assert_int_eq(ran, !failed);
        sent += ran;
        if (ran)
            loop_hold(loop);
        evpq_loop_run(loop);
        ck_assert_int_eq(errands_run, sent);
    }
    ck_assert_int_eq(sent, 1);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("oom");
    CHECK_ADD_LOOP(c, a_new_loop_is_null_without_memory, 2);
    CHECK_ADD_LOOP(c, a_future_that_cannot_be_had_has_failed_with_nomem, 4);
    CHECK_ADD_LOOP(c, members_are_taken_and_stopped_when_nobody_could_any_more, OUT_OF);
    CHECK_ADD(c, a_callback_that_cannot_be_added_is_not_called);
    CHECK_ADD(c, settling_needs_no_memory_but_for_what_is_said);
    CHECK_ADD_LOOP(c, no_memory_at_any_moment_ends_everything_once, 2);
    CHECK_ADD(c, an_error_without_memory_says_so);
    CHECK_ADD(c, memory_that_is_not_there_is_null);
    CHECK_ADD_LOOP(c, a_map_that_cannot_grow_still_takes_and_finds, 2);
    CHECK_ADD(c, an_errand_that_cannot_be_sent_is_not_called);
    return check_end(c);
}
