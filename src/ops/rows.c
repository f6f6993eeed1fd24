/* rows.c - the life of a statement whose rows are handed on as they come.
 *
 * It has ended at the Sync, as a query has: only then is an error of the commit known. */
#include "ops/rows.h"

#include "base/state.h"
#include "libpq/result.h"
#include "words/error.h"

/* Of a result that is gathered, unless its user says otherwise. */
enum { GATHER_BYTES = 256 * 1024 };

static struct rows *rows_of(struct op *op)
{
    return container_of(op, struct rows, op);
}

static const unsigned rows_next[] = {
    [ROWS_AWAITED] = TO(ROWS_COMING) | TO(ROWS_CUT) | TO(ROWS_OVER),
    [ROWS_COMING] = TO(ROWS_CUT) | TO(ROWS_OVER),
    [ROWS_CUT] = TO(ROWS_OVER),
    [ROWS_OVER] = 0,
};

static void rows_to(struct rows *s, enum rows_state state)
{
    TRANSITION(rows_next, s->state, state);
    s->state = state;
}

static void rows_leave(struct rows *s)
{
    stmt_run_leave(&s->run);
    s->conn = NULL;
    list_remove(&s->deliver.node);
    s->user->off(s);
}

/* ---- handing on ---- */

static evpq_error *no_memory(const struct rows *s)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_NOMEM,
        .outcome = EVPQ_OUTCOME_UNKNOWN,
        .message = "there was no memory for rows that have come",
        .sql = s->request.sql,
    });
}

/* Rows are lost. The statement fails, and no later rows may be handed on. */
static void lose(struct rows *s)
{
    if (s->state < ROWS_CUT)
        rows_to(s, ROWS_CUT);
    row_buffer_clear(&s->buffered);
    loop_defer(s->conn->loop, &s->deliver);
}

static void note_row(struct rows *s)
{
    if (s->state == ROWS_AWAITED)
        rows_to(s, ROWS_COMING);
}

static void hand_on(struct rows *s, evpq_result *rows)
{
    if (s->conn && s->conn->pipeline.wire.c)
        result_note_encoding(rows, s->conn->pipeline.wire.c);
    note_row(s);
    switch (s->user->came(s, rows)) {
    case ROWS_KEPT:
        break;
    case ROWS_TOLD:
        pipeline_yield(&s->conn->pipeline);
        break;
    case ROWS_LOST:
        lose(s);
        break;
    }
}

void rows_flush(struct rows *s)
{
    evpq_result *rows = s->state == ROWS_OVER ? NULL : row_buffer_take(&s->buffered);
    if (rows)
        hand_on(s, rows);
}

/* Takes both, of which one at least is NULL. */
static void rows_end(struct rows *s, evpq_result *last, evpq_error *error)
{
    rows_flush(s);
    if (s->state == ROWS_CUT && !error) {
        last = evpq_result_unref(last);
        error = no_memory(s);
    }
    rows_to(s, ROWS_OVER);
    row_buffer_clear(&s->buffered);
    s->user->ended(s, last, error);
}

/* Run when the socket has nothing more: rows that have come do not wait for later ones. */
static void deliver(struct job *job)
{
    struct rows *s = container_of(job, struct rows, deliver);
    if (s->state == ROWS_CUT) {
        rows_end(s, NULL, NULL);
        rows_stop(s);
    } else {
        rows_flush(s);
    }
}

/* ---- in the pipeline ---- */

/* Whether rows come one by one, to be gathered. */
static bool buffers_rows(const struct rows *s)
{
    return s->most > 1 && (s->most_bytes || !pq_gives_chunks());
}

static enum stmt_trust trust(const struct rows *s)
{
    return s->alone ? STMT_TRUSTING : STMT_CAUTIOUS;
}

void rows_submit(struct rows *s, struct conn *c)
{
    s->conn = c;
    verdict_begin(&s->verdict);
    stmt_run_board(&s->run, c, &s->request, s->preparable, trust(s));
    c->dirty |= !s->preparable;
    conn_submit(c, &s->op);
}

