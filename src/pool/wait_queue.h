/* wait_queue.h - who waits for a connection of a pool: first come, first served.
 *
 * Deadlines rise with the tickets, as acquire_timeout is one for all: so one timer, for the first in
 * the queue, is enough. */
#ifndef POOL_WAIT_QUEUE_H
#define POOL_WAIT_QUEUE_H

#include "pool/pool.h"

void wait_queue_init(evpq_pool *pool);

static inline struct queue_place *wait_queue_first(const evpq_pool *pool)
{
    struct list *node = list_first(&pool->waiting);
    return node ? container_of(node, struct queue_place, node) : NULL;
}

/* True if the place is on the queue now; else the queue is full. */
bool wait_queue_add(evpq_pool *pool, struct queue_place *place);

/* Puts it back to where it stood in the queue, with the deadline that it had. */
void wait_queue_return(evpq_pool *pool, struct queue_place *place);

/* Nobody waits there any more; it may be on no queue. */
void wait_queue_withdraw(evpq_pool *pool, struct queue_place *place);

/* Takes one off that is on the queue. wait_queue_settle follows after the last. */
static inline void wait_queue_take(evpq_pool *pool, struct queue_place *place)
{
    list_remove(&place->node);
    pool->n_waiting--;
}
/* Sets the timer for whoever is the first now, or stops it. */
void wait_queue_settle(evpq_pool *pool);

/* After its timer has fired: takes the first off, if its deadline has passed; else NULL. */
struct queue_place *wait_queue_take_expired(evpq_pool *pool);

#endif
