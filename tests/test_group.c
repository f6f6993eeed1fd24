/* test_group.c - groups of tasks: they end together, the first failure ends the rest, so many run
 * at once, and none outlives its group. */
#include "tasks/task.h"

#include "support/check.h"
#include "support/seen.h"

#include <evpq/sync.h>
#include <math.h>
#include <stdlib.h>

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

#define OPTS(...)                              \
 &(evpq_group_opts)                            \
 {                                             \
  .size = sizeof(evpq_group_opts), __VA_ARGS__ \
 }

static evpq_status outcome(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    evpq_future_unref(f);
    return status;
}

static void spawn(evpq_group *g, evpq_task_fn *fn, void *arg)
{
    evpq_future_unref(evpq_group_spawn(g, fn, arg, NULL));
}

static void run_a_turn(void)
{
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
}

static int running, most, ended;

/* Takes a few turns. */
static evpq_future *work(evpq_task *self, void *arg)
{
    running++;
    most = running > most ? running : most;
    for (int i = 0; i < 3; i++)
        evpq_yield(self);
    running--;
    ended++;
    return NULL;
}

/* Ends only when it is told to, and says how. */
static evpq_future *wait_long(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_status status = evpq_await(f);
    for (int i = 0; i < 3; i++)
        evpq_yield(self);
    if (arg)
        *(evpq_status *)arg = status;
    ended++;
    return f;
}

static evpq_future *fail_soon(evpq_task *self, void *arg)
{
    evpq_yield(self);
    return evpq_future_failed(loop, EVPQ_TYPE, "failed on purpose");
}

START_TEST(it_is_done_when_all_are)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < 10; i++)
        spawn(g, work, NULL);
    evpq_future *join = evpq_group_join(g);
    run_a_turn();
    ck_assert_int_eq(outcome(join), EVPQ_OK);
    ck_assert_int_eq(ended, 10);
    ck_assert_int_eq(most, 10);
    teardown();
}
END_TEST

START_TEST(an_empty_one_is_done_at_once)
{
    setup();
    evpq_future *join = evpq_group_join(evpq_group_open(loop, NULL));
    ck_future_ok(join);
    evpq_future_unref(join);
    teardown();
}
END_TEST

START_TEST(it_may_be_joined_after_they_have_ended)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, work, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(ended, 1);
    spawn(g, fail_soon, NULL);
    evpq_loop_run(loop);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_TYPE);
    teardown();
}
END_TEST

START_TEST(the_first_failure_cancels_the_rest_and_is_reported)
{
    setup();
    evpq_status told[3] = {0};
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < 3; i++)
        spawn(g, wait_long, &told[i]);
    spawn(g, fail_soon, NULL);
    evpq_future *join = evpq_group_join(g);
    ck_assert_int_eq(evpq_await(join), EVPQ_TYPE);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(join)), "failed on purpose");
    ck_assert_int_eq(ended, 3); /* and it waited for them */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(told[i], EVPQ_CANCELED);
    evpq_future_unref(join);
    teardown();
}
END_TEST

START_TEST(what_is_spawned_after_a_failure_never_begins)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, fail_soon, NULL);
    evpq_loop_run(loop);
    evpq_future *late = evpq_group_spawn(g, work, NULL, NULL);
    ck_assert_int_eq(outcome(late), EVPQ_CANCELED);
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_TYPE);
    teardown();
}
END_TEST

START_TEST(one_that_is_canceled_alone_is_no_failure)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    evpq_future *one = evpq_group_spawn(g, wait_long, NULL, NULL);
    spawn(g, work, NULL);
    run_a_turn();
    evpq_task_cancel(one);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_OK);
    ck_assert_int_eq(ended, 2);
    ck_future_status(one, EVPQ_CANCELED);
    evpq_future_unref(one);
    teardown();
}
END_TEST

