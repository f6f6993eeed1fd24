/* phrase.c - see phrase.h. */
#include "verbs/phrase.h"

#include "words/error.h"

void phrase_board(struct phrase *p, struct conn *c, const struct request *r, bool plannable)
{
    p->preparing = p->used = false;
    p->stale = PQ_STALE_NO;
    p->stmt = plannable ? stmts_use(&c->stmts, r) : NULL;
}

void phrase_leave(struct phrase *p)
{
    stmt_unpin(p->stmt);
    p->stmt = NULL;
}

bool phrase_send(struct phrase *p, struct op *op, struct pg_conn *c, const struct request *r,
                 bool trusting)
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

void phrase_result(struct phrase *p, struct conn *c, const struct pg_result *r)
{
    if (p->preparing && p->stmt)
        p->stmt->sure = true;
    switch (pq_mark(r)) {
    case PQ_MARK_TABLE:
        c->dirty = true;
        break;
    case PQ_MARK_NO_STATEMENTS:
        stmts_all_gone(&c->stmts);
        break;
    case PQ_MARK_NONE:
        break;
    }
}

void phrase_error(struct phrase *p, const struct pg_result *r)
{
    struct stmt *s = p->stmt;
    if (!p->used || !s)
        return;
    p->stale = pq_stale(r);
    if (p->preparing || p->stale == PQ_STALE_GONE)
        s->prepared = s->sure = false;
    if (p->stale != PQ_STALE_NO)
        stmt_drop(s);
}

void phrase_aborted(struct phrase *p)
{
    if (p->preparing && p->stmt)
        p->stmt->prepared = false;
}

evpq_error *phrase_not_run(const char *sql)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = EVPQ_OUTCOME_REJECTED,
        .message = "the statement was not carried out: another one sent with it failed",
        .sqlstate = "25P02",
        .sql = sql,
    });
}
