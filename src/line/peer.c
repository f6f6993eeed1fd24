/* peer.c - see peer.h. */
#include "line/peer.h"

static struct pipeline *pipeline_of_peer(struct op *op)
{
    return container_of(op, struct pipeline, peer_op);
}

static bool send(struct op *op, struct pg_conn *c)
{
    op->parts = 1;
    return pq_send_command(c, "select pg_catalog.pg_backend_pid()");
}

static void feed(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct pipeline *p = pipeline_of_peer(op);
    if (kind == PQ_RESULT) {
        int pid = pq_backend_pid(p->wire.c);
        p->peer = pid && pq_int_value(result) == pid ? PEER_SERVER : PEER_POOLER;
    } else if (kind == PQ_ERROR) {
        p->peer = pq_is_in_failed_transaction(result) ? PEER_UNKNOWN : PEER_POOLER;
    }
    pq_clear(result);
    if (kind == PQ_SYNC && p->peer == PEER_ASKED)
        p->peer = PEER_UNKNOWN;
}

static void fail(struct op *op, const evpq_error *why, bool sent)
{
    (void)why, (void)sent;
    pipeline_of_peer(op)->peer = PEER_UNKNOWN;
}

void peer_init(struct pipeline *p)
{
    static const struct op_class class = {.send = send, .feed = feed, .fail = fail};
    p->peer_op = (struct op){.class = &class, .unawaited = true, .own = true, .early = true};
    list_init(&p->peer_op.node);
}

void peer_ask(struct pipeline *p)
{
    if (p->peer == PEER_UNKNOWN)
        p->peer = PEER_WANTED;
    if (p->peer == PEER_WANTED && !p->sending) {
        p->peer = PEER_ASKED;
        pipeline_submit(p, &p->peer_op);
    }
}
