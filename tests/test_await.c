/* test_await.c - evpq_await: running the loop for one future, and never where that could hang. */
#include "async/future.h"

#include "support/check.h"
#include "support/seen.h"

#include <unistd.h>

static evpq_loop *loop;
static struct ev_loop *ev;

static void setup(void)
{
    loop = evpq_loop_new(NULL);
    ev = evpq_loop_ev(loop);
}

static void teardown(void)
{
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

START_TEST(it_returns_how_the_future_settled)
{
    setup();
    evpq_future *ok = evpq_sleep(loop, 0.001), *late = evpq_timeout(evpq_sleep(loop, 1e6), 0.001);
    ck_assert_int_eq(evpq_await(ok), EVPQ_OK);
    ck_assert_int_eq(evpq_await(late), EVPQ_TIMEOUT);
    evpq_future_unref(ok);
    evpq_future_unref(late);
    teardown();
}
END_TEST

START_TEST(a_settled_future_is_not_waited_for)
{
    setup();
    struct seen seen;
    evpq_future *f = evpq_future_failed(loop, EVPQ_LOST, "gone");
    seen_watch(f, &seen);
    ck_assert_int_eq(evpq_await(f), EVPQ_LOST);
    ck_assert_int_eq(seen.calls, 0); /* the loop did not run */
    ck_assert_int_eq(evpq_await(NULL), EVPQ_INVALID);
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(other_futures_go_on_meanwhile)
{
    setup();
    struct seen other, before;
    evpq_future *f = evpq_sleep(loop, 0.01), *g = evpq_sleep(loop, 0.);
    seen_watch(f, &before);
    seen_watch(g, &other);
    evpq_future_unref(g);
    ck_await_ok(f);
    ck_assert_int_eq(other.calls, 1);
    ck_assert_int_eq(before.calls,
                     1); /* a callback that was there before the wait has run when it ends */
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(it_waits_for_nothing_else)
{
    setup();
    evpq_future *forever = evpq_sleep(loop, 1e6), *f = evpq_sleep(loop, 0.);
    ck_await_ok(f);
    ck_future_pending(forever);
    evpq_future_cancel(forever);
    evpq_future_unref(forever);
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(it_does_not_wait_for_what_nothing_can_settle)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    ck_assert_int_eq(evpq_await(f), EVPQ_DEADLOCK);
    ck_future_pending(f);
    evpq_future_set_value(f, NULL, NULL);
    ck_await_ok(f);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static void stop(evpq_future *f, void *arg)
{
    evpq_loop_stop(loop);
}

START_TEST(the_program_may_stop_the_loop_meanwhile)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 1e6), *soon = evpq_sleep(loop, 0.);
    evpq_future_on_done(soon, stop, NULL);
    ck_assert_int_eq(evpq_await(f), EVPQ_PENDING);
    ck_future_pending(f);
    evpq_future_cancel(f); /* whoever waited is gone: nobody is told */
    ck_assert_int_eq(evpq_await(f), EVPQ_CANCELED);
    evpq_future_unref(f);
    evpq_future_unref(soon);
    teardown();
}
END_TEST

static void drop(evpq_future *f, void *arg)
{
    evpq_future **held = arg;
    *held = evpq_future_unref(*held);
    loop = evpq_loop_unref(loop);
}

static void run_the_loop_within(evpq_future *f, void *arg)
{
    evpq_future *inner = evpq_sleep(loop, 0.02);
    (void)f;
    (void)arg;
    while (evpq_future_status(inner) == EVPQ_PENDING)
        ev_run(ev, EVRUN_ONCE);
    evpq_future_unref(inner);
}

/* The future settles while a callback runs the loop itself, which is not to be cut short; but then
 * the await is over, whatever else there is to wait for. */
START_TEST(a_callback_may_run_the_loop_meanwhile)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 0.005), *first = evpq_sleep(loop, 0.),
                *never = evpq_sleep(loop, 1e6);
    ck_assert_int_eq(evpq_future_on_done(first, run_the_loop_within, NULL), EVPQ_OK);
    ck_assert_int_eq(evpq_await(f), EVPQ_OK);
    ck_assert_int_eq(evpq_future_status(never), EVPQ_PENDING);
    evpq_future_cancel(never);
    evpq_future_unref(never);
    evpq_future_unref(first);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static void set_both(evpq_future *f, void *both)
{
    (void)f;
    evpq_future *const *fs = both;
    evpq_future_set_value(fs[0], NULL, NULL);
    evpq_future_set_value(fs[1], NULL, NULL);
}

static void nothing(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
}

/* The loop is told to stop, and a callback that is run after that runs it once more: that must not
 * make it forget. */
START_TEST(a_callback_behind_may_run_the_loop)
{
    setup();
    evpq_future *fs[] = {evpq_future_new(loop, nothing, NULL),
                         evpq_future_new(loop, nothing, NULL)};
    evpq_future *never = evpq_sleep(loop, 1e6), *soon = evpq_sleep(loop, 0.01);
    ck_assert_int_eq(evpq_future_on_done(fs[1], run_the_loop_within, NULL), EVPQ_OK);
    ck_assert_int_eq(evpq_future_on_done(soon, set_both, fs), EVPQ_OK);
    ck_assert_int_eq(evpq_await(fs[0]), EVPQ_OK);
    evpq_future_cancel(never);
    evpq_future_unref(never);
    evpq_future_unref(soon);
    evpq_future_unref(fs[0]);
    evpq_future_unref(fs[1]);
    teardown();
}
END_TEST

START_TEST(f42_all_references_may_go_meanwhile)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 0.001), *soon = evpq_sleep(loop, 0.);
    evpq_future_on_done(soon, drop, &f);
    evpq_future_unref(soon);
    ck_assert_int_eq(evpq_await(f), EVPQ_OK);
    ck_assert_ptr_null(f);
}
END_TEST

