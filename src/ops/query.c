/* query.c - the life of a statement, from the copy to the answer.
 *
 * The future settles at the Sync, not at the result: only then has the server committed, and only
 * then is an error of the commit itself (a deferred constraint) known. */
#include "ops/query.h"

#include "libpq/result.h"
#include "ops/offer.h"
#include "words/error.h"

static struct query *query_of(const evpq_future *f)
{
    return container_of(f, struct query, future);
}

static struct query *query_of_op(struct op *op)
{
    return container_of(op, struct query, op);
}

/* Off the pipeline: gives back what was held for the time on it. May free the query. */
static void query_leave(struct query *q)
{
    stmt_run_leave(&q->run);
    q->conn = NULL;
    future_unref(&q->future);
}

/* ---- the future ---- */

static void free_result(void *value)
{
    evpq_result_unref(value);
}

const struct value_class result_class = {.free = free_result, .ours = true};

const evpq_result *evpq_future_result(const evpq_future *f)
{
    const evpq_result *r = future_value(f, &result_class);
    return r ? r : offer_look(f);
}

static void query_free(evpq_future *f)
{
    struct query *q = query_of(f);
    verdict_free(&q->verdict);
    evpq_result_unref(q->result);
    recycler_give(loop_blocks(f->loop), q, sizeof *q + q->op.size);
}

static void settle_canceled(struct query *q, evpq_outcome outcome, const char *detail)
{
    future_settle_error(&q->future, error_build(&(struct error_fields){
                                        .status = EVPQ_CANCELED,
                                        .outcome = outcome,
                                        .message = "canceled by the program",
                                        .detail = detail,
                                        .sql = q->request.sql,
                                    }));
}

static void query_cancel(evpq_future *f)
{
    struct query *q = query_of(f);
    evpq_outcome outcome = EVPQ_OUTCOME_NOT_SENT;
    const char *detail = NULL;
    evpq_future_ref(f); /* a pipeline that lets go of it below must not free it */
    if (q->conn) {
        switch (conn_abandon(q->conn, &q->op)) {
        case CONN_NOT_SENT:
            query_leave(q);
            break;
        case CONN_NOT_UNDONE:
            outcome = EVPQ_OUTCOME_UNKNOWN;
            query_leave(q);
            break;
        case CONN_NO_KEY:
            detail = "the server gave no key to cancel it with: its connection was closed";
            outcome = EVPQ_OUTCOME_UNKNOWN;
            break;
        case CONN_ON_SERVER:
            outcome = EVPQ_OUTCOME_UNKNOWN;
            break;
        }
    } else if (q->home) {
        q->home->withdraw(q->home, q);
    }
    settle_canceled(q, outcome, detail);
    evpq_future_unref(f);
}

static const char *query_detail(const evpq_future *f)
{
    return query_of(f)->request.sql;
}

static void query_why(const evpq_future *f, struct why *why)
{
    const struct query *q = query_of(f);
    if (q->conn)
        conn_why(q->conn, &q->op, why);
    else if (q->home && list_linked(&q->place.node))
        q->home->why(q->home, q, why);
    else
        why_say(why, "it was not sent: what is before it has not been answered");
}

static const struct future_class query_class = {.name = "query",
                                                .why = query_why,
                                                .detail = query_detail,
                                                .cancel = query_cancel,
                                                .free = query_free,
                                                .is_leaf = true};

/* ---- in the pipeline ---- */

static enum stmt_trust trust(const struct query *q)
{
    return q->home ? STMT_TRUSTING : STMT_CAUTIOUS;
}

/* Flat, as query_new and query_send are. */
__attribute__((flatten)) void query_submit(struct query *q, struct conn *c)
{
    future_ref(&q->future);
    q->conn = c;
    verdict_begin(&q->verdict);
    stmt_run_board(&q->run, c, &q->request, q->preparable, trust(q));
    q->op.slow = !stmt_is_quick(q->run.stmt);
    conn_submit(c, &q->op);
}

