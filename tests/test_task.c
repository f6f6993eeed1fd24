/* test_task.c - tasks: what they are from outside and from inside, and every way in which they
 * end. */
#include "tasks/task.h"

#include "support/check.h"
#include "support/oom.h"
#include "support/seen.h"

#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static evpq_loop *loop;

static void setup(void)
{
    loop = evpq_loop_new(NULL);
}

static void teardown(void)
{
    evpq_loop_run(loop);
    struct loop_data *data = *loop_data_of(loop);
    ck_assert(!data || list_empty(&container_of(data, struct tasks, loop_data)->live));
    evpq_loop_unref(loop);
}

#define TEXT(text) ((void *)(uintptr_t)(text))
#define OPTS(...)                             \
 &(evpq_task_opts)                            \
 {                                            \
  .size = sizeof(evpq_task_opts), __VA_ARGS__ \
 }

static evpq_future *spawn(evpq_task_fn *fn, void *arg)
{
    return evpq_task_spawn(loop, fn, arg, NULL);
}

/* Has the task waited for, and lets go of it. */
static evpq_status outcome(evpq_future *task)
{
    evpq_status status = evpq_await(task);
    evpq_future_unref(task);
    return status;
}

static void run_a_turn(void)
{
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
}

/* ---- running ---- */

static int steps;

static evpq_future *step_and_end(evpq_task *self, void *arg)
{
    ck_assert_ptr_eq(arg, &steps);
    ck_assert_ptr_eq(evpq_task_loop(self), loop);
    ck_assert_ptr_eq(evpq_task_current(loop), self);
    steps++;
    return NULL;
}

START_TEST(f44_it_begins_later_from_the_loop)
{
    setup();
    evpq_future *t = spawn(step_and_end, &steps);
    ck_assert_int_eq(steps, 0);
    ck_future_pending(t);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    ck_assert_int_eq(steps, 1);
    ck_assert_ptr_null(evpq_task_current(loop));
    teardown();
}
END_TEST

static evpq_future *give_value(evpq_task *self, void *arg)
{
    return evpq_future_ok(evpq_task_loop(self), arg, seen_free);
}

static evpq_future *give_failure(evpq_task *self, void *arg)
{
    return evpq_future_failed(evpq_task_loop(self), EVPQ_TYPE, "not %s", (char *)arg);
}

START_TEST(it_settles_with_what_its_function_returns)
{
    setup();
    evpq_future *value = spawn(give_value, &steps),
                *failure = spawn(give_failure, TEXT("a number"));
    ck_await_ok(value);
    ck_assert_ptr_eq(evpq_future_value(value), &steps);
    ck_assert_int_eq(evpq_await(failure), EVPQ_TYPE);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(failure)), "not a number");
    ck_assert_int_eq(seen_freed, 0);
    evpq_future_unref(value);
    ck_assert_int_eq(seen_freed, 1);
    evpq_future_unref(failure);
    teardown();
}
END_TEST

static evpq_future *give_pending(evpq_task *self, void *arg)
{
    return evpq_future_ref(arg);
}

START_TEST(a_pending_one_is_followed_without_a_stack)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *t = spawn(give_pending, f);
    run_a_turn();
    ck_future_pending(t);
    struct evpq_task *task = container_of(t, struct evpq_task, future);
    ck_assert_ptr_null(task->stack);
    evpq_future_set_value(f, &steps, NULL);
    ck_await_ok(t);
    ck_assert_ptr_eq(evpq_future_value(t), &steps);
    evpq_future_unref(f);
    evpq_future_unref(t);
    teardown();
}
END_TEST

static evpq_future *give_itself(evpq_task *self, void *arg)
{
    return evpq_future_ref(&self->future);
}

static evpq_future *give_foreign(evpq_task *self, void *arg)
{
    return evpq_future_new(arg, NULL, NULL);
}

START_TEST(what_cannot_be_followed_is_invalid)
{
    setup();
    evpq_loop *other = evpq_loop_new(NULL);
    ck_assert_int_eq(outcome(spawn(give_itself, NULL)), EVPQ_INVALID);
    ck_assert_int_eq(outcome(spawn(give_foreign, other)), EVPQ_INVALID);
    evpq_loop_unref(other);
    teardown();
}
END_TEST

static evpq_future *await_arg(evpq_task *self, void *arg)
{
    steps++;
    evpq_await(arg);
    steps++;
    return evpq_future_ref(arg);
}

START_TEST(it_waits_while_the_loop_goes_on)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *t = spawn(await_arg, f);
    struct seen told;
    seen_watch(t, &told);
    run_a_turn();
    run_a_turn();
    ck_assert_int_eq(steps, 1);
    evpq_future_set_error(f, EVPQ_LOST, "gone");
    ck_assert_int_eq(steps, 1); /* settling runs nobody's code */
    ck_assert_int_eq(evpq_await(t), EVPQ_LOST);
    ck_assert_int_eq(steps, 2);
    evpq_loop_run(loop);
    ck_assert_int_eq(told.calls, 1);
    evpq_future_unref(f);
    evpq_future_unref(t);
    teardown();
}
END_TEST

