/* on_wire.c - a pipeline and its socket: how they are joined, and the end of all when that is lost. */
#include "pipeline/peer.h"
#include "pipeline/pipeline_impl.h"
#include "words/error.h"

static void pipeline_fail_all(struct list *ops, struct pipeline *p, const evpq_error *why)
{
    for (struct op *op; (op = op_first(ops));) {
        bool sent = op_was_sent(op);
        pipeline_take_off(p, op);
        op->class->fail(op, why, sent);
    }
}

static void pipeline_lost(struct wire *w, evpq_error *why)
{
    struct pipeline *p = pipeline_of(w);
    evpq_error *kept = evpq_error_ref(why);
    p->current = NULL;
    p->guarded = false;
    p->owner->lost(p, why);
    pipeline_fail_all(&p->sent, p, kept);
    pipeline_fail_all(&p->fresh, p, kept);
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

void pipeline_init(struct pipeline *p, evpq_loop *loop, const struct pipeline_owner *owner)
{
    static const struct wire_class class = {
        .arrived = receive,
        .grew = receive_grew,
        .pull = receive_copy,
        .send = send_fresh,
        .lost = pipeline_lost,
        .notice = noticed,
        .notified = notified,
    };
    *p = (struct pipeline){.owner = owner};
    wire_init(&p->wire, loop, &class);
    list_init(&p->fresh);
    list_init(&p->sent);
    peer_init(p);
}
