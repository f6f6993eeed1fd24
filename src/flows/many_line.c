/* many_line.c - the rows on a connection.
 *
 * An error, or nobody who waits any more, ends the sending early; then a statement that cannot be
 * parsed follows the rows that were sent, so that the Sync does not commit them. */
#include "flows/many.h"
#include "words/error.h"

#include <stdio.h>
#include <string.h>

static struct many *many_of_op(struct op *op)
{
    return container_of(op, struct many, op);
}

void many_leave_line(struct many *m)
{
    stmt_unpin(m->stmt);
    m->stmt = NULL;
    m->conn = NULL;
    evpq_future_unref(&m->future);
}

/* ---- sending ---- */

static size_t row_size(const struct request *r)
{
    size_t size = 32;
    for (int i = 0; i < r->n; i++)
        if (r->values[i])
            size += r->formats && r->formats[i] ? (size_t)r->lengths[i] : strlen(r->values[i]);
    return size;
}

/* `size`: as row_size says. */
static bool send_row(struct many *m, struct pg_conn *c, size_t size)
{
    m->op.parts++;
    pipeline_weigh(&m->conn->line, size);
    return pq_send_prepared(c, m->name, &m->rows[m->sent++]);
}

static bool send(struct op *op, struct pg_conn *c)
{
    struct many *m = many_of_op(op);
    struct stmt *s = m->stmt;
    op->parts = 0;
    op->open = true;
    bool known = s && s->prepared && s->sure;
    m->name = known || (s && stmt_wants_prepare(s)) ? s->name : "";
    bool sent = true;
    if (!known) {
        op->parts = 1;
        m->preparing = sent = pq_send_prepare(c, m->name, &m->first);
        if (s && *m->name)
            s->prepared = sent;
    }
    sent = sent && send_row(m, c, row_size(&m->rows[m->sent]));
    if (!sent && pq_is_whole(c))
        m->error = pq_refused_error(c, m->first.sql);
    return sent;
}

/* The rows that were sent must not be committed. */
static bool spoil(struct many *m, struct pg_conn *c)
{
    m->spoiled = true;
    m->op.parts++;
    return pq_send_command(c, "executemany was called off");
}

static bool send_piece(struct many *m, struct pg_conn *c)
{
    for (size_t bytes = 0; bytes < MANY_PIECE && m->sent < m->n;) {
        size_t size = row_size(&m->rows[m->sent]);
        bytes += size;
        if (!send_row(m, c, size))
            return false;
    }
    return true;
}

/* The Sync goes when there is nothing more: so that is for a call of its own. */
static bool more(struct op *op, struct pg_conn *c)
{
    struct many *m = many_of_op(op);
    bool failed = m->error || m->spoiled;
    if (failed || m->sent == m->n) {
        op->open = false;
        return false;
    }
    if (op->abandoned ? spoil(m, c) : send_piece(m, c))
        return true;
    pipeline_break(&m->conn->line, pq_lost_error(c));
    return false;
}

static void submit(evpq_future *f, struct conn *c)
{
    struct many *m = many_of(f);
    evpq_future_ref(f);
    m->conn = c;
    m->sent = m->answered = 0;
    m->affected = 0;
    m->preparing = m->spoiled = false;
    m->stale = PQ_STALE_NO;
    m->stmt = m->plannable ? stmts_use(&c->stmts, &m->first) : NULL;
    c->dirty |= !m->plannable;
    conn_submit(c, &m->op);
}

/* ---- receiving ---- */

/* Takes the error. */
static void note(struct many *m, evpq_error *error)
{
    char place[64];
    if (m->error || m->op.abandoned) {
        evpq_error_unref(error);
        return;
    }
    m->error = error;
    if (!m->preparing && m->answered < m->n) {
        snprintf(place, sizeof place, "row %zu of %zu", m->answered + 1, m->n);
        m->error = error_in_detail(error, evpq_error_outcome(error), place);
        evpq_error_unref(error);
    }
    if (m->op.open)
        pipeline_more(&m->conn->line);
}

