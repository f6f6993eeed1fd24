/* lend.c - see lend.h. */
#include "pool/lend.h"

#include "pool/hook.h"
#include "pool/pool_conn.h"
#include "pool/reset.h"
#include "pool/sizing.h"
#include "pool/wait_queue.h"
#include "words/error.h"

/* Its connection, if it still has one, is free for something else. */
static void lend_end(evpq_lease *lease)
{
    lease_to(lease, LEASE_ENDED);
    if (lease->conn)
        lease->conn->lease = NULL;
    lease->conn = NULL;
    hook_stop(lease);
    lease_unref(lease);
}

/* ---- to the program ---- */

static void release_value(void *value)
{
    evpq_lease_release(value);
}

static const struct value_class lease_class = {.free = release_value};

evpq_lease *evpq_future_lease(evpq_future *f)
{
    return future_take_value(f, &lease_class);
}

static void give(struct acquire *a, evpq_lease *lease)
{
    acquire_leave(a);
    lease->pool->done.leases++;
    if (!a->use) {
        future_settle_value(&a->future, &lease_class, lease);
        return;
    }
    void *value = a->use->wrap(lease, a->arg);
    if (value)
        future_settle_value(&a->future, a->use->class, value);
    else
        future_settle_error(&a->future, evpq_error_ref(error_nomem()));
}

static void hand_over(evpq_lease *lease)
{
    struct acquire *a = lease->acquire;
    lease->acquire = NULL;
    lease_to(lease, LEASE_LENT);
    lease->since = loop_time(lease->pool->loop);
    if (a)
        give(a, lease);
    else
        evpq_lease_release(lease);
}

void lend_after_connect(struct pool_conn *c)
{
    evpq_hook_fn *hook = pool_of(c)->opts.after_connect;
    evpq_lease *lease = hook ? lease_new(pool_of(c), c, LEASE_AFTER_CONNECT) : NULL;
    if (lease)
        hook_run(lease, hook);
    else if (hook)
        conn_kill(&c->conn, error_nomem());
}

void lend_begin(struct pool_conn *c, struct queue_place *place)
{
    evpq_pool *pool = pool_of(c);
    struct acquire *a = acquire_at(place);
    evpq_lease *lease = lease_new(pool, c, LEASE_BEFORE_ACQUIRE);
    if (!lease) {
        acquire_refuse(place, evpq_error_ref(error_nomem()));
        return;
    }
    pool_conn_to(c, POOL_CONN_LEASED);
    lease->acquire = a;
    lease->session = !a->use;
    a->lease = lease;
    if (pool->opts.before_acquire) {
        acquire_wait_for_hook(a);
        hook_run(lease, pool->opts.before_acquire);
    } else {
        lend_quiet(c);
    }
}

/* ---- back from it ---- */

static void reset(evpq_lease *lease)
{
    struct pool_conn *c = lease->conn;
    lease_to(lease, LEASE_RESETTING);
    reset_session(c, lease->session || c->conn.dirty);
}

static void after_release(evpq_lease *lease)
{
    evpq_hook_fn *hook = lease->pool->opts.after_release;
    lease_to(lease, LEASE_AFTER_RELEASE);
    if (hook)
        hook_run(lease, hook);
    else
        reset(lease);
}

evpq_lease *evpq_lease_release(evpq_lease *lease)
{
    if (!lease || lease->state != LEASE_LENT || loop_is_barred(lease->pool->loop))
        return NULL;
    lease_to(lease, LEASE_RETURNED);
    lease->notice = (struct notice_fn){.fn = NULL};
    if (!lease->conn)
        lend_end(lease);
    else if (conn_at_rest(&lease->conn->conn))
        after_release(lease);
    return NULL;
}

void lend_quiet(struct pool_conn *c)
{
    evpq_lease *lease = c->lease;
    if (hook_is_running(lease))
        return;
    switch (lease->state) {
    case LEASE_AFTER_CONNECT:
        c->conn.dirty = false; /* what after_connect has done is to stay */
        lend_end(lease);
        break;
    case LEASE_BEFORE_ACQUIRE:
        sizing_check_passed(c);
        hand_over(lease);
        break;
    case LEASE_RETURNED:
        after_release(lease);
        break;
    case LEASE_AFTER_RELEASE:
        reset(lease);
        break;
    case LEASE_RESETTING:
        lend_end(lease);
        break;
    default: /* LENT: the program is between two statements */
        break;
    }
}

/* ---- accidents ---- */

void lend_lost(struct pool_conn *c, const evpq_error *why)
{
    evpq_lease *lease = c->lease;
    if (!lease)
        return;
    c->lease = NULL;
    lease->conn = NULL;
    lease->gone = evpq_error_ref(why);
    if (lease->state == LEASE_LENT)
        return; /* the program still has it */
    struct acquire *a = lease->acquire;
    if (lease->state == LEASE_BEFORE_ACQUIRE)
        sizing_check_failed(c, why);
    if (a) { /* not yet handed over: another connection may serve */
        acquire_leave(a);
        wait_queue_return(lease->pool, &a->place);
    }
    lend_end(lease);
}
