/* txn_end.c - the future of a commit or rollback, and what has to be done when that goes wrong.
 *
 * It holds its transaction, and itself, until the server has answered, also when nobody waits. */
#include "flows/txn_end.h"

#include "base/mem.h"
#include "flows/probe.h"
#include "words/error.h"

#include <stdio.h>
#include <string.h>

enum { ROLLBACKS_MOST = 3 };

struct ending {
    struct evpq_future future;
    evpq_txn *txn; /* a reference */
    bool commits;
    int tries;           /* of a rollback */
    evpq_future *number; /* of the transaction, for a probe, or NULL */
    evpq_future *step;   /* what it waits for: its statement, ... */
    bool probing;        /* ... or, once that was answered, a probe */
    struct waiter answered;
};

static struct ending *ending_of(evpq_future *f)
{
    return container_of(f, struct ending, future);
}

static struct session *session_of(const struct ending *e)
{
    return e->txn->session;
}

/* ---- the future ---- */

static void drop_step(struct ending *e)
{
    list_remove(&e->answered.job.node);
    e->step = evpq_future_unref(e->step);
}

/* Takes the error; NULL: done. */
static void ending_finish(struct ending *e, evpq_error *error)
{
    drop_step(e);
    if (!future_pending(&e->future))
        evpq_error_unref(error);
    else if (error)
        future_settle_error(&e->future, error);
    else
        future_settle_value(&e->future, NULL, NULL);
    evpq_future_unref(&e->future);
}

static bool is_left_open(const struct ending *e)
{
    return session_of(e)->borrowed || e->txn->outer;
}

/* More was asked for behind it, of what is around a savepoint or of the lease: with a ROLLBACK in
 * the place of this, that would be undone, too. */
static bool has_to_go(const struct ending *e)
{
    return is_left_open(e) && !e->probing && future_pending(e->step) &&
           session_has_behind(session_of(e), e->step);
}

/* It cannot be rolled back. A connection of the pool's is seen to when it goes back. */
static void ending_give_up(evpq_txn *txn, const evpq_error *why)
{
    struct conn *c = session_conn(txn->session);
    if (c && (txn->session->borrowed || txn->outer))
        conn_kill(c, why);
}

/* Nobody waits for its answer. What cannot be said for want of memory must not be left undone: what
 * is around a savepoint would commit it. */
static void roll_back_unheard(evpq_txn *txn, bool first)
{
    evpq_future *f = txn_say_rollback(txn, first);
    if (!f)
        ending_give_up(txn, error_nomem());
    evpq_future_unref(f);
}

/* A commit that is called off leaves nothing open on a connection that stays the program's. */
static void ending_cancel(evpq_future *f)
{
    struct ending *e = ending_of(f);
    bool goes = e->commits && has_to_go(e);
    if (goes)
        session_let_go(e->step);
    if (!e->commits || goes) {
        future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
        return;
    }
    bool sent = e->probing || session_has_sent(e->step);
    evpq_future_cancel(e->step);
    evpq_outcome outcome = future_outcome(e->step);
    if (is_left_open(e) && session_conn(session_of(e)) &&
        (!e->txn->outer || outcome == EVPQ_OUTCOME_NOT_SENT))
        roll_back_unheard(e->txn, sent && !e->txn->outer);
    ending_finish(e, evpq_error_ref(error_canceled(outcome)));
}

static void ending_free(evpq_future *f)
{
    struct ending *e = ending_of(f);
    evpq_future_unref(e->number);
    txn_unref(e->txn);
    mem_free(e);
}

static void ending_why(const evpq_future *f, struct why *why)
{
    future_why(container_of(f, struct ending, future)->step, why);
}

static const struct future_class commit_class = {
    .name = "commit", .cancel = ending_cancel, .free = ending_free, .why = ending_why};
static const struct future_class rollback_class = {
    .name = "rollback", .cancel = ending_cancel, .free = ending_free, .why = ending_why};

/* Takes the transaction; NULL, and it is the caller's, without memory. */
static struct ending *ending_new(evpq_txn *txn, bool commits)
{
    struct ending *e = mem_zalloc(sizeof *e);
    if (!e)
        return NULL;
    future_init(&e->future, commits ? &commit_class : &rollback_class, txn->session->pool->loop);
    list_init(&e->answered.job.node);
    e->txn = txn;
    e->commits = commits;
    return e;
}

/* Takes the step. */
static void ending_wait_for(struct ending *e, evpq_future *step, void (*run)(struct job *))
{
    drop_step(e);
    e->step = step;
    future_watch(step, session_of(e)->pool->loop, &e->answered, run);
}

