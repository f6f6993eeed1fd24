/* wish.c - see wish.h. */
#include "pool/wish.h"

#include "base/mem.h"
#include "pool/close.h"
#include "pool/lanes.h"
#include "words/error.h"

struct wish {
    struct evpq_future future;
    struct list node;
    evpq_pool *pool;
    enum wish_for what;
};

static struct wish *wish_at(struct list *node)
{
    return container_of(node, struct wish, node);
}

static void wish_cancel(evpq_future *f)
{
    list_remove(&container_of(f, struct wish, future)->node);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void wish_free(evpq_future *f)
{
    struct wish *w = container_of(f, struct wish, future);
    pool_unref(w->pool);
    mem_free(w);
}

static void wish_why(const evpq_future *f, struct why *why)
{
    const struct wish *w = container_of(f, struct wish, future);
    static const char *const until[] = {
        [WISH_CONNECTED] = "connected",
        [WISH_DRAINED] = "drained",
        [WISH_CLOSED] = "closed",
    };
    why_say(why, "the pool is not %s: ", until[w->what]);
    lanes_why_none(w->pool, w->pool->n_waiting, why);
}

static const struct future_class wish_class = {
    .name = "pool", .cancel = wish_cancel, .free = wish_free, .why = wish_why};

static bool is_true(const evpq_pool *pool, enum wish_for what)
{
    const int *n = pool->count;
    int wanted = pool->opts.min_size > 1 ? pool->opts.min_size : 1;
    switch (what) {
    case WISH_CONNECTED:
        return n[USE_IDLE] + n[USE_SHARED] + n[USE_LEASED] >= wanted;
    case WISH_DRAINED:
        return !pool->n_waiting && !n[USE_SHARED] && !n[USE_LEASED] && !n[USE_CLOSING] &&
               !n[USE_DEAD];
    case WISH_CLOSED:
        return pool->closed;
    }
    return false;
}

evpq_future *wish_new(evpq_pool *pool, enum wish_for what)
{
    struct wish *w = mem_zalloc(sizeof *w);
    if (!w)
        return future_constant(EVPQ_NOMEM);
    future_init(&w->future, &wish_class, pool->loop);
    list_append(&pool->wishes, &w->node);
    w->pool = pool;
    w->what = what;
    pool_ref(pool);
    evpq_future *f = &w->future;
    wish_check(pool);
    return f;
}

static void end(struct wish *w, evpq_error *error)
{
    list_remove(&w->node);
    if (error)
        future_settle_error(&w->future, error);
    else
        future_settle_value(&w->future, NULL, NULL);
}

void wish_check(evpq_pool *pool)
{
    list_each(node, &pool->wishes) {
        struct wish *w = wish_at(node);
        if (is_true(pool, w->what))
            end(w, NULL);
        else if (w->what == WISH_CONNECTED && pool->closing)
            end(w, close_error(EVPQ_OUTCOME_NOT_SENT));
    }
}

void wish_connect_failed(evpq_pool *pool, const evpq_error *why)
{
    list_each(node, &pool->wishes)
        if (wish_at(node)->what == WISH_CONNECTED)
            end(wish_at(node), evpq_error_ref(why));
}

int wish_wants_connection(const evpq_pool *pool)
{
    list_each(node, (struct list *)&pool->wishes)
        if (wish_at(node)->what == WISH_CONNECTED)
            return 1;
    return 0;
}
