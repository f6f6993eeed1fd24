/* runq.h - the run queue: everything that is to happen "later, from the loop".
 *
 * The only caller of user code in the library. A job is embedded in whatever it belongs to and is
 * on at most one list; taking it off with list_remove calls it off. */
#ifndef ASYNC_RUNQ_H
#define ASYNC_RUNQ_H

#include "base/list.h"

struct job {
    struct list node;
    void (*run)(struct job *job); /* may free the job */
};

struct runq {
    struct list jobs;
};

static inline void job_init(struct job *job, void (*run)(struct job *))
{
    list_init(&job->node);
    job->run = run;
}

void runq_init(struct runq *q);
bool runq_empty(const struct runq *q);

/* Queues a job; one that is queued already keeps its place. */
void runq_push(struct runq *q, struct job *job);

/* Runs what is queued at this moment; what the jobs queue waits for the next round. A job may run
 * rounds itself (the program's code may run the loop again): then they go on where this one is, in
 * order. */
void runq_round(struct runq *q);

#endif
