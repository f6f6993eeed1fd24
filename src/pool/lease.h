/* lease.h - a connection lent out: its state, and what can be asked of it. What happens from one
 * state to the next is in lend.c.
 *
 * A lease is a session, to be cleaned as the pool's option says; one that a flow asked for is only
 * if a statement has made it dirty. It outlives its connection: then `conn` is NULL and `gone` says
 * why. */
#ifndef POOL_LEASE_H
#define POOL_LEASE_H

#include "pool/notice.h"
#include "pool/pool.h"

enum lease_state {
    LEASE_AFTER_CONNECT,  /* that hook runs, on a new connection or after DISCARD ALL: a lease that
                             nobody asked for */
    LEASE_BEFORE_ACQUIRE, /* that hook runs */
    LEASE_LENT,           /* the program has it */
    LEASE_RETURNED,       /* released; its last queries are running */
    LEASE_AFTER_RELEASE,  /* that hook runs */
    LEASE_RESETTING,      /* ROLLBACK, DISCARD ALL */
    LEASE_ENDED,
};

struct acquire;

struct evpq_lease {
    unsigned refs; /* the life of the lease, a hook that is being called, notices, and flows */
    evpq_pool *pool;
    struct pool_conn *conn;
    evpq_error *gone;
    enum lease_state state;
    bool session;            /* the program may do with it what it likes */
    struct acquire *acquire; /* until it is lent: for whom */
    double since;
    struct notice_fn notice;
    void (*send_held)(void *arg); /* see lease_hold_back */
    void *held_arg;
    /* See hook.h. */
    evpq_hook_fn *hook;
    struct job call;
    evpq_future *hook_future;
    struct waiter hook_done;
};

/* A new lease, which begins in `state`. NULL without memory. */
evpq_lease *lease_new(evpq_pool *pool, struct pool_conn *c, enum lease_state state);

/* The one function that changes the state. */
void lease_to(evpq_lease *lease, enum lease_state state);

/* Its memory stays for as long as a flow refers to it, whether or not it is released meanwhile. */
void lease_ref(evpq_lease *lease);
void lease_unref(evpq_lease *lease);

/* What a flow needs of its lease. The connection is NULL once it is lost, or the lease released. */
struct conn *lease_conn(const evpq_lease *lease);
/* Whether it was not released yet. */
bool lease_is_out(const evpq_lease *lease);
evpq_pool *lease_pool(const evpq_lease *lease);
/* Who hears its notices; nobody but the pool once it was released. */
struct notice_fn lease_notice_fn(const evpq_lease *lease);
/* Whoever asks something of the lease asks this first. Why nothing can be asked of it; NULL:
 * something can, and comes after what was held back (lease_hold_back). Given. */
evpq_error *lease_refusal(evpq_lease *lease, const char *sql);
/* A flow has something that is to be sent before what is asked of the lease next: send(arg) is
 * called then. NULL: it has nothing any more. */
void lease_hold_back(evpq_lease *lease, void (*send)(void *arg), void *arg);

/* The server process that has been out on lease for longest, and for how long; 0 if none is. */
int lease_longest(const evpq_pool *pool, double *ret_seconds);

#endif
