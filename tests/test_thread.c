/* test_thread.c - calls: work in a thread, its end told by the loop, and a loop that may be gone
 * by then. */
#include "async/thread.h"

#include "async/loop.h"
#include "support/check.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* An call of which the test knows where its halves ran. The thread waits for `go` and tells with
 * `done`. */
struct trip {
    struct thread_call call;
    sem_t go, ended;
    bool waits, drops_loop;
    pthread_t worked_in, ended_in;
    bool signals_blocked;
    atomic_int works, ends;
};

static evpq_loop *loop;
static int out; /* calls that keep the loop running */

static void trip_work(struct thread_call *call)
{
    struct trip *t = container_of(call, struct trip, call);
    sigset_t blocked;
    if (t->waits)
        sem_wait(&t->go);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    t->signals_blocked = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGALRM);
    t->worked_in = pthread_self();
    t->works++;
}

static void trip_done(struct thread_call *call)
{
    struct trip *t = container_of(call, struct trip, call);
    t->ended_in = pthread_self();
    t->ends++;
    if (t->drops_loop)
        loop = evpq_loop_unref(loop);
    sem_post(&t->ended);
}

static void trip_home(struct thread_call *call)
{
    trip_done(call);
    out--;
    loop_release(loop);
}

static void trip_init(struct trip *t, bool waits)
{
    *t = (struct trip){.call = {.work = trip_work, .done = trip_done}, .waits = waits};
    sem_init(&t->go, 0, 0);
    sem_init(&t->ended, 0, 0);
}

/* Sends it out with the loop waiting for it. */
static void send(struct trip *t)
{
    t->call.done = trip_home;
    loop_hold(loop);
    out++;
    ck_assert(thread_call_start(loop, &t->call));
}

static void check_trip(struct trip *t, bool home)
{
    ck_assert_int_eq(t->works, 1);
    ck_assert_int_eq(t->ends, 1);
    ck_assert(!pthread_equal(t->worked_in, pthread_self()));
    ck_assert_int_eq(pthread_equal(t->ended_in, pthread_self()) != 0, home);
}

