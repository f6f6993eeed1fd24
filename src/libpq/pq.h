/* pq.h - libpq's connection as the floors above see it: what evpq needs of it, one name for each
 * thing in every version of libpq, and nothing that blocks (pq_cancel_now excepted).
 *
 * pq.c sends and receives, pq_error.c makes errors of what was said, pq_cancel.c cancels. */
#ifndef LIBPQ_PQ_H
#define LIBPQ_PQ_H

#include "values/request.h"

#include <evpq/error.h>
#include <stdbool.h>

struct pg_conn;   /* libpq's PGconn */
struct pg_result; /* libpq's PGresult */

/* ---- connecting ---- */

enum pq_poll { PQ_POLL_READ, PQ_POLL_WRITE, PQ_POLL_DONE, PQ_POLL_FAILED };
enum pq_poll pq_poll_of(int polling); /* libpq's PostgresPollingStatusType */

/* Begins to connect. Hosts must have numeric addresses in hostaddr. NULL only without memory. */
struct pg_conn *pq_connect(const char *const *keywords, const char *const *values);
enum pq_poll pq_connect_poll(struct pg_conn *c);
/* Whether that may compute for long, as the server wants (SCRAM): a password is at hand, and an
 * answer of the server's is expected. */
bool pq_may_compute(const struct pg_conn *c);
bool pq_is_encrypted(struct pg_conn *c); /* TLS or GSSAPI: what arrives cannot be looked at */
/* Why connecting failed: EVPQ_CONNECT, with the server's SQLSTATE if it gave one. A password that
 * libpq lacks reads as 28P01, as one that the server refuses does. */
evpq_error *pq_connect_error(const struct pg_conn *c);

/* Notices are dropped until somebody listens (borrowed until pq_finish). Called from inside pq
 * functions; the notice is given. `fatal`: it is an error, and the server is about to hang up. */
struct pq_listener {
    void (*notice)(struct pq_listener *, evpq_error *notice, bool fatal);
};
void pq_listen(struct pg_conn *c, struct pq_listener *listener);

/* Non-blocking and in pipeline mode, for good. */
bool pq_enter_pipeline(struct pg_conn *c);
/* For what cannot be pipelined: only when nothing is in flight. */
bool pq_leave_pipeline(struct pg_conn *c);
void pq_finish(struct pg_conn *c); /* NULL is allowed */

bool pq_is_whole(const struct pg_conn *c); /* as far as libpq knows */
int pq_socket(const struct pg_conn *c);
int pq_backend_pid(const struct pg_conn *c); /* 0: the server gave no cancel key */

/* ---- sending: into libpq's buffer. False: refused, and pq_error says why. ---- */

bool pq_send_request(struct pg_conn *c, const struct request *r);
bool pq_send_prepare(struct pg_conn *c, const char *name, const struct request *r);
bool pq_send_prepared(struct pg_conn *c, const char *name, const struct request *r);
bool pq_send_command(struct pg_conn *c, const char *sql);
bool pq_send_prepare_command(struct pg_conn *c, const char *name, const char *sql);
bool pq_send_prepared_command(struct pg_conn *c, const char *name);
/* Its result has the columns of the statement, and no rows. */
bool pq_send_describe(struct pg_conn *c, const char *name);
bool pq_send_deallocate(struct pg_conn *c, const char *name);
bool pq_send_sync(struct pg_conn *c);
/* By the simple protocol, outside pipeline mode: without Sync, and with an END when the server is
 * ready again. */
bool pq_send_simple(struct pg_conn *c, const char *sql);
/* The rows of the statement whose answers come next are to be given as they arrive (PQ_ROWS), so
 * many at a time where libpq can (17 and later), else one by one. False: not now, as another
 * statement's answers come first. */
bool pq_ask_rows(struct pg_conn *c, int rows);
bool pq_gives_chunks(void);
bool pq_sync_flushes(void);      /* below libpq 17 each Sync is a system call */
int pq_flush(struct pg_conn *c); /* 0 all is sent, 1 wait until writable, -1 the link is broken */

/* ---- receiving ---- */

/* Reads what is there. False: the link is broken; what had arrived before can still be taken. */
bool pq_consume(struct pg_conn *c);
/* A TLS session may hold bytes, already decrypted, that the socket will not announce (a record is
 * up to 16 kB, and libpq may take less at a time). All NULL on a plain connection. */
struct pq_tls {
    int (*pending)(const void *session);
    const void *session;
};
struct pq_tls pq_tls(struct pg_conn *c);
static inline bool pq_tls_has_bytes(const struct pq_tls *tls)
{
    return tls->pending && tls->pending(tls->session) > 0;
}

enum pq_kind {
    PQ_NOTHING,  /* the rest has not arrived */
    PQ_END,      /* no more results of this statement */
    PQ_ROWS,     /* some rows; more of the same statement follow, or a RESULT without rows */
    PQ_RESULT,   /* rows, or a command's completion */
    PQ_ERROR,    /* an error of the server's, or of libpq's own */
    PQ_ABORTED,  /* not run: an earlier statement before the same Sync failed */
    PQ_SYNC,     /* everything before this Sync is over */
    PQ_COPY_IN,  /* the server waits for data */
    PQ_COPY_OUT, /* data follow */
};

