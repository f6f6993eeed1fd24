/* member.c - what becomes of a connection between one use and the next: the table that connections
 * call. */
#include "pool/pool_conn.h"

#include "pool/close.h"
#include "pool/keeper.h"
#include "pool/lanes.h"
#include "pool/lease.h"
#include "pool/notice.h"
#include "pool/wish.h"
#include "words/error.h"

static void conn_opened(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    lease_set_up(pool_of(c), c);
}

static void conn_made_room(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    keeper_answered(pool_of(c), c);
    lanes_made_room(pool_of(c), c);
}

static void make_idle(evpq_pool *pool, struct pool_conn *c)
{
    lanes_move(pool, c, USE_IDLE);
    keeper_idle(pool, c);
    lanes_serve_idle(pool);
}

void pool_conn_settle(evpq_pool *pool, struct pool_conn *c)
{
    if (c->use == USE_SHARED && pool->n_waiting && !c->conn.dirty && !conn_in_transaction(&c->conn))
        lanes_serve(pool, c); /* without a detour over the idle */
    if (!conn_at_rest(&c->conn))
        return;
    if (c->conn.dirty || conn_in_transaction(&c->conn)) {
        pool_conn_reset(pool, c, c->conn.dirty);
    } else if (c->renew && pool->opts.after_connect) {
        c->renew = false;
        lease_set_up(pool, c);
    } else if (keeper_retires(pool, c)) {
        pool_conn_retire(c);
    } else {
        make_idle(pool, c);
    }
    wish_check(pool);
}

static enum conn_clean cleaning(const evpq_pool *pool)
{
    switch (pool->opts.reset) {
    case EVPQ_RESET_DEFAULT:
        return CLEAN_OURS;
    case EVPQ_RESET_FULL:
        return CLEAN_ALWAYS;
    default:
        return CLEAN_NOTHING;
    }
}

void pool_conn_reset(evpq_pool *pool, struct pool_conn *c, bool session)
{
    conn_reset(&c->conn, session ? cleaning(pool) : CLEAN_NOTHING);
}

static void conn_is_quiet(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    keeper_answered(pool_of(c), c);
    if (c->lease)
        lease_quiet(c);
    else if (c->use != USE_IDLE)
        pool_conn_settle(pool_of(c), c);
}

/* Its queries may go another way. */
static void stop_sharing(struct pool_conn *c)
{
    lanes_move(pool_of(c), c, USE_CLOSING);
    conn_return_unsent(&c->conn);
}

static void conn_discarded(struct conn *conn)
{
    pool_conn_of(conn)->renew = true;
}

static void conn_is_canceling(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    if (c->use == USE_SHARED)
        stop_sharing(c);
    pool_of(c)->done.cancels++;
}

static void conn_died(struct conn *conn, const evpq_error *why)
{
    struct pool_conn *c = pool_conn_of(conn);
    evpq_pool *pool = pool_of(c);
    bool was_new = c->use == USE_CONNECTING;
    lanes_move(pool, c, USE_DEAD);
    lease_lost(c, why);
    if (evpq_error_status(why) == EVPQ_CLOSED)
        pool->done.retired++;
    else if (was_new)
        keeper_failed(pool, why);
    else
        keeper_lost(pool, c, why);
    if (!pool->out_of_time)
        lanes_serve_idle(pool); /* who was about to get it has come back to the queue */
    keeper_tend(pool, false);
}

/* What it had not sent is back in the queue by now, or has failed. */
static void conn_freeing(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    evpq_pool *pool = pool_of(c);
    pool->count[USE_DEAD]--;
    wish_check(pool);
    close_if_empty(pool);
}

static struct notice_fn pool_listens(void *pool)
{
    const evpq_pool_opts *o = &((evpq_pool *)pool)->opts;
    return (struct notice_fn){.fn = o->on_notice, .arg = o->notice_arg};
}

static void let_go_of_pool(void *pool)
{
    pool_unref(pool);
}

static struct notice_fn lease_listens(void *lease)
{
    struct notice_fn own = lease_notice_fn(lease);
    return own.fn ? own : pool_listens(lease_pool(lease));
}

static void let_go_of_lease(void *lease)
{
    lease_unref(lease);
}

static void conn_noticed(struct conn *conn, evpq_error *notice)
{
    struct pool_conn *c = pool_conn_of(conn);
    evpq_pool *pool = pool_of(c);
    if (c->lease) {
        lease_ref(c->lease);
        notice_tell_later(c->conn.loop, notice, lease_listens, let_go_of_lease, c->lease);
    } else {
        pool_ref(pool);
        notice_tell_later(c->conn.loop, notice, pool_listens, let_go_of_pool, pool);
    }
}

static const struct conn_owner conn_owner = {
    .size = sizeof(struct pool_conn),
    .opened = conn_opened,
    .room = conn_made_room,
    .quiet = conn_is_quiet,
    .dead = conn_died,
    .freeing = conn_freeing,
    .notice = conn_noticed,
    .canceling = conn_is_canceling,
    .discarded = conn_discarded,
};

struct pool_conn *pool_conn_dial(evpq_pool *pool)
{
    struct conn *conn = conn_new(&pool->config, &conn_owner);
    if (!conn)
        return NULL;
    struct pool_conn *c = pool_conn_of(conn);
    c->use = USE_CONNECTING;
    pool->count[USE_CONNECTING]++;
    pool->total++;
    list_append(&pool->conns[USE_CONNECTING], &c->node);
    return c;
}

void pool_conn_retire(struct pool_conn *c)
{
    evpq_error *why =
        error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the pool has retired the connection");
    conn_kill(&c->conn, why);
    evpq_error_unref(why);
}