START_TEST(many_wait_for_one_future)
{
    setup();
    enum { N = 500 };
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *ts[N];
    for (int i = 0; i < N; i++)
        ts[i] = spawn(await_arg, f);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), steps == N, 10));
    evpq_future_set_value(f, NULL, NULL);
    ck_assert_int_eq(outcome(evpq_all(ts, N)), EVPQ_OK);
    ck_assert_int_eq(steps, 2 * N);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static evpq_future *await_settled(evpq_task *self, void *arg)
{
    ck_assert_int_eq(evpq_await(arg), EVPQ_LOST);
    ck_assert_int_eq(evpq_await(NULL), EVPQ_INVALID);
    steps++;
    return NULL;
}

START_TEST(a_settled_future_is_not_waited_for)
{
    setup();
    evpq_future *f = evpq_future_failed(loop, EVPQ_LOST, "gone");
    ck_assert_int_eq(outcome(spawn(await_settled, f)), EVPQ_OK);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static char trace[64];

static evpq_future *yield_thrice(evpq_task *self, void *arg)
{
    for (int i = 0; i < 3; i++) {
        strcat(trace, arg);
        ck_assert_int_eq(evpq_yield(self), EVPQ_OK);
    }
    return NULL;
}

START_TEST(those_who_yield_take_turns)
{
    setup();
    evpq_future *both[] = {spawn(yield_thrice, TEXT("a")), spawn(yield_thrice, TEXT("b"))};
    ck_assert_int_eq(outcome(evpq_all(both, 2)), EVPQ_OK);
    ck_assert_str_eq(trace, "ababab");
    ck_assert_int_eq(evpq_yield(NULL), EVPQ_DEADLOCK);
    teardown();
}
END_TEST

static evpq_future *await_child(evpq_task *self, void *arg)
{
    evpq_future *child = evpq_task_spawn(evpq_task_loop(self), give_failure, arg, NULL);
    ck_assert_int_eq(evpq_await(child), EVPQ_TYPE);
    return child;
}

START_TEST(a_task_awaits_a_task)
{
    setup();
    evpq_future *t = spawn(await_child, TEXT("a child"));
    ck_assert_int_eq(evpq_await(t), EVPQ_TYPE);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(t)), "not a child");
    evpq_future_unref(t);
    teardown();
}
END_TEST

/* ---- waiting in the wrong place ---- */

static evpq_status got;

static evpq_future *await_itself(evpq_task *self, void *arg)
{
    got = evpq_await(&self->future);
    return NULL;
}

struct circle {
    evpq_future *a, *b;
    evpq_status got;
};

static evpq_future *await_b(evpq_task *self, void *arg)
{
    return evpq_await(((struct circle *)arg)->b), NULL;
}

static evpq_future *await_a(evpq_task *self, void *arg)
{
    struct circle *c = arg;
    c->got = evpq_await(c->a);
    return NULL;
}

START_TEST(f45_tasks_that_would_wait_for_each_other_are_told)
{
    setup();
    ck_assert_int_eq(outcome(spawn(await_itself, NULL)), EVPQ_OK);
    ck_assert_int_eq(got, EVPQ_DEADLOCK);
    struct circle c = {0};
    c.a = spawn(await_b, &c);
    c.b = spawn(await_a, &c);
    ck_assert_int_eq(outcome(c.a), EVPQ_OK);
    ck_assert_int_eq(c.got, EVPQ_DEADLOCK);
    evpq_future_unref(c.b);
    teardown();
}
END_TEST

static evpq_future *never;

static void await_in_callback(evpq_future *f, void *arg)
{
    got = evpq_await(never);
}

static void await_in_free(void *value)
{
    got = evpq_await(never);
}

static evpq_future *run_the_loop(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *other = spawn(step_and_end, &steps);
    evpq_future_on_done(f, await_in_callback, NULL);
    evpq_future_set_value(f, NULL, NULL);
    got = EVPQ_PENDING;
    evpq_loop_run(loop);
    ck_assert_int_eq(got, EVPQ_DEADLOCK);
    ck_future_ok(other); /* tasks go on within */
    evpq_future_unref(other);
    evpq_future_unref(f);
    ck_assert_int_eq(evpq_yield(self), EVPQ_OK); /* and so does this one */
    return NULL;
}

static evpq_future *drop_value(evpq_task *self, void *arg)
{
    got = EVPQ_PENDING;
    evpq_future_unref(evpq_future_ok(loop, &steps, await_in_free));
    ck_assert_int_eq(got, EVPQ_DEADLOCK);
    ck_assert_ptr_eq(evpq_task_current(loop), self);
    return NULL;
}

