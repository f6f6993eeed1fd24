/* plan.h - what copypipe is to move: a session on each end, with the settings that decide how
 * values are written, and the two COPY statements. */
#ifndef COPYPIPE_PLAN_H
#define COPYPIPE_PLAN_H

#include "opts.h"

#include <evpq/evpq.h>

struct plan {
    evpq_loop *loop; /* borrowed */
    evpq_lease *from, *to;
    char *out, *in; /* COPY ... TO STDOUT on `from`, COPY ... FROM STDIN on `to` */
    double rows;    /* about how many there are; 0: not known */
};

/* In a task. NULL, or the future that has failed, given. The plan is to be freed either way. */
evpq_future *plan_make(struct plan *plan, const struct opts *o, evpq_pool *from, evpq_pool *to);

void plan_free(struct plan *plan);

#endif
