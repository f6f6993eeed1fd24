/* work.h - an operation that nobody has sent yet, seen as the flows see it: a future that can be
 * put on a connection, or made to fail. */
#ifndef FLOWS_WORK_H
#define FLOWS_WORK_H

#include "pool/pool.h"

struct work {
    struct op *(*op)(evpq_future *f);
    bool ties; /* it may share a Sync with what is behind it */
    /* Sends it down a connection that is the caller's for the time. */
    void (*submit)(evpq_future *f, struct conn *c);
    /* It cannot be sent. Takes the error. */
    void (*fail)(evpq_future *f, evpq_error *why);
};

/* A query of query_new. */
extern const struct work query_work;

#endif
