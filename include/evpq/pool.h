/* evpq/pool.h - queries on a pool of connections, and leases of one connection.
 *
 * A pool opens connections as they are needed, up to max_size, and keeps them. One-shot queries
 * (evpq_pool_query) go to whichever connection can take them: an idle one first; else, several may
 * travel down one connection behind each other (libpq's pipeline mode), each with a Sync of its
 * own, so that each commits or fails alone. A lease (evpq_pool_acquire) has its connection to
 * itself: for transactions, session settings, temporary tables. All who wait are served in the
 * order in which they came.
 *
 * A single connection is a pool with max_size = 1.
 *
 * Deadlines: wrap any call in evpq_timeout. The one deadline covers waiting for a connection,
 * look-up, connecting, the query, and canceling it.
 *
 * Fork: a pool and its leases are the parent's; see loop.h.
 *
 * Thread: the loop's, for every call. */
#ifndef EVPQ_POOL_H
#define EVPQ_POOL_H

#include <evpq/args.h>
#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/loop.h>
#include <evpq/result.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_pool evpq_pool;

/* One connection, yours until evpq_lease_release. It outlives the connection it stands for: when
 * that is lost, calls on the lease fail with EVPQ_LOST. */
typedef struct evpq_lease evpq_lease;

/* How a connection is cleaned when a lease is released (and after a one-shot statement that is not
 * plain DML), before it is idle again. A reset that fails closes the connection. */
typedef enum evpq_reset {
    EVPQ_RESET_DEFAULT,  /* as EVPQ_RESET_FULL where the session is the connection's own. Behind a
                            pooler it may be a stranger's by then: it is rolled back, no more, and
                            a connection is closed that a statement other than plain DML was run
                            on, so that the pooler cleans it up */
    EVPQ_RESET_NONE,     /* the same as ROLLBACK: no connection is handed on within a transaction */
    EVPQ_RESET_ROLLBACK, /* a transaction that is open is rolled back; settings, temporary tables,
                            LISTEN, advisory locks, cursors WITH HOLD and prepared statements are
                            left to the next user */
    EVPQ_RESET_FULL, /* ROLLBACK where needed, then DISCARD ALL: nothing of the session is left */
} evpq_reset;

/* Server-side prepared statements: a text that a connection sees again, with the same types
 * declared for its parameters (args.h), is prepared there and from then on only bound. */
typedef enum evpq_prepare {
    EVPQ_PREPARE_AUTO,
    EVPQ_PREPARE_OFF, /* for poolers that cannot */
} evpq_prepare;

/* A step that the pool waits for: returns a future of this loop (taken), or NULL when there is
 * nothing to wait for. `lease` is borrowed until that future has settled; do not release it. When
 * it fails, or is not done in time (connect_timeout for after_connect, acquire_timeout for
 * before_acquire, cancel_timeout for after_release), the connection is closed. A failed
 * after_connect counts as a failed connect. Whoever was about to get the connection on which
 * before_acquire failed keeps its place in the queue and gets another; the hook's error is in its
 * message when none has passed within acquire_timeout. While before_acquire fails on new
 * connections too, each is made after a pause, as after a failed connect. Called from the loop. */
typedef evpq_future *evpq_hook_fn(evpq_lease *lease, void *arg);

/* A notice or warning from the server, borrowed for the call. evpq_error_sql is the statement whose
 * answers came at that moment: NULL when there was none, as while connecting. Of statements that
 * share a Sync (evpq_pool_read, batches), one that the server sends while it parses or plans may
 * come with the statement before. Called from the loop, before what awaits that statement. */
typedef void evpq_notice_fn(const evpq_error *notice, void *arg);

/* Zero (or NULL) is the default, which stands in brackets. Copied. Times are seconds; where a time
 * may be switched off, a negative number does it. */
