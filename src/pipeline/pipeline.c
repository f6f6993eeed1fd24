/* pipeline.c - what waits to be sent, and what is given up. */
#include "pipeline/pipeline.h"

#include "pipeline/pipeline_impl.h"

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

void pipeline_bar(struct pipeline *p, struct op *op)
{
    op->wire = OP_BARRIER;
    if (op_was_sent(op) && !p->bar)
        p->bar = op;
}

/* An answer that nobody waits for should not be collected in memory. Before it begins, libpq can be
 * asked for it row by row (answers_begin). Later only the cancel request can end it. */
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
        if (op_is_abandoned(op) || !op->class->tell_waiter)
            continue;
        op->class->tell_waiter(op, why);
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

static const unsigned left_open_next[] = {
    [LEFT_OPEN_NOT] = TO(LEFT_OPEN_YES) | TO(LEFT_OPEN_ORPHAN),
    [LEFT_OPEN_YES] = TO(LEFT_OPEN_ORPHAN) | TO(LEFT_OPEN_NOT),
    [LEFT_OPEN_ORPHAN] = 0,
};

void left_open_to(struct pipeline *p, enum left_open left)
{
    TRANSITION(left_open_next, p->left_open, left);
    p->left_open = left;
}

void pipeline_note_left_open(struct pipeline *p, bool orphan)
{
    enum left_open left = orphan ? LEFT_OPEN_ORPHAN : LEFT_OPEN_YES;
    if (left > p->left_open)
        left_open_to(p, left);
    p->mistrusted = true;
}

void pipeline_break(struct pipeline *p, evpq_error *why)
{
    wire_break(&p->wire, why);
}
