/* evpq/txn.h - transactions, batches, and one statement over many rows of arguments.
 *
 *     static evpq_future *pay(evpq_txn *txn, void *arg)
 *     {
 *         struct payment *p = arg;
 *         evpq_txn_query(txn, "update account set credit = credit - $2 where id = $1", ...);
 *         return evpq_txn_query(txn, "update account set credit = credit + $2 where id = $1", ...);
 *     }
 *     ...
 *     evpq_future *paid = evpq_transact(pool, &opts, pay, p);
 *
 * (Each future is let go of with evpq_future_unref, which is left out here.)
 *
 * Nothing is sent for its own sake: BEGIN goes with the first statement, and statements that are
 * asked for in one turn of the loop go together, COMMIT among them. So begin, two updates and
 * commit are one round trip when nothing is awaited between them. Of statements that went together
 * those behind one that failed are not carried out.
 *
 * Once a statement has failed the transaction can only be rolled back, as the server wants it: a
 * commit then rolls back, and fails with the reason. What may fail goes into a savepoint
 * (evpq_txn_savepoint), which is a transaction within one.
 *
 * Fork: as for pools. Thread: the loop's, for every call. */
#ifndef EVPQ_TXN_H
#define EVPQ_TXN_H

#include <evpq/pool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A transaction, or a savepoint in one. It outlives its connection: calls then fail with
 * EVPQ_LOST. */
typedef struct evpq_txn evpq_txn;

typedef enum evpq_isolation {
    EVPQ_ISOLATION_DEFAULT, /* the server's default_transaction_isolation */
    EVPQ_ISOLATION_READ_COMMITTED,
    EVPQ_ISOLATION_REPEATABLE_READ,
    EVPQ_ISOLATION_SERIALIZABLE,
} evpq_isolation;

/* Zero is the default, which stands in brackets. Copied. Times are seconds. */
typedef struct evpq_txn_opts {
    size_t size; /* sizeof(evpq_txn_opts): lets the struct grow */

    evpq_isolation isolation;
    bool read_only;  /* [default_transaction_read_only] */
    bool deferrable; /* of a SERIALIZABLE one that is read_only: waits for a safe snapshot [no] */
    bool probe;      /* when the link is lost between COMMIT and its answer, find out what became of
                        it; see evpq_txn_commit [no] */

    /* For evpq_transact alone. */
    int tries;          /* how often the function may be run [5] */
    double backoff_min; /* about how long to pause before the second try; it doubles, ... [0.01] */
    double backoff_max; /* ... up to this [1, or backoff_min if that is more] */
    double timeout;     /* one deadline for all of it: waiting for connections, tries, pauses;
                           negative: none [that of the calling task, which bounds it in any case] */
} evpq_txn_opts;

/* ---- a transaction ---- */

/* Waits for a connection of the pool; done with a transaction on it (evpq_future_txn), of which the
 * server does not know yet. One that nobody takes out of the future is rolled back when the future
 * goes. `opts` may be NULL. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_begin(evpq_pool *pool, const evpq_txn_opts *opts);

/* The same on a leased connection, on which no other transaction is open: done at once. The lease
 * is borrowed until the transaction has ended; released before, it is rolled back. What is asked of
 * it behind an evpq_txn_commit or evpq_txn_rollback is sent when that is answered, and is outside
 * the transaction whether or not it was committed. Where BEGIN fails, it may be carried out all the
 * same, or the connection is closed. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_lease_begin(evpq_lease *lease, const evpq_txn_opts *opts);

/* The transaction of a done evpq_pool_begin or evpq_lease_begin, given: hand it to evpq_txn_commit
 * or evpq_txn_rollback. NULL for any other future, and the second time. */
EVPQ_API EVPQ_NODISCARD evpq_txn *evpq_future_txn(evpq_future *f);

