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

static void nothing(struct job *job)
{
    (void)job;
}

void runq_round(struct runq *q)
{
    struct job end; /* off the queue when reached, here or in a round inside this one */
    job_init(&end, nothing);
    runq_push(q, &end);
    while (list_linked(&end.node)) {
        struct job *job = container_of(list_pop(&q->jobs), struct job, node);
        job->run(job);
    }
}
