/* send.c - what goes to the server, and which operations share a Sync. */
#include "pipeline/peer.h"
#include "pipeline/pipeline_impl.h"

enum {
    SEGMENT_MOST = 32, /* sixteen have most of the gain */
    FLUSH_SIZE = 64 * 1024,
    CORK_LEAST = 3, /* that many sends are worth two system calls more, to be one packet */
};

static void put_on_sent(struct pipeline *p, struct op *op)
{
    if (!p->current)
        p->current = op;
    list_remove(&op->node);
    list_append(&p->sent, &op->node);
    op_to(op, OP_SENT);
    op->sent_at = p->flushing;
    p->n_fresh--;
    p->n_sent++;
    p->n_awaited += op_is_awaited(op);
}

/* The transaction that this segment is going to be may only read. Set for the transaction alone:
 * BEGIN READ ONLY would leave a failed block behind, which the segments sent after it would fall
 * into. */
static const char guard_sql[] = "select pg_catalog.set_config('transaction_read_only', 'on', true)";
static const char guard_name[] = "evpq_guard";

static bool send_guard(struct pipeline *p, struct op *op)
{
    struct pg_conn *c = p->wire.c;
    op->skip = 1;
    peer_ask(p);
    if (!p->prepares || p->peer != PEER_SERVER)
        return pq_send_command(c, guard_sql);
    if (p->guarded)
        return pq_send_prepared_command(c, guard_name);
    p->guarded = true;
    op->skip = 2;
    return pq_send_prepare_command(c, guard_name, guard_sql) &&
           pq_send_prepared_command(c, guard_name);
}

static bool is_ready(const struct pipeline *p, const struct op *op)
{
    return op && (!p->held || op->order == OP_CONTROL) && !p->bar &&
           !((op->wire == OP_ALONE || p->lockstep) && p->n_sent);
}

/* How many of the first are to share a Sync, as each says that it shares one with the next. */
static int chain_length(const struct pipeline *p)
{
    int n = 0;
    bool joined = true;
    list_each(node, (struct list *)&p->fresh) {
        const struct op *op = container_of(node, struct op, node);
        if (!joined || !is_ready(p, op) || (n && op->wire == OP_ALONE))
            break;
        joined = op->shares_sync;
        n++;
    }
    return n;
}

/* How many of the first may share a Sync. */
static int segment_length(const struct pipeline *p)
{
    int n = 0;
    if (!list_empty(&p->fresh) && op_first(&p->fresh)->shares_sync)
        return chain_length(p);
    list_each(node, (struct list *)&p->fresh) {
        const struct op *op = container_of(node, struct op, node);
        if (!op->reads || !is_ready(p, op) || n == SEGMENT_MOST ||
            (n && p->unity == UNITY_NO)) /* a guard would hold for itself alone */
            break;
        n++;
    }
    return n;
}

static bool send_one(struct pipeline *p, struct op *op, bool guarded, bool last)
{
    op->skip = 0;
    op->sync_follows = last;
    if (guarded && !send_guard(p, op))
        return false;
    if (op->wire == OP_ALONE && !pq_leave_pipeline(p->wire.c))
        return false;
    bool taken = op->class->send(op, p->wire.c);
    if (taken ||
        !pq_is_whole(p->wire.c)) /* when the link breaks meanwhile, part of it may be on its way */
        put_on_sent(p, op);
    p->unflushed += op->size;
    pipeline_weigh(p, op->size);
    if (!taken)
        return false;
    if (p->current == op)
        answers_begin(p);
    bool proved = p->proved && p->unity == UNITY_YES;
    if (op->wire != OP_PIPELINED || (op->changes_data && !proved) || p->mistrusted)
        p->bar = op;
    return !last || op->wire == OP_ALONE || op->has_more || pq_send_sync(p->wire.c);
}

/* A lone reader goes as any other: the guard would cost more than it saves. */
static bool send_segment(struct pipeline *p)
{
    int n = segment_length(p);
    if (n < 2)
        return send_one(p, op_first(&p->fresh), false, true);
    bool guarded = !op_first(&p->fresh)->shares_sync;
    for (int i = 0; i < n; i++)
        if (!send_one(p, op_first(&p->fresh), guarded && i == 0, i == n - 1))
            return false;
    return true;
}

/* The rest of what was sent in part, as far as the socket takes it. */
static void send_more(struct pipeline *p)
{
    struct op *op = p->bar;
    bool had_more = op->has_more;
    if (!op->class->more || !(had_more || p->wire.mode & WIRE_COPYING))
        return;
    while (p->wire.c && op->class->more(op, p->wire.c))
        if (!wire_flush(&p->wire))
            return;
    if (p->wire.c && had_more && !op->has_more && !pq_send_sync(p->wire.c))
        wire_send_failed(&p->wire);
}

static void send_all(struct pipeline *p)
{
    struct wire *w = &p->wire;
    while (w->c && is_ready(p, op_first(&p->fresh))) {
        p->sending = true;
        bool taken = send_segment(p);
        p->sending = false;
        if (taken && p->peer == PEER_WANTED)
            peer_ask(p);
        if (!taken) {
            wire_send_failed(w);
            return;
        }
        if (p->unflushed >= FLUSH_SIZE) {
            p->unflushed = 0;
            if (!wire_flush(w))
                return; /* the rest waits outside libpq's buffer, whose size nothing limits */
        }
    }
}

/* Whether so many Syncs are due that two system calls more pay. */
static bool sends_often(const struct pipeline *p)
{
    return pq_sync_flushes() && !p->held && !p->lockstep &&
           p->n_fresh - segment_length(p) >= CORK_LEAST;
}

void send_fresh(struct wire *w)
{
    struct pipeline *p = pipeline_of(w);
    if (!p->n_sent && p->n_fresh && loop_unpolled(w->loop) && !wire_look(w))
        return;
    bool corked = sends_often(p);
    p->flushing = loop_time(w->loop);
    if (corked)
        wire_cork(w);
    send_all(p);
    if (p->bar)
        send_more(p);
    p->unflushed = 0;
    if (corked && w->c)
        wire_uncork(w);
    if (w->c && p->current && p->current->own && p->owner->own_turn)
        p->owner->own_turn(p);
}
