/* receive.c - tells each operation what came for it, up to the Sync that ends it. */
#include "pipeline/peer.h"
#include "pipeline/pipeline_impl.h"
#include "words/error.h"
#include "words/sql.h"

/* What may still come of a result that was given up, until the cancel request has its effect. */
enum { DROPPED_MOST = 32 << 20 };

/* After this no answer in the pipeline can be matched with its operation. */
static void copy_began(struct pipeline *p, struct op *op)
{
    evpq_error *why = error_new(EVPQ_INVALID, EVPQ_OUTCOME_UNKNOWN,
                                "COPY to or from the client is not possible in a query");
    pipeline_take_off(p, op);
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

/* One statement has had all its answers. */
static void end_part(struct pipeline *p, struct op *op)
{
    if (op->skip) {
        op->skip--;
        return;
    }
    op->class->feed(op, PQ_END, NULL);
    if (!--op->parts && !op->sync_follows)
        p->current = op_after(p, op);
    answers_begin(p);
}

/* The guard failed, or the commit of the transaction did: no answer in this segment can be relied
 * on. True: there are operations before the last. */
static bool spoil_segment(struct pipeline *p)
{
    bool company = false;
    list_each(node, &p->sent) {
        struct op *op = container_of(node, struct op, node);
        if (op->sync_follows)
            break;
        op->class->feed(op, PQ_ABORTED, NULL);
        company = true;
    }
    return company;
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

/* How the transaction stands after an operation that was carried out, judged by its text. */
static enum pq_transaction stands_after(const struct op *op, enum pq_transaction before)
{
    if (op->keeps_block || !op->sql)
        return before;
    switch (sql_scope(op->sql)) {
    case SQL_BEGINS:
        return PQ_TXN_OPEN;
    case SQL_ENDS:
        return sql_stays_in_block(op->sql) ? PQ_TXN_OPEN : PQ_TXN_IDLE;
    default:
        return before;
    }
}

/* Those that share the Sync at hand: how many, and how the transaction stood before them. */
static int note_segment(struct pipeline *p)
{
    struct sync_status *s = &p->sync;
    int n = 0;
    bool keeps = true;
    const struct op *op = NULL;
    enum pq_transaction inferred = s->after;
    s->began = false;
    do {
        op = op ? op_after(p, op) : op_first(&p->sent);
        s->began |= op->begins;
        keeps &= op->keeps_block;
        inferred = stands_after(op, inferred);
        n++;
    } while (!op->sync_follows);
    s->before = s->after;
    s->after = pq_transaction(p->wire.c);
    bool told = s->after != PQ_TXN_UNKNOWN;
    if (p->left_open != LEFT_OPEN_NOT) { /* until ROLLBACK is answered nothing else is done here */
        s->before = PQ_TXN_IDLE;
        if (!told)
            s->after = PQ_TXN_OPEN;
        if (s->after == PQ_TXN_IDLE)
            left_open_to(p, LEFT_OPEN_NOT);
    } else if (!told && keeps) {
        s->after = s->failed && s->before == PQ_TXN_OPEN ? PQ_TXN_FAILED : s->before;
    } else if (!told && !s->failed) {
        s->after = inferred;
    }
    s->alone = keeps && told && s->before == PQ_TXN_IDLE && s->after == PQ_TXN_IDLE;
    return n;
}

/* How long the server has worked on the first operation: since it answered the one before, or since
 * this one can have reached it, whichever is later. The way back is counted in, too. */
static double head_service(const struct pipeline *p, double sent_at, double now)
{
    double arrived_at = sent_at + p->turnaround;
    double since = arrived_at > p->head_since ? arrived_at : p->head_since;
    return now > since ? now - since : 0;
}

bool pipeline_is_overdue(const struct pipeline *p, double seconds)
{
    return p->n_sent && !wire_is_being_read(&p->wire) &&
           head_service(p, op_first(&p->sent)->sent_at, loop_time_polled(p->wire.loop)) >= seconds;
}

bool pipeline_awaits_own(const struct pipeline *p)
{
    for (const struct op *op = p->current; op && op->own; op = op_after(p, op))
        if (op->sync_follows)
            return true;
    return false;
}

void pipeline_break_at_sync(struct pipeline *p, const evpq_error *why)
{
    if (!p->breaks)
        p->breaks = evpq_error_ref(why);
}

/* An orphan: nobody is left who could roll back what is open; the server does, when the connection
 * goes. */
static void break_if_due(struct pipeline *p)
{
    evpq_error *why = p->breaks;
    p->breaks = NULL;
    if (!why && p->left_open == LEFT_OPEN_ORPHAN)
        why = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN,
                        "closed because a statement that was given up left a "
                        "transaction open that it had not begun");
    if (p->wire.c && why)
        wire_break(&p->wire, why);
    else
        evpq_error_unref(why);
}

/* Everything up to here is over; each is told in turn, and may be submitted again. */
static bool end_segment(struct pipeline *p)
{
    double now = loop_time(p->wire.loop);
    int n = note_segment(p);
    double sent_at = op_first(&p->sent)->sent_at;
    p->head_took = head_service(p, sent_at, now) / n;
    if (now - sent_at < p->turnaround)
        p->turnaround = now - sent_at;
    p->head_since = now;
    p->wire.counts = p->result_most != 0;
    bool committed = false;
    for (bool last = false; p->wire.c && !last;) {
        struct op *op = op_first(&p->sent);
        last = op->sync_follows;
        pipeline_take_off(p, op);
        if (last)
            p->current = op_first(&p->sent);
        if (op->changes_data && p->sync.alone && !p->sync.failed && !p->mistrusted)
            p->proved = committed = true;
        op->class->feed(op, PQ_SYNC, NULL);
    }
    p->sync.failed = p->sync.doubt = false;
    if (committed && p->wire.c && p->n_fresh)
        peer_ask_unity(p); /* somebody would like to be sent behind the next */
    break_if_due(p);
    answers_begin(p);
    if (p->n_fresh && !p->n_sent)
        wire_send_later(&p->wire); /* it may have waited for just that */
    if (p->wire.c)
        p->owner->ended(p);
    return true; /* libpq may hold more, even when no answer is out: it must not pass for the next
                    one */
}

/* What could not be pipelined is over, and the server ready: as if it were a Sync. */
static bool end_solo(struct pipeline *p)
{
    if (!pq_is_whole(p->wire.c))
        return false; /* the wire finds out why */
    p->ended_twice = false;
    p->copied = false;
    p->wire.mode &= (unsigned char)~WIRE_COPYING;
    if (pq_enter_pipeline(p->wire.c))
        return true;
    wire_break(&p->wire, pq_lost_error(p->wire.c));
    return false;
}

static bool begin_copy(struct pipeline *p, struct op *op, enum pq_kind kind)
{
    if (op->wire != OP_ALONE) {
        copy_began(p, op);
        return false;
    }
    if (p->copied) { /* one statement, two COPYs: no server does that */
        out_of_step(p);
        return false;
    }
    p->copied = true;
    p->wire.mode |= WIRE_COPYING;
    op->class->feed(op, kind, NULL);
    pipeline_more(p);
    return true;
}

bool receive_copy(struct wire *w)
{
    struct pipeline *p = pipeline_of(w);
    struct op *op = p->current;
    switch (op->class->pull(op, w->c)) {
    case PULL_OVER:
        w->mode &= (unsigned char)~WIRE_COPYING;
        return true;
    case PULL_TOLD:
        pipeline_yield(p);
        return false;
    case PULL_DRY:
        break;
    }
    return false;
}

/* As what to take an answer for an operation that has more to send or is alone. NOTHING: it is not
 * told. */
static enum pq_kind at_the_bar(struct pipeline *p, struct op *op, enum pq_kind kind)
{
    if (kind == PQ_END && op->has_more && !op->parts)
        return PQ_NOTHING; /* before the next piece */
    if (kind == PQ_END && op->wire == OP_ALONE)
        return end_solo(p) ? PQ_SYNC : PQ_NOTHING;
    return kind;
}

/* libpq's buffer holds a row at a time: one of a large result may have been large. */
static inline void weigh(struct pipeline *p, const struct pg_result *result)
{
    if (!p->grown && p->buffer_most && pq_result_size(result) > p->buffer_most)
        p->grown = pq_largest_row(result) > p->buffer_most;
}

/* Some of a result, which libpq keeps until it has all. */
void receive_grew(struct wire *w)
{
    struct pipeline *p = pipeline_of(w);
    struct op *op = p->current;
    if (!op || op->streams)
        return;
    if (!op_is_abandoned(op)) {
        if (p->result_most && w->coming > p->result_most)
            p->owner->too_large(p, op);
    } else if (!p->n_awaited && w->coming > p->dropped + DROPPED_MOST) {
        wire_break(w, error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN,
                                "the server went on sending a result that was given up"));
    }
}

