/* verdict.c - see verdict.h. */
#include "ops/verdict.h"

#include "pipeline/peer.h"
#include "words/error.h"

/* Times that a read is run again with others after one of them has failed. */
enum { ABORTS_MOST = 4 };

/* The table. I, T and E are the status of the transaction that ReadyForQuery reports: none, a block,
 * a failed block. "Alone" is what the server commits by itself; "part" what belongs to a
 * transaction of ours.
 *
 *   sent  ready again  what came  before -> after  else             it is
 *   no    -            -          -                                 NOT_SENT
 *   yes   no           ERROR      -                part, no doubt   REJECTED
 *   yes   no           other      -                                 UNKNOWN
 *   yes   yes          nothing    any                               UNKNOWN
 *   yes   yes          ERROR      any              in doubt         UNKNOWN
 *   yes   yes          ERROR      any -> T                          UNKNOWN
 *   yes   yes          ERROR      I -> any         commits parts    UNKNOWN
 *   yes   yes          ERROR      I -> any         maybe split      UNKNOWN
 *   yes   yes          ERROR      any -> I, E                       REJECTED
 *   yes   yes          aborted    as for the ERROR of another       REJECTED or UNKNOWN
 *   yes   yes          results    I -> any         part, no BEGIN   UNKNOWN
 *   yes   yes          results    other            part             done
 *   yes   yes          results    I -> any         COMMIT, no BEGIN UNKNOWN
 *   yes   yes          results    any -> T, E      COMMIT           UNKNOWN
 *   yes   yes          results    T, E -> I        alone, ends none UNKNOWN
 *   yes   yes          results    any -> I                          done
 *   yes   yes          results    T, E -> T, E                      done
 *   yes   yes          results    I -> T           begins a block   done
 *   yes   yes          results    I -> T, E        maybe split      rolled back, UNKNOWN
 *   yes   yes          results    I -> T, E                         rolled back, then REJECTED
 *   yes   yes          results    ? -> T, E        alone            UNKNOWN
 *
 * What is alone and leaves a transaction open that it did not begin is followed by ROLLBACK in any
 * case, also after an error, and before anything else of the program's is sent: the next is not to
 * find itself in it.
 *
 * Where libpq does not tell the status (more is in flight) it is taken for what the connection has
 * shown of such statements before (struct pipeline, proved). */
static bool is_block(enum pq_transaction status)
{
    return status == PQ_TXN_OPEN || status == PQ_TXN_FAILED;
}

bool verdict_is_stray(const struct evidence *e)
{
    return e->role == ROLE_ALONE && e->came != CAME_NOTHING && e->before == PQ_TXN_IDLE &&
           is_block(e->after) && !e->began && e->scope != SQL_BEGINS;
}

static enum fate of_error(const struct evidence *e)
{
    bool in_parts = (e->scope == SQL_COMMITS || e->split) && e->role == ROLE_ALONE &&
                    !is_block(e->before) && !e->began;
    return e->doubt || e->after == PQ_TXN_OPEN || in_parts ? FATE_UNKNOWN : FATE_REJECTED;
}

/* In a transaction of ours, which must have been open by then. */
static enum fate of_part(const struct evidence *e)
{
    if (e->before == PQ_TXN_IDLE && !e->began && (e->role == ROLE_COMMIT || e->scope != SQL_ENDS))
        return FATE_UNKNOWN;
    return e->role == ROLE_COMMIT && is_block(e->after) ? FATE_UNKNOWN : FATE_DONE;
}

static enum fate of_result(const struct evidence *e)
{
    if (e->role != ROLE_ALONE)
        return of_part(e);
    if (e->after == PQ_TXN_IDLE)
        return is_block(e->before) && e->scope != SQL_ENDS ? FATE_UNKNOWN : FATE_DONE;
    if (!is_block(e->after) || is_block(e->before) || e->began || e->scope == SQL_BEGINS)
        return FATE_DONE;
    return e->before == PQ_TXN_IDLE ? FATE_LEFT_OPEN : FATE_UNKNOWN;
}

