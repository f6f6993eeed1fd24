/* wish.h - futures on the state of a pool as a whole: connected, drained, closed. */
#ifndef POOL_WISH_H
#define POOL_WISH_H

#include "pool/pool.h"

enum wish_for { WISH_CONNECTED, WISH_DRAINED, WISH_CLOSED };

evpq_future *wish_new(evpq_pool *pool, enum wish_for what);

/* Something has changed: settles the wishes that have come true. */
void wish_check(evpq_pool *pool);

/* Fails those that want a connection (`why` is borrowed). */
void wish_connect_failed(evpq_pool *pool, const evpq_error *why);

/* 1 if somebody wants the pool to be connected, though nothing waits; else 0. */
int wish_wants_connection(const evpq_pool *pool);

#endif
