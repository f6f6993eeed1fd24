/* txn.c - transactions and savepoints: a level each, of which only the innermost can be asked for
 * anything.
 *
 * A level is kept by its handle, by its statements until they settle, by its ending, and by the
 * levels within. */
#include "flows/txn.h"

#include "base/mem.h"
#include "words/error.h"

#include <stdint.h>
#include <stdio.h>

/* One that has not settled. */
struct statement {
    struct list node;
    struct waiter settled;
    evpq_future *f; /* a reference */
    evpq_txn *txn;  /* a reference */
};

/* ---- memory ---- */

void txn_ref(evpq_txn *txn)
{
    txn->refs++;
}

void txn_unref(evpq_txn *txn)
{
    while (txn && !--txn->refs) {
        evpq_txn *outer = txn->outer;
        evpq_error_unref(txn->cause);
        if (!outer)
            session_free(txn->session);
        mem_free(txn);
        txn = outer;
    }
}

/* The server is told of the transaction, and of each savepoint down to this. False: no memory. */
static bool txn_tell_server(evpq_txn *txn)
{
    char sql[40];
    if (txn->begun)
        return true;
    if (!txn->outer)
        return txn->begun = session_begin(txn->session);
    if (!txn_tell_server(txn->outer))
        return false;
    snprintf(sql, sizeof sql, "SAVEPOINT evpq_%u", txn->number);
    evpq_future *f = session_say(txn->session, sql, SAYS_ERRAND);
    evpq_future_unref(f);
    return txn->begun = f;
}

/* ---- statements ---- */

evpq_error *txn_invalid(const char *message)
{
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "%s", message);
}

static evpq_error *refusal(const evpq_txn *txn)
{
    if (txn->over)
        return txn_invalid("the transaction has ended");
    if (txn->inner)
        return txn_invalid("a savepoint is open in the transaction: nothing can be asked of the "
                           "transaction itself before that has ended");
    evpq_error *why = session_refusal(txn->session, NULL);
    txn->session->refused |= why != NULL;
    return why;
}

evpq_error *txn_refuses_text(const char *sql)
{
    if (!sql || !sql_is_about_transactions(sql))
        return NULL;
    return error_build(&(struct error_fields){
        .status = EVPQ_INVALID,
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = "the statement would begin or end a transaction behind evpq's back",
        .hint = "use evpq_txn_commit, evpq_txn_rollback and evpq_txn_savepoint",
        .sql = sql,
    });
}

static void txn_note(evpq_txn *txn, const evpq_error *error)
{
    if (!error || evpq_error_outcome(error) == EVPQ_OUTCOME_NOT_SENT)
        return;
    txn->doomed |= evpq_error_outcome(error) == EVPQ_OUTCOME_REJECTED;
    if (!txn->cause)
        txn->cause = evpq_error_ref(error);
}

static void statement_settled(struct job *job)
{
    struct statement *s = container_of(job, struct statement, settled.job);
    txn_note(s->txn, evpq_future_error(s->f));
    list_remove(&s->node);
    evpq_future_unref(s->f);
    txn_unref(s->txn);
    mem_free(s);
}

static bool watch(evpq_txn *txn, evpq_future *f)
{
    struct statement *s = mem_alloc(sizeof *s);
    if (!s)
        return false;
    *s = (struct statement){.f = evpq_future_ref(f), .txn = txn};
    txn_ref(txn);
    list_append(&txn->statements, &s->node);
    future_watch(f, txn->session->pool->loop, &s->settled, statement_settled);
    return true;
}

evpq_future *txn_run(evpq_txn *txn, evpq_future *f, const struct work *work)
{
    evpq_pool *pool = txn->session->pool;
    evpq_error *why = refusal(txn);
    if (!why && (!watch(txn, f) || !txn_tell_server(txn) || !session_send(txn->session, f, work)))
        why = evpq_error_ref(error_nomem());
    if (why)
        work->fail(f, why);
    else
        pool->done.queries++;
    return pool_limit(pool, f, pool->opts.query_timeout);
}

evpq_status txn_check(const evpq_txn *txn)
{
    return txn ? pool_check(txn->session->pool) : EVPQ_INVALID;
}

evpq_future *txn_refused(const evpq_txn *txn)
{
    return pool_refused(txn ? txn->session->pool : NULL);
}

evpq_future *evpq_txn_query(evpq_txn *txn, const char *sql, evpq_args args)
{
    if (txn_check(txn))
        return txn_refused(txn);
    evpq_loop *loop = txn->session->pool->loop;
    evpq_error *why = txn_refuses_text(sql);
    if (why)
        return future_failed(loop, why);
    evpq_future *f = query_new(loop, sql, &args, NULL);
    struct query *q = query_of_new(f);
    if (!q)
        return f;
    q->verdict.role = ROLE_WITHIN;
    return txn_run(txn, f, &query_work);
}

evpq_lease *evpq_txn_lease(evpq_txn *txn)
{
    if (txn_check(txn))
        return NULL;
    evpq_error *why = refusal(txn);
    evpq_error_unref(why);
    if (why || !txn_tell_server(txn))
        return NULL;
    session_lend(txn->session);
    return txn->session->lease;
}

evpq_txn *evpq_txn_savepoint(evpq_txn *txn)
{
    if (txn_check(txn) || txn->over || txn->inner)
        return NULL;
    evpq_txn *inner = mem_zalloc(sizeof *inner);
    if (!inner)
        return NULL;
    inner->refs = 1;
    inner->session = txn->session;
    inner->outer = txn;
    inner->number = ++txn->session->savepoints;
    list_init(&inner->statements);
    txn_ref(txn);
    txn->inner = inner;
    return inner;
}

/* ---- the end ---- */

void txn_over(evpq_txn *txn)
{
    if (txn->outer && txn->outer->inner == txn)
        txn->outer->inner = NULL;
    for (evpq_txn *next; txn; txn = next) {
        next = txn->inner;
        txn->over = true;
        txn->inner = NULL;
    }
}

bool txn_awaits_something(const evpq_txn *txn)
{
    const struct conn *c = session_conn(txn->session);
    return !list_empty(&txn->statements) ||
           (txn->session->lent && c && pipeline_depth(&c->pipeline));
}

void txn_call_off(evpq_txn *txn)
{
    for (; txn; txn = txn->inner) {
        if (txn->doomed)
            continue; /* the server refuses them all by itself */
        list_each(node, &txn->statements)
            evpq_future_cancel(container_of(node, struct statement, node)->f);
    }
}

evpq_future *txn_say_rollback(evpq_txn *txn, bool first)
{
    char sql[48];
    if (!first)
        session_cut(txn->session);
    if (!txn->outer)
        return session_roll_back(txn->session, first);
    snprintf(sql, sizeof sql, "ROLLBACK TO SAVEPOINT evpq_%u", txn->number);
    evpq_future *f = session_say(txn->session, sql, SAYS_ERRAND);
    evpq_future_unref(f);
    if (!f)
        return NULL;
    snprintf(sql, sizeof sql, "RELEASE SAVEPOINT evpq_%u", txn->number);
    return session_say(txn->session, sql, SAYS_ERRAND);
}
