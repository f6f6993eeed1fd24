/* conn.h - one connection, from dialing to its end.
 *
 * Puts wire, pipeline and statements together, and adds what needs all three: canceling with its
 * fence, and the reset. Its owner (the pool) is told what it needs to know through one table, and
 * sees nothing below. */
#ifndef CONN_CONN_H
#define CONN_CONN_H

#include "pipeline/command.h"
#include "pipeline/pipeline.h"
#include "pipeline/stmt.h"
#include "wire/cancel.h"
#include "wire/dial.h"
#include "words/why.h"

struct conn;

struct conn_config {
    evpq_loop *loop;
    const struct conninfo *conninfo;
    struct rng *rng;
    double connect_timeout, cancel_timeout;
    int prepared_max;
    double prepared_lifetime; /* 0: for as long as the connection */
    bool prepares;
    size_t buffer_most, result_most; /* see struct pipeline */
    bool pooled; /* set when one of these connections is seen to end at a pooler */
};

/* The owner's side; filled in by pool/events.c and listen/link.c. Called from watchers and jobs.
 * From inside a conn_ function that the owner or an operation calls, two of them are called and no
 * other: conn_kill, conn_look, conn_abandon and conn_reset may call dead, and conn_abandon may call
 * canceling. */
struct conn_owner {
    size_t size; /* of the owner's own struct, which begins with the struct conn */
    void (*opened)(struct conn *);
    /* An operation is over; others are in flight. */
    void (*room)(struct conn *);
    /* Nothing is in flight, nothing is being canceled. */
    void (*quiet)(struct conn *);
    /* `why` is borrowed. Its operations fail after this; its memory goes later. */
    void (*dead)(struct conn *, const evpq_error *why);
    /* After dead: its operations have failed, and it is about to be freed. */
    void (*freeing)(struct conn *);
    /* From the moment at which the server is spoken to. The notice is given; nothing may be done to
     * the connection. */
    void (*notice)(struct conn *, evpq_error *notice);
    /* NOTIFY sent something; borrowed. NULL: nobody listens. */
    void (*notified)(struct conn *, const struct pq_notification *);
    /* A cancel request goes out, or one more. Until quiet is called nobody can use the connection.
     * What was not sent may go another way now: conn_return_unsent. */
    void (*canceling)(struct conn *);
    /* DISCARD ALL has run: the session is new. NULL: it is never reset. */
    void (*discarded)(struct conn *);
};

/* How a session is cleaned. */
enum conn_clean {
    CLEAN_NOTHING, /* what is open is rolled back, and no more */
    CLEAN_OURS,    /* DISCARD ALL, where the session is ours alone. Behind a pooler it may be a
                      stranger's by now: then a connection that has left marks is closed, which
                      tells a pooler to clean up, and any other is left as it is */
    CLEAN_ALWAYS,  /* DISCARD ALL, whosever the session is */
};

enum conn_state {
    CONN_DIALING,
    CONN_OPEN,        /* operations are sent */
    CONN_QUARANTINED, /* from a cancel request until the fence behind it is answered */
    CONN_RESETTING,   /* until the session is clean */
    CONN_DEAD,        /* until its memory goes */
};

/* How far a reset has come, while RESETTING. */
enum conn_reset_step {
    CONN_RESET_NONE,
    CONN_RESET_ROLLBACK,       /* ROLLBACK is on the pipeline, and it is all */
    CONN_RESET_ROLLBACK_FIRST, /* ROLLBACK is: whether DISCARD ALL follows is decided after it */
    CONN_RESET_ASKING,         /* the peer is asked whose the session is */
    CONN_RESET_DISCARD, /* DISCARD ALL is on the pipeline, with ROLLBACK before it if need be */
};

struct conn {
    evpq_loop *loop; /* a reference */
    struct pipeline pipeline;
    struct stmts stmts;
    struct conn_config *config;
    const struct conn_owner *owner;

    enum conn_state state;
    bool killed;  /* dead by conn_kill: not the server's doing */
    bool hurried; /* until it is at rest: somebody said by when that must be */
    struct dial_owner dialing;
    struct dial *dial;
    struct timer limit_timer; /* the limit of what is the library's own: cancel_timeout */

    struct cancel *cancel; /* the request */
    struct command fence;
    struct timer retry_timer; /* until the next cancel request, or until the first may be due */
    double pause;             /* before that; 0: none since an answer came */

    bool dirty; /* a statement may have changed the session: to be reset before another uses it */
    enum conn_reset_step reset; /* written by reset_to alone */
    struct command rollback, discard;

    struct job settling, free_later;
};

/* Begins to connect. `config` and `owner` are borrowed as long as it lives. It is the first member
 * of an owner's struct of owner->size bytes, of which the rest is zero. NULL without memory. */
struct conn *conn_new(struct conn_config *config, const struct conn_owner *owner);

/* Puts an operation at the end of the pipeline; a quarantined connection sends it when it is
 * through. */
void conn_submit(struct conn *c, struct op *op);

/* Whether an idle connection is still good, where the loop has not looked at its socket since the
 * program, outside the loop, asked for something. When it is not, dead has been called. */
bool conn_look(struct conn *c);

/* Sends another way what was not sent yet: each such operation fails, not sent. */
void conn_return_unsent(struct conn *c);

/* What became of an operation that nobody waits for any more. */
enum conn_abandoned {
    CONN_NOT_SENT,   /* it is off the pipeline */
    CONN_NOT_UNDONE, /* likewise, but it had been sent before: ROLLBACK was to go in its place */
    CONN_ON_SERVER,  /* its answer will be read and dropped; it is canceled if nothing else would
                       suffer */
    CONN_NO_KEY,     /* as it could not be canceled, the connection was closed (the operation has
                       failed) */
};
enum conn_abandoned conn_abandon(struct conn *c, struct op *op);

/* Whether another one-shot operation may be sent behind those in flight. They must be few, not
 * large and quick, the first must not be overdue, and no statement may have changed the session. */
bool conn_admits(const struct conn *c, int depth);

/* Cleans the session, then quiet is called, and it is not dirty any more; or dead, when it cannot be
 * cleaned. Only when quiet. */
void conn_reset(struct conn *c, enum conn_clean how);
/* Whether a transaction is open, or how the session stands is not known. */
bool conn_in_transaction(const struct conn *c);

/* Nothing is in flight, being canceled, or being reset. */
bool conn_at_rest(const struct conn *c);

int conn_backend_pid(const struct conn *c);

/* Calls quiet soon, if it is at rest then. */
void conn_settle_later(struct conn *c);

/* What runs must end within so many seconds. Then quiet is called, or dead. */
void conn_hurry(struct conn *c, double seconds);

/* Tells all who wait `why` (borrowed), and cancels what runs. Then quiet is called, or dead. */
void conn_detach(struct conn *c, const evpq_error *why);

/* What it is at: connecting, or with an operation on its pipeline (NULL: with none in particular). */
void conn_why(const struct conn *c, const struct op *op, struct why *why);

/* Closes at once, for a reason (borrowed) that its operations are told. */
void conn_kill(struct conn *c, const evpq_error *why);

#endif
