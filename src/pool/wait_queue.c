/* wait_queue.c - see wait_queue.h. */
#include "pool/wait_queue.h"

void wait_queue_settle(evpq_pool *pool)
{
    struct queue_place *place = wait_queue_first(pool);
    if (!place || pool->opts.acquire_timeout < 0)
        timer_stop(&pool->expiry);
    else if (!timer_active(&pool->expiry))
        timer_start(&pool->expiry, place->deadline - loop_time(pool->loop));
}

bool wait_queue_add(evpq_pool *pool, struct queue_place *place)
{
    if (pool->n_waiting >= pool->opts.max_waiting) {
        pool->done.rejected++;
        return false;
    }
    place->ticket = ++pool->next_ticket;
    place->deadline = loop_time(pool->loop) + pool->opts.acquire_timeout;
    list_append(&pool->waiting, &place->node);
    if (!pool->n_waiting++)
        wait_queue_settle(pool);
    return true;
}

void wait_queue_return(evpq_pool *pool, struct queue_place *place)
{
    struct list *before = &pool->waiting;
    if (!place->deadline) /* it was sent at once, on a connection that was lost */
        place->deadline = loop_time(pool->loop) + pool->opts.acquire_timeout;
    list_each(node, &pool->waiting) {
        const struct queue_place *other = container_of(node, struct queue_place, node);
        if (other->ticket < place->ticket)
            continue;
        if (other->deadline < place->deadline)
            place->deadline = other->deadline;
        before = node;
        break;
    }
    list_append(before, &place->node);
    pool->n_waiting++;
    timer_stop(&pool->expiry);
    wait_queue_settle(pool);
    pool_mark(pool);
}

void wait_queue_withdraw(evpq_pool *pool, struct queue_place *place)
{
    if (!list_linked(&place->node))
        return;
    wait_queue_take(pool, place);
    wait_queue_settle(pool);
    pool_mark(pool); /* a drain or a close may have waited for that */
}

struct queue_place *wait_queue_take_expired(evpq_pool *pool)
{
    /* libev's clock may be that much behind. Whose time came since the sockets were polled is told
     * at the next look at them, with what they brought. */
    double now = loop_time_polled(pool->loop) + 0.0005;
    struct queue_place *place = wait_queue_first(pool);
    if (!place || place->deadline > now)
        return NULL;
    wait_queue_take(pool, place);
    pool->done.acquire_timeouts++;
    return place;
}

void wait_queue_init(evpq_pool *pool)
{
    list_init(&pool->waiting);
}