__attribute__((noinline)) static bool took(struct pipeline *p, enum pq_kind kind,
                                           struct pg_result *result)
{
    struct wire *w = &p->wire;
    struct op *op = p->current;
    if (result)
        weigh(p, result);
    if (p->result_most && kind == PQ_RESULT && op && !op_is_abandoned(op) && !op->streams &&
        pq_result_size(result) > p->result_most)
        p->owner->too_large(p, op); /* it came at once */
    bool twice = kind == PQ_END && p->ended_twice;
    p->ended_twice = kind == PQ_END;
    if (kind == PQ_ERROR) {
        p->sync.failed = true;
        p->sync.doubt |= pq_word(result) != PQ_WORD_SERVER;
    }
    if (!op && kind == PQ_END)
        return false;
    if (twice && !pq_is_whole(w->c))
        return false; /* a broken link has nothing more to say; the wire finds out why */
    if (op && op == p->bar && (kind = at_the_bar(p, op, kind)) == PQ_NOTHING)
        return false;
    bool complete =
        op && op->sync_follows && !op->parts; /* its Sync is due, or an error of the commit */
    if (!op || twice ||
        (complete ? kind <= PQ_RESULT && kind >= PQ_ROWS
                  : kind == PQ_SYNC && op->wire != OP_ALONE)) {
        pq_clear(result);
        out_of_step(p);
        return false;
    }
    if (kind == PQ_SYNC)
        return end_segment(p);
    if (kind >= PQ_COPY_IN)
        return begin_copy(p, op, kind);
    if (kind == PQ_END && !complete) {
        end_part(p, op);
    } else if (op->skip) {
        guard_answered(p, op, kind, result);
    } else {
        if (complete && kind == PQ_ERROR && spoil_segment(p) && op->reads) {
            /* Any of these readers may be to blame: all run again, and in the end alone. */
            pq_clear(result);
            result = NULL;
            kind = PQ_ABORTED;
        }
        if (kind != PQ_END)
            op->class->feed(op, kind, result);
    }
    return true;
}

__attribute__((noinline)) static bool took_result(struct pipeline *p, struct op *op,
                                                  enum pq_kind kind, struct pg_result *result)
{
    p->ended_twice = false;
    weigh(p, result);
    op->class->feed(op, kind, result);
    return true;
}

__attribute__((noinline)) static bool took_end(struct pipeline *p, struct op *op)
{
    p->ended_twice = true;
    end_part(p, op);
    return true;
}

/* As a rule it is a result for the operation whose turn it is, then the end of that, and then its
 * Sync. All else is looked at closely. */
bool receive(struct wire *w, enum pq_kind kind, struct pg_result *result)
{
    struct pipeline *p = pipeline_of(w);
    struct op *op = p->current;
    if (op && op->parts) {
        bool is_result = kind == PQ_ROWS || (kind == PQ_RESULT && !p->result_most);
        if (is_result && !op->skip)
            return took_result(p, op, kind, result);
        if (kind == PQ_END && op != p->bar && !op->skip && !p->ended_twice)
            return took_end(p, op);
    } else if (kind == PQ_SYNC && op && op->sync_follows) {
        p->ended_twice = false;
        return end_segment(p);
    }
    return took(p, kind, result);
}