START_TEST(so_many_run_at_once)
{
    setup();
    evpq_group *g = evpq_group_open(loop, OPTS(.limit = 3));
    for (int i = 0; i < 20; i++)
        spawn(g, work, NULL);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_OK);
    ck_assert_int_eq(most, 3);
    ck_assert_int_eq(ended, 20);
    teardown();
}
END_TEST

START_TEST(those_that_wait_for_their_turn_can_be_canceled)
{
    setup();
    evpq_group *g = evpq_group_open(loop, OPTS(.limit = 1));
    evpq_future *fs[4];
    for (int i = 0; i < 4; i++)
        fs[i] = evpq_group_spawn(g, i ? work : wait_long, NULL, NULL);
    run_a_turn();
    evpq_task_cancel(fs[2]);
    ck_assert_int_eq(evpq_await(fs[2]), EVPQ_CANCELED); /* at once, not in its turn */
    ck_future_pending(fs[0]);
    evpq_future_cancel(fs[1]);
    evpq_task_cancel(fs[0]);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_OK);
    ck_future_ok(fs[3]);
    ck_assert_int_eq(ended, 2);
    for (int i = 0; i < 4; i++)
        evpq_future_unref(fs[i]);
    teardown();
}
END_TEST

START_TEST(a_failure_ends_those_that_wait_for_their_turn)
{
    setup();
    evpq_group *g = evpq_group_open(loop, OPTS(.limit = 2));
    spawn(g, fail_soon, NULL);
    for (int i = 0; i < 5; i++)
        spawn(g, wait_long, NULL);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_TYPE);
    ck_assert_int_eq(ended, 1);
    teardown();
}
END_TEST

/* ---- canceling ---- */

START_TEST(canceling_it_ends_all_and_it_waits_for_them)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < 3; i++)
        spawn(g, wait_long, NULL);
    run_a_turn();
    switch (_i) {
    case 0:
        evpq_group_cancel(g);
        break;
    default:
        break;
    }
    evpq_future *join = evpq_group_join(g);
    switch (_i) {
    case 1:
        evpq_task_cancel(join);
        ck_future_pending(join);
        break;
    case 2:
        evpq_future_cancel(join);
        ck_future_status(join, EVPQ_CANCELED);
        break;
    default:
        break;
    }
    ck_assert_int_eq(outcome(join), EVPQ_CANCELED);
    evpq_loop_run(loop);
    ck_assert_int_eq(ended, 3);
    teardown();
}
END_TEST

static evpq_status got;

static evpq_future *open_and_join(evpq_task *self, void *arg)
{
    evpq_status told[2] = {0}; /* children use this frame */
    evpq_group *g = evpq_group_open(loop, arg);
    spawn(g, wait_long, &told[0]);
    spawn(g, wait_long, &told[1]);
    evpq_future *join = evpq_group_join(g);
    got = evpq_await(join);
    ck_assert_int_eq(told[0], got);
    ck_assert_int_eq(told[1], got);
    return join;
}

START_TEST(canceling_who_waits_for_it_ends_all)
{
    setup();
    evpq_future *t = evpq_task_spawn(loop, open_and_join, NULL, NULL);
    run_a_turn();
    run_a_turn();
    evpq_task_cancel(t);
    ck_assert_int_eq(outcome(t), EVPQ_CANCELED);
    ck_assert_int_eq(got, EVPQ_CANCELED);
    ck_assert_int_eq(ended, 2);
    teardown();
}
END_TEST

static evpq_channel *channel;
static evpq_future *members[3];

static evpq_future *send_item(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_channel_send(channel, &ended);
    evpq_await(f);
    ended++;
    return f;
}

/* Called as a send is canceled, in the midst of the others' being canceled. */
static void end_all_others(void *item)
{
    for (int i = 0; i < 3; i++) {
        evpq_task_cancel(members[i]);
        members[i] = evpq_future_unref(members[i]);
    }
    evpq_loop_run(loop);
}

