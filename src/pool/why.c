/* why.c - what those who wait for a pool wait for, for the error of a deadline. */
#include "pool/why.h"

#include "pool/lease.h"

static int number_of(const evpq_pool *pool, const struct queue_place *place)
{
    int n = 1;
    for (const struct list *node = pool->waiting.next;
         node != &pool->waiting && node != &place->node; node = node->next)
        n++;
    return n;
}

static void say_connections(const evpq_pool *pool, int waiting, struct why *why)
{
    double longest;
    int pid = lease_longest(pool, &longest);
    why_say(why, "%d of at most %d open (%d running queries, %d leased", pool->total,
            pool->opts.max_size, pool->count[POOL_CONN_SHARED], pool->count[POOL_CONN_LEASED]);
    if (pid)
        why_say(why, ", the longest for %.3g s (server process %d)", longest, pid);
    why_say(why, ", %d connecting), %d waiting", pool->count[POOL_CONN_CONNECTING], waiting);
}

void pool_why_none(const evpq_pool *pool, int waiting, struct why *why)
{
    const struct list *node = list_first(&pool->conns[POOL_CONN_CONNECTING]);
    say_connections(pool, waiting, why);
    if (node) {
        why_say(why, "; ");
        conn_why(&pool_conn_at((struct list *)node)->conn, NULL, why);
    }
    if (pool->connect_error)
        why_failed(why, "; the last attempt to connect failed: ", pool->connect_error);
    else if (pool->check_error)
        why_failed(why, "; before_acquire failed last: ", pool->check_error);
    else
        why_failed(why, "; the last connection came up and was lost: ", pool->drop_error);
}

void pool_why(const evpq_pool *pool, const struct queue_place *place, struct why *why)
{
    why_say(why, "no connection is free for number %d in the queue: ", number_of(pool, place));
    pool_why_none(pool, pool->n_waiting, why);
}
