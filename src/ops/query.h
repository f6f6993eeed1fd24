/* query.h - the operation that runs one statement and keeps its result.
 *
 * A query is one block: the future that the program holds, the operation that goes down the pipeline,
 * and the copy of the statement. Its place in a pool's queue is kept here too, so that waiting
 * costs nothing more. */
#ifndef OPS_QUERY_H
#define OPS_QUERY_H

#include "async/future.h"
#include "ops/verdict.h"
#include "values/request.h"

#include <evpq/result.h>

struct query;

/* Where somebody stands in the queue of a pool, which keeps it (pool/wait_queue). */
struct queue_place {
    struct list node;
    uint64_t ticket;
    double deadline;
    bool for_lease;
};

/* A pool, as its one-shot queries see it. */
struct query_home {
    void (*withdraw)(struct query_home *,
                     struct query *); /* canceled while waiting: take it off the queue */
    void (*again)(struct query_home *,
                  struct query *); /* not sent, and its connection is no more */
    void (*why)(const struct query_home *, const struct query *, struct why *); /* it waits */
};

struct query {
    struct evpq_future future;
    struct op op;
    struct query_home *home; /* NULL: runs on one connection or not at all */
    struct conn *conn;       /* while on its pipeline */
    evpq_result *result;
    struct verdict verdict;
    struct stmt_run run;
    bool preparable; /* may be prepared, and ride with others */
    struct queue_place place;
    struct request request;
};

/* Of a value that is a result: what evpq_future_result reads. */
extern const struct value_class result_class;

/* Given. Failed from the start when `sql` or `args` are not to be sent. */
evpq_future *query_new(evpq_loop *loop, const char *sql, const evpq_args *args,
                       struct query_home *home);

/* The query that query_new has made; NULL for a future that failed from the start. */
struct query *query_of_new(evpq_future *f);

/* Sends it down a connection's pipeline. */
void query_submit(struct query *q, struct conn *c);

/* Settles a query that is in no pipeline. Takes the error. */
void query_fail(struct query *q, evpq_error *error);

#endif
