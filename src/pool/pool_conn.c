/* pool_conn.c - see pool_conn.h. */
#include "pool/pool_conn.h"

#include "base/invariant.h"
#include "base/state.h"
#include "words/error.h"

static const unsigned pool_conn_next[] = {
    [POOL_CONN_CONNECTING] = TO(POOL_CONN_IDLE) | TO(POOL_CONN_DEAD),
    [POOL_CONN_IDLE] = TO(POOL_CONN_SHARED) | TO(POOL_CONN_LEASED) | TO(POOL_CONN_DEAD),
    [POOL_CONN_SHARED] = TO(POOL_CONN_IDLE) | TO(POOL_CONN_CANCELING) | TO(POOL_CONN_DEAD),
    [POOL_CONN_LEASED] = TO(POOL_CONN_IDLE) | TO(POOL_CONN_CANCELING) | TO(POOL_CONN_DEAD),
    [POOL_CONN_CANCELING] = TO(POOL_CONN_IDLE) | TO(POOL_CONN_DEAD),
    [POOL_CONN_DEAD] = 0,
};

void pool_conn_add(evpq_pool *pool, struct pool_conn *c)
{
    c->state = POOL_CONN_CONNECTING;
    pool->count[POOL_CONN_CONNECTING]++;
    pool->total++;
    list_append(&pool->conns[POOL_CONN_CONNECTING], &c->node);
}

void pool_conn_to(struct pool_conn *c, enum pool_conn_state state)
{
    TRANSITION(pool_conn_next, c->state, state);
    evpq_pool *pool = pool_of(c);
    pool->count[c->state]--;
    list_remove(&c->node);
    c->state = state;
    pool->count[state]++;
    pool->total -= state == POOL_CONN_DEAD;
    if (c == pool->warm)
        pool->warm = NULL;
    if (state == POOL_CONN_IDLE)
        list_prepend(&pool->conns[state],
                     &c->node); /* the warmest is taken first; the others may retire */
    else if (state != POOL_CONN_DEAD)
        list_append(&pool->conns[state], &c->node);
}

void pool_conn_retire(struct pool_conn *c)
{
    evpq_error *why =
        error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the pool has retired the connection");
    conn_kill(&c->conn, why);
    evpq_error_unref(why);
}

void pool_conn_kill_all(evpq_pool *pool, enum pool_conn_state state, const evpq_error *why)
{
    for (struct list *node; (node = list_first(&pool->conns[state]));)
        conn_kill(&pool_conn_at(node)->conn, why);
}
