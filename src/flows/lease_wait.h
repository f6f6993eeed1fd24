/* lease_wait.h - how a flow gets a connection of a pool. */
#ifndef FLOWS_LEASE_WAIT_H
#define FLOWS_LEASE_WAIT_H

#include "async/future.h"
#include "pool/acquire.h"

/* Who waits, as a dump of what is pending tells it. */
enum lease_wait_for { LEASE_FOR_BATCH, LEASE_FOR_STREAM, LEASE_FOR_COPY };

/* Part of the flow that waits. */
struct lease_wait {
    enum lease_wait_for what;
    evpq_pool *pool;    /* borrowed */
    evpq_future *asked; /* NULL: it does not wait */
    struct waiter waiter;
    /* Called from the run queue, with one of them, which is given. The lease has its connection: one
     * that is lost before this is called is replaced. */
    void (*over)(struct lease_wait *, evpq_lease *lease, evpq_error *why);
};

void lease_wait_init(struct lease_wait *w, enum lease_wait_for what,
                     void (*over)(struct lease_wait *, evpq_lease *lease, evpq_error *why));

/* The pool may be closed. */
void lease_wait_start(struct lease_wait *w, evpq_pool *pool);

/* Stops waiting, if it waits: `over` is not called. */
void lease_wait_stop(struct lease_wait *w);

/* Whether it waits; then `why` is told for what. */
bool lease_wait_why(const struct lease_wait *w, struct why *why);

/* dispatch_acquire, of a pool that may be closed. */
evpq_future *lease_ask(evpq_pool *pool, const struct lease_use *use, void *arg);

#endif
