/* acquire.c - see acquire.h. */
#include "pool/acquire.h"

#include "base/mem.h"
#include "pool/wait_queue.h"
#include "pool/why.h"
#include "words/error.h"

void acquire_leave(struct acquire *a)
{
    timer_stop(&a->late);
    if (a->lease)
        a->lease->acquire = NULL; /* when the hook is done, nobody is there to take the lease */
    a->lease = NULL;
}

static void acquire_cancel(evpq_future *f)
{
    struct acquire *a = container_of(f, struct acquire, future);
    wait_queue_withdraw(a->pool, &a->place);
    acquire_leave(a);
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

/* ---- the deadline, while a hook looks at the connection ---- */

static void hook_took_long(struct timer *t)
{
    struct acquire *a = container_of(t, struct acquire, late);
    struct why why = {.n = 0};
    why_say(&why, "no connection became free within %.6g s: ", a->pool->opts.acquire_timeout);
    acquire_why(&a->future, &why);
    a->pool->done.acquire_timeouts++;
    acquire_leave(a);
    acquire_refuse(&a->place, error_build(&(struct error_fields){.status = EVPQ_TIMEOUT,
                                                                 .outcome = EVPQ_OUTCOME_NOT_SENT,
                                                                 .message = why.text,
                                                                 .sqlstate = why.sqlstate}));
}

void acquire_wait_for_hook(struct acquire *a)
{
    double now = loop_time(a->pool->loop), most = a->pool->opts.acquire_timeout;
    if (most < 0)
        return;
    if (!a->place.deadline) /* it found a connection at once */
        a->place.deadline = now + most;
    timer_start(&a->late, a->place.deadline - now);
}

/* ---- life ---- */

struct acquire *acquire_new(evpq_pool *pool, const struct lease_use *use, void *arg)
{
    struct acquire *a = mem_zalloc(sizeof *a);
    if (!a)
        return NULL;
    future_init(&a->future, &acquire_class, pool->loop);
    list_init(&a->place.node);
    timer_init(&a->late, pool->loop, hook_took_long);
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
