/* test_loop.c - evpq's place on a libev loop: ticks, timers, descriptors, and being a good coroutine
 * there. */
#include "async/loop.h"

#include "support/check.h"
#include "support/seen.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
# include <valgrind/valgrind.h>
#else
# define RUNNING_ON_VALGRIND 0
#endif

static evpq_loop *loop;
static struct ev_loop *ev;

static void on_own_loop(void)
{
    loop = evpq_loop_new(NULL);
    ev = evpq_loop_ev(loop);
}

/* ---- a program's own watchers ---- */

struct own {
    ev_timer timer;
    ev_io io;
    int pipe[2];
    int timers, ios;
};

static void own_timer(struct ev_loop *l, ev_timer *w, int events)
{
    ((struct own *)w->data)->timers++;
}

static void own_io(struct ev_loop *l, ev_io *w, int events)
{
    ((struct own *)w->data)->ios++;
    ev_io_stop(l, w);
}

static void own_start(struct own *own, struct ev_loop *l)
{
    *own = (struct own){.timers = 0};
    ck_assert_int_eq(pipe(own->pipe), 0);
    ck_assert_int_eq(write(own->pipe[1], "x", 1), 1);
    ev_timer_init(&own->timer, own_timer, 0.001, 0.);
    ev_io_init(&own->io, own_io, own->pipe[0], EV_READ);
    own->timer.data = own->io.data = own;
    ev_timer_start(l, &own->timer);
    ev_io_start(l, &own->io);
}

static void own_end(struct own *own)
{
    close(own->pipe[0]);
    close(own->pipe[1]);
}

