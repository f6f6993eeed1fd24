/* lanes.h - the queue of a pool, and which connection serves whom.
 *
 * First come, first served. An idle connection always comes first; without one, a one-shot query
 * may ride behind others on a shared connection that admits it. */
#ifndef POOL_LANES_H
#define POOL_LANES_H

#include "pool/pool.h"

void lanes_init(evpq_pool *pool);

/* Puts a connection into another list; pool_conn_dial puts a new one into the first. */
void lanes_move(evpq_pool *pool, struct pool_conn *c, enum use use);

/* Finds the query a connection or a place in the queue; when there is none to be had it has
 * failed. */
void lanes_add_query(evpq_pool *pool, struct query *q);

/* A place for one who wants a lease: true if it is on the queue; else the queue is full. Serve idle
 * connections afterwards. */
bool lanes_add_place(evpq_pool *pool, struct queue_place *place);

/* Back to where it stood in the queue, deadline included. */
void lanes_return(evpq_pool *pool, struct queue_place *place);
void lanes_withdraw(evpq_pool *pool, struct queue_place *place);

/* A query of a shared connection was answered, or taken back, and others are still on it. */
void lanes_made_room(evpq_pool *pool, struct pool_conn *c);

/* A connection that is idle, or has room, takes from the queue what it can. */
void lanes_serve(evpq_pool *pool, struct pool_conn *c);
void lanes_serve_idle(evpq_pool *pool);

/* Everyone on the queue fails with `why` (borrowed). */
void lanes_fail_all(evpq_pool *pool, const evpq_error *why);

/* What `place` waits for; what anybody waits for who needs a connection more, with so many that
 * wait. */
void lanes_why(const evpq_pool *pool, const struct queue_place *place, struct why *why);
void lanes_why_none(const evpq_pool *pool, int waiting, struct why *why);

#endif
