/* send.h - the sending half of a pipeline: from fresh operations to libpq, in the tick. */
#ifndef PIPELINE_SEND_H
#define PIPELINE_SEND_H

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

static inline bool op_is_awaited(const struct op *op)
{
    return !op->abandoned && !op->unawaited;
}

/* wire_class's send: all that is ready, as far as the socket takes it. */
void send_fresh(struct wire *w);

enum { DROPPED_ROWS = 64 }; /* at a time, of an answer that nobody waits for */

/* Another operation, or another part of one, has its answers next. */
static inline void send_begin(struct pipeline *p)
{
    struct op *op = p->current;
    if (op && op->abandoned && !op->skip && p->wire.c)
        pq_ask_rows(p->wire.c, DROPPED_ROWS);
    else if (op && op->class->begin && !op->skip && p->wire.c)
        op->class->begin(op, p->wire.c);
}

#endif
