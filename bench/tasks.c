/* tasks.c - task-bench WORKLOAD [key=value]...: see tasks.h and common.h. `many` asks a server: the
 * connection comes from PG* variables, and the tables must be there (`raw-bench setup`). */
#include "bench/tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double *figures_new(const struct options *o)
{
    double *figures = calloc((size_t)o->repeat, sizeof *figures);
    if (!figures)
        die("out of memory");
    return figures;
}

/* ---- spawn: tasks that wait once and end, round after round; what stays behind ---- */

static evpq_future *wait_once(evpq_task *self, void *arg)
{
    (void)arg;
    if (evpq_yield(self) != EVPQ_OK)
        die("a task could not yield");
    return NULL;
}

/* Tasks that have a stack are never more than `in_flight`; those that wait for their turn are. */
static void spawn_and_join(evpq_loop *loop, const struct options *o)
{
    evpq_group_opts opts = {.size = sizeof opts, .limit = (int)o->in_flight};
    evpq_group *group = evpq_group_open(loop, &opts);
    for (long i = 0; i < o->n; i++)
        evpq_future_unref(evpq_group_spawn(group, wait_once, NULL, NULL));
    ours_await(evpq_group_join(group));
}

void tasks_spawn(const struct options *o)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    double *took = figures_new(o), *memory = figures_new(o);

    /* What is taken but once, by the library and by what is called to measure, is not counted. */
    spawn_and_join(loop, o);
    memory_kilobytes("VmRSS");
    measure_start();
    for (long round = 0; round < o->repeat; round++) {
        double start = clock_now();
        spawn_and_join(loop, o);
        took[round] = clock_now() - start;
        memory[round] = (double)memory_kilobytes("VmRSS");
    }
    measure_stop();
    for (long round = 0; round < o->repeat; round++) {
        char key[32];
        snprintf(key, sizeof key, "rss_kb_%ld", round + 1);
        measure_note(key, memory[round]);
    }
    measure_note("growth_kb", memory[o->repeat - 1] - memory[0]);
    measure_note("task_ns", median(took, o->repeat) / (double)o->n * 1e9);
    free(took);
    free(memory);
    evpq_loop_unref(loop);
    ours_print(o, o->n * o->repeat, 0);
}

int main(int argc, char **argv)
{
    struct options o = options_read(argc, argv);

    if (!is_of_tasks(&o))
        die("%s is done by evpq-bench or raw-bench", o.workload);
    if (o.n < 1 || o.repeat < 1)
        die("%s needs n and repeat", o.workload);
    if (strcmp(o.workload, "switch") == 0)
        tasks_switch(&o);
    else if (strcmp(o.workload, "many") == 0)
        tasks_many(&o);
    else
        tasks_spawn(&o);
    return 0;
}
