/* pipeline.c - what waits to be sent, what is given up, and the end of all when the link is lost. */
#include "pipeline/pipeline.h"

#include "pipeline/peer.h"
#include "pipeline/pipeline_impl.h"
#include "words/error.h"

/* ---- asking ---- */

void pipeline_submit(struct pipeline *p, struct op *op)
{
    op_to(op, OP_QUEUED);
    if (op->order == OP_NORMAL)
        list_append(&p->fresh, &op->node);
    else
        list_prepend(&p->fresh, &op->node);
    p->n_fresh++;
    p->bytes += op->size;
    p->n_slow += op->slow;
    wire_send_later(&p->wire);
}

void pipeline_more(struct pipeline *p)
{
    wire_send_later(&p->wire);
}

/* An answer that nobody waits for is not to be collected: at its beginning it can be asked for row
 * by row (send_begin), later a cancel request ends it, in time or not. */
static void begin_dropping(struct pipeline *p)
{
    p->wire.counts = true;
    p->dropped = p->wire.coming;
}

bool pipeline_abandon(struct pipeline *p, struct op *op)
{
    if (!op_was_sent(op)) {
        pipeline_take_off(p, op);
        return true;
    }
    if (op_is_abandoned(op))
        return false;
    p->n_awaited -= op_is_awaited(op);
    op_to(op, OP_ABANDONED);
    p->n_abandoned++;
    if (!p->wire.c)
        return false;
    if (op->class->called_off)
        op->class->called_off(op, p->wire.c);
    pipeline_more(p);
    if (op == p->current) {
        wire_pause(&p->wire, false);
        begin_dropping(p);
    }
    return false;
}

void pipeline_detach(struct pipeline *p, const evpq_error *why)
{
    list_each(node, &p->sent) {
        struct op *op = container_of(node, struct op, node);
        if (op_is_abandoned(op) || !op->class->detach)
            continue;
        op->class->detach(op, why);
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
        pipeline_take_off(p, op);
        op->class->fail(op, why, false);
    }
}

void pipeline_hold(struct pipeline *p, bool held)
{
    p->held = held;
    if (!held && p->n_fresh)
        wire_send_later(&p->wire);
}

/* ---- the end ---- */

static void fail_all(struct list *ops, struct pipeline *p, const evpq_error *why)
{
    for (struct op *op; (op = op_first(ops));) {
        bool sent = op_was_sent(op);
        pipeline_take_off(p, op);
        op->class->fail(op, why, sent);
    }
}

static void lost(struct wire *w, evpq_error *why)
{
    struct pipeline *p = pipeline_of(w);
    evpq_error *kept = evpq_error_ref(why);
    p->current = NULL;
    p->guarded = false;
    p->owner->lost(p, why);
    fail_all(&p->sent, p, kept);
    fail_all(&p->fresh, p, kept);
    evpq_error_unref(kept);
}

/* It belongs to the statement whose answers come at this moment. */
static void noticed(struct wire *w, evpq_error *notice)
{
    struct pipeline *p = pipeline_of(w);
    const struct op *op = p->current;
    if (op && op->sql && !op->skip) {
        evpq_error *about = error_about(notice, EVPQ_OK, evpq_error_outcome(notice), op->sql);
        evpq_error_unref(notice);
        notice = about;
    }
    p->owner->notice(p, notice);
}

static void notified(struct wire *w, const struct pq_notification *n)
{
    struct pipeline *p = pipeline_of(w);
    p->owner->notified(p, n);
}

void pipeline_break(struct pipeline *p, evpq_error *why)
{
    wire_break(&p->wire, why);
}

void pipeline_init(struct pipeline *p, evpq_loop *loop, const struct pipeline_owner *owner)
{
    static const struct wire_class class = {
        .arrived = receive,
        .grew = receive_some,
        .pull = receive_copy,
        .send = send_fresh,
        .lost = lost,
        .notice = noticed,
        .notified = notified,
    };
    *p = (struct pipeline){.owner = owner};
    wire_init(&p->wire, loop, &class);
    list_init(&p->fresh);
    list_init(&p->sent);
    peer_init(p);
}
