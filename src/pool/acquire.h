/* acquire.h - the future of a lease, from its place in the queue until the lease is handed over. */
#ifndef POOL_ACQUIRE_H
#define POOL_ACQUIRE_H

#include "pool/lease.h"

/* For a flow that sends statements of its own. wrap(lease, arg) takes the lease and returns the
 * value of the future. It returns NULL where there is no memory, and has then released the lease.
 * Such a lease is cleaned afterwards only if a statement has changed the session, as after a one-
 * shot query. */
struct lease_use {
    void *(*wrap)(evpq_lease *lease, void *arg);
    const struct value_class *class;
    const char *name; /* of the future */
};

struct acquire {
    struct evpq_future future;
    struct queue_place place;
    evpq_pool *pool;
    evpq_lease *lease;           /* while its before_acquire runs */
    struct timer late;           /* the same: when acquire_timeout is over */
    const struct lease_use *use; /* NULL: the program's own */
    void *arg;
};

static inline struct acquire *acquire_at(struct queue_place *place)
{
    return container_of(place, struct acquire, place);
}

/* `use` may be NULL. NULL without memory. */
struct acquire *acquire_new(evpq_pool *pool, const struct lease_use *use, void *arg);

/* before_acquire is going to run on its lease. When acquire_timeout is over first, the future
 * fails, and the hook goes on for whoever comes next. */
void acquire_wait_for_hook(struct acquire *a);

/* It waits for that lease no more. */
void acquire_leave(struct acquire *a);

/* The future fails: it gets no lease. Takes the error. */
void acquire_refuse(struct queue_place *place, evpq_error *why);

#endif
