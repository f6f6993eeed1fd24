/* phrase.h - a statement on its way down a line: sent as it is, or prepared there, and what its
 * answers say about that. What all verbs that run statements have in common. */
#ifndef VERBS_PHRASE_H
#define VERBS_PHRASE_H

#include "conn/conn.h"
#include "words/request.h"

struct phrase {
    struct stmt *stmt; /* pinned, while it is on a line; NULL: sent as it is */
    bool preparing;    /* the first answer will be that of Prepare */
    bool used;         /* the prepared statement was bound */
    enum pq_stale stale;
};

/* Before it is submitted. `plannable`: it may be prepared. */
static inline void phrase_board(struct phrase *p, struct conn *c, const struct request *r,
                                bool plannable)
{
    p->preparing = p->used = false;
    p->stale = PQ_STALE_NO;
    p->stmt = plannable ? stmts_use(&c->stmts, r) : NULL;
}

/* It is off the line. */
static inline void phrase_leave(struct phrase *p)
{
    stmt_unpin(p->stmt);
    p->stmt = NULL;
}

/* Hands it to libpq, in one part or two, which are added to op->parts. `trusting`: a statement
 * whose Prepare has not been answered yet may be used, as it can be run again without it. */
static inline bool phrase_send(struct phrase *p, struct op *op, struct pg_conn *c,
                               const struct request *r, bool trusting)
{
    struct stmt *s = p->stmt;
    op->parts++;
    if (s && stmt_wants_prepare(s)) {
        op->parts++;
        p->used = true;
        s->prepared = p->preparing =
            pq_send_prepare(c, s->name, r) && pq_send_prepared(c, s->name, r);
        return p->preparing;
    }
    p->used = s && s->prepared && (trusting || s->sure);
    return p->used ? pq_send_prepared(c, s->name, r) : pq_send_request(c, r);
}

/* What came for it. A result may also tell what the statement has done to the session. */
void phrase_result(struct phrase *p, struct conn *c, const struct pg_result *r);
void phrase_error(struct phrase *p, const struct pg_result *r);
void phrase_aborted(struct phrase *p);

/* It was not run, as another that shares its Sync failed. Given. */
evpq_error *phrase_not_run(const char *sql);

#endif