START_TEST(f45_callbacks_on_a_tasks_stack_cannot_wait)
{
    setup();
    never = evpq_future_new(loop, NULL, NULL);
    ck_assert_int_eq(outcome(spawn(drop_value, NULL)), EVPQ_OK);
    evpq_future *t = spawn(run_the_loop, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    evpq_future_unref(never);
    teardown();
}
END_TEST

struct trio {
    evpq_future *z, *x;
    evpq_status got;
};

static evpq_future *await_future(evpq_task *self, void *arg)
{
    evpq_await(*(evpq_future **)arg);
    return NULL;
}

/* z waits for this task, and x for z, which settles all the same. */
static evpq_future *drop_z_and_await_x(evpq_task *self, void *arg)
{
    struct trio *trio = arg;
    evpq_yield(self);
    evpq_future_cancel(trio->z);
    trio->got = evpq_await(trio->x);
    return NULL;
}

START_TEST(what_has_settled_is_no_part_of_a_circle)
{
    setup();
    struct trio trio = {0};
    evpq_future *t = spawn(drop_z_and_await_x, &trio);
    trio.z = spawn(await_future, &t);
    trio.x = spawn(await_future, &trio.z);
    trio.got = EVPQ_PENDING;
    ck_assert_int_eq(evpq_await(t), EVPQ_OK);
    ck_assert_int_eq(trio.got, EVPQ_OK);
    evpq_loop_run(loop);
    evpq_future_unref(t);
    evpq_future_unref(trio.z);
    evpq_future_unref(trio.x);
    teardown();
}
END_TEST

START_TEST(a_chain_of_tasks_that_wait_may_be_long)
{
    setup();
    enum { N = 6000 };
    static evpq_future *fs[N + 1];
    fs[0] = evpq_future_new(loop, NULL, NULL);
    for (int i = 0; i < N; i++)
        fs[i + 1] = spawn(await_future, &fs[i]);
    while (container_of(fs[N], struct evpq_task, future)->state != TASK_WAITING)
        run_a_turn();
    evpq_task_cancel(fs[N]);
    ck_future_status(fs[0], EVPQ_CANCELED);
    ck_await_ok(fs[N]);
    for (int i = 0; i <= N; i++)
        evpq_future_unref(fs[i]);
    teardown();
}
END_TEST

static bool timer_fired;

static void note_fired(evpq_future *f, void *arg)
{
    timer_fired = true;
}

/* Works for half a millisecond at a time. */
static evpq_future *work_and_yield(evpq_task *self, void *arg)
{
    while (!timer_fired) {
        for (double until = loop_time(loop) + 0.0005; loop_time(loop) < until;)
            continue;
        evpq_yield(self);
        steps++;
    }
    return NULL;
}

START_TEST(one_that_yields_for_ever_does_not_hold_up_timers)
{
    setup();
    evpq_future *timer = evpq_sleep(loop, 0.005), *t = spawn(work_and_yield, NULL);
    evpq_future_on_done(timer, note_fired, NULL);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    ck_assert_int_lt(steps, 1000);
    evpq_future_unref(timer);
    teardown();
}
END_TEST

/* ---- the argument ---- */

static void count_free(void *arg)
{
    if (loop_running(loop))
        ck_assert_int_eq(evpq_await(never), EVPQ_DEADLOCK);
    ++*(int *)arg;
}

static evpq_future *do_nothing(evpq_task *self, void *arg)
{
    ck_assert_int_eq(*(int *)arg, 0);
    return NULL;
}

START_TEST(its_argument_is_freed_once_whatever_becomes_of_it)
{
    setup();
    int freed[5] = {0};
    never = evpq_future_new(loop, NULL, NULL);
    evpq_future *ended = evpq_task_spawn(loop, do_nothing, &freed[0], OPTS(.free_arg = count_free));
    evpq_future *canceled =
        evpq_task_spawn(loop, do_nothing, &freed[1], OPTS(.free_arg = count_free));
    evpq_task_cancel(canceled);
    evpq_future *dropped =
        evpq_task_spawn(loop, do_nothing, &freed[2], OPTS(.free_arg = count_free));
    evpq_future_cancel(dropped);
    ck_future_status(dropped, EVPQ_CANCELED);
    evpq_future *invalid = evpq_task_spawn(loop, NULL, &freed[3], OPTS(.free_arg = count_free));
    evpq_future *too_big = evpq_task_spawn(
        loop, do_nothing, &freed[4], OPTS(.stack_size = (size_t)1 << 60, .free_arg = count_free));
    ck_assert_int_eq(freed[0] + freed[1] + freed[2] + freed[4], 0);
    ck_assert_int_eq(outcome(invalid), EVPQ_INVALID);
    ck_assert_int_eq(outcome(ended), EVPQ_OK);
    ck_assert_int_eq(outcome(canceled), EVPQ_CANCELED);
    ck_assert_int_eq(outcome(dropped), EVPQ_CANCELED);
    ck_assert_int_eq(outcome(too_big), EVPQ_NOMEM);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(freed[i], 1);
    evpq_future_unref(never);
    teardown();
}
END_TEST

static int *kept;

static void count_kept(void *arg)
{
    ++*kept;
}

START_TEST(its_argument_lives_until_what_it_returned_has_settled)
{
    setup();
    int freed = 0;
    never = evpq_future_new(loop, NULL, NULL);
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_future *t = evpq_task_spawn(loop, give_pending, f, OPTS(.free_arg = count_kept));
    kept = &freed;
    run_a_turn();
    ck_assert_int_eq(freed, 0);
    evpq_future_set_value(f, NULL, NULL);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    ck_assert_int_eq(freed, 1);
    evpq_future_unref(f);
    evpq_future_unref(never);
    teardown();
}
END_TEST

START_TEST(bad_arguments_are_invalid)
{
    setup();
    ck_assert_int_eq(outcome(evpq_task_spawn(NULL, do_nothing, NULL, NULL)), EVPQ_INVALID);
    ck_assert_int_eq(outcome(evpq_task_spawn(loop, do_nothing, NULL, OPTS(.deadline = NAN))),
                     EVPQ_INVALID);
    ck_assert_int_eq(evpq_task_defer(NULL, seen_free, NULL), EVPQ_INVALID);
    ck_assert_int_eq(evpq_task_set_deadline(NULL, 1), EVPQ_INVALID);
    ck_assert_int_eq(evpq_task_set_stack_size(NULL, 0), EVPQ_INVALID);
    ck_assert_ptr_null(evpq_task_current(NULL));
    evpq_task_cancel(NULL);
    teardown();
}
END_TEST

/* ---- canceling ---- */

struct story {
    evpq_future *first, *second;
    evpq_status got[4];
    int n;
};

static void tell(struct story *s, evpq_status status)
{
    s->got[s->n++] = status;
}

static evpq_future *await_two(evpq_task *self, void *arg)
{
    struct story *s = arg;
    tell(s, evpq_await(s->first));
    tell(s, evpq_await(s->second));
    return evpq_future_ref(s->second);
}

START_TEST(canceling_fails_the_current_await_once)
{
    setup();
    struct story s = {evpq_future_new(loop, NULL, NULL), evpq_sleep(loop, 0.01)};
    evpq_future *t = spawn(await_two, &s);
    run_a_turn();
    evpq_task_cancel(t);
    ck_future_status(s.first, EVPQ_CANCELED); /* what it waited for is stopped */
    ck_future_pending(t);
    ck_await_ok(t); /* it went on as it liked */
    ck_assert_int_eq(s.got[0], EVPQ_CANCELED);
    ck_assert_int_eq(s.got[1], EVPQ_OK);
    evpq_future_unref(s.first);
    evpq_future_unref(s.second);
    evpq_future_unref(t);
    teardown();
}
END_TEST

START_TEST(one_that_had_its_answer_keeps_it_and_is_told_at_the_next_await)
{
    setup();
    struct story s = {evpq_future_new(loop, NULL, NULL), evpq_future_new(loop, NULL, NULL)};
    evpq_future *t = spawn(await_two, &s);
    run_a_turn();
    evpq_future_set_value(s.first, NULL, NULL);
    evpq_task_cancel(t);
    ck_assert_int_eq(evpq_await(t), EVPQ_CANCELED);
    ck_assert_int_eq(s.got[0], EVPQ_OK);
    ck_assert_int_eq(s.got[1], EVPQ_CANCELED);
    evpq_future_unref(s.first);
    evpq_future_unref(s.second);
    evpq_future_unref(t);
    teardown();
}
END_TEST

static evpq_future *cancel_itself(evpq_task *self, void *arg)
{
    struct story *s = arg;
    evpq_task_cancel(&self->future);
    tell(s, evpq_await(s->first)); /* settled: nothing to cancel */
    tell(s, evpq_yield(self));
    tell(s, evpq_yield(self));
    return NULL;
}

START_TEST(one_that_is_running_is_told_at_its_next_await)
{
    setup();
    struct story s = {evpq_future_ok(loop, NULL, NULL)};
    ck_assert_int_eq(outcome(spawn(cancel_itself, &s)), EVPQ_OK);
    ck_assert_int_eq(s.got[0], EVPQ_OK);
    ck_assert_int_eq(s.got[1], EVPQ_CANCELED);
    ck_assert_int_eq(s.got[2], EVPQ_OK);
    evpq_future_unref(s.first);
    teardown();
}
END_TEST

START_TEST(canceling_its_future_settles_that_at_once)
{
    setup();
    struct story s = {evpq_future_new(loop, NULL, NULL), evpq_sleep(loop, 0.01)};
    evpq_future *t = spawn(await_two, &s);
    run_a_turn();
    evpq_future_cancel(t);
    ck_future_status(t, EVPQ_CANCELED);
    ck_assert_int_eq(s.n, 0);
    evpq_loop_run(loop); /* the task cleans up */
    ck_assert_int_eq(s.got[0], EVPQ_CANCELED);
    ck_assert_int_eq(s.got[1], EVPQ_OK);
    evpq_future_unref(s.first);
    evpq_future_unref(s.second);
    evpq_future_unref(t);
    teardown();
}
END_TEST

START_TEST(a_returned_future_is_canceled_with_the_task)
{
    setup();
    for (int at_once = 0; at_once < 2; at_once++) {
        evpq_future *f = evpq_future_new(loop, NULL, NULL), *t = spawn(give_pending, f);
        run_a_turn();
        if (at_once)
            evpq_future_cancel(t);
        else
            evpq_task_cancel(t);
        ck_future_status(f, EVPQ_CANCELED);
        ck_assert_int_eq(outcome(t), EVPQ_CANCELED);
        evpq_future_unref(f);
    }
    teardown();
}
END_TEST

/* The child's clean-up uses what stands on its parent's stack. */
static evpq_future *clean_up_slowly(evpq_task *self, void *arg)
{
    int *cleaned = arg;
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_await(f);
    for (int i = 0; i < 5; i++)
        evpq_yield(self);
    ++*cleaned;
    return f;
}

static int cleaned_up;

static evpq_future *lend_to_child(evpq_task *self, void *arg)
{
    int cleaned = 0;
    evpq_future *child = evpq_task_spawn(loop, clean_up_slowly, &cleaned, arg);
    got = evpq_await(child);
    evpq_future_unref(child);
    cleaned_up = cleaned;
    return NULL;
}

START_TEST(an_awaited_task_is_canceled_and_waited_for)
{
    setup();
    evpq_future *t = spawn(lend_to_child, NULL);
    run_a_turn();
    evpq_task_cancel(t);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    ck_assert_int_eq(got, EVPQ_CANCELED);
    ck_assert_int_eq(cleaned_up, 1);
    teardown();
}
END_TEST

START_TEST(canceling_any_other_future_is_canceling_it)
{
    setup();
    evpq_future *f = evpq_sleep(loop, 1e6);
    evpq_task_cancel(f);
    ck_future_status(f, EVPQ_CANCELED);
    evpq_future_unref(f);
    teardown();
}
END_TEST

/* ---- deferred functions ---- */

static void note(void *arg)
{
    strcat(trace, arg);
}

static evpq_future *gate; /* that a deferred function waits for */

static void wait_and_note(void *arg)
{
    ck_assert_double_infinite(evpq_task_time_left(evpq_task_current(loop)));
    got = evpq_await(gate);
    note(arg);
}

static evpq_status outcome_with_gate_open(evpq_future *task)
{
    evpq_future_set_value(gate, NULL, NULL);
    evpq_future_unref(gate);
    return outcome(task);
}

static evpq_future *defer_three(evpq_task *self, void *arg)
{
    ck_assert_int_eq(evpq_task_defer(self, note, TEXT("1")), EVPQ_OK);
    ck_assert_int_eq(evpq_task_defer(self, wait_and_note, TEXT("2")), EVPQ_OK);
    ck_assert_int_eq(evpq_task_defer(self, note, TEXT("3")), EVPQ_OK);
    strcat(trace, "0");
    if (arg)
        evpq_await(arg);
    return NULL;
}

START_TEST(deferred_functions_run_last_first_before_it_settles)
{
    setup();
    gate = evpq_future_new(loop, NULL, NULL);
    evpq_future *t = spawn(defer_three, NULL);
    run_a_turn();
    ck_assert_str_eq(trace, "03");
    ck_assert_int_eq(outcome_with_gate_open(t), EVPQ_OK);
    ck_assert_str_eq(trace, "0321");
    ck_assert_int_eq(got, EVPQ_OK);
    teardown();
}
END_TEST

static evpq_future *defer_without_memory(evpq_task *self, void *arg)
{
    oom_fail_at(1);
    got = evpq_task_defer(self, note, TEXT("now"));
    ck_assert(oom_end());
    strcat(trace, " end");
    return NULL;
}

START_TEST(one_that_cannot_be_remembered_runs_at_once)
{
    setup();
    ck_assert_int_eq(outcome(spawn(defer_without_memory, NULL)), EVPQ_OK);
    ck_assert_int_eq(got, EVPQ_NOMEM);
    ck_assert_str_eq(trace, "now end");
    teardown();
}
END_TEST

START_TEST(f39_they_cannot_be_canceled_and_have_no_deadline)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    gate = evpq_future_new(loop, NULL, NULL);
    evpq_future *t = evpq_task_spawn(loop, defer_three, f, OPTS(.deadline = 1e6));
    run_a_turn();
    ck_future_status(f, EVPQ_PENDING);
    evpq_task_cancel(t);
    run_a_turn();
    ck_assert_str_eq(trace, "03"); /* in the second */
    evpq_task_cancel(t);
    evpq_task_cancel(t);
    ck_assert_int_eq(outcome_with_gate_open(t), EVPQ_OK);
    ck_assert_str_eq(trace, "0321");
    ck_assert_int_eq(got, EVPQ_OK);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static evpq_future *defer_and_return(evpq_task *self, void *arg)
{
    evpq_task_defer(self, wait_and_note, TEXT("w"));
    return evpq_future_ref(arg);
}

START_TEST(a_cancel_meanwhile_is_for_what_was_returned)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *t = spawn(defer_and_return, f);
    gate = evpq_future_new(loop, NULL, NULL);
    run_a_turn();
    evpq_task_cancel(t);
    ck_future_pending(f);
    ck_assert_int_eq(outcome_with_gate_open(t), EVPQ_CANCELED);
    ck_assert_int_eq(got, EVPQ_OK); /* what was deferred went its way */
    ck_future_status(f, EVPQ_CANCELED);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static evpq_task *itself;

static evpq_future *keep_itself(evpq_task *self, void *arg)
{
    itself = self;
    return evpq_future_ref(arg);
}

START_TEST(nothing_can_be_deferred_after_it_has_returned)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *t = spawn(keep_itself, f);
    run_a_turn();
    ck_assert_int_eq(evpq_task_defer(itself, note, TEXT("never")), EVPQ_INVALID);
    evpq_future_set_value(f, NULL, NULL);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    ck_assert_str_eq(trace, "");
    evpq_future_unref(f);
    teardown();
}
END_TEST

