/* hook.c - see hook.h. */
#include "pool/hook.h"

/* How long a hook may take before it counts as failed. What it has sent and not awaited then has
 * the same time once more. */
static double hook_limit(const evpq_lease *lease)
{
    const evpq_pool_opts *o = &lease->pool->opts;
    switch (lease->state) {
    case LEASE_AFTER_CONNECT:
        return o->connect_timeout;
    case LEASE_BEFORE_ACQUIRE:
        return o->acquire_timeout > 0 ? o->acquire_timeout : o->connect_timeout;
    default:
        return o->cancel_timeout;
    }
}

/* The hook is over once its connection has nothing in flight: `quiet` tells the lease. */
static void hook_settled(struct job *job)
{
    evpq_lease *lease = container_of(job, evpq_lease, hook_done.job);
    struct conn *c = &lease->conn->conn;
    evpq_future *hook = lease->hook_future;
    lease->hook_future = NULL;
    lease->hook = NULL;
    const evpq_error *failed = evpq_future_error(hook);
    if (failed) {
        conn_kill(c, failed); /* who waits gets another: lend_lost */
    } else if (conn_at_rest(c)) {
        conn_settle_later(c);
    } else {
        conn_hurry(c, hook_limit(lease));
    }
    evpq_future_unref(hook);
}

/* Takes what the hook returned, gives what to wait for. */
static evpq_future *limit_hook(evpq_lease *lease, evpq_future *f)
{
    evpq_loop *loop = lease->pool->loop;
    if (!f)
        return evpq_future_ok(loop, NULL, NULL);
    if (f->loop && f->loop != loop) {
        evpq_future_unref(f);
        return evpq_future_failed(loop, EVPQ_INVALID, "a hook returned a future of another loop");
    }
    return evpq_timeout(f, hook_limit(lease));
}

static void call_hook(struct job *job)
{
    evpq_lease *lease = container_of(job, evpq_lease, call);
    lease_ref(lease);
    evpq_future *f = lease->hook(lease, lease->pool->opts.hook_arg);
    if (!lease->conn) { /* lost meanwhile, or the pool was closed */
        evpq_future_cancel(f);
        evpq_future_unref(f);
    } else {
        lease->hook_future = limit_hook(lease, f);
        future_watch(lease->hook_future, lease->pool->loop, &lease->hook_done, hook_settled);
    }
    lease_unref(lease);
}

void hook_run(evpq_lease *lease, evpq_hook_fn *hook)
{
    lease->hook = hook;
    job_init(&lease->call, call_hook);
    loop_defer(lease->pool->loop, &lease->call);
}

bool hook_is_running(const evpq_lease *lease)
{
    return lease->hook || lease->hook_future;
}

void hook_stop(evpq_lease *lease)
{
    list_remove(&lease->call.node);
    list_remove(&lease->hook_done.job.node);
    evpq_future *hook = lease->hook_future;
    lease->hook_future = NULL;
    evpq_future_cancel(hook);
    evpq_future_unref(hook);
}
