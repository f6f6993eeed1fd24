/* phrase.c - see phrase.h. */
#include "verbs/phrase.h"

#include "words/error.h"

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
