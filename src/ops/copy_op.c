/* copy_op.c - the life of a COPY on its pipeline. */
#include "ops/copy_op_impl.h"

#include "ops/verdict.h"

#include "base/mem.h"
#include "libpq/result.h"
#include "words/error.h"

static struct copy_op *copy_of(struct op *op)
{
    return container_of(op, struct copy_op, op);
}

static const char *statement(const struct copy_op *k)
{
    return k->sql ? k->sql : k->question.sql;
}

bool copy_op_was_sent(const struct copy_op *k)
{
    return k->state > COPY_STARTING || (k->state == COPY_STARTING && op_was_sent(&k->op));
}

/* ---- the end ---- */

static void copy_op_end(struct copy_op *k)
{
    if (k->state != COPY_OVER)
        copy_op_to(k, COPY_OVER);
    k->conn = NULL;
    bytes_free(&k->filling);
    bytes_free(&k->going);
    k->gone = 0;
    copy_op_tell(k);
}

/* Off the pipeline. May free it. */
static void copy_op_leave(struct copy_op *k)
{
    copy_op_end(k);
    copy_op_unref(k);
}

/* ---- on the pipeline ---- */

static bool is_undoing(const struct copy_op *k)
{
    return k->state == COPY_UNDOING || k->state == COPY_UNDOING_OPEN ||
           k->state == COPY_UNDOING_QUESTION;
}

static bool copy_op_send(struct op *op, struct pg_conn *c)
{
    struct copy_op *k = copy_of(op);
    bool sent;
    op->parts = 1;
    op->sql = statement(k);
    if (is_undoing(k)) {
        sent = pq_send_command(c, "ROLLBACK");
    } else if (k->state == COPY_STARTING) {
        sent = pq_send_simple(c, k->sql);
    } else if (k->describes) {
        op->parts = 2;
        sent = pq_send_prepare(c, "", &k->question) && pq_send_describe(c, "");
    } else {
        sent = pq_send_request(c, &k->question);
    }
    if (!sent && pq_is_whole(c))
        copy_op_keep_error(k, pq_refused_error(c, statement(k)));
    return sent;
}

static void copy_op_take_result(struct copy_op *k, struct pg_result *r)
{
    evpq_result_unref(k->result);
    k->result = result_wrap(r, NULL);
    result_note_encoding(k->result, k->conn->pipeline.wire.c);
    if (!k->result)
        copy_op_keep_error(
            k, error_build(&(struct error_fields){
                   .status = EVPQ_NOMEM,
                   .outcome = copy_op_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                   .message = "the server answered, but there was no memory for its answer",
                   .sql = statement(k),
               }));
}

static void take_error(struct copy_op *k, struct pg_result *r)
{
    copy_op_keep_error(k, pq_result_error(r, statement(k)));
    pq_clear(r);
}

static void begin_data(struct copy_op *k, enum pq_kind kind)
{
    struct pg_conn *c = k->conn->pipeline.wire.c;
    bool in = kind == PQ_COPY_IN;
    copy_op_to(k, COPY_FLOWING);
    bool wanted = in == copy_op_is_in(k) && !op_is_abandoned(&k->op);
    if (in != copy_op_is_in(k)) {
        copy_data_to(k, in ? COPY_IN_OPEN : COPY_OUT_COMING);
        copy_op_keep_error(k, error_build(&(struct error_fields){
                                  .status = EVPQ_INVALID,
                                  .outcome = EVPQ_OUTCOME_UNKNOWN,
                                  .message = "the COPY goes the other way",
                                  .sql = statement(k),
                              }));
    }
    if (in && !wanted)
        copy_op_break_off(k, c);
    else
        copy_op_tell(k);
}

