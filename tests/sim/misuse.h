/* misuse.h - calls that are wrong: each is refused, and nothing comes of it. */
#ifndef TESTS_SIM_MISUSE_H
#define TESTS_SIM_MISUSE_H

#include <evpq/evpq.h>

/* Some of them, on the pool, and on a lease and a transaction, which may be NULL. */
void misuse(evpq_lease *lease, evpq_txn *txn);

#endif