/* ---- F45: where the loop is running already ---- */

static evpq_future *awaited;
static evpq_status got;
static int asked;

static void ask(void)
{
    asked++;
    got = evpq_await(awaited);
}

static void ask_done(evpq_future *f, void *arg)
{
    ask();
}

static evpq_future *ask_then(evpq_future *f, void *arg)
{
    ask();
    return evpq_future_ref(f);
}

static void setup_f45(void)
{
    setup();
    awaited = evpq_sleep(loop, 1e6); /* longer than a test may take */
    got = EVPQ_OK;
}

static void teardown_f45(void)
{
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(got, EVPQ_DEADLOCK);
    ck_future_pending(awaited);
    evpq_future_cancel(awaited);
    evpq_future_unref(awaited);
    teardown();
}

START_TEST(f45_awaiting_in_a_callback_fails_at_once)
{
    setup_f45();
    evpq_future *f;
    switch (_i) {
    case 0:
        f = evpq_future_ok(loop, NULL, NULL);
        evpq_future_on_done(f, ask_done, NULL);
        break;
    case 1:
        f = evpq_then(evpq_future_ok(loop, NULL, NULL), ask_then, NULL);
        break;
    default:
        f = evpq_future_new(loop, ask_done, NULL);
        evpq_future_cancel(f);
        break;
    }
    ev_run(ev, EVRUN_NOWAIT);
    evpq_future_unref(f);
    teardown_f45();
}
END_TEST

static void ask_timer(struct ev_loop *l, ev_timer *w, int events)
{
    ask();
    ev_break(l, EVBREAK_ONE);
}

static void ask_io(struct ev_loop *l, ev_io *w, int events)
{
    ask();
    ev_io_stop(l, w);
    ev_break(l, EVBREAK_ONE);
}

START_TEST(f45_awaiting_in_a_programs_own_timer_fails_at_once)
{
    ev_timer timer;
    setup_f45();
    ev_timer_init(&timer, ask_timer, 0., 0.);
    ev_timer_start(ev, &timer);
    ev_run(ev, 0);
    teardown_f45();
}
END_TEST

START_TEST(f45_awaiting_in_a_programs_own_io_fails_at_once)
{
    int fds[2];
    ev_io io;
    setup_f45();
    ck_assert_int_eq(pipe(fds), 0);
    ev_io_init(&io, ask_io, fds[1], EV_WRITE);
    ev_io_start(ev, &io);
    ev_run(ev, 0);
    close(fds[0]);
    close(fds[1]);
    teardown_f45();
}
END_TEST

START_TEST(f45_awaiting_while_another_await_runs_fails_at_once)
{
    setup_f45();
    evpq_future *outer = evpq_sleep(loop, 0.01), *soon = evpq_sleep(loop, 0.);
    evpq_future_on_done(soon, ask_done, NULL);
    ck_await_ok(outer);
    evpq_future_unref(outer);
    evpq_future_unref(soon);
    teardown_f45();
}
END_TEST

START_TEST(a_settled_future_can_be_awaited_in_a_callback)
{
    setup();
    awaited = evpq_future_failed(loop, EVPQ_LOST, "gone");
    evpq_future_on_done(awaited, ask_done, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(got, EVPQ_LOST);
    evpq_future_unref(awaited);
    teardown();
}
END_TEST

START_TEST(a_future_of_another_loop_can_be_awaited_in_a_callback)
{
    setup();
    evpq_loop *other = evpq_loop_new(NULL);
    evpq_future *f = evpq_future_ok(loop, NULL, NULL);
    awaited = evpq_sleep(other, 0.001);
    got = EVPQ_PENDING;
    evpq_future_on_done(f, ask_done, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(got, EVPQ_OK);
    evpq_future_unref(f);
    evpq_future_unref(awaited);
    evpq_loop_unref(other);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("await");
    CHECK_ADD(c, it_returns_how_the_future_settled);
    CHECK_ADD(c, a_settled_future_is_not_waited_for);
    CHECK_ADD(c, other_futures_go_on_meanwhile);
    CHECK_ADD(c, it_waits_for_nothing_else);
    CHECK_ADD(c, it_does_not_wait_for_what_nothing_can_settle);
    CHECK_ADD(c, the_program_may_stop_the_loop_meanwhile);
    CHECK_ADD(c, a_callback_may_run_the_loop_meanwhile);
    CHECK_ADD(c, a_callback_behind_may_run_the_loop);
    CHECK_ADD(c, f42_all_references_may_go_meanwhile);
    CHECK_ADD_LOOP(c, f45_awaiting_in_a_callback_fails_at_once, 3);
    CHECK_ADD(c, f45_awaiting_in_a_programs_own_timer_fails_at_once);
    CHECK_ADD(c, f45_awaiting_in_a_programs_own_io_fails_at_once);
    CHECK_ADD(c, f45_awaiting_while_another_await_runs_fails_at_once);
    CHECK_ADD(c, a_settled_future_can_be_awaited_in_a_callback);
    CHECK_ADD(c, a_future_of_another_loop_can_be_awaited_in_a_callback);
    return check_end(c);
}
