/* pool_future.h - futures on the state of a pool as a whole: connected, drained, closed. */
#ifndef POOL_POOL_FUTURE_H
#define POOL_POOL_FUTURE_H

#include "pool/pool.h"

enum pool_future_for { POOL_FUTURE_CONNECTED, POOL_FUTURE_DRAINED, POOL_FUTURE_CLOSED };

/* Done at once if the pool is in that state. */
evpq_future *pool_future_new(evpq_pool *pool, enum pool_future_for what);

/* Settles those that have come true. */
void pool_future_check(evpq_pool *pool);

/* Fails those that want a connection (`why` is borrowed). */
void pool_future_connect_failed(evpq_pool *pool, const evpq_error *why);

/* 1 if somebody wants the pool to be connected, though nothing waits; else 0. */
int pool_future_wants_one(const evpq_pool *pool);

#endif