static bool rows_send(struct op *op, struct pg_conn *c)
{
    struct rows *s = rows_of(op);
    op->parts = 0;
    if (s->verdict.undoing)
        return verdict_send_rollback(&s->verdict, op, c);
    bool sent = stmt_run_send(&s->run, op, &s->conn->pipeline, &s->request, trust(s));
    if (!sent && pq_is_whole(c))
        verdict_fails(&s->verdict, pq_refused_error(c, s->request.sql));
    return sent;
}

static void begin(struct op *op, struct pg_conn *c)
{
    struct rows *s = rows_of(op);
    if (!s->run.preparing && !s->verdict.undoing && !op_is_abandoned(op))
        pq_ask_rows(c, buffers_rows(s) ? 1 : s->most);
}

/* Takes as many rows as libpq gives at a time. Joined to one block, even if they are one result,
 * they are read at less cost. */
static void take_chunk(struct rows *s, struct pg_result *r)
{
    if (pq_rows_have_tag(r) && !s->last)
        s->last = result_head(r);
    evpq_result *rows = result_join(&r, 1);
    if (rows)
        hand_on(s, rows);
    else
        lose(s);
}

static void buffer_row(struct rows *s, struct pg_result *r)
{
    size_t most_bytes = s->most_bytes ? s->most_bytes : GATHER_BYTES;
    switch (row_buffer_add(&s->buffered, r)) {
    case ROW_BUFFER_DONE:
        note_row(s);
        if (s->buffered.rows == s->most || s->buffered.used >= most_bytes)
            rows_flush(s);
        else if (s->buffered.rows == 1)
            loop_defer(s->conn->loop, &s->deliver);
        break;
    case ROW_BUFFER_TOO_LARGE:
        rows_flush(s);
        take_chunk(s, r);
        break;
    case ROW_BUFFER_NO_MEMORY:
        pq_clear(r);
        lose(s);
        break;
    }
}

static void take_rows(struct rows *s, struct pg_result *r)
{
    if (s->state >= ROWS_CUT || op_is_abandoned(&s->op))
        pq_clear(r);
    else if (buffers_rows(s))
        buffer_row(s, r);
    else
        take_chunk(s, r);
}

static void rows_take_result(struct rows *s, struct pg_result *r)
{
    bool own = stmt_run_result(&s->run, s->conn, r);
    if (own)
        verdict_notes(&s->verdict, CAME_RESULT);
    if (!own || s->state == ROWS_OVER ||
        s->last) { /* libpq 17 may have told the end with the last rows */
        pq_clear(r);
        return;
    }
    s->last = result_wrap(r, loop_blocks(s->conn->loop));
    if (!s->last)
        verdict_fails(&s->verdict, no_memory(s));
}

static void take_error(struct rows *s, struct pg_result *r)
{
    stmt_run_error(&s->run, r);
    verdict_notes_error(&s->verdict, r);
    if (s->state != ROWS_OVER)
        verdict_fails(&s->verdict, pq_result_error(r, s->request.sql));
    pq_clear(r);
}

static void go_again(struct rows *s)
{
    stmt_run_leave(&s->run);
    s->last = evpq_result_unref(s->last);
    s->run.plain = true;
    rows_submit(s, s->conn);
}

/* Takes the error; NULL: done. */
static void rows_settle(struct rows *s, evpq_error *error)
{
    evpq_result *last = s->last;
    s->last = NULL;
    if (!error && !last)
        error = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    if (error)
        last = evpq_result_unref(last);
    rows_end(s, last, error);
}

static void rows_tell(struct rows *s)
{
    evpq_error *error = verdict_error(&s->verdict, s->request.sql);
    stmt_run_over(&s->run, error);
    if (s->run.stmt && !error && s->state != ROWS_OVER)
        stmt_learn(s->run.stmt, s->conn->pipeline.head_took);
    if (s->state == ROWS_OVER)
        evpq_error_unref(error);
    else
        rows_settle(s, error);
    rows_leave(s);
}

