/* borrow.c - see borrow.h. The lease is released as soon as the operation is submitted: its
 * connection goes on when that is over. */
#include "flows/borrow.h"

#include "pool/dispatch.h"
#include "words/error.h"

evpq_future *borrow(evpq_pool *pool, const struct lease_use *use, void *arg)
{
    if (pool_is_closing(pool))
        return future_failed(pool->loop, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    return dispatch_acquire(pool, use, arg);
}

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

static void *keep(evpq_lease *lease, void *arg)
{
    (void)arg;
    return lease;
}

static void release(void *lease)
{
    evpq_lease_release(lease);
}

static const struct value_class borrowed = {.free = release};

static void stop_asking(struct borrower *e)
{
    list_remove(&e->got.job.node);
    evpq_future *asked = e->asked;
    e->asked = NULL;
    evpq_future_cancel(asked);
    evpq_future_unref(asked);
}

static void ask(struct borrower *e);

static void got(struct job *job)
{
    struct borrower *e = container_of(job, struct borrower, got.job);
    evpq_future *f = evpq_future_ref(e->f);
    evpq_lease *lease = future_take_value(e->asked, &borrowed);
    evpq_error *why = evpq_error_ref(evpq_future_error(e->asked));
    stop_asking(e);
    if (!lease)
        e->work->fail(f, why);
    else if (!lease_conn(lease))
        ask(e);
    else
        e->work->submit(f, lease_conn(lease));
    evpq_lease_release(lease);
    evpq_future_unref(f);
}

static void ask(struct borrower *e)
{
    static const struct lease_use use = {.wrap = keep, .class = &borrowed, .name = "batch"};
    e->asked = borrow(e->pool, &use, NULL);
    future_watch(e->asked, e->pool->loop, &e->got, got);
}

void borrower_init(struct borrower *e)
{
    *e = (struct borrower){0};
    list_init(&e->got.job.node);
}

void borrower_start(struct borrower *e, evpq_pool *pool, evpq_future *f, const struct work *work)
{
    e->pool = pool;
    pool_ref(pool);
    e->f = f;
    e->work = work;
    pool->done.queries++;
    ask(e);
}

bool borrower_again(struct borrower *e, const evpq_error *why)
{
    if (!e->pool || evpq_error_status(why) == EVPQ_CLOSED)
        return false;
    ask(e);
    return true;
}

void borrower_stop(struct borrower *e)
{
    stop_asking(e);
}

void borrower_free(struct borrower *e)
{
    stop_asking(e);
    if (e->pool)
        pool_unref(e->pool);
}

void borrower_why(const struct borrower *e, const struct conn *conn, const struct op *op,
                  struct why *why)
{
    if (conn)
        conn_why(conn, op, why);
    else if (e->asked)
        future_why(e->asked, why);
    else
        why_say(why, "it was not sent: what is before it has not been answered");
}
