/* pool_conn.h - one connection of a pool: its state and its end. */
#ifndef POOL_POOL_CONN_H
#define POOL_POOL_CONN_H

#include "pool/pool.h"

/* It is new, and CONNECTING. */
void pool_conn_add(evpq_pool *pool, struct pool_conn *c);

/* The one function that changes the state, and with it the list that the connection is in. */
void pool_conn_to(struct pool_conn *c, enum pool_conn_state state);

/* Closes an idle connection on purpose. */
void pool_conn_retire(struct pool_conn *c);

/* Closes each in this state, for a reason (borrowed). */
void pool_conn_kill_all(evpq_pool *pool, enum pool_conn_state state, const evpq_error *why);

#endif
