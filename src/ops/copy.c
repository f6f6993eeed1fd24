/* copy.c - the life of a COPY on its line.
 *
 * libpq does not look at an error of the server's while it sends data (fe-protocol3.c,
 * pqParseInput3: in PGASYNC_COPY_IN it "just waits"): only when the data have been ended. So a COPY
 * to the server fails at its end, and what is sent meanwhile is thrown away by the server. */
#include "ops/copy.h"

#include "ops/verdict.h"

#include "base/mem.h"
#include "libpq/result.h"
#include "words/error.h"

/* So that a message fills libpq's buffer, which it sends in units of 8 kB, with its head. */
enum { HEAD = 5, PIECE = 64 * 1024 - HEAD };

static const char stopped[] = "canceled by the program";

static struct copy *copy_of(struct op *op)
{
    return container_of(op, struct copy, op);
}

static bool tell(struct copy *k)
{
    return k->owner->changed(k);
}

static const char *statement(const struct copy *k)
{
    return k->sql ? k->sql : k->question.sql;
}

bool copy_was_sent(const struct copy *k)
{
    return k->stage > COPY_STARTING || (k->stage == COPY_STARTING && op_was_sent(&k->op));
}

/* ---- the end ---- */

static void keep_error(struct copy *k, evpq_error *error)
{
    if (k->error)
        evpq_error_unref(error);
    else
        k->error = error;
}

static void end(struct copy *k)
{
    k->stage = COPY_OVER;
    k->conn = NULL;
    bytes_free(&k->filling);
    bytes_free(&k->going);
    k->gone = 0;
    tell(k);
}

/* Off the line. May free it. */
static void leave_line(struct copy *k)
{
    end(k);
    copy_unref(k);
}

/* The server reads no more of it than what has been handed to libpq. */
static void end_data(struct copy *k, struct pg_conn *c, const char *why)
{
    k->stage = COPY_ENDING;
    pq_copy_end(c, why); /* where it fails the link is broken, which the wire finds out */
}

static void break_off(struct copy *k, struct pg_conn *c)
{
    end_data(k, c, k->why ? k->why : stopped);
}

/* ---- on the line ---- */

static bool send(struct op *op, struct pg_conn *c)
{
    struct copy *k = copy_of(op);
    bool sent;
    op->parts = 1;
    op->sql = statement(k);
    if (k->undoing) {
        sent = pq_send_command(c, "ROLLBACK");
    } else if (k->stage == COPY_STARTING) {
        sent = pq_send_simple(c, k->sql);
    } else if (k->describes) {
        op->parts = 2;
        sent = pq_send_prepare(c, "", &k->question) && pq_send_describe(c, "");
    } else {
        sent = pq_send_request(c, &k->question);
    }
    if (!sent && pq_is_whole(c))
        keep_error(k, pq_refused_error(c, statement(k)));
    return sent;
}

static void take_result(struct copy *k, struct pg_result *r)
{
    evpq_result_unref(k->result);
    k->result = result_wrap(r, NULL);
    result_came_on(k->result, k->conn->pipeline.wire.c);
    if (!k->result)
        keep_error(k,
                   error_build(&(struct error_fields){
                       .status = EVPQ_NOMEM,
                       .outcome = copy_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                       .message = "the server answered, but there was no memory for its answer",
                       .sql = statement(k),
                   }));
}

static void take_error(struct copy *k, struct pg_result *r)
{
    keep_error(k, pq_result_error(r, statement(k)));
    pq_clear(r);
}

static void begin_data(struct copy *k, enum pq_kind kind)
{
    struct pg_conn *c = k->conn->pipeline.wire.c;
    bool in = kind == PQ_COPY_IN;
    k->stage = COPY_FLOWING;
    if (in != k->in)
        keep_error(k, error_build(&(struct error_fields){
                          .status = EVPQ_INVALID,
                          .outcome = EVPQ_OUTCOME_UNKNOWN,
                          .message = "the COPY goes the other way",
                          .sql = statement(k),
                      }));
    bool wanted = in == k->in && !op_is_abandoned(&k->op);
    k->in = in;
    if (in && !wanted)
        break_off(k, c);
    else
        tell(k);
}

