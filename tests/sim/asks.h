/* asks.h - the calls that the workload makes, with leases and transactions that it holds. */
#ifndef TESTS_SIM_ASKS_H
#define TESTS_SIM_ASKS_H

#include "sim/oracle.h"

#include <stdlib.h>

struct program {
    evpq_loop *loop;
    evpq_pool *pool;
    int max_size, most;     /* connections: as was asked for last; that may be there now */
    sim_time query_timeout; /* SIM_NEVER: none */
    sim_time acquire_timeout, cancel_timeout;
    unsigned flows;     /* one in so many asks is for a stream or COPY */
    unsigned listens;   /* one in so many is about a subscription; 0: there is no listener */
    unsigned hurries;   /* one in so many actions is several at once, or comes at once */
    unsigned hides;     /* ... makes a table that hides the other */
    unsigned forgets;   /* ... ends what is prepared in a session */
    unsigned eager;     /* ... finds all that it waits for ready, for a while */
    unsigned misuses;   /* ... is wrong */
    unsigned probes;    /* one in so many transactions asks what became of its COMMIT */
    size_t result_most; /* 0: no limit */
    bool after_connect; /* a hook, whose failures are failed connects */
    int64_t next_token;
};
extern struct program program;

/* Hears notices. */
void program_noticed(const evpq_error *notice, void *arg);
/* With options that are drawn. */
void program_open_pool(void);

/* Tokens that nobody else has: the first of them. */
int64_t take_tokens(int n);
/* Notes the future, which is taken, with a deadline or without one. */
struct call *ask(enum verb verb, evpq_future *f, int64_t first, int n, void *owner);
/* The same with a deadline of its own, or SIM_NEVER. */
struct call *ask_by(enum verb verb, evpq_future *f, int64_t first, int n, void *owner,
                    sim_time due);
/* Options for a transaction, which are drawn; in *ret_due its own deadline, SIM_NEVER: none. */
evpq_txn_opts draw_txn_opts(sim_time *ret_due);

/* Some INSERTs: on the pool, a lease or a transaction. */
struct call *ask_batch(evpq_lease *lease, evpq_txn *txn, void *owner);
struct call *ask_many(evpq_lease *lease, evpq_txn *txn, void *owner);

/* Hides the table in the session. */
void ask_hide(evpq_lease *lease);
/* Ends what is prepared in the session, by each verb. */
void ask_forget(evpq_lease *lease, void *owner);

void asks_begin(void);
/* A call of some kind. */
void ask_something(void);
void asks_told(struct call *c); /* what came of one */
bool asks_hold_something(void); /* leases, transactions, streams, COPYs */
void asks_give_back(void);      /* those */
void asks_end(void);            /* frees what the calls were about */

#endif