/* Runs one statement in the transaction (borrowed), as evpq_lease_query does. A text that begins or
 * ends a transaction or savepoint is EVPQ_INVALID. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_txn_query(evpq_txn *txn, const char *sql, evpq_args args);

/* A savepoint in `txn` (borrowed, and kept until the savepoint has ended): a transaction of its
 * own, given, which evpq_txn_commit makes part of `txn`, and evpq_txn_rollback undoes alone.
 * Meanwhile nothing can be asked of `txn` itself but another end: it rolls the savepoint back with
 * it, and evpq_txn_commit is refused then. Any depth. Calls on a savepoint whose transaction has
 * ended are EVPQ_INVALID; it is handed to evpq_txn_rollback all the same. NULL when `txn` cannot
 * have one (it is NULL, has ended, or another is open in it), or there is no memory. */
EVPQ_API EVPQ_NODISCARD evpq_txn *evpq_txn_savepoint(evpq_txn *txn);

/* The connection of the transaction, for what only a lease can do. The transaction has begun on it
 * then. Borrowed until the transaction ends; do not release it, and end the transaction with
 * evpq_txn_ functions only. A stream or COPY on it is part of the transaction, which does not end
 * before it. What is asked of it, and of the transaction, is carried out in the order in which it
 * was asked for; where BEGIN fails, nothing of it is, and the connection is closed. NULL when the
 * transaction has ended, or its connection is lost. */
EVPQ_API evpq_lease *evpq_txn_lease(evpq_txn *txn);

/* Commits (takes `txn`), after what was asked for before. Done: it is committed. Fails where it was
 * rolled back: with EVPQ_SERVER and the SQLSTATE of the statement that had failed before, whose
 * message is the detail; or with the reason for which COMMIT itself was refused. EVPQ_INVALID, and
 * rolled back, when a savepoint is open in it.
 *
 * With EVPQ_LOST and EVPQ_OUTCOME_UNKNOWN the link was lost after COMMIT had been sent: it may be
 * committed or not, and only the database can tell. With opts.probe it is asked: on another
 * connection of the pool, again while the old session still lasts, for up to half a minute. Then
 * the future is done where it was committed, or its error has EVPQ_OUTCOME_REJECTED where it was
 * rolled back. Both are facts of the server that the transaction ran on: a standby may lack what is
 * committed there.
 *
 * It stays unknown, and the detail of the error says why, where the link was lost so early that the
 * transaction's number had not arrived; where it had none (it wrote nothing); where another server
 * answers, or the same one has been restarted, as nothing proves then that the number means the
 * same transaction to it; and where the server has crashed since and says "committed", as it may
 * have given that number to another transaction. It stays unknown, too, to a role that may not call
 * pg_control_system(), which all may by default.
 *
 * The pool's query_timeout bounds it: then it is EVPQ_TIMEOUT, and EVPQ_OUTCOME_UNKNOWN once COMMIT
 * was sent. A savepoint's end has cancel_timeout besides.
 *
 * Canceled or timed out before COMMIT was sent, it is rolled back, before anything that is asked of
 * its lease afterwards. Statements of it that had not been sent then are EVPQ_CANCELED and
 * EVPQ_OUTCOME_NOT_SENT. But where more was asked for behind it by then, of a lease that the
 * program goes on with or of what is around a savepoint, it is carried out all the same, as that
 * would be undone, too: the future is EVPQ_OUTCOME_UNKNOWN.
 *
 * It fails, too, when its connection was lost or its lease released, even if nothing had been sent,
 * provided that a statement had been asked for. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_txn_commit(evpq_txn *txn);

/* Rolls back (takes `txn`; NULL is allowed, and EVPQ_INVALID), with all savepoints open in it.
 * Statements of it that are still running are canceled. What is asked of its lease afterwards comes
 * after the ROLLBACK. Done when that is so, which a lost connection is as well; so it is done
 * within cancel_timeout. It cannot be called off: canceling the future, or letting go of it, only
 * stops waiting. So evpq_future_unref(evpq_txn_rollback(txn)) is how to drop a transaction. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_txn_rollback(evpq_txn *txn);

/* ---- a function in a transaction ---- */

