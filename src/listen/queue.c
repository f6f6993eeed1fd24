/* queue.c - who gets which event of a subscription, and when.
 *
 * A gap is no event in the queue, but a mark on the notification behind it, or on the end: so it
 * needs no memory when it happens, gaps without anything between them are one, and there is always
 * room for one. It becomes an event when its turn has come. Then, too, the catch-up begins, and
 * nothing behind it is handed out until it has ended: what is found is never older than the gap.
 *
 * Events are numbered as they are handed out. One that comes back unread goes before all that were
 * not, in the order of these numbers. */
#include "listen/queue.h"

#include "base/mem.h"
#include "words/error.h"

/* One who waits. */
struct listen_call {
    struct evpq_future future;
    struct list node;
    const evpq_subscription *subscription; /* while it waits */
};

void subscription_release(evpq_subscription *s)
{
    if (--s->refs)
        return;
    listener_unref(s->listener);
    mem_free(s);
}

/* ---- what comes next ---- */

static struct evpq_notification *number(evpq_subscription *s, struct evpq_notification *n)
{
    n->number = s->given++;
    n->epoch = s->epoch;
    return n;
}

/* At a gap: the GAP, if it is one, and a catch-up after it. */
static struct evpq_notification *cross(evpq_subscription *s, unsigned *gap, uint64_t *dropped,
                                       bool *ret_nomem)
{
    evpq_loop *loop = s->listener->loop;
    bool tells = *gap & (GAP_LOST | GAP_DROPPED), catches = s->catch_up && s->lc;
    struct evpq_notification *n = tells ? event_new(loop, EVPQ_EVENT_GAP, "") : NULL;
    struct evpq_notification *found = catches ? event_new(loop, EVPQ_EVENT_CATCH_UP, "") : NULL;
    *ret_nomem = (tells && !n) || (catches && !found);
    if (*ret_nomem) {
        event_free(loop, n);
        event_free(loop, found);
        return NULL;
    }
    if (tells) {
        s->epoch++;
        n->gap = *gap;
        n->dropped = *dropped;
        number(s, n);
    }
    *gap = 0;
    *dropped = 0;
    s->catching = found;
    if (found)
        loop_defer(loop, &s->catch_job);
    return n;
}

static struct evpq_notification *next_event(evpq_subscription *s, bool *ret_nomem)
{
    struct list *node = list_pop(&s->returned);
    if (node)
        return container_of(node, struct evpq_notification, node);
    for (;;) {
        if (s->catching)
            return NULL;
        node = list_first(&s->events);
        struct evpq_notification *n =
            node ? container_of(node, struct evpq_notification, node) : NULL;
        unsigned *gap = n ? &n->gap : &s->gap;
        if (!*gap) {
            if (!n)
                return NULL;
            list_remove(node);
            s->count--;
            s->bytes -= n->size;
            return number(s, n);
        }
        n = cross(s, gap, n ? &n->dropped : &s->dropped, ret_nomem);
        if (n || *ret_nomem)
            return n;
    }
}

/* ---- who waits ---- */

static struct listen_call *queue_next_call(struct list *waiting)
{
    struct list *node = list_pop(waiting);
    return node ? container_of(node, struct listen_call, node) : NULL;
}

void queue_ready(evpq_subscription *s)
{
    struct listen_call *call;
    while ((call = queue_next_call(&s->readies)))
        future_settle_value(&call->future, NULL, NULL);
}

void queue_refuse(struct list *waiting, const evpq_error *why)
{
    struct listen_call *call;
    while ((call = queue_next_call(waiting)))
        future_settle_error(&call->future, evpq_error_ref(why));
}

static void queue_put_back(evpq_subscription *s, struct evpq_notification *n)
{
    struct list *after = s->returned.prev;
    while (after != &s->returned &&
           container_of(after, struct evpq_notification, node)->number > n->number)
        after = after->prev;
    list_prepend(after, &n->node);
}

void queue_found(evpq_subscription *s, struct evpq_notification *n)
{
    queue_put_back(s, number(s, n));
    queue_serve(s);
}

/* The future that had it is gone. */
static void return_event(void *value)
{
    struct evpq_notification *n = value;
    evpq_subscription *s = n->subscription;
    if (n->seen || !s->users) {
        event_free(s->listener->loop, n);
    } else {
        queue_put_back(s, n);
        queue_serve(s);
    }
    subscription_release(s);
}

