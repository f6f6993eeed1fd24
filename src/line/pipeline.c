/* pipeline.c - keeps the order, and tells each operation what came for it. */
#include "line/pipeline.h"

#include "words/error.h"


enum { FLUSH_SIZE = 64 * 1024 };

static struct pipeline *pipeline_of(struct wire *w)
{
    return container_of(w, struct pipeline, wire);
}

static struct op *first(const struct list *ops)
{
    struct list *node = list_first(ops);
    return node ? container_of(node, struct op, node) : NULL;
}

static bool is_awaited(const struct op *op)
{
    return !op->abandoned && !op->unawaited;
}

static void take_off(struct pipeline *p, struct op *op)
{
    list_remove(&op->node);
    p->n_risky -= op->risky;
    if (!op->sent) {
        p->n_fresh--;
        return;
    }
    p->n_sent--;
    p->n_abandoned -= op->abandoned;
    p->n_awaited -= is_awaited(op);
}

/* ---- sending ---- */

static void put_on_sent(struct pipeline *p, struct op *op)
{
    if (!p->n_sent)
        p->head_since = loop_time(p->wire.loop);
    list_remove(&op->node);
    list_append(&p->sent, &op->node);
    op->sent = true;
    p->n_fresh--;
    p->n_sent++;
    p->n_awaited += is_awaited(op);
}

static void send_fresh(struct wire *w)
{
    struct pipeline *p = pipeline_of(w);
    if (!p->n_sent && p->n_fresh && loop_unpolled(w->loop) && !wire_look(w))
        return;
    size_t unflushed = 0;
    for (struct op *op; w->c && (op = first(&p->fresh)) && (!p->held || op->urgent);) {
        bool taken = op->class->send(op, w->c);
        if (taken || !pq_is_whole(w->c)) /* in a link that breaks meanwhile, part of it may be on its way */
            put_on_sent(p, op);
        if (!taken || !pq_send_sync(w->c)) {
            wire_break(w, pq_lost_error(w->c));
            return;
        }
        unflushed += op->size;
        if (unflushed < FLUSH_SIZE)
            continue;
        unflushed = 0;
        if (!wire_flush(w))
            return; /* the rest waits outside libpq's buffer, whose size nothing limits */
    }
}

void pipeline_submit(struct pipeline *p, struct op *op)
{
    op->sent = op->abandoned = false;
    if (op->urgent)
        list_prepend(&p->fresh, &op->node);
    else
        list_append(&p->fresh, &op->node);
    p->n_fresh++;
    p->n_risky += op->risky;
    wire_send_later(&p->wire);
}

bool pipeline_abandon(struct pipeline *p, struct op *op)
{
    if (!op->sent) {
        take_off(p, op);
        return true;
    }
    if (!op->abandoned) {
        p->n_awaited -= is_awaited(op);
        op->abandoned = true;
        p->n_abandoned++;
    }
    return false;
}

void pipeline_desert(struct pipeline *p, const evpq_error *why)
{
    list_each(node, &p->sent) {
        struct op *op = container_of(node, struct op, node);
        if (op->abandoned || !op->class->desert)
            continue;
        op->class->desert(op, why);
        pipeline_abandon(p, op);
    }
}

void pipeline_return_fresh(struct pipeline *p, const evpq_error *why)
{
    struct list back, *node;
    list_init(&back);
    list_splice(&back, &p->fresh);
    while ((node = list_pop(&back))) {
        struct op *op = container_of(node, struct op, node);
        take_off(p, op);
        op->class->fail(op, why, false);
    }
}

void pipeline_hold(struct pipeline *p, bool held)
{
    p->held = held;
    if (!held && p->n_fresh)
        wire_send_later(&p->wire);
}

/* ---- receiving ---- */

/* Nothing on this line can be understood any more. */
static void copy_began(struct pipeline *p, struct op *op)
{
    evpq_error *why = error_new(EVPQ_INVALID, EVPQ_OUTCOME_UNKNOWN,
                                "COPY to or from the client is not possible in a query");
    take_off(p, op);
    op->class->fail(op, why, true);
    evpq_error_unref(why);
    wire_break(&p->wire, error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN,
                                   "closed because another statement began a COPY"));
}

static void out_of_step(struct pipeline *p)
{
    wire_break(&p->wire, error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN,
                                   "an answer came that belongs to no query"));
}

static bool end_operation(struct pipeline *p, struct op *op)
{
    double now = loop_time(p->wire.loop);
    take_off(p, op);
    p->head_took = now - p->head_since;
    p->head_since = now;
    op->class->feed(op, PQ_SYNC, NULL);
    if (p->wire.c)
        p->owner->ended(p);
    return true; /* libpq may hold more, even when no answer is out: it must not pass for the next one */
}

static bool arrived(struct wire *w, enum pq_kind kind, struct pg_result *result)
{
    struct pipeline *p = pipeline_of(w);
    struct op *op = first(&p->sent);
    bool twice = kind == PQ_END && p->ended_twice;
    p->ended_twice = kind == PQ_END;
    if (!op && kind == PQ_END)
        return false;
    if (twice && !pq_is_whole(w->c))
        return false; /* a broken link has nothing more to say; the wire finds out why */
    if (!op || twice) {
        pq_clear(result);
        out_of_step(p);
        return false;
    }
    if (kind == PQ_COPYING) {
        copy_began(p, op);
        return false;
    }
    if (kind == PQ_SYNC)
        return end_operation(p, op);
    op->class->feed(op, kind, result);
    return true;
}

/* ---- the end ---- */

static void fail_all(struct list *ops, struct pipeline *p, const evpq_error *why)
{
    for (struct op *op; (op = first(ops));) {
        bool sent = op->sent;
        take_off(p, op);
        op->class->fail(op, why, sent);
    }
}

static void lost(struct wire *w, evpq_error *why)
{
    struct pipeline *p = pipeline_of(w);
    evpq_error *kept = evpq_error_ref(why);
    p->owner->lost(p, why);
    fail_all(&p->sent, p, kept);
    fail_all(&p->fresh, p, kept);
    evpq_error_unref(kept);
}

static void noticed(struct wire *w, evpq_error *notice)
{
    struct pipeline *p = pipeline_of(w);
    p->owner->notice(p, notice);
}

void pipeline_break(struct pipeline *p, evpq_error *why)
{
    wire_break(&p->wire, why);
}

void pipeline_init(struct pipeline *p, evpq_loop *loop, const struct pipeline_owner *owner)
{
    static const struct wire_class class = {
        .arrived = arrived, .send = send_fresh, .lost = lost, .notice = noticed};
    *p = (struct pipeline){.owner = owner};
    wire_init(&p->wire, loop, &class);
    list_init(&p->fresh);
    list_init(&p->sent);
}
