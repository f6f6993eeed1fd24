/* step.h - the maintenance pass of a pool. */
#ifndef POOL_STEP_H
#define POOL_STEP_H

#include "pool/pool.h"

void step_init(evpq_pool *pool);

/* Does now what pool_mark asks for. May free the pool. */
void pool_step(evpq_pool *pool);

#endif
