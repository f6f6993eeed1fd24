/* lease.c - see lease.h: the memory of a lease, its state, and the program's calls on it. */
#include "pool/lease.h"

#include "base/invariant.h"
#include "base/mem.h"
#include "base/state.h"
#include "words/error.h"

/* ---- state ---- */

static const unsigned lease_next[] = {
    [LEASE_AFTER_CONNECT] = TO(LEASE_ENDED),
    [LEASE_BEFORE_ACQUIRE] = TO(LEASE_LENT) | TO(LEASE_ENDED),
    [LEASE_LENT] = TO(LEASE_RETURNED),
    [LEASE_RETURNED] = TO(LEASE_AFTER_RELEASE) | TO(LEASE_ENDED),
    [LEASE_AFTER_RELEASE] = TO(LEASE_RESETTING) | TO(LEASE_ENDED),
    [LEASE_RESETTING] = TO(LEASE_ENDED),
    [LEASE_ENDED] = 0,
};

void lease_to(evpq_lease *lease, enum lease_state state)
{
    TRANSITION(lease_next, lease->state, state);
    lease->state = state;
}

/* ---- memory ---- */

void lease_ref(evpq_lease *lease)
{
    lease->refs++;
}

void lease_unref(evpq_lease *lease)
{
    if (--lease->refs)
        return;
    evpq_pool *pool = lease->pool;
    evpq_error_unref(lease->gone);
    mem_free(lease);
    pool_unref(pool);
}

evpq_lease *lease_new(evpq_pool *pool, struct pool_conn *c, enum lease_state state)
{
    evpq_lease *lease = mem_zalloc(sizeof *lease);
    if (!lease)
        return NULL;
    lease->refs = 1;
    lease->pool = pool;
    pool_ref(pool);
    lease->conn = c;
    lease->state = state;
    lease->since = loop_time(pool->loop);
    list_init(&lease->call.node);
    list_init(&lease->hook_done.job.node);
    c->lease = lease;
    return lease;
}

/* ---- what can be asked of it ---- */

struct conn *lease_conn(const evpq_lease *lease)
{
    return lease->conn ? &lease->conn->conn : NULL;
}

bool lease_is_out(const evpq_lease *lease)
{
    return lease->state == LEASE_LENT;
}

evpq_pool *lease_pool(const evpq_lease *lease)
{
    return lease->pool;
}

void lease_hold_back(evpq_lease *lease, void (*send)(void *arg), void *arg)
{
    if (!send && lease->held_arg != arg)
        return; /* another's */
    lease->send_held = send;
    lease->held_arg = arg;
}

evpq_error *lease_refusal(evpq_lease *lease, const char *sql)
{
    if (lease->send_held)
        lease->send_held(lease->held_arg);
    if (lease->conn)
        return NULL;
    if (!lease->gone)
        return error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the lease was released");
    return error_about(lease->gone, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, sql);
}

static evpq_future *send_query(evpq_lease *lease, const char *sql, evpq_args args)
{
    evpq_future *f = query_new(lease->pool->loop, sql, &args, NULL);
    struct query *q = query_of_new(f);
    if (!q)
        return f;
    evpq_error *refusal = lease_refusal(lease, sql);
    if (refusal) {
        query_fail(q, refusal);
        return f;
    }
    lease->pool->done.queries++;
    lease->conn->conn.dirty |= !q->preparable;
    query_submit(q, &lease->conn->conn);
    return f;
}

evpq_future *evpq_lease_query(evpq_lease *lease, const char *sql, evpq_args args)
{
    if (!lease || pool_check(lease->pool))
        return pool_refused(lease ? lease->pool : NULL);
    evpq_future *f = send_query(lease, sql, args);
    return pool_limit(lease->pool, f, lease->pool->opts.query_timeout);
}

int evpq_lease_backend_pid(const evpq_lease *lease)
{
    return lease && lease->conn ? conn_backend_pid(&lease->conn->conn) : 0;
}

struct notice_fn lease_notice_fn(const evpq_lease *lease)
{
    return lease->notice;
}

evpq_status evpq_lease_on_notice(evpq_lease *lease, evpq_notice_fn *fn, void *arg)
{
    evpq_status status = lease ? pool_check(lease->pool) : EVPQ_INVALID;
    if (status)
        return status;
    if (lease->state > LEASE_LENT)
        return EVPQ_INVALID;
    lease->notice = (struct notice_fn){.fn = fn, .arg = arg};
    return EVPQ_OK;
}

int lease_longest(const evpq_pool *pool, double *ret_seconds)
{
    const evpq_lease *longest = NULL;
    list_each(node, (struct list *)&pool->conns[POOL_CONN_LEASED]) {
        const evpq_lease *lease = pool_conn_at(node)->lease;
        if (lease && lease->state == LEASE_LENT && (!longest || lease->since < longest->since))
            longest = lease;
    }
    *ret_seconds = longest ? loop_time(pool->loop) - longest->since : 0;
    return evpq_lease_backend_pid(longest);
}
