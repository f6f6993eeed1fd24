/* pool_future.c - see pool_future.h. */
#include "pool/pool_future.h"

#include "base/mem.h"
#include "pool/why.h"

struct pool_future {
    struct evpq_future future;
    struct list node;
    evpq_pool *pool;
    enum pool_future_for what;
};

static struct pool_future *future_at(struct list *node)
{
    return container_of(node, struct pool_future, node);
}

static void cancel(evpq_future *f)
{
    list_remove(&container_of(f, struct pool_future, future)->node);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void free_future(evpq_future *f)
{
    struct pool_future *w = container_of(f, struct pool_future, future);
    pool_unref(w->pool);
    mem_free(w);
}

static void why_not(const evpq_future *f, struct why *why)
{
    const struct pool_future *w = container_of(f, struct pool_future, future);
    static const char *const until[] = {
        [POOL_FUTURE_CONNECTED] = "connected",
        [POOL_FUTURE_DRAINED] = "drained",
        [POOL_FUTURE_CLOSED] = "closed",
    };
    why_say(why, "the pool is not %s: ", until[w->what]);
    pool_why_none(w->pool, w->pool->n_waiting, why);
}

static const struct future_class pool_future_class = {
    .name = "pool", .cancel = cancel, .free = free_future, .why = why_not};

static bool is_true(const evpq_pool *pool, enum pool_future_for what)
{
    const int *n = pool->count;
    int wanted = pool->opts.min_size > 1 ? pool->opts.min_size : 1;
    switch (what) {
    case POOL_FUTURE_CONNECTED:
        return n[POOL_CONN_IDLE] + n[POOL_CONN_SHARED] + n[POOL_CONN_LEASED] >= wanted;
    case POOL_FUTURE_DRAINED:
        return !pool->n_waiting && !n[POOL_CONN_SHARED] && !n[POOL_CONN_LEASED] &&
               !n[POOL_CONN_CANCELING] && !n[POOL_CONN_DEAD];
    case POOL_FUTURE_CLOSED:
        return pool->state == POOL_CLOSED;
    }
    return false;
}

evpq_future *pool_future_new(evpq_pool *pool, enum pool_future_for what)
{
    struct pool_future *w = mem_zalloc(sizeof *w);
    if (!w)
        return future_constant(EVPQ_NOMEM);
    future_init(&w->future, &pool_future_class, pool->loop);
    list_append(&pool->futures, &w->node);
    w->pool = pool;
    w->what = what;
    pool_ref(pool);
    evpq_future *f = &w->future;
    pool_future_check(pool);
    return f;
}

static void pool_future_end(struct pool_future *w, evpq_error *error)
{
    list_remove(&w->node);
    if (error)
        future_settle_error(&w->future, error);
    else
        future_settle_value(&w->future, NULL, NULL);
}

void pool_future_check(evpq_pool *pool)
{
    list_each(node, &pool->futures) {
        struct pool_future *w = future_at(node);
        if (is_true(pool, w->what))
            pool_future_end(w, NULL);
        else if (w->what == POOL_FUTURE_CONNECTED && pool_is_closing(pool))
            pool_future_end(w, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    }
}

void pool_future_connect_failed(evpq_pool *pool, const evpq_error *why)
{
    list_each(node, &pool->futures)
        if (future_at(node)->what == POOL_FUTURE_CONNECTED)
            pool_future_end(future_at(node), evpq_error_ref(why));
}

int pool_future_wants_one(const evpq_pool *pool)
{
    list_each(node, (struct list *)&pool->futures)
        if (future_at(node)->what == POOL_FUTURE_CONNECTED)
            return 1;
    return 0;
}
