/* events.c - see events.h: the table of functions that connections call. Each changes the state, and
 * marks the pool where more is to follow. Only who waits is served here, at once: by the step it would
 * cost each query of a full pool a turn of the run queue, and the program, which may be called before
 * that, would see idle connections while somebody waits. */
#include "pool/events.h"

#include "pool/dispatch.h"
#include "pool/lend.h"
#include "pool/notice.h"
#include "pool/pool_conn.h"
#include "pool/reset.h"
#include "pool/sizing.h"

/* ---- between one use and the next ---- */

static void make_idle(evpq_pool *pool, struct pool_conn *c)
{
    pool_conn_to(c, POOL_CONN_IDLE);
    c->idle_since = loop_time(pool->loop);
    dispatch_idle(pool);
}

/* Nothing is in flight, and nobody uses it. Cleans it if that is needed, retires it, prepares it anew,
 * or makes it idle. */
static void put_to_use(evpq_pool *pool, struct pool_conn *c)
{
    if (c->conn.dirty || conn_in_transaction(&c->conn)) {
        reset_session(c, c->conn.dirty);
    } else if (sizing_retires(c)) {
        pool_conn_retire(c);
    } else if (c->renew && pool->opts.after_connect) {
        c->renew = false;
        lend_after_connect(c);
    } else {
        make_idle(pool, c);
    }
    if (pool_is_watched(pool))
        pool_mark(pool);
}

static void settle_new(evpq_pool *pool, struct pool_conn *c)
{
    if (!c->born)
        sizing_connected(c);
    put_to_use(pool, c);
}

/* The first in the queue gets it at once. It does not become idle in between. */
static void settle_shared(evpq_pool *pool, struct pool_conn *c)
{
    if (pool->n_waiting && !c->conn.dirty && !conn_in_transaction(&c->conn))
        dispatch_serve(pool, c);
    if (conn_at_rest(&c->conn))
        put_to_use(pool, c);
}

/* No query and no lease uses it: its use is over, or it is new. */
static void is_free(struct pool_conn *c)
{
    evpq_pool *pool = pool_of(c);
    switch (c->state) {
    case POOL_CONN_CONNECTING:
        settle_new(pool, c);
        break;
    case POOL_CONN_SHARED:
        settle_shared(pool, c);
        break;
    case POOL_CONN_LEASED:
    case POOL_CONN_CANCELING:
        put_to_use(pool, c);
        break;
    default: /* idle already; or it has died in what came before */
        break;
    }
}

/* ---- what a connection tells ---- */

static void on_opened(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    lend_after_connect(c);
    if (!c->lease)
        is_free(c);
}

static void on_room(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    sizing_answered(c);
    dispatch_made_room(pool_of(c), c);
}

static void on_quiet(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    sizing_answered(c);
    if (c->lease)
        lend_quiet(c);
    if (!c->lease)
        is_free(c);
}

static void on_discarded(struct conn *conn)
{
    pool_conn_of(conn)->renew = true;
}

/* The queries that share it may go another way. */
static void on_canceling(struct conn *conn)
{
    struct pool_conn *c = pool_conn_of(conn);
    pool_of(c)->done.cancels++;
    if (c->state != POOL_CONN_SHARED)
        return;
    pool_conn_to(c, POOL_CONN_CANCELING);
    conn_return_unsent(conn);
}

static void on_dead(struct conn *conn, const evpq_error *why)
{
    struct pool_conn *c = pool_conn_of(conn);
    evpq_pool *pool = pool_of(c);
    bool was_new = c->state == POOL_CONN_CONNECTING;
    pool_conn_to(c, POOL_CONN_DEAD);
    lend_lost(c, why);
    if (evpq_error_status(why) == EVPQ_CLOSED)
        pool->done.retired++;
    else if (was_new)
        sizing_failed(pool, why);
    else
        sizing_lost(c, why);
    dispatch_idle(pool); /* who was about to get it has come back to the queue */
    pool_mark(pool);
}

/* What it had not sent is back in the queue by now, or has failed. */
static void on_freeing(struct conn *conn)
{
    evpq_pool *pool = pool_of(pool_conn_of(conn));
    pool->count[POOL_CONN_DEAD]--;
    pool_mark(pool);
}

/* ---- notices ---- */

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

static void on_notice(struct conn *conn, evpq_error *notice)
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

bool events_dial(evpq_pool *pool)
{
    static const struct conn_owner owner = {
        .size = sizeof(struct pool_conn),
        .opened = on_opened,
        .room = on_room,
        .quiet = on_quiet,
        .dead = on_dead,
        .freeing = on_freeing,
        .notice = on_notice,
        .canceling = on_canceling,
        .discarded = on_discarded,
    };
    struct conn *conn = conn_new(&pool->config, &owner);
    if (conn)
        pool_conn_add(pool, pool_conn_of(conn));
    return conn != NULL;
}