START_TEST(work_is_done_in_a_thread_and_ends_in_the_loop)
{
    struct trip t;
    loop = evpq_loop_new(NULL);
    trip_init(&t, true);
    send(&t);
    ck_assert_int_eq(t.works, 0);
    sem_post(&t.go);
    evpq_loop_run(loop);
    check_trip(&t, true);
    ck_assert(t.signals_blocked);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(the_programs_signal_mask_is_its_own_again)
{
    struct trip t;
    sigset_t before, after;
    loop = evpq_loop_new(NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    trip_init(&t, false);
    send(&t);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
    ck_assert_int_eq(sigismember(&after, SIGTERM), 0);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(errands_overtake_one_another)
{
    enum { N = 8 };
    struct trip t[N];
    loop = evpq_loop_new(NULL);
    for (int i = 0; i < N; i++) {
        trip_init(&t[i], true);
        send(&t[i]);
    }
    for (int i = N - 1; i >= 0; i--) {
        sem_post(&t[i].go);
        while (!t[i].ends) /* the last out is the first home; the others still wait */
            ev_run(evpq_loop_ev(loop), EVRUN_ONCE);
        ck_assert_int_eq(out, i);
    }
    evpq_loop_run(loop);
    for (int i = 0; i < N; i++)
        check_trip(&t[i], true);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(an_errand_does_not_keep_the_loop_running)
{
    struct trip t;
    loop = evpq_loop_new(NULL);
    trip_init(&t, true);
    ck_assert(thread_call_start(loop, &t.call));
    evpq_loop_run(loop); /* returns */
    ck_assert_int_eq(t.works, 0);
    sem_post(&t.go);
    while (!t.ends)
        ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
    check_trip(&t, true);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(an_errand_that_comes_back_to_no_loop_ends_in_its_thread)
{
    struct trip t;
    loop = evpq_loop_new(NULL);
    trip_init(&t, true);
    ck_assert(thread_call_start(loop, &t.call));
    evpq_loop_unref(loop);
    sem_post(&t.go);
    sem_wait(&t.ended);
    check_trip(&t, false);
}
END_TEST

START_TEST(an_errand_that_is_back_when_the_loop_goes_ends_with_it)
{
    struct trip t;
    loop = evpq_loop_new(NULL);
    trip_init(&t, false);
    ck_assert(thread_call_start(loop, &t.call));
    while (!t.works)
        sched_yield();
    usleep(10000); /* most likely delivered by now, not only done: either way it must end once */
    evpq_loop_unref(loop);
    sem_wait(&t.ended);
    ck_assert_int_eq(t.ends, 1);
}
END_TEST

START_TEST(an_errand_may_end_with_the_loops_last_reference)
{
    enum { N = 3 };
    struct trip t[N];
    evpq_loop *owner = evpq_loop_new(NULL); /* of the ev loop underneath, which is to stay */
    struct ev_loop *ev = evpq_loop_ev(owner);
    loop = evpq_loop_new(ev);
    for (int i = 0; i < N; i++) {
        trip_init(&t[i], false);
        ck_assert(thread_call_start(loop, &t[i].call));
    }
    t[1].drops_loop = true;
    while (!t[1].ends)
        ev_run(ev, EVRUN_NOWAIT);
    ck_assert_ptr_null(loop);
    for (int i = 0; i < N; i++)
        sem_wait(&t[i].ended);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(t[i].ends, 1);
    evpq_loop_unref(owner);
}
END_TEST

/* For the thread sanitizer: loops that go at any moment of a call's life. */
static atomic_int strays;

static void stray_work(struct thread_call *call)
{
    for (int i = rand() % 3; i > 0; i--)
        sched_yield();
}

static void stray_done(struct thread_call *call)
{
    strays++;
    free(call);
}

START_TEST(loops_and_errands_may_end_at_the_same_moment)
{
    enum { ROUNDS = 200, EACH = 3 };
    for (int i = 0; i < ROUNDS; i++) {
        evpq_loop *brief = evpq_loop_new(NULL);
        for (int n = 0; n < EACH; n++) {
            struct thread_call *call = malloc(sizeof *call);
            *call = (struct thread_call){.work = stray_work, .done = stray_done};
            ck_assert(thread_call_start(brief, call));
        }
        for (int n = i % 4; n > 0; n--)
            ev_run(evpq_loop_ev(brief), EVRUN_NOWAIT);
        evpq_loop_unref(brief);
    }
    while (strays < ROUNDS * EACH)
        usleep(1000);
}
END_TEST

/* ---- the end of the process ---- */

static int told[2];

static void take_its_time(struct thread_call *call)
{
    (void)call;
    usleep(200 * 1000);
    ck_assert_int_eq(write(told[1], "x", 1), 1);
}

static void nobody_waits(struct thread_call *call)
{
    (void)call;
}

static void wait_at_exit(void (*work)(struct thread_call *), bool forks)
{
    static struct thread_call call = {.done = nobody_waits, .computes = true};
    char byte;
    call.work = work;
    ck_assert_int_eq(pipe(told), 0);
    pid_t child = fork();
    if (!child) {
        loop = evpq_loop_new(NULL);
        if (!thread_call_start(loop, &call))
            _exit(2);
        evpq_loop_unref(loop);
        if (forks && !fork()) {
            close(told[1]);
            exit(0);
        }
        exit(0);
    }
    close(told[1]);
    ck_assert_int_eq(read(told[0], &byte, 1), 1);
    close(told[0]);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

/* exit() waits for what computes: it takes down what that uses. (A connection that was given up in
 * the midst of SCRAM made a program crash as it ended.) A forked child has no such thread to wait
 * for. */
START_TEST(exit_waits_for_what_computes)
{
    wait_at_exit(take_its_time, _i);
}
END_TEST

static pthread_key_t key;

static void let_go_slowly(void *value)
{
    (void)value;
    take_its_time(NULL);
}

static void leave_something(struct thread_call *call)
{
    pthread_setspecific(key, call);
}

/* What OpenSSL keeps for a thread was lost, or freed while exit() took OpenSSL down. */
START_TEST(exit_waits_for_the_ends_of_a_thread)
{
    ck_assert_int_eq(pthread_key_create(&key, let_go_slowly), 0);
    wait_at_exit(leave_something, false);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("thread");
    CHECK_ADD(c, work_is_done_in_a_thread_and_ends_in_the_loop);
    CHECK_ADD(c, the_programs_signal_mask_is_its_own_again);
    CHECK_ADD(c, errands_overtake_one_another);
    CHECK_ADD(c, an_errand_does_not_keep_the_loop_running);
    CHECK_ADD(c, an_errand_that_comes_back_to_no_loop_ends_in_its_thread);
    CHECK_ADD(c, an_errand_that_is_back_when_the_loop_goes_ends_with_it);
    CHECK_ADD(c, an_errand_may_end_with_the_loops_last_reference);
    CHECK_ADD(c, loops_and_errands_may_end_at_the_same_moment);
    CHECK_ADD_LOOP(c, exit_waits_for_what_computes, 2);
    CHECK_ADD(c, exit_waits_for_the_ends_of_a_thread);
    return check_end(c);
}
