/* conn.c - see conn.h: the state of a connection, what is asked of it, and its end. What it hears is in
 * events.c. */
#include "conn/conn_impl.h"

#include "base/state.h"
#include "words/error.h"

/* What may be on a shared connection for one more to ride behind it. */
enum { SHARED_BYTES = 256 * 1024 };

static const unsigned conn_next[] = {
    [CONN_DIALING] = TO(CONN_OPEN) | TO(CONN_DEAD),
    [CONN_OPEN] = TO(CONN_QUARANTINED) | TO(CONN_RESETTING) | TO(CONN_DEAD),
    [CONN_QUARANTINED] = TO(CONN_OPEN) | TO(CONN_DEAD),
    [CONN_RESETTING] = TO(CONN_OPEN) | TO(CONN_DEAD),
    [CONN_DEAD] = 0,
};

void conn_to(struct conn *c, enum conn_state state)
{
    TRANSITION(conn_next, c->state, state);
    c->state = state;
}

/* ---- what is asked of it ---- */

void conn_submit(struct conn *c, struct op *op)
{
    pipeline_submit(&c->pipeline, op);
}

bool conn_look(struct conn *c)
{
    if (!loop_running(c->loop) || loop_unpolled(c->loop))
        wire_look(&c->pipeline.wire);
    return c->state != CONN_DEAD;
}

bool conn_admits(const struct conn *c, int depth)
{
    const struct pipeline *p = &c->pipeline;
    return pipeline_depth(p) < depth && p->bytes < SHARED_BYTES && !p->n_slow && !p->n_abandoned &&
           c->state == CONN_OPEN && !c->dirty && !pipeline_is_overdue(p, STMT_QUICK);
}

bool conn_at_rest(const struct conn *c)
{
    return !pipeline_depth(&c->pipeline) && c->state != CONN_QUARANTINED &&
           c->state != CONN_RESETTING;
}

int conn_backend_pid(const struct conn *c)
{
    return c->pipeline.wire.c ? pq_backend_pid(c->pipeline.wire.c) : 0;
}

bool conn_in_transaction(const struct conn *c)
{
    return pq_transaction(c->pipeline.wire.c) != PQ_TXN_IDLE;
}

void conn_return_unsent(struct conn *c)
{
    pipeline_return_fresh(&c->pipeline, NULL);
}

void conn_settle_later(struct conn *c)
{
    if (c->state != CONN_DEAD) /* a hook that is canceled as its connection dies may still ask */
        loop_defer(c->loop, &c->settling);
}

/* ---- the end ---- */

/* The one place where a connection dies. Its memory stays until a job of its own: callers may still
 * look at its state. */
void conn_die(struct conn *c, const evpq_error *why)
{
    conn_to(c, CONN_DEAD);
    dial_stop(c->dial);
    c->dial = NULL;
    cancel_abandon(c->cancel);
    c->cancel = NULL;
    timer_stop(&c->limit_timer);
    timer_stop(&c->retry_timer);
    list_remove(&c->settling.node);
    loop_defer(c->loop, &c->free_later);
    c->owner->dead(c, why);
}

void conn_kill(struct conn *c, const evpq_error *why)
{
    if (c->state == CONN_DEAD)
        return;
    c->killed = true;
    if (c->pipeline.wire.c)
        pipeline_break(&c->pipeline, evpq_error_ref(why));
    else
        conn_die(c, why);
}

void conn_kill_for(struct conn *c, evpq_status status, const char *message)
{
    evpq_error *why = error_new(status, EVPQ_OUTCOME_UNKNOWN, "%s", message);
    conn_kill(c, why);
    evpq_error_unref(why);
}
