/* evpq/copy.h - COPY: the fastest way of many rows into a table, and out of one.
 *
 * In, raw: what the statement's FORMAT says, in pieces of any size.
 *
 *     evpq_copy *copy = evpq_pool_copy_in(pool, "copy t from stdin (format csv)");
 *     while ((n = read_some(buffer)) > 0) {
 *         evpq_copy_write(copy, buffer, n);
 *         evpq_future *room = evpq_copy_drain(copy);
 *         status = evpq_await(room);
 *         evpq_future_unref(room);
 *     }
 *     evpq_future *f = evpq_copy_finish(copy);
 *     if (evpq_await(f) == EVPQ_OK)
 *         printf("%lld rows\n", (long long)evpq_result_affected(evpq_future_result(f)));
 *
 * In, rows: each checked against the types of the table's columns, and sent in binary.
 *
 *     evpq_copy *copy = evpq_pool_copy_rows_in(pool, "measurement", NULL, 0);
 *     for (i = 0; i < n; i++)
 *         while (evpq_copy_row(copy, EVPQ_ARGS(at[i], value[i])) == EVPQ_QUEUE_FULL)
 *             ... await evpq_copy_drain(copy), and stop when it fails ...
 *
 * Out, either way: evpq_copy_read gives what has come, some 64 kB at a time.
 *
 * A COPY has a connection to itself until it is over: one of the pool, or a lease, where it runs in
 * the transaction that is open there. It is one statement: all of its rows, or none. Nothing ever
 * waits within a call, and memory stays bounded both ways: evpq_copy_write refuses what is too
 * much, and what nobody reads stays in the server.
 *
 * An error of the server's (a row that breaks a constraint, say) is known when the data have ended:
 * libpq looks for it only then. So it is evpq_copy_finish that tells; what is written meanwhile is
 * thrown away by the server. An error before the first row (a table that is not there) and the loss
 * of the connection are known at once.
 *
 * Deadlines: acquire_timeout bounds the wait for a connection, query_timeout bounds nothing here,
 * and the deadline of a task bounds each future it asks for.
 *
 * Thread: the loop's, for every call. */
#ifndef EVPQ_COPY_H
#define EVPQ_COPY_H

#include <evpq/args.h>
#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/pool.h>
#include <evpq/result.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A COPY under way. Given at once by those below; handed back with evpq_copy_finish,
 * evpq_copy_abort or evpq_copy_close. What is wrong from the start is what its futures fail with.
 * NULL only where there is no pool or lease, or no memory; calls on it are then EVPQ_INVALID. */
typedef struct evpq_copy evpq_copy;

/* ---- to the server ---- */

/* `sql` is one COPY ... FROM STDIN, copied. */
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_pool_copy_in(evpq_pool *pool, const char *sql);

/* The same on a leased connection, after what was asked of it before and before what comes later.
 * The lease may be released meanwhile. */
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_lease_copy_in(evpq_lease *lease, const char *sql);

/* Rows for evpq_copy_row, to `table`, which is written as in SQL: with its schema where need be,
 * and quoted where it has capitals (evpq_quote_qualified does both). `columns` are `n`
 * names as they are, not quoted, in the order of a row's values; NULL: all columns of the table in
 * their order, except generated ones. Copied. The columns' types are looked up first, in the
 * catalogs; for a domain it is the type under it. Needs the right to INSERT, as COPY does, but not
 * the right to SELECT. */
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_pool_copy_rows_in(evpq_pool *pool, const char *table,
                                                          const char *const *columns, size_t n);
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_lease_copy_rows_in(evpq_lease *lease, const char *table,
                                                           const char *const *columns, size_t n);

/* Takes a copy of `n` bytes, which may end anywhere, within a row too. EVPQ_OK; EVPQ_QUEUE_FULL,
 * with nothing taken, when a megabyte waits already: await evpq_copy_drain, then write again; or
 * what the COPY has failed with. That may be EVPQ_QUEUE_FULL too, of a pool with max_waiting calls
 * in its queue: then evpq_copy_drain fails with it, and evpq_copy_error is not NULL. */
