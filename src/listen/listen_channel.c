/* listen_channel.c - one channel of a listener: the LISTEN that all its subscriptions share, and its UNLISTEN.
 *
 * One statement is under way for a channel at a time; when it is answered, the next is what has
 * come to be wanted meanwhile. */
#include "listen/listener.h"

#include "base/mem.h"
#include "words/error.h"

#include <string.h>

enum { CHANNEL_MOST = 63 }; /* bytes: PostgreSQL's NAMEDATALEN, less its zero */

enum { LISTEN_AT = 2 }; /* where in "UNLISTEN" the other begins */

static const char unlisten[] = "UNLISTEN \"";

static evpq_subscription *subscription_at(struct list *node)
{
    return container_of(node, evpq_subscription, node);
}

/* ---- names ---- */

evpq_error *listen_channel_check_name(const char *channel)
{
    const char *wrong = NULL;
    if (!channel)
        wrong = "the channel is NULL";
    else if (!*channel)
        wrong = "the name of the channel is empty";
    else if (strlen(channel) > CHANNEL_MOST)
        wrong = "the name of the channel has more than 63 bytes";
    return wrong ? error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "%s", wrong) : NULL;
}

static uint64_t hash_of(const char *channel)
{
    return map_hash(0, channel, strlen(channel));
}

static struct listen_channel *find(const evpq_listener *l, const char *channel)
{
    struct map_node *node = map_first(&l->channels, hash_of(channel));
    for (; node; node = map_next(node)) {
        struct listen_channel *lc = container_of(node, struct listen_channel, by_name);
        if (!strcmp(lc->name, channel))
            return lc;
    }
    return NULL;
}

