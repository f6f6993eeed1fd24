/* conn.c - see conn.h. Canceling, in order:
 *
 *   1. An operation that was sent is abandoned: its answer is still to come, so it stays in the line.
 *   2. When every operation that was sent is abandoned, a cancel request goes out and the line is held.
 *      (Not before: the request could hit one that somebody still waits for.) It is repeated for as
 *      long as answers are out: it ends one operation at most, and none when it overtakes the
 *      operation on the way to the server.
 *   3. When the request is over and the last answer is in, a fence goes through the line. A signal that
 *      came late hits the fence, or nothing: the server ignores one that finds it idle
 *      (tcop/postgres.c, ProcessInterrupts).
 *      What was canceled may have left a transaction open that it did not begin: then ROLLBACK is
 *      the fence.
 *   4. The fence is answered: the connection is good again.
 *
 * All that within cancel_timeout, or the connection is closed.
 *
 * The same time is given to whatever is the library's own (is_ours below), by one timer, patience:
 * a server that is silent costs a connection, and never its place in the pool. */
#include "conn/conn.h"

#include "base/mem.h"
#include "pipeline/peer.h"
#include "words/error.h"

#include <assert.h>
#include <stdio.h>

/* What may be on a shared line for one more to ride behind it. */
enum { SHARED_BYTES = 256 * 1024 };

/* Between the end of a cancel request and the next; it doubles while no answer comes. */
#define CANCEL_PAUSE 0.02

static struct conn *conn_of_line(struct pipeline *p)
{
    return container_of(p, struct conn, pipeline);
}

/* ---- the end ---- */

static void conn_free(struct job *job)
{
    struct conn *c = container_of(job, struct conn, free_later);
    evpq_loop *loop = c->loop;
    c->owner->freeing(c);
    stmts_free(&c->stmts);
    mem_free(c);
    evpq_loop_unref(loop);
}

/* The one place where a connection dies. Memory stays until a job of its own: callers may still
 * look at is_dead. */
static void die(struct conn *c, const evpq_error *why)
{
    assert(!c->is_dead);
    c->is_dead = true;
    dial_stop(c->dial);
    c->dial = NULL;
    cancel_abandon(c->cancel);
    c->cancel = NULL;
    timer_stop(&c->patience);
    timer_stop(&c->again);
    list_remove(&c->settling.node);
    loop_defer(c->loop, &c->free_later);
    c->owner->dead(c, why);
}

static void on_lost(struct pipeline *p, evpq_error *why)
{
    struct conn *c = conn_of_line(p);
    if (!c->is_dead)
        die(c, why);
    evpq_error_unref(why);
}

void conn_kill(struct conn *c, const evpq_error *why)
{
    if (c->is_dead)
        return;
    c->killed = true;
    if (c->pipeline.wire.c)
        pipeline_break(&c->pipeline, evpq_error_ref(why));
    else
        die(c, why);
}

static void kill_for(struct conn *c, evpq_status status, const char *message)
{
    evpq_error *why = error_new(status, EVPQ_OUTCOME_UNKNOWN, "%s", message);
    conn_kill(c, why);
    evpq_error_unref(why);
}

/* ---- canceling ---- */

static void settle_down(struct conn *c);
static void clean(struct conn *c);

static void request_over(void *arg)
{
    struct conn *c = arg;
    c->cancel = NULL;
    settle_down(c);
}

/* Whether somebody gave up on an answer, and nobody waits for another. */
static bool all_abandoned(const struct conn *c)
{
    return c->pipeline.n_abandoned && !c->pipeline.n_awaited;
}

/* Whether the connection is busy with nothing that the program waits for, and sets a limit to, by
 * itself. */
static bool is_ours(const struct conn *c)
{
    return c->quarantined || c->resetting || c->hurried || all_abandoned(c) ||
           pipeline_awaits_own(&c->pipeline);
}

static void be_patient(struct conn *c, double seconds)
{
    timer_start(&c->patience, seconds);
}

/* After anything that may have changed whose turn it is. */
static void watch_patience(struct conn *c)
{
    if (is_ours(c) == timer_active(&c->patience))
        return;
    if (timer_active(&c->patience))
        timer_stop(&c->patience);
    else
        be_patient(c, c->config->cancel_timeout);
}

