/* listening.c - see listening.h. */
#include "sim/listening.h"

#include "sim/memory.h"
#include "sim/notify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct list node;
    evpq_subscription *is; /* NULL: let go of */
    int channel;
    int asked;     /* calls that are not told */
    bool waits;    /* for the next event */
    int place;     /* of the next notification; -1: not known */
    int looked_at; /* while that is so: no later one can be the next, as the program has looked then */
    int heard;     /* none before this comes again */
    uint64_t epoch; /* 0: not known */
};

static struct {
    evpq_listener *is;
    struct list readers;
    int64_t numbers;
} listening;

static evpq_listener *open_at(const evpq_listener_opts *opts)
{
    return evpq_listener_open(program.loop,
                              "host=10.0.0.1 port=5432 user=sim dbname=sim passfile=/none "
                              "sslmode=disable gssencmode=disable client_encoding=UTF8",
                              opts, NULL);
}

void listening_open(void)
{
    const evpq_listener_opts opts = {
        .size = sizeof opts,
        .connect_timeout = 0.5,
        .backoff_min = 0.01,
        .backoff_max = 0.2,
        .keepalive = 0.02 + chance_below(100) / 100.0,
        .keepalive_timeout = 0.02 + chance_below(100) / 100.0,
        .buffer = chance_one_in(3) ? 1 + (int)chance_below(5) : 0,
    };
    listening.is = open_at(&opts);
    listening.numbers = 0;
    list_init(&listening.readers);
    if (!listening.is)
        violation("there is no listener");
}

/* ---- subscriptions ---- */

static void ask_event(struct reader *r)
{
    if (r->waits || !r->is)
        return;
    r->waits = true;
    r->asked++;
    ask(VERB_EVENT, evpq_subscription_next(r->is), 0, 0, r);
}

static void subscribe(void)
{
    int channel = (int)chance_below(CHANNELS);
    evpq_subscription *is =
        evpq_listener_subscribe(listening.is, notify_channel(channel), NULL, NULL);
    if (!is && memory_has_failed())
        return;
    if (!is)
        violation("there is no subscription");
    struct reader *r = memory_new(sizeof *r);
    *r = (struct reader){.is = is, .channel = channel, .place = -1, .looked_at = INT_MAX};
    list_init(&r->node);
    list_append(&listening.readers, &r->node);
    trace("subscription to %s", notify_channel(channel));
    r->asked++;
    ask(VERB_READY, evpq_subscription_ready(is), 0, 0, r);
    ask_event(r);
}

evpq_subscription *listening_subscribe(void)
{
    return listening.is ? evpq_listener_subscribe(listening.is, notify_channel(0), NULL, NULL)
                        : NULL;
}

static void forget(struct reader *r)
{
    if (r->is || r->asked)
        return;
    list_remove(&r->node);
    free(r);
}

static void let_go(struct reader *r)
{
    trace("subscription to %s: let go", notify_channel(r->channel));
    r->is = evpq_subscription_unref(r->is);
    forget(r);
}

static struct reader *some_reader(void)
{
    unsigned n = 0;
    struct reader *some = NULL;
    list_each(node, &listening.readers)
        if (container_of(node, struct reader, node)->is && chance_one_in(++n))
            some = container_of(node, struct reader, node);
    return some;
}

/* ---- what is heard ---- */

static void hear(struct reader *r, int64_t number)
{
    int place = notify_place(r->channel, number);
    trace("heard %s %lld", notify_channel(r->channel), (long long)number);
    if (place < 0)
        violation("notification %lld was never committed", (long long)number);
    if (r->place >= 0 ? place != r->place : place > r->looked_at || place < r->heard)
        violation("notification %lld is the %dth of its channel, and comes as the %dth (%d, %d)",
                  (long long)number, place, r->place, r->heard, r->looked_at);
    r->place = r->heard = place + 1;
}

static void take_event(struct reader *r, const evpq_notification *n)
{
    if (!n)
        violation("an event that is done is none");
    uint64_t epoch = evpq_notification_epoch(n);
    bool gap = evpq_notification_event(n) == EVPQ_EVENT_GAP;
    if (r->epoch && epoch != r->epoch + gap)
        violation("epoch %llu comes after %llu", (unsigned long long)epoch,
                  (unsigned long long)r->epoch);
    r->epoch = epoch;
    if (gap) {
        trace("gap in %s", notify_channel(r->channel));
        r->place = -1;
        r->looked_at = notify_count(r->channel);
    } else {
        hear(r, atoll(evpq_notification_payload(n)));
    }
}

void listening_told(struct call *c)
{
    if (c->verb != VERB_READY && c->verb != VERB_EVENT)
        return;
    struct reader *r = c->owner;
    bool done = evpq_future_status(c->f) == EVPQ_OK;
    r->asked--;
    if (c->verb == VERB_EVENT)
        r->waits = false;
    if (r->is && done && c->verb == VERB_READY && r->looked_at == INT_MAX)
        r->looked_at = notify_count(r->channel);
    if (c->verb == VERB_EVENT && done && (r->is || chance_one_in(2)))
        take_event(r, evpq_future_notification(c->f));
    c->f =
        evpq_future_unref(c->f); /* an event that was not taken goes back when this has returned */
    if (done)
        ask_event(r);
    forget(r);
}

/* ---- what is done ---- */

void listening_notify_all(void)
{
    for (int i = 0; i < CHANNELS; i++)
        notify_commit(i, ++listening.numbers);
}

/* In the program, or by somebody else. */
static void notify(void)
{
    char text[24];
    int channel = (int)chance_below(CHANNELS);
    int64_t number = ++listening.numbers;
    if (chance_one_in(2)) {
        notify_commit(channel, number);
        return;
    }
    snprintf(text, sizeof text, "%lld", (long long)number);
    ask(VERB_NOTIFY, evpq_notify(program.pool, notify_channel(channel), text), 0, 0, NULL);
}

void listening_go_on(void)
{
    if (!listening.is)
        return;
    list_each(node, &listening.readers)
        ask_event(container_of(node, struct reader, node));
}

bool use_listening(void)
{
    struct reader *r = some_reader();
    if (!listening.is)
        return false;
    if (!r || chance_one_in(10))
        subscribe();
    else if (chance_one_in(16))
        let_go(r);
    else
        for (unsigned n = 1 + chance_below(4); n; n--)
            notify();
    return true;
}

bool listening_is_even(void)
{
    list_each(node, &listening.readers) {
        const struct reader *r = container_of(node, struct reader, node);
        if (r->is && r->place != notify_count(r->channel))
            return false;
    }
    return true;
}

bool listening_left(void)
{
    return listening.is && !list_empty(&listening.readers);
}

void listening_close(void)
{
    struct list *node, *next;
    if (!listening.is)
        return;
    for (node = listening.readers.next; node != &listening.readers; node = next) {
        struct reader *r = container_of(node, struct reader, node);
        next = node->next;
        if (r->is)
            let_go(r);
    }
    listening.is = evpq_listener_unref(listening.is);
}
