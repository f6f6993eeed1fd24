/* stmt_run.h - one run of a statement on a connection: sent as it is, or prepared there, and what
 * its answers say of the prepared statement and of the session. Part of every operation that runs
 * statements: query, rows, batch, executemany. What the operation comes to is decided in verdict. */
#ifndef OPS_STMT_RUN_H
#define OPS_STMT_RUN_H

#include "conn/conn.h"
#include "pipeline/peer.h"
#include "values/request.h"

struct stmt_run {
    struct stmt *stmt; /* pinned, while it is in a pipeline; NULL: sent as it is */
    bool preparing;    /* the first answer will be that of Prepare */
    bool used;         /* the prepared statement was bound */
    bool plain;        /* not this time: it is run again after the prepared one had failed */
    bool stale;        /* the error may lie with the prepared statement */
    char suspect[6];   /* the SQLSTATE that raised the doubt, until it is known */
};

/* Whether a statement may rely on what others in the session have done, and can be run again when
 * that was wrong. */
enum stmt_trust {
    STMT_CAUTIOUS, /* not run again: only what the server has confirmed, in a session of our own */
    STMT_TRUSTING, /* run again unseen */
};

/* Before it is submitted. `preparable`: it may be prepared. */
static inline void stmt_run_board(struct stmt_run *u, struct conn *c, const struct request *r,
                                  bool preparable, enum stmt_trust trust)
{
    u->preparing = u->used = u->stale = false;
    u->stmt = preparable ? stmts_use(&c->stmts, r) : NULL;
    if (u->stmt && trust == STMT_CAUTIOUS && c->pipeline.peer == PEER_UNKNOWN &&
        stmt_wants_prepare(u->stmt))
        peer_ask(&c->pipeline); /* ahead of it: the next time it may be prepared */
}

/* It is off the pipeline. */
static inline void stmt_run_leave(struct stmt_run *u)
{
    stmt_unpin(u->stmt);
    u->stmt = NULL;
}

/* The name by which it may be run now, "" for none, and whether a Prepare goes ahead of it. */
const char *stmt_run_name(struct stmt_run *u, struct pipeline *pipeline, enum stmt_trust trust);

/* Hands it to libpq, in one part or two, which are added to op->parts. */
bool stmt_run_send(struct stmt_run *u, struct op *op, struct pipeline *pipeline,
                   const struct request *r, enum stmt_trust trust);

/* What came for it. Whether the result is its own, and not that of its Prepare. */
bool stmt_run_result(struct stmt_run *u, struct conn *c, const struct pg_result *r);
void stmt_run_error(struct stmt_run *u, const struct pg_result *r);
void stmt_run_aborted(struct stmt_run *u);
/* The end of its answers, or of those of its Prepare: true. */
static inline bool stmt_run_prepared(struct stmt_run *u)
{
    bool preparing = u->preparing;
    u->preparing = false;
    return preparing;
}

/* For a prepared statement under suspicion. */
void stmt_run_clear(struct stmt_run *u, const evpq_error *error);

/* It is over, with this error (borrowed; NULL: done), and is not run again: forgets a prepared
 * statement that has shown to be of no use. */
static inline void stmt_run_over(struct stmt_run *u, const evpq_error *error)
{
    if (*u->suspect)
        stmt_run_clear(u, error);
}

#endif