/* The next thing that has arrived, without waiting. *ret_result is given for ROWS, RESULT and
 * ERROR, else NULL. Not during a COPY. */
enum pq_kind pq_next(struct pg_conn *c, struct pg_result **ret_result);
void pq_clear(struct pg_result *r);
/* About how much memory it takes. */
size_t pq_result_size(const struct pg_result *r);
/* The bytes of its largest row. Looks at every cell. */
size_t pq_largest_row(const struct pg_result *r);
/* Whether ROWS have the command's tag. libpq 17 puts it into the last of them when these are fewer
 * than were asked for, and then none into the RESULT that follows. */
bool pq_rows_have_tag(const struct pg_result *r);

/* Something that NOTIFY sent; the strings are borrowed until the next call. False: nothing more has
 * arrived. */
struct pq_notification {
    void *handle; /* libpq's */
    const char *channel, *payload;
    int pid; /* of the server process that sent it */
};
bool pq_notified(struct pg_conn *c, struct pq_notification *n); /* begin with a zeroed one */

/* What a statement that looked harmless has done to its session, as its command tag tells: made a
 * table (SELECT INTO, which may be a temporary one), or dropped all prepared statements. */
enum pq_mark { PQ_MARK_NONE, PQ_MARK_TABLE, PQ_MARK_NO_STATEMENTS };
enum pq_mark pq_mark(const struct pg_result *r);

/* The first value as an integer; 0 where there is none. */
int pq_int_value(const struct pg_result *r);
/* Whether an error says that the transaction had failed before (25P02). */
bool pq_is_in_failed_transaction(const struct pg_result *r);

/* How many rows a command affected, by its tag; -1 if that does not say. */
int64_t pq_affected(const struct pg_result *r);

/* Whether the server hangs up after this error. */
bool pq_is_fatal(const struct pg_result *r);
/* A notice, as an error that is none. */
evpq_error *pq_notice_error(const struct pg_result *r);
/* The error that a PQ_ERROR result is. Its outcome is UNKNOWN: what became of the statement is
 * decided at the Sync (ops/verdict.h). */
evpq_error *pq_result_error(const struct pg_result *r, const char *sql);
/* libpq would not send a statement, though the link is whole: EVPQ_NOMEM or EVPQ_INVALID, not
 * sent. */
evpq_error *pq_refused_error(const struct pg_conn *c, const char *sql);
/* An error of the link: EVPQ_LOST, with libpq's words for it. */
evpq_error *pq_lost_error(const struct pg_conn *c);
/* What an error says of a prepared statement that was run. */
enum pq_stale {
    PQ_STALE_NO,      /* nothing: constraints, locks, conflicts, limits, the program's own errors */
    PQ_STALE_GONE,    /* the server does not have it (26000): deallocated, or another server's */
    PQ_STALE_PLAN,    /* its result type has changed with the schema (0A000) */
    PQ_STALE_SUSPECT, /* perhaps: what was parsed under an older schema, types of parameters among
                         it, fails in many ways (22003, 22P02, 42804, 42P10, XX000, ...) */
};
enum pq_stale pq_stale(const struct pg_result *r);
const char *pq_sqlstate(const struct pg_result *r); /* "" where there is none */
/* Whether Prepare failed because there is one of that name (42P05). */
bool pq_is_prepared_already(const struct pg_result *r);

/* Whose word an error is. */
enum pq_word {
    PQ_WORD_SERVER, /* the server's: when it is ready again, the statement was rolled back */
    PQ_WORD_DOUBT,  /* a pooler's, or of a kind that leaves the statement's fate open */
    PQ_WORD_LAST, /* FATAL or PANIC: the connection ends, and what it did may have been committed */
};
enum pq_word pq_word(const struct pg_result *r);

enum pq_transaction { PQ_TXN_IDLE, PQ_TXN_OPEN, PQ_TXN_FAILED, PQ_TXN_UNKNOWN };
enum pq_transaction pq_transaction(const struct pg_conn *c);

/* ---- COPY: after PQ_COPY_IN or PQ_COPY_OUT, outside pipeline mode ---- */

/* Into libpq's buffer. False: the link is broken, or there is no memory. */
bool pq_copy_put(struct pg_conn *c, const char *bytes, size_t length);
/* No more data; `why` (NULL: all is well) makes the server fail the COPY. Results follow. */
bool pq_copy_end(struct pg_conn *c, const char *why);
/* One message: its length, with *ret_buffer given (pq_copy_free); 0: the next has not arrived; -1:
 * the COPY is over, or failed, and results follow. */
int pq_copy_get(struct pg_conn *c, char **ret_buffer);
void pq_copy_free(char *buffer);

/* ---- canceling ---- */

struct pq_cancel;

/* Prepares to cancel what runs on c. NULL without memory. */
struct pq_cancel *pq_cancel_new(struct pg_conn *c);
void pq_cancel_free(struct pq_cancel *k);
/* Whether this libpq can send the request without blocking (17 and later). If so: start, then poll
 * as for connecting; else pq_cancel_now in a thread of its own. */
bool pq_cancel_is_async(void);
bool pq_cancel_start(struct pq_cancel *k);
enum pq_poll pq_cancel_poll(struct pq_cancel *k);
int pq_cancel_socket(const struct pq_cancel *k);
bool pq_cancel_now(struct pq_cancel *k); /* blocks; any thread */

#endif
