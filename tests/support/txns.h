/* txns.h - transactions on the loop and pool of pools.h. */
#ifndef TESTS_SUPPORT_TXNS_H
#define TESTS_SUPPORT_TXNS_H

#include "support/server.h"
#include "support/tasks.h"

#include <string.h>

#define TXN_OPTS(...)                        \
 &(evpq_txn_opts)                            \
 {                                           \
  .size = sizeof(evpq_txn_opts), __VA_ARGS__ \
 }

/* Its table, empty. */
static inline void txns_begin(void)
{
    server_exec(
        "set client_min_messages = warning; drop table if exists txn_t; create table txn_t (i int primary key)");
}

/* What is committed in it, in order. */
static inline void ck_committed(const char *want)
{
    ck_assert_str_eq(
        server_text("select coalesce(string_agg(i::text, ',' order by i), '') from txn_t"), want);
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

/* The same on a lease. */
static inline evpq_txn *txn_on(evpq_lease *lease)
{
    evpq_future *f = evpq_lease_begin(lease, NULL);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
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

/* The rows are in COPY's text format. */
static inline evpq_future *copy_into(evpq_txn *t, const char *rows)
{
    evpq_copy *copy = evpq_lease_copy_in(evpq_txn_lease(t), "copy txn_t from stdin");
    ck_assert_int_eq(evpq_copy_write(copy, rows, strlen(rows)), EVPQ_OK);
    return evpq_copy_finish(copy);
}

static inline void ck_text_has(const char *text, const char *part)
{
    ck_assert_msg(text && strstr(text, part), "\"%s\" does not have \"%s\"", text ? text : "NULL",
                  part);
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
