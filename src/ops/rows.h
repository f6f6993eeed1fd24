/* rows.h - the operation that runs one statement and hands on its rows as they come.
 *
 * Rows are handed on in results of so many rows, which libpq makes from 17 on; below, and where the
 * bytes of a result are bounded, rows come one by one and are gathered. Whoever uses it says when
 * it has had enough for now (rows_pause): then nothing is read. Nothing is sent behind it before it
 * is over, so that it can be canceled whenever it is no longer wanted.
 *
 * The request is in the block of its user, who keeps it until off() is called. */
#ifndef OPS_ROWS_H
#define OPS_ROWS_H

#include "libpq/row_buffer.h"
#include "ops/verdict.h"
#include "values/request.h"

struct rows;

/* What its user does with rows. */
enum rows_came {
    ROWS_KEPT,
    ROWS_TOLD, /* to somebody, who is to run before more is read */
    ROWS_LOST, /* there was no memory: it fails */
};

/* The user's side: called from the pipeline, and from rows_flush. */
struct rows_user {
    enum rows_came (*came)(struct rows *, evpq_result *rows); /* one or more: given */
    /* No more rows come: `last`, without rows, is the statement's own result, or `error` says why
     * it failed; given. Not when it was stopped. */
    void (*ended)(struct rows *, evpq_result *last, evpq_error *error);
    /* It is off the pipeline; after ended, unless it was stopped. May free it. */
    void (*off)(struct rows *);
};

enum rows_state {
    ROWS_AWAITED, /* none has come: the statement may be run again */
    ROWS_COMING,
    ROWS_CUT,  /* some were lost, as there was no memory: none may follow */
    ROWS_OVER, /* ended was called, or never will be */
};

struct rows {
    struct op op;
    const struct rows_user *user;
    struct request request;
    int most;          /* rows in a result */
    size_t most_bytes; /* of values in a result; 0: not bounded where libpq makes the results */
    struct conn *conn; /* while on its pipeline */
    struct stmt_run run;
    struct verdict verdict;
    struct row_buffer buffered;
    struct job deliver; /* with nothing more to read: hands on what was gathered, or the error */
    evpq_result *last;
    bool alone;            /* on a connection that nobody else uses: it may be run again */
    bool preparable;       /* may be prepared */
    enum rows_state state; /* written by rows_to alone */
};

/* The size of the request, before rows_init. An error (given) says why it cannot be sent. */
evpq_error *rows_measure(const char *sql, const evpq_args *args, struct request_size *ret_size);

/* Writes the request into `room`, which has the size that was measured. */
void rows_init(struct rows *s, const struct rows_user *user, void *room, const char *sql,
               const evpq_args *args, const struct request_size *size);

/* Sends it down a connection's pipeline. */
void rows_submit(struct rows *s, struct conn *c);

/* Hands on what was gathered so far, if anything was. */
void rows_flush(struct rows *s);

/* Stops reading, or goes on. */
void rows_pause(struct rows *s, bool paused);

/* Nobody wants its rows any more. It is canceled on the server, and is off the pipeline soon or
 * already. The block that it is in must stay until then. */
void rows_stop(struct rows *s);

/* Lets go of what it holds; it is not in a pipeline. */
void rows_free(struct rows *s);

#endif
