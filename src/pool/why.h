/* why.h - what those who wait for a pool wait for. */
#ifndef POOL_WHY_H
#define POOL_WHY_H

#include "pool/pool.h"

/* What `place` waits for. pool_why_none: what anybody waits for who needs one more connection,
 * while so many wait. */
void pool_why(const evpq_pool *pool, const struct queue_place *place, struct why *why);
void pool_why_none(const evpq_pool *pool, int waiting, struct why *why);

#endif
