/* channel.c - a bounded queue of the program's pointers between those who send and those who
 * receive.
 *
 * An item travels in a struct channel_item: from the send that waits for room into the channel, from there into
 * the receive that is done with it, and, when that goes and nobody took the item, back to where it
 * was. They are numbered as they are sent, and kept in this order. Who waits and was let go of
 * still sends, but receives nothing.
 *
 * No function is called before all is in order again: `free_item` may do anything to the channel,
 * which `enter` and `leave` keep there meanwhile. */
#include "async/future.h"
#include "base/mem.h"
#include "words/error.h"

#include <evpq/sync.h>
#include <stdint.h>

struct evpq_channel {
    unsigned refs; /* the program's; with the last the channel is closed and emptied */
    unsigned uses; /* ours: items that are out, and functions that are under way */
    bool closed;
    evpq_loop *loop;
    size_t capacity, count;
    uint64_t sent;                  /* items so far */
    struct list returned, items;    /* items: all of the first are older than any of the second */
    struct list sending, receiving; /* calls that wait; not both, unless one is forgotten */
    struct list doomed;             /* items for free_item */
    void (*free_item)(void *item);
    evpq_error *closed_error; /* made beforehand, as closing needs no memory */
};

struct channel_item {
    struct list node;
    evpq_channel *channel;
    uint64_t number;
    void *item;
};

/* A send or a receive. */
struct channel_call {
    struct evpq_future future;
    evpq_channel *channel; /* while it waits */
    struct list node;
    struct channel_item *item; /* what a send waits with */
};

static struct channel_call *channel_call_of(const evpq_future *f)
{
    return container_of(f, struct channel_call, future);
}

static struct channel_call *next_call(struct list *waiting)
{
    struct list *node = list_pop(waiting);
    return node ? container_of(node, struct channel_call, node) : NULL;
}

/* ---- items ---- */

static struct channel_item *item_new(evpq_channel *c, void *item)
{
    struct channel_item *p = recycler_take(loop_blocks(c->loop), sizeof *p);
    if (!p)
        return NULL;
    *p = (struct channel_item){.channel = c, .item = item, .number = c->sent++};
    list_init(&p->node);
    return p;
}

static void *unpack(evpq_channel *c, struct channel_item *p)
{
    void *item = p->item;
    recycler_give(loop_blocks(c->loop), p, sizeof *p);
    return item;
}

/* The oldest there is, also when it was only on its way in; that one's send is done. */
static struct channel_item *next_item(evpq_channel *c)
{
    struct list *from = list_empty(&c->returned) ? &c->items : &c->returned;
    struct list *node = list_pop(from);
    if (node) {
        c->count--;
        return container_of(node, struct channel_item, node);
    }
    struct channel_call *send = next_call(&c->sending);
    if (!send)
        return NULL;
    struct channel_item *p = send->item;
    future_settle_value(&send->future, NULL, NULL);
    return p;
}

/* Where it was before, as seen from the others that came back. */
static void channel_put_back(evpq_channel *c, struct channel_item *p)
{
    struct list *after = c->returned.prev, *first = c->returned.next;
    if (first != &c->returned && p->number < container_of(first, struct channel_item, node)->number)
        after = &c->returned;
    while (after != &c->returned &&
           container_of(after, struct channel_item, node)->number > p->number)
        after = after->prev;
    list_prepend(after, &p->node);
    c->count++;
}

/* ---- coming and going ---- */

static void enter(evpq_channel *c)
{
    c->uses++;
}

static void channel_leave(evpq_channel *c)
{
    if (--c->uses || c->refs)
        return;
    evpq_error_unref(c->closed_error);
    evpq_loop_unref(c->loop);
    mem_free(c);
}

static void bring_to_nobody(evpq_channel *c)
{
    struct list *node;
    while ((node = list_pop(&c->doomed))) {
        void *item = unpack(c, container_of(node, struct channel_item, node));
        loop_free_value(c->loop, c->free_item, item);
    }
}

static void refuse_all(evpq_channel *c, struct list *waiting)
{
    struct channel_call *call;
    while ((call = next_call(waiting))) {
        if (call->item)
            list_append(&c->doomed, &call->item->node);
        future_settle_error(&call->future, evpq_error_ref(c->closed_error));
    }
}

/* ---- who gets what ---- */

static void return_item(void *value);

static const struct value_class item_class = {.free = return_item};

static bool has_parcel(const evpq_channel *c)
{
    return c->count || !list_empty(&c->sending);
}

static struct channel_call *next_receive(evpq_channel *c)
{
    struct channel_call *receive;
    while ((receive = next_call(&c->receiving)) && future_forgotten(&receive->future))
        future_settle_canceled(&receive->future, EVPQ_OUTCOME_NOT_SENT);
    return receive;
}

static void channel_serve(evpq_channel *c)
{
    struct channel_call *call;
    if (loop_forked(c->loop))
        return;
    while (has_parcel(c) && (call = next_receive(c))) {
        enter(c);
        future_settle_value(&call->future, &item_class, next_item(c));
    }
    while (c->count < c->capacity && (call = next_call(&c->sending))) {
        list_append(&c->items, &call->item->node);
        c->count++;
        future_settle_value(&call->future, NULL, NULL);
    }
}

