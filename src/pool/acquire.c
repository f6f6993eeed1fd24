/* acquire.c - see acquire.h. */
#include "pool/acquire.h"

#include "base/mem.h"
#include "pool/wait_queue.h"
#include "pool/why.h"

static void acquire_cancel(evpq_future *f)
{
    struct acquire *a = container_of(f, struct acquire, future);
    wait_queue_withdraw(a->pool, &a->place);
    if (a->lease) {
        a->lease->acquire = NULL; /* when the hook is done, nobody is there to take the lease */
        a->lease = NULL;
    }
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void acquire_free(evpq_future *f)
{
    struct acquire *a = container_of(f, struct acquire, future);
    pool_unref(a->pool);
    mem_free(a);
}

static const char *acquire_detail(const evpq_future *f)
{
    const struct lease_use *use = container_of(f, struct acquire, future)->use;
    return use ? use->name : NULL;
}

static void acquire_why(const evpq_future *f, struct why *why)
{
    const struct acquire *a = container_of(f, struct acquire, future);
    const evpq_lease *lease = a->lease;
    if (!lease) {
        pool_why(a->pool, &a->place, why);
        return;
    }
    why_say(why, "before_acquire has run for %.3g s on server process %d",
            loop_time(a->pool->loop) - lease->since,
            lease->conn ? conn_backend_pid(&lease->conn->conn) : 0);
    if (lease->hook_future)
        future_add_why(lease->hook_future, why);
}

static const struct future_class acquire_class = {.name = "lease",
                                                  .detail = acquire_detail,
                                                  .cancel = acquire_cancel,
                                                  .free = acquire_free,
                                                  .why = acquire_why};

struct acquire *acquire_new(evpq_pool *pool, const struct lease_use *use, void *arg)
{
    struct acquire *a = mem_zalloc(sizeof *a);
    if (!a)
        return NULL;
    future_init(&a->future, &acquire_class, pool->loop);
    list_init(&a->place.node);
    a->place.for_lease = true;
    a->pool = pool;
    a->use = use;
    a->arg = arg;
    pool_ref(pool);
    return a;
}

void acquire_refuse(struct queue_place *place, evpq_error *why)
{
    future_settle_error(&acquire_at(place)->future, why);
}