/* What the server had no time for, as the program held the loop up, it is given once more. */
static void out_of_patience(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, patience);
    if (!is_ours(c) || timer_excuse(t, c->config->cancel_timeout))
        return;
    kill_for(c, EVPQ_LOST,
             c->resetting     ? "the server did not reset the session in time"
             : c->quarantined ? "the server did not end a canceled query in time"
             : c->hurried     ? "the server did not answer the statements of a hook in time"
                              : "the server did not answer in time what evpq itself had to say");
}

static void calm_down(struct conn *c);

static void fence_over(struct command *k)
{
    struct conn *c = container_of(k, struct conn, fence);
    if (c->pipeline.left_open) { /* the signal hit the ROLLBACK */
        calm_down(c);
        return;
    }
    c->quarantined = false;
    timer_stop(&c->patience);
    pipeline_hold(&c->pipeline, false);
}

static bool send_request(struct conn *c)
{
    c->cancel = cancel_start(c->loop, c->pipeline.wire.c, request_over, c);
    if (!c->cancel)
        kill_for(c, EVPQ_LOST, "closed to stop a canceled query: no memory for a cancel request");
    return c->cancel != NULL;
}

static void send_cancel(struct conn *c)
{
    if (!conn_backend_pid(c)) {
        kill_for(c, EVPQ_LOST,
                 "closed to stop a canceled query: the server gave no key to cancel it with");
        return;
    }
    timer_stop(&c->again); /* or a second request would go out beside this one, and be forgotten */
    if (!send_request(c))
        return;
    c->quarantined = true;
    c->pause = CANCEL_PAUSE;
    pipeline_hold(&c->pipeline, true);
    be_patient(c, c->config->cancel_timeout);
    c->owner->canceling(c);
}

static void cancel_again(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, again);
    if (!c->quarantined && all_abandoned(c))
        send_cancel(c); /* put off once only: an answer without end is always being read */
    else if (!c->quarantined)
        settle_down(c);
    else if (send_request(c))
        c->owner->canceling(c);
}

/* The request is over, or an answer is in. */
static void calm_down(struct conn *c)
{
    if (c->cancel || c->fence.running)
        return;
    if (!c->pipeline.n_sent) {
        timer_stop(&c->again);
        c->fence.sql = c->pipeline.left_open ? "ROLLBACK" : "";
        command_run(&c->fence, &c->pipeline, true);
    } else if (!timer_active(&c->again)) {
        timer_start(&c->again, c->pause);
        c->pause *= 2;
    }
}

/* What is abandoned, unless its answer may be among what has come. */
static void call_off(struct conn *c)
{
    if (wire_is_being_read(&c->pipeline.wire) && conn_backend_pid(c))
        timer_start(&c->again, 0);
    else
        send_cancel(c);
    if (!c->is_dead)
        watch_patience(c); /* what is read may have no end */
}

/* After anything that may have brought the line to rest. */
static void settle_down(struct conn *c)
{
    if (c->is_dead)
        return;
    if (c->quarantined) {
        calm_down(c);
        return;
    }
    if (all_abandoned(c)) {
        call_off(c);
        return;
    }
    if (pipeline_depth(&c->pipeline)) {
        c->owner->room(c);
        return;
    }
    c->hurried = false;
    if (c->cleaning)
        clean(c);
    else if (!c->resetting)
        c->owner->quiet(c);
}

static void settle_down_later(struct job *job)
{
    settle_down(container_of(job, struct conn, settling));
}

void conn_settle_later(struct conn *c)
{
    if (!c->is_dead) /* a hook that is canceled as its connection dies may still ask */
        loop_defer(c->loop, &c->settling);
}

enum conn_abandoned conn_abandon(struct conn *c, struct op *op)
{
    if (pipeline_abandon(&c->pipeline, op)) {
        conn_settle_later(c);
        return CONN_NOT_SENT;
    }
    if (c->is_dead)
        return CONN_ON_SERVER;
    if (!c->quarantined && all_abandoned(c))
        call_off(c);
    return c->is_dead ? CONN_NO_KEY : CONN_ON_SERVER;
}

void conn_return_unsent(struct conn *c)
{
    pipeline_return_fresh(&c->pipeline, NULL);
}

void conn_detach(struct conn *c, const evpq_error *why)
{
    pipeline_return_fresh(&c->pipeline, why);
    pipeline_detach(&c->pipeline, why);
    if (pipeline_depth(&c->pipeline))
        watch_patience(c);
    conn_settle_later(c);
}

void conn_hurry(struct conn *c, double seconds)
{
    c->hurried = true;
    if (!c->quarantined)
        be_patient(c, seconds);
}

/* ---- the line ---- */