START_TEST(f42_tasks_may_end_while_their_group_is_being_canceled)
{
    setup();
    channel = evpq_channel_new(loop, 0, end_all_others);
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < 3; i++)
        members[i] = evpq_group_spawn(g, send_item, NULL, NULL);
    evpq_future *join = evpq_group_join(g);
    run_a_turn();
    if (_i)
        evpq_future_cancel(join);
    else
        evpq_task_cancel(join);
    ck_assert_int_eq(outcome(join), EVPQ_CANCELED);
    ck_assert_int_eq(ended, 3);
    evpq_channel_unref(channel);
    teardown();
}
END_TEST

/* Told to stop, it fails in its own way. */
static evpq_future *fail_when_told(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_await(f);
    evpq_future_unref(f);
    return evpq_future_failed(loop, EVPQ_TYPE, "could not stop as it should");
}

static evpq_status at_clean_up;

static evpq_future *join_and_clean_up(evpq_task *self, void *arg)
{
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, fail_when_told, NULL);
    evpq_future *join = evpq_group_join(g);
    got = evpq_await(join);
    at_clean_up = evpq_yield(self);
    return join;
}

START_TEST(who_is_canceled_is_told_once_however_its_group_fails)
{
    setup();
    evpq_future *t = evpq_task_spawn(loop, join_and_clean_up, NULL, NULL);
    run_a_turn();
    run_a_turn();
    evpq_task_cancel(t);
    ck_assert_int_eq(outcome(t), EVPQ_TYPE);
    ck_assert_int_eq(got, EVPQ_TYPE);
    ck_assert_int_eq(at_clean_up, EVPQ_OK);
    teardown();
}
END_TEST

/* ---- deadlines ---- */

static evpq_future *end_now(evpq_task *self, void *arg)
{
    ck_assert_int_eq(evpq_task_set_deadline(self, -INFINITY), EVPQ_OK);
    ck_assert_double_eq(evpq_task_time_left(self), 0);
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, work, NULL);
    return evpq_group_join(g);
}

START_TEST(nothing_begins_after_a_deadline)
{
    setup();
    ck_assert_int_eq(outcome(evpq_task_spawn(loop, end_now, NULL, NULL)), EVPQ_TIMEOUT);
    ck_assert_int_eq(ended, 0);
    teardown();
}
END_TEST

START_TEST(its_deadline_bounds_each_in_it)
{
    setup();
    evpq_group_opts of_group = {.size = sizeof of_group, .deadline = 0.5};
    evpq_task_opts of_task = {.size = sizeof of_task, .deadline = 0.5};
    evpq_future *t = _i ? evpq_task_spawn(loop, open_and_join, NULL, &of_task)
                        : evpq_task_spawn(loop, open_and_join, &of_group, NULL);
    ck_assert_int_eq(outcome(t), EVPQ_TIMEOUT);
    ck_assert_int_eq(got, EVPQ_TIMEOUT);
    ck_assert_int_eq(ended, 2);
    teardown();
}
END_TEST

static evpq_future *fail_after_its_deadline(evpq_task *self, void *late)
{
    while (evpq_task_time_left(late) > 0)
        continue;
    return evpq_future_failed(loop, EVPQ_TYPE, "failed on purpose");
}

static evpq_future *wait_for_a_sibling(evpq_task *self, void *arg)
{
    evpq_group *g = arg;
    evpq_task_set_deadline(self, 0.01);
    evpq_future_unref(evpq_group_spawn(g, fail_after_its_deadline, self, NULL));
    return wait_long(self, &got);
}

/* Its timer has not been looked at yet. */
START_TEST(who_is_canceled_after_its_deadline_is_out_of_time)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, wait_for_a_sibling, g);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_TYPE);
    ck_assert_int_eq(got, EVPQ_TIMEOUT);
    teardown();
}
END_TEST

/* ---- tasks that forget ---- */

static evpq_status told_last;

static evpq_future *forget_to_join(evpq_task *self, void *arg)
{
    static evpq_status told = EVPQ_PENDING; /* not in this frame, which is gone by then */
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, wait_long, &told);
    for (int i = 0; i < 3; i++)
        evpq_yield(self);
    told_last = told;
    return arg ? evpq_future_failed(loop, EVPQ_LOST, "half way") : NULL;
}

