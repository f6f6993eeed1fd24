/* runq.c - first in, first out, in rounds. */
#include "async/runq.h"

void runq_init(struct runq *q)
{
    list_init(&q->jobs);
}

bool runq_empty(const struct runq *q)
{
    return list_empty(&q->jobs);
}

void runq_push(struct runq *q, struct job *job)
{
    if (!list_linked(&job->node))
        list_append(&q->jobs, &job->node);
}

void runq_round(struct runq *q)
{
    struct list round, *node;
    list_init(&round);
    list_splice(&round, &q->jobs);
    while ((node = list_pop(&round))) {
        struct job *job = container_of(node, struct job, node);
        job->run(job);
    }
}
