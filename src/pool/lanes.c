/* lanes.c - see lanes.h. Deadlines in the queue rise with the tickets, as acquire_timeout is one
 * for all: so one timer, for the first in the queue, is enough. */
#include "pool/lanes.h"

#include "pool/close.h"
#include "pool/keeper.h"
#include "pool/lease.h"
#include "pool/wish.h"
#include "words/error.h"

#include <assert.h>

static struct queue_place *first_place(const evpq_pool *pool)
{
    struct list *node = list_first(&pool->waiting);
    return node ? container_of(node, struct queue_place, node) : NULL;
}

static struct query *query_at(struct queue_place *place)
{
    return container_of(place, struct query, place);
}

static struct pool_conn *first_conn(const evpq_pool *pool, enum use use)
{
    struct list *node = list_first(&pool->conns[use]);
    return node ? container_of(node, struct pool_conn, node) : NULL;
}

void lanes_move(evpq_pool *pool, struct pool_conn *c, enum use use)
{
    pool->count[c->use]--;
    list_remove(&c->node);
    c->use = use;
    pool->count[use]++;
    pool->total -= use == USE_DEAD;
    if (c == pool->warm)
        pool->warm = NULL;
    if (use == USE_IDLE)
        list_prepend(&pool->conns[use],
                     &c->node); /* the warmest is taken first; the others may retire */
    else if (use != USE_DEAD)
        list_append(&pool->conns[use], &c->node);
}

/* ---- the queue ---- */

static void arm_expiry(evpq_pool *pool)
{
    struct queue_place *place = first_place(pool);
    if (!place || pool->opts.acquire_timeout < 0)
        timer_stop(&pool->expiry);
    else if (!timer_active(&pool->expiry))
        timer_start(&pool->expiry, place->deadline - loop_time(pool->loop));
}

static void enqueue(evpq_pool *pool, struct queue_place *place)
{
    list_append(&pool->waiting, &place->node);
    if (!pool->n_waiting++)
        arm_expiry(pool);
}

static void dequeue(evpq_pool *pool, struct queue_place *place)
{
    list_remove(&place->node);
    pool->n_waiting--;
}

bool lanes_add_place(evpq_pool *pool, struct queue_place *place)
{
    if (pool->n_waiting >= pool->opts.max_waiting) {
        pool->done.rejected++;
        return false;
    }
    place->ticket = ++pool->next_ticket;
    place->deadline = loop_time(pool->loop) + pool->opts.acquire_timeout;
    enqueue(pool, place);
    return true;
}

void lanes_return(evpq_pool *pool, struct queue_place *place)
{
    struct list *before = &pool->waiting;
    if (!place->deadline) /* it was sent down a line at once, which was lost */
        place->deadline = loop_time(pool->loop) + pool->opts.acquire_timeout;
    list_each(node, &pool->waiting) {
        const struct queue_place *other = container_of(node, struct queue_place, node);
        if (other->ticket < place->ticket)
            continue;
        if (other->deadline < place->deadline)
            place->deadline = other->deadline;
        before = node;
        break;
    }
    list_append(before, &place->node);
    pool->n_waiting++;
    timer_stop(&pool->expiry);
    arm_expiry(pool);
}

/* Somebody has left the queue unserved: that may be what a drain or a close has waited for. May
 * free the pool. */
static void queue_shrank(evpq_pool *pool)
{
    arm_expiry(pool);
    wish_check(pool);
    close_unneeded(pool);
}

void lanes_withdraw(evpq_pool *pool, struct queue_place *place)
{
    if (!list_linked(&place->node))
        return;
    dequeue(pool, place);
    queue_shrank(pool);
}

static void fail_place(struct queue_place *place, evpq_error *why)
{
    if (place->for_lease)
        lease_refuse(place, why);
    else
        query_fail(query_at(place), why);
}

void lanes_fail_all(evpq_pool *pool, const evpq_error *why)
{
    for (struct queue_place *place; (place = first_place(pool));) {
        const char *sql = place->for_lease ? NULL : query_at(place)->request.sql;
        dequeue(pool, place);
        fail_place(place, error_about(why, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, sql));
    }
    arm_expiry(pool);
}

/* ---- who waited too long ---- */

