/* semaphore.c - so many permits, handed out in the order in which they were asked for.
 *
 * A permit is the future of evpq_semaphore_acquire itself, which holds the semaphore. As long as a
 * permit is free nobody waits; who waits and was let go of is passed over. */
#include "async/future.h"
#include "base/mem.h"

#include <evpq/sync.h>

struct evpq_semaphore {
    unsigned refs;
    evpq_loop *loop;
    size_t free;
    struct list waiting; /* permits to be, by node */
};

struct permit {
    struct evpq_future future;
    evpq_semaphore *semaphore;
    struct list node;
};

static struct permit *permit_of(const evpq_future *f)
{
    return container_of(f, struct permit, future);
}

/* ---- permits ---- */

static void grant(struct permit *p)
{
    p->semaphore->free--;
    future_settle_value(&p->future, NULL, NULL);
}

static void semaphore_serve(evpq_semaphore *s)
{
    struct list *node;
    while (s->free && (node = list_pop(&s->waiting))) {
        struct permit *p = container_of(node, struct permit, node);
        if (future_forgotten(&p->future))
            future_settle_canceled(&p->future, EVPQ_OUTCOME_NOT_SENT);
        else
            grant(p);
    }
}

static void permit_cancel(evpq_future *f)
{
    list_remove(&permit_of(f)->node);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void permit_free(evpq_future *f)
{
    evpq_semaphore *s = permit_of(f)->semaphore;
    bool granted = f->status == EVPQ_OK;
    recycler_give(loop_blocks(f->loop), permit_of(f), sizeof(struct permit));
    if (granted && !loop_forked(s->loop)) {
        s->free++;
        semaphore_serve(s);
    }
    evpq_semaphore_unref(s);
}

static const struct future_class permit_class = {
    .name = "semaphore", .cancel = permit_cancel, .free = permit_free, .is_leaf = true};

/* ---- the semaphore ---- */

evpq_semaphore *evpq_semaphore_new(evpq_loop *loop, size_t permits)
{
    evpq_semaphore *s = loop && permits && !loop_elsewhere(loop) ? mem_alloc(sizeof *s) : NULL;
    if (!s)
        return NULL;
    *s = (struct evpq_semaphore){.refs = 1, .loop = evpq_loop_ref(loop), .free = permits};
    list_init(&s->waiting);
    return s;
}

evpq_semaphore *evpq_semaphore_ref(evpq_semaphore *s)
{
    if (s)
        s->refs++;
    return s;
}

evpq_semaphore *evpq_semaphore_unref(evpq_semaphore *s)
{
    if (!s || loop_elsewhere(s->loop) || --s->refs)
        return NULL;
    evpq_loop_unref(s->loop);
    mem_free(s);
    return NULL;
}

evpq_future *evpq_semaphore_acquire(evpq_semaphore *s)
{
    if (!s || loop_check(s->loop))
        return future_refused(s ? s->loop : NULL);
    struct permit *p = recycler_take(loop_blocks(s->loop), sizeof *p);
    if (!p)
        return future_constant(EVPQ_NOMEM);
    future_init(&p->future, &permit_class, s->loop);
    p->semaphore = evpq_semaphore_ref(s);
    list_init(&p->node);
    if (s->free)
        grant(p);
    else
        list_append(&s->waiting, &p->node);
    return &p->future;
}

size_t evpq_semaphore_free(const evpq_semaphore *s)
{
    return s ? s->free : 0;
}
