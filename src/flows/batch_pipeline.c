/* batch_pipeline.c - a batch on a connection: sent, answered, and, where a prepared statement was
 * stale, sent once more. */
#include "flows/batch_pipeline.h"
#include "libpq/result.h"
#include "words/error.h"

#include <stdio.h>

static struct batch *batch_of_op(struct op *op)
{
    return container_of(op, struct batch, op);
}

void batch_leave_pipeline(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        stmt_run_leave(&b->entries[i].run);
    b->conn = NULL;
    evpq_future_unref(&b->future);
}

/* From now on what comes is for that one. */
static void turn_to(struct batch *b, size_t at)
{
    b->at = at;
    b->op.sql = at < b->n ? b->entries[at].request.sql : NULL;
}

/* ---- settling ---- */

static void batch_settle_done(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        evpq_result *result = e->result;
        e->result = NULL;
        future_settle_value(&e->future, &result_class, result);
    }
    future_settle_value(&b->future, NULL, NULL);
}

/* What the others of a batch are told. Given. */
static evpq_error *error_of_others(const evpq_error *error, size_t which)
{
    char message[96];
    snprintf(message, sizeof message, "not carried out, as statement %zu of the batch failed",
             which + 1);
    return error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = evpq_error_outcome(error),
        .message = message,
        .sqlstate = "25P02",
        .detail = evpq_error_message(error),
    });
}

/* Takes the error, which is that of a statement (`which` < n) or of all. */
void batch_settle_failed(struct batch *b, evpq_error *error, size_t which)
{
    char place[64];
    evpq_error *others = which < b->n ? error_of_others(error, which) : NULL;
    for (size_t i = 0; i < b->n; i++)
        future_settle_error(&b->entries[i].future,
                            evpq_error_ref(!others || i == which ? error : others));
    if (others) {
        snprintf(place, sizeof place, "statement %zu of %zu", which + 1, b->n);
        evpq_error *placed = error_in_detail(error, evpq_error_outcome(error), place);
        evpq_error_unref(error);
        error = placed;
    }
    evpq_error_unref(others);
    future_settle_error(&b->future, error);
}

/* ---- sending ---- */

static bool batch_send(struct op *op, struct pg_conn *c)
{
    struct batch *b = batch_of_op(op);
    op->parts = 0;
    if (b->verdict.undoing)
        return verdict_send_rollback(&b->verdict, op, c);
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        if (stmt_run_send(&e->run, op, &b->conn->pipeline, &e->request, STMT_CAUTIOUS))
            continue;
        if (pq_is_whole(c))
            verdict_fails(&b->verdict, pq_refused_error(c, e->request.sql));
        b->failed = i;
        return false;
    }
    return true;
}

static void batch_submit(evpq_future *f, struct conn *c)
{
    struct batch *b = batch_of(f);
    evpq_future_ref(f);
    b->conn = c;
    turn_to(b, 0);
    verdict_begin_several(&b->verdict, &c->pipeline, b->n);
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        stmt_run_board(&e->run, c, &e->request, e->preparable, STMT_CAUTIOUS);
        c->dirty |= !e->preparable;
    }
    conn_submit(c, &b->op);
}

/* ---- receiving ---- */

/* Takes the error. */
static void batch_note(struct batch *b, evpq_error *error, size_t which)
{
    if (!b->verdict.error)
        b->failed = which;
    verdict_fails(&b->verdict, error);
}

static void batch_take_result(struct batch *b, struct pg_result *r)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    bool own = e && stmt_run_result(&e->run, b->conn, r);
    if (own)
        verdict_notes(&b->verdict, CAME_RESULT);
    if (!own || e->result || op_is_abandoned(&b->op)) {
        pq_clear(r);
        return;
    }
    e->result = result_wrap(r, loop_blocks(b->future.loop));
    result_note_encoding(e->result, b->conn->pipeline.wire.c);
    if (!e->result)
        batch_note(b,
                   error_build(&(struct error_fields){
                       .status = EVPQ_NOMEM,
                       .outcome = EVPQ_OUTCOME_UNKNOWN,
                       .message = "the batch was run, but there was no memory for its results",
                       .sql = e->request.sql,
                   }),
                   b->at);
}

static void batch_take_error(struct batch *b, struct pg_result *r)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (e)
        stmt_run_error(&e->run, r);
    verdict_notes_error(&b->verdict, r);
    if (!op_is_abandoned(&b->op))
        batch_note(b, pq_result_error(r, e ? e->request.sql : NULL), b->at);
    pq_clear(r);
}

