/* pool.h - what the files of this floor know of each other. None calls one that stands behind it:
 *
 *   opts         what evpq_pool_opts may say
 *   notice       telling a notice, later
 *   pool         memory, the pool's state, its invariants
 *   wait_queue   who waits for a connection
 *   lease        a connection lent out: its state, and what can be asked of it
 *   why          what those who wait wait for
 *   pool_future  futures on the state of the pool as a whole: connected, drained, closed
 *   sizing       how many connections there are to be, how old, and how often to try
 *   pool_conn    one connection: its state, its end
 *   reset        how far a connection is cleaned before its next use
 *   acquire      the future of a lease
 *   hook         a hook of the program's, with its limit
 *   lend         a lease from its first hook to its reset
 *   dispatch     which connection serves whom
 *   events       what connections tell the pool
 *   close        the end of a pool
 *   step         the maintenance pass, once a tick
 *   api          the public functions
 *
 * An event changes the state and marks the pool (pool_mark). The step then does what follows. */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "base/rng.h"
#include "conn/conn.h"
#include "ops/query.h"

#include <evpq/pool.h>

enum pool_conn_state {
    POOL_CONN_CONNECTING, /* until it is open and after_connect is done */
    POOL_CONN_IDLE,
    POOL_CONN_SHARED,    /* running one-shot queries, or being reset after one */
    POOL_CONN_LEASED,    /* from before_acquire to the end of the reset */
    POOL_CONN_CANCELING, /* taken from its users: they were canceled, or the pool is out of time */
    POOL_CONN_DEAD,      /* until its memory goes: what it had not sent goes to another */
    POOL_CONN_STATES
};

/* A connection of a pool. */
struct pool_conn {
    struct conn conn; /* first: see conn_owner */
    struct list node; /* in the pool's list of its state */
    enum pool_conn_state state;
    bool renew;    /* it was reset, and after_connect is to run again */
    bool retiring; /* too old, or one too many: nothing new is sent on it */
    bool checked;  /* before_acquire has passed it once */
    double born;   /* when it was first usable; 0: not yet */
    double retire_at, idle_since;
    evpq_lease *lease; /* whom it is leased to, or whose hook runs on it */
};

enum pool_state {
    POOL_OPEN,
    POOL_CLOSING,     /* nothing more is asked of it; what was asked is done */
    POOL_OUT_OF_TIME, /* the deadline of closing has passed: nothing more is begun */
    POOL_CLOSED,      /* no connection is left */
};

struct evpq_pool {
    unsigned refs; /* see pool_ref */
    unsigned users;
    evpq_loop *loop;
    struct conninfo *conninfo;
    struct rng rng;
    struct evpq_pool_opts opts; /* defaults filled in */
    struct conn_config config;
    struct query_home home;
    struct evpq_pool_stats done; /* the counters that only grow */
    enum pool_state state;
    struct job step; /* queued: something has changed */

    struct list conns[POOL_CONN_STATES]; /* those that are dead are in none */
    int count[POOL_CONN_STATES];
    int total;              /* without the dead */
    struct pool_conn *warm; /* the shared one that made room last, or NULL */

    /* wait_queue */
    struct list waiting; /* places, by ticket */
    int n_waiting;
    uint64_t next_ticket;
    struct timer expiry; /* of the first in the queue */

    /* sizing */
    int window; /* connects at a time */
    double pause;
    double up_since;    /* the first connect that succeeded since the last pause; 0: none has */
    double good_since;  /* the first answer since the last pause; 0: none came */
    struct timer retry; /* running: connecting failed, and nothing is tried before it fires */
    bool drops; /* ... or a connection was lost too soon: that a connect succeeds proves nothing */
    bool crowded; /* nobody waits, but queries share connections: one more would help */
    struct timer sweep;
    bool sweep_rests;          /* none was shared: it is off, or fires when one is to be closed */
    bool sweep_due;            /* it has fired, or the sizes have changed: for the step */
    evpq_error *connect_error; /* the last one, until a connect succeeds */
    evpq_error *drop_error;    /* why a connection was lost too soon; until one has answered */
    evpq_error *check_error;   /* the last one of before_acquire, until one succeeds */
    double check_pause;        /* the pause after it failed on a new connection; 0: it did not */
    evpq_error *untold;        /* a connect has failed for this: for the step */

    struct list futures;
    struct timer close_timer; /* the deadline of evpq_pool_close */
    double close_at;
};

static inline evpq_pool *pool_of(const struct pool_conn *c)
{
    return container_of(c->conn.config, evpq_pool, config);
}

static inline struct pool_conn *pool_conn_of(struct conn *c)
{
    return container_of(c, struct pool_conn, conn);
}

static inline struct pool_conn *pool_conn_at(struct list *node)
{
    return container_of(node, struct pool_conn, node);
}

/* Something has changed: the step follows in this tick, before anything is sent. */
static inline void pool_mark(evpq_pool *p)
{
    if (!list_linked(&p->step.node))
        loop_defer(p->loop, &p->step);
}

static inline bool pool_is_closing(const evpq_pool *p)
{
    return p->state != POOL_OPEN;
}

/* Whether nothing new may be begun, not even what was asked before. */
static inline bool pool_is_over(const evpq_pool *p)
{
    return p->state >= POOL_OUT_OF_TIME;
}

/* Whether anybody waits for the pool as a whole to come to some state. */
static inline bool pool_is_watched(const evpq_pool *p)
{
    return p->state != POOL_OPEN || !list_empty(&p->futures);
}

/* The one function that changes the state. */
void pool_to(evpq_pool *pool, enum pool_state state);

/* The memory stays while anyone holds a reference: the program (one for all its references), the
 * pool itself until it is closed, each lease, each future on its state. */
void pool_ref(evpq_pool *pool);
void pool_unref(evpq_pool *pool);

/* loop_check, of the pool's loop. */
static inline evpq_status pool_check(const evpq_pool *p)
{
    return loop_check(p ? p->loop : NULL);
}

/* A future for what pool_check refuses. */
static inline evpq_future *pool_refused(const evpq_pool *p)
{
    return future_refused(p ? p->loop : NULL);
}

/* Bounds `f` by `seconds`, if they are more than 0, and by the deadline of the task that asks.
 * Takes and gives. */
evpq_future *pool_limit(evpq_pool *pool, evpq_future *f, double seconds);

/* The error of a pool that is closed. Given. */
evpq_error *pool_closed_error(evpq_outcome outcome);

/* Whether each connection is in the list of its state, and the counts are those of the lists. */
bool pool_is_sound(const evpq_pool *pool);

#endif