/* ---- deadlines ---- */

static evpq_future *late_awaits(evpq_task *self, void *arg)
{
    struct story *s = arg;
    ck_assert_double_gt(evpq_task_time_left(self), 0);
    tell(s, evpq_await(s->first));
    ck_assert_double_eq(evpq_task_time_left(self), 0);
    tell(s, evpq_await(s->second));
    tell(s, evpq_yield(self));
    return evpq_future_ref(s->first);
}

START_TEST(a_deadline_bounds_every_await)
{
    setup();
    struct story s = {evpq_future_new(loop, NULL, NULL), evpq_sleep(loop, 1e6)};
    evpq_future *t = evpq_task_spawn(loop, late_awaits, &s, OPTS(.deadline = 0.5));
    ck_assert_int_eq(evpq_await(t), EVPQ_TIMEOUT);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(t)),
                     "the deadline of the task has passed");
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(s.got[i], EVPQ_TIMEOUT);
    evpq_future_unref(s.first);
    evpq_future_unref(s.second);
    evpq_future_unref(t);
    teardown();
}
END_TEST

static double left_in_child;

static evpq_future *report_time_left(evpq_task *self, void *arg)
{
    left_in_child = evpq_task_time_left(self);
    return arg ? evpq_future_ref(arg) : NULL;
}

