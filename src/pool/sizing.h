/* sizing.h - how many connections a pool is to have, how old they may become, and how often to try.
 *
 * A connect belongs to the pool, not to whoever waits: nobody's deadline cuts one short. After a
 * failure, or a loss, one lone attempt goes ahead; each that succeeds doubles how many may follow
 * at a time. */
#ifndef POOL_SIZING_H
#define POOL_SIZING_H

#include "pool/pool.h"

void sizing_init(evpq_pool *pool);
void sizing_stop(evpq_pool *pool);

/* How many connections are to be opened now. */
int sizing_wanted(evpq_pool *pool);

/* after_connect is done on a new connection. */
void sizing_connected(struct pool_conn *c);

/* A connect has failed (`why` is borrowed). */
void sizing_failed(evpq_pool *pool, const evpq_error *why);

/* It broke (`why` is borrowed): at once, or before it answered anything, a pause follows. */
void sizing_lost(const struct pool_conn *c, const evpq_error *why);

/* Something on its pipeline is over: whether that was an answer is looked at here. */
void sizing_note_answer(const struct pool_conn *c);
static inline void sizing_answered(const struct pool_conn *c)
{
    const evpq_pool *pool = pool_of(c);
    if (!pool->good_since || pool->drop_error)
        sizing_note_answer(c);
}

/* before_acquire has failed on it, or it was lost meanwhile (`why` is borrowed). It is about to
 * die, and other connections are tried. If it had never passed the check it was new: then the next
 * connect waits, for longer each time. */
void sizing_check_failed(const struct pool_conn *c, const evpq_error *why);
void sizing_check_passed(struct pool_conn *c);

/* Whether this connection, on which nothing is in flight, should be closed now. */
bool sizing_retires(const struct pool_conn *c);

/* Too many, too old or too large: nothing new is sent on such shared connections. */
void sizing_mark_retiring(evpq_pool *pool);

/* A connection is about to be shared: the sweep is not to rest until one is to be closed. */
void sizing_wakes(evpq_pool *pool);

/* The sweep is done; the next one follows in time. */
void sizing_swept(evpq_pool *pool);

/* Whether waiting cannot help after this failure of a connect: the role, the password, the database
 * or a right is wrong. */
bool sizing_is_permanent(const evpq_error *why);

#endif
