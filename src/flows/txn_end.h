/* txn_end.h - how a transaction ends. */
#ifndef FLOWS_TXN_END_H
#define FLOWS_TXN_END_H

#include "flows/txn.h"

/* evpq_txn_commit and evpq_txn_rollback, of a kept transaction too. */
evpq_future *txn_commit(evpq_txn *txn);
evpq_future *txn_roll_back(evpq_txn *txn);

/* Rolls back without a word to anyone. Takes the transaction, kept or not. */
void txn_drop(evpq_txn *txn);

#endif