static evpq_future *spawn_with(evpq_task *self, void *arg)
{
    return evpq_task_spawn(loop, report_time_left, NULL, arg);
}

START_TEST(a_deadline_goes_on_to_those_it_spawns)
{
    setup();
    const struct {
        double of_parent, of_child, least, most;
    } cases[] = {
        {100, 0, 90, 100},   {100, 50, 40, 50},
        {100, 200, 90, 100}, {100, -1, INFINITY, INFINITY},
        {0, 50, 40, 50},     {0, 0, INFINITY, INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evpq_task_opts child = {.size = sizeof child, .deadline = cases[i].of_child};
        ck_assert_int_eq(outcome(evpq_task_spawn(loop, spawn_with, &child,
                                                 OPTS(.deadline = cases[i].of_parent))),
                         EVPQ_OK);
        ck_assert_double_ge(left_in_child, cases[i].least);
        ck_assert_double_le(left_in_child, cases[i].most);
    }
    teardown();
}
END_TEST

START_TEST(an_awaited_task_out_of_time_is_waited_for)
{
    setup();
    evpq_task_opts child = {.size = sizeof child, .deadline = -1};
    for (int inherits = 0; inherits < 2; inherits++) {
        cleaned_up = 0;
        evpq_future *t =
            evpq_task_spawn(loop, lend_to_child, inherits ? NULL : &child, OPTS(.deadline = 0.5));
        ck_assert_int_eq(outcome(t), EVPQ_OK);
        ck_assert_int_eq(got, EVPQ_TIMEOUT);
        ck_assert_int_eq(cleaned_up, 1);
    }
    teardown();
}
END_TEST

START_TEST(a_returned_future_keeps_to_the_deadline)
{
    setup();
    for (int deferred = 0; deferred < 2; deferred++) {
        evpq_future *f = evpq_future_new(loop, NULL, NULL);
        evpq_future *t = evpq_task_spawn(loop, report_time_left, f, OPTS(.deadline = 0.01));
        if (deferred)
            evpq_task_defer(container_of(t, struct evpq_task, future), note, TEXT(""));
        ck_assert_int_eq(outcome(t), EVPQ_TIMEOUT);
        evpq_future_unref(f);
    }
    teardown();
}
END_TEST

static evpq_future *shorten(evpq_task *self, void *arg)
{
    ck_assert_int_eq(evpq_task_set_deadline(self, NAN), EVPQ_INVALID);
    ck_assert_int_eq(evpq_task_set_deadline(self, 1e6), EVPQ_OK);
    ck_assert_int_eq(evpq_task_set_deadline(self, 0.01), EVPQ_OK);
    ck_assert_int_eq(evpq_task_set_deadline(self, 1e6), EVPQ_OK); /* a nearer one stays */
    got = evpq_await(arg);
    return NULL;
}

START_TEST(a_deadline_can_be_brought_forward)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    ck_assert_int_eq(outcome(spawn(shorten, f)), EVPQ_OK);
    ck_assert_int_eq(got, EVPQ_TIMEOUT);
    evpq_future_unref(f);
    teardown();
}
END_TEST

