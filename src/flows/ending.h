/* ending.h - how a transaction ends. */
#ifndef FLOWS_ENDING_H
#define FLOWS_ENDING_H

#include "flows/txn.h"

/* evpq_txn_commit and evpq_txn_rollback, of a kept transaction too. */
evpq_future *txn_commit(evpq_txn *txn);
evpq_future *txn_roll_back(evpq_txn *txn);

#endif
