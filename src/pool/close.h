/* close.h - the end of a pool. evpq_pool_close itself stands in close.c. */
#ifndef POOL_CLOSE_H
#define POOL_CLOSE_H

#include "pool/pool.h"

void close_init(evpq_pool *pool);

/* evpq_pool_close, by whichever thread. */
evpq_future *close_pool(evpq_pool *pool, double seconds);

/* The pool is closed if it is closing, has no connection left, and nobody waits. May free it. */
void close_if_empty(evpq_pool *pool);

/* Of a pool that is closing, and where nobody waits any more: closes the idle, and those still
 * connecting. May free it. */
void close_unneeded(evpq_pool *pool);

/* The error of a pool that is closed. Given. */
evpq_error *close_error(evpq_outcome outcome);

#endif