typedef struct evpq_pool_opts {
    size_t size; /* sizeof(evpq_pool_opts): lets the struct grow */

    int min_size;    /* connections kept open even when idle [0] */
    int max_size;    /* connections at most, of every kind [10, or min_size if that is more] */
    int max_waiting; /* calls that may wait for a connection; one more is EVPQ_QUEUE_FULL
                      * [100000] */

    double acquire_timeout; /* longest wait for a connection, for queries and leases, before_acquire
                               included [30] */
    double query_timeout;   /* evpq_timeout for every query of this pool and its leases, and for
                               each COMMIT [none]. The error of either says what was waited for, and
                               why it did not come */
    double connect_timeout; /* for each address of each host [conninfo's connect_timeout, or 10] */
    double cancel_timeout;  /* how long a canceled connection may take to become usable, and the
                               server to answer each statement of the library's own (ROLLBACK,
                               SAVEPOINT, the reset ...); else the connection is closed [5] */
    double idle_timeout;    /* idle longer than this, and more than min_size: closed [600] */
    double max_lifetime;    /* older than this: closed when next idle [3600] */
    double lifetime_jitter; /* each connection's lifetime is shorter by a random part of this,
                               which is no more than max_lifetime [max_lifetime / 10] */
    double backoff_min; /* first pause after a failed connect; it doubles, with jitter, ... [0.1] */
    double backoff_max; /* ... up to this [5] */

    int pipeline_depth; /* one-shot queries on one connection at a time; 1: no pipelining [128].
                           Behind a pooler each is sent when the one before is answered */
    evpq_prepare prepare;
    int prepared_max; /* prepared statements kept on a connection, least recently used out first
                         [256] */
    evpq_reset reset;

    /* On each new connection, before its first use, and again after EVPQ_RESET_FULL has made it as
     * new: the place for session settings. */
    evpq_hook_fn *after_connect;
    /* On each lease, before it is handed out; not for one-shot queries. */
    evpq_hook_fn *before_acquire;
    /* On each lease, after its release and before the reset. */
    evpq_hook_fn *after_release;
    void *hook_arg;

    /* Gets the notices of all connections, from the first message to the server on. Those of a
     * lease that has an evpq_lease_on_notice go there instead. [notices are dropped] */
    evpq_notice_fn *on_notice;
    void *notice_arg;

    /* Memory. A connection that has sent or received more than max_buffer_bytes in one piece (a
     * statement with its arguments, a row, a message of a COPY) is closed when next idle, as
     * libpq's buffers never shrink. [4 MiB] */
    size_t max_buffer_bytes;
    /* A statement whose result takes about more than this fails with EVPQ_INVALID, and is canceled:
     * what became of it is EVPQ_OUTCOME_UNKNOWN. Not for streams and COPY. Without a limit a result
     * may take any amount, until it is whole or given up. If the cancel request for a result that
     * was given up has no effect, its connection is closed after some 32 MiB more. [none]
     */
    size_t max_result_bytes;
    double prepared_lifetime; /* a statement prepared longer ago is prepared anew: bounds for how
                                 long the types of parameters may stay those of an older schema
                                 [as long as its connection lives] */
} evpq_pool_opts;

/* What a pool is doing now, and has done so far. */
typedef struct evpq_pool_stats {
    size_t size; /* set by the caller to sizeof(evpq_pool_stats) */

    int connecting; /* being looked up, connected, authenticated or in after_connect */
    int idle;
    int busy;    /* running one-shot queries */
    int leased;  /* leased, or on the way there or back (hooks, reset) */
    int closing; /* canceled: becoming quiet, or being closed */
    int waiting; /* queries and leases waiting for a connection */

    uint64_t queries;          /* sent to a server */
    uint64_t leases;           /* handed out */
    uint64_t connects;         /* connections that came up */
    uint64_t connect_failures; /* attempts that did not */
    uint64_t lost;             /* connections that broke, or that a hook failed on */
    uint64_t retired;          /* connections closed on purpose: idle, old, grown, or not clean */
    uint64_t cancels;          /* cancel requests sent */
    uint64_t acquire_timeouts;
    uint64_t rejected; /* EVPQ_QUEUE_FULL */
} evpq_pool_stats;

/* ---- life ---- */

/* A pool on `loop`. `conninfo` (borrowed) is libpq's: a connection string or URI, with PG*
 * environment variables, service and password files filling in what it leaves out. Several hosts
 * are tried in order, each address of each with a timeout of its own. Where they are not set:
 * gssencmode=disable (GSSAPI would look names up on the loop's thread), TCP keepalives after 30 s
 * and tcp_user_timeout=30 s, each by itself. What libpq would refuse is refused here, before
 * anything is sent. `opts` may be NULL. Given: let go of it with evpq_pool_unref. Opens no
 * connection yet unless min_size says so. NULL when the connection string or the options are wrong:
 * *ret_error (may be NULL) is then given. */
EVPQ_API EVPQ_NODISCARD evpq_pool *evpq_pool_open(evpq_loop *loop, const char *conninfo,
                                                  const evpq_pool_opts *opts,
                                                  evpq_error **ret_error);

