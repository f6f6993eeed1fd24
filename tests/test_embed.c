/* test_embed.c - a loop inside another: its descriptor is readable while there is something to do, for
 * whatever reason, and otherwise is not. */
#include "async/loop_impl.h"
#include "async/thread.h"

#include "support/check.h"
#include "support/child.h"
#include "support/oom.h"

#include <evpq/adapters/epoll.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/resource.h>

enum {
    SOON = 100,
    LONG = 10000
}; /* milliseconds: to see that nothing comes; that something does */

static evpq_loop *loop;

static void begin(void)
{
    loop = evpq_loop_new_embedded();
    ck_assert_ptr_nonnull(loop);
}

static bool readable(int milliseconds)
{
    struct pollfd p = {.fd = evpq_loop_fd(loop), .events = POLLIN};
    int n = poll(&p, 1, milliseconds);
    ck_assert_int_ge(n, 0);
    return n;
}

/* The loop has nothing to do, now and without a timer ever. */
static void ck_idle(void)
{
    ck_assert(!readable(0));
    ck_assert_double_eq(evpq_loop_timeout(loop), -1);
}

static void end(void)
{
    ck_idle();
    loop = evpq_loop_unref(loop);
}

/* ---- something to do, counted ---- */

struct work {
    struct job job;
    struct io io;
    int fd;
    int repeats, runs, reads;
};

static void on_readable(struct io *io)
{
    struct work *w = container_of(io, struct work, io);
    char byte;
    w->reads++;
    if (read(w->fd, &byte, 1) != 1)
        io_stop(io);
}

static void on_job(struct job *job)
{
    struct work *w = container_of(job, struct work, job);
    w->runs++;
    if (w->repeats-- > 0)
        loop_defer(loop, job);
}

static void work_init(struct work *w, int fd)
{
    *w = (struct work){.fd = fd};
    job_init(&w->job, on_job);
    io_init(&w->io, loop, on_readable);
}

/* ---- tests ---- */

START_TEST(it_has_a_descriptor_and_no_libev_loop)
{
    begin();
    ck_assert_int_ge(evpq_loop_fd(loop), 0);
    ck_assert(fcntl(evpq_loop_fd(loop), F_GETFD) & FD_CLOEXEC);
    ck_assert_ptr_null(evpq_loop_ev(loop));
    ck_idle();
    ck_assert(!evpq_loop_turn(loop)); /* nothing keeps it */
    end();
}
END_TEST

START_TEST(it_needs_memory_and_descriptors)
{
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        loop = evpq_loop_new_embedded();
        failed = oom_end();
        ck_assert(failed == !loop);
        loop = evpq_loop_unref(loop);
    }
    struct rlimit was, now;
    int next = dup(0);
    close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
    for (int left = 0; left < 4; left++) {
        now = was;
        now.rlim_cur = (rlim_t)(next + left);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
        loop = evpq_loop_new_embedded();
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
        ck_assert(!loop == (left < 3));
        loop = evpq_loop_unref(loop);
        int again = dup(0);
        ck_assert_int_eq(again, next); /* none was left open */
        close(again);
    }
}
END_TEST

