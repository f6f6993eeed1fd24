/* session.c - see session.h. */
#include "flows/session.h"

#include "base/invariant.h"
#include "base/mem.h"
#include "words/error.h"

#include <string.h>

/* Something that waits for the answer to BEGIN. */
struct held {
    struct list node;
    evpq_future *f; /* a reference */
    const struct work *work;
};

/* ---- a query as work ---- */

static struct query *query_of(evpq_future *f)
{
    INVARIANT(query_of_new(f)); /* the one that an ending waits for may be a probe */
    return container_of(f, struct query, future);
}

static struct op *query_op(evpq_future *f)
{
    return &query_of(f)->op;
}

static void query_go(evpq_future *f, struct conn *c)
{
    c->dirty |= !query_of(f)->preparable;
    query_submit(query_of(f), c);
}

static void query_refuse(evpq_future *f, evpq_error *why)
{
    query_fail(query_of(f), why);
}

const struct work query_work = {
    .op = query_op, .ties = true, .submit = query_go, .fail = query_refuse};

/* Our own statements do not change the session. */
static void send_own(evpq_future *f, struct conn *c)
{
    query_submit(query_of(f), c);
}

static const struct work own_words = {
    .op = query_op, .ties = true, .submit = send_own, .fail = query_refuse};

/* ---- sending ---- */

struct conn *session_conn(const struct session *s)
{
    return s->borrowed && !lease_is_out(s->lease) ? NULL : lease_conn(s->lease);
}

evpq_error *session_refusal(const struct session *s, const char *sql)
{
    const evpq_error *failed = evpq_future_error(s->begin);
    if (failed)
        return error_about(failed, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, sql);
    evpq_error *refusal = lease_refusal(s->lease, sql);
    return refusal || session_conn(s) ? refusal
                                      : error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT,
                                                  "the lease was released under its transaction");
}

static void held_free(struct held *h)
{
    evpq_future_unref(h->f);
    mem_free(h);
}

static void send_held(struct session *s, struct held *h)
{
    evpq_error *why = session_refusal(s, NULL);
    if (!future_pending(h->f))
        evpq_error_unref(why); /* canceled meanwhile */
    else if (why)
        h->work->fail(h->f, why);
    else
        h->work->submit(h->f, session_conn(s));
    held_free(h);
}

static void send_all_held(struct session *s)
{
    lease_hold_back(s->lease, NULL, s);
    for (struct list *node; (node = list_pop(&s->held));)
        send_held(s, container_of(node, struct held, node));
}

/* ---- life ---- */

void session_init(struct session *s, evpq_lease *lease, bool borrowed, const char *opening)
{
    *s = (struct session){
        .pool = lease_pool(lease), .lease = lease, .borrowed = borrowed, .opening = opening};
    pool_ref(s->pool);
    lease_ref(lease);
    list_init(&s->held);
    list_init(&s->begun.job.node);
}

static void release(struct session *s)
{
    if (!s->borrowed)
        evpq_lease_release(s->lease);
}

void session_free(struct session *s)
{
    send_all_held(s);
    release(s);
    list_remove(&s->begun.job.node);
    evpq_future_unref(s->begin);
    lease_unref(s->lease);
    pool_unref(s->pool);
}

/* ---- BEGIN, and what has to wait for it ---- */

/* The pipeline holds back from now on what has to wait, as it does what the program asks of the
 * lease: so all goes in the order in which it was asked for. */
void session_lend(struct session *s)
{
    struct conn *c = session_conn(s);
    s->lent = true;
    if (c && future_pending(s->begin))
        pipeline_bar(&c->pipeline, query_op(s->begin));
    send_all_held(s);
}

static void lend(void *session)
{
    session_lend(session);
}

void session_end(struct session *s)
{
    s->ended = true;
    /* What others send behind it may fail, and must not change the answer of COMMIT. */
    session_cut(s);
    if (list_empty(&s->held))
        release(s);
    else if (s->borrowed)
        lease_hold_back(s->lease, lend, s);
}

static void begin_answered(struct job *job)
{
    struct session *s = container_of(job, struct session, begun.job);
    send_all_held(s);
    if (s->ended)
        release(s);
}

/* BEGIN is not answered, and what is submitted now would not share its Sync. */
static bool is_cut_off(const struct session *s)
{
    const struct conn *c = session_conn(s);
    if (!c || !s->begin || !future_pending(s->begin))
        return false;
    return op_was_sent(query_op(s->begin)) || list_empty(&c->pipeline.fresh) ||
           !container_of(c->pipeline.fresh.prev, struct op, node)->shares_sync;
}