static evpq_future *set_past_deadline(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_task_set_deadline(self, -1);
    ck_assert_int_eq(evpq_await(f), EVPQ_TIMEOUT);
    evpq_future_unref(f);
    /* what begins too late never does */
    evpq_future *child = spawn(step_and_end, &steps);
    ck_assert_int_eq(evpq_await(child), EVPQ_TIMEOUT);
    return child;
}

START_TEST(a_deadline_in_the_past_ends_it_now)
{
    setup();
    ck_assert_int_eq(outcome(spawn(set_past_deadline, NULL)), EVPQ_TIMEOUT);
    ck_assert_int_eq(steps, 0);
    teardown();
}
END_TEST

/* ---- stacks ---- */

static evpq_future *use_kilobytes(evpq_task *self, void *arg)
{
    volatile char room[100 * 1024];
    for (size_t i = 0; i < sizeof room; i += 1024)
        room[i] = 1;
    return room[1024] ? NULL : evpq_future_new(loop, NULL, NULL);
}

START_TEST(the_size_of_a_stack_can_be_chosen)
{
    setup();
    evpq_future *own = evpq_task_spawn(loop, use_kilobytes, NULL, OPTS(.stack_size = 200 * 1024));
    ck_assert_int_eq(outcome(own), EVPQ_OK);
    struct evpq_task *t;
    const struct {
        size_t of_loop, own, got;
    } cases[] = {{0, 0, 256 << 10}, {128 << 10, 0, 128 << 10}, {128 << 10, 1, 16 << 10},
                 {1, 0, 16 << 10},  {0, 1 << 20, 1 << 20},     {0, 0, 256 << 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(evpq_task_set_stack_size(loop, cases[i].of_loop), EVPQ_OK);
        evpq_future *f =
            evpq_task_spawn(loop, step_and_end, &steps, OPTS(.stack_size = cases[i].own));
        t = container_of(f, struct evpq_task, future);
        ck_assert_uint_eq(t->stack_size, cases[i].got);
        ck_assert_int_eq(outcome(f), EVPQ_OK);
    }
    teardown();
}
END_TEST

static evpq_future *round_upward(evpq_task *self, void *arg)
{
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    fesetround(FE_UPWARD);
    evpq_yield(self);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    return NULL;
}

START_TEST(how_one_rounds_is_no_matter_of_the_next)
{
    setup();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome(spawn(round_upward, NULL)), EVPQ_OK);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    teardown();
}
END_TEST

