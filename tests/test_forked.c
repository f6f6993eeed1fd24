/* test_forked.c - what a forked child sees of its parent's loop and futures: that they are not its
 * own (F47). With a server: it_fork.c. */
#include "base/forked.h"

#include "async/loop.h"
#include "async/thread.h"
#include "support/child.h"
#include "support/seen.h"

#include <evpq/evpq.h>
#include <semaphore.h>
#include <string.h>

/* ---- the mark ---- */

static struct fork_mark mark;

static void sees_a_foreign_mark(void)
{
    ck_assert(fork_mark_forked(&mark));
    fork_mark_free(&mark); /* harms nobody */
    fork_mark_make(&mark);
    ck_assert(!fork_mark_forked(&mark));
}

static void sees_it_in_a_grandchild_too(void)
{
    child_run(sees_a_foreign_mark, _exit);
    sees_a_foreign_mark();
    child_run(sees_a_foreign_mark, _exit);
}

START_TEST(a_mark_tells_parent_from_child)
{
    fork_mark_make(&mark);
    ck_assert(!fork_mark_forked(&mark));
    child_run(sees_a_foreign_mark, _exit);
    child_run(sees_it_in_a_grandchild_too, _exit);
    ck_assert(!fork_mark_forked(&mark));
    fork_mark_free(&mark);
}
END_TEST

static void sees_a_foreign_process_id(void)
{
    ck_assert(fork_mark_forked(&mark));
}

START_TEST(without_a_wiped_page_process_ids_tell)
{
    static const unsigned char never_a_mark;
    mark = (struct fork_mark){.page = &never_a_mark, .pid = getpid()};
    ck_assert(!fork_mark_forked(&mark));
    child_run(sees_a_foreign_process_id, _exit);
}
END_TEST

/* ---- futures ---- */

static evpq_loop *loop;
static evpq_future *pending, *done, *failed, *slept;
static evpq_semaphore *semaphore;
static evpq_channel *channel;
static evpq_future *task;
static evpq_group *group;
static evpq_future *permit, *no_permit, *received, *sent;
static struct seen seen;
static int value, tasks_over;

static evpq_future *task_waits(evpq_task *self, void *arg)
{
    (void)self;
    evpq_await(arg);
    tasks_over++;
    return NULL;
}

static void begin(void)
{
    loop = evpq_loop_new(NULL);
    pending = evpq_future_new(loop, seen_done, &seen);
    done = evpq_future_ok(loop, &value, NULL);
    failed = evpq_future_failed(loop, EVPQ_TYPE, "no %s", "luck");
    slept = evpq_sleep(loop, 0.01);
    task = evpq_task_spawn(loop, task_waits, pending, NULL);
    group = evpq_group_open(loop, NULL);
    evpq_future_unref(evpq_group_spawn(group, task_waits, pending, NULL));
    semaphore = evpq_semaphore_new(loop, 1);
    permit = evpq_semaphore_acquire(semaphore);
    no_permit = evpq_semaphore_acquire(semaphore);
    channel = evpq_channel_new(loop, 0, seen_free);
    received = evpq_channel_receive(channel);
    evpq_future_unref(evpq_channel_send(channel, &value));
    sent = evpq_channel_send(channel, &value);
}

static void lets_go_of_everything(void)
{
    evpq_future *fs[] = {pending, done, failed, slept, no_permit, received, sent};
    for (size_t i = 0; i < sizeof fs / sizeof *fs; i++)
        evpq_future_unref(fs[i]);
    evpq_semaphore_unref(semaphore);
    evpq_channel_unref(channel);
}

static void end(void)
{
    ck_future_pending(pending);
    ck_await_ok(slept);
    ck_assert_int_eq(seen.calls, 0);
    evpq_future_cancel(pending);
    ck_future_ok(received);
    ck_future_pending(sent);
    ck_future_pending(no_permit);
    evpq_future_unref(permit);
    ck_future_ok(no_permit);
    evpq_future *join = evpq_group_join(group);
    ck_await_ok(join);
    ck_await_ok(task);
    evpq_future_unref(join);
    evpq_future_unref(task);
    ck_assert_int_eq(tasks_over, 2);
    tasks_over = 0;
    lets_go_of_everything();
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    loop = evpq_loop_unref(loop);
}