/* As an identifier. `to` has room for twice its length, and two more. */
static void quote(char *to, const char *name)
{
    for (; *name; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    *to = 0;
}

/* ---- in the pipeline ---- */

static const char *statement(const struct listen_channel *lc)
{
    return lc->unlisten + (lc->asked_on ? LISTEN_AT : 0);
}

static void listen_channel_over(struct listen_channel *lc)
{
    lc->busy = false;
    lc->failed = evpq_error_unref(lc->failed);
    listen_channel_tend(lc);
}

static void is_on(struct listen_channel *lc)
{
    lc->on = true;
    list_each(node, &lc->subscriptions)
        subscription_on(subscription_at(node));
}

/* The name cannot be one in this database: that is the channel's own trouble. Anything else is the
 * server's, and may be better on the next connection, so that all begin anew there. */
static void is_not_on(struct listen_channel *lc)
{
    evpq_listener *l = lc->listener;
    evpq_error *failed = evpq_error_ref(lc->failed);
    lc->hears = false;
    if (!strncmp(evpq_error_sqlstate(failed), "22", 2)) {
        lc->refused = evpq_error_ref(failed);
        list_each(node, &lc->subscriptions)
            subscription_fail(subscription_at(node), failed);
        listen_channel_over(lc);
    } else {
        listen_channel_over(lc);
        listen_channels_fail(l, failed);
        conn_kill(l->conn, failed);
    }
    evpq_error_unref(failed);
}

static struct listen_channel *listen_channel_of_op(struct op *op)
{
    return container_of(op, struct listen_channel, op);
}

static bool listen_channel_send(struct op *op, struct pg_conn *c)
{
    op->parts = 1;
    return pq_send_command(c, statement(listen_channel_of_op(op)));
}

/* The server says that it has done it, then commits, then may send notifications, and at last says
 * that it is through: so it may be heard before LISTEN is known to be in force. */
static void listen_channel_feed(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct listen_channel *lc = listen_channel_of_op(op);
    if (kind == PQ_ERROR && !lc->failed)
        lc->failed = pq_result_error(result, statement(lc));
    if (kind == PQ_RESULT)
        lc->hears = lc->asked_on;
    pq_clear(result);
    if (kind != PQ_SYNC)
        return;
    if (lc->asked_on && lc->failed) {
        if (!lc->listener->conn->pipeline.sync.doubt &&
            evpq_error_status(lc->failed) == EVPQ_SERVER)
            lc->failed = error_decided(lc->failed, EVPQ_OUTCOME_REJECTED);
        is_not_on(lc);
        return;
    }
    if (lc->asked_on)
        is_on(lc);
    listen_channel_over(lc);
}

static void listen_channel_fail(struct op *op, const evpq_error *why, bool sent)
{
    (void)why, (void)sent;
    listen_channel_over(listen_channel_of_op(op));
}

/* ---- life ---- */

static void listen_channel_free(struct listen_channel *lc)
{
    map_remove(&lc->listener->channels, &lc->by_name);
    list_remove(&lc->node);
    evpq_error_unref(lc->refused);
    mem_free(lc);
}

void listen_channel_tend(struct listen_channel *lc)
{
    evpq_listener *l = lc->listener;
    bool wanted = !list_empty(&lc->subscriptions);
    if (lc->busy)
        return;
    if (!wanted && !(lc->on && l->open)) {
        listen_channel_free(lc);
        return;
    }
    if (!l->open || wanted == lc->on || lc->refused)
        return;
    lc->busy = true;
    lc->asked_on = wanted;
    lc->op.sql = statement(lc);
    if (!wanted)
        lc->on = lc->hears = false; /* whoever comes from now on needs a LISTEN of his own */
    conn_submit(l->conn, &lc->op);
}

struct listen_channel *listen_channel_of(evpq_listener *l, const char *channel)
{
    static const struct op_class class = {
        .send = listen_channel_send, .feed = listen_channel_feed, .fail = listen_channel_fail};
    struct listen_channel *lc = find(l, channel);
    if (lc)
        return lc;
    size_t length = strlen(channel), quoted = sizeof unlisten + 2 * length + 1;
    lc = mem_zalloc(sizeof *lc + quoted + length + 1);
    if (!lc)
        return NULL;
    lc->listener = l;
    list_init(&lc->subscriptions);
    list_init(&lc->op.node);
    lc->op.class = &class;
    lc->op.slow = lc->op.own = true;
    strcpy(lc->unlisten, unlisten);
    quote(lc->unlisten + sizeof unlisten - 1, channel);
    lc->name = memcpy(lc->unlisten + quoted, channel, length + 1);
    lc->op.size = quoted;
    map_insert(&l->channels, &lc->by_name, hash_of(channel));
    list_append(&l->all_channels, &lc->node);
    return lc;
}

void listen_channel_hear(evpq_listener *l, const struct pq_notification *n)
{
    struct listen_channel *lc = find(l, n->channel);
    if (!lc || !lc->hears)
        return;
    list_each(node, &lc->subscriptions)
        subscription_take(subscription_at(node), n);
}

/* ---- all of them ---- */

static struct listen_channel *listen_channel_at(struct list *node)
{
    return container_of(node, struct listen_channel, node);
}

void listen_channels_open(evpq_listener *l)
{
    list_each(node, &l->all_channels)
        listen_channel_tend(listen_channel_at(node));
}

void listen_channels_lost(evpq_listener *l)
{
    list_each(node, &l->all_channels) {
        struct listen_channel *lc = listen_channel_at(node);
        lc->on = lc->hears = false;
        list_each(one, &lc->subscriptions)
            subscription_lost(subscription_at(one));
        listen_channel_tend(lc);
    }
}

void listen_channels_fail(evpq_listener *l, const evpq_error *why)
{
    list_each(node, &l->all_channels)
        list_each(one, &listen_channel_at(node)->subscriptions)
            subscription_fail(subscription_at(one), why);
}

static struct list *any_subscription(evpq_listener *l)
{
    list_each(node, &l->all_channels)
        if (!list_empty(&listen_channel_at(node)->subscriptions))
            return list_first(&listen_channel_at(node)->subscriptions);
    return NULL;
}

/* A catch-up that is called off may run the program's function that frees its value, which may let
 * go of any other subscription. */
void listen_channels_close(evpq_listener *l)
{
    for (struct list *one; (one = any_subscription(l));)
        subscription_over(subscription_at(one));
    list_each(node, &l->all_channels)
        listen_channel_tend(listen_channel_at(node));
}