enum fate fate_of(const struct evidence *e)
{
    if (!e->sent)
        return FATE_NOT_SENT;
    if (!e->synced) /* an ERROR fails the block that it comes in, whatever is lost behind it */
        return e->came == CAME_ERROR && e->role == ROLE_WITHIN && !e->doubt ? FATE_REJECTED
                                                                            : FATE_UNKNOWN;
    if (e->came == CAME_NOTHING)
        return FATE_UNKNOWN;
    return e->came == CAME_RESULT ? of_result(e) : of_error(e);
}

/* ---- life ---- */

void verdict_begin_several(struct verdict *v, struct pipeline *pipeline, size_t n)
{
    verdict_begin(v);
    v->several = n > 1 && v->role == ROLE_ALONE;
    if (v->several)
        peer_ask_unity(pipeline);
}

void verdict_notes_error(struct verdict *v, const struct pg_result *r)
{
    verdict_notes(v, CAME_ERROR);
    v->doubt |= pq_word(r) != PQ_WORD_SERVER;
}

void verdict_free(struct verdict *v)
{
    v->error = evpq_error_unref(v->error);
}

void verdict_fails(struct verdict *v, evpq_error *error)
{
    if (v->error)
        evpq_error_unref(error);
    else
        v->error = error;
}

/* ---- rolling back what should not be open ---- */

bool verdict_send_rollback(struct verdict *v, struct op *op, struct pg_conn *c)
{
    (void)v;
    op->parts = 1;
    return pq_send_command(c, "ROLLBACK");
}

void verdict_take_rollback(struct verdict *v, enum pq_kind kind, struct pg_result *r)
{
    v->rolled_back |= kind == PQ_RESULT;
    pq_clear(r);
}

evpq_error *verdict_left_open(const char *sql)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = EVPQ_OUTCOME_UNKNOWN,
        .message = "the statement was run, but the transaction it was run in was left open: it is "
                   "not committed",
        .detail = "ReadyForQuery reported a transaction block that no statement had begun. The "
                  "transaction was rolled back.",
        .hint = "A pooler does this, not a PostgreSQL server (pgpool-II in raw mode). Use "
                "evpq_transact or evpq_pool_begin, or another pooler.",
        .sqlstate = "25000",
        .sql = sql,
    });
}

/* ---- the end ---- */

static bool may_be_split(const struct verdict *v, const struct pipeline *pipeline)
{
    return v->several && pipeline->unity != UNITY_YES;
}

static struct evidence evidence_of(const struct verdict *v, const struct pipeline *pipeline,
                                   const char *sql)
{
    bool plain = v->came == CAME_RESULT && v->role == ROLE_ALONE &&
                 pipeline->sync.after == PQ_TXN_IDLE && pipeline->sync.before == PQ_TXN_IDLE;
    return (struct evidence){
        .sent = true,
        .synced = true,
        .came = v->came,
        .doubt = pipeline->sync.doubt || v->doubt,
        .split = may_be_split(v, pipeline),
        .role = v->role,
        .began = pipeline->sync.began,
        .before = pipeline->sync.before,
        .after = pipeline->sync.after,
        .scope = plain ? SQL_WITHIN : sql_scope(sql),
    };
}

/* Whether the statement failed only because of how we sent it, and can be carried out now. */
static bool may_heal(const struct verdict *v, const struct conn *c, bool movable, bool stale)
{
    if (!stale || v->healed || v->role != ROLE_ALONE || v->fate != FATE_REJECTED)
        return false;
    return movable || (!pipeline_depth(&c->pipeline) && c->pipeline.sync.after == PQ_TXN_IDLE);
}

/* Another one that shares its Sync has failed before it. */
static bool may_join_again(struct verdict *v, struct op *op)
{
    if (!op->reads || v->came != CAME_ABORTED || v->error || v->role != ROLE_ALONE)
        return false;
    if (++v->aborts == ABORTS_MOST)
        op->reads = false; /* with others it would fail again */
    return true;
}

