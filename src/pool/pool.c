/* pool.c - a pool's memory, its state, and what must always hold of it. */
#include "pool/pool.h"

#include "base/invariant.h"
#include "base/mem.h"
#include "base/state.h"
#include "words/error.h"

#include <math.h>

static const unsigned pool_next[] = {
    [POOL_OPEN] = TO(POOL_CLOSING),
    [POOL_CLOSING] = TO(POOL_OUT_OF_TIME) | TO(POOL_CLOSED),
    [POOL_OUT_OF_TIME] = TO(POOL_CLOSED),
    [POOL_CLOSED] = 0,
};

void pool_to(evpq_pool *pool, enum pool_state state)
{
    TRANSITION(pool_next, pool->state, state);
    pool->state = state;
}

void pool_ref(evpq_pool *pool)
{
    pool->refs++;
}

void pool_unref(evpq_pool *pool)
{
    if (--pool->refs)
        return;
    evpq_loop *loop = pool->loop;
    list_remove(&pool->step.node);
    conninfo_free(pool->conninfo);
    mem_free(pool);
    evpq_loop_unref(loop);
}

__attribute__((noinline)) static evpq_future *limit(evpq_pool *pool, evpq_future *f, double seconds)
{
    const struct coroutine *coroutine = loop_coroutine(pool->loop);
    double bound = seconds > 0 ? seconds : INFINITY;
    if (coroutine && coroutine->deadline != INFINITY) {
        double left = coroutine->deadline - loop_time(pool->loop);
        bound = left < bound ? left : bound;
    }
    return bound != INFINITY ? future_limit(f, bound) : f;
}

evpq_future *pool_limit(evpq_pool *pool, evpq_future *f, double seconds)
{
    return seconds > 0 || loop_coroutine(pool->loop) ? limit(pool, f, seconds) : f;
}

evpq_error *pool_closed_error(evpq_outcome outcome)
{
    return error_new(EVPQ_CLOSED, outcome, "the pool is closed");
}

/* ---- what must hold ---- */

static bool list_is_sound(const evpq_pool *pool, enum pool_conn_state state)
{
    int n = 0;
    list_each(node, (struct list *)&pool->conns[state]) {
        if (pool_conn_at(node)->state != state)
            return false;
        n++;
    }
    return n == pool->count[state];
}

bool pool_is_sound(const evpq_pool *pool)
{
    int total = 0;
    for (int state = 0; state < POOL_CONN_DEAD; state++) {
        if (!list_is_sound(pool, state))
            return false;
        total += pool->count[state];
    }
    return total == pool->total && list_empty(&pool->conns[POOL_CONN_DEAD]) &&
           !pool->n_waiting == list_empty(&pool->waiting);
}
