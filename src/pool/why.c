/* why.c - what those who wait for a pool wait for, for the error of a deadline. */
#include "pool/lanes.h"
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
            pool->opts.max_size, pool->count[USE_SHARED], pool->count[USE_LEASED]);
    if (pid)
        why_say(why, ", the longest for %.3g s (server process %d)", longest, pid);
    why_say(why, ", %d connecting), %d waiting", pool->count[USE_CONNECTING], waiting);
}

void lanes_why_none(const evpq_pool *pool, int waiting, struct why *why)
{
    const struct list *node = list_first(&pool->conns[USE_CONNECTING]);
    say_connections(pool, waiting, why);
    if (node) {
        why_say(why, "; ");
        conn_why(&container_of(node, struct pool_conn, node)->conn, NULL, why);
    }
    if (pool->connect_error)
        why_failed(why, "; the last attempt to connect failed: ", pool->connect_error);
    else if (pool->check_error)
        why_failed(why, "; before_acquire failed last: ", pool->check_error);
    else
        why_failed(why, "; the last connection came up and was lost: ", pool->drop_error);
}

void lanes_why(const evpq_pool *pool, const struct queue_place *place, struct why *why)
{
    why_say(why, "no connection is free for number %d in the queue: ", number_of(pool, place));
    lanes_why_none(pool, pool->n_waiting, why);
}
