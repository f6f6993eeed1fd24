/* member.h - a connection of a pool, between one use and the next. */
#ifndef POOL_POOL_CONN_H
#define POOL_POOL_CONN_H

#include "pool/pool.h"

/* Begins a new connection; it is in USE_CONNECTING. NULL without memory. */
struct pool_conn *pool_conn_dial(evpq_pool *pool);

/* A connection may have nothing to do: if so, cleans it if need be, retires it, or makes it idle
 * and serves who waits. */
void pool_conn_settle(evpq_pool *pool, struct pool_conn *c);

/* Rolls back what is open; where the `session` may bear marks, cleans it as far as the pool's
 * option says. Only at rest; pool_conn_settle (or lease_quiet) comes when it is done. */
void pool_conn_reset(evpq_pool *pool, struct pool_conn *c, bool session);

/* Closes an idle connection on purpose. */
void pool_conn_retire(struct pool_conn *c);

#endif
