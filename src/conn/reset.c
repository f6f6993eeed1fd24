/* reset.c - a session is cleaned before somebody else uses it: what is open is rolled back, then DISCARD
 * ALL, if the level asks for it. How far it goes is said by the owner (enum conn_clean; a pool's
 * choice is in pool/reset.c); whose the session is, ours or a pooler's, is asked first. */
#include "conn/conn_impl.h"

#include "base/state.h"
#include "pipeline/peer.h"

static const unsigned reset_next[] = {
    [CONN_RESET_NONE] = TO(CONN_RESET_ROLLBACK) | TO(CONN_RESET_ROLLBACK_FIRST) |
                        TO(CONN_RESET_ASKING) | TO(CONN_RESET_DISCARD),
    [CONN_RESET_ROLLBACK] = TO(CONN_RESET_NONE),
    [CONN_RESET_ROLLBACK_FIRST] =
        TO(CONN_RESET_ASKING) | TO(CONN_RESET_DISCARD) | TO(CONN_RESET_NONE),
    [CONN_RESET_ASKING] = TO(CONN_RESET_DISCARD) | TO(CONN_RESET_NONE),
    [CONN_RESET_DISCARD] = TO(CONN_RESET_NONE),
};

static void reset_to(struct conn *c, enum conn_reset_step step)
{
    TRANSITION(reset_next, c->reset, step);
    c->reset = step;
}

static void reset_failed(struct conn *c)
{
    conn_kill_for(c, EVPQ_LOST, "the session could not be reset");
}

static void reset_done(struct conn *c)
{
    if (c->reset != CONN_RESET_NONE)
        reset_to(c, CONN_RESET_NONE);
    c->dirty = false;
    conn_to(c, CONN_OPEN);
    timer_stop(&c->limit_timer);
}

static void rollback_over(struct command *k)
{
    struct conn *c = container_of(k, struct conn, rollback);
    bool last = c->reset == CONN_RESET_ROLLBACK;
    if (k->failed || (last && conn_in_transaction(c)))
        reset_failed(c);
    else if (last)
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
    if (c->dirty) {
        conn_kill_for(c, EVPQ_CLOSED,
                      "closed after a statement that changed its session, which belongs "
                      "to a pooler");
        return;
    }
    reset_done(c);
    conn_settle_later(c);
}

static void discard(struct conn *c)
{
    reset_to(c, CONN_RESET_DISCARD);
    command_run(&c->discard, &c->pipeline, false);
}

/* Of a level that depends on whose the session is. */
static void discard_ours(struct conn *c)
{
    if (c->pipeline.peer == PEER_SERVER) {
        discard(c);
    } else if (c->pipeline.peer == PEER_POOLER) {
        give_back(c);
    } else if (c->reset == CONN_RESET_ASKING) { /* there was no answer */
        reset_failed(c);
    } else {
        reset_to(c, CONN_RESET_ASKING);
        peer_ask(&c->pipeline);
    }
}

void conn_reset_go_on(struct conn *c)
{
    if (c->reset == CONN_RESET_ROLLBACK_FIRST || c->reset == CONN_RESET_ASKING)
        discard_ours(c);
}

void conn_reset(struct conn *c, enum conn_clean how)
{
    bool open = conn_in_transaction(c);
    if (!open && how == CLEAN_NOTHING) {
        c->dirty = false;
        conn_settle_later(c);
        return;
    }
    conn_to(c, CONN_RESETTING);
    conn_limit(c, c->config->cancel_timeout);
    if (open)
        command_run(&c->rollback, &c->pipeline, false);
    if (how == CLEAN_NOTHING)
        reset_to(c, CONN_RESET_ROLLBACK);
    else if (how == CLEAN_ALWAYS)
        discard(c);
    else if (!open || c->pipeline.peer == PEER_SERVER)
        discard_ours(c);
    else /* the question would go before the ROLLBACK, and a failed transaction answers nothing */
        reset_to(c, CONN_RESET_ROLLBACK_FIRST);
}

void conn_reset_init(struct conn *c)
{
    command_init(&c->rollback, "ROLLBACK", rollback_over);
    command_init(&c->discard, "DISCARD ALL", discard_over);
}