static void on_ended(struct pipeline *p)
{
    struct conn *c = conn_of_line(p);
    if (timer_active(&c->again))
        timer_stop(&c->again);
    c->pause = CANCEL_PAUSE;
    watch_patience(c);
    settle_down(c);
}

static void on_too_large(struct pipeline *p, struct op *op)
{
    struct conn *c = conn_of_line(p);
    char message[96];
    snprintf(message, sizeof message, "the result is larger than max_result_bytes (%zu)",
             p->result_most);
    evpq_error *why =
        error_build(&(struct error_fields){.status = EVPQ_INVALID,
                                           .outcome = EVPQ_OUTCOME_UNKNOWN,
                                           .message = message,
                                           .hint = "take it row by row, with evpq_pool_stream"});
    if (op->class->detach)
        op->class->detach(op, why);
    pipeline_abandon(p, op);
    evpq_error_unref(why);
    conn_settle_later(c);
}

static void on_own_turn(struct pipeline *p)
{
    watch_patience(conn_of_line(p));
}

static void on_notice(struct pipeline *p, evpq_error *notice)
{
    struct conn *c = conn_of_line(p);
    c->owner->notice(c, notice);
}

static void on_notified(struct pipeline *p, const struct pq_notification *n)
{
    struct conn *c = conn_of_line(p);
    if (c->owner->notified)
        c->owner->notified(c, n);
}

void conn_submit(struct conn *c, struct op *op)
{
    pipeline_submit(&c->pipeline, op);
}

bool conn_look(struct conn *c)
{
    if (!loop_running(c->loop) || loop_unpolled(c->loop))
        wire_look(&c->pipeline.wire);
    return !c->is_dead;
}

bool conn_admits(const struct conn *c, int depth)
{
    const struct pipeline *p = &c->pipeline;
    return pipeline_depth(p) < depth && p->bytes < SHARED_BYTES && !p->n_slow && !p->n_abandoned &&
           !c->quarantined && !c->resetting && !c->dirty && !pipeline_is_overdue(p, STMT_QUICK);
}

bool conn_at_rest(const struct conn *c)
{
    return !pipeline_depth(&c->pipeline) && !c->quarantined && !c->resetting;
}

int conn_backend_pid(const struct conn *c)
{
    return c->pipeline.wire.c ? pq_backend_pid(c->pipeline.wire.c) : 0;
}

/* ---- reset ---- */

bool conn_in_transaction(const struct conn *c)
{
    return pq_transaction(c->pipeline.wire.c) != PQ_TXN_IDLE;
}

static void reset_failed(struct conn *c)
{
    kill_for(c, EVPQ_LOST, "the session could not be reset");
}

static void reset_done(struct conn *c)
{
    c->resetting = false;
    timer_stop(&c->patience);
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
        kill_for(c, EVPQ_CLOSED,
                 "closed after a statement that changed its session, which belongs "
                 "to a pooler");
        return;
    }
    reset_done(c);
    conn_settle_later(c);
}

/* What is to be cleaned, once it is known whose the session is. */
static void clean(struct conn *c)
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
    c->resetting = open || how;
    c->cleaning = how;
    c->has_marks = c->dirty;
    c->dirty = false;
    c->asked = false;
    if (!c->resetting) {
        conn_settle_later(c);
        return;
    }
    be_patient(c, c->config->cancel_timeout);
    if (open)
        command_run(&c->rollback, &c->pipeline, false);
    /* What is asked goes before what waits, and a failed transaction answers nothing. */
    if (how && (!open || how == CLEAN_ALWAYS || c->pipeline.peer == PEER_SERVER))
        clean(c);
}

/* ---- the beginning ---- */

static void connected(struct dial_owner *owner, struct pg_conn *pq, double turnaround)
{
    struct conn *c = container_of(owner, struct conn, dialing);
    c->dial = NULL;
    if (!wire_open(&c->pipeline.wire, pq)) {
        kill_for(c, EVPQ_CONNECT, "libpq could not enter pipeline mode");
        return;
    }
    c->pipeline.turnaround = turnaround;
    c->config->pooled |= peer_is_given_away(pq_backend_pid(pq));
    c->pipeline.lockstep = c->config->pooled;
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
    die(c, why);
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
    command_init(&c->fence, "", fence_over);
    command_init(&c->rollback, "ROLLBACK", rollback_over);
    command_init(&c->discard, "DISCARD ALL", discard_over);
    timer_init(&c->patience, c->loop, out_of_patience);
    timer_init(&c->again, c->loop, cancel_again);
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