/* Decides, and whether ROLLBACK has to follow. */
static bool must_undo(struct verdict *v, const struct op *op, struct conn *c, const char *sql)
{
    const struct evidence evidence = evidence_of(v, &c->pipeline, sql);
    v->fate = fate_of(&evidence);
    if (!verdict_is_stray(&evidence))
        return false;
    bool abandoned = op_is_abandoned(op);
    pipeline_note_left_open(&c->pipeline, abandoned && v->fate == FATE_LEFT_OPEN);
    if (abandoned)
        return false;
    if (v->fate == FATE_LEFT_OPEN)
        verdict_fails(v, verdict_left_open(sql));
    v->undoing = true;
    return true;
}

/* Where several were split, only the last was in the transaction that is rolled back. */
static void note_rollback(struct verdict *v, const struct conn *c)
{
    bool undone =
        v->rolled_back && c->pipeline.sync.after == PQ_TXN_IDLE && !may_be_split(v, &c->pipeline);
    v->undoing = false;
    if (v->fate == FATE_LEFT_OPEN)
        v->fate = undone ? FATE_REJECTED : FATE_UNKNOWN;
}

enum verdict_next verdict_at_sync(struct verdict *v, struct op *op, struct conn *c, const char *sql,
                                  bool movable, bool stale)
{
    bool undone = v->undoing;
    if (undone)
        note_rollback(v, c);
    op->undoes = !undone && must_undo(v, op, c, sql);
    op->order = op->undoes ? OP_FRONT : OP_NORMAL;
    if (op->undoes)
        return NEXT_UNDO;
    if (op_is_abandoned(op))
        return NEXT_TELL;
    if (may_heal(v, c, movable, stale)) {
        v->healed = true;
        return NEXT_AGAIN;
    }
    return may_join_again(v, op) ? NEXT_AGAIN : NEXT_TELL;
}

static evpq_error *not_run(const char *sql)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = EVPQ_OUTCOME_REJECTED,
        .message = "the statement was not carried out: another one sent with it failed",
        .sqlstate = "25P02",
        .sql = sql,
    });
}

static evpq_error *block_is_gone(const char *sql)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = EVPQ_OUTCOME_UNKNOWN,
        .message = "the transaction that the statement belongs to is not the one it was run in",
        .detail = "ReadyForQuery reported a transaction status that no statement accounts for.",
        .hint = "A pooler or proxy between this program and the server may have lost or kept the "
                "transaction.",
        .sqlstate = "25P01",
        .sql = sql,
    });
}

evpq_error *verdict_why(struct verdict *v, const char *sql)
{
    evpq_error *error = v->error;
    v->error = NULL;
    if (error && v->fate == FATE_REJECTED && evpq_error_status(error) == EVPQ_SERVER)
        return error_decided(error, EVPQ_OUTCOME_REJECTED);
    if (error)
        return error;
    switch (v->came) {
    case CAME_RESULT:
        return v->fate == FATE_UNKNOWN ? block_is_gone(sql) : NULL;
    case CAME_ABORTED:
        error = not_run(sql);
        return v->fate == FATE_REJECTED ? error : error_decided(error, EVPQ_OUTCOME_UNKNOWN);
    default:
        return error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer");
    }
}

evpq_error *verdict_at_loss(struct verdict *v, const evpq_error *why, bool sent, const char *sql)
{
    const struct evidence evidence = {
        .sent = sent, .came = v->came, .role = v->role, .doubt = v->doubt};
    v->fate = fate_of(&evidence);
    if (v->error)
        return verdict_error(v, sql);
    evpq_outcome outcome = v->fate == FATE_NOT_SENT ? EVPQ_OUTCOME_NOT_SENT : EVPQ_OUTCOME_UNKNOWN;
    if (why)
        return error_about(why, EVPQ_OK, outcome, sql);
    return error_build(
        &(struct error_fields){.status = EVPQ_LOST,
                               .outcome = outcome,
                               .message = "a statement before it on its connection was canceled",
                               .sql = sql});
}
