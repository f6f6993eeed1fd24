/* close.c - the end of a pool: gently, then by force, and only when its last connection is
 * freed. */
#include "pool/close.h"

#include "pool/keeper.h"
#include "pool/lanes.h"
#include "pool/lease.h"
#include "pool/wish.h"
#include "words/error.h"

#include <assert.h>
#include <math.h>

evpq_error *close_error(evpq_outcome outcome)
{
    return error_new(EVPQ_CLOSED, outcome, "the pool is closed");
}

void close_if_empty(evpq_pool *pool)
{
    if (!pool->closing || pool->closed || pool->n_waiting || pool->total || pool->count[USE_DEAD])
        return;
    assert(!timer_active(&pool->expiry)); /* nobody waits */
    pool->closed = true;
    keeper_stop(pool);
    timer_stop(&pool->patience);
    wish_check(pool);
    loop_release(pool->loop);
    pool_unref(pool);
}

/* `how` takes the connection off this list, and may take others. */
static void close_conns(evpq_pool *pool, enum use use,
                        void (*how)(struct pool_conn *, const evpq_error *))
{
    evpq_error *why = close_error(EVPQ_OUTCOME_UNKNOWN);
    for (struct list *node; (node = list_first(&pool->conns[use]));)
        how(container_of(node, struct pool_conn, node), why);
    evpq_error_unref(why);
}

static void kill(struct pool_conn *c, const evpq_error *why)
{
    conn_kill(&c->conn, why);
}

static void take_back(struct pool_conn *c, const evpq_error *why)
{
    lanes_move(pool_of(c), c, USE_CLOSING);
    lease_lost(c, why);
    conn_detach(&c->conn, why);
}

void close_unneeded(evpq_pool *pool)
{
    if (!pool->closing || pool->n_waiting)
        return;
    pool_ref(pool);
    close_conns(pool, USE_CONNECTING, kill);
    keeper_sweep(pool);
    close_if_empty(pool);
    pool_unref(pool);
}

/* The deadline of evpq_pool_close: nobody waits any longer, and what runs is canceled. */
static void close_now(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, patience);
    evpq_error *why = close_error(EVPQ_OUTCOME_NOT_SENT);
    pool_ref(pool);
    pool->out_of_time = true;
    close_conns(pool, USE_CONNECTING, kill);
    close_conns(pool, USE_SHARED, take_back);
    close_conns(pool, USE_LEASED, take_back);
    lanes_fail_all(pool,
                   why); /* last: a lease that was about to be handed over is back in the queue */
    evpq_error_unref(why);
    keeper_sweep(pool);
    close_if_empty(pool);
    pool_unref(pool);
}

static void bring_nearer(evpq_pool *pool, double seconds)
{
    double at = loop_time(pool->loop) + seconds;
    if (seconds < 0 || (timer_active(&pool->patience) && at >= pool->close_at))
        return;
    pool->close_at = at;
    timer_start(&pool->patience, seconds);
}

evpq_future *close_pool(evpq_pool *pool, double seconds)
{
    pool_ref(pool);
    evpq_future *f = wish_new(pool, WISH_CLOSED);
    pool->closing = true;
    if (!pool->closed && isfinite(seconds))
        bring_nearer(pool, seconds);
    wish_check(pool);
    close_unneeded(pool);
    pool_unref(pool);
    return f;
}

evpq_future *evpq_pool_close(evpq_pool *pool, double seconds)
{
    if (pool_check(pool))
        return pool_refused(pool);
    if (!isnan(seconds))
        return close_pool(pool, seconds);
    return future_failed(pool->loop,
                         error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                                   "closing a pool within seconds that are not a number"));
}

void close_init(evpq_pool *pool)
{
    timer_init(&pool->patience, pool->loop, close_now);
}