static evpq_error *waited_too_long(const evpq_pool *pool, const char *sql)
{
    struct why why = {.n = 0};
    why_say(&why, "no connection became free within %.6g s: ", pool->opts.acquire_timeout);
    lanes_why_none(pool, pool->n_waiting + 1, &why);
    return error_build(&(struct error_fields){.status = EVPQ_TIMEOUT,
                                              .outcome = EVPQ_OUTCOME_NOT_SENT,
                                              .message = why.text,
                                              .sqlstate = why.sqlstate,
                                              .sql = sql});
}

static void expire(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, expiry);
    /* libev's clock may be that much behind; whose time came since the sockets were polled is told
     * at the next look at them, with what they brought. */
    double now = loop_time_polled(pool->loop) + 0.0005;
    for (struct queue_place *place; (place = first_place(pool)) && place->deadline <= now;) {
        dequeue(pool, place);
        pool->done.acquire_timeouts++;
        fail_place(place,
                   waited_too_long(pool, place->for_lease ? NULL : query_at(place)->request.sql));
    }
    queue_shrank(pool);
}

/* ---- serving ---- */

static void run(evpq_pool *pool, struct pool_conn *c, struct query *q)
{
    pool->done.queries++;
    if (c->use == USE_IDLE)
        lanes_move(pool, c, USE_SHARED);
    c->conn.dirty |= !q->preparable;
    query_submit(q, &c->conn);
}

static bool admits(const struct pool_conn *c, int depth)
{
    return !c->retiring && conn_admits(&c->conn, depth);
}

static bool can_take(const evpq_pool *pool, const struct pool_conn *c, const struct query *q)
{
    if (c->use == USE_IDLE)
        return true;
    return c->use == USE_SHARED && q->preparable && admits(c, pool->opts.pipeline_depth);
}

void lanes_made_room(evpq_pool *pool, struct pool_conn *c)
{
    if (c->use != USE_SHARED)
        return;
    pool->warm = c;
    lanes_serve(pool, c);
}

void lanes_serve(evpq_pool *pool, struct pool_conn *c)
{
    for (struct queue_place *place; (place = first_place(pool));) {
        if (place->for_lease) {
            if (c->use != USE_IDLE || !conn_look(&c->conn))
                break;
            dequeue(pool, place);
            lease_begin(pool, c, place);
        } else {
            if (!can_take(pool, c, query_at(place)))
                break;
            dequeue(pool, place);
            run(pool, c, query_at(place));
        }
    }
    if (!pool->n_waiting)
        timer_stop(&pool->expiry);
}

void lanes_serve_idle(evpq_pool *pool)
{
    for (struct pool_conn *c; pool->n_waiting && (c = first_conn(pool, USE_IDLE));)
        lanes_serve(pool, c);
    assert(!pool->n_waiting || !pool->count[USE_IDLE]);
}

/* The less loaded of two: the one whose turn it is, as all are boarded in turn; and the one that
 * made room last, as it was answered, and is about to be flushed anyway. */
static struct pool_conn *one_to_ride(evpq_pool *pool)
{
    int depth = pool->opts.pipeline_depth;
    struct pool_conn *warm = pool->warm && admits(pool->warm, depth) ? pool->warm : NULL;
    list_each(node, &pool->conns[USE_SHARED]) {
        struct pool_conn *c = container_of(node, struct pool_conn, node);
        if (c == warm || !admits(c, depth))
            continue;
        if (warm && pipeline_depth(&warm->conn.pipeline) <= pipeline_depth(&c->conn.pipeline))
            break;
        list_remove(node);
        list_append(&pool->conns[USE_SHARED], node);
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

void lanes_add_query(evpq_pool *pool, struct query *q)
{
    struct pool_conn *c = NULL;
    if (!pool->n_waiting) {
        c = first_conn(pool, USE_IDLE);
        if (!c && q->preparable && pool->opts.pipeline_depth > 1)
            c = one_to_ride(pool);
    }
    if (c) {
        bool crowded = c->use != USE_IDLE;
        q->place.ticket = ++pool->next_ticket; /* it may have to come back */
        run(pool, c, q);
        if (crowded)
            keeper_tend(pool, true); /* one more connection would have taken it sooner */
    } else if (lanes_add_place(pool, &q->place)) {
        keeper_tend(pool, false);
    } else {
        query_fail(q, too_many_wait(q->request.sql));
    }
}

void lanes_init(evpq_pool *pool)
{
    list_init(&pool->waiting);
    timer_init(&pool->expiry, pool->loop, expire);
    for (int use = 0; use < USES; use++)
        list_init(&pool->conns[use]);
}
