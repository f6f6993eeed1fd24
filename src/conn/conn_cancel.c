/* conn_cancel.c - canceling, in order:
 *
 *   1. An operation that was sent is abandoned: its answer is still to come, so it stays in the pipeline.
 *   2. When every operation that was sent is abandoned, a cancel request goes out and the pipeline is held.
 *      (Not before: the request could hit one that somebody still waits for.) It is repeated for as
 *      long as answers are out: it ends one operation at most, and none when it overtakes the
 *      operation on the way to the server.
 *   3. When the request is over and the last answer is in, a fence goes through the pipeline. A signal that
 *      came late hits the fence, or nothing: the server ignores one that finds it idle
 *      (tcop/postgres.c, ProcessInterrupts).
 *      What was canceled may have left a transaction open that it did not begin: then ROLLBACK is
 *      the fence.
 *   4. The fence is answered: the connection is good again.
 *
 * All that within cancel_timeout (limit.c), or the connection is closed. */
#include "conn/conn_impl.h"

#include "base/backoff.h"

/* Seconds between the end of a cancel request and the next: at first, and at the most. */
#define PAUSE_MIN 0.02
#define PAUSE_MAX 60.0

static void request_over(void *arg)
{
    struct conn *c = arg;
    c->cancel = NULL;
    if (c->state == CONN_QUARANTINED)
        conn_cancel_go_on(c);
}

static void fence_over(struct command *k)
{
    struct conn *c = container_of(k, struct conn, fence);
    if (c->pipeline.left_open != LEFT_OPEN_NOT) { /* the signal hit the ROLLBACK */
        conn_cancel_go_on(c);
        return;
    }
    conn_to(c, CONN_OPEN);
    timer_stop(&c->limit_timer);
    pipeline_hold(&c->pipeline, false);
}

static bool send_request(struct conn *c)
{
    c->cancel = cancel_start(c->loop, c->pipeline.wire.c, request_over, c);
    if (!c->cancel)
        conn_kill_for(c, EVPQ_LOST,
                      "closed to stop a canceled query: no memory for a cancel request");
    return c->cancel != NULL;
}

static void send_cancel(struct conn *c)
{
    if (!conn_backend_pid(c)) {
        conn_kill_for(c, EVPQ_LOST,
                      "closed to stop a canceled query: the server gave no key to cancel it with");
        return;
    }
    /* Else a second request would go out beside this one, and be forgotten. */
    timer_stop(&c->retry_timer);
    if (!send_request(c))
        return;
    conn_to(c, CONN_QUARANTINED);
    c->pause = 0;
    pipeline_hold(&c->pipeline, true);
    conn_limit(c, c->config->cancel_timeout);
    c->owner->canceling(c);
}

static void send_again(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, retry_timer);
    if (c->state != CONN_QUARANTINED && conn_all_abandoned(c))
        send_cancel(c); /* put off once only: an answer without end is always being read */
    else if (c->state != CONN_QUARANTINED)
        conn_settle_later(c);
    else if (send_request(c))
        c->owner->canceling(c);
}

void conn_cancel_go_on(struct conn *c)
{
    if (c->cancel || command_is_running(&c->fence))
        return;
    if (!c->pipeline.n_sent) {
        timer_stop(&c->retry_timer);
        c->fence.sql = c->pipeline.left_open != LEFT_OPEN_NOT ? "ROLLBACK" : "";
        command_run(&c->fence, &c->pipeline, true);
    } else if (!timer_active(&c->retry_timer)) {
        timer_start(&c->retry_timer, backoff_next(&c->pause, PAUSE_MIN, PAUSE_MAX));
    }
}

void conn_cancel(struct conn *c)
{
    if (wire_is_being_read(&c->pipeline.wire) && conn_backend_pid(c))
        timer_start(&c->retry_timer, 0);
    else
        send_cancel(c);
    if (c->state != CONN_DEAD)
        conn_limit_own(c); /* what is read may have no end */
}

/* Nobody is left who would end what it has left open, but a fence that is to come. */
static enum conn_abandoned never_sent(struct conn *c, const struct op *op)
{
    if (!op->undoes || c->state == CONN_QUARANTINED || c->pipeline.left_open == LEFT_OPEN_NOT)
        conn_settle_later(c);
    else
        conn_kill_for(c, EVPQ_LOST,
                      "closed because a statement was given up that had left a transaction open "
                      "that it had not begun");
    return op->undoes ? CONN_NOT_UNDONE : CONN_NOT_SENT;
}

enum conn_abandoned conn_abandon(struct conn *c, struct op *op)
{
    if (pipeline_abandon(&c->pipeline, op))
        return never_sent(c, op);
    if (c->state == CONN_DEAD)
        return CONN_ON_SERVER;
    if (c->state != CONN_QUARANTINED && conn_all_abandoned(c))
        conn_cancel(c);
    return c->state == CONN_DEAD ? CONN_NO_KEY : CONN_ON_SERVER;
}

void conn_detach(struct conn *c, const evpq_error *why)
{
    pipeline_return_fresh(&c->pipeline, why);
    pipeline_detach(&c->pipeline, why);
    if (pipeline_depth(&c->pipeline))
        conn_limit_own(c);
    conn_settle_later(c);
}

void conn_cancel_init(struct conn *c)
{
    command_init(&c->fence, "", fence_over);
    timer_init(&c->retry_timer, c->loop, send_again);
}
