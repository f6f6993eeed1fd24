/* tasks.h - task-bench: what tasks cost. */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "bench/evpq.h"

/* One workload each. They print their line. */
void tasks_switch(const struct options *o);
void tasks_many(const struct options *o);
void tasks_spawn(const struct options *o);

/* `repeat` figures of one kind, zero; free them. */
double *figures_new(const struct options *o);

#endif