/* The question is over. */
static void go_on_to_copy(struct copy *k)
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
        keep_error(k, error);
    if (!k->sql) {
        leave_line(k);
        return;
    }
    k->stage = COPY_STARTING;
    k->op.wire = OP_ALONE;
    k->op.order = OP_FRONT;
    conn_submit(k->conn, &k->op);
}

/* A pooler has left a transaction open: what was copied is not committed, and what was asked is
 * not to be the transaction that the COPY is run in. */
static bool undo(struct copy *k)
{
    struct pipeline *pipeline = &k->conn->pipeline;
    pipeline->left_open = pipeline->mistrusted = true;
    if (op_is_abandoned(&k->op)) {
        pipeline->stray |= !k->error || evpq_error_status(k->error) != EVPQ_SERVER;
        return false;
    }
    k->left_open = !k->error && k->stage > COPY_STARTING;
    if (k->left_open)
        keep_error(k, verdict_left_open(statement(k)));
    k->undoing = true;
    k->rolled_back = false;
    k->op.wire = OP_BARRIER;
    k->op.order = OP_NORMAL;
    conn_submit(k->conn, &k->op);
    return true;
}

static void undone(struct copy *k)
{
    k->undoing = false;
    if (k->left_open && k->rolled_back && k->conn->pipeline.after == PQ_TXN_IDLE)
        k->error = error_decided(k->error, EVPQ_OUTCOME_REJECTED);
}

/* The server's own word that it failed, and that it is ready again. Whether ROLLBACK goes first. */
static bool decide(struct copy *k)
{
    const struct pipeline *pipeline = &k->conn->pipeline;
    const bool failed = k->error && evpq_error_status(k->error) == EVPQ_SERVER;
    const struct evidence evidence = {
        .sent = true,
        .synced = true,
        .came = failed ? CAME_ERROR : CAME_RESULT,
        .doubt = pipeline->doubt,
        .began = pipeline->began,
        .before = pipeline->before,
        .after = pipeline->after,
    };
    if (failed && fate_of(&evidence) == FATE_REJECTED)
        k->error = error_decided(k->error, EVPQ_OUTCOME_REJECTED);
    return verdict_is_stray(&evidence) && undo(k);
}

static void finish(struct copy *k)
{
    if (k->undoing)
        undone(k);
    else if (decide(k))
        return;
    if (k->stage == COPY_ASKING) {
        go_on_to_copy(k);
        return;
    }
    if (!k->error && k->stage < COPY_FLOWING)
        keep_error(k,
                   error_build(&(struct error_fields){
                       .status = EVPQ_INVALID,
                       .outcome = EVPQ_OUTCOME_UNKNOWN,
                       .message = "the statement was run, but is not a COPY from or to the client",
                       .sql = statement(k),
                   }));
    leave_line(k);
}

