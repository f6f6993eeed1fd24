/* step.c - the maintenance pass of a pool: after whatever has happened to it in a turn of the run queue,
 * once, and always in this order.
 *
 *   expire  who has waited too long is told (by the queue's timer alone, right before)
 *   serve   idle connections take what is left on the queue
 *   size    connections are retired and opened
 *   tell    futures on the pool's state are settled
 *   close   a pool that is closing lets go of what it does not need
 *
 * It runs as a job (pool_mark), before anything is sent. A public function that changes the pool calls
 * it directly: what follows has happened when that returns. So does the queue's timer. */
#include "pool/step.h"

#include "base/invariant.h"
#include "pool/close.h"
#include "pool/dispatch.h"
#include "pool/events.h"
#include "pool/pool_conn.h"
#include "pool/pool_future.h"
#include "pool/sizing.h"
#include "words/error.h"

static void retire(evpq_pool *pool)
{
    list_each(node, &pool->conns[POOL_CONN_IDLE])
        if (sizing_retires(pool_conn_at(node)))
            pool_conn_retire(pool_conn_at(node));
    sizing_mark_retiring(pool);
    sizing_swept(pool);
}

static void size(evpq_pool *pool)
{
    if (pool->sweep_due)
        retire(pool);
    for (int n = sizing_wanted(pool); n > 0; n--) {
        if (events_dial(pool))
            continue;
        sizing_failed(pool, error_nomem());
        break;
    }
}

/* If waiting cannot help after the failure, and there is no connection, all who wait are told of
 * it. */
static void tell_failure(evpq_pool *pool)
{
    evpq_error *why = pool->untold;
    pool->untold = NULL;
    pool_future_connect_failed(pool, why);
    if (sizing_is_permanent(why) && !pool->total)
        dispatch_fail_all(pool, why);
    evpq_error_unref(why);
}

/* What has come true is told first, though something may have failed after it. */
static void step_tell(evpq_pool *pool)
{
    pool_future_check(pool);
    if (!pool->untold)
        return;
    tell_failure(pool);
    pool_future_check(pool);
}

void pool_step(evpq_pool *pool)
{
    list_remove(&pool->step.node);
    if (pool->state == POOL_CLOSED)
        return;
    pool_ref(pool);
    dispatch_idle(pool); /* serve */
    size(pool);
    step_tell(pool);
    if (pool_is_closing(pool))
        close_go_on(pool);
    INVARIANT(pool_is_sound(pool));
    pool_unref(pool);
}

static void step(struct job *job)
{
    pool_step(container_of(job, evpq_pool, step));
}

/* At once: a query's own deadline may fire in this moment too, and would give another error. */
static void on_expiry(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, expiry);
    dispatch_expire(pool);
    pool_step(pool);
}

void step_init(evpq_pool *pool)
{
    job_init(&pool->step, step);
    timer_init(&pool->expiry, pool->loop, on_expiry);
}