static const struct value_class event_class = {.free = return_event};

const evpq_notification *evpq_future_notification(const evpq_future *f)
{
    struct evpq_notification *n = future_value(f, &event_class);
    if (n)
        n->seen = true;
    return n;
}

static void queue_give(evpq_subscription *s, struct listen_call *call, struct evpq_notification *n)
{
    n->subscription = s;
    s->refs++;
    future_settle_value(&call->future, &event_class, n);
}

/* One who waits, and was not let go of. */
static struct listen_call *eager(evpq_subscription *s)
{
    struct list *node;
    while ((node = list_first(&s->nexts))) {
        struct listen_call *call = container_of(node, struct listen_call, node);
        if (!future_forgotten(&call->future))
            return call;
        list_remove(node);
        future_settle_canceled(&call->future, EVPQ_OUTCOME_NOT_SENT);
    }
    return NULL;
}

void queue_serve(evpq_subscription *s)
{
    struct listen_call *call;
    if (loop_forked(s->listener->loop))
        return;
    while ((call = eager(s))) {
        bool nomem = false;
        struct evpq_notification *n = next_event(s, &nomem);
        if (!n && !nomem)
            return;
        list_remove(&call->node);
        if (n)
            queue_give(s, call, n);
        else
            future_settle_error(&call->future, evpq_error_ref(error_nomem()));
    }
}

static void queue_call_cancel(evpq_future *f)
{
    list_remove(&container_of(f, struct listen_call, future)->node);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void queue_call_free(evpq_future *f)
{
    recycler_give(loop_blocks(f->loop), container_of(f, struct listen_call, future),
                  sizeof(struct listen_call));
}

static void next_why(const evpq_future *f, struct why *why)
{
    const struct listen_call *call = container_of(f, struct listen_call, future);
    why_say(why, "nothing was heard on channel \"%s\": ", call->subscription->channel);
    listener_why(call->subscription->listener, why);
}

static void ready_why(const evpq_future *f, struct why *why)
{
    const struct listen_call *call = container_of(f, struct listen_call, future);
    why_say(why, "LISTEN on channel \"%s\" is not in force: ", call->subscription->channel);
    listener_why(call->subscription->listener, why);
}

/* Not leaves: an event may hold other futures. */
static const struct future_class next_class = {
    .name = "notification", .cancel = queue_call_cancel, .free = queue_call_free, .why = next_why};
static const struct future_class ready_class = {.name = "listening",
                                                .cancel = queue_call_cancel,
                                                .free = queue_call_free,
                                                .why = ready_why,
                                                .is_leaf = true};

/* A future that waits; or one that has failed, and then *ret_call is NULL. */
static evpq_future *queue_call_new(evpq_subscription *s, const struct future_class *class,
                                   struct list *waiting, struct listen_call **ret_call)
{
    *ret_call = NULL;
    if (listener_check(s ? s->listener : NULL))
        return listener_refused(s ? s->listener : NULL);
    if (s->lc && s->lc->refused)
        return future_failed(s->listener->loop, evpq_error_ref(s->lc->refused));
    struct listen_call *call = recycler_take(loop_blocks(s->listener->loop), sizeof *call);
    if (!call)
        return future_constant(EVPQ_NOMEM);
    future_init(&call->future, class, s->listener->loop);
    call->subscription = s;
    list_init(&call->node);
    list_append(waiting, &call->node);
    *ret_call = call;
    return &call->future;
}

void queue_refuse_if_over(evpq_subscription *s)
{
    if (s->lc)
        return;
    evpq_error *why = listener_closed_error();
    queue_refuse(&s->readies, why);
    queue_refuse(&s->nexts, why);
    evpq_error_unref(why);
}

evpq_future *evpq_subscription_next(evpq_subscription *s)
{
    struct listen_call *call;
    evpq_future *f = queue_call_new(s, &next_class, s ? &s->nexts : NULL, &call);
    if (call) {
        queue_serve(s);
        queue_refuse_if_over(s);
    }
    return f;
}

evpq_future *evpq_subscription_ready(evpq_subscription *s)
{
    struct listen_call *call;
    evpq_future *f = queue_call_new(s, &ready_class, s ? &s->readies : NULL, &call);
    if (!call)
        return f;
    if (s->on) {
        list_remove(&call->node);
        future_settle_value(f, NULL, NULL);
    }
    queue_refuse_if_over(s);
    return f;
}