static void batch_end_part(struct batch *b)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (!e || !stmt_run_prepared(&e->run))
        turn_to(b, b->at + 1);
}

/* Not run, as another before it failed: perhaps one before the whole batch that shared its Sync. */
static void batch_take_abort(struct batch *b)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (e)
        stmt_run_aborted(&e->run);
    if (!b->verdict.error)
        b->failed = b->n;
    verdict_notes(&b->verdict, CAME_ABORTED);
}

/* ---- the end ---- */

static bool is_stale(const struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].run.stale)
            return true;
    return false;
}

static void batch_go_again(struct batch *b)
{
    struct conn *c = b->conn;
    for (size_t i = 0; i < b->n; i++) {
        b->entries[i].run.plain = true;
        b->entries[i].result = evpq_result_unref(b->entries[i].result);
    }
    evpq_future_ref(&b->future);
    batch_leave_pipeline(b);
    batch_submit(&b->future, c);
    evpq_future_unref(&b->future);
}

/* The error is taken; NULL: it was carried out. */
static void batch_settle(struct batch *b, evpq_error *error)
{
    for (size_t i = 0; !error && i < b->n; i++)
        if (!b->entries[i].result)
            error = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    if (error)
        batch_settle_failed(b, error, b->failed);
    else
        batch_settle_done(b);
}

static void batch_tell(struct batch *b)
{
    evpq_error *error = verdict_error(&b->verdict, NULL);
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        stmt_run_over(&e->run, i == b->failed ? error : NULL);
        if (e->run.stmt && !error && !op_is_abandoned(&b->op))
            stmt_learn(e->run.stmt, b->conn->pipeline.head_took / (double)b->n);
    }
    if (op_is_abandoned(&b->op))
        evpq_error_unref(error);
    else
        batch_settle(b, error);
    batch_leave_pipeline(b);
}

/* A batch does to the transaction what its statements do. None of them begins or ends one. If one
 * may commit a part by itself, its text stands for all. */
static const char *telling_sql(const struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (sql_scope(b->entries[i].request.sql) == SQL_COMMITS)
            return b->entries[i].request.sql;
    return b->entries[0].request.sql;
}

static void batch_finish(struct batch *b)
{
    bool stale = b->verdict.came == CAME_ERROR && is_stale(b);
    switch (verdict_at_sync(&b->verdict, &b->op, b->conn, telling_sql(b), false, stale)) {
    case NEXT_AGAIN:
        batch_go_again(b);
        break;
    case NEXT_UNDO: /* its error is kept */
        b->failed = b->n;
        conn_submit(b->conn, &b->op);
        break;
    case NEXT_TELL:
        batch_tell(b);
        break;
    }
}

static void batch_feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct batch *b = batch_of_op(op);
    if (kind == PQ_SYNC) {
        batch_finish(b);
        return;
    }
    if (b->verdict.undoing) {
        verdict_take_rollback(&b->verdict, kind, r);
        return;
    }
    switch (kind) {
    case PQ_ROWS: /* nobody has asked for them so */
    case PQ_RESULT:
        batch_take_result(b, r);
        break;
    case PQ_ERROR:
        batch_take_error(b, r);
        break;
    case PQ_END:
        batch_end_part(b);
        break;
    default:
        batch_take_abort(b);
        break;
    }
}

static void batch_lost(struct op *op, const evpq_error *why, bool sent)
{
    struct batch *b = batch_of_op(op);
    evpq_future_ref(&b->future);
    batch_leave_pipeline(b);
    if (op_is_abandoned(op) || !future_pending(&b->future))
        ; /* told already */
    else if (b->verdict.error)
        batch_settle(b, verdict_at_loss(&b->verdict, why, sent, NULL));
    else if (sent || !borrower_again(&b->borrower, why))
        batch_settle_failed(b, verdict_at_loss(&b->verdict, why, sent, NULL), b->n);
    evpq_future_unref(&b->future);
}

static void batch_tell_waiter(struct op *op, const evpq_error *why)
{
    struct batch *b = batch_of_op(op);
    batch_settle_failed(b, error_about(why, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, NULL), b->n);
}

static void batch_fail(evpq_future *f, evpq_error *error)
{
    struct batch *b = batch_of(f);
    batch_settle_failed(b, error, b->n);
}

static struct op *batch_op(evpq_future *f)
{
    return &batch_of(f)->op;
}

const struct op_class batch_op_class = {
    .send = batch_send, .feed = batch_feed, .fail = batch_lost, .tell_waiter = batch_tell_waiter};

const struct work batch_work = {
    .op = batch_op, .ties = true, .submit = batch_submit, .fail = batch_fail};