/* What is to be done in a transaction. `txn` is borrowed until the future that this returns
 * (taken; NULL: done, without a value) has settled. It runs in a task of its own, and so may wait
 * (evpq_await); or it returns a future that says when it is done. It may be called several times
 * (see evpq_transact): what it does to anything but the database should bear that. */
typedef evpq_future *evpq_txn_fn(evpq_txn *txn, void *arg);

/* Runs fn(txn, arg) in a transaction: commits when what it returned is done, and is then done with
 * the same value; rolls back when that fails, and fails so too. An end in which a statement had
 * failed that fn took no notice of is a failure, too. But one that was never sent (it has
 * EVPQ_OUTCOME_NOT_SENT: a value of a wrong type, no memory) is no part of the transaction: fn has
 * to look at its future, or return it.
 *
 * It is run again in a new transaction, after a pause, when it failed and a statement of it, or
 * COMMIT, met a serialization failure or deadlock (SQLSTATE 40001, 40P01), or when the connection
 * was lost and it is certain that the transaction is rolled back. After a COMMIT whose outcome is
 * not known (EVPQ_OUTCOME_UNKNOWN) it is not run again.
 *
 * `arg` is borrowed until the future settles; if that is canceled (evpq_future_cancel), until the
 * task of fn has ended. Canceling stops that task as evpq_task_cancel does, and rolls back;
 * evpq_task_cancel on this future, and a task that waits for it and is stopped, wait until that is
 * so. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_transact(evpq_pool *pool, const evpq_txn_opts *opts,
                                                   evpq_txn_fn *fn, void *arg);

/* ---- batches ---- */

/* A statement and its parameters. */
typedef struct evpq_statement {
    const char *sql;
    evpq_args args;
} evpq_statement;

/* Runs `n` statements in one round trip and one transaction: all of them or none. `v` and all that
 * it points to are copied. The results are in order: evpq_future_at(f, i) is what the i-th gave,
 * for evpq_future_result, and settles when `f` does. Fails with the first error; its detail tells
 * which statement it was, and so does the i-th future, which has failed with that error as it came.
 * Statements that cannot run in a transaction block, such as VACUUM, fail so; but one that comes
 * first the server commits by itself, as it does what a procedure commits (PostgreSQL
 * documentation, "Pipelining"): leave these out of batches. BEGIN, COMMIT and their like are
 * EVPQ_INVALID, as is n = 0. Canceling one of its futures cancels it all. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_batch(evpq_pool *pool, const evpq_statement *v,
                                                     size_t n);
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_lease_batch(evpq_lease *lease, const evpq_statement *v,
                                                      size_t n);
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_txn_batch(evpq_txn *txn, const evpq_statement *v,
                                                    size_t n);

/* Runs one statement, prepared once, for each of the `n` rows of arguments, in one transaction: for
 * all of them or for none. All is copied; beside that copy memory is bounded, whatever n. The rows
 * must agree in how many parameters they have and what types they declare. Done with the number of
 * rows that were affected in all (evpq_future_affected); what the statement returns is dropped. The
 * detail of its error tells which row it was. n = 0 is EVPQ_INVALID. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_executemany(evpq_pool *pool, const char *sql,
                                                      const evpq_args *rows, size_t n);
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_lease_executemany(evpq_lease *lease, const char *sql,
                                                            const evpq_args *rows, size_t n);
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_txn_executemany(evpq_txn *txn, const char *sql,
                                                          const evpq_args *rows, size_t n);

/* Of a done query or executemany: how many rows it affected, as evpq_result_affected says; -1 for
 * any other future. */
EVPQ_API int64_t evpq_future_affected(const evpq_future *f);

#ifdef __cplusplus
}
#endif

#endif
