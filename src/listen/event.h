/* event.h - one event of a subscription, in one block with its payload. */
#ifndef LISTEN_EVENT_H
#define LISTEN_EVENT_H

#include "listen/listener.h"

struct evpq_notification {
    struct list node;
    evpq_subscription *subscription; /* a reference, while the event is out */
    evpq_event event;
    unsigned gap;     /* what lies before it in the queue; of a GAP, what that tells */
    uint64_t dropped; /* there */
    uint64_t number;  /* among those handed out */
    uint64_t epoch;
    evpq_future *caught_up;
    size_t size; /* of the block */
    int pid;
    bool seen; /* the program has asked for it */
    char payload[];
};

/* NULL without memory. */
struct evpq_notification *event_new(evpq_loop *loop, evpq_event event, const char *payload);
void event_free(evpq_loop *loop, struct evpq_notification *n); /* NULL is allowed */

#endif
