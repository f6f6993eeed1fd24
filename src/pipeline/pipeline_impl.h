/* pipeline_impl.h - what the files of a pipeline share: pipeline.c keeps what waits,
 * send.c hands operations to libpq, receive.c tells each what came for it, on_wire.c joins them to the
 * socket. */
#ifndef PIPELINE_PIPELINE_IMPL_H
#define PIPELINE_PIPELINE_IMPL_H

#include "base/state.h"
#include "pipeline/pipeline.h"

static inline struct pipeline *pipeline_of(struct wire *w)
{
    return container_of(w, struct pipeline, wire);
}

static inline struct op *op_first(const struct list *ops)
{
    struct list *node = list_first(ops);
    return node ? container_of(node, struct op, node) : NULL;
}

static inline struct op *op_after(const struct pipeline *p, const struct op *op)
{
    return op->node.next == &p->sent ? NULL : container_of(op->node.next, struct op, node);
}

static const unsigned op_next[] = {
    [OP_NEW] = TO(OP_QUEUED),
    [OP_QUEUED] = TO(OP_SENT) | TO(OP_NEW),
    [OP_SENT] = TO(OP_ABANDONED) | TO(OP_DONE),
    [OP_ABANDONED] = TO(OP_DISCARDED),
    [OP_DONE] = TO(OP_QUEUED),
    [OP_DISCARDED] = TO(OP_QUEUED),
};

static inline void op_to(struct op *op, enum op_state state)
{
    TRANSITION(op_next, op->state, state);
    op->state = state;
}

/* It is on the list of those sent. */
static inline bool op_is_awaited(const struct op *op)
{
    return op->state == OP_SENT && !op->unawaited;
}

/* Off its list, fresh or sent. */
static inline void pipeline_take_off(struct pipeline *p, struct op *op)
{
    list_remove(&op->node);
    if (p->bar == op)
        p->bar = NULL;
    p->bytes -= op->size;
    p->n_slow -= op->slow;
    if (op->state == OP_QUEUED) {
        p->n_fresh--;
        op_to(op, OP_NEW);
        return;
    }
    bool abandoned = op->state == OP_ABANDONED;
    p->n_sent--;
    p->n_abandoned -= abandoned;
    p->n_awaited -= op_is_awaited(op);
    op_to(op, abandoned ? OP_DISCARDED : OP_DONE);
}

/* The one function that changes it. */
void left_open_to(struct pipeline *p, enum left_open left);

/* wire_class's send: all that is ready, as far as the socket takes it. */
void send_fresh(struct wire *w);

/* wire_class's arrived, grew and pull. */
bool receive(struct wire *w, enum pq_kind kind, struct pg_result *result);
void receive_grew(struct wire *w);
bool receive_copy(struct wire *w);

enum { DROPPED_ROWS = 64 }; /* at a time, of an answer that nobody waits for */

/* Another operation, or another part of one, has its answers next. */
static inline void answers_begin(struct pipeline *p)
{
    struct op *op = p->current;
    if (op && op_is_abandoned(op) && !op->skip && p->wire.c)
        pq_ask_rows(p->wire.c, DROPPED_ROWS);
    else if (op && op->class->begin && !op->skip && p->wire.c)
        op->class->begin(op, p->wire.c);
}

#endif
