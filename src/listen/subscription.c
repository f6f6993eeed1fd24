/* subscription.c - what its channel does to a subscription, and catching up. */
#include "listen/queue.h"

#include <string.h>

/* ---- catching up ---- */

static void stop_catching(evpq_subscription *s)
{
    evpq_loop *loop = s->listener->loop;
    struct evpq_notification *n = s->catching;
    if (!n)
        return;
    s->catching = NULL;
    list_remove(&s->catch_job.node);
    list_remove(&s->caught.job.node);
    evpq_future_cancel(n->caught_up);
    event_free(loop, n);
}

static void caught_up(struct job *job)
{
    evpq_subscription *s = container_of(job, evpq_subscription, caught.job);
    struct evpq_notification *n = s->catching;
    s->catching = NULL;
    queue_found(s, n);
}

void subscription_catch_up(struct job *job)
{
    evpq_subscription *s = container_of(job, evpq_subscription, catch_job);
    evpq_loop *loop = s->listener->loop;
    s->refs++;
    evpq_future *f = s->catch_up(s, s->catch_up_arg);
    if (!s->catching) { /* it is over, by what was called */
        evpq_future_cancel(f);
        evpq_future_unref(f);
    } else {
        if (!f)
            f = evpq_future_ok(loop, NULL, NULL);
        if (f->loop && f->loop != loop) {
            evpq_future_unref(f);
            f = evpq_future_failed(loop, EVPQ_INVALID,
                                   "catch_up returned a future of another loop");
        }
        s->catching->caught_up = f;
        future_watch(f, loop, &s->caught, caught_up);
    }
    subscription_release(s);
}

/* ---- what the channel tells ---- */

void subscription_on(evpq_subscription *s)
{
    if (s->on)
        return;
    s->gap |= s->began ? GAP_LOST : s->catch_up ? GAP_START : 0;
    s->on = s->began = true;
    queue_ready(s);
    queue_serve(s);
}

void subscription_lost(evpq_subscription *s)
{
    s->on = false;
}

static bool has_room(const evpq_subscription *s, size_t size)
{
    const evpq_listener_opts *o = &s->listener->opts;
    return !s->count || (s->count < o->buffer && s->bytes + size <= o->buffer_bytes);
}

void subscription_take(evpq_subscription *s, const struct pq_notification *from)
{
    struct evpq_notification *n = NULL;
    subscription_on(s);
    if (has_room(s, sizeof *n + strlen(from->payload) + 1))
        n = event_new(s->listener->loop, EVPQ_EVENT_NOTIFY, from->payload);
    if (n) {
        n->pid = from->pid;
        n->gap = s->gap;
        n->dropped = s->dropped;
        s->gap = 0;
        s->dropped = 0;
        s->count++;
        s->bytes += n->size;
        list_append(&s->events, &n->node);
    } else {
        s->gap |= GAP_DROPPED;
        s->dropped++;
    }
    queue_serve(s);
}

void subscription_fail(evpq_subscription *s, const evpq_error *why)
{
    queue_refuse(&s->readies, why);
    queue_refuse(&s->nexts, why);
}

void subscription_over(evpq_subscription *s)
{
    s->lc = NULL;
    s->on = false;
    list_remove(&s->node);
    stop_catching(s);
    queue_serve(s);
    queue_refuse_if_over(s);
}
