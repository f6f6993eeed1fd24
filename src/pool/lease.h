/* lease.h - a connection lent out, from the hooks before to the reset after.
 *
 *   SETUP     after_connect runs, on a new connection or after DISCARD ALL (no lease anyone asked
 * for) GREETING  before_acquire runs OUT       the program has it RETURNED  released; its last
 * queries are running FAREWELL  after_release runs RESETTING ROLLBACK, DISCARD ALL
 *
 * A lease outlives its connection: then `conn` is NULL and `gone` says why. */
#ifndef POOL_LEASE_H
#define POOL_LEASE_H

#include "pool/pool.h"

/* evpq_pool_acquire: a future with a place in the queue. */
evpq_future *lease_ask(evpq_pool *pool);
/* It gets none. Takes the error. */
void lease_refuse(struct queue_place *place, evpq_error *why);

/* Runs after_connect on a connection that is new, or new again, then calls member_settle, or kills
 * it. */
void lease_set_up(evpq_pool *pool, struct conn *c);

/* Lends an idle connection to whoever had that place in the queue. */
void lease_begin(evpq_pool *pool, struct conn *c, struct queue_place *place);

/* A leased connection (c->user) has nothing in flight; or is dead, or taken away (`why` is
 * borrowed). */
void lease_quiet(struct conn *c);
void lease_lost(struct conn *c, const evpq_error *why);

/* The server process that has been out on lease for longest, and for how long; 0 if none is. */
int lease_longest(const evpq_pool *pool, double *ret_seconds);

#endif
