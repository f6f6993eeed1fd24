/* subscribe.c - what a program does with a subscription: making it, letting go of it. */
#include "base/mem.h"
#include "listen/queue.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <string.h>

static void let_events_go(evpq_subscription *s, struct list *events)
{
    struct list *node;
    while ((node = list_pop(events)))
        event_free(s->listener->loop, container_of(node, struct evpq_notification, node));
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
    job_init(&s->catch_job, subscription_catch_up);
    list_append(&lc->subscriptions, &s->node);
    return s;
}

evpq_subscription *evpq_listener_subscribe(evpq_listener *l, const char *channel,
                                           const evpq_subscription_opts *opts,
                                           evpq_error **ret_error)
{
    evpq_subscription_opts filled;
    if (listener_check(l))
        return error_give_up(evpq_error_ref(loop_refusal(l ? l->loop : NULL)), ret_error);
    evpq_error *error = listen_channel_check_name(channel);
    if (!error)
        error = opts_read(OPTS_KIND(evpq_subscription_opts, catch_up), opts, &filled);
    if (!error && l->closing)
        error = listener_closed_error();
    if (error)
        return error_give_up(error, ret_error);
    struct listen_channel *lc = listen_channel_of(l, channel);
    evpq_subscription *s = lc ? subscription_new(l, lc, &filled) : NULL;
    if (lc)
        listen_channel_tend(lc);
    if (!s)
        return error_give_up(evpq_error_ref(error_nomem()), ret_error);
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