/* It has failed so, for good, and says why. */
static void ck_forked(evpq_future *f)
{
    const evpq_error *e = evpq_future_error(f);
    ck_future_status(f, EVPQ_FORKED);
    ck_assert_int_eq(evpq_error_status(e), EVPQ_FORKED);
    ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(e), "fork"));
    ck_assert_int_eq(evpq_await(f), EVPQ_FORKED);
    ck_assert_int_eq(evpq_future_on_done(f, seen_done, &seen), EVPQ_FORKED);
    evpq_future_unref(f);
}

static evpq_future *not_called(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    ck_abort_msg("a function of evpq_then was called in a child");
    return NULL;
}

static void starts_nothing(void)
{
    evpq_future *two[] = {evpq_future_ref(pending), evpq_future_ref(done)};
    evpq_future *(*const combine[])(evpq_future *const *, size_t) = {evpq_all, evpq_all_settled,
                                                                     evpq_any, evpq_race};
    for (size_t i = 0; i < sizeof combine / sizeof *combine; i++) {
        evpq_future_ref(pending);
        evpq_future_ref(done);
        ck_forked(combine[i](two, 2));
    }
    ck_forked(evpq_timeout(evpq_future_ref(pending), 1));
    ck_forked(evpq_timeout(evpq_future_ref(pending), 0. / 0.));
    ck_forked(evpq_shield(evpq_future_ref(done)));
    ck_forked(evpq_then(evpq_future_ref(failed), not_called, NULL));
    ck_forked(evpq_then(evpq_future_ref(done), NULL, NULL));
    ck_forked(evpq_sleep(loop, 0));
    ck_forked(evpq_sleep(loop, 0. / 0.));
    ck_forked(evpq_future_new(loop, seen_done, &seen));
    ck_forked(evpq_future_failed(loop, EVPQ_TYPE, "no luck"));
    seen_freed = 0;
    ck_forked(evpq_future_ok(loop, &value, seen_free));
    ck_assert_int_eq(seen_freed, 1);
    evpq_future *forked[] = {evpq_sleep(loop, 0), evpq_sleep(loop, 0)};
    ck_forked(evpq_all(forked, 2)); /* of what failed so */
    two[0] = evpq_future_ref(pending);
    two[1] = evpq_future_ref(done);
    ck_assert_int_eq(evpq_as_completed(two, 2, two), EVPQ_FORKED);
    ck_forked(two[0]);
    ck_forked(two[1]);
}

static void reads_what_has_settled(void)
{
    ck_assert_int_eq(evpq_await(done), EVPQ_OK);
    ck_assert_ptr_eq(evpq_future_value(done), &value);
    ck_assert_int_eq(evpq_await(failed), EVPQ_TYPE);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(failed)), "no luck");
    ck_assert_int_eq(evpq_future_on_done(done, seen_done, &seen), EVPQ_FORKED);
}

static void changes_nothing(void)
{
    evpq_future_cancel(pending);
    evpq_future_cancel(slept);
    ck_assert(!evpq_future_set_value(pending, &value, NULL));
    ck_assert(!evpq_future_set_error(pending, EVPQ_TYPE, "no luck"));
    ck_future_pending(pending);
    ck_future_pending(slept);
    ck_assert_int_eq(evpq_await(pending), EVPQ_FORKED);
    ck_assert_int_eq(evpq_await(slept), EVPQ_FORKED);
    ck_assert_int_eq(evpq_future_on_done(slept, seen_done, &seen), EVPQ_FORKED);
    unsigned turns = ev_iteration(evpq_loop_ev(loop));
    evpq_loop_run(loop);
    evpq_loop_stop(loop);
    evpq_loop_run(loop);
    ck_assert_uint_eq(ev_iteration(evpq_loop_ev(loop)), turns);
    ck_assert_int_eq(seen.calls, 0);
}

static void shares_nothing(void)
{
    seen_freed = 0;
    ck_forked(evpq_semaphore_acquire(semaphore));
    ck_forked(evpq_channel_receive(channel));
    ck_forked(evpq_channel_send(channel, &value));
    ck_assert_int_eq(seen_freed, 1);
    ck_forked(evpq_channel_send(channel, NULL));
    evpq_channel_close(channel);
    ck_future_pending(sent);
    evpq_future_unref(permit);
    ck_future_pending(no_permit);
    evpq_future_unref(received);
    ck_future_pending(sent);
    evpq_future_unref(sent);
    evpq_future_unref(no_permit);
    evpq_semaphore_unref(semaphore);
    evpq_channel_unref(channel);
}

