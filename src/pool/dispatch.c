/* dispatch.c - see dispatch.h. */
#include "pool/dispatch.h"

#include "base/invariant.h"
#include "pool/lend.h"
#include "pool/pool_conn.h"
#include "pool/sizing.h"
#include "pool/wait_queue.h"
#include "pool/why.h"
#include "words/error.h"

static struct query *query_at(struct queue_place *place)
{
    return container_of(place, struct query, place);
}

static struct pool_conn *first_idle(const evpq_pool *pool)
{
    struct list *node = list_first(&pool->conns[POOL_CONN_IDLE]);
    return node ? pool_conn_at(node) : NULL;
}

/* ---- who is not served ---- */

static const char *sql_of(struct queue_place *place)
{
    return place->for_lease ? NULL : query_at(place)->request.sql;
}

static void fail_place(struct queue_place *place, evpq_error *why)
{
    if (place->for_lease)
        acquire_refuse(place, why);
    else
        query_fail(query_at(place), why);
}

void dispatch_fail_all(evpq_pool *pool, const evpq_error *why)
{
    for (struct queue_place *place; (place = wait_queue_first(pool));) {
        wait_queue_take(pool, place);
        fail_place(place, error_about(why, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, sql_of(place)));
    }
    wait_queue_settle(pool);
}

static evpq_error *waited_too_long(const evpq_pool *pool, const char *sql)
{
    struct why why = {.n = 0};
    why_say(&why, "no connection became free within %.6g s: ", pool->opts.acquire_timeout);
    pool_why_none(pool, pool->n_waiting + 1, &why);
    return error_build(&(struct error_fields){.status = EVPQ_TIMEOUT,
                                              .outcome = EVPQ_OUTCOME_NOT_SENT,
                                              .message = why.text,
                                              .sqlstate = why.sqlstate,
                                              .sql = sql});
}

void dispatch_expire(evpq_pool *pool)
{
    for (struct queue_place *place; (place = wait_queue_take_expired(pool));)
        fail_place(place, waited_too_long(pool, sql_of(place)));
    wait_queue_settle(pool);
}

/* ---- serving ---- */

static void run(evpq_pool *pool, struct pool_conn *c, struct query *q)
{
    pool->done.queries++;
    if (c->state == POOL_CONN_IDLE)
        pool_conn_to(c, POOL_CONN_SHARED);
    if (pool->sweep_rests)
        sizing_wakes(pool);
    c->conn.dirty |= !q->preparable;
    query_submit(q, &c->conn);
}

static bool admits(const struct pool_conn *c, int depth)
{
    return !c->retiring && conn_admits(&c->conn, depth);
}

static bool can_take(const evpq_pool *pool, const struct pool_conn *c, const struct query *q)
{
    if (c->state == POOL_CONN_IDLE)
        return true;
    return c->state == POOL_CONN_SHARED && q->preparable && admits(c, pool->opts.pipeline_depth);
}

void dispatch_made_room(evpq_pool *pool, struct pool_conn *c)
{
    if (c->state != POOL_CONN_SHARED)
        return;
    pool->warm = c;
    dispatch_serve(pool, c);
}

void dispatch_serve(evpq_pool *pool, struct pool_conn *c)
{
    for (struct queue_place *place; (place = wait_queue_first(pool));) {
        if (place->for_lease) {
            if (c->state != POOL_CONN_IDLE || !conn_look(&c->conn))
                break;
            wait_queue_take(pool, place);
            lend_begin(c, place);
        } else {
            if (!can_take(pool, c, query_at(place)))
                break;
            wait_queue_take(pool, place);
            run(pool, c, query_at(place));
        }
    }
    if (!pool->n_waiting && timer_active(&pool->expiry))
        wait_queue_settle(pool);
}

void dispatch_idle(evpq_pool *pool)
{
    if (pool_is_over(pool))
        return;
    for (struct pool_conn *c; pool->n_waiting && (c = first_idle(pool));)
        dispatch_serve(pool, c);
    INVARIANT(!pool->n_waiting || !pool->count[POOL_CONN_IDLE]);
}

/* Two are compared, and the one with less on its pipeline is taken: the first in the list, as they
 * take turns; and the one that made room last, since it will be flushed in this tick anyway. */
static struct pool_conn *one_to_ride(evpq_pool *pool)
{
    int depth = pool->opts.pipeline_depth;
    struct pool_conn *warm = pool->warm && admits(pool->warm, depth) ? pool->warm : NULL;
    list_each(node, &pool->conns[POOL_CONN_SHARED]) {
        struct pool_conn *c = pool_conn_at(node);
        if (c == warm || !admits(c, depth))
            continue;
        if (warm && pipeline_depth(&warm->conn.pipeline) <= pipeline_depth(&c->conn.pipeline))
            break;
        list_remove(node);
        list_append(&pool->conns[POOL_CONN_SHARED], node);
        return c;
    }
    return warm;
}

__attribute__((cold, noinline)) static evpq_error *too_many_wait(const char *sql)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_QUEUE_FULL,
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = "max_waiting calls are waiting for a connection already",
        .sql = sql,
    });
}

/* While a connect waits for its turn, the step would not begin one. */
static bool may_grow(const evpq_pool *pool)
{
    return pool->total < pool->opts.max_size && !timer_active(&pool->retry);
}

/* Most queries take this direct way. The step would serve them too, but each would then cost a job
 * and wait for a turn of the run queue. */
bool dispatch_query(evpq_pool *pool, struct query *q)
{
    struct pool_conn *c = NULL;
    if (!pool->n_waiting) {
        c = first_idle(pool);
        if (!c && q->preparable && pool->opts.pipeline_depth > 1)
            c = one_to_ride(pool);
    }
    if (c) {
        if (c->state != POOL_CONN_IDLE)
            pool->crowded = may_grow(pool);
        q->place.ticket = ++pool->next_ticket; /* it may have to come back */
        run(pool, c, q);
        return pool->crowded;
    }
    if (wait_queue_add(pool, &q->place))
        return may_grow(pool);
    query_fail(q, too_many_wait(q->request.sql));
    return false;
}

evpq_future *dispatch_acquire(evpq_pool *pool, const struct lease_use *use, void *arg)
{
    struct acquire *a = acquire_new(pool, use, arg);
    if (!a)
        return future_constant(EVPQ_NOMEM);
    if (wait_queue_add(pool, &a->place)) {
        dispatch_idle(pool); /* at once, where one is idle */
        pool_mark(pool);
    } else {
        acquire_refuse(&a->place, too_many_wait(NULL));
    }
    return &a->future;
}