/* ---- committing ---- */

/* Why a transaction was rolled back that was to be committed: a statement had failed. */
static evpq_error *ending_rolled_back(const evpq_error *cause)
{
    const char *sqlstate = evpq_error_sqlstate(cause);
    return error_build(&(struct error_fields){
        .status = EVPQ_SERVER,
        .outcome = EVPQ_OUTCOME_REJECTED,
        .message = "the transaction was rolled back: a statement in it had failed",
        .sqlstate = sqlstate[0] ? sqlstate : "25P02",
        .detail = cause ? evpq_error_message(cause) : NULL,
        .hint = evpq_error_hint(cause),
        .sql = evpq_error_sql(cause),
    });
}

/* NULL: it is committed. Given. */
static evpq_error *verdict(const struct ending *e)
{
    const evpq_error *begin = evpq_future_error(session_of(e)->begin);
    const evpq_error *error = evpq_future_error(e->step);
    if (evpq_error_outcome(begin) == EVPQ_OUTCOME_REJECTED)
        return evpq_error_ref(begin);
    if (!error) {
        const char *tag = evpq_result_command(evpq_future_result(e->step));
        return strcmp(tag, "ROLLBACK") ? NULL : ending_rolled_back(e->txn->cause);
    }
    if (evpq_error_outcome(error) == EVPQ_OUTCOME_UNKNOWN && e->txn->doomed)
        return error_about(error, EVPQ_OK, EVPQ_OUTCOME_REJECTED, NULL);
    if (e->txn->cause && !strcmp(evpq_error_sqlstate(error), "25P02"))
        return ending_rolled_back(e->txn->cause);
    return evpq_error_ref(error);
}

/* The block that its statement was to end is open, or may be. Where that was sent on a lease,
 * nothing was sent behind it before its Sync. */
static bool is_still_open(const struct ending *e, const struct conn *c)
{
    return session_has_sent(e->step) ? c->pipeline.sync.after != PQ_TXN_IDLE
                                     : conn_in_transaction(c);
}

/* A commit has failed: what it was to end is still open on a connection that others go on with. */
static void clean_up(struct ending *e, const evpq_error *why)
{
    evpq_txn *txn = e->txn, *outer = txn->outer;
    struct conn *c = session_conn(session_of(e));
    if (outer && (outer->over || txn_awaits_something(outer))) { /* it fails for the same reason */
        outer->doomed |= evpq_error_outcome(why) == EVPQ_OUTCOME_REJECTED;
        if (!outer->cause)
            outer->cause = evpq_error_ref(txn->cause ? txn->cause : why);
    } else if (c && (outer || (session_of(e)->borrowed && is_still_open(e, c)))) {
        roll_back_unheard(txn, !outer && session_has_sent(e->step));
    }
}

static void probed(struct job *job)
{
    struct ending *e = container_of(job, struct ending, answered.job);
    ending_finish(e, evpq_error_ref(evpq_future_error(e->step)));
}

static bool can_be_probed(const struct ending *e, const evpq_error *error)
{
    evpq_status status = evpq_error_status(error);
    return e->number && evpq_error_outcome(error) == EVPQ_OUTCOME_UNKNOWN &&
           (status == EVPQ_LOST || status == EVPQ_SERVER);
}

static void commit_answered(struct job *job)
{
    struct ending *e = container_of(job, struct ending, answered.job);
    evpq_error *error = verdict(e);
    if (error)
        clean_up(e, error);
    if (can_be_probed(e, error)) {
        e->probing = true;
        ending_wait_for(e, probe_new(session_of(e)->pool, e->number, error), probed);
        evpq_error_unref(error);
    } else {
        ending_finish(e, error);
    }
}

static evpq_error *why_not(const evpq_txn *txn)
{
    const char *message = NULL;
    if (txn->over)
        message = "the transaction has ended";
    else if (txn->inner)
        message = "a savepoint is open in the transaction: it was rolled back with it";
    if (message)
        return txn_invalid(message);
    if (txn->doomed)
        return ending_rolled_back(txn->cause);
    /* One that nothing was asked of has nothing that could be lost. */
    return txn->begun || txn->session->refused ? session_refusal(txn->session, NULL) : NULL;
}

/* The session has been told all. Takes the transaction. */
static void ending_leave(evpq_txn *txn)
{
    txn_over(txn);
    if (!txn->outer)
        session_end(txn->session);
}