/* Our own statements change nothing where BEGIN has failed. */
static bool has_to_wait(const struct session *s, const struct work *work)
{
    return !s->lent && (!list_empty(&s->held) || (work != &own_words && is_cut_off(s)));
}

static bool hold(struct session *s, evpq_future *f, const struct work *work)
{
    struct held *h = mem_alloc(sizeof *h);
    if (!h)
        return false;
    *h = (struct held){.f = evpq_future_ref(f), .work = work};
    list_append(&s->held, &h->node);
    return true;
}

bool session_send(struct session *s, evpq_future *f, const struct work *work)
{
    struct conn *c = session_conn(s); /* calling off what came before may have cost it */
    work->op(f)->shares_sync = work->ties && !s->ended;
    if (c && has_to_wait(s, work))
        return hold(s, f, work);
    if (c)
        work->submit(f, c);
    else
        work->fail(f, session_refusal(s, NULL));
    return true;
}

/* What the program asks of its lease behind it is not sent before its answer: if the transaction is
 * open then, ROLLBACK has to go first. */
static bool ends_block(const char *sql)
{
    return !strcmp(sql, "COMMIT") || !strcmp(sql, "ROLLBACK");
}

static evpq_future *statement_of_ours(const struct session *s, const char *sql,
                                      enum session_says what)
{
    const evpq_args none = EVPQ_ARGS();
    evpq_future *f = query_new(s->pool->loop, sql, &none, NULL);
    struct query *q = query_of_new(f);
    if (!q)
        return NULL;
    q->verdict.role = what == SAYS_COMMIT && !strcmp(sql, "COMMIT") ? ROLE_COMMIT : ROLE_WITHIN;
    q->op.begins = sql == s->opening;
    if (s->borrowed && ends_block(sql))
        q->op.wire = OP_BARRIER;
    q->op.own = what != SAYS_COMMIT;
    q->op.unawaited = what == SAYS_ERRAND;
    return f;
}

evpq_future *session_say(struct session *s, const char *sql, enum session_says what)
{
    evpq_future *f = statement_of_ours(s, sql, what);
    if (!f || session_send(s, f, &own_words))
        return f;
    query_fail(query_of(f), evpq_error_ref(error_nomem()));
    evpq_future_unref(f);
    return NULL;
}

evpq_future *session_roll_back(struct session *s, bool first)
{
    lease_hold_back(s->lease, NULL, s);
    for (struct list *node; (node = list_pop(&s->held));) {
        struct held *h = container_of(node, struct held, node);
        if (future_pending(h->f))
            h->work->fail(h->f, error_new(EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT,
                                          "the transaction is rolled back"));
        held_free(h);
    }
    evpq_future *f = statement_of_ours(s, "ROLLBACK", SAYS_ERRAND);
    struct conn *c = session_conn(s);
    if (f && first)
        query_op(f)->order = OP_FRONT;
    if (f && c)
        send_own(f, c);
    else if (f)
        query_refuse(f, session_refusal(s, NULL));
    return f;
}

bool session_begin(struct session *s)
{
    if (s->begin)
        return true;
    s->begin = session_say(s, s->opening, SAYS_ERRAND);
    if (!s->begin)
        return false;
    future_watch(s->begin, s->pool->loop, &s->begun, begin_answered);
    return true;
}

void session_let_go(evpq_future *f)
{
    struct op *op = query_op(f);
    op->own = op->unawaited = true;
}

bool session_has_sent(evpq_future *f)
{
    return op_was_sent(query_op(f));
}

bool session_has_behind(const struct session *s, evpq_future *f)
{
    const struct conn *c = lease_conn(s->lease); /* which may have been released since */
    const struct op *op = query_op(f);
    bool holds = !list_empty(&s->held);
    if (op->state == OP_NEW) /* held */
        return holds && container_of(s->held.prev, struct held, node)->f != f;
    return op->state == OP_QUEUED && (holds || (c && c->pipeline.fresh.prev != &op->node));
}

void session_cut(struct session *s)
{
    struct conn *c = session_conn(s);
    if (!list_empty(&s->held)) {
        struct held *last = container_of(s->held.prev, struct held, node);
        last->work->op(last->f)->shares_sync = false;
    } else if (c && !list_empty(&c->pipeline.fresh)) {
        container_of(c->pipeline.fresh.prev, struct op, node)->shares_sync = false;
    }
}