__attribute__((cold, noinline)) static void was_refused(struct query *q, const struct pg_conn *c)
{
    verdict_fails(&q->verdict, pq_refused_error(c, q->request.sql));
}

__attribute__((flatten)) static bool query_send(struct op *op, struct pg_conn *c)
{
    struct query *q = query_of_op(op);
    op->parts = 0;
    if (q->verdict.undoing)
        return verdict_send_rollback(&q->verdict, op, c);
    bool sent = stmt_run_send(&q->run, op, &q->conn->pipeline, &q->request, trust(q));
    if (!sent && pq_is_whole(c))
        was_refused(q, c);
    return sent;
}

__attribute__((cold, noinline)) static void has_no_room(struct query *q)
{
    verdict_fails(&q->verdict,
                  error_build(&(struct error_fields){
                      .status = EVPQ_NOMEM,
                      .outcome = EVPQ_OUTCOME_UNKNOWN,
                      .message = "the statement was run, but there was no memory for its result",
                      .sql = q->request.sql,
                  }));
}

/* This and the next functions, down to finish, are not inlined into feed: so feed need not save
 * registers. */
__attribute__((noinline)) static void query_take_result(struct query *q, struct pg_result *r)
{
    future_prefetch(&q->future);
    bool own = stmt_run_result(&q->run, q->conn, r);
    if (own)
        verdict_notes(&q->verdict, CAME_RESULT);
    if (!own || op_is_abandoned(&q->op) || q->result) {
        pq_clear(r);
        return;
    }
    q->result = result_wrap(r, loop_blocks(q->future.loop));
    result_note_encoding(q->result, q->conn->pipeline.wire.c);
    if (!q->result)
        has_no_room(q);
}

__attribute__((cold, noinline)) static void take_error(struct query *q, struct pg_result *r)
{
    stmt_run_error(&q->run, r);
    verdict_notes_error(&q->verdict, r);
    if (!op_is_abandoned(&q->op))
        verdict_fails(&q->verdict, pq_result_error(r, q->request.sql));
    pq_clear(r);
}

__attribute__((cold, noinline)) static void take_abort(struct query *q)
{
    stmt_run_aborted(&q->run);
    verdict_notes(&q->verdict, CAME_ABORTED);
}

static void go_again(struct query *q)
{
    struct conn *c = q->conn;
    stmt_run_leave(&q->run);
    q->result = evpq_result_unref(q->result);
    q->run.plain |= q->run.stale;
    query_submit(q, c);
    evpq_future_unref(&q->future); /* the reference of the first time */
}

/* ROLLBACK goes in its place; its error is kept. */
static void undo(struct query *q)
{
    q->op.reads = false;
    conn_submit(q->conn, &q->op);
}

/* The error is taken. */
static void query_settle(struct query *q, evpq_error *error)
{
    evpq_result *result = q->result;
    q->result = NULL;
    if (!error && !result)
        error = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    if (error) {
        evpq_result_unref(result);
        future_settle_error(&q->future, error);
    } else {
        future_settle_value(&q->future, &result_class, result);
    }
}

static void query_tell(struct query *q)
{
    evpq_error *error = verdict_error(&q->verdict, q->request.sql);
    stmt_run_over(&q->run, error);
    if (q->run.stmt && !error && !op_is_abandoned(&q->op))
        stmt_learn(q->run.stmt, q->conn->pipeline.head_took);
    if (error && q->op.begins && q->op.wire == OP_BARRIER)
        pipeline_break_at_sync(&q->conn->pipeline, error); /* see session_lend */
    if (op_is_abandoned(&q->op))
        evpq_error_unref(error);
    else
        query_settle(q, error);
    query_leave(q);
}

