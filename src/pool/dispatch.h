/* dispatch.h - which connection serves whom.
 *
 * First come, first served. An idle connection always comes first; without one, a one-shot query
 * may join others on a shared connection that admits it. */
#ifndef POOL_DISPATCH_H
#define POOL_DISPATCH_H

#include "pool/acquire.h"

/* Gives the query a connection, or a place in the queue. When the queue is full, the query fails.
 * True: one more connection would have helped, and may be opened. */
bool dispatch_query(evpq_pool *pool, struct query *q);

/* A future for a lease: it is lent now if a connection is idle. `use`: see acquire.h. */
evpq_future *dispatch_acquire(evpq_pool *pool, const struct lease_use *use, void *arg);

/* A query of a shared connection was answered, or taken back, and others are still on it. */
void dispatch_made_room(evpq_pool *pool, struct pool_conn *c);

/* A connection that is idle, or has room, takes from the queue what it can. */
void dispatch_serve(evpq_pool *pool, struct pool_conn *c);

/* The same for all that are idle. Afterwards either nobody waits or none is idle, unless the pool
 * is out of time. */
void dispatch_idle(evpq_pool *pool);

/* The timer of the queue has fired: whose deadline has passed fails. */
void dispatch_expire(evpq_pool *pool);

/* Everyone on the queue fails with `why` (borrowed). */
void dispatch_fail_all(evpq_pool *pool, const evpq_error *why);

#endif
