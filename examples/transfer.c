/* transfer.c - moves money, many moves at once: each is a transaction, done again after a conflict.
 */
#include <evpq/evpq.h>
#include <stdio.h>

enum { ACCOUNTS = 4, MOVES = 40, CREDIT = 100 };

struct move {
    evpq_loop *loop;
    int from, to, amount, tries;
};

/* Runs in a transaction, and in a task of its own. What it returns is waited for before COMMIT. */
static evpq_future *move_money(evpq_txn *txn, void *arg)
{
    struct move *m = arg;
    m->tries++;
    evpq_future *f =
        evpq_txn_query(txn, "select credit from account where id = $1", EVPQ_ARGS(m->from));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    bool covered = evpq_result_int4(evpq_future_result(f), 0, 0) >= m->amount;
    evpq_future_unref(f);
    if (!covered)
        return evpq_future_failed(m->loop, EVPQ_INVALID, "not enough");
    const evpq_statement both[] = {
        {"update account set credit = credit - $2 where id = $1", EVPQ_ARGS(m->from, m->amount)},
        {"update account set credit = credit + $2 where id = $1", EVPQ_ARGS(m->to, m->amount)},
    };
    return evpq_txn_batch(txn, both, 2);
}

static bool done(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    if (status != EVPQ_OK)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    return status == EVPQ_OK;
}

static void move_all(evpq_loop *loop, evpq_pool *pool)
{
    const evpq_txn_opts opts = {
        .size = sizeof opts, .isolation = EVPQ_ISOLATION_SERIALIZABLE, .tries = 100};
    struct move moves[MOVES];
    evpq_future *fs[MOVES];
    int paid = 0, tries = 0;
    for (int i = 0; i < MOVES; i++) {
        moves[i] = (struct move){loop, i % ACCOUNTS, (i * 7 + 1) % ACCOUNTS, 10 + i, 0};
        fs[i] = evpq_transact(pool, &opts, move_money, &moves[i]);
    }
    for (int i = 0; i < MOVES; i++) {
        paid += evpq_await(fs[i]) == EVPQ_OK;
        tries += moves[i].tries;
        evpq_future_unref(fs[i]);
    }
    printf("%d of %d moves were paid, in %d tries\n", paid, MOVES, tries);
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    evpq_args ids[ACCOUNTS];
    evpq_arg args[ACCOUNTS][2];
    for (int i = 0; i < ACCOUNTS; i++) {
        args[i][0] = evpq_int(i), args[i][1] = evpq_int(CREDIT);
        ids[i] = (evpq_args){2, args[i], 0};
    }
    bool ok = done(evpq_pool_query(pool, "create table account (id int, credit int)", EVPQ_ARGS()));
    if (ok && done(evpq_executemany(pool, "insert into account values ($1, $2)", ids, ACCOUNTS)))
        move_all(loop, pool);
    ok = ok && done(evpq_pool_query(pool, "drop table account", EVPQ_ARGS()));
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return !ok;
}