EVPQ_API evpq_status evpq_copy_write(evpq_copy *copy, const void *bytes, size_t n);

/* Takes one row: as many values as there are columns, each written as its column's type where
 * nothing is lost and nothing is guessed. Of a type that is not PostgreSQL's own a text is written
 * where it means for sure what it says: labels of enums, and types that read text and binary by the
 * same functions as one of PostgreSQL's, such as citext. For other types use a codec, or COPY in
 * text form. Results as for evpq_copy_write, and EVPQ_QUEUE_FULL also while the types are not known
 * yet. EVPQ_TYPE or EVPQ_INVALID when the row does not fit: evpq_copy_error says which row, counted
 * from 1, which column, and what to do; it is not sent, and the COPY goes on. */
EVPQ_API evpq_status evpq_copy_row(evpq_copy *copy, evpq_args args);

/* asyncio's StreamWriter.drain: done when there is room for more, and the types are known; fails
 * with what the COPY has failed with. Canceling it stops the wait and nothing else. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_copy_drain(evpq_copy *copy);

/* There is no more, and all is well. Takes the copy. Done with the result, whose
 * evpq_result_affected is the number of rows, when the server has committed them (or, in a
 * transaction, has them). Canceling it stops the COPY: then the outcome is UNKNOWN. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_copy_finish(evpq_copy *copy);

/* Something is wrong: the server is told `why` (borrowed; NULL is allowed), undoes the COPY, and
 * fails the transaction around it, if there is one; what had not been sent yet never is. Takes the
 * copy; NULL is allowed. Returns NULL. What waits for it fails with EVPQ_CANCELED. */
EVPQ_API evpq_copy *evpq_copy_abort(evpq_copy *copy, const char *why);

/* ---- from the server ---- */

/* `sql` is one COPY ... TO STDOUT, copied. */
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_pool_copy_out(evpq_pool *pool, const char *sql);
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_lease_copy_out(evpq_lease *lease, const char *sql);

/* The rows of a query, in binary: SELECT, VALUES, TABLE, or what has a RETURNING clause, without
 * parameters. Copied. */
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_pool_copy_rows_out(evpq_pool *pool, const char *query);
EVPQ_API EVPQ_NODISCARD evpq_copy *evpq_lease_copy_rows_out(evpq_lease *lease, const char *query);

/* Done with what has come: bytes (evpq_future_bytes), in which messages of the server's are put
 * together, whole; or, of a query's rows, a result (evpq_future_result) of one row or more. At the
 * end it is done with the COPY's own result, which has no rows, no bytes, and says in
 * evpq_result_affected how many rows there were. An error comes after what was received before it.
 * Several may wait, and are served in order. Canceling one that waits loses nothing; what a future
 * was done with goes with it, looked at or not. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_copy_read(evpq_copy *copy);

/* The bytes of a done evpq_copy_read: how many is in *ret_n (may be NULL). Borrowed while `f` is.
 * NULL, and 0, at the end and for any other future. */
EVPQ_API const void *evpq_future_bytes(const evpq_future *f, size_t *ret_n);

/* ---- both ways ---- */

/* Why the last evpq_copy_write or evpq_copy_row was not EVPQ_OK, or what the COPY has failed with;
 * NULL: all is well, or there is merely no room. Borrowed until the next call on the copy. */
EVPQ_API const evpq_error *evpq_copy_error(const evpq_copy *copy);

/* Takes the copy; NULL is allowed. Returns NULL. Before its end this stops it: to the server as
 * evpq_copy_abort does, from the server by canceling the statement. */
EVPQ_API evpq_copy *evpq_copy_close(evpq_copy *copy);

#ifdef __cplusplus
}
#endif

#endif
