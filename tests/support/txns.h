/* txns.h - transactions on the loop and pool of pools.h. */
#ifndef TESTS_SUPPORT_TXNS_H
#define TESTS_SUPPORT_TXNS_H

#include "support/tasks.h"

#include <string.h>

#define TXN_OPTS(...)                        \
 &(evpq_txn_opts)                            \
 {                                           \
  .size = sizeof(evpq_txn_opts), __VA_ARGS__ \
 }

/* A transaction, got in the ordinary way. Given. */
static inline evpq_txn *txn_get(const evpq_txn_opts *opts)
{
    evpq_future *f = evpq_pool_begin(pool, opts);
    ck_await_ok(f);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    ck_assert_ptr_nonnull(txn);
    return txn;
}

static inline evpq_future *query_in(evpq_txn *txn, const char *sql)
{
    return evpq_txn_query(txn, sql, EVPQ_ARGS());
}

/* It runs to its end, and succeeds. */
static inline void exec_in(evpq_txn *txn, const char *sql)
{
    ck_done(query_in(txn, sql));
}

static inline long ask_in(evpq_txn *txn, const char *sql)
{
    evpq_future *f = query_in(txn, sql);
    ck_await_ok(f);
    long value = (long)evpq_result_int8(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    return value;
}

/* f has failed so, with this SQLSTATE. f is let go of. */
static inline void ck_sqlstate(evpq_future *f, const char *sqlstate)
{
    evpq_await(f);
    ck_assert_msg(!strcmp(evpq_error_sqlstate(evpq_future_error(f)), sqlstate), "not %s but %s",
                  sqlstate, check_future_text(f));
    evpq_future_unref(f);
}

#endif