START_TEST(what_is_not_joined_is_canceled_and_joined_at_the_end)
{
    setup();
    evpq_future *t = evpq_task_spawn(loop, forget_to_join, _i ? &got : NULL, NULL);
    ck_assert_int_eq(outcome(t), _i ? EVPQ_LOST : EVPQ_OK);
    ck_assert_int_eq(told_last, EVPQ_PENDING);
    ck_assert_int_eq(ended, 1);
    teardown();
}
END_TEST

static evpq_future *return_join(evpq_task *self, void *arg)
{
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < 3; i++)
        spawn(g, arg ? wait_long : work, NULL);
    return evpq_group_join(g);
}

START_TEST(a_join_may_be_returned)
{
    setup();
    evpq_future *t = evpq_task_spawn(loop, return_join, _i ? &got : NULL, NULL);
    run_a_turn();
    run_a_turn();
    if (_i)
        evpq_task_cancel(t);
    ck_assert_int_eq(outcome(t), _i ? EVPQ_CANCELED : EVPQ_OK);
    ck_assert_int_eq(ended, 3);
    teardown();
}
END_TEST

/* ---- growing ---- */

struct tree {
    evpq_group *group;
    int left;
};

static evpq_future *spawn_two(evpq_task *self, void *arg)
{
    struct tree *t = arg;
    for (int i = 0; i < 2 && t->left > 0; i++, t->left--)
        spawn(t->group, spawn_two, t);
    ended++;
    return NULL;
}

START_TEST(tasks_may_spawn_into_it_after_it_was_joined)
{
    setup();
    struct tree tree = {evpq_group_open(loop, OPTS(.limit = _i)), 1000};
    spawn(tree.group, spawn_two, &tree);
    ck_assert_int_eq(outcome(evpq_group_join(tree.group)), EVPQ_OK);
    ck_assert_int_eq(ended, 1001);
    teardown();
}
END_TEST

static evpq_future *join_own(evpq_task *self, void *arg)
{
    got = evpq_await(arg);
    return NULL;
}

START_TEST(f45_a_task_that_waits_for_its_own_group_is_told)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    evpq_future *join = NULL;
    spawn(g, join_own, g); /* the join's future is the group */
    join = evpq_group_join(g);
    ck_assert_ptr_eq((void *)join, (void *)g);
    ck_assert_int_eq(outcome(join), EVPQ_OK);
    ck_assert_int_eq(got, EVPQ_DEADLOCK);
    teardown();
}
END_TEST

static evpq_future *return_arg(evpq_task *self, void *arg)
{
    return evpq_future_ref(arg);
}

START_TEST(f45_a_task_that_returns_what_waits_for_it_is_told)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    evpq_future *one = evpq_group_spawn(g, return_arg, g, NULL);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_DEADLOCK);
    ck_future_status(one, EVPQ_DEADLOCK);
    evpq_future_unref(one);
    teardown();
}
END_TEST

/* `arg` is the join of a group in which the caller is. */
static evpq_future *join_one_within(evpq_task *self, void *arg)
{
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, join_own, arg);
    return evpq_group_join(g);
}

START_TEST(f45_a_circle_through_two_groups_is_seen)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, join_one_within, g);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_OK);
    ck_assert_int_eq(got, EVPQ_DEADLOCK);
    teardown();
}
END_TEST

static evpq_future *join_own_by_a_way_round(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_timeout(evpq_future_ref(arg), INFINITY);
    got = evpq_await(f);
    evpq_future_unref(f);
    return NULL;
}

START_TEST(a_circle_that_nobody_sees_can_be_stopped)
{
    setup();
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, join_own_by_a_way_round, g);
    evpq_future *join = evpq_group_join(g);
    ck_assert_int_eq(evpq_await(join), EVPQ_DEADLOCK); /* nothing is left that could end it */
    evpq_task_cancel(join);
    ck_assert_int_eq(evpq_await(join), EVPQ_CANCELED);
    evpq_loop_run(loop);
    ck_assert_int_eq(got, EVPQ_CANCELED);
    evpq_future_unref(join);
    teardown();
}
END_TEST