static evpq_future *say_commit(struct ending *e)
{
    evpq_txn *txn = e->txn;
    char sql[48];
    if (txn->outer) {
        snprintf(sql, sizeof sql, "RELEASE SAVEPOINT evpq_%u", txn->number);
        return session_say(txn->session, sql, SAYS_ANSWER);
    }
    if (txn->probes && !(e->number = probe_ask(txn->session)))
        return NULL;
    return session_say(txn->session, "COMMIT", SAYS_COMMIT);
}

evpq_future *txn_commit(evpq_txn *txn)
{
    evpq_loop *loop = txn->session->pool->loop;
    evpq_error *error = why_not(txn);
    struct ending *e = NULL;
    evpq_future *step = NULL;
    if (!error && !txn->begun) {
        ending_leave(txn);
        txn_unref(txn);
        return evpq_future_ok(loop, NULL, NULL);
    }
    if (!error && (e = ending_new(txn, true))) {
        txn_ref(txn);
        step = say_commit(e);
    }
    if (!step) {
        if (!error)
            error = evpq_error_ref(error_nomem());
        txn_drop(txn);
        if (!e)
            return future_failed(loop, error);
        future_settle_error(&e->future, error);
        return &e->future;
    }
    ending_leave(txn);
    txn_unref(txn); /* the one of its own stays */
    evpq_future_ref(&e->future);
    ending_wait_for(e, step, commit_answered);
    return &e->future;
}

/* ---- rolling back ---- */

static void say_rollback(struct ending *e);

/* A late cancel request may have hit it. A connection of the pool's is seen to when it goes back;
 * with one that is lost, so is the transaction. */
static void rollback_answered(struct job *job)
{
    struct ending *e = container_of(job, struct ending, answered.job);
    const evpq_error *error = evpq_future_error(e->step);
    struct conn *c = session_conn(session_of(e));
    bool refused = error && evpq_error_status(error) == EVPQ_SERVER && c;
    if (refused && e->txn->outer)
        ending_finish(e, evpq_error_ref(error));
    else if (refused && session_of(e)->borrowed && is_still_open(e, c))
        say_rollback(e);
    else
        ending_finish(e, NULL);
}

static void give_up_trying(evpq_txn *txn)
{
    evpq_error *why =
        error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN,
                  "closed because the server refused ROLLBACK %d times", ROLLBACKS_MOST);
    ending_give_up(txn, why);
    evpq_error_unref(why);
}

static void say_rollback(struct ending *e)
{
    bool tries = ++e->tries <= ROLLBACKS_MOST;
    evpq_future *step = tries ? txn_say_rollback(e->txn, e->tries > 1) : NULL;
    if (step) {
        ending_wait_for(e, step, rollback_answered);
        return;
    }
    if (tries)
        ending_give_up(e->txn, error_nomem());
    else
        give_up_trying(e->txn);
    ending_finish(e, NULL);
}

static evpq_future *roll_back_alone(evpq_txn *txn)
{
    roll_back_unheard(txn, false);
    ending_leave(txn);
    txn_unref(txn);
    return future_nomem(EVPQ_OUTCOME_UNKNOWN);
}

evpq_future *txn_roll_back(evpq_txn *txn)
{
    evpq_loop *loop = txn->session->pool->loop;
    bool open = !txn->over && txn->begun && session_conn(txn->session);
    if (!txn->over)
        txn_call_off(txn);
    if (!open) {
        if (!txn->over)
            ending_leave(txn);
        evpq_future *f = evpq_future_ok(loop, NULL, NULL);
        txn_unref(txn);
        return f;
    }
    struct ending *e = ending_new(txn, false);
    if (!e)
        return roll_back_alone(txn);
    evpq_future_ref(&e->future);
    say_rollback(e);
    ending_leave(txn);
    return &e->future;
}

evpq_future *evpq_txn_commit(evpq_txn *txn)
{
    if (txn_check(txn))
        return txn_refused(txn);
    evpq_pool *pool = txn->session->pool;
    if (txn->kept)
        return future_failed(pool->loop,
                             txn_invalid("evpq_transact commits its transaction itself"));
    pool_ref(pool); /* the transaction may have held the last reference */
    evpq_future *f = pool_limit(pool, txn_commit(txn), pool->opts.query_timeout);
    pool_unref(pool);
    return f;
}

evpq_future *evpq_txn_rollback(evpq_txn *txn)
{
    if (txn_check(txn))
        return txn_refused(txn);
    return txn->kept
               ? future_failed(txn->session->pool->loop,
                               txn_invalid("evpq_transact rolls back when its function has failed"))
               : txn_roll_back(txn);
}

void txn_drop(evpq_txn *txn)
{
    evpq_future_unref(txn_roll_back(txn));
}
