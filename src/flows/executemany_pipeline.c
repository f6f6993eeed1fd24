/* executemany_pipeline.c - the rows on a connection.
 *
 * An error, or nobody who waits any more, ends the sending early; then a statement that cannot be
 * parsed follows the rows that were sent, so that the Sync does not commit them. */
#include "flows/executemany_pipeline.h"
#include "words/error.h"

#include <stdio.h>
#include <string.h>

const struct value_class total_class = {.free = NULL};

static struct executemany *executemany_of_op(struct op *op)
{
    return container_of(op, struct executemany, op);
}

void executemany_leave(struct executemany *m)
{
    stmt_run_leave(&m->run);
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
static bool send_row(struct executemany *m, struct pg_conn *c, size_t size)
{
    m->op.parts++;
    pipeline_weigh(&m->conn->pipeline, size);
    return pq_send_prepared(c, m->name, &m->rows[m->sent++]);
}

/* Without a name it is prepared all the same, as the unnamed statement. */
static bool executemany_send(struct op *op, struct pg_conn *c)
{
    struct executemany *m = executemany_of_op(op);
    op->parts = 0;
    if (m->verdict.undoing)
        return verdict_send_rollback(&m->verdict, op, c);
    op->has_more = true;
    m->name = stmt_run_name(&m->run, &m->conn->pipeline, STMT_CAUTIOUS);
    m->run.preparing |= !*m->name;
    bool sent = true;
    if (m->run.preparing) {
        op->parts = 1;
        sent = pq_send_prepare(c, m->name, &m->first);
    }
    sent = sent && send_row(m, c, row_size(&m->rows[m->sent]));
    if (!sent && pq_is_whole(c))
        verdict_fails(&m->verdict, pq_refused_error(c, m->first.sql));
    return sent;
}

/* The rows that were sent must not be committed. */
static bool spoil(struct executemany *m, struct pg_conn *c)
{
    m->spoiled = true;
    m->op.parts++;
    return pq_send_command(c, "executemany was called off");
}

static bool send_piece(struct executemany *m, struct pg_conn *c)
{
    for (size_t bytes = 0; bytes < EXECUTEMANY_PIECE && m->sent < m->n;) {
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
    struct executemany *m = executemany_of_op(op);
    bool failed = m->verdict.came > CAME_RESULT || m->verdict.error || m->spoiled;
    if (failed || m->sent == m->n) {
        op->has_more = false;
        return false;
    }
    if (op_is_abandoned(op) ? spoil(m, c) : send_piece(m, c))
        return true;
    pipeline_break(&m->conn->pipeline, pq_lost_error(c));
    return false;
}

static void executemany_submit(evpq_future *f, struct conn *c)
{
    struct executemany *m = executemany_of(f);
    evpq_future_ref(f);
    m->conn = c;
    m->sent = m->answered = 0;
    m->affected = 0;
    m->spoiled = false;
    verdict_begin_several(&m->verdict, &c->pipeline, m->n);
    stmt_run_board(&m->run, c, &m->first, m->preparable, STMT_CAUTIOUS);
    c->dirty |= !m->preparable;
    conn_submit(c, &m->op);
}

/* ---- receiving ---- */

/* Takes the error. */
static void executemany_note(struct executemany *m, evpq_error *error)
{
    char place[64];
    if (m->verdict.error || op_is_abandoned(&m->op)) {
        evpq_error_unref(error);
        return;
    }
    if (!m->run.preparing && m->answered < m->n) {
        snprintf(place, sizeof place, "row %zu of %zu", m->answered + 1, m->n);
        evpq_error *placed = error_in_detail(error, evpq_error_outcome(error), place);
        evpq_error_unref(error);
        error = placed;
    }
    verdict_fails(&m->verdict, error);
}

/* Nothing more of it is sent. */
static void stop_sending(struct executemany *m)
{
    if (m->op.has_more)
        pipeline_more(&m->conn->pipeline);
}

static void executemany_take_result(struct executemany *m, struct pg_result *r)
{
    int64_t affected = pq_affected(r);
    if (stmt_run_result(&m->run, m->conn, r)) {
        verdict_notes(&m->verdict, CAME_RESULT);
        m->affected += affected > 0 ? affected : 0;
    }
    pq_clear(r);
}

static void executemany_take_error(struct executemany *m, struct pg_result *r)
{
    stmt_run_error(&m->run, r);
    verdict_notes_error(&m->verdict, r);
    executemany_note(m, pq_result_error(r, m->first.sql));
    pq_clear(r);
    stop_sending(m);
}

static void executemany_take_abort(struct executemany *m)
{
    stmt_run_aborted(&m->run);
    verdict_notes(&m->verdict, CAME_ABORTED);
    stop_sending(m);
}

static void executemany_end_part(struct executemany *m)
{
    m->answered += !stmt_run_prepared(&m->run);
}

/* ---- the end ---- */

static void executemany_go_again(struct executemany *m)
{
    struct conn *c = m->conn;
    m->run.plain = true;
    evpq_future_ref(&m->future);
    executemany_leave(m);
    executemany_submit(&m->future, c);
    evpq_future_unref(&m->future);
}

/* The error is taken; NULL: done. */
static void executemany_settle(struct executemany *m, evpq_error *error)
{
    if (!error && m->answered < m->n)
        error = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    if (error)
        future_settle_error(&m->future, error);
    else
        future_settle_value(&m->future, &total_class, m);
}

static void executemany_tell(struct executemany *m)
{
    evpq_error *error = verdict_error(&m->verdict, m->first.sql);
    stmt_run_over(&m->run, error);
    if (m->run.stmt && !error && !op_is_abandoned(&m->op))
        stmt_learn(m->run.stmt, m->conn->pipeline.head_took / (double)m->n);
    if (op_is_abandoned(&m->op))
        evpq_error_unref(error);
    else
        executemany_settle(m, error);
    executemany_leave(m);
}

static void executemany_finish(struct executemany *m)
{
    switch (verdict_at_sync(&m->verdict, &m->op, m->conn, m->first.sql, false, m->run.stale)) {
    case NEXT_AGAIN:
        executemany_go_again(m);
        break;
    case NEXT_UNDO: /* its error is kept */
        conn_submit(m->conn, &m->op);
        break;
    case NEXT_TELL:
        executemany_tell(m);
        break;
    }
}

static void executemany_feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct executemany *m = executemany_of_op(op);
    if (kind == PQ_SYNC) {
        executemany_finish(m);
        return;
    }
    if (m->verdict.undoing) {
        verdict_take_rollback(&m->verdict, kind, r);
        return;
    }
    switch (kind) {
    case PQ_ROWS: /* nobody has asked for them so */
    case PQ_RESULT:
        executemany_take_result(m, r);
        break;
    case PQ_ERROR:
        executemany_take_error(m, r);
        break;
    case PQ_END:
        executemany_end_part(m);
        break;
    default:
        executemany_take_abort(m);
        break;
    }
}

static void executemany_lost(struct op *op, const evpq_error *why, bool sent)
{
    struct executemany *m = executemany_of_op(op);
    evpq_future_ref(&m->future);
    executemany_leave(m);
    if (op_is_abandoned(op) || !future_pending(&m->future))
        ; /* told already */
    else if (m->verdict.error || sent || !borrower_again(&m->borrower, why))
        future_settle_error(&m->future, verdict_at_loss(&m->verdict, why, sent, m->first.sql));
    evpq_future_unref(&m->future);
}

static void executemany_tell_waiter(struct op *op, const evpq_error *why)
{
    struct executemany *m = executemany_of_op(op);
    future_settle_error(&m->future, error_about(why, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, m->first.sql));
}

static struct op *executemany_op(evpq_future *f)
{
    return &executemany_of(f)->op;
}

static void executemany_fail(evpq_future *f, evpq_error *error)
{
    future_settle_error(f, error);
}

const struct work executemany_work = {
    .op = executemany_op, .submit = executemany_submit, .fail = executemany_fail};
const struct op_class executemany_op_class = {.send = executemany_send,
                                              .feed = executemany_feed,
                                              .fail = executemany_lost,
                                              .tell_waiter = executemany_tell_waiter,
                                              .more = more};
