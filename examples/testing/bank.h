/* bank.h - a small program's own code, which test_bank.c tests. */
#ifndef BANK_H
#define BANK_H

#include <evpq/evpq.h>

/* Moves `cents` from one account to another, in one transaction. Done when that is committed. It is
 * tried again where another transaction was in the way. Where the connection is lost while it
 * commits, nobody knows whether it has (EVPQ_OUTCOME_UNKNOWN): it is for the caller to look, and
 * never to pay once more without looking. */
struct payment {
    int64_t from, to, cents;
};
evpq_future *bank_pay(evpq_pool *pool, struct payment *payment); /* borrowed until it is done */

#endif
