/* stmt_run.c - see stmt_run.h. */
#include "ops/stmt_run.h"

#include <evpq/error.h>
#include <stdio.h>
#include <string.h>

/* ---- sending ---- */

/* Whether a statement that cannot be run again may be prepared here. In a session that strangers
 * share, nobody knows what is still prepared when it is bound. */
static bool session_is_ours(const struct pipeline *pipeline)
{
    return pipeline->peer == PEER_SERVER;
}

const char *stmt_run_name(struct stmt_run *u, struct pipeline *pipeline, enum stmt_trust trust)
{
    struct stmt *s = u->stmt;
    bool trusting = trust == STMT_TRUSTING;
    if (!s || u->plain)
        return "";
    if (stmt_wants_prepare(s)) {
        if (!trusting && !session_is_ours(pipeline))
            return "";
        stmt_sent(s);
        u->preparing = u->used = true;
        return s->name;
    }
    u->used = trusting ? s->state == STMT_SENT || s->state == STMT_PREPARED
                       : s->state == STMT_PREPARED && session_is_ours(pipeline);
    return u->used ? s->name : "";
}

__attribute__((noinline)) static bool prepare_and_send(struct stmt_run *u, struct pg_conn *c,
                                                       const char *name, const struct request *r)
{
    if (pq_send_prepare(c, name, r) && pq_send_prepared(c, name, r))
        return true;
    stmt_is_there(u->stmt, false);
    u->preparing = false;
    return false;
}

bool stmt_run_send(struct stmt_run *u, struct op *op, struct pipeline *pipeline,
                   const struct request *r, enum stmt_trust trust)
{
    struct pg_conn *c = pipeline->wire.c;
    const char *name = stmt_run_name(u, pipeline, trust);
    op->parts++;
    if (!u->preparing)
        return *name ? pq_send_prepared(c, name, r) : pq_send_request(c, r);
    op->parts++;
    return prepare_and_send(u, c, name, r);
}

/* ---- answers ---- */

bool stmt_run_result(struct stmt_run *u, struct conn *c, const struct pg_result *r)
{
    if (u->preparing) {
        if (u->stmt && u->used)
            stmt_is_there(u->stmt, true);
        return false;
    }
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
    return true;
}

/* One of this name is there already. That is good: the name is made from the content, so it is the
 * same statement. */
static void prepare_failed(struct stmt_run *u, const struct pg_result *r)
{
    bool there = pq_is_prepared_already(r);
    if (u->stmt)
        stmt_is_there(u->stmt, there);
    u->stale = there;
}

void stmt_run_error(struct stmt_run *u, const struct pg_result *r)
{
    if (!u->used || !u->stmt)
        return;
    if (u->preparing) {
        prepare_failed(u, r);
        return;
    }
    enum pq_stale stale = pq_stale(r);
    u->stale = stale != PQ_STALE_NO;
    if (stale == PQ_STALE_GONE)
        stmt_is_there(u->stmt, false);
    else if (stale == PQ_STALE_PLAN)
        stmt_spoil(u->stmt);
    else if (stale == PQ_STALE_SUSPECT)
        snprintf(u->suspect, sizeof u->suspect, "%s", pq_sqlstate(r));
}

void stmt_run_aborted(struct stmt_run *u)
{
    if (u->preparing && u->stmt && u->used)
        stmt_is_there(u->stmt, false);
}

void stmt_run_clear(struct stmt_run *u, const evpq_error *error)
{
    /* It fails in the same way without being prepared: so the prepared one was not to blame. */
    bool cleared = u->plain && error && !strcmp(evpq_error_sqlstate(error), u->suspect);
    if (u->stmt && !cleared)
        stmt_spoil(u->stmt);
    *u->suspect = '\0';
}
