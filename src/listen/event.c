/* event.c - one event of a subscription, and what a program may ask of it. */
#include "listen/event.h"

#include <string.h>

struct evpq_notification *event_new(evpq_loop *loop, evpq_event event, const char *payload)
{
    size_t length = strlen(payload), size = sizeof(struct evpq_notification) + length + 1;
    struct evpq_notification *n = recycler_take(loop_blocks(loop), size);
    if (!n)
        return NULL;
    *n = (struct evpq_notification){.event = event, .size = size};
    list_init(&n->node);
    memcpy(n->payload, payload, length + 1);
    return n;
}

void event_free(evpq_loop *loop, struct evpq_notification *n)
{
    if (!n)
        return;
    evpq_future_unref(n->caught_up);
    recycler_give(loop_blocks(loop), n, n->size);
}

evpq_event evpq_notification_event(const evpq_notification *n)
{
    return n ? n->event : EVPQ_EVENT_NOTIFY;
}

uint64_t evpq_notification_epoch(const evpq_notification *n)
{
    return n ? n->epoch : 0;
}

const char *evpq_notification_channel(const evpq_notification *n)
{
    return n ? n->subscription->channel : "";
}

const char *evpq_notification_payload(const evpq_notification *n)
{
    return n ? n->payload : "";
}

int evpq_notification_backend_pid(const evpq_notification *n)
{
    return n ? n->pid : 0;
}

bool evpq_notification_reconnected(const evpq_notification *n)
{
    return n && n->event == EVPQ_EVENT_GAP && n->gap & GAP_LOST;
}

uint64_t evpq_notification_dropped(const evpq_notification *n)
{
    return n && n->event == EVPQ_EVENT_GAP ? n->dropped : 0;
}

const evpq_future *evpq_notification_caught_up(const evpq_notification *n)
{
    return n ? n->caught_up : NULL;
}
