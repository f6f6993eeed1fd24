/* ear.c - one channel of a listener: the LISTEN that all its subscriptions share, and its UNLISTEN.
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

evpq_error *ear_check_name(const char *channel)
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

static struct ear *find(const evpq_listener *l, const char *channel)
{
    struct map_node *node = map_first(&l->ears, hash_of(channel));
    for (; node; node = map_next(node)) {
        struct ear *ear = container_of(node, struct ear, by_name);
        if (!strcmp(ear->channel, channel))
            return ear;
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

/* ---- on the line ---- */

static const char *statement(const struct ear *ear)
{
    return ear->unlisten + (ear->asked_on ? LISTEN_AT : 0);
}

static void over(struct ear *ear)
{
    ear->busy = false;
    ear->failed = evpq_error_unref(ear->failed);
    ear_tend(ear);
}

static void is_on(struct ear *ear)
{
    ear->on = true;
    list_each(node, &ear->subscriptions)
        subscription_on(subscription_at(node));
}

/* The name cannot be one in this database: that is the channel's own trouble. Anything else is the
 * server's, and may be better on the next connection, so that all begin anew there. */
static void is_not_on(struct ear *ear)
{
    evpq_listener *l = ear->listener;
    evpq_error *failed = evpq_error_ref(ear->failed);
    ear->hears = false;
    if (!strncmp(evpq_error_sqlstate(failed), "22", 2)) {
        ear->refused = evpq_error_ref(failed);
        list_each(node, &ear->subscriptions)
            subscription_fail(subscription_at(node), failed);
        over(ear);
    } else {
        over(ear);
        ears_fail(l, failed);
        conn_kill(l->conn, failed);
    }
    evpq_error_unref(failed);
}

static struct ear *ear_of_op(struct op *op)
{
    return container_of(op, struct ear, op);
}

static bool send(struct op *op, struct pg_conn *c)
{
    op->parts = 1;
    return pq_send_command(c, statement(ear_of_op(op)));
}

/* The server says that it has done it, then commits, then may send notifications, and at last says
 * that it is through: so it may be heard before LISTEN is known to be in force. */
static void feed(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct ear *ear = ear_of_op(op);
    if (kind == PQ_ERROR && !ear->failed)
        ear->failed = pq_result_error(result, statement(ear));
    if (kind == PQ_RESULT)
        ear->hears = ear->asked_on;
    pq_clear(result);
    if (kind != PQ_SYNC)
        return;
    if (ear->asked_on && ear->failed) {
        if (!ear->listener->conn->line.doubt && evpq_error_status(ear->failed) == EVPQ_SERVER)
            ear->failed = error_decided(ear->failed, EVPQ_OUTCOME_REJECTED);
        is_not_on(ear);
        return;
    }
    if (ear->asked_on)
        is_on(ear);
    over(ear);
}

static void fail(struct op *op, const evpq_error *why, bool sent)
{
    (void)why, (void)sent;
    over(ear_of_op(op));
}

/* ---- life ---- */

static void ear_free(struct ear *ear)
{
    map_remove(&ear->listener->ears, &ear->by_name);
    list_remove(&ear->node);
    evpq_error_unref(ear->refused);
    mem_free(ear);
}

void ear_tend(struct ear *ear)
{
    evpq_listener *l = ear->listener;
    bool wanted = !list_empty(&ear->subscriptions);
    if (ear->busy)
        return;
    if (!wanted && !(ear->on && l->open)) {
        ear_free(ear);
        return;
    }
    if (!l->open || wanted == ear->on || ear->refused)
        return;
    ear->busy = true;
    ear->asked_on = wanted;
    ear->op.sql = statement(ear);
    if (!wanted)
        ear->on = ear->hears = false; /* whoever comes from now on needs a LISTEN of his own */
    conn_submit(l->conn, &ear->op);
}

struct ear *ear_of(evpq_listener *l, const char *channel)
{
    static const struct op_class class = {.send = send, .feed = feed, .fail = fail};
    struct ear *ear = find(l, channel);
    if (ear)
        return ear;
    size_t length = strlen(channel), quoted = sizeof unlisten + 2 * length + 1;
    ear = mem_zalloc(sizeof *ear + quoted + length + 1);
    if (!ear)
        return NULL;
    ear->listener = l;
    list_init(&ear->subscriptions);
    list_init(&ear->op.node);
    ear->op.class = &class;
    ear->op.risky = ear->op.own = true;
    strcpy(ear->unlisten, unlisten);
    quote(ear->unlisten + sizeof unlisten - 1, channel);
    ear->channel = memcpy(ear->unlisten + quoted, channel, length + 1);
    ear->op.size = quoted;
    map_insert(&l->ears, &ear->by_name, hash_of(channel));
    list_append(&l->all_ears, &ear->node);
    return ear;
}

void ear_hear(evpq_listener *l, const struct pq_notification *n)
{
    struct ear *ear = find(l, n->channel);
    if (!ear || !ear->hears)
        return;
    list_each(node, &ear->subscriptions)
        subscription_take(subscription_at(node), n);
}

/* ---- all of them ---- */

static struct ear *ear_at(struct list *node)
{
    return container_of(node, struct ear, node);
}

void ears_open(evpq_listener *l)
{
    list_each(node, &l->all_ears)
        ear_tend(ear_at(node));
}

void ears_lost(evpq_listener *l)
{
    list_each(node, &l->all_ears) {
        struct ear *ear = ear_at(node);
        ear->on = ear->hears = false;
        list_each(one, &ear->subscriptions)
            subscription_lost(subscription_at(one));
        ear_tend(ear);
    }
}

void ears_fail(evpq_listener *l, const evpq_error *why)
{
    list_each(node, &l->all_ears)
        list_each(one, &ear_at(node)->subscriptions)
            subscription_fail(subscription_at(one), why);
}

static struct list *any_subscription(evpq_listener *l)
{
    list_each(node, &l->all_ears)
        if (!list_empty(&ear_at(node)->subscriptions))
            return list_first(&ear_at(node)->subscriptions);
    return NULL;
}

/* A catch-up that is called off may run the program's function that frees its value, which may let
 * go of any other subscription. */
void ears_close(evpq_listener *l)
{
    for (struct list *one; (one = any_subscription(l));)
        subscription_over(subscription_at(one));
    list_each(node, &l->all_ears)
        ear_tend(ear_at(node));
}
