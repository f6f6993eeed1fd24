/* close.h - the end of a pool: gently, then by force, and only when the memory of its last connection
 * goes. */
#ifndef POOL_CLOSE_H
#define POOL_CLOSE_H

#include "pool/pool.h"

void close_init(evpq_pool *pool);

/* From now on nothing new may be asked of the pool. After so many seconds it is closed by force; if
 * they are infinite or negative, never. A second call may make the time shorter. The step does the
 * rest. */
void close_begin(evpq_pool *pool, double seconds);

/* Of a pool that is closing: closes what is not needed any more, and what is out of time. Ends the
 * pool when nothing is left, which gives up its own reference. */
void close_go_on(evpq_pool *pool);

#endif