/* The receive that had it is gone. */
static void return_item(void *value)
{
    struct channel_item *p = value;
    evpq_channel *c = p->channel;
    if (c->refs) {
        channel_put_back(c, p);
        channel_serve(c);
    } else {
        list_append(&c->doomed, &p->node);
        bring_to_nobody(c);
    }
    channel_leave(c);
}

/* ---- calls ---- */

static void channel_call_cancel(evpq_future *f)
{
    struct channel_call *call = channel_call_of(f);
    evpq_channel *c = call->channel;
    list_remove(&call->node);
    if (call->item)
        list_append(&c->doomed, &call->item->node);
    enter(c);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
    bring_to_nobody(c);
    channel_leave(c);
}

static void channel_call_free(evpq_future *f)
{
    recycler_give(loop_blocks(f->loop), channel_call_of(f), sizeof(struct channel_call));
}

static const struct future_class send_class = {
    .name = "send", .cancel = channel_call_cancel, .free = channel_call_free, .is_leaf = true};
/* No leaf: its item may hold other futures. */
static const struct future_class receive_class = {
    .name = "receive", .cancel = channel_call_cancel, .free = channel_call_free};

static struct channel_call *channel_call_new(evpq_channel *c, const struct future_class *class)
{
    struct channel_call *call = recycler_take(loop_blocks(c->loop), sizeof *call);
    if (!call)
        return NULL;
    future_init(&call->future, class, c->loop);
    call->channel = c;
    call->item = NULL;
    list_init(&call->node);
    return call;
}

/* An item that cannot be sent. The channel may be gone afterwards. */
static evpq_future *channel_refuse(evpq_channel *c, void *item, evpq_future *failed)
{
    if (item)
        loop_free_value(c->loop, c->free_item, item);
    return failed;
}

evpq_future *evpq_channel_send(evpq_channel *c, void *item)
{
    if (!c)
        return future_constant(EVPQ_INVALID);
    if (loop_check(c->loop))
        return channel_refuse(c, item, future_refused(c->loop));
    if (!item)
        return evpq_future_failed(c->loop, EVPQ_INVALID, "NULL is no item that could be sent");
    if (c->closed)
        return channel_refuse(c, item, future_failed(c->loop, evpq_error_ref(c->closed_error)));
    struct channel_item *p = item_new(c, item);
    struct channel_call *send = p ? channel_call_new(c, &send_class) : NULL;
    if (!send)
        return channel_refuse(c, p ? unpack(c, p) : item, future_constant(EVPQ_NOMEM));
    send->item = p;
    list_append(&c->sending, &send->node);
    channel_serve(c);
    return &send->future;
}

evpq_future *evpq_channel_receive(evpq_channel *c)
{
    if (!c || loop_check(c->loop))
        return future_refused(c ? c->loop : NULL);
    if (c->closed && !c->count)
        return future_failed(c->loop, evpq_error_ref(c->closed_error));
    struct channel_call *receive = channel_call_new(c, &receive_class);
    if (!receive)
        return future_constant(EVPQ_NOMEM);
    list_append(&c->receiving, &receive->node);
    channel_serve(c);
    return &receive->future;
}

void *evpq_channel_item(evpq_future *f)
{
    struct channel_item *p = future_take_value(f, &item_class);
    if (!p)
        return NULL;
    evpq_channel *c = p->channel;
    void *item = unpack(c, p);
    channel_leave(c);
    return item;
}

/* ---- the channel ---- */

evpq_channel *evpq_channel_new(evpq_loop *loop, size_t capacity, void (*free_item)(void *item))
{
    evpq_channel *c = loop && !loop_elsewhere(loop) ? mem_alloc(sizeof *c) : NULL;
    if (!c)
        return NULL;
    evpq_error *closed = error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the channel is closed");
    if (evpq_error_status(closed) != EVPQ_CLOSED) {
        mem_free(c);
        return NULL;
    }
    *c = (struct evpq_channel){.refs = 1,
                               .loop = evpq_loop_ref(loop),
                               .capacity = capacity,
                               .free_item = free_item,
                               .closed_error = closed};
    list_init(&c->returned);
    list_init(&c->items);
    list_init(&c->sending);
    list_init(&c->receiving);
    list_init(&c->doomed);
    return c;
}

evpq_channel *evpq_channel_ref(evpq_channel *c)
{
    if (c)
        c->refs++;
    return c;
}

static void shut(evpq_channel *c)
{
    c->closed = true;
    refuse_all(c, &c->sending);
    refuse_all(c, &c->receiving);
}

evpq_channel *evpq_channel_unref(evpq_channel *c)
{
    if (!c || loop_elsewhere(c->loop) || --c->refs)
        return NULL;
    enter(c);
    list_splice(&c->doomed, &c->returned);
    list_splice(&c->doomed, &c->items);
    c->count = 0;
    shut(c);
    bring_to_nobody(c);
    channel_leave(c);
    return NULL;
}

void evpq_channel_close(evpq_channel *c)
{
    if (!c || loop_is_barred(c->loop))
        return;
    enter(c);
    shut(c);
    bring_to_nobody(c);
    channel_leave(c);
}

size_t evpq_channel_count(const evpq_channel *c)
{
    return c ? c->count : 0;
}