START_TEST(it_joins_the_loop_a_program_already_runs)
{
    struct ev_loop *theirs = ev_default_loop(0);
    struct own own;
    struct seen seen;
    own_start(&own, theirs);
    loop = evpq_loop_new(theirs);
    ck_assert_ptr_eq(evpq_loop_ev(loop), theirs);
    evpq_future *f = evpq_sleep(loop, 0.002);
    seen_watch(f, &seen);
    evpq_future_unref(f);
    ev_run(theirs, 0);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(own.timers, 1);
    ck_assert_int_eq(own.ios, 1);
    own_end(&own);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(several_share_one_ev_loop)
{
    struct ev_loop *theirs = ev_loop_new(0);
    evpq_loop *loops[3];
    struct seen seen[3];
    for (int i = 0; i < 3; i++) {
        loops[i] = evpq_loop_new(theirs);
        evpq_future *f = evpq_future_ok(loops[i], NULL, NULL);
        seen_watch(f, &seen[i]);
        evpq_future_unref(f);
    }
    evpq_loop_unref(loops[1]);
    ev_run(theirs, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(seen[i].calls, 1);
    evpq_loop_unref(loops[0]);
    evpq_loop_unref(loops[2]);
    ev_loop_destroy(theirs);
}
END_TEST

START_TEST(letting_go_leaves_nothing_behind_on_ev)
{
    struct ev_loop *theirs = ev_loop_new(0);
    evpq_loop *gone = evpq_loop_new(theirs);
    struct job job;
    job_init(&job, NULL);
    loop_defer(gone, &job);
    list_remove(&job.node);
    evpq_loop_unref(gone);
    ev_invoke_pending(theirs);
    ck_assert(!ev_run(theirs, 0));
    ev_loop_destroy(theirs);
}
END_TEST

static void bump(struct ev_loop *l, ev_prepare *w, int events)
{
    ++*(int *)w->data;
    if (*(int *)w->data == 100)
        ev_break(l, EVBREAK_ALL);
}

START_TEST(idle_futures_do_not_keep_it_running)
{
    on_own_loop();
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_future *waiting = evpq_shield(evpq_future_ref(f));
    struct seen seen;
    seen_watch(waiting, &seen);
    evpq_loop_run(loop); /* returns */
    ck_future_pending(waiting);
    ck_assert_int_eq(seen.calls, 0);
    evpq_future_cancel(f);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    evpq_future_unref(f);
    evpq_future_unref(waiting);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(idle_futures_let_it_sleep)
{
    int turns = 0;
    ev_prepare counter;
    on_own_loop();
    ev_prepare_init(&counter, bump);
    counter.data = &turns;
    ev_prepare_start(ev, &counter);
    evpq_future *f = evpq_future_new(loop, NULL, NULL);
    evpq_future *slept = evpq_sleep(loop, 0.02);
    ck_await_ok(slept); /* a loop that spins is broken off at its hundredth turn, long before */
    ck_assert_int_lt(turns, 100);
    ev_prepare_stop(ev, &counter);
    evpq_future_cancel(f);
    evpq_future_unref(f);
    evpq_future_unref(slept);
    evpq_loop_unref(loop);
}
END_TEST

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
# define SANITIZED 1
#else
# define SANITIZED 0
#endif

/* Futures of each kind are made, waited for, settled, canceled and let go of. */
static void exercise(void)
{
    static struct seen seen;
    for (int i = 0; i < 100; i++) {
        evpq_future *a = evpq_future_new(loop, NULL, NULL), *b = evpq_future_new(loop, NULL, NULL);
        evpq_future *pair[] = {evpq_future_ref(a), evpq_future_ref(b)};
        evpq_future *all = evpq_all(pair, 2), *shield = evpq_shield(evpq_future_ref(all));
        evpq_future_on_done(shield, seen_done, &seen);
        evpq_future_set_value(a, NULL, NULL);
        evpq_future_cancel(i % 2 ? b : all);
        evpq_future_unref(a);
        evpq_future_unref(b);
        evpq_future_unref(all);
        evpq_future_unref(shield);
    }
}

START_TEST(futures_make_no_system_call)
{
    int status;
    if (SANITIZED || RUNNING_ON_VALGRIND)
        return; /* they make their own */
    pid_t child = fork();
    if (!child) {
        on_own_loop();
        exercise();
        mallopt(M_TRIM_THRESHOLD, 1 << 24);
        mallopt(M_MMAP_MAX, 0);
        void *volatile room = malloc(1 << 22);
        free(room); /* there is room at the top of the heap now */
        /* From here on anything but read, write and _exit is death. */
        if (prctl(PR_SET_SECCOMP, 1))
            _exit(0);
        exercise();
        syscall(SYS_exit, 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
}
END_TEST

/* ---- ticks ---- */

static char order[32];

static void mark(char c)
{
    size_t n = strlen(order);
    ck_assert_uint_lt(n + 1, sizeof order);
    order[n] = c;
}

static void job_marks(struct job *job)
{
    mark('j');
}

static void job_nothing(struct job *job)
{
}

static void flush_marks(struct flusher *flusher)
{
    mark('f');
}

static struct flusher flush;

static void flush_init(struct flusher *f)
{
    f->flush = flush_marks;
    list_init(&f->node);
}

static void job_flushes(struct job *job)
{
    mark('j');
    loop_flush_later(loop, &flush);
}

START_TEST(a_tick_flushes_once_after_all_its_jobs)
{
    struct job a, b;
    on_own_loop();
    flush_init(&flush);
    job_init(&a, job_flushes);
    job_init(&b, job_flushes);
    loop_defer(loop, &a);
    loop_defer(loop, &b);
    evpq_loop_run(loop);
    ck_assert_str_eq(order, "jjf");
    evpq_loop_unref(loop);
}
END_TEST

/* ---- reading ---- */

struct source {
    struct reader reader;
    char name;
    int left; /* pieces */
    struct job told;
};

static struct source one, two;

static bool read_piece(struct reader *reader)
{
    struct source *s = container_of(reader, struct source, reader);
    mark(s->name);
    loop_defer(loop, &s->told);
    loop_flush_later(loop, &flush);
    return --s->left;
}

static void source_init(struct source *s, char name, int pieces, void (*told)(struct job *))
{
    *s = (struct source){.reader = {.read = read_piece}, .name = name, .left = pieces};
    list_init(&s->reader.node);
    job_init(&s->told, told);
}

static void read_both(void (*told)(struct job *))
{
    on_own_loop();
    flush_init(&flush);
    source_init(&one, 'a', 3, told);
    source_init(&two, 'b', 1, job_marks);
    loop_read_soon(loop, &one.reader);
    loop_read_soon(loop, &two.reader);
    loop_read_soon(loop, &one.reader);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

START_TEST(a_tick_reads_piece_by_piece_and_flushes_last)
{
    read_both(job_marks);
    ck_assert_str_eq(order, "ajajajbjf");
    ck_assert(!list_linked(&one.reader.node) && !list_linked(&two.reader.node));
}
END_TEST

static void job_ends_reading(struct job *job)
{
    list_remove(&one.reader.node);
    mark('j');
}

START_TEST(a_job_may_call_off_what_is_being_read)
{
    read_both(job_ends_reading);
    ck_assert_str_eq(order, "ajbjf");
}
END_TEST

static void job_runs_the_loop(struct job *job)
{
    mark('(');
    evpq_loop_run(loop);
    mark(')');
}

START_TEST(a_job_may_run_the_loop_again_and_it_goes_on_reading)
{
    read_both(job_runs_the_loop);
    ck_assert_str_eq(order, "a(a(a(bjf)))");
}
END_TEST

static double first_time, second_time;

static void flush_takes_long(struct flusher *flusher)
{
    first_time = loop_time(loop);
    usleep(2000);
    second_time = loop_time(loop);
}

static void job_takes_long(struct job *job)
{
    first_time = loop_time(loop);
    usleep(2000);
    second_time = loop_time(loop);
}

START_TEST(time_stands_still_for_a_flush_but_not_for_a_job)
{
    struct job job;
    on_own_loop();
    flush_init(&flush);
    flush.flush = flush_takes_long;
    loop_flush_later(loop, &flush);
    evpq_loop_run(loop);
    ck_assert_double_eq(second_time, first_time);
    job_init(&job, job_takes_long);
    loop_defer(loop, &job);
    evpq_loop_run(loop);
    ck_assert_double_ge(second_time - first_time, 0.0019);
    evpq_loop_unref(loop);
}
END_TEST

static struct own own;

static void flush_for_ever(struct flusher *flusher)
{
    if (!own.timers || !own.ios)
        loop_flush_later(loop, flusher);
}

START_TEST(a_flush_that_asks_for_another_for_ever_starves_nobody)
{
    on_own_loop();
    own_start(&own, ev);
    flush_init(&flush);
    flush.flush = flush_for_ever;
    loop_flush_later(loop, &flush);
    evpq_loop_run(loop); /* returns: the program's timer and its descriptor have both been served */
    own_end(&own);
    evpq_loop_unref(loop);
}
END_TEST

static struct job later;

static void io_defers(struct ev_loop *l, ev_io *w, int events)
{
    mark('i');
    loop_defer(loop, &later);
    ev_io_stop(l, w);
}

START_TEST(a_tick_comes_after_every_watcher_of_the_turn)
{
    int fds[2];
    ev_io a, b;
    on_own_loop();
    job_init(&later, job_marks);
    ck_assert_int_eq(pipe(fds), 0);
    ev_io_init(&a, io_defers, fds[1], EV_WRITE);
    ev_io_init(&b, io_defers, fds[1], EV_WRITE);
    ev_io_start(ev, &a);
    ev_io_start(ev, &b);
    evpq_loop_run(loop);
    ck_assert_str_eq(order, "iij");
    close(fds[0]);
    close(fds[1]);
    evpq_loop_unref(loop);
}
END_TEST

static char polled[4];

static void job_unpolled(struct job *job)
{
    loop_flush_later(loop, &flush);
}

static void flush_unpolled(struct flusher *flusher)
{
    polled[strlen(polled)] = loop_unpolled(loop) ? 'n' : 'y';
}

static void timer_defers(struct timer *t)
{
    loop_defer(loop, &later);
}

START_TEST(a_tick_knows_whether_it_came_before_the_first_look_at_the_descriptors)
{
    struct timer t;
    on_own_loop();
    flush_init(&flush);
    flush.flush = flush_unpolled;
    job_init(&later, job_unpolled);
    loop_defer(loop, &later);
    evpq_loop_run(loop);
    ck_assert_str_eq(polled, "n");
    timer_init(&t, loop, timer_defers);
    timer_start(&t, 0.);
    evpq_loop_run(loop);
    ck_assert_str_eq(polled, "ny");
    evpq_loop_unref(loop);
}
END_TEST

static void chain(evpq_future *f, void *arg)
{
    if (!own.timers || !own.ios)
        evpq_future_on_done(f, chain, NULL);
}

START_TEST(callbacks_that_queue_callbacks_for_ever_starve_nobody)
{
    on_own_loop();
    own_start(&own, ev);
    evpq_future *f = evpq_future_ok(loop, NULL, NULL);
    evpq_future_on_done(f, chain, NULL);
    evpq_loop_run(loop); /* as above */
    own_end(&own);
    evpq_future_unref(f);
    evpq_loop_unref(loop);
}
END_TEST

static bool reads_twice(struct reader *reader)
{
    struct source *s = container_of(reader, struct source, reader);
    return --s->left;
}

static void flush_counts(struct flusher *flusher)
{
    two.left++;
}

static void chain_until_served(evpq_future *f, void *arg)
{
    if (one.left || !two.left)
        evpq_future_on_done(f, chain_until_served, NULL);
}

START_TEST(callbacks_that_queue_callbacks_for_ever_let_it_read_and_flush)
{
    on_own_loop();
    source_init(&one, 'a', 2, job_nothing);
    one.reader.read = reads_twice;
    two.left = 0;
    flush_init(&flush);
    flush.flush = flush_counts;
    evpq_future *f = evpq_future_ok(loop, NULL, NULL);
    evpq_future_on_done(f, chain_until_served, NULL);
    loop_read_soon(loop, &one.reader);
    loop_flush_later(loop, &flush);
    evpq_loop_run(loop); /* returns */
    ck_assert(!list_linked(&one.reader.node) && !list_linked(&flush.node));
    evpq_future_unref(f);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(a_chain_of_callbacks_longer_than_a_tick_is_carried_on)
{
    evpq_future *f;
    struct seen seen;
    on_own_loop();
    f = evpq_future_ok(loop, NULL, NULL);
    for (int i = 0; i < 1000; i++)
        f = evpq_shield(f);
    seen_watch(f, &seen);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert(!ev_run(ev, EVRUN_NOWAIT)); /* and nothing of it stays active */
    evpq_future_unref(f);
    evpq_loop_unref(loop);
}
END_TEST

/* ---- running ---- */

static void stops(evpq_future *f, void *arg)
{
    evpq_loop_stop(loop);
}

START_TEST(stop_returns_though_watchers_are_active)
{
    on_own_loop();
    evpq_future *forever = evpq_sleep(loop, 1e6), *f = evpq_future_ok(loop, NULL, NULL);
    struct seen seen;
    evpq_future_on_done(f, stops, NULL);
    seen_watch(f, &seen);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1); /* the turn was finished */
    ck_future_pending(forever);
    evpq_future_cancel(forever);
    evpq_future_unref(forever);
    evpq_future_unref(f);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

static struct seen after_nested;

static void runs_again(evpq_future *f, void *arg)
{
    struct seen *due = arg;
    ck_assert(loop_running(loop));
    ck_assert_int_eq(due->calls, 0);
    ev_run(ev, EVRUN_NOWAIT);
    ck_assert_int_eq(due->calls, 1); /* what was queued behind this callback */
    evpq_future_on_done(f, stops, NULL);
    evpq_loop_run(loop); /* until `stops`, which stops this run alone */
    seen_watch(f, &after_nested);
}

START_TEST(a_callback_may_run_the_loop_again_and_order_is_kept)
{
    struct seen seen;
    on_own_loop();
    evpq_future *f = evpq_future_ok(loop, NULL, NULL), *woken = evpq_sleep(loop, 0.001);
    evpq_future_on_done(f, runs_again, &seen);
    seen_watch(f, &seen);
    evpq_loop_run(loop);
    ck_assert_int_eq(seen.calls, 1);
    ck_assert_int_eq(after_nested.calls, 1);
    ck_future_ok(woken); /* the outer run went on to its end */
    ck_assert(!loop_running(loop));
    evpq_future_unref(f);
    evpq_future_unref(woken);
    evpq_loop_unref(loop);
}
END_TEST

static void runs_until_stopped(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    evpq_loop_run(loop);
}

/* What is waited for settles in a run within, which goes on and is stopped. */
START_TEST(a_run_within_does_not_keep_who_waits)
{
    on_own_loop();
    evpq_future *first = evpq_sleep(loop, 0.001), *waited = evpq_sleep(loop, 0.005);
    evpq_future *last = evpq_sleep(loop, 0.01), *alive = evpq_sleep(loop, 1000);
    evpq_future_on_done(first, runs_until_stopped, NULL);
    evpq_future_on_done(last, stops, NULL);
    ck_assert_int_eq(evpq_await(waited), EVPQ_OK);
    ck_assert_int_eq(evpq_future_status(alive), EVPQ_PENDING);
    evpq_future_cancel(alive);
    evpq_future_unref(first);
    evpq_future_unref(waited);
    evpq_future_unref(last);
    evpq_future_unref(alive);
    evpq_loop_unref(loop);
}
END_TEST

static void drops_loop(evpq_future *f, void *arg)
{
    loop = evpq_loop_unref(loop);
}

START_TEST(f42_the_last_reference_may_go_while_it_runs)
{
    struct seen seen[2];
    on_own_loop();
    evpq_future *f = evpq_future_ok(loop, NULL, NULL);
    seen_watch(f, &seen[0]);
    evpq_future_on_done(f, drops_loop, NULL);
    seen_watch(f, &seen[1]);
    evpq_future_unref(f);
    evpq_loop_run(loop);
    ck_assert_ptr_null(loop);
    ck_assert_int_eq(seen[0].calls, 1);
    ck_assert_int_eq(seen[1].calls, 1);
}
END_TEST

/* ---- timers ---- */

struct alarm {
    struct timer timer;
    int fired;
    double at;
};

static void alarm_fire(struct timer *t)
{
    struct alarm *a = container_of(t, struct alarm, timer);
    a->fired++;
    a->at = loop_time(loop);
}

static void alarm_init(struct alarm *a)
{
    *a = (struct alarm){.fired = 0};
    timer_init(&a->timer, loop, alarm_fire);
}

START_TEST(a_timer_fires_once_and_not_early)
{
    struct alarm a;
    on_own_loop();
    alarm_init(&a);
    double start = loop_time(loop);
    timer_start(&a.timer, 0.01);
    ck_assert(timer_active(&a.timer));
    evpq_loop_run(loop);
    ck_assert_int_eq(a.fired, 1);
    ck_assert(!timer_active(&a.timer));
    ck_assert_double_ge(a.at - start, 0.0099);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(a_timer_can_be_moved_and_stopped)
{
    struct alarm moved, stopped, past;
    on_own_loop();
    alarm_init(&moved);
    alarm_init(&stopped);
    alarm_init(&past);
    timer_start(&moved.timer, 1e6);
    timer_start(&moved.timer, 0.001);
    timer_start(&stopped.timer, 0.);
    timer_stop(&stopped.timer);
    timer_stop(&stopped.timer);
    timer_start(&past.timer, -5.);
    evpq_loop_run(loop);
    ck_assert_int_eq(moved.fired, 1);
    ck_assert_int_eq(stopped.fired, 0);
    ck_assert_int_eq(past.fired, 1);
    evpq_loop_unref(loop);
}
END_TEST

static struct alarm from_callback;
static double started;

static void works_long(evpq_future *f, void *arg)
{
    double until = loop_time(loop) + 0.05;
    while (loop_time(loop) < until)
        ;
    started = loop_time(loop);
    timer_start(&from_callback.timer, 0.04);
}

START_TEST(a_timer_counts_from_its_start_in_a_long_callback_too)
{
    on_own_loop();
    alarm_init(&from_callback);
    evpq_future *f = evpq_future_ok(loop, NULL, NULL);
    evpq_future_on_done(f, works_long, NULL);
    evpq_loop_run(loop);
    ck_assert_double_ge(from_callback.at - started, 0.0399);
    evpq_future_unref(f);
    evpq_loop_unref(loop);
}
END_TEST

/* A descriptor that is readable, and a timer whose time has come. */
struct both {
    struct alarm alarm;
    struct io io;
    int pipe[2];
    int looks, looks_at_alarm;
    double late;
};

static struct both both;

static void both_fire(struct timer *t)
{
    both.late = t->late;
    both.looks_at_alarm = both.looks;
    alarm_fire(t);
    mark('t');
}

static void both_ready(struct io *io)
{
    static struct job job;
    both.looks++;
    job_init(&job, job_flushes);
    loop_defer(loop, &job);
    if (both.alarm.fired)
        io_stop(io);
}

static void both_start(double after)
{
    memset(order, 0, sizeof order);
    both = (struct both){.looks = 0};
    ck_assert_int_eq(pipe(both.pipe), 0);
    ck_assert_int_eq(write(both.pipe[1], "x", 1), 1);
    flush_init(&flush);
    alarm_init(&both.alarm);
    both.alarm.timer.fire = both_fire;
    io_init(&both.io, loop, both_ready);
    timer_start(&both.alarm.timer, after);
    io_start(&both.io, both.pipe[0], IO_READ);
}

static void both_end(void)
{
    io_stop(&both.io);
    timer_stop(&both.alarm.timer);
    close(both.pipe[0]);
    close(both.pipe[1]);
    evpq_loop_unref(loop);
}

START_TEST(f53_a_timer_fires_after_what_its_turn_brought_and_before_what_is_sent)
{
    on_own_loop();
    both_start(0);
    for (int turn = 0; turn < 10 && !both.alarm.fired; turn++)
        ev_run(ev, EVRUN_NOWAIT);
    /* One more look where the machine was so slow that the timer is late. */
    ck_assert_str_eq(order, both.late > 0 ? "jjtf" : "jtf");
    both_end();
}
END_TEST

/* And no more than that, though the descriptor is always ready. */
START_TEST(f53_a_late_timer_lets_the_loop_look_once_more)
{
    on_own_loop();
    both_start(0.01);
    usleep(50000);
    ev_run(ev, EVRUN_NOWAIT);
    ck_assert_int_eq(both.looks, 1);
    ck_assert_int_eq(both.alarm.fired, 0);
    ck_assert(timer_active(&both.alarm.timer));
    ck_assert_str_eq(order, "j"); /* nothing is sent meanwhile */
    ev_run(ev, EVRUN_ONCE);
    ck_assert_int_eq(both.alarm.fired, 1);
    ck_assert_int_eq(both.looks_at_alarm, 2);
    ck_assert_double_ge(both.late, 0.03);
    ck_assert_str_eq(order, "jjtf");
    both_end();
}
END_TEST

START_TEST(f53_a_late_timer_can_be_moved_and_stopped)
{
    on_own_loop();
    for (int i = 0; i < 2; i++) {
        both_start(0.01);
        usleep(50000);
        ev_run(ev, EVRUN_NOWAIT);
        if (i)
            timer_start(&both.alarm.timer, 0.2);
        else
            timer_stop(&both.alarm.timer);
        for (int turn = 0; turn < 5; turn++)
            ev_run(ev, EVRUN_NOWAIT);
        ck_assert_int_eq(both.alarm.fired, 0);
        ck_assert_int_eq(timer_active(&both.alarm.timer), i);
        evpq_loop_ref(loop);
        both_end();
    }
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(a_timer_counts_from_its_start_after_a_long_pause)
{
    struct alarm a;
    on_own_loop();
    ev_run(ev, EVRUN_NOWAIT);
    usleep(50000);
    alarm_init(&a);
    double start = loop_time(loop);
    timer_start(&a.timer, 0.04);
    evpq_loop_run(loop);
    ck_assert_double_ge(a.at - start, 0.0399);
    evpq_loop_unref(loop);
}
END_TEST

/* ---- descriptors ---- */

struct tap {
    struct io io;
    int ready;
};

static void tap_ready(struct io *io)
{
    container_of(io, struct tap, io)->ready++;
    io_stop(io);
}

static void tap_init(struct tap *t)
{
    *t = (struct tap){.ready = 0};
    io_init(&t->io, loop, tap_ready);
}

START_TEST(an_io_tells_of_what_it_was_asked_for)
{
    int fds[2];
    struct tap in, out;
    on_own_loop();
    tap_init(&in);
    tap_init(&out);
    ck_assert_int_eq(pipe(fds), 0);
    io_start(&in.io, fds[0], IO_READ);
    io_start(&out.io, fds[1], IO_WRITE);
    ck_assert(io_active(&in.io));
    ev_run(ev, EVRUN_ONCE);
    ck_assert_int_eq(in.ready, 0);
    ck_assert_int_eq(out.ready, 1);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ev_run(ev, EVRUN_ONCE);
    ck_assert_int_eq(in.ready, 1);
    ck_assert(!io_active(&in.io));
    close(fds[0]);
    close(fds[1]);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(an_io_follows_a_new_descriptor_of_the_same_number)
{
    int first[2], second[2];
    struct tap t;
    on_own_loop();
    tap_init(&t);
    ck_assert_int_eq(pipe(first), 0);
    ck_assert_int_eq(pipe(second), 0);
    io_start(&t.io, first[0], IO_READ);
    ev_run(ev, EVRUN_NOWAIT); /* the kernel knows of it */
    ck_assert_int_eq(dup2(second[0], first[0]), first[0]);
    io_start(&t.io, first[0], IO_READ);
    ck_assert_int_eq(write(second[1], "x", 1), 1);
    evpq_loop_run(loop);
    ck_assert_int_eq(t.ready, 1);
    close(first[0]), close(first[1]);
    close(second[0]), close(second[1]);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(a_released_io_does_not_keep_it_running)
{
    int fds[2];
    struct tap t;
    on_own_loop();
    tap_init(&t);
    ck_assert_int_eq(pipe(fds), 0);
    io_start(&t.io, fds[0], IO_READ);
    loop_release(loop);
    evpq_loop_run(loop); /* returns */
    loop_hold(loop);
    io_stop(&t.io);
    ck_assert_int_eq(t.ready, 0);
    close(fds[0]);
    close(fds[1]);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(null_loops_can_be_let_go_of)
{
    ck_assert_ptr_null(evpq_loop_ref(NULL));
    ck_assert_ptr_null(evpq_loop_unref(NULL));
    struct job job;
    job_init(&job, job_nothing);
    on_own_loop();
    ck_assert_ptr_eq(evpq_loop_ref(loop), loop);
    evpq_loop_unref(loop);
    loop_defer(loop, &job);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("loop");
    CHECK_ADD(c, it_joins_the_loop_a_program_already_runs);
    CHECK_ADD(c, several_share_one_ev_loop);
    CHECK_ADD(c, letting_go_leaves_nothing_behind_on_ev);
    CHECK_ADD(c, idle_futures_do_not_keep_it_running);
    CHECK_ADD(c, idle_futures_let_it_sleep);
    CHECK_ADD(c, futures_make_no_system_call);
    CHECK_ADD(c, a_tick_flushes_once_after_all_its_jobs);
    CHECK_ADD(c, a_tick_reads_piece_by_piece_and_flushes_last);
    CHECK_ADD(c, a_job_may_call_off_what_is_being_read);
    CHECK_ADD(c, a_job_may_run_the_loop_again_and_it_goes_on_reading);
    CHECK_ADD(c, time_stands_still_for_a_flush_but_not_for_a_job);
    CHECK_ADD(c, a_flush_that_asks_for_another_for_ever_starves_nobody);
    CHECK_ADD(c, a_tick_comes_after_every_watcher_of_the_turn);
    CHECK_ADD(c, a_tick_knows_whether_it_came_before_the_first_look_at_the_descriptors);
    CHECK_ADD(c, callbacks_that_queue_callbacks_for_ever_starve_nobody);
    CHECK_ADD(c, callbacks_that_queue_callbacks_for_ever_let_it_read_and_flush);
    CHECK_ADD(c, a_chain_of_callbacks_longer_than_a_tick_is_carried_on);
    CHECK_ADD(c, stop_returns_though_watchers_are_active);
    CHECK_ADD(c, a_run_within_does_not_keep_who_waits);
    CHECK_ADD(c, a_callback_may_run_the_loop_again_and_order_is_kept);
    CHECK_ADD(c, f42_the_last_reference_may_go_while_it_runs);
    CHECK_ADD(c, a_timer_fires_once_and_not_early);
    CHECK_ADD(c, a_timer_can_be_moved_and_stopped);
    CHECK_ADD(c, a_timer_counts_from_its_start_in_a_long_callback_too);
    CHECK_ADD(c, f53_a_timer_fires_after_what_its_turn_brought_and_before_what_is_sent);
    CHECK_ADD(c, f53_a_late_timer_lets_the_loop_look_once_more);
    CHECK_ADD(c, f53_a_late_timer_can_be_moved_and_stopped);
    CHECK_ADD(c, a_timer_counts_from_its_start_after_a_long_pause);
    CHECK_ADD(c, an_io_tells_of_what_it_was_asked_for);
    CHECK_ADD(c, an_io_follows_a_new_descriptor_of_the_same_number);
    CHECK_ADD(c, a_released_io_does_not_keep_it_running);
    CHECK_ADD(c, null_loops_can_be_let_go_of);
    return check_end(c);
}
