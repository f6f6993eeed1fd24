/* txn.h - a transaction as the other flows see it.
 *
 *   session   its connection, and BEGIN
 *   txn       transactions and savepoints: who may ask what, and what has failed
 *   txn_end   the future of a commit or rollback
 *   txn_begin the options of a transaction, and the lease that it begins on
 *   probe     what became of a COMMIT whose answer was lost
 *   transact  a function in a transaction, again where that helps */
#ifndef FLOWS_TXN_H
#define FLOWS_TXN_H

#include "flows/session.h"

#include <evpq/txn.h>

struct evpq_txn {
    unsigned refs;
    struct session *session;
    evpq_txn *outer; /* of a savepoint; a reference */
    evpq_txn *inner; /* the savepoint that is open in it, or NULL */
    unsigned
        number; /* of a savepoint, in its name. No other of the transaction has it: one that was
                        before it may still be there, its end having failed */
    bool probes;
    bool begun;        /* the server has been told of it */
    bool over;         /* was ended, or what it is in was */
    bool kept;         /* evpq_transact's, which ends it */
    bool doomed;       /* surely a statement was refused */
    evpq_error *cause; /* the first that failed while or after it was carried out */
    struct list statements;
};

void txn_ref(evpq_txn *txn);
void txn_unref(evpq_txn *txn); /* NULL is allowed */

/* evpq_pool_begin, once its options are known to be good: see txn_modes. */
evpq_future *txn_ask(evpq_pool *pool, unsigned modes);

/* Reads options (NULL is allowed), and puts those that a transaction begins with in a number.
 * Given: why they make no sense. */
evpq_error *txn_modes(const evpq_txn_opts *opts, evpq_txn_opts *ret_opts, unsigned *ret_modes);

/* EVPQ_OK, or why nothing can be asked of it: it is NULL, or a parent's. */
evpq_status txn_check(const evpq_txn *txn);
evpq_future *txn_refused(const evpq_txn *txn);

/* EVPQ_INVALID, given: it cannot be asked for what it was asked. */
evpq_error *txn_invalid(const char *message);

/* Sends f (taken and given), or makes it fail. */
evpq_future *txn_run(evpq_txn *txn, evpq_future *f, const struct work *work);

/* Why `sql` cannot be one of several statements that are to be carried out together or not at all;
 * NULL: it can. Given. */
evpq_error *txn_refuses_text(const char *sql);

/* It was ended, and what is open in it too: nothing more can be asked of either. */
void txn_over(evpq_txn *txn);

/* Something that it was asked for, itself or by its lease, is not answered. */
bool txn_awaits_something(const evpq_txn *txn);

/* Cancels its statements that have not settled, and those in its savepoints. */
void txn_call_off(evpq_txn *txn);

/* Tells the server to undo it, as a statement of our own (session.h). `first`: before what waits on
 * the connection, as its COMMIT was sent. NULL: no memory. */
evpq_future *txn_say_rollback(evpq_txn *txn, bool first);

#endif