/* The question is over. */
static void go_on_to_copy(struct copy_op *k)
{
    evpq_error *error = NULL;
    evpq_result *answer = k->result;
    k->result = NULL;
    if (!k->error && !op_is_abandoned(&k->op) && !answer)
        error = error_new(EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT, "the server gave no answer");
    else if (!k->error && !op_is_abandoned(&k->op))
        k->sql = k->owner->answered(k, answer, &error);
    evpq_result_unref(answer);
    if (error)
        copy_op_keep_error(k, error);
    if (!k->sql) {
        copy_op_leave(k);
        return;
    }
    copy_op_to(k, COPY_STARTING);
    k->op.wire = OP_ALONE;
    k->op.order = OP_FRONT;
    conn_submit(k->conn, &k->op);
}

/* A pooler has left a transaction open: what was copied is not committed, and what was asked is
 * not to be the transaction that the COPY is run in. */
static bool undo(struct copy_op *k)
{
    bool abandoned = op_is_abandoned(&k->op);
    bool carried_out = !k->error || evpq_error_status(k->error) != EVPQ_SERVER;
    pipeline_note_left_open(&k->conn->pipeline, abandoned && carried_out);
    if (abandoned)
        return false;
    if (k->state == COPY_ASKING) {
        copy_op_to(k, COPY_UNDOING_QUESTION);
    } else if (k->error || k->state == COPY_STARTING) {
        copy_op_to(k, COPY_UNDOING);
    } else {
        copy_op_keep_error(k, verdict_left_open(statement(k)));
        copy_op_to(k, COPY_UNDOING_OPEN);
    }
    k->rolled_back = false;
    k->op.undoes = true;
    k->op.wire = OP_BARRIER;
    k->op.order = OP_FRONT;
    conn_submit(k->conn, &k->op);
    return true;
}

static void undone(struct copy_op *k)
{
    if (k->state == COPY_UNDOING_OPEN && k->rolled_back &&
        k->conn->pipeline.sync.after == PQ_TXN_IDLE)
        k->error = error_decided(k->error, EVPQ_OUTCOME_REJECTED);
}

/* The server's own word that it failed, and that it is ready again. Whether ROLLBACK goes first. */
static bool decide(struct copy_op *k)
{
    const struct pipeline *pipeline = &k->conn->pipeline;
    const bool failed = k->error && evpq_error_status(k->error) == EVPQ_SERVER;
    const struct evidence evidence = {
        .sent = true,
        .synced = true,
        .came = failed ? CAME_ERROR : CAME_RESULT,
        .doubt = pipeline->sync.doubt,
        .began = pipeline->sync.began,
        .before = pipeline->sync.before,
        .after = pipeline->sync.after,
    };
    if (failed && fate_of(&evidence) == FATE_REJECTED)
        k->error = error_decided(k->error, EVPQ_OUTCOME_REJECTED);
    return verdict_is_stray(&evidence) && undo(k);
}

static void finish(struct copy_op *k)
{
    k->op.undoes = false;
    if (is_undoing(k))
        undone(k);
    else if (decide(k))
        return;
    if (k->state == COPY_ASKING || k->state == COPY_UNDOING_QUESTION) {
        go_on_to_copy(k);
        return;
    }
    if (!k->error && (k->state == COPY_STARTING || k->state == COPY_UNDOING))
        copy_op_keep_error(
            k, error_build(&(struct error_fields){
                   .status = EVPQ_INVALID,
                   .outcome = EVPQ_OUTCOME_UNKNOWN,
                   .message = "the statement was run, but is not a COPY from or to the client",
                   .sql = statement(k),
               }));
    copy_op_leave(k);
}

static void copy_op_feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct copy_op *k = copy_of(op);
    if (kind != PQ_SYNC && is_undoing(k)) {
        k->rolled_back |= kind == PQ_RESULT;
        pq_clear(r);
        return;
    }
    switch (kind) {
    case PQ_RESULT:
        copy_op_take_result(k, r);
        break;
    case PQ_ERROR:
        take_error(k, r);
        break;
    case PQ_COPY_IN:
    case PQ_COPY_OUT:
        begin_data(k, kind);
        break;
    case PQ_SYNC:
        finish(k);
        break;
    default:
        break;
    }
}

static void copy_op_lost(struct op *op, const evpq_error *why, bool sent)
{
    struct copy_op *k = copy_of(op);
    bool seen = (sent || op->undoes) && k->state >= COPY_STARTING;
    copy_op_keep_error(k, error_about(why, EVPQ_OK,
                                      seen ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                                      statement(k)));
    copy_op_leave(k);
}