/* ---- freeing ---- */

START_TEST(f42_its_future_may_go_at_any_time)
{
    setup();
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_future_unref(spawn(await_arg, f)); /* before it begins */
    evpq_future *t = spawn(await_arg, f);
    run_a_turn();
    evpq_future_unref(t); /* while it waits */
    evpq_future_set_value(f, NULL, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(steps, 4);
    evpq_future_unref(f);
    teardown();
}
END_TEST

START_TEST(f42_it_may_let_go_of_the_last_reference_to_the_loop)
{
    loop = evpq_loop_new(NULL);
    evpq_loop *mine = loop;
    evpq_future *t = spawn(step_and_end, &steps);
    evpq_loop_unref(loop);
    evpq_loop_run(mine);
    ck_assert_int_eq(steps, 1);
    ck_future_ok(t);
    evpq_future_unref(t);
}
END_TEST

/* ---- dumps ---- */

static char *dump(void)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    evpq_task_dump(loop, out);
    fclose(out);
    return text;
}

static evpq_future *dump_now(evpq_task *self, void *arg)
{
    *(char **)arg = dump();
    return NULL;
}

static bool has_line(const char *text, const char *name, const char *what)
{
    char begin[64];
    snprintf(begin, sizeof begin, "task \"%s\" ", name);
    const char *line = strstr(text, begin);
    return line && !strncmp(line + strlen(begin), what, strlen(what));
}