static evpq_future *not_run(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    ck_abort_msg("a task ran in a child");
    return NULL;
}

static void spawns_nothing(void)
{
    evpq_task_opts opts = {.size = sizeof opts, .free_arg = seen_free};
    seen_freed = 0;
    ck_forked(evpq_task_spawn(loop, not_run, &value, &opts));
    ck_assert_int_eq(seen_freed, 1);
    ck_assert_int_eq(evpq_task_set_stack_size(loop, 0), EVPQ_FORKED);
    evpq_task_cancel(task);
    evpq_group_cancel(group);
    ck_future_pending(task);
    ck_forked(evpq_group_spawn(group, not_run, NULL, NULL));
    ck_forked(evpq_group_join(group));
    evpq_future_unref(task);
}

static void opens_no_pool(void)
{
    evpq_error *error;
    ck_assert_ptr_null(evpq_pool_open(loop, "host=/nowhere", NULL, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_FORKED);
    evpq_error_unref(error);
}

static void lets_go_of_the_loop_too(void)
{
    evpq_future_unref(permit);
    lets_go_of_everything();
    evpq_loop_unref(loop);
}

/* What the parent has stays in reach: it is no leak. */
static void *volatile of_parent[11];

static void goes_on_with_its_own(void)
{
    void *all[] = {loop,   pending,  done, failed, slept, no_permit,
                   permit, received, sent, task,   group};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        of_parent[i] = all[i];
    begin();
    end();
}

static void (*const bodies[])(void) = {
    starts_nothing,          reads_what_has_settled, changes_nothing, opens_no_pool,
    lets_go_of_the_loop_too, goes_on_with_its_own,   shares_nothing,  spawns_nothing,
};
enum { BODIES = sizeof bodies / sizeof *bodies };

START_TEST(a_child_can_read_and_nothing_else)
{
    begin();
    for (int i = 0; i < CHILD_ENDS; i++)
        child_run(bodies[_i], child_ends[i]);
    end();
}
END_TEST

/* ---- from inside the loop ---- */

static int calls, flushes;
static pid_t child;

static void flush_counts(struct flusher *flusher)
{
    (void)flusher;
    flushes++;
}

static struct flusher flusher = {.flush = flush_counts};

static void forks(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    loop_flush_later(loop, &flusher);
    child = fork();
    if (!child)
        ck_assert_int_eq(evpq_await(pending), EVPQ_FORKED);
}

static void counts(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    calls++;
}

static void add_callbacks(int n)
{
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(evpq_future_on_done(done, counts, NULL), EVPQ_OK);
}

/* _i: how many callbacks are before and behind it; a tick has its fill with 4096. */
static void settles(evpq_future *f, void *arg)
{
    (void)f;
    evpq_future_set_value(arg, &value, NULL);
}

START_TEST(a_child_of_a_callback_falls_out_of_the_loop)
{
    static const int before[] = {0, 0, 1, 4095, 4096}, behind[] = {0, 1, 10000, 1, 1};
    begin();
    list_init(&flusher.node);
    add_callbacks(before[_i]);
    evpq_future_on_done(done, forks, NULL);
    add_callbacks(behind[_i]);
    evpq_future *last = evpq_future_new(loop, NULL, NULL);
    evpq_future_on_done(done, settles, last);
    evpq_status status = evpq_await(last);
    if (!child)
        _exit(status != EVPQ_FORKED || calls != before[_i] || flushes);
    ck_assert_int_gt(child, 0);
    child_wait(child);
    ck_assert_int_eq(status, EVPQ_OK);
    evpq_future_unref(last);
    ck_await_ok(slept);
    ck_assert_int_eq(calls, before[_i] + behind[_i]);
    ck_assert_int_eq(flushes, 1);
    end();
}
END_TEST

static void forks_in_a_run_of_its_own(evpq_future *f, void *arg)
{
    evpq_future_on_done(done, forks, NULL);
    evpq_loop_run(loop);
    counts(f, arg);
}

START_TEST(a_child_falls_out_of_a_run_within_a_run)
{
    begin();
    list_init(&flusher.node);
    evpq_future_on_done(done, forks_in_a_run_of_its_own, NULL);
    evpq_loop_run(loop);
    if (!child)
        _exit(calls != 1 || flushes);
    child_wait(child);
    ck_assert_int_eq(calls, 1);
    end();
}
END_TEST

static void deferred(void *arg)
{
    (void)arg;
    calls++;
}

/* In the child it goes on to its end, and no other task does. */
static evpq_future *task_forks(evpq_task *self, void *arg)
{
    evpq_task_defer(self, deferred, NULL);
    evpq_group *g = evpq_group_open(loop, NULL);
    child = fork();
    if (!child) {
        ck_assert_int_eq(evpq_await(arg), EVPQ_FORKED);
        ck_assert_int_eq(evpq_yield(self), EVPQ_FORKED);
        ck_assert_int_eq(evpq_task_set_deadline(self, 1), EVPQ_FORKED);
        ck_forked(evpq_group_spawn(g, not_run, NULL, NULL));
        evpq_loop *own = evpq_loop_new(NULL);
        evpq_future *f = evpq_sleep(own, 0.001);
        ck_await_ok(f);
        evpq_future_unref(f);
        evpq_loop_unref(own);
        of_parent[0] = g;
        return NULL; /* and leaves the group to be joined */
    }
    ck_assert_int_eq(evpq_await(arg), EVPQ_OK);
    evpq_future *join = evpq_group_join(g);
    ck_assert_int_eq(evpq_await(join), EVPQ_OK);
    evpq_future_unref(join);
    return NULL;
}

START_TEST(a_child_of_a_task_falls_out_of_the_loop)
{
#ifdef __SANITIZE_THREAD__
    return; /* which loses track in a child of such a stack */
#endif
    begin();
    evpq_future *f = evpq_task_spawn(loop, task_forks, slept, NULL);
    evpq_status status = evpq_await(slept);
    if (!child)
        _exit(status != EVPQ_FORKED || calls != 1 || evpq_future_status(f) != EVPQ_OK);
    child_wait(child);
    ck_await_ok(f);
    ck_assert_int_eq(calls, 1);
    evpq_future_unref(f);
    end();
}
END_TEST

/* ---- a shared ev loop ---- */

static struct ev_loop *ev;
static int ends[2];
static struct io io;
static struct timer timer;
static struct job job;
static int own_timers;

static void io_counts(struct io *i)
{
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    io_stop(i);
    calls++;
}

static void timer_counts(struct timer *t)
{
    (void)t;
    calls++;
}

static void job_counts(struct job *j)
{
    (void)j;
    calls++;
}

static void own_timer_counts(struct ev_loop *l, ev_timer *w, int events)
{
    (void)l, (void)w, (void)events;
    own_timers++;
}

static void run_with_a_timer(void)
{
    ev_timer own;
    ev_timer_init(&own, own_timer_counts, 0.02, 0.);
    ev_timer_start(ev, &own);
    ev_run(ev, 0); /* returns when that is all there is */
    ck_assert_int_eq(own_timers, 1);
    ck_assert_int_eq(calls, 0);
}

static void run_shared(void)
{
    run_with_a_timer();
    ck_forked(evpq_sleep(loop, 0));
    loop = evpq_loop_new(ev); /* and with a loop of its own there, which works */
    evpq_future *f = evpq_sleep(loop, 0.001);
    ck_await_ok(f);
    evpq_future_unref(f);
    evpq_loop_unref(loop);
    ev_run(ev, 0);
    ev_loop_destroy(ev);
}

static void run_shared_after_ev_loop_fork(void)
{
    ev_loop_fork(ev);
    run_shared();
}

static void start_descriptor(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    io_init(&io, loop, io_counts);
    io_start(&io, ends[0], IO_READ);
    ev_run(ev, EVRUN_NOWAIT); /* the kernel knows of it */
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
}

static void start_timer(void)
{
    timer_init(&timer, loop, timer_counts);
    timer_start(&timer, 0.01);
}

static void start_job(void)
{
    job_init(&job, job_counts);
    loop_defer(loop, &job);
}

static void start_late_timer(void)
{
    timer_init(&timer, loop, timer_counts);
    timer_start(&timer, 1e6);
}

static void (*const starts[])(void) = {start_descriptor, start_timer, start_job, start_late_timer};
enum { STARTS = 4 };

static void share(int what, void (*body)(void))
{
    ev = ev_loop_new(EVFLAG_AUTO);
    loop = evpq_loop_new(ev);
    starts[what]();
    loop_hold(loop);
    child_run(body, _exit);
    loop_release(loop);
    if (starts[what] == start_late_timer)
        timer_start(&timer, 0);
    ev_run(ev, 0);
    ck_assert_int_eq(calls, 1);
    evpq_loop_unref(loop);
    ev_loop_destroy(ev);
}

START_TEST(a_child_goes_on_with_a_shared_ev_loop)
{
    share(_i, run_shared_after_ev_loop_fork);
}
END_TEST

/* It has called no ev_loop_fork, as it should have. Yet the kernel goes on watching for the
 * parent. */
START_TEST(a_forgetful_child_takes_nothing_from_its_parent)
{
    share(_i, run_shared);
}
END_TEST

/* The parent may call ev_loop_fork too. */
START_TEST(a_parent_keeps_all_it_has_when_libev_starts_anew)
{
    begin();
    ev_loop_fork(evpq_loop_ev(loop));
    end();
}
END_TEST

static void job_comes_again(struct job *j)
{
    loop_defer(loop, j);
    calls++;
}

static void lets_go_of_a_busy_loop(void)
{
    calls = 0;
    evpq_loop_unref(loop);
    run_with_a_timer();
    ev_loop_destroy(ev);
}

START_TEST(a_child_lets_go_of_a_loop_with_work_left)
{
    ev = ev_loop_new(EVFLAG_AUTO);
    loop = evpq_loop_new(ev);
    job_init(&job, job_comes_again);
    loop_defer(loop, &job);
    ev_run(ev, EVRUN_NOWAIT);
    ck_assert_int_ge(calls, 1);
    child_run(lets_go_of_a_busy_loop, exit);
    list_remove(&job.node);
    evpq_loop_unref(loop);
    ev_loop_destroy(ev);
}
END_TEST

/* ---- threads ---- */

static sem_t go, worked;

static void works(struct thread_call *call)
{
    (void)call;
    sem_wait(&go);
    sem_post(&worked);
}

static void errand_counts(struct thread_call *call)
{
    (void)call;
    calls++;
}

/* _i: the call is under way; or it is back, and the loop does not know yet. */
START_TEST(a_child_waits_for_no_thread)
{
    static struct thread_call call = {.work = works, .done = errand_counts};
    ev = ev_loop_new(EVFLAG_AUTO);
    loop = evpq_loop_new(ev);
    sem_init(&go, 0, 0);
    sem_init(&worked, 0, 0);
    ck_assert(thread_call_start(loop, &call));
    if (_i) {
        sem_post(&go);
        sem_wait(&worked);
        usleep(10000); /* for its last steps */
    }
    child_run(run_with_a_timer, exit);
    child_run(lets_go_of_a_busy_loop, exit);
    sem_post(&go);
    ck_assert(RUN_UNTIL(ev, calls == 1, 10));
    evpq_loop_unref(loop);
    ev_loop_destroy(ev);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("forked");
    CHECK_ADD(c, a_mark_tells_parent_from_child);
    CHECK_ADD(c, without_a_wiped_page_process_ids_tell);
    CHECK_ADD_LOOP(c, a_child_can_read_and_nothing_else, BODIES);
    CHECK_ADD_LOOP(c, a_child_of_a_callback_falls_out_of_the_loop, 5);
    CHECK_ADD(c, a_child_falls_out_of_a_run_within_a_run);
    CHECK_ADD(c, a_child_of_a_task_falls_out_of_the_loop);
    CHECK_ADD_LOOP(c, a_child_goes_on_with_a_shared_ev_loop, STARTS);
    CHECK_ADD_LOOP(c, a_forgetful_child_takes_nothing_from_its_parent, STARTS - 1);
    CHECK_ADD(c, a_parent_keeps_all_it_has_when_libev_starts_anew);
    CHECK_ADD(c, a_child_lets_go_of_a_loop_with_work_left);
    CHECK_ADD_LOOP(c, a_child_waits_for_no_thread, 2);
    return check_end(c);
}
