/* pool.h - what the files of this floor know of each other.
 *
 *   lanes   who waits, and which connection serves whom
 *   keeper  how many connections there are, how old, and how often to try
 *   pool_conn  what becomes of a connection between one use and the next
 *   lease   a connection lent out: hooks, hand-over, reset
 *   wish    futures on the state of the pool as a whole: connected, drained, closed
 *   close   the end of a pool
 *   pool    the public face
 *
 * A connection is in exactly one of the lists below: `use` says in which, and
 * lanes_move changes it. */
#ifndef POOL_POOL_H
#define POOL_POOL_H

#include "base/rng.h"
#include "conn/conn.h"
#include "ops/query.h"

#include <evpq/pool.h>

enum use {
    USE_CONNECTING, /* until it is open and after_connect is done */
    USE_IDLE,
    USE_SHARED,  /* running one-shot queries, or being reset after one */
    USE_LEASED,  /* from before_acquire to the end of the reset */
    USE_CLOSING, /* canceled: no good to anyone until it is quiet */
    USE_DEAD,    /* until its memory goes: what it had not sent is on its way to another */
    USES
};

/* A connection of a pool. */
struct pool_conn {
    struct conn conn; /* first: see conn_owner */
    struct list node;
    enum use use;
    bool renew;    /* it was reset, and after_connect is to run again */
    bool retiring; /* too old, or one too many: nothing new is sent down it */
    bool checked;  /* before_acquire has passed it once */
    double born, retire_at, idle_since;
    evpq_lease *lease; /* whom it is leased to, or whose hook runs on it */
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

    struct list conns[USES]; /* but for USE_DEAD */
    int count[USES];
    int total; /* but for USE_DEAD */

    /* lanes */
    struct list waiting; /* places, by ticket */
    int n_waiting;
    uint64_t next_ticket;
    struct timer expiry;    /* of the first in the queue */
    struct pool_conn *warm; /* the shared one that made room last, or NULL */

    /* keeper */
    int window; /* connects at a time */
    double pause;
    double up_since;    /* the first connect that succeeded since the last pause; 0: none has */
    double good_since;  /* the first answer since the last pause; 0: none came */
    struct timer retry; /* running: connecting failed, and nothing is tried before it fires */
    bool drops; /* ... or a connection did not last: a connect that succeeds proves nothing */
    struct timer sweep;
    evpq_error *connect_error; /* the last one, until a connect succeeds */
    evpq_error *drop_error;    /* why the last one that did not last was lost, until one answers */
    evpq_error *check_error;   /* the last one of before_acquire, until one succeeds */
    double check_pause;        /* after that, when it failed on a new connection; 0: it did not */

    struct list wishes;
    bool closing, closed;
    bool out_of_time;      /* closing, and past its deadline: nothing is begun any more */
    struct timer patience; /* of evpq_pool_close */
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

/* The memory stays while anyone holds a reference: the program (one for all its references), the
 * pool itself until it is closed, each lease, each wish. */
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

#endif
