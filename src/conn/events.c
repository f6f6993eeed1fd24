/* events.c - what the pipeline and the dial tell a connection, and what it does then. */
#include "conn/conn_impl.h"

#include "base/mem.h"
#include "pipeline/peer.h"
#include "words/error.h"

#include <stdio.h>

static struct conn *conn_of_pipeline(struct pipeline *p)
{
    return container_of(p, struct conn, pipeline);
}

/* After anything that may have brought the pipeline to rest. */
static void settle_down(struct conn *c)
{
    if (c->state == CONN_DEAD)
        return;
    if (c->state == CONN_QUARANTINED) {
        conn_cancel_go_on(c);
        return;
    }
    if (conn_all_abandoned(c)) {
        conn_cancel(c);
        return;
    }
    if (pipeline_depth(&c->pipeline)) {
        c->owner->room(c);
        return;
    }
    c->hurried = false;
    if (c->state == CONN_RESETTING)
        conn_reset_go_on(c);
    else
        c->owner->quiet(c);
}

static void settle_down_later(struct job *job)
{
    settle_down(container_of(job, struct conn, settling));
}

/* ---- what the pipeline tells ---- */

static void on_lost(struct pipeline *p, evpq_error *why)
{
    struct conn *c = conn_of_pipeline(p);
    if (c->state != CONN_DEAD)
        conn_die(c, why);
    evpq_error_unref(why);
}

static void on_ended(struct pipeline *p)
{
    struct conn *c = conn_of_pipeline(p);
    if (timer_active(&c->retry_timer))
        timer_stop(&c->retry_timer);
    c->pause = 0;
    conn_limit_own(c);
    settle_down(c);
}

static void on_too_large(struct pipeline *p, struct op *op)
{
    struct conn *c = conn_of_pipeline(p);
    if (op->own) /* it has no result worth a bound: what came is something else, a NOTIFY */
        return;
    char message[96];
    snprintf(message, sizeof message, "the result is larger than max_result_bytes (%zu)",
             p->result_most);
    evpq_error *why =
        error_build(&(struct error_fields){.status = EVPQ_INVALID,
                                           .outcome = EVPQ_OUTCOME_UNKNOWN,
                                           .message = message,
                                           .hint = "take it row by row, with evpq_pool_stream"});
    if (op->class->tell_waiter)
        op->class->tell_waiter(op, why);
    pipeline_abandon(p, op);
    evpq_error_unref(why);
    conn_settle_later(c);
}

static void on_own_turn(struct pipeline *p)
{
    conn_limit_own(conn_of_pipeline(p));
}

static void on_notice(struct pipeline *p, evpq_error *notice)
{
    struct conn *c = conn_of_pipeline(p);
    c->owner->notice(c, notice);
}

static void on_notified(struct pipeline *p, const struct pq_notification *n)
{
    struct conn *c = conn_of_pipeline(p);
    if (c->owner->notified)
        c->owner->notified(c, n);
}

/* ---- the beginning, and the end of its memory ---- */

static void conn_free(struct job *job)
{
    struct conn *c = container_of(job, struct conn, free_later);
    evpq_loop *loop = c->loop;
    c->owner->freeing(c);
    stmts_free(&c->stmts);
    mem_free(c);
    evpq_loop_unref(loop);
}

static void connected(struct dial_owner *owner, struct pg_conn *pq, double turnaround)
{
    struct conn *c = container_of(owner, struct conn, dialing);
    c->dial = NULL;
    if (!wire_open(&c->pipeline.wire, pq)) {
        conn_kill_for(c, EVPQ_CONNECT, "libpq could not enter pipeline mode");
        return;
    }
    c->pipeline.turnaround = turnaround;
    c->config->pooled |= peer_is_given_away(pq_backend_pid(pq));
    c->pipeline.lockstep = c->config->pooled;
    conn_to(c, CONN_OPEN);
    c->owner->opened(c);
}

static void dial_notice(struct dial_owner *owner, evpq_error *notice)
{
    struct conn *c = container_of(owner, struct conn, dialing);
    c->owner->notice(c, notice);
}

static void not_connected(struct dial_owner *owner, evpq_error *why)
{
    struct conn *c = container_of(owner, struct conn, dialing);
    c->dial = NULL;
    conn_die(c, why);
    evpq_error_unref(why);
}

struct conn *conn_new(struct conn_config *config, const struct conn_owner *owner)
{
    static const struct pipeline_owner on_pipeline = {
        .ended = on_ended,
        .too_large = on_too_large,
        .own_turn = on_own_turn,
        .lost = on_lost,
        .notice = on_notice,
        .notified = on_notified,
    };
    struct conn *c = mem_zalloc(owner->size);
    if (!c)
        return NULL;
    c->loop = config->loop;
    c->config = config;
    c->owner = owner;
    pipeline_init(&c->pipeline, c->loop, &on_pipeline);
    c->pipeline.prepares = config->prepares;
    c->pipeline.buffer_most = config->buffer_most;
    c->pipeline.result_most = config->result_most;
    c->pipeline.wire.counts = config->result_most != 0;
    stmts_init(&c->stmts, &c->pipeline, config->prepared_max, config->prepares,
               config->prepared_lifetime);
    conn_limit_init(c);
    conn_cancel_init(c);
    conn_reset_init(c);
    job_init(&c->free_later, conn_free);
    job_init(&c->settling, settle_down_later);
    c->dialing =
        (struct dial_owner){.connected = connected, .failed = not_connected, .notice = dial_notice};
    c->dial =
        dial_start(c->loop, config->conninfo, config->connect_timeout, config->rng, &c->dialing);
    if (!c->dial) {
        mem_free(c);
        return NULL;
    }
    evpq_loop_ref(c->loop);
    return c;
}
