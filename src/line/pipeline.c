/* pipeline.c - keeps the order, and tells each operation what came for it. */
#include "line/pipeline.h"

#include "words/error.h"

enum {
    SEGMENT_MOST = 32, /* sixteen have most of the gain */
    FLUSH_SIZE = 64 * 1024,
    CORK_LEAST = 3, /* that many sends are worth two system calls more, to be one packet */
};

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
    p->bytes -= op->size;
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
    if (!p->current)
        p->current = op;
    list_remove(&op->node);
    list_append(&p->sent, &op->node);
    op->sent = true;
    op->sent_at = p->flushing;
    p->n_fresh--;
    p->n_sent++;
    p->n_awaited += is_awaited(op);
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
    if (!p->prepares)
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
    return op && (!p->held || op->urgent);
}

/* How many of the first may share a Sync. */
static int segment_length(const struct pipeline *p)
{
    int n = 0;
    list_each(node, (struct list *)&p->fresh) {
        const struct op *op = container_of(node, struct op, node);
        if (!op->reads || !is_ready(p, op) || n == SEGMENT_MOST)
            break;
        n++;
    }
    return n;
}

static bool send_one(struct pipeline *p, struct op *op, bool guarded, bool last)
{
    op->skip = 0;
    op->last = last;
    if (guarded && !send_guard(p, op))
        return false;
    bool taken = op->class->send(op, p->wire.c);
    if (taken ||
        !pq_is_whole(p->wire.c)) /* when the link breaks meanwhile, part of it may be on its way */
        put_on_sent(p, op);
    p->unflushed += op->size;
    return taken && (!last || pq_send_sync(p->wire.c));
}

/* A lone reader goes as any other: the guard would cost more than it saves. */
static bool send_segment(struct pipeline *p)
{
    int n = segment_length(p);
    if (n < 2)
        return send_one(p, first(&p->fresh), false, true);
    for (int i = 0; i < n; i++)
        if (!send_one(p, first(&p->fresh), i == 0, i == n - 1))
            return false;
    return true;
}

static void send_all(struct pipeline *p)
{
    struct wire *w = &p->wire;
    while (w->c && is_ready(p, first(&p->fresh))) {
        if (!send_segment(p)) {
            wire_break(w, pq_lost_error(w->c));
            return;
        }
        if (p->unflushed < FLUSH_SIZE)
            continue;
        p->unflushed = 0;
        if (!wire_flush(w))
            return; /* the rest waits outside libpq's buffer, whose size nothing limits */
    }
}

/* Whether so many Syncs are due that two system calls more pay. */
static bool sends_often(const struct pipeline *p)
{
    return pq_sync_flushes() && !p->held && p->n_fresh - segment_length(p) >= CORK_LEAST;
}

static void send_fresh(struct wire *w)
{
    struct pipeline *p = pipeline_of(w);
    if (!p->n_sent && p->n_fresh && loop_unpolled(w->loop) && !wire_look(w))
        return;
    bool corked = sends_often(p);
    p->flushing = loop_time(w->loop);
    if (corked)
        wire_cork(w);
    send_all(p);
    p->unflushed = 0;
    if (corked && w->c)
        wire_uncork(w);
}

void pipeline_submit(struct pipeline *p, struct op *op)
{
    op->sent = op->abandoned = false;
    if (op->urgent)
        list_prepend(&p->fresh, &op->node);
    else
        list_append(&p->fresh, &op->node);
    p->n_fresh++;
    p->bytes += op->size;
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

static struct op *after(const struct pipeline *p, const struct op *op)
{
    return op->node.next == &p->sent ? NULL : container_of(op->node.next, struct op, node);
}

/* One statement has had all its answers. */
static void end_part(struct pipeline *p, struct op *op)
{
    if (op->skip) {
        op->skip--;
        return;
    }
    op->class->feed(op, PQ_END, NULL);
    if (!--op->parts && !op->last)
        p->current = after(p, op);
}

/* The guard failed, or the transaction did when it was to be committed: whoever is in it has no
 * answer to rely on. */
static void spoil_segment(struct pipeline *p)
{
    list_each(node, &p->sent) {
        struct op *op = container_of(node, struct op, node);
        if (op->last)
            break;
        op->class->feed(op, PQ_ABORTED, NULL);
    }
}

static void guard_answered(struct pipeline *p, const struct op *op, enum pq_kind kind,
                           struct pg_result *result)
{
    pq_clear(result);
    if (kind != PQ_ERROR)
        return;
    p->guarded = false; /* DEALLOCATE ALL, by somebody */
    if (op->skip == 2)
        p->prepares = false; /* the name is taken, by somebody before a pooler */
}

static int segment_size(const struct pipeline *p)
{
    int n = 1;
    for (const struct op *op = first(&p->sent); !op->last; op = after(p, op))
        n++;
    return n;
}

/* For how long the server has been at the first: since it answered the one before, or since this
 * one can have reached it, with the way back counted in. */
static double head_service(const struct pipeline *p, double now)
{
    double arrived_at = first(&p->sent)->sent_at + p->turnaround;
    double since = arrived_at > p->head_since ? arrived_at : p->head_since;
    return now > since ? now - since : 0;
}

bool pipeline_is_overdue(const struct pipeline *p, double seconds)
{
    return p->n_sent && !wire_is_being_read(&p->wire) &&
           head_service(p, loop_time_polled(p->wire.loop)) >= seconds;
}

/* Everything up to here is over; each is told in turn, and may be submitted again. */
static bool end_segment(struct pipeline *p)
{
    double now = loop_time(p->wire.loop);
    int n = segment_size(p);
    double whole = now - first(&p->sent)->sent_at;
    p->head_took = head_service(p, now) / n;
    if (whole < p->turnaround)
        p->turnaround = whole;
    p->head_since = now;
    for (bool last = false; p->wire.c && !last;) {
        struct op *op = first(&p->sent);
        last = op->last;
        take_off(p, op);
        if (last)
            p->current = first(&p->sent);
        op->class->feed(op, PQ_SYNC, NULL);
    }
    if (p->wire.c)
        p->owner->ended(p);
    return true; /* libpq may hold more, even when no answer is out: it must not pass for the next
                    one */
}

static bool arrived(struct wire *w, enum pq_kind kind, struct pg_result *result)
{
    struct pipeline *p = pipeline_of(w);
    struct op *op = p->current;
    bool complete = op && op->last && !op->parts; /* its Sync is due, or an error of the commit */
    bool twice = kind == PQ_END && p->ended_twice;
    p->ended_twice = kind == PQ_END;
    if (!op && kind == PQ_END)
        return false;
    if (twice && !pq_is_whole(w->c))
        return false; /* a broken link has nothing more to say; the wire finds out why */
    if (!op || twice || (complete ? kind == PQ_RESULT : kind == PQ_SYNC)) {
        pq_clear(result);
        out_of_step(p);
        return false;
    }
    if (kind == PQ_COPYING) {
        copy_began(p, op);
        return false;
    }
    if (kind == PQ_SYNC)
        return end_segment(p);
    if (kind == PQ_END && !complete) {
        end_part(p, op);
    } else if (op->skip) {
        guard_answered(p, op, kind, result);
    } else {
        if (complete && kind == PQ_ERROR)
            spoil_segment(p);
        if (kind != PQ_END)
            op->class->feed(op, kind, result);
    }
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
    p->current = NULL;
    p->guarded = false;
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
