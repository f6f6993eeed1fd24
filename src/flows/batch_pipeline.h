/* batch_pipeline.h - many statements under one Sync: one operation, whose parts they are.
 *
 * One block holds the batch, a future for each statement, and the copies of them all. The futures
 * settle with the batch's own: before the Sync nothing is committed. batch.c is its
 * futures, and who asks for it; batch_pipeline.c what happens on a connection. */
#ifndef FLOWS_BATCH_PIPELINE_H
#define FLOWS_BATCH_PIPELINE_H

#include "flows/borrow.h"
#include "ops/verdict.h"
#include "values/request.h"

struct batch;

struct entry {
    struct evpq_future future;
    struct batch *batch;
    struct request request;
    struct stmt_run run;
    evpq_result *result;
    bool preparable;
};

struct batch {
    struct evpq_future future;
    struct op op;
    struct conn *conn; /* while on its pipeline */
    struct borrower borrower;
    size_t refs; /* futures that are not freed yet */
    size_t n;
    size_t at;     /* whose answers come next; n: the end of the transaction */
    size_t failed; /* which has failed, when there is an error */
    struct verdict verdict;
    struct entry entries[];
};

static inline struct batch *batch_of(evpq_future *f)
{
    return container_of(f, struct batch, future);
}

extern const struct op_class batch_op_class;
extern const struct work batch_work;

/* The pipeline has given back its operation, or lets go of it. May free the batch. */
void batch_leave_pipeline(struct batch *b);

/* It failed (takes the error), because of one of its statements (`which` < n) or as a whole. */
void batch_settle_failed(struct batch *b, evpq_error *error, size_t which);

#endif