/* One more reference: returns `pool`, given. */
EVPQ_API evpq_pool *evpq_pool_ref(evpq_pool *pool);

/* Takes a reference; NULL is allowed. Returns NULL. With the last one an open pool is closed,
 * without a deadline: what has been asked of it is still done. */
EVPQ_API evpq_pool *evpq_pool_unref(evpq_pool *pool);

/* Closes the pool: from now on calls fail with EVPQ_CLOSED. What runs or waits goes on for up to
 * `seconds` (negative: for as long as it takes; 0: not at all); what is left then fails with
 * EVPQ_CLOSED and is canceled on the server, and leases not released lose their connection. The
 * future is done when the last connection is closed. Closing a closing pool again can only bring
 * the end nearer. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_close(evpq_pool *pool, double seconds);

/* Done as soon as nothing runs, waits, or is leased. The pool stays open. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_drain(evpq_pool *pool);

/* Done when min_size connections (at least one) are up; fails with the first connection error
 * meanwhile: a program's start-up check. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_connect(evpq_pool *pool);

/* New limits from now on. Connections over max_size are closed when they become idle. EVPQ_INVALID
 * unless 0 <= min_size <= max_size and max_size >= 1; EVPQ_FORKED in a forked child. */
EVPQ_API evpq_status evpq_pool_resize(evpq_pool *pool, int min_size, int max_size);

/* Fills *stats as far as stats->size goes. EVPQ_INVALID, and nothing is written, for a size that no
 * version has, such as 0. */
EVPQ_API evpq_status evpq_pool_get_stats(const evpq_pool *pool, evpq_pool_stats *stats);

/* ---- one-shot queries ---- */

/* Runs one statement; done with its result (evpq_future_result). `sql` and everything in `args` are
 * copied. The future settles when the server has ended the statement's transaction, so that success
 * means committed. A statement that is not SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE or
 * WITH has a connection to itself, which is reset afterwards; so is one after SELECT INTO. What a
 * function called in a plain SELECT does to its session (set_config with is_local false,
 * pg_advisory_lock) is not seen, and meets others: use a lease. COPY from stdin or to stdout is
 * EVPQ_INVALID; of more than one statement in a text the server runs none (SQLSTATE 42601). The
 * extended query protocol has no place for either. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_query(evpq_pool *pool, const char *sql,
                                                     evpq_args args);

/* The same for a statement that only reads. Those that one turn of the loop sends down one
 * connection share a transaction, which costs the server less than one for each. The server holds
 * it to the promise: a statement that writes after all fails with 25006 (read_only_sql_transaction)
 * when it travels in company. Each still fails alone: those behind one that failed are run again.
 * To share a transaction means: now() is the same for all of them, above READ COMMITTED so is the
 * snapshot, locks are held until the last has run; and set_config(..., true), set_config(...,
 * false) and advisory locks are possible, as in any read-only transaction. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_read(evpq_pool *pool, const char *sql,
                                                    evpq_args args);

/* ---- leases ---- */

/* Waits for a connection of one's own; done with a lease. A lease that nobody takes out of the
 * future is released when the future goes. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_pool_acquire(evpq_pool *pool);

/* The lease of a done evpq_pool_acquire, given: release it. NULL for any other future, and the
 * second time. */
EVPQ_API EVPQ_NODISCARD evpq_lease *evpq_future_lease(evpq_future *f);

/* Runs one statement on the leased connection, after those asked for before. Several may be under
 * way: they are sent at once and run in order, each in its own transaction unless BEGIN was among
 * them. Canceling one that has others behind it stops it on the server only when those are canceled
 * too. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_lease_query(evpq_lease *lease, const char *sql,
                                                      evpq_args args);

/* The process id of the server process, as pg_backend_pid() gives it; 0 when the connection is
 * lost. */
EVPQ_API int evpq_lease_backend_pid(const evpq_lease *lease);

/* From now on calls fn(notice, arg) with the notices of this lease's connection, in place of the
 * pool's on_notice, until the lease is released; with NULL the pool's again. EVPQ_INVALID for one
 * that was released; EVPQ_FORKED. */
EVPQ_API evpq_status evpq_lease_on_notice(evpq_lease *lease, evpq_notice_fn *fn, void *arg);

/* Takes the lease; NULL is allowed. Returns NULL. Queries under way on it run to their end; then
 * the connection is reset and goes to the next in line. */
EVPQ_API evpq_lease *evpq_lease_release(evpq_lease *lease);

#ifdef __cplusplus
}
#endif

#endif