static void take_result(struct many *m, struct pg_result *r)
{
    int64_t affected = pq_affected(r);
    if (m->preparing && m->stmt && *m->name)
        m->stmt->sure = true;
    else if (!m->preparing && affected > 0)
        m->affected += affected;
    m->conn->dirty |= pq_mark(r) == PQ_MARK_TABLE;
    pq_clear(r);
}

static void take_error(struct many *m, struct pg_result *r)
{
    struct stmt *s = m->stmt;
    if (s && *m->name) {
        m->stale = pq_stale(r);
        if (m->preparing || m->stale == PQ_STALE_GONE)
            s->prepared = s->sure = false;
        if (m->stale != PQ_STALE_NO)
            stmt_drop(s);
    }
    note(m, pq_result_error(r, m->first.sql));
    pq_clear(r);
}

static void take_abort(struct many *m)
{
    if (m->preparing && m->stmt && *m->name)
        m->stmt->prepared = false;
    if (m->error || m->op.abandoned)
        return;
    m->error = error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = EVPQ_OUTCOME_REJECTED,
        .message = "the statement was not carried out: another one sent with it failed",
        .sqlstate = "25P02",
        .sql = m->first.sql,
    });
    if (m->op.open)
        pipeline_more(&m->conn->line);
}

static void end_part(struct many *m)
{
    m->answered += !m->preparing;
    m->preparing = false;
}

/* ---- the end ---- */

static bool may_go_again(const struct many *m)
{
    return m->stale != PQ_STALE_NO && !m->once && !m->retried && !m->op.abandoned &&
           !pipeline_depth(&m->conn->line) && !conn_in_transaction(m->conn);
}

static void go_again(struct many *m)
{
    struct conn *c = m->conn;
    m->retried = true;
    m->error = evpq_error_unref(m->error);
    evpq_future_ref(&m->future);
    many_leave_line(m);
    submit(&m->future, c);
    evpq_future_unref(&m->future);
}

static void settle(struct many *m)
{
    evpq_error *error = m->error;
    m->error = NULL;
    if (!error && m->answered < m->n)
        error = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    if (error)
        future_settle_error(&m->future, error);
    else
        future_settle_value(&m->future, &total_class, m);
}

static void finish(struct many *m)
{
    if (may_go_again(m)) {
        go_again(m);
        return;
    }
    if (m->stmt && !m->error && !m->op.abandoned)
        stmt_learn(m->stmt, m->conn->line.head_took / (double)m->n);
    if (!m->op.abandoned)
        settle(m);
    many_leave_line(m);
}

static void feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct many *m = many_of_op(op);
    switch (kind) {
    case PQ_ROWS: /* nobody has asked for them so */
    case PQ_RESULT:
        take_result(m, r);
        break;
    case PQ_ERROR:
        take_error(m, r);
        break;
    case PQ_END:
        end_part(m);
        break;
    case PQ_SYNC:
        finish(m);
        break;
    default:
        take_abort(m);
        break;
    }
}

static void fail(struct op *op, const evpq_error *why, bool sent)
{
    struct many *m = many_of_op(op);
    evpq_future_ref(&m->future);
    many_leave_line(m);
    if (op->abandoned || !future_pending(&m->future))
        ; /* told already */
    else if (m->error)
        settle(m);
    else if (sent || !errand_again(&m->errand, why))
        future_settle_error(&m->future,
                            error_about(why, EVPQ_OK,
                                        sent ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                                        m->first.sql));
    evpq_future_unref(&m->future);
}

static void desert(struct op *op, const evpq_error *why)
{
    struct many *m = many_of_op(op);
    future_settle_error(&m->future, error_about(why, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, m->first.sql));
}

static struct op *many_op(evpq_future *f)
{
    return &many_of(f)->op;
}

static void many_fail(evpq_future *f, evpq_error *error)
{
    future_settle_error(f, error);
}

const struct work many_work = {.op = many_op, .submit = submit, .fail = many_fail};
const struct op_class many_op_class = {
    .send = send, .feed = feed, .fail = fail, .desert = desert, .more = more};