__attribute__((noinline)) static void finish(struct query *q)
{
    if (verdict_is_done(&q->verdict, &q->conn->pipeline)) {
        query_tell(q);
        return;
    }
    switch (verdict_at_sync(&q->verdict, &q->op, q->conn, q->request.sql, q->home, q->run.stale)) {
    case NEXT_AGAIN:
        go_again(q);
        break;
    case NEXT_UNDO:
        undo(q);
        break;
    case NEXT_TELL:
        query_tell(q);
        break;
    }
}

static void query_feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct query *q = query_of_op(op);
    if (kind == PQ_SYNC) {
        finish(q);
        return;
    }
    if (q->verdict.undoing) {
        verdict_take_rollback(&q->verdict, kind, r);
        return;
    }
    switch (kind) {
    case PQ_ROWS: /* nobody has asked for them so */
    case PQ_RESULT:
        query_take_result(q, r);
        break;
    case PQ_ERROR:
        take_error(q, r);
        break;
    case PQ_END:
        stmt_run_prepared(&q->run);
        break;
    default: /* ABORTED: its own Prepare failed, and has said so; or one before it in its segment */
        take_abort(q);
        break;
    }
}

static void query_lost(struct op *op, const evpq_error *why, bool sent)
{
    struct query *q = query_of_op(op);
    struct query_home *home = q->home;
    evpq_future_ref(&q->future);
    query_leave(q);
    if (!op_is_abandoned(op)) {
        bool untouched = !sent && !q->verdict.error && q->verdict.came == CAME_NOTHING;
        if (untouched && home && evpq_error_status(why) != EVPQ_CLOSED)
            home->again(home, q);
        else
            query_fail(q, verdict_at_loss(&q->verdict, why, sent, q->request.sql));
    }
    evpq_future_unref(&q->future);
}

static void query_tell_waiter(struct op *op, const evpq_error *why)
{
    struct query *q = query_of_op(op);
    query_fail(q, error_about(why, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, q->request.sql));
}

/* ---- life ---- */

__attribute__((cold, noinline)) static evpq_error *copy_error(const char *sql)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_INVALID,
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = "COPY from stdin or to stdout cannot be run as a query",
        .hint = "use evpq_pool_copy_in or evpq_pool_copy_out",
        .sql = sql,
    });
}

struct query *query_of_new(evpq_future *f)
{
    return f->class == &query_class ? query_of(f) : NULL;
}

/* Flat: the compiler is told to inline what it calls, since it runs for each query. */
__attribute__((flatten)) evpq_future *query_new(evpq_loop *loop, const char *sql,
                                                const evpq_args *args, struct query_home *home)
{
    static const struct op_class class = {.send = query_send,
                                          .feed = query_feed,
                                          .fail = query_lost,
                                          .tell_waiter = query_tell_waiter};
    struct request_size size;
    evpq_error *error = request_measure(sql, args, &size);
    enum sql_kind kind = error ? SQL_EMPTY : sql_memo_kind(loop_texts(loop), sql, size.sql);
    if (!error && kind == SQL_COPY_STREAM)
        error = copy_error(sql);
    if (error)
        return future_failed(loop, error);
    struct query *q = recycler_take(loop_blocks(loop), sizeof *q + size.block);
    if (!q)
        return future_constant(EVPQ_NOMEM);
    /* Part by part: each is written once. */
    future_init(&q->future, &query_class, loop);
    request_write(&q->request, q + 1, sql, args, &size);
    bool preparable = sql_is_preparable(kind);
    q->op = (struct op){
        .class = &class,
        .sql = q->request.sql,
        .size = size.block,
        .keeps_block = preparable,
        .changes_data = kind == SQL_DML,
    };
    list_init(&q->op.node);
    q->home = home;
    q->conn = NULL;
    q->result = NULL;
    q->verdict = (struct verdict){.error = NULL};
    q->run = (struct stmt_run){.stmt = NULL};
    q->preparable = preparable;
    q->place = (struct queue_place){.ticket = 0};
    list_init(&q->place.node);
    return &q->future;
}

void query_fail(struct query *q, evpq_error *error)
{
    future_settle_error(&q->future, error);
}
