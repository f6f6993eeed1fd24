/* peer.c - see peer.h. */
#include "pipeline/peer.h"

static struct pipeline *pipeline_of_peer(struct op *op)
{
    return container_of(op, struct pipeline, peer_op);
}

/* Two statements under one Sync: what is set for the transaction in the first is seen by the second
 * if they share one. */
static bool peer_send(struct op *op, struct pg_conn *c)
{
    op->parts = 2;
    pipeline_of_peer(op)->seen_together = false;
    return pq_send_command(c, "select pg_catalog.pg_backend_pid(), "
                              "pg_catalog.set_config('evpq.together', '1', true)") &&
           pq_send_command(c, "select pg_catalog.current_setting('evpq.together', true)");
}

static void peer_take_result(struct pipeline *p, const struct pg_result *result)
{
    int pid = pq_backend_pid(p->wire.c);
    if (p->peer_op.parts == 2)
        p->peer = pid && pq_int_value(result) == pid ? PEER_SERVER : PEER_POOLER;
    else
        p->seen_together = pq_int_value(result) == 1;
}

/* In a block that was open before, whatever is sent is in one transaction: also in one that a
 * statement has left open, and that is still to be rolled back. */
static void decide(struct pipeline *p)
{
    if (p->peer == PEER_ASKED)
        p->peer = PEER_UNKNOWN;
    else if (!p->sync.failed && !p->seen_together)
        p->unity = UNITY_NO;
    else if (!p->sync.failed && p->sync.before == PQ_TXN_IDLE && p->left_open == LEFT_OPEN_NOT &&
             p->unity == UNITY_UNKNOWN)
        p->unity = UNITY_YES;
}

static void peer_feed(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct pipeline *p = pipeline_of_peer(op);
    if (kind == PQ_RESULT)
        peer_take_result(p, result);
    else if (kind == PQ_ERROR)
        p->peer = pq_is_in_failed_transaction(result) ? PEER_UNKNOWN : PEER_POOLER;
    pq_clear(result);
    p->lockstep |= p->peer == PEER_POOLER;
    if (kind == PQ_SYNC)
        decide(p);
}

static void peer_lost(struct op *op, const evpq_error *why, bool sent)
{
    (void)why, (void)sent;
    pipeline_of_peer(op)->peer = PEER_UNKNOWN;
}

void peer_init(struct pipeline *p)
{
    static const struct op_class class = {.send = peer_send, .feed = peer_feed, .fail = peer_lost};
    p->peer_op = (struct op){
        .class = &class, .unawaited = true, .own = true, .order = OP_FRONT, .keeps_block = true};
    list_init(&p->peer_op.node);
}

bool peer_is_given_away(int pid)
{
    return pid < 0 || pid > 1 << 22;
}

/* The first of its two answers decides about the peer, and may come long before the second. */
static bool is_under_way(const struct pipeline *p)
{
    return list_linked(&p->peer_op.node);
}

void peer_ask(struct pipeline *p)
{
    if (is_under_way(p))
        return;
    if (p->peer == PEER_UNKNOWN)
        p->peer = PEER_WANTED;
    if (p->peer == PEER_WANTED && !p->sending) {
        p->peer = PEER_ASKED;
        pipeline_submit(p, &p->peer_op);
    }
}

void peer_ask_unity(struct pipeline *p)
{
    if (p->unity != UNITY_UNKNOWN || is_under_way(p))
        return;
    if (p->peer == PEER_SERVER || p->peer == PEER_POOLER)
        p->peer = PEER_UNKNOWN;
    peer_ask(p);
}
