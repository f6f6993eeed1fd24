/* keeper.h - keeps as many connections as are needed and allowed.
 *
 * A connect belongs to the pool, not to whoever waits: nobody's deadline cuts one short. After a
 * failure, or a loss, one lone attempt goes ahead; each that succeeds doubles how many may follow
 * at a time. */
#ifndef POOL_KEEPER_H
#define POOL_KEEPER_H

#include "pool/pool.h"

void keeper_init(evpq_pool *pool);

/* Opens what is missing. `crowded`: nobody waits, but queries share connections. */
void keeper_tend(evpq_pool *pool, bool crowded);

void keeper_connected(evpq_pool *pool, struct pool_conn *c);
void keeper_failed(evpq_pool *pool, const evpq_error *why);

/* It broke (`why` is borrowed): at once, or before it answered anything, a pause follows. */
void keeper_lost(evpq_pool *pool, const struct pool_conn *c, const evpq_error *why);

/* Something on its line is over: whether that was an answer is looked at here. */
void keeper_answered(evpq_pool *pool, const struct pool_conn *c);

/* before_acquire has failed on it, or it was lost meanwhile (`why` is borrowed): it is about to
 * die, and others are tried. One that never passed the check was new: then the next attempt to
 * connect waits, for longer each time. */
void keeper_check_failed(evpq_pool *pool, const struct pool_conn *c, const evpq_error *why);
void keeper_check_passed(evpq_pool *pool, struct pool_conn *c);

/* Whether this connection, which is idle, should be closed now. */
bool keeper_retires(const evpq_pool *pool, const struct pool_conn *c);

/* It has become idle. */
void keeper_idle(evpq_pool *pool, struct pool_conn *c);

/* Closes idle connections that are too many (after a resize) or too old. */
void keeper_sweep(evpq_pool *pool);

void keeper_stop(evpq_pool *pool);

/* Whether a connect has failed for what time does not mend: who you are, which database, what you
 * may. */
bool keeper_is_permanent(const evpq_error *why);

#endif