static void finish(struct rows *s)
{
    bool stale = s->run.stale && s->state == ROWS_AWAITED;
    switch (verdict_at_sync(&s->verdict, &s->op, s->conn, s->request.sql, s->alone, stale)) {
    case NEXT_AGAIN:
        go_again(s);
        break;
    case NEXT_UNDO: /* its error is kept */
        conn_submit(s->conn, &s->op);
        break;
    case NEXT_TELL:
        rows_tell(s);
        break;
    }
}

static void rows_feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct rows *s = rows_of(op);
    if (kind == PQ_SYNC) {
        finish(s);
        return;
    }
    if (s->verdict.undoing) {
        verdict_take_rollback(&s->verdict, kind, r);
        return;
    }
    switch (kind) {
    case PQ_ROWS:
        take_rows(s, r);
        break;
    case PQ_RESULT:
        rows_take_result(s, r);
        break;
    case PQ_ERROR:
        take_error(s, r);
        break;
    case PQ_END:
        stmt_run_prepared(&s->run);
        break;
    default: /* ABORTED: its own Prepare failed, and has said so; or one before it did */
        stmt_run_aborted(&s->run);
        verdict_notes(&s->verdict, CAME_ABORTED);
        break;
    }
}

static void rows_lost(struct op *op, const evpq_error *why, bool sent)
{
    struct rows *s = rows_of(op);
    if (s->state != ROWS_OVER)
        rows_settle(s, verdict_at_loss(&s->verdict, why, sent, s->request.sql));
    rows_leave(s);
}

static void rows_tell_waiter(struct op *op, const evpq_error *why)
{
    struct rows *s = rows_of(op);
    if (s->state != ROWS_OVER)
        rows_end(s, NULL, error_about(why, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, s->request.sql));
}

/* ---- asking ---- */

void rows_pause(struct rows *s, bool paused)
{
    if (s->conn && s->conn->pipeline.current == &s->op && !op_is_abandoned(&s->op))
        pipeline_pause(&s->conn->pipeline, paused);
}

void rows_stop(struct rows *s)
{
    if (!s->conn)
        return;
    if (s->state != ROWS_OVER)
        rows_to(s, ROWS_OVER);
    row_buffer_clear(&s->buffered);
    if (conn_abandon(s->conn, &s->op) <= CONN_NOT_UNDONE)
        rows_leave(s);
}

/* ---- life ---- */

evpq_error *rows_measure(const char *sql, const evpq_args *args, struct request_size *ret_size)
{
    evpq_error *error = request_measure(sql, args, ret_size);
    if (error || sql_kind(sql) != SQL_COPY_STREAM)
        return error;
    return error_build(&(struct error_fields){
        .status = EVPQ_INVALID,
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = "COPY from stdin or to stdout has no rows to be streamed",
        .hint = "use evpq_pool_copy_in or evpq_pool_copy_out",
        .sql = sql,
    });
}

void rows_init(struct rows *s, const struct rows_user *user, void *room, const char *sql,
               const evpq_args *args, const struct request_size *size)
{
    static const struct op_class class = {.send = rows_send,
                                          .feed = rows_feed,
                                          .fail = rows_lost,
                                          .tell_waiter = rows_tell_waiter,
                                          .begin = begin};
    *s = (struct rows){
        .op = {.class = &class,
               .size = size->block,
               .slow = true,
               .wire = OP_BARRIER,
               .keeps_block = true,
               .streams = true},
        .user = user,
    };
    list_init(&s->op.node);
    job_init(&s->deliver, deliver);
    enum sql_kind kind = sql_kind(sql);
    s->preparable = sql_is_preparable(kind);
    request_write(&s->request, room, sql, args, size);
    s->op.sql = s->request.sql;
}

void rows_free(struct rows *s)
{
    row_buffer_clear(&s->buffered);
    evpq_result_unref(s->last);
    verdict_free(&s->verdict);
}