static void feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct copy *k = copy_of(op);
    if (k->undoing && kind != PQ_SYNC) {
        k->rolled_back |= kind == PQ_RESULT;
        pq_clear(r);
        return;
    }
    switch (kind) {
    case PQ_RESULT:
        take_result(k, r);
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

static void fail(struct op *op, const evpq_error *why, bool sent)
{
    struct copy *k = copy_of(op);
    bool seen = sent && k->stage >= COPY_STARTING;
    keep_error(k, error_about(why, EVPQ_OK, seen ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                              statement(k)));
    leave_line(k);
}

static void detach(struct op *op, const evpq_error *why)
{
    struct copy *k = copy_of(op);
    keep_error(k, error_about(why, EVPQ_OK,
                              copy_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                              statement(k)));
    tell(k);
}

static void called_off(struct op *op, struct pg_conn *c)
{
    struct copy *k = copy_of(op);
    if (k->in && k->stage == COPY_FLOWING)
        break_off(k, c);
}

/* ---- data to the server ---- */

static bool next_piece(struct copy *k)
{
    if (k->gone < k->going.length)
        return true;
    struct bytes sent = k->going;
    sent.length = k->gone = 0;
    k->going = k->filling;
    k->filling = sent;
    return k->going.length > 0;
}

static void no_memory(struct copy *k, struct pg_conn *c)
{
    keep_error(k, error_about(error_nomem(), EVPQ_OK, EVPQ_OUTCOME_REJECTED, k->sql));
    end_data(k, c, "out of memory");
    tell(k);
}

static bool more(struct op *op, struct pg_conn *c)
{
    struct copy *k = copy_of(op);
    if (!k->in || k->stage != COPY_FLOWING)
        return false;
    if (next_piece(k)) {
        size_t left = k->going.length - k->gone, n = left < PIECE ? left : PIECE;
        if (!pq_copy_put(c, k->going.data + k->gone, n)) {
            if (pq_is_whole(c))
                no_memory(k, c);
            return false;
        }
        k->gone += n;
        tell(k);
        return true;
    }
    if (k->finishing)
        end_data(k, c, NULL);
    return false;
}

/* Nothing is expected but the answer; or the end of a broken link, of which libpq tells what the
 * server said last when the data are ended. */
static enum pull pull_in(struct copy *k, struct pg_conn *c)
{
    if (k->stage == COPY_FLOWING && !pq_is_whole(c))
        break_off(k, c);
    return k->stage == COPY_FLOWING ? PULL_DRY : PULL_OVER;
}

/* ---- data from the server ---- */

/* Whether somebody was told. */
static bool take_message(struct copy *k, const char *bytes, size_t n)
{
    evpq_error *error = op_is_abandoned(&k->op) || k->error ? NULL : k->owner->message(k, bytes, n);
    if (!error)
        return false;
    copy_stop(k, error);
    return true;
}

static enum pull take_what_is_there(struct copy *k, struct pg_conn *c)
{
    k->dry = false;
    while (!k->full || op_is_abandoned(&k->op)) {
        char *buffer;
        int n = pq_copy_get(c, &buffer);
        if (n < 0) {
            k->stage = COPY_ENDING;
            return PULL_OVER;
        }
        if (n == 0) {
            k->dry = true;
            return !op_is_abandoned(&k->op) && tell(k) ? PULL_TOLD : PULL_DRY;
        }
        pipeline_weigh(&k->conn->pipeline, (size_t)n);
        bool told = take_message(k, buffer, (size_t)n);
        pq_copy_free(buffer);
        if (told)
            return PULL_TOLD;
    }
    if (tell(k))
        return PULL_TOLD;
    pipeline_pause(&k->conn->pipeline, true);
    return PULL_DRY;
}

static enum pull pull(struct op *op, struct pg_conn *c)
{
    struct copy *k = copy_of(op);
    if (k->in)
        return pull_in(k, c);
    copy_ref(k); /* the link may be closed below, to stop it */
    enum pull found = take_what_is_there(k, c);
    copy_unref(k);
    return found;
}

/* ---- life ---- */

void copy_init(struct copy *k, const struct copy_owner *owner, bool in)
{
    static const struct op_class class = {.send = send,
                                          .feed = feed,
                                          .fail = fail,
                                          .detach = detach,
                                          .more = more,
                                          .pull = pull,
                                          .called_off = called_off};
    *k = (struct copy){.op = {.class = &class, .slow = true, .wire = OP_BARRIER},
                       .owner = owner,
                       .refs = 1,
                       .in = in};
    list_init(&k->op.node);
}

void copy_ref(struct copy *k)
{
    k->refs++;
}

void copy_unref(struct copy *k)
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

void copy_start(struct copy *k, struct conn *c)
{
    copy_ref(k);
    k->conn = c;
    k->stage = k->question.sql ? COPY_ASKING : COPY_STARTING;
    k->op.wire = k->stage == COPY_STARTING ? OP_ALONE : OP_BARRIER;
    conn_submit(c, &k->op);
}

void copy_fail(struct copy *k, evpq_error *error)
{
    keep_error(k, error);
    end(k);
}

void copy_go_on(struct copy *k)
{
    if (!k->conn)
        return;
    if (k->in)
        pipeline_more(&k->conn->pipeline);
    else
        pipeline_pause(&k->conn->pipeline, false);
}

evpq_outcome copy_stop(struct copy *k, evpq_error *error)
{
    evpq_outcome outcome = copy_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT;
    copy_ref(k);
    keep_error(k, error);
    if (!k->conn)
        end(k);
    else if (!op_is_abandoned(&k->op) && conn_abandon(k->conn, &k->op) == CONN_NOT_SENT)
        leave_line(k);
    else
        tell(k);
    copy_unref(k);
    return outcome;
}
