/* evpq/stream.h - the rows of a statement as they come, some at a time.
 *
 * For results that are too many to be held at once:
 *
 *     evpq_stream *s = evpq_pool_stream(pool, "select id, name from customer", EVPQ_ARGS(), NULL);
 *     for (;;) {
 *         evpq_future *f = evpq_stream_next(s);
 *         evpq_await(f);
 *         const evpq_result *rows = evpq_future_result(f);   NULL: the end, or a failure
 *         ...
 *         evpq_future_unref(f);
 *     }
 *     evpq_stream_close(s);
 *
 * A stream has a connection to itself until its last rows have come. It runs two results ahead of
 * the program and no more: then its socket is not read, and the server waits, for as long as the
 * program likes. So memory stays bounded, however many rows there are and however slow the program.
 *
 * The statement is run as by evpq_pool_query: when the stream has come to its end, it is committed.
 * When it fails midway, rows that came before have been delivered all the same, and the error says
 * how many (evpq_error_rows).
 *
 * Deadlines: the pool's query_timeout does not bound a stream, acquire_timeout does, and the
 * deadline of a task bounds each evpq_stream_next that it calls.
 *
 * Thread: the loop's, for every call. */
#ifndef EVPQ_STREAM_H
#define EVPQ_STREAM_H

#include <evpq/args.h>
#include <evpq/future.h>
#include <evpq/pool.h>
#include <evpq/result.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_stream evpq_stream;

/* Zero is the default, which stands in brackets. Copied. */
typedef struct evpq_stream_opts {
    size_t size; /* sizeof(evpq_stream_opts): lets the struct grow */

    int rows; /* in each result, at most [256] */

    /* A result is complete with the row with which its values reach so many bytes [libpq 17 and
     * later: not bounded, as libpq makes the results; before: 256 kB]. For rows of very different
     * sizes. */
    size_t bytes;
} evpq_stream_opts;

/* Runs one statement on a connection of the pool that it has to itself; what is true of
 * evpq_pool_query is true here. `sql` and everything in `args` are copied; `opts` may be NULL.
 * Given at once: evpq_stream_close. What is wrong with it is what the first evpq_stream_next fails
 * with. NULL only for a NULL pool or without memory: then evpq_stream_next(NULL) says so. */
EVPQ_API EVPQ_NODISCARD evpq_stream *evpq_pool_stream(evpq_pool *pool, const char *sql,
                                                      evpq_args args, const evpq_stream_opts *opts);

/* The same on a leased connection, in the transaction that is open there, after the statements
 * asked for before. Those asked for later wait until the stream is over: waiting for one of them
 * without going on with the stream does not end. The lease may be released meanwhile: its
 * connection is free when the stream is over. */
EVPQ_API EVPQ_NODISCARD evpq_stream *
evpq_lease_stream(evpq_lease *lease, const char *sql, evpq_args args, const evpq_stream_opts *opts);

/* The next rows: done with a result of one row or more (evpq_future_result); done without one
 * (NULL) when there are no more; or failed as the statement did. Several may be asked for, and are
 * served in order. Rows that nobody has looked at by evpq_future_result go back to the stream with
 * the future's last reference: none are lost to a cancel or a deadline. After the end, or a
 * failure, each call says the same again. NULL is EVPQ_INVALID. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_stream_next(evpq_stream *stream);

/* Rows delivered so far. */
EVPQ_API int64_t evpq_stream_rows(const evpq_stream *stream);

/* Once evpq_stream_next has come to the end: a result without rows that tells the columns, the
 * command, and how many rows it affected; also of a statement that has no rows to give, such as an
 * INSERT. NULL before, and for one that failed. Borrowed until the stream is closed. */
EVPQ_API const evpq_result *evpq_stream_summary(const evpq_stream *stream);

/* Takes the stream; NULL is allowed. Returns NULL. A statement that is still running is canceled on
 * the server, and its connection soon free, however many rows were left. Calls of evpq_stream_next
 * that wait fail with EVPQ_CLOSED. Results that were delivered stay with their futures. */
EVPQ_API evpq_stream *evpq_stream_close(evpq_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