START_TEST(another_loop_has_none)
{
    loop = evpq_loop_new(NULL);
    ck_assert_int_eq(evpq_loop_fd(loop), -1);
    ck_assert_double_eq(evpq_loop_timeout(loop), -1);
    evpq_future *f = evpq_sleep(loop, 0);
    ck_assert_double_eq(evpq_loop_timeout(loop), -1);
    while (evpq_loop_turn(loop))
        continue;
    ck_future_ok(f);
    evpq_future_unref(f);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(what_is_asked_for_between_turns_wakes)
{
    struct work w;
    begin();
    work_init(&w, -1);
    loop_defer(loop, &w.job);
    ck_assert(readable(0));
    ck_assert_double_eq(evpq_loop_timeout(loop), 0);
    evpq_loop_turn(loop);
    ck_assert_int_eq(w.runs, 1);
    ck_idle();
    loop_next_turn(loop, &w.job);
    ck_assert(readable(0));
    evpq_loop_turn(loop);
    ck_assert_int_eq(w.runs, 2);
    end();
}
END_TEST

/* What one turn is not to do is left for the next. */
START_TEST(a_turn_that_was_enough_leaves_it_readable)
{
    struct work w;
    enum { JOBS = 100000 };
    begin();
    work_init(&w, -1);
    w.repeats = JOBS - 1;
    loop_defer(loop, &w.job);
    int turns = 0;
    while (readable(0)) {
        evpq_loop_turn(loop);
        turns++;
    }
    ck_assert_int_eq(w.runs, JOBS);
    ck_assert_int_gt(turns, 2);
    end();
}
END_TEST

START_TEST(timers_wake)
{
    begin();
    evpq_future *later = evpq_sleep(loop, 0.05), *never = evpq_sleep(loop, 1e300);
    double left = evpq_loop_timeout(loop);
    ck_assert_double_le(left, 0.05);
    ck_assert_double_ge(left, 0);
    ck_assert(readable(LONG));
    while (evpq_future_status(later) == EVPQ_PENDING) {
        ck_assert(readable(LONG));
        ck_assert(evpq_loop_turn(loop));
    }
    ck_future_ok(later);
    ck_assert(!readable(SOON));
    ck_assert_double_gt(evpq_loop_timeout(loop), 1e6);
    evpq_future_cancel(never);
    evpq_future_unref(later);
    evpq_future_unref(never);
    end();
}
END_TEST

/* Also an earlier one, and also from within a turn. */
static void sleep_more(evpq_future *f, void *arg)
{
    evpq_future **next = arg;
    *next = evpq_sleep(loop, 0.01);
}

START_TEST(timers_that_a_callback_starts_wake)
{
    evpq_future *next = NULL;
    begin();
    evpq_future *first = evpq_sleep(loop, 0.01), *last = evpq_sleep(loop, 1000);
    ck_assert_int_eq(evpq_future_on_done(first, sleep_more, &next), EVPQ_OK);
    while (!next || evpq_future_status(next) == EVPQ_PENDING) {
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
    }
    evpq_future_cancel(last);
    evpq_loop_turn(loop);
    evpq_future_unref(first);
    evpq_future_unref(next);
    evpq_future_unref(last);
    end();
}
END_TEST

/* More than are looked through after each turn: each goes off in its turn, and none wakes the host when
 * all are gone. */
START_TEST(many_timers_wake)
{
    enum { TIMERS = 300 };
    evpq_future *f[TIMERS];
    begin();
    for (int i = 0; i < TIMERS; i++)
        f[i] = evpq_sleep(loop, i % 3 ? 1000 + i : 0.001 * (TIMERS - i));
    for (int i = 0; i < TIMERS; i += 3)
        while (evpq_future_status(f[i]) == EVPQ_PENDING) {
            ck_assert(readable(LONG));
            evpq_loop_turn(loop);
        }
    ck_assert(!readable(SOON));
    for (int i = 0; i < TIMERS; i++) {
        evpq_future_cancel(f[i]);
        evpq_future_unref(f[i]);
    }
    evpq_loop_turn(loop);
    end();
}
END_TEST

/* A deadline that is moved on all the time: the host is woken for it once, or once too early, and the
 * timerfd is seldom set. */
START_TEST(a_moving_deadline_wakes_twice_at_most)
{
    begin();
    evpq_future *last = NULL;
    for (int i = 0; i < 1000; i++) {
        evpq_future *next = evpq_sleep(loop, 0.2);
        evpq_future_cancel(last);
        evpq_future_unref(last);
        last = next;
        evpq_loop_turn(loop);
    }
    int wakes = 0;
    while (evpq_future_status(last) == EVPQ_PENDING) {
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
        wakes++;
    }
    ck_assert_int_le(wakes, 3); /* libev may find it a moment too early, too */
    evpq_future_unref(last);
    end();
}
END_TEST

/* A socket's turn stops the first timer, and starts one that is a little later, or much. */
static evpq_future *first, *second;
static double second_after;

static void stop_first(struct io *io)
{
    io_stop(io);
    evpq_future_cancel(first);
    second = evpq_sleep(loop, second_after);
}

static double left_after(double first_after, double then)
{
    struct io io;
    int ends[2];
    begin();
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    io_init(&io, loop, stop_first);
    io_start(&io, ends[0], IO_READ);
    first = evpq_sleep(loop, first_after);
    second_after = then;
    evpq_loop_turn(loop);
    ck_assert_double_gt(evpq_loop_timeout(loop), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    evpq_loop_turn(loop);
    ck_assert(!io_active(&io));
    double left = evpq_loop_timeout(loop);
    evpq_future_cancel(second);
    evpq_future_unref(first);
    evpq_future_unref(second);
    close(ends[1]);
    close(ends[0]);
    loop = evpq_loop_unref(loop);
    return left;
}

/* It is set anew for a much later one alone. */
START_TEST(a_timer_that_a_turn_moves)
{
    ck_assert_double_le(left_after(1000, 1001), 1000);
    double left = left_after(500, 1000);
    ck_assert_double_gt(left, 500);
    ck_assert_double_le(left, 1000);
}
END_TEST

/* At the end of a turn: libev tells the kernel in the next run only. */
static void start_io(evpq_future *f, void *arg)
{
    struct work *w = arg;
    io_start(&w->io, w->fd, IO_READ);
    evpq_future_unref(f);
}

/* In a turn or between two, with a byte that is there before or after. */
START_TEST(descriptors_that_are_started_wake)
{
    struct work w;
    int ends[2];
    bool in_turn = _i & 1, byte_first = _i & 2;
    begin();
    ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
    work_init(&w, ends[0]);
    if (byte_first)
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
    if (in_turn)
        ck_assert_int_eq(evpq_future_on_done(evpq_sleep(loop, 0), start_io, &w), EVPQ_OK);
    else
        io_start(&w.io, ends[0], IO_READ);
    ck_assert(readable(0));
    while (!io_active(&w.io) || (!byte_first && readable(0)))
        evpq_loop_turn(loop);
    if (!byte_first) {
        ck_assert_int_eq(w.reads, 0);
        ck_assert(!readable(SOON));
        ck_assert_int_eq(write(ends[1], "x", 1), 1);
    }
    while (!w.reads) {
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
    }
    ck_assert_int_eq(w.reads, 1);
    ck_assert(!readable(SOON));
    io_stop(&w.io);
    close(ends[0]);
    close(ends[1]);
    end();
}
END_TEST

/* A descriptor that is closed, while something else holds what it stood for open: the kernel still tells
 * of it, and libev makes its epoll set anew. */
START_TEST(a_descriptor_that_lives_on_elsewhere_wakes_for_a_moment)
{
    struct work w;
    int old[2], new[2];
    begin();
    ck_assert_int_eq(pipe2(old, O_NONBLOCK), 0);
    ck_assert_int_eq(pipe2(new, O_NONBLOCK), 0);
    int kept = dup(old[0]);
    work_init(&w, old[0]);
    io_start(&w.io, old[0], IO_READ);
    evpq_loop_turn(loop);
    ck_assert_int_eq(dup2(new[0], old[0]), old[0]);
    io_start(&w.io, old[0], IO_READ);
    evpq_loop_turn(loop);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(write(old[1], "x", 1), 1);
        for (int turns = 0; readable(0); turns++) {
            ck_assert_int_lt(turns, 10);
            evpq_loop_turn(loop);
        }
        ck_assert_int_eq(w.reads, round);
        ck_assert_int_eq(write(new[1], "x", 1), 1);
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
        ck_assert_int_eq(w.reads, round + 1);
        ck_assert(!readable(0));
    }
    io_stop(&w.io);
    close(kept);
    for (int i = 0; i < 2; i++) {
        close(old[i]);
        close(new[i]);
    }
    end();
}
END_TEST

/* ---- another thread ---- */

static sem_t go;

static void wait_for_go(struct thread_call *call)
{
    sem_wait(&go);
}

static void count_back(struct thread_call *call)
{
    loop_release(loop);
}

START_TEST(another_thread_wakes)
{
    struct thread_call call = {.work = wait_for_go, .done = count_back};
    begin();
    ck_assert_int_eq(sem_init(&go, 0, 0), 0);
    ck_assert(thread_call_start(loop, &call));
    loop_hold(loop);
    ck_assert(evpq_loop_turn(loop));
    ck_assert(!readable(SOON));
    sem_post(&go);
    ck_assert(readable(LONG));
    ck_assert(!evpq_loop_turn(loop));
    end();
}
END_TEST

/* ---- runs that are no turns ---- */

START_TEST(it_can_be_run_and_waited_for)
{
    begin();
    evpq_future *f = evpq_sleep(loop, 0.01);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_idle();
    f = evpq_sleep(loop, 0.01);
    evpq_loop_run(loop);
    ck_future_ok(f);
    evpq_future_unref(f);
    end();
}
END_TEST

/* A callback may turn the loop, and let go of the last reference to it. */
static void turn_within(evpq_future *f, void *arg)
{
    evpq_future *inner = evpq_sleep(loop, 0);
    while (evpq_future_status(inner) == EVPQ_PENDING)
        evpq_loop_turn(loop);
    evpq_future_unref(inner);
    loop = evpq_loop_unref(loop);
}

START_TEST(a_callback_may_turn_it_and_let_go)
{
    begin();
    evpq_future *f = evpq_sleep(loop, 0);
    ck_assert_int_eq(evpq_future_on_done(f, turn_within, NULL), EVPQ_OK);
    evpq_future_unref(f);
    for (evpq_loop *turned = loop; loop;)
        evpq_loop_turn(turned);
}
END_TEST

/* ---- a forked child ---- */

static evpq_future *asked;

/* The descriptors are the parent's, too. */
static void use_it_in_the_child(void)
{
    ck_assert(!evpq_loop_turn(loop));
    ck_assert_double_eq(evpq_loop_timeout(loop), -1);
    ck_assert_int_eq(evpq_await(asked), EVPQ_FORKED);
    evpq_future_cancel(asked);
    evpq_future_unref(asked);
    evpq_loop_unref(loop);
    loop = evpq_loop_new_embedded();
    evpq_future *f = evpq_sleep(loop, 0.01);
    while (evpq_future_status(f) == EVPQ_PENDING) {
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
    }
    evpq_future_unref(f);
    end();
}

START_TEST(a_forked_child_takes_nothing_from_it)
{
    begin();
    asked = evpq_sleep(loop, 0.3);
    child_run(use_it_in_the_child, _exit);
    while (evpq_future_status(asked) == EVPQ_PENDING) {
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
    }
    evpq_future_unref(asked);
    end();
}
END_TEST

/* An epoll set is the child's and the parent's: what leaves it leaves it for both. */
START_TEST(a_child_that_detaches_it_leaves_it_to_its_parent)
{
    begin();
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event;
    ck_assert(evpq_epoll_attach(set, loop, (epoll_data_t){.fd = 0}));
    asked = evpq_sleep(loop, 0.3);
    pid_t child = fork();
    if (!child) {
        bool is_none = evpq_loop_fd(loop) < 0;
        evpq_epoll_detach(set, loop);
        evpq_loop_unref(loop);
        _exit(is_none ? 0 : 1);
    }
    child_wait(child);
    while (evpq_future_status(asked) == EVPQ_PENDING) {
        ck_assert_int_eq(epoll_wait(set, &event, 1, LONG), 1);
        evpq_loop_turn(loop);
    }
    evpq_epoll_detach(set, loop);
    close(set);
    evpq_future_unref(asked);
    end();
}
END_TEST

/* A callback forks, and the child comes back to the turn: what it does there is not the parent's. */
static void fork_within(evpq_future *f, void *arg)
{
    (void)f;
    *(pid_t *)arg = fork();
}

START_TEST(a_child_that_comes_back_to_the_turn_takes_nothing)
{
    pid_t child = -1;
    begin();
    asked = evpq_sleep(loop, 0.3);
    evpq_future *f = evpq_sleep(loop, 0);
    ck_assert_int_eq(evpq_future_on_done(f, fork_within, &child), EVPQ_OK);
    while (child < 0)
        evpq_loop_turn(loop);
    if (!child)
        _exit(0);
    child_wait(child);
    while (evpq_future_status(asked) == EVPQ_PENDING) {
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
    }
    evpq_future_unref(f);
    evpq_future_unref(asked);
    end();
}
END_TEST

/* ---- a run, and what is behind it ---- */

/* A pipe that has something to read: each time that it is seen, what is asked for by then is noted. */
struct pipe_end {
    struct io io;
    int ends[2];
    int seen;
    double timeout;       /* as the loop told it then */
    evpq_future *settles; /* by that; NULL: nothing */
};

static void on_pipe(struct io *io)
{
    struct pipe_end *p = container_of(io, struct pipe_end, io);
    char byte;
    ck_assert_int_eq(read(p->ends[0], &byte, 1), 1);
    p->seen++;
    p->timeout = evpq_loop_timeout(loop);
    if (p->settles)
        evpq_future_set_value(p->settles, NULL, NULL);
}

static void pipe_open(struct pipe_end *p)
{
    *p = (struct pipe_end){.timeout = -1};
    ck_assert_int_eq(pipe(p->ends), 0);
    io_init(&p->io, loop, on_pipe);
}

static void pipe_write(struct pipe_end *p)
{
    ck_assert_int_eq(write(p->ends[1], "x", 1), 1);
}

static void pipe_close(struct pipe_end *p)
{
    io_stop(&p->io);
    close(p->ends[0]);
    close(p->ends[1]);
    evpq_loop_turn(loop);
}

static void starts(evpq_future *f, void *arg)
{
    struct pipe_end *p = arg;
    (void)f;
    io_start(&p->io, p->ends[0], EV_READ);
}

static void starts_and_stops_the_run(evpq_future *f, void *arg)
{
    starts(f, arg);
    evpq_loop_stop(loop);
}

/* What is waited for would come at once, when a callback has stopped the wait. */
START_TEST(a_run_that_was_stopped_leaves_turns_whole)
{
    struct pipe_end p;
    begin();
    pipe_open(&p);
    pipe_write(&p);
    evpq_future *now = evpq_future_ok(loop, NULL, NULL);
    p.settles = evpq_future_new(loop, NULL, NULL);
    ck_assert_int_eq(evpq_future_on_done(now, starts_and_stops_the_run, &p), EVPQ_OK);
    ck_assert_int_eq(evpq_await(p.settles), EVPQ_PENDING);
    ck_assert_int_eq(p.seen, 0);
    for (int n = 1; n <= 3; n++) { /* each turn looks at the descriptors */
        ck_assert(readable(LONG));
        evpq_loop_turn(loop);
        ck_assert_int_eq(p.seen, n);
        pipe_write(&p);
    }
    pipe_close(&p);
    ck_assert_int_eq(evpq_future_status(p.settles), EVPQ_OK);
    evpq_future_unref(p.settles);
    evpq_future_unref(now);
    end();
}
END_TEST

static struct pipe_end other;

static void on_other(struct io *io)
{
    io_stop(io);
}

static void on_first(struct io *io)
{
    io_stop(io);
    starts(NULL, &other);
}

/* One was started in this turn, was ready, and is watched no more. */
START_TEST(a_turn_tells_whether_something_is_left)
{
    struct pipe_end one;
    begin();
    pipe_open(&one);
    pipe_open(&other);
    pipe_write(&other);
    io_init(&one.io, loop, on_first);
    io_init(&other.io, loop, on_other);
    starts(NULL, &one);
    ck_assert(evpq_loop_turn(loop));
    pipe_write(&one);
    ck_assert(!evpq_loop_turn(loop));
    pipe_close(&one);
    pipe_close(&other);
    end();
}
END_TEST

/* For a host that a callback runs: it is not told by the descriptor before the run is over. */
START_TEST(within_a_run_it_wants_a_turn)
{
    struct pipe_end p;
    begin();
    pipe_open(&p);
    starts(NULL, &p);
    evpq_loop_turn(loop);
    ck_assert_double_eq(evpq_loop_timeout(loop), -1);
    p.settles = evpq_future_new(loop, NULL, NULL);
    pipe_write(&p);
    ck_assert_int_eq(evpq_await(p.settles), EVPQ_OK);
    ck_assert_double_eq(p.timeout, 0);
    evpq_future_unref(p.settles);
    pipe_close(&p);
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("embed");
    CHECK_ADD(c, it_has_a_descriptor_and_no_libev_loop);
    CHECK_ADD(c, it_needs_memory_and_descriptors);
    CHECK_ADD(c, another_loop_has_none);
    CHECK_ADD(c, what_is_asked_for_between_turns_wakes);
    CHECK_ADD(c, a_turn_that_was_enough_leaves_it_readable);
    CHECK_ADD(c, timers_wake);
    CHECK_ADD(c, timers_that_a_callback_starts_wake);
    CHECK_ADD(c, many_timers_wake);
    CHECK_ADD(c, a_moving_deadline_wakes_twice_at_most);
    CHECK_ADD(c, a_timer_that_a_turn_moves);
    CHECK_ADD_LOOP(c, descriptors_that_are_started_wake, 4);
    CHECK_ADD(c, a_descriptor_that_lives_on_elsewhere_wakes_for_a_moment);
    CHECK_ADD(c, another_thread_wakes);
    CHECK_ADD(c, it_can_be_run_and_waited_for);
    CHECK_ADD(c, a_callback_may_turn_it_and_let_go);
    CHECK_ADD(c, a_forked_child_takes_nothing_from_it);
    CHECK_ADD(c, a_child_that_detaches_it_leaves_it_to_its_parent);
    CHECK_ADD(c, a_child_that_comes_back_to_the_turn_takes_nothing);
    CHECK_ADD(c, a_run_that_was_stopped_leaves_turns_whole);
    CHECK_ADD(c, a_turn_tells_whether_something_is_left);
    CHECK_ADD(c, within_a_run_it_wants_a_turn);
    return check_end(c);
}
