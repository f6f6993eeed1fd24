/* link.c - a listener's connection: dialed until it stands, asked now and then whether it still
 * does, and replaced when it does not.
 *
 * One is tried at a time. After a loss the first attempt follows at once, but for a random part of
 * backoff_min, so that a server that was restarted is not met by all its listeners in the same
 * instant; after a failure, or when a connection was lost before it answered or soon after, the pause
 * doubles. */
#include "listen/listener.h"

#include "base/backoff.h"
#include "pool/notice.h"
#include "pool/sizing.h"
#include "words/error.h"

static evpq_listener *listener_of(const struct conn *c)
{
    return container_of(c->config, evpq_listener, config);
}

/* ---- trying again ---- */

static void dial_later(evpq_listener *l, bool at_once)
{
    const evpq_listener_opts *o = &l->opts;
    if (l->closing)
        return;
    if (at_once) {
        l->pause = 0;
        timer_start(&l->retry, o->backoff_min * rng_unit(&l->rng));
        return;
    }
    double pause = backoff_next(&l->pause, o->backoff_min, o->backoff_max);
    timer_start(&l->retry, backoff_spread(pause, 0.25, &l->rng));
}

/* ---- silence ---- */

static void heard(evpq_listener *l)
{
    l->heard_at = loop_time(l->loop);
}

static void link_give_up(evpq_listener *l)
{
    evpq_error *why = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN,
                                "the server has not been heard for too long (keepalive_timeout)");
    conn_kill(l->conn, why);
    evpq_error_unref(why);
}

/* How long it is silent now, against what it may be. */
static void silent(struct timer *t)
{
    evpq_listener *l = container_of(t, evpq_listener, silence);
    const evpq_listener_opts *o = &l->opts;
    double limit = command_is_running(&l->probe) ? o->keepalive_timeout : o->keepalive;
    double left = l->heard_at + limit - loop_time(l->loop);
    if (left > 0) {
        timer_start(t, left);
    } else if (command_is_running(&l->probe)) {
        link_give_up(l);
    } else {
        heard(l); /* what follows is counted from here */
        command_run(&l->probe, &l->conn->pipeline, false);
        timer_start(t, o->keepalive_timeout);
    }
}

static void probed(struct command *k)
{
    evpq_listener *l = container_of(k, evpq_listener, probe);
    heard(l);
    timer_start(&l->silence, l->opts.keepalive);
}

/* ---- what the connection tells ---- */

static void opened(struct conn *c)
{
    evpq_listener *l = listener_of(c);
    l->open = true;
    l->lost = evpq_error_unref(l->lost);
    l->opened_at = loop_time(l->loop);
    heard(l);
    if (l->opts.keepalive > 0)
        timer_start(&l->silence, l->opts.keepalive);
    listen_channels_open(l);
}

static void link_answered(struct conn *c)
{
    heard(listener_of(c));
}

static void notified(struct conn *c, const struct pq_notification *n)
{
    heard(listener_of(c));
    listen_channel_hear(listener_of(c), n);
}

/* Whether it has lived long enough for the next attempt to follow at once: one that has answered
 * nothing longer than any pause. */
static bool has_lasted(const evpq_listener *l, const struct conn *c)
{
    const evpq_listener_opts *o = &l->opts;
    double lived = loop_time(l->loop) - l->opened_at;
    if (c->pipeline.head_since > l->opened_at)
        return lived > o->backoff_min && lived > l->pause;
    return lived > o->backoff_max;
}

static void dead(struct conn *c, const evpq_error *why)
{
    evpq_listener *l = listener_of(c);
    bool was_open = l->open;
    l->open = false;
    l->conn = NULL;
    evpq_error_unref(l->lost);
    l->lost = evpq_error_ref(why);
    timer_stop(&l->silence);
    listen_channels_lost(l);
    if (!was_open && sizing_is_permanent(why))
        listen_channels_fail(l, why);
    dial_later(l, was_open && has_lasted(l, c));
}

static void freeing(struct conn *c)
{
    evpq_listener *l = listener_of(c);
    l->unfreed--;
    listener_conn_freed(l);
}

static struct notice_fn listens(void *listener)
{
    const evpq_listener_opts *o = &((evpq_listener *)listener)->opts;
    return (struct notice_fn){.fn = o->on_notice, .arg = o->notice_arg};
}

static void let_go(void *listener)
{
    listener_unref(listener);
}

static void notice(struct conn *c, evpq_error *notice)
{
    evpq_listener *l = listener_of(c);
    listener_ref(l);
    notice_tell_later(l->loop, notice, listens, let_go, l);
}

static void canceling(struct conn *c)
{
    (void)c;
}

/* ---- life ---- */

void link_dial(evpq_listener *l)
{
    static const struct conn_owner owner = {
        .size = sizeof(struct conn),
        .opened = opened,
        .room = link_answered,
        .quiet = link_answered,
        .dead = dead,
        .freeing = freeing,
        .notice = notice,
        .canceling = canceling,
        .notified = notified,
    };
    l->conn = conn_new(&l->config, &owner);
    if (l->conn)
        l->unfreed++;
    else
        dial_later(l, false);
}

static void dial_now(struct timer *t)
{
    link_dial(container_of(t, evpq_listener, retry));
}

void link_init(evpq_listener *l)
{
    timer_init(&l->retry, l->loop, dial_now);
    timer_init(&l->silence, l->loop, silent);
    command_init(&l->probe, "", probed);
    l->probe.op.own = false; /* it has keepalive_timeout instead */
}

void link_close(evpq_listener *l)
{
    timer_stop(&l->retry);
    if (!l->conn)
        return;
    evpq_error *why = listener_closed_error();
    conn_kill(l->conn, why);
    evpq_error_unref(why);
}
