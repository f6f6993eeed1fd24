/* borrow.c - see borrow.h. The lease is released as soon as the operation is submitted: its
 * connection goes on when that is over. */
#include "flows/borrow.h"

evpq_future *borrow_now(evpq_lease *lease, evpq_future *f, const struct work *work)
{
    evpq_pool *pool = lease_pool(lease);
    evpq_error *why = lease_refusal(lease, NULL);
    if (why) {
        work->fail(f, why);
        return f;
    }
    pool->done.queries++;
    work->submit(f, lease_conn(lease));
    return pool_limit(pool, f, pool->opts.query_timeout);
}

static void got(struct lease_wait *w, evpq_lease *lease, evpq_error *why)
{
    struct borrower *e = container_of(w, struct borrower, wait);
    evpq_future *f = evpq_future_ref(e->f);
    if (lease)
        e->work->submit(f, lease_conn(lease));
    else
        e->work->fail(f, why);
    evpq_lease_release(lease);
    evpq_future_unref(f);
}

void borrower_init(struct borrower *e)
{
    *e = (struct borrower){0};
    lease_wait_init(&e->wait, LEASE_FOR_BATCH, got);
}

void borrower_start(struct borrower *e, evpq_pool *pool, evpq_future *f, const struct work *work)
{
    e->pool = pool;
    pool_ref(pool);
    e->f = f;
    e->work = work;
    pool->done.queries++;
    lease_wait_start(&e->wait, e->pool);
}

bool borrower_again(struct borrower *e, const evpq_error *why)
{
    if (!e->pool || evpq_error_status(why) == EVPQ_CLOSED)
        return false;
    lease_wait_start(&e->wait, e->pool);
    return true;
}

void borrower_stop(struct borrower *e)
{
    lease_wait_stop(&e->wait);
}

void borrower_free(struct borrower *e)
{
    lease_wait_stop(&e->wait);
    if (e->pool)
        pool_unref(e->pool);
}

void borrower_why(const struct borrower *e, const struct conn *conn, const struct op *op,
                  struct why *why)
{
    if (conn)
        conn_why(conn, op, why);
    else if (!lease_wait_why(&e->wait, why))
        why_say(why, "it was not sent: what is before it has not been answered");
}
