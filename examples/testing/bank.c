/* bank.c - see bank.h. */
#include "bank.h"

static evpq_future *pay(evpq_txn *txn, void *arg)
{
    const struct payment *p = arg;
    const evpq_statement moves[] = {
        {"update account set cents = cents - $2 where id = $1", EVPQ_ARGS(p->from, p->cents)},
        {"update account set cents = cents + $2 where id = $1", EVPQ_ARGS(p->to, p->cents)},
    };
    return evpq_txn_batch(txn, moves, 2);
}

evpq_future *bank_pay(evpq_pool *pool, struct payment *payment)
{
    evpq_txn_opts opts = {.size = sizeof opts, .isolation = EVPQ_ISOLATION_SERIALIZABLE};
    return evpq_transact(pool, &opts, pay, payment);
}
