/* batch_line.c - a batch on a connection: sent, answered, and, where a prepared statement was
 * stale, sent once more. */
#include "flows/batch.h"
#include "libpq/result.h"
#include "words/error.h"

static struct batch *batch_of_op(struct op *op)
{
    return container_of(op, struct batch, op);
}

void batch_leave_line(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        phrase_leave(&b->entries[i].phrase);
    b->conn = NULL;
    evpq_future_unref(&b->future);
}

/* From now on what comes is for that one. */
static void turn_to(struct batch *b, size_t at)
{
    b->at = at;
    b->op.sql = at < b->n ? b->entries[at].request.sql : NULL;
}

/* ---- sending ---- */

static bool send(struct op *op, struct pg_conn *c)
{
    struct batch *b = batch_of_op(op);
    op->parts = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        if (phrase_send(&e->phrase, op, c, &e->request, false))
            continue;
        if (pq_is_whole(c))
            b->error = pq_refused_error(c, e->request.sql);
        b->failed = i;
        return false;
    }
    return true;
}

static void submit(evpq_future *f, struct conn *c)
{
    struct batch *b = batch_of(f);
    evpq_future_ref(f);
    b->conn = c;
    turn_to(b, 0);
    b->stale = PQ_STALE_NO;
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        phrase_board(&e->phrase, c, &e->request, e->plannable);
        c->dirty |= !e->plannable;
    }
    conn_submit(c, &b->op);
}

/* ---- receiving ---- */

static void note(struct batch *b, evpq_error *error)
{
    if (b->error || b->op.abandoned) {
        evpq_error_unref(error);
        return;
    }
    b->error = error;
    b->failed = b->at;
}

static void take_result(struct batch *b, struct pg_result *r)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (e)
        phrase_result(&e->phrase, b->conn, r);
    if (!e || e->phrase.preparing || e->result || b->op.abandoned) {
        pq_clear(r);
        return;
    }
    e->result = result_wrap(r, loop_blocks(b->future.loop));
    if (!e->result)
        note(b, error_build(&(struct error_fields){
                    .status = EVPQ_NOMEM,
                    .outcome = EVPQ_OUTCOME_UNKNOWN,
                    .message = "the batch was run, but there was no memory for its results",
                    .sql = e->request.sql,
                }));
}

static void take_error(struct batch *b, struct pg_result *r)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (e) {
        phrase_error(&e->phrase, r);
        b->stale = e->phrase.stale;
    }
    note(b, pq_result_error(r, e ? e->request.sql : NULL));
    pq_clear(r);
}

static void end_part(struct batch *b)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (e && e->phrase.preparing)
        e->phrase.preparing = false;
    else
        turn_to(b, b->at + 1);
}

/* Not run, as another before it failed: perhaps one that was tied before the whole batch. */
static void take_abort(struct batch *b)
{
    struct entry *e = b->at < b->n ? &b->entries[b->at] : NULL;
    if (e)
        phrase_aborted(&e->phrase);
    if (!b->error && !b->op.abandoned) {
        b->error = error_build(&(struct error_fields){
            .status = EVPQ_SERVER,
            .outcome = EVPQ_OUTCOME_REJECTED,
            .message = "the batch was not carried out: a statement sent with it failed",
            .sqlstate = "25P02",
        });
        b->failed = b->n;
    }
}

/* ---- the end ---- */

static bool may_go_again(const struct batch *b)
{
    return b->stale != PQ_STALE_NO && !b->once && !b->retried && !b->op.abandoned &&
           !pipeline_depth(&b->conn->line) && !conn_in_transaction(b->conn);
}

static void go_again(struct batch *b)
{
    struct conn *c = b->conn;
    b->retried = true;
    b->error = evpq_error_unref(b->error);
    for (size_t i = 0; i < b->n; i++)
        b->entries[i].result = evpq_result_unref(b->entries[i].result);
    evpq_future_ref(&b->future);
    batch_leave_line(b);
    submit(&b->future, c);
    evpq_future_unref(&b->future);
}

static void settle(struct batch *b)
{
    evpq_error *error = b->error;
    b->error = NULL;
    for (size_t i = 0; !error && i < b->n; i++)
        if (!b->entries[i].result)
            error = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    if (error)
        batch_settle_failed(b, error, b->failed);
    else
        batch_settle_done(b);
}

static void finish(struct batch *b)
{
    if (may_go_again(b)) {
        go_again(b);
        return;
    }
    for (size_t i = 0; i < b->n && !b->error && !b->op.abandoned; i++)
        if (b->entries[i].phrase.stmt)
            stmt_learn(b->entries[i].phrase.stmt, b->conn->line.head_took / (double)b->n);
    if (!b->op.abandoned)
        settle(b);
    batch_leave_line(b);
}

static void feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct batch *b = batch_of_op(op);
    switch (kind) {
    case PQ_ROWS: /* nobody has asked for them so */
    case PQ_RESULT:
        take_result(b, r);
        break;
    case PQ_ERROR:
        take_error(b, r);
        break;
    case PQ_END:
        end_part(b);
        break;
    case PQ_SYNC:
        finish(b);
        break;
    default:
        take_abort(b);
        break;
    }
}

static void fail(struct op *op, const evpq_error *why, bool sent)
{
    struct batch *b = batch_of_op(op);
    evpq_future_ref(&b->future);
    batch_leave_line(b);
    if (op->abandoned || !future_pending(&b->future))
        ; /* told already */
    else if (b->error)
        settle(b);
    else if (sent || !errand_again(&b->errand, why))
        batch_settle_failed(
            b, error_about(why, EVPQ_OK, sent ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT, NULL),
            b->n);
    evpq_future_unref(&b->future);
}

static void desert(struct op *op, const evpq_error *why)
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

const struct op_class batch_op_class = {.send = send, .feed = feed, .fail = fail, .desert = desert};

const struct work batch_work = {.op = batch_op, .ties = true, .submit = submit, .fail = batch_fail};