static evpq_future *opener;

static evpq_future *await_opener(evpq_task *self, void *arg)
{
    evpq_await(opener);
    return NULL;
}

static evpq_future *leave_a_child_that_waits_for_me(evpq_task *self, void *arg)
{
    spawn(evpq_group_open(loop, NULL), await_opener, NULL);
    evpq_yield(self);
    evpq_yield(self);
    return NULL;
}

START_TEST(f45_a_forgotten_group_that_waits_for_its_opener_does_not_hold_it)
{
    setup();
    opener = evpq_task_spawn(loop, leave_a_child_that_waits_for_me, NULL, NULL);
    ck_assert_int_eq(outcome(opener), EVPQ_OK);
    teardown();
}
END_TEST

/* Notes how its clean-up fares. */
static evpq_future *clean_up_when_told(evpq_task *self, void *arg)
{
    evpq_status *told = arg;
    evpq_future *f = evpq_future_new(loop, NULL, NULL), *sleep = evpq_sleep(loop, 0.01);
    evpq_await(f);
    *told = evpq_await(sleep);
    evpq_future_unref(sleep);
    return f;
}

static evpq_future *cancel_and_forget(evpq_task *self, void *arg)
{
    evpq_group *g = evpq_group_open(loop, NULL);
    spawn(g, clean_up_when_told, arg);
    evpq_yield(self);
    evpq_group_cancel(g);
    evpq_yield(self);
    return NULL; /* join_forgotten asks again */
}

START_TEST(f39_each_in_it_is_told_once)
{
    setup();
    evpq_status told = EVPQ_PENDING;
    evpq_future *t = evpq_task_spawn(loop, cancel_and_forget, &told, NULL);
    ck_assert_int_eq(outcome(t), EVPQ_OK);
    ck_assert_int_eq(told, EVPQ_OK);
    teardown();
}
END_TEST

/* A send that is canceled has its item freed, there and then, by a function that runs the loop. */
static void run_loop_to_free(void *item)
{
    evpq_loop_run(loop);
}

static evpq_future *send_one(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_channel_send(arg, &ended);
    evpq_await(f);
    ended++;
    return f;
}

START_TEST(f42_its_tasks_may_end_while_they_are_stopped)
{
    setup();
    evpq_channel *c = evpq_channel_new(loop, 0, run_loop_to_free);
    evpq_group *g = evpq_group_open(loop, NULL);
    for (int i = 0; i < 4; i++)
        spawn(g, send_one, c);
    run_a_turn();
    evpq_future *join = evpq_group_join(g);
    if (_i)
        evpq_future_cancel(join);
    else
        evpq_task_cancel(join);
    ck_assert_int_eq(outcome(join), EVPQ_CANCELED);
    evpq_loop_run(loop);
    ck_assert_int_eq(ended, 4);
    evpq_channel_unref(c);
    teardown();
}
END_TEST

START_TEST(f42_a_task_may_end_while_its_future_is_canceled)
{
    setup();
    evpq_channel *c = evpq_channel_new(loop, 0, run_loop_to_free);
    evpq_future *t = evpq_task_spawn(loop, send_one, c, NULL);
    run_a_turn();
    evpq_future_cancel(t);
    ck_future_status(t, EVPQ_CANCELED);
    ck_assert_int_eq(ended, 1);
    evpq_future_unref(t);
    evpq_channel_unref(c);
    teardown();
}
END_TEST

static evpq_future *note_time_left(evpq_task *self, void *arg)
{
    *(double *)arg = evpq_task_time_left(self);
    return NULL;
}

static evpq_future *open_without_deadline(evpq_task *self, void *arg)
{
    evpq_group *g = evpq_group_open(loop, OPTS(.deadline = -1));
    spawn(g, note_time_left, arg);
    return evpq_group_join(g);
}

