/* lease_wait.c - see lease_wait.h. */
#include "flows/lease_wait.h"

#include "pool/dispatch.h"

evpq_future *lease_ask(evpq_pool *pool, const struct lease_use *use, void *arg)
{
    if (pool_is_closing(pool))
        return future_failed(pool->loop, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    return dispatch_acquire(pool, use, arg);
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

static const struct value_class kept = {.free = release};

static const struct lease_use uses[] = {
    [LEASE_FOR_BATCH] = {.wrap = keep, .class = &kept, .name = "batch"},
    [LEASE_FOR_STREAM] = {.wrap = keep, .class = &kept, .name = "lease of a stream"},
    [LEASE_FOR_COPY] = {.wrap = keep, .class = &kept, .name = "lease of a COPY"},
};

static void settled(struct job *job)
{
    struct lease_wait *w = container_of(job, struct lease_wait, waiter.job);
    evpq_lease *lease = future_take_value(w->asked, &kept);
    evpq_error *why = evpq_error_ref(evpq_future_error(w->asked));
    w->asked = evpq_future_unref(w->asked);
    if (lease && !lease_conn(lease)) {
        evpq_lease_release(lease);
        lease_wait_start(w, w->pool);
        return;
    }
    w->over(w, lease, why);
}

void lease_wait_init(struct lease_wait *w, enum lease_wait_for what,
                     void (*over)(struct lease_wait *, evpq_lease *lease, evpq_error *why))
{
    *w = (struct lease_wait){.what = what, .over = over};
    list_init(&w->waiter.job.node);
}

void lease_wait_start(struct lease_wait *w, evpq_pool *pool)
{
    w->pool = pool;
    w->asked = lease_ask(pool, &uses[w->what], NULL);
    future_watch(w->asked, pool->loop, &w->waiter, settled);
}

void lease_wait_stop(struct lease_wait *w)
{
    if (!w->asked)
        return;
    list_remove(&w->waiter.job.node);
    evpq_future *asked = w->asked;
    w->asked = NULL;
    evpq_future_cancel(asked);
    evpq_future_unref(asked);
}

bool lease_wait_why(const struct lease_wait *w, struct why *why)
{
    if (!w->asked || !future_pending(w->asked))
        return false;
    future_why(w->asked, why);
    return true;
}
