/* close.c - see close.h. */
#include "pool/close.h"

#include "base/invariant.h"
#include "pool/dispatch.h"
#include "pool/lend.h"
#include "pool/pool_conn.h"
#include "pool/pool_future.h"
#include "pool/sizing.h"

#include <math.h>

static bool is_empty(const evpq_pool *pool)
{
    return !pool->n_waiting && !pool->total && !pool->count[POOL_CONN_DEAD];
}

static void close_end(evpq_pool *pool)
{
    INVARIANT(!timer_active(&pool->expiry)); /* nobody waits */
    pool_to(pool, POOL_CLOSED);
    sizing_stop(pool);
    timer_stop(&pool->close_timer);
    pool_future_check(pool);
    loop_release(pool->loop);
    pool_unref(pool);
}

/* What runs is canceled, and who waits is told. */
static void take_back_all(evpq_pool *pool, enum pool_conn_state state, const evpq_error *why)
{
    for (struct list *node; (node = list_first(&pool->conns[state]));) {
        struct pool_conn *c = pool_conn_at(node);
        pool_conn_to(c, POOL_CONN_CANCELING);
        lend_lost(c, why);
        conn_detach(&c->conn, why);
    }
}

/* Everybody who waits is told. The queue comes last: a lease that was about to be handed over has
 * gone back to it. */
static void end_all(evpq_pool *pool)
{
    evpq_error *why = pool_closed_error(EVPQ_OUTCOME_UNKNOWN);
    evpq_error *not_sent = pool_closed_error(EVPQ_OUTCOME_NOT_SENT);
    pool_conn_kill_all(pool, POOL_CONN_CONNECTING, why);
    take_back_all(pool, POOL_CONN_SHARED, why);
    take_back_all(pool, POOL_CONN_LEASED, why);
    dispatch_fail_all(pool, not_sent);
    evpq_error_unref(why);
    evpq_error_unref(not_sent);
}

static void close_unneeded(evpq_pool *pool)
{
    evpq_error *why = pool_closed_error(EVPQ_OUTCOME_UNKNOWN);
    pool_conn_kill_all(pool, POOL_CONN_CONNECTING, why);
    evpq_error_unref(why);
    for (struct list *node; (node = list_first(&pool->conns[POOL_CONN_IDLE]));)
        pool_conn_retire(pool_conn_at(node));
}

void close_go_on(evpq_pool *pool)
{
    if (pool->state == POOL_OUT_OF_TIME)
        end_all(pool);
    if (!pool->n_waiting)
        close_unneeded(pool);
    if (is_empty(pool))
        close_end(pool);
}

static void out_of_time(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, close_timer);
    pool_to(pool, POOL_OUT_OF_TIME);
    pool_mark(pool);
}

static void bring_nearer(evpq_pool *pool, double seconds)
{
    double at = loop_time(pool->loop) + seconds;
    if (seconds < 0 || (timer_active(&pool->close_timer) && at >= pool->close_at))
        return;
    pool->close_at = at;
    timer_start(&pool->close_timer, seconds);
}

void close_begin(evpq_pool *pool, double seconds)
{
    if (pool->state == POOL_OPEN)
        pool_to(pool, POOL_CLOSING);
    if (pool->state == POOL_CLOSING && isfinite(seconds))
        bring_nearer(pool, seconds);
}

void close_init(evpq_pool *pool)
{
    timer_init(&pool->close_timer, pool->loop, out_of_time);
}
