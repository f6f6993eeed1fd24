/* reset.c - a session is cleaned before somebody else uses it: what is open is rolled back, then DISCARD
 * ALL, if the level asks for it. How far it goes is said by the owner (enum conn_clean; a pool's
 * choice is in pool/reset.c); whose the session is, ours or a pooler's, is asked first. */
#include "conn/conn_impl.h"

#include "pipeline/peer.h"

static void reset_failed(struct conn *c)
{
    conn_kill_for(c, EVPQ_LOST, "the session could not be reset");
}

static void reset_done(struct conn *c)
{
    conn_to(c, CONN_OPEN);
    timer_stop(&c->limit_timer);
}

static void rollback_over(struct command *k)
{
    struct conn *c = container_of(k, struct conn, rollback);
    bool goes_on = c->discard.running || c->cleaning;
    if (k->failed || (!goes_on && conn_in_transaction(c)))
        reset_failed(c);
    else if (!goes_on)
        reset_done(c);
}

static void discard_over(struct command *k)
{
    struct conn *c = container_of(k, struct conn, discard);
    if (k->failed || conn_in_transaction(c)) {
        reset_failed(c);
        return;
    }
    c->owner->discarded(c);
    reset_done(c);
    stmts_all_gone(&c->stmts);
}

/* A session that others use too is not cleaned: it is given back. */
static void give_back(struct conn *c)
{
    if (c->has_marks) {
        conn_kill_for(c, EVPQ_CLOSED,
                      "closed after a statement that changed its session, which belongs "
                      "to a pooler");
        return;
    }
    reset_done(c);
    conn_settle_later(c);
}

void conn_reset_go_on(struct conn *c)
{
    bool ours = c->cleaning == CLEAN_ALWAYS || c->pipeline.peer == PEER_SERVER;
    if (!ours && c->pipeline.peer != PEER_POOLER && !c->asked) {
        c->asked = true;
        peer_ask(&c->pipeline);
        return;
    }
    c->cleaning = CLEAN_NOTHING;
    if (ours)
        command_run(&c->discard, &c->pipeline, false);
    else if (c->pipeline.peer == PEER_POOLER)
        give_back(c);
    else
        reset_failed(c);
}

void conn_reset(struct conn *c, enum conn_clean how)
{
    bool open = conn_in_transaction(c);
    c->cleaning = how;
    c->has_marks = c->dirty;
    c->dirty = false;
    c->asked = false;
    if (!open && !how) {
        conn_settle_later(c);
        return;
    }
    conn_to(c, CONN_RESETTING);
    conn_limit(c, c->config->cancel_timeout);
    if (open)
        command_run(&c->rollback, &c->pipeline, false);
    /* What is asked goes before what waits, and a failed transaction answers nothing. */
    if (how && (!open || how == CLEAN_ALWAYS || c->pipeline.peer == PEER_SERVER))
        conn_reset_go_on(c);
}

void conn_reset_init(struct conn *c)
{
    command_init(&c->rollback, "ROLLBACK", rollback_over);
    command_init(&c->discard, "DISCARD ALL", discard_over);
}
