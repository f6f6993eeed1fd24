/* tasks_switch.c - what it costs to wait, without anything to wait for: nanoseconds of CPU time, as
 * nothing here sleeps. Beside them swapcontext, which makes a system call for the signal mask each
 * way. The kinds take turns, and the medians are shown. */
#include "bench/tasks.h"

#include <stdlib.h>
#include <time.h>
#include <ucontext.h>

static evpq_loop *loop;
static long trips;

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_for(evpq_future *f)
{
    if (evpq_await(f) != EVPQ_OK)
        die("a task could not wait: %s", evpq_error_message(evpq_future_error(f)));
}

/* ---- a future that has settled already ---- */

static evpq_future *await_settled(evpq_task *self, void *arg)
{
    (void)self;
    evpq_future *f = evpq_future_ok(loop, NULL, NULL);
    double start = cpu_now();
    for (long i = 0; i < trips; i++)
        wait_for(f);
    *(double *)arg = cpu_now() - start;
    evpq_future_unref(f);
    return NULL;
}

/* ---- out of a task and into it again, through the run queue ---- */

static evpq_future *yield_alone(evpq_task *self, void *arg)
{
    double start = cpu_now();
    for (long i = 0; i < trips; i++)
        if (evpq_yield(self) != EVPQ_OK)
            die("a task could not yield");
    *(double *)arg = cpu_now() - start;
    return NULL;
}

/* ---- two tasks that wake each other; a future is made and settled for each time ---- */

struct side {
    struct side *other;
    evpq_future *awaits;
};

static void wake(const struct side *side)
{
    if (side->awaits && !evpq_future_set_value(side->awaits, NULL, NULL))
        die("the future had settled");
}

static evpq_future *hand_over(evpq_task *self, void *arg)
{
    (void)self;
    struct side *side = arg;
    for (long i = 0; i < trips / 2; i++) {
        side->awaits = evpq_future_new(loop, NULL, NULL);
        wake(side->other);
        wait_for(side->awaits);
        side->awaits = evpq_future_unref(side->awaits);
    }
    wake(side->other);
    return NULL;
}

static evpq_future *both_hand_over(evpq_task *self, void *arg)
{
    (void)self;
    struct side one = {0}, other = {.other = &one};
    one.other = &other;
    double start = cpu_now();
    evpq_future *both[] = {
        evpq_task_spawn(loop, hand_over, &one, NULL),
        evpq_task_spawn(loop, hand_over, &other, NULL),
    };
    evpq_future *all = evpq_all(both, 2);
    wait_for(all);
    *(double *)arg = cpu_now() - start;
    evpq_future_unref(all);
    return NULL;
}

/* ---- the C library's own ---- */

static ucontext_t outside, inside;

static void bounce(void)
{
    for (;;)
        swapcontext(&inside, &outside);
}

static double swap_contexts(void)
{
    enum { STACK = 64 * 1024 };
    char *stack = malloc(STACK);
    if (!stack || getcontext(&inside))
        die("no context");
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK;
    makecontext(&inside, bounce, 0);
    double start = cpu_now();
    for (long i = 0; i < trips; i++)
        swapcontext(&outside, &inside);
    double took = cpu_now() - start;
    free(stack);
    return took;
}

/* ---- all of them ---- */

static const struct {
    const char *key;
    evpq_task_fn *run; /* leaves the seconds it took in its argument; NULL: swap_contexts */
} kinds[] = {
    {"settled_ns", await_settled},
    {"yield_ns", yield_alone},
    {"handover_ns", both_hand_over},
    {"swapcontext_ns", NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static double seconds_of(size_t kind)
{
    if (!kinds[kind].run)
        return swap_contexts();
    double took = 0;
    ours_await(evpq_task_spawn(loop, kinds[kind].run, &took, NULL));
    return took;
}

void tasks_switch(const struct options *o)
{
    double *took[KINDS];
    loop = evpq_loop_new(NULL);
    trips = o->n;
    for (size_t kind = 0; kind < KINDS; kind++)
        took[kind] = figures_new(o);

    measure_start();
    for (long round = 0; round < o->repeat; round++)
        for (size_t kind = 0; kind < KINDS; kind++)
            took[kind][round] = seconds_of(kind);
    measure_stop();
    for (size_t kind = 0; kind < KINDS; kind++) {
        measure_note(kinds[kind].key, median(took[kind], o->repeat) / (double)trips * 1e9);
        free(took[kind]);
    }
    evpq_loop_unref(loop);
    ours_print(o, trips * o->repeat, 0);
}
