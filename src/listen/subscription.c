/* subscription.c - the life of a subscription, and what its channel does to it. */
#include "listen/queue.h"

#include "base/mem.h"
#include "words/error.h"
#include "words/opts_read.h"

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

static void catch_up(struct job *job)
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

/* ---- life ---- */

void subscription_release(evpq_subscription *s)
{
    if (--s->refs)
        return;
    listener_unref(s->listener);
    mem_free(s);
}

static void let_events_go(evpq_subscription *s, struct list *events)
{
    struct list *node;
    while ((node = list_pop(events)))
        event_free(s->listener->loop, container_of(node, struct evpq_notification, node));
}

static evpq_subscription *subscription_give_up(evpq_error *error, evpq_error **ret_error)
{
    if (ret_error)
        *ret_error = error;
    else
        evpq_error_unref(error);
    return NULL;
}

static evpq_subscription *subscription_new(evpq_listener *l, struct listen_channel *lc,
                                           const evpq_subscription_opts *opts)
{
    evpq_subscription *s = mem_alloc(sizeof *s);
    if (!s)
        return NULL;
    *s = (evpq_subscription){.refs = 1,
                             .users = 1,
                             .listener = l,
                             .lc = lc,
                             .catch_up = opts->catch_up,
                             .catch_up_arg = opts->catch_up_arg,
                             .epoch = 1};
    strcpy(s->channel, lc->name);
    listener_ref(l);
    list_init(&s->node);
    list_init(&s->returned);
    list_init(&s->events);
    list_init(&s->nexts);
    list_init(&s->readies);
    list_init(&s->caught.job.node);
    job_init(&s->catch_job, catch_up);
    list_append(&lc->subscriptions, &s->node);
    return s;
}

evpq_subscription *evpq_listener_subscribe(evpq_listener *l, const char *channel,
                                           const evpq_subscription_opts *opts,
                                           evpq_error **ret_error)
{
    evpq_subscription_opts filled;
    if (listener_check(l))
        return subscription_give_up(evpq_error_ref(loop_refusal(l ? l->loop : NULL)), ret_error);
    evpq_error *error = listen_channel_check_name(channel);
    if (!error)
        error = opts_read(OPTS_KIND(evpq_subscription_opts, catch_up), opts, &filled);
    if (!error && l->closing)
        error = listener_closed_error();
    if (error)
        return subscription_give_up(error, ret_error);
    struct listen_channel *lc = listen_channel_of(l, channel);
    evpq_subscription *s = lc ? subscription_new(l, lc, &filled) : NULL;
    if (lc)
        listen_channel_tend(lc);
    if (!s)
        return subscription_give_up(evpq_error_ref(error_nomem()), ret_error);
    if (lc->on)
        subscription_on(s);
    return s;
}

evpq_subscription *evpq_subscription_ref(evpq_subscription *s)
{
    if (s)
        s->users++;
    return s;
}

evpq_subscription *evpq_subscription_unref(evpq_subscription *s)
{
    if (!s || loop_elsewhere(s->listener->loop) || --s->users)
        return NULL;
    if (loop_forked(s->listener->loop))
        return NULL;
    struct listen_channel *lc = s->lc;
    let_events_go(s, &s->returned);
    let_events_go(s, &s->events);
    s->gap = 0;
    subscription_over(s);
    if (lc)
        listen_channel_tend(lc);
    subscription_release(s);
    return NULL;
}
