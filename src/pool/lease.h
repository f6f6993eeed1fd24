/* lease.h - a connection lent out, from the hooks before to the reset after.
 *
 *   SETUP      after_connect runs, on a new connection or after DISCARD ALL (no lease anyone asked for)
 *   GREETING   before_acquire runs
 *   OUT        the program has it
 *   RETURNED   released; its last queries are running
 *   FAREWELL   after_release runs
 *   RESETTING  ROLLBACK, DISCARD ALL
 *
 * A lease is a session, to be cleaned as the pool's option says; one that a flow asked for is only
 * if a statement has made it dirty. It outlives its connection: then `conn` is NULL and `gone` says
 * why. */
#ifndef POOL_LEASE_H
#define POOL_LEASE_H

#include "pool/notice.h"
#include "pool/pool.h"

/* evpq_pool_acquire: a future with a place in the queue. */
evpq_future *lease_ask(evpq_pool *pool);

/* The same for a flow that sends statements of its own. Its future is done with what wrap(lease,
 * arg), which takes the lease, makes of it; NULL: there was no memory, and it has released it. Is
 * cleaned afterwards as a one-shot query would be: only where a statement has left marks. */
struct lease_use {
    void *(*wrap)(evpq_lease *lease, void *arg);
    const struct value_class *class;
    const char *name; /* of the future */
};
evpq_future *lease_ask_for(evpq_pool *pool, const struct lease_use *use, void *arg);

/* What a flow needs of its lease. The connection is NULL once it is lost, or the lease released. */
struct conn *lease_conn(const evpq_lease *lease);
/* Whether it was not released yet. */
bool lease_is_out(const evpq_lease *lease);
/* Its memory stays for as long as a flow refers to it, whether or not it is released meanwhile. */
void lease_ref(evpq_lease *lease);
void lease_unref(evpq_lease *lease);
evpq_pool *lease_pool(const evpq_lease *lease);
/* Who hears its notices; nobody but the pool once it was released. */
struct notice_fn lease_notice_fn(const evpq_lease *lease);
/* Why nothing can be asked of it; NULL: something can. Given. */
evpq_error *lease_refusal(const evpq_lease *lease, const char *sql);

/* It gets none. Takes the error. */
void lease_refuse(struct queue_place *place, evpq_error *why);

/* Runs after_connect on a connection that is new, or new again, then calls pool_conn_settle, or kills
 * it. */
void lease_set_up(evpq_pool *pool, struct pool_conn *c);

/* Lends an idle connection to whoever had that place in the queue. */
void lease_begin(evpq_pool *pool, struct pool_conn *c, struct queue_place *place);

/* A leased connection (c->lease) has nothing in flight; or is dead, or taken away (`why` is
 * borrowed). */
void lease_quiet(struct pool_conn *c);
void lease_lost(struct pool_conn *c, const evpq_error *why);

/* The server process that has been out on lease for longest, and for how long; 0 if none is. */
int lease_longest(const evpq_pool *pool, double *ret_seconds);

#endif
