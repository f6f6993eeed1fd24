/* cancel.c - giving up on a query stops it on the server too, and costs no connection. */
#include <evpq/evpq.h>
#include <stdio.h>

/* Runs the loop for a while. */
static void wait_for(evpq_loop *loop, double seconds)
{
    evpq_future *f = evpq_sleep(loop, seconds);
    evpq_await(f);
    evpq_future_unref(f);
}

static void tell(const char *what, evpq_future *f)
{
    static const char *const outcomes[] = {"not sent", "rejected", "unknown"};
    printf("%s: %s, outcome %s\n", what, evpq_status_name(evpq_future_status(f)),
           outcomes[evpq_error_outcome(evpq_future_error(f))]);
}

/* Waits for `f` (taken), the future of a lease, for what is `given`. */
static evpq_lease *lease_of(evpq_future *f)
{
    evpq_await(f);
    evpq_lease *lease = evpq_future_lease(f);
    evpq_future_unref(f);
    return lease;
}

int main(void)
{
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 1};
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", &opts, NULL);
    evpq_future *runs = evpq_pool_query(pool, "select pg_catalog.pg_sleep(600)", EVPQ_ARGS());
    evpq_future *waits = evpq_pool_query(pool, "select 'in the queue'", EVPQ_ARGS());
    wait_for(loop, 0.3);

    /* Each has failed when evpq_future_cancel returns; the server is told afterwards. */
    evpq_future_cancel(waits);
    tell("the one that waited", waits);
    evpq_future_cancel(runs);
    tell("the one that ran", runs);
    evpq_future_unref(waits);
    evpq_future_unref(runs);

    /* There is one connection: it serves again when the server has stopped the query. */
    evpq_lease *lease = lease_of(evpq_pool_acquire(pool));
    evpq_pool_stats stats = {.size = sizeof stats};
    evpq_pool_get_stats(pool, &stats);
    printf("%s, and it is connection number %d\n",
           lease ? "the connection is good again" : "no connection", (int)stats.connects);
    evpq_lease_release(lease);

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return !lease;
}