START_TEST(a_negative_deadline_lifts_that_of_its_opener)
{
    setup();
    double left = 0;
    evpq_task_opts opts = {.size = sizeof opts, .deadline = 100};
    ck_assert_int_eq(outcome(evpq_task_spawn(loop, open_without_deadline, &left, &opts)), EVPQ_OK);
    ck_assert_double_eq(left, INFINITY);
    teardown();
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    setup();
    ck_assert_ptr_null(evpq_group_open(NULL, NULL));
    ck_assert_ptr_null(evpq_group_open(loop, OPTS(.limit = -1)));
    ck_assert_ptr_null(evpq_group_open(loop, OPTS(.deadline = NAN)));
    ck_assert_int_eq(outcome(evpq_group_spawn(NULL, work, NULL, NULL)), EVPQ_INVALID);
    ck_assert_int_eq(outcome(evpq_group_join(NULL)), EVPQ_INVALID);
    evpq_group_cancel(NULL);
    evpq_group *g = evpq_group_open(loop, NULL);
    ck_assert_int_eq(outcome(evpq_group_spawn(g, NULL, NULL, NULL)), EVPQ_INVALID);
    ck_assert_int_eq(outcome(evpq_group_join(g)), EVPQ_OK);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("group");
    CHECK_ADD(c, it_is_done_when_all_are);
    CHECK_ADD(c, an_empty_one_is_done_at_once);
    CHECK_ADD(c, it_may_be_joined_after_they_have_ended);
    CHECK_ADD(c, the_first_failure_cancels_the_rest_and_is_reported);
    CHECK_ADD(c, what_is_spawned_after_a_failure_never_begins);
    CHECK_ADD(c, one_that_is_canceled_alone_is_no_failure);
    CHECK_ADD(c, so_many_run_at_once);
    CHECK_ADD(c, those_that_wait_for_their_turn_can_be_canceled);
    CHECK_ADD(c, a_failure_ends_those_that_wait_for_their_turn);
    CHECK_ADD_LOOP(c, canceling_it_ends_all_and_it_waits_for_them, 3);
    CHECK_ADD(c, canceling_who_waits_for_it_ends_all);
    CHECK_ADD_LOOP(c, f42_tasks_may_end_while_their_group_is_being_canceled, 2);
    CHECK_ADD(c, who_is_canceled_is_told_once_however_its_group_fails);
    CHECK_ADD(c, nothing_begins_after_a_deadline);
    CHECK_ADD_LOOP(c, its_deadline_bounds_each_in_it, 2);
    CHECK_ADD(c, who_is_canceled_after_its_deadline_is_out_of_time);
    CHECK_ADD_LOOP(c, what_is_not_joined_is_canceled_and_joined_at_the_end, 2);
    CHECK_ADD_LOOP(c, a_join_may_be_returned, 2);
    CHECK_ADD_LOOP(c, tasks_may_spawn_into_it_after_it_was_joined, 2);
    CHECK_ADD(c, f45_a_task_that_waits_for_its_own_group_is_told);
    CHECK_ADD(c, f45_a_task_that_returns_what_waits_for_it_is_told);
    CHECK_ADD(c, f45_a_circle_through_two_groups_is_seen);
    CHECK_ADD(c, a_circle_that_nobody_sees_can_be_stopped);
    CHECK_ADD(c, f45_a_forgotten_group_that_waits_for_its_opener_does_not_hold_it);
    CHECK_ADD(c, f39_each_in_it_is_told_once);
    CHECK_ADD_LOOP(c, f42_its_tasks_may_end_while_they_are_stopped, 2);
    CHECK_ADD(c, f42_a_task_may_end_while_its_future_is_canceled);
    CHECK_ADD(c, a_negative_deadline_lifts_that_of_its_opener);
    CHECK_ADD(c, bad_arguments_are_refused);
    return check_end(c);
}