static void copy_op_tell_waiter(struct op *op, const evpq_error *why)
{
    struct copy_op *k = copy_of(op);
    copy_op_keep_error(
        k, error_about(why, EVPQ_OK,
                       copy_op_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                       statement(k)));
    copy_op_tell(k);
}

static void called_off(struct op *op, struct pg_conn *c)
{
    struct copy_op *k = copy_of(op);
    if (copy_op_is_in(k) && k->state == COPY_FLOWING)
        copy_op_break_off(k, c);
}

static bool more(struct op *op, struct pg_conn *c)
{
    struct copy_op *k = copy_of(op);
    return copy_op_is_in(k) && copy_op_in_more(k, c);
}

static enum pull pull(struct op *op, struct pg_conn *c)
{
    struct copy_op *k = copy_of(op);
    if (copy_op_is_in(k))
        return copy_op_in_pull(k, c);
    copy_op_ref(k); /* the link may be closed below, to stop it */
    evpq_error *refusal = NULL;
    enum pull found = copy_op_out_pull(k, c, &refusal);
    if (refusal)
        copy_op_stop(k, refusal);
    copy_op_unref(k);
    return found;
}

/* ---- life ---- */

void copy_op_init(struct copy_op *k, const struct copy_op_owner *owner, bool in)
{
    static const struct op_class class = {.send = copy_op_send,
                                          .feed = copy_op_feed,
                                          .fail = copy_op_lost,
                                          .tell_waiter = copy_op_tell_waiter,
                                          .more = more,
                                          .pull = pull,
                                          .called_off = called_off};
    *k =
        (struct copy_op){.op = {.class = &class, .slow = true, .wire = OP_BARRIER, .streams = true},
                         .owner = owner,
                         .refs = 1,
                         .data = in ? COPY_IN_OPEN : COPY_OUT_COMING};
    list_init(&k->op.node);
}

void copy_op_ref(struct copy_op *k)
{
    k->refs++;
}

void copy_op_unref(struct copy_op *k)
{
    if (--k->refs)
        return;
    bytes_free(&k->filling);
    bytes_free(&k->going);
    evpq_error_unref(k->error);
    evpq_result_unref(k->result);
    mem_free(k->sql);
    mem_free(k->why);
    k->owner->free(k);
}

void copy_op_start(struct copy_op *k, struct conn *c)
{
    copy_op_ref(k);
    k->conn = c;
    copy_op_to(k, k->question.sql ? COPY_ASKING : COPY_STARTING);
    k->op.wire = k->state == COPY_STARTING ? OP_ALONE : OP_BARRIER;
    conn_submit(c, &k->op);
}

void copy_op_fail(struct copy_op *k, evpq_error *error)
{
    copy_op_keep_error(k, error);
    copy_op_end(k);
}

void copy_op_set_full(struct copy_op *k, bool full)
{
    if (full != (k->data == COPY_OUT_FULL))
        copy_data_to(k, full ? COPY_OUT_FULL : COPY_OUT_COMING);
}

void copy_op_finish(struct copy_op *k)
{
    copy_data_to(k, COPY_IN_FINISHED);
}

void copy_op_go_on(struct copy_op *k)
{
    if (!k->conn)
        return;
    if (copy_op_is_in(k))
        pipeline_more(&k->conn->pipeline);
    else
        pipeline_pause(&k->conn->pipeline, false);
}

evpq_outcome copy_op_stop(struct copy_op *k, evpq_error *error)
{
    evpq_outcome outcome = copy_op_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT;
    copy_op_ref(k);
    copy_op_keep_error(k, error);
    if (!k->conn)
        copy_op_end(k);
    else if (!op_is_abandoned(&k->op) && conn_abandon(k->conn, &k->op) <= CONN_NOT_UNDONE)
        copy_op_leave(k);
    else
        copy_op_tell(k);
    copy_op_unref(k);
    return outcome;
}
