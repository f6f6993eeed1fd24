/* borrow.h - a connection of a pool for a single operation. */
#ifndef FLOWS_BORROW_H
#define FLOWS_BORROW_H

#include "flows/lease_wait.h"
#include "flows/work.h"

/* Sends f (taken and given) on a program's lease, or makes it fail. */
evpq_future *borrow_now(evpq_lease *lease, evpq_future *f, const struct work *work);

/* What an operation has that waits for a connection of its own. */
struct borrower {
    const struct work *work; /* NULL: it is on a connection, or done */
    evpq_future *f;          /* its future, borrowed: pending as long as this waits */
    evpq_pool *pool;         /* a reference; NULL: it runs on one connection or not at all */
    struct lease_wait wait;
};

/* Not waiting, and of no pool. */
void borrower_init(struct borrower *e);
/* f gets a connection of the pool, or fails. */
void borrower_start(struct borrower *e, evpq_pool *pool, evpq_future *f, const struct work *work);
/* Its connection is gone, and it was not sent: it gets another, if it may (true). */
bool borrower_again(struct borrower *e, const evpq_error *why);
/* Stops waiting. */
void borrower_stop(struct borrower *e);
void borrower_free(struct borrower *e);
/* What the operation waits for: `conn` is the connection that it is on, or NULL. */
void borrower_why(const struct borrower *e, const struct conn *conn, const struct op *op,
                  struct why *why);

#endif
