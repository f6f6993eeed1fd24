/* lend.h - a lease from its first hook to its reset: what happens from one state to the next.
 *
 *   AFTER_CONNECT ------------------------------------------------------> ENDED
 *   BEFORE_ACQUIRE -> LENT -> RETURNED -> AFTER_RELEASE -> RESETTING ---> ENDED
 *
 * Whoever calls these looks afterwards whether the connection has a lease still (c->lease): if not,
 * and it is not dead, it is free for something else. */
#ifndef POOL_LEND_H
#define POOL_LEND_H

#include "pool/acquire.h"

/* Runs after_connect on a connection that is new, or new again. */
void lend_after_connect(struct pool_conn *c);

/* Lends an idle connection to the one whose place in the queue this was. */
void lend_begin(struct pool_conn *c, struct queue_place *place);

/* The connection of a lease has nothing in flight. */
void lend_quiet(struct pool_conn *c);

/* The connection is dead, or taken away (`why` is borrowed). It need not be leased. */
void lend_lost(struct pool_conn *c, const evpq_error *why);

#endif
