/* test_task_oom.c - tasks without memory: the n-th allocation fails, for n = 1 and on until none is
 * left to fail. What cannot be had says EVPQ_NOMEM, arguments are freed once, what was deferred is
 * called once, and a group says that all was done only where all was. */
#include "tasks/task.h"

#include "support/check.h"
#include "support/oom.h"
#include "support/seen.h"

#include <string.h>

static evpq_loop *loop;

static void setup(void)
{
    loop = evpq_loop_new(NULL);
}

static bool none_left(void)
{
    struct loop_data *data = *loop_data_of(loop);
    return !data || list_empty(&container_of(data, struct tasks, loop_data)->live);
}

static void teardown(void)
{
    evpq_loop_run(loop);
    ck_assert(none_left());
    evpq_loop_unref(loop);
}

#define OPTS(...)                             \
 &(evpq_task_opts)                            \
 {                                            \
  .size = sizeof(evpq_task_opts), __VA_ARGS__ \
 }

static int ran;

static evpq_future *just_run(evpq_task *self, void *arg)
{
    ran++;
    return NULL;
}

START_TEST(a_task_that_cannot_be_had_frees_its_argument_once)
{
    EACH_ALLOCATION(n, failed) {
        setup(); /* the first task of a loop needs more than the others */
        ran = seen_freed = 0;
        oom_fail_at(n);
        evpq_future *f = evpq_task_spawn(
            loop, just_run, &ran,
            OPTS(.name = "a task of some name", .free_arg = seen_free, .deadline = 1e6));
        int freed_at_once = seen_freed;
        bool refused = evpq_future_status(f) != EVPQ_PENDING;
        evpq_loop_run(loop);
        failed = oom_end();
        ck_future_status(f, failed ? EVPQ_NOMEM : EVPQ_OK);
        ck_assert(evpq_future_error(f) || !failed);
        ck_assert_int_eq(freed_at_once, refused);
        ck_assert_int_eq(seen_freed, 1);
        ck_assert_int_eq(ran, !failed);
        evpq_future_unref(f);
        teardown();
        ck_assert(failed || n > 3); /* the loop's tasks, the task, its stack */
    }
}
END_TEST

START_TEST(what_else_needs_memory_says_so)
{
    EACH_ALLOCATION(n, failed) {
        setup();
        oom_fail_at(n);
        evpq_group *g = evpq_group_open(loop, NULL);
        evpq_status status = evpq_task_set_stack_size(loop, 0);
        failed = oom_end();
        ck_assert(n != 1 || !g);
        ck_assert_int_eq(status, n == 2 ? EVPQ_NOMEM : EVPQ_OK);
        evpq_future_unref(evpq_group_join(g));
        teardown();
    }
}
END_TEST

/* ---- all of it at once ---- */

enum { CHILDREN = 3 };

static struct {
    int given, freed;       /* arguments */
    int deferred, called;   /* functions */
    int begun, ended, done; /* children; done: to the end of their work */
    bool opened;
    evpq_status joined;
    struct seen told;
} w;

static void count_freed(void *arg)
{
    w.freed++;
}

static void count_called(void *arg)
{
    evpq_future *f = evpq_sleep(loop, 0.);
    evpq_await(f);
    evpq_future_unref(f);
    w.called++;
}

static void defer(evpq_task *self)
{
    evpq_task_defer(self, count_called, NULL); /* at once, without memory */
    w.deferred++;
}

static evpq_future *child(evpq_task *self, void *arg)
{
    evpq_future *f = evpq_timeout(evpq_sleep(loop, 0.), 1e6);
    w.begun++;
    defer(self);
    evpq_status status = evpq_await(f);
    w.done += status == EVPQ_OK;
    w.ended++;
    return f;
}

static evpq_future *family(evpq_task *self, void *arg)
{
    evpq_group_opts opts = {.size = sizeof opts, .limit = 2, .deadline = 1e6};
    w.begun++;
    defer(self);
    evpq_group *g = evpq_group_open(loop, &opts);
    w.opened = g;
    for (int i = 0; i < CHILDREN; i++, w.given++)
        evpq_future_unref(evpq_group_spawn(g, child, NULL, OPTS(.free_arg = count_freed)));
    evpq_future *both[] = {evpq_sleep(loop, 0.), evpq_sleep(loop, 0.)};
    evpq_future *all = evpq_all(both, 2);
    evpq_await(all);
    evpq_future_unref(all);
    evpq_yield(self);
    evpq_future *join = evpq_group_join(g);
    w.joined = evpq_await(join);
    defer(self);
    w.ended++;
    return join;
}

START_TEST(no_memory_at_any_moment_ends_every_task_once)
{
    EACH_ALLOCATION(n, failed) {
        setup();
        memset(&w, 0, sizeof w);
        w.joined = EVPQ_PENDING;
        (_i ? oom_fail_from : oom_fail_at)(n);
        w.given++;
        evpq_future *f = evpq_task_spawn(loop, family, NULL, OPTS(.free_arg = count_freed));
        evpq_status watched = evpq_future_on_done(f, seen_done, &w.told);
        evpq_loop_run(loop);
        failed = oom_end();
        ck_assert(none_left());
        ck_assert_int_ne(evpq_future_status(f), EVPQ_PENDING);
        ck_assert_int_eq(w.freed, w.given);
        ck_assert_int_eq(w.begun, w.ended);
        ck_assert_int_eq(w.called, w.deferred);
        if (w.joined == EVPQ_OK)
            ck_assert_msg(w.done == CHILDREN, "n = %ld: %d of %d are done", n, w.done, CHILDREN);
        if (w.joined != EVPQ_PENDING)
            ck_assert_int_eq(evpq_future_status(f), w.joined);
        ck_assert_int_eq(w.told.calls, watched == EVPQ_OK);
        if (!failed)
            ck_future_ok(f);
        evpq_future_unref(f);
        teardown();
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("task without memory");
    CHECK_ADD(c, a_task_that_cannot_be_had_frees_its_argument_once);
    CHECK_ADD(c, what_else_needs_memory_says_so);
    CHECK_ADD_LOOP(c, no_memory_at_any_moment_ends_every_task_once, 2);
    return check_end(c);
}