START_TEST(a_dump_says_what_each_waits_for)
{
    setup();
    evpq_future *two[] = {evpq_future_new(loop, NULL, NULL), evpq_sleep(loop, 1e6)};
    evpq_future *all = evpq_timeout(evpq_all(two, 2), 1e6), *sleep = evpq_sleep(loop, 1e6);
    char *text = NULL;
    evpq_future *ts[] = {
        evpq_task_spawn(loop, await_arg, sleep, OPTS(.name = "sleeper", .deadline = 1e5)),
        evpq_task_spawn(loop, await_arg, all, OPTS(.name = "gatherer")),
        evpq_task_spawn(loop, give_pending, sleep, OPTS(.name = "tail")),
        evpq_task_spawn(loop, dump_now, &text, OPTS(.name = "dump\ner")),
        spawn(step_and_end, &steps),
    };
    run_a_turn();
    ck_assert_msg(has_line(text, "sleeper", "waits 0.0"), "%s", text);
    ck_assert_ptr_nonnull(strstr(text, " s for sleep, deadline in "));
    ck_assert(has_line(text, "gatherer", "waits 0.0"));
    ck_assert_ptr_nonnull(strstr(text, " s for timeout of futures \"all\" (2 of 2 pending)\n"));
    ck_assert(has_line(text, "tail", "has returned and waits 0.0"));
    ck_assert(has_line(text, "dump er", "is running"));
    ck_assert(has_line(text, "task", "has not begun"));
    free(text);
    for (int i = 0; i < 5; i++) {
        evpq_task_cancel(ts[i]);
        evpq_future_unref(ts[i]);
    }
    evpq_loop_run(loop);
    text = dump();
    ck_assert_str_eq(text, "");
    free(text);
    evpq_future_unref(all);
    evpq_future_unref(sleep);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("task");
    CHECK_ADD(c, f44_it_begins_later_from_the_loop);
    CHECK_ADD(c, it_settles_with_what_its_function_returns);
    CHECK_ADD(c, a_pending_one_is_followed_without_a_stack);
    CHECK_ADD(c, what_cannot_be_followed_is_invalid);
    CHECK_ADD(c, it_waits_while_the_loop_goes_on);
    CHECK_ADD(c, many_wait_for_one_future);
    CHECK_ADD(c, a_settled_future_is_not_waited_for);
    CHECK_ADD(c, those_who_yield_take_turns);
    CHECK_ADD(c, a_task_awaits_a_task);
    CHECK_ADD(c, f45_tasks_that_would_wait_for_each_other_are_told);
    CHECK_ADD(c, f45_callbacks_on_a_tasks_stack_cannot_wait);
    CHECK_ADD(c, what_has_settled_is_no_part_of_a_circle);
    CHECK_ADD(c, a_chain_of_tasks_that_wait_may_be_long);
    CHECK_ADD(c, one_that_yields_for_ever_does_not_hold_up_timers);
    CHECK_ADD(c, its_argument_is_freed_once_whatever_becomes_of_it);
    CHECK_ADD(c, its_argument_lives_until_what_it_returned_has_settled);
    CHECK_ADD(c, bad_arguments_are_invalid);
    CHECK_ADD(c, canceling_fails_the_current_await_once);
    CHECK_ADD(c, one_that_had_its_answer_keeps_it_and_is_told_at_the_next_await);
    CHECK_ADD(c, one_that_is_running_is_told_at_its_next_await);
    CHECK_ADD(c, canceling_its_future_settles_that_at_once);
    CHECK_ADD(c, a_returned_future_is_canceled_with_the_task);
    CHECK_ADD(c, an_awaited_task_is_canceled_and_waited_for);
    CHECK_ADD(c, canceling_any_other_future_is_canceling_it);
    CHECK_ADD(c, deferred_functions_run_last_first_before_it_settles);
    CHECK_ADD(c, one_that_cannot_be_remembered_runs_at_once);
    CHECK_ADD(c, f39_they_cannot_be_canceled_and_have_no_deadline);
    CHECK_ADD(c, a_cancel_meanwhile_is_for_what_was_returned);
    CHECK_ADD(c, nothing_can_be_deferred_after_it_has_returned);
    CHECK_ADD(c, a_deadline_bounds_every_await);
    CHECK_ADD(c, a_deadline_goes_on_to_those_it_spawns);
    CHECK_ADD(c, an_awaited_task_out_of_time_is_waited_for);
    CHECK_ADD(c, a_returned_future_keeps_to_the_deadline);
    CHECK_ADD(c, a_deadline_can_be_brought_forward);
    CHECK_ADD(c, a_deadline_in_the_past_ends_it_now);
    CHECK_ADD(c, the_size_of_a_stack_can_be_chosen);
    CHECK_ADD(c, how_one_rounds_is_no_matter_of_the_next);
    CHECK_ADD(c, f42_its_future_may_go_at_any_time);
    CHECK_ADD(c, f42_it_may_let_go_of_the_last_reference_to_the_loop);
    CHECK_ADD(c, a_dump_says_what_each_waits_for);
    return check_end(c);
}
