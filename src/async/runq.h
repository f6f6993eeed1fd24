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

static inline void job_init(struct job *job, void (*run)(struct job *job))
{
    list_init(&job->node);
    job->run = run;
}

static inline void runq_init(struct runq *q)
{
    list_init(&q->jobs);
}

static inline bool runq_empty(const struct runq *q)
{
    return list_empty(&q->jobs);
}

/* Queues a job; one that is queued already keeps its place. */
static inline void runq_push(struct runq *q, struct job *job)
{
    if (!list_linked(&job->node))
        list_append(&q->jobs, &job->node);
}

/* Runs the first, if there is one. It may queue jobs, and run others itself (the program's code may
 * run the loop again): those go on in order. */
static inline void runq_run_first(struct runq *q)
{
    struct list *node = list_pop(&q->jobs);
    if (node) {
        struct job *job = container_of(node, struct job, node);
        job->run(job);
    }
}

#endif
