/* holdings.h - leases and transactions that the program holds, and what it does with them. */
#ifndef TESTS_SIM_HOLDINGS_H
#define TESTS_SIM_HOLDINGS_H

#include "sim/asks.h"

struct lease {
    struct list node;
    evpq_lease *is;    /* NULL: released */
    struct txn *begun; /* on it; NULL: none */
    uintptr_t number;
    bool waits; /* nothing more is asked of it before it is told */
    bool opens; /* a transaction, by a statement of its own, and is left with it open */
};

/* A transaction, or a savepoint in one. */
struct txn {
    struct level level;
    struct list node;
    evpq_txn *is;       /* NULL: not begun yet, or ended */
    struct lease *on;   /* NULL: a connection of the pool's */
    struct txn *within; /* NULL: it is no savepoint */
    struct txn *inner;  /* the savepoint that is open in it; NULL: none */
    struct list memory;
};

void holdings_begin(void);
/* On the pool, where `lease` is NULL. */
void begin_txn(struct lease *lease);
/* Does something with one of them. False: there is none, or it is not its turn. */
bool use_holdings(void);
/* One that a stream or COPY may be asked of; NULL: none. */
struct lease *free_lease(void);
struct txn *open_txn(void); /* the innermost level */

void holdings_told(struct call *c);
bool holdings_left(void);
void holdings_give_back(void);
void holdings_end(void);

#endif
