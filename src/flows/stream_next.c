/* stream_next.c - what a stream has for evpq_stream_next, and who waits for it. */
#include "flows/stream_impl.h"

#include "base/mem.h"
#include "ops/offer.h"
#include "words/error.h"

enum { AHEAD = 2 }; /* results that nobody has asked for, and then reading stops */

/* A result, ready or out. */
struct stream_result {
    struct offer offer;
    struct list node;
    uint64_t number;
    evpq_stream *stream;
};

struct next {
    struct evpq_future future;
    struct list node;
    evpq_stream *stream; /* while it waits */
};

void stream_unref(evpq_stream *s)
{
    if (--s->refs)
        return;
    evpq_pool *pool = s->pool;
    rows_free(&s->rows);
    evpq_result_unref(s->summary);
    evpq_error_unref(s->error);
    mem_free(s);
    pool_unref(pool);
}

/* ---- results ---- */

static void result_free(struct stream_result *r)
{
    evpq_loop *loop = stream_loop(r->stream);
    evpq_result_unref(r->offer.result);
    recycler_give(loop_blocks(loop), r, sizeof *r);
}

static void put_back(evpq_stream *s, struct stream_result *r)
{
    struct list *before = s->ready.next;
    while (before != &s->ready &&
           container_of(before, struct stream_result, node)->number < r->number)
        before = before->next;
    list_append(before, &r->node); /* at its place among those that are ready */
    s->n_ready++;
    s->delivered -= evpq_result_rows(r->offer.result);
    stream_serve(s);
}

static void back(struct offer *offer)
{
    struct stream_result *r = container_of(offer, struct stream_result, offer);
    evpq_stream *s = r->stream;
    if (r->offer.seen || s->state == STREAM_CLOSED)
        result_free(r);
    else
        put_back(s, r);
    stream_unref(s);
}

bool stream_add(evpq_stream *s, evpq_result *result)
{
    struct stream_result *r = recycler_take(loop_blocks(stream_loop(s)), sizeof *r);
    if (!r) {
        evpq_result_unref(result);
        return false;
    }
    *r = (struct stream_result){
        .offer = {.result = result, .back = back}, .number = ++s->n_results, .stream = s};
    list_append(&s->ready, &r->node);
    s->n_ready++;
    return true;
}

static struct stream_result *take_ready(evpq_stream *s)
{
    struct list *node = list_pop(&s->ready);
    if (!node)
        return NULL;
    s->n_ready--;
    return container_of(node, struct stream_result, node);
}

/* ---- who waits ---- */

static void next_cancel(evpq_future *f)
{
    struct next *n = container_of(f, struct next, future);
    list_remove(&n->node);
    future_settle_canceled(f, op_may_have_run(&n->stream->rows.op) ? EVPQ_OUTCOME_UNKNOWN
                                                                   : EVPQ_OUTCOME_NOT_SENT);
}

static void next_free(evpq_future *f)
{
    recycler_give(loop_blocks(f->loop), f, sizeof(struct next));
}

static void next_why(const evpq_future *f, struct why *why)
{
    const evpq_stream *s = container_of(f, struct next, future)->stream;
    if (!lease_wait_why(&s->wait, why) && s->rows.conn)
        conn_why(s->rows.conn, &s->rows.op, why);
    if (s->delivered)
        why_say(why, "; %lld rows were delivered", (long long)s->delivered);
}

static const struct future_class next_class = {
    .name = "stream", .cancel = next_cancel, .free = next_free, .why = next_why, .is_leaf = true};

static struct next *first_waiting(evpq_stream *s)
{
    struct list *node;
    while ((node = list_pop(&s->waiting))) {
        struct next *n = container_of(node, struct next, node);
        if (!future_forgotten(&n->future))
            return n;
        future_settle_canceled(&n->future, EVPQ_OUTCOME_UNKNOWN);
    }
    return NULL;
}

static void give(evpq_stream *s, struct next *n)
{
    struct stream_result *r = take_ready(s);
    if (r) {
        s->refs++;
        s->delivered += evpq_result_rows(r->offer.result);
        future_settle_value(&n->future, &offer_class, &r->offer);
    } else if (s->error) {
        evpq_error *error = error_after_rows(evpq_error_ref(s->error), s->delivered);
        future_settle_error(&n->future, error);
    } else {
        if (s->state == STREAM_ENDED)
            stream_to(s, STREAM_AT_END);
        future_settle_value(&n->future, &result_class, NULL);
    }
}

void stream_serve(evpq_stream *s)
{
    struct next *n;
    while ((s->n_ready || s->state != STREAM_OPEN) && (n = first_waiting(s)))
        give(s, n);
    rows_pause(&s->rows, s->n_ready >= AHEAD);
}

evpq_future *evpq_stream_next(evpq_stream *s)
{
    evpq_status status = s ? pool_check(s->pool) : EVPQ_INVALID;
    struct next *n = status ? NULL : recycler_take(loop_blocks(stream_loop(s)), sizeof *n);
    if (!n)
        return status ? pool_refused(s ? s->pool : NULL) : future_constant(EVPQ_NOMEM);
    future_init(&n->future, &next_class, stream_loop(s));
    n->stream = s;
    list_init(&n->node);
    list_append(&s->waiting, &n->node);
    stream_serve(s);
    if (list_linked(&n->node))
        rows_flush(&s->rows);
    return pool_limit(s->pool, &n->future, 0);
}

static void refuse_all(evpq_stream *s)
{
    struct next *n;
    while ((n = first_waiting(s)))
        future_settle_error(&n->future,
                            error_build(&(struct error_fields){
                                .status = EVPQ_CLOSED,
                                .outcome = op_may_have_run(&s->rows.op) ? EVPQ_OUTCOME_UNKNOWN
                                                                        : EVPQ_OUTCOME_NOT_SENT,
                                .message = "the stream was closed",
                                .sql = s->rows.request.sql,
                                .rows = s->delivered,
                            }));
}

void stream_drop(evpq_stream *s)
{
    struct stream_result *r;
    refuse_all(s);
    while ((r = take_ready(s)))
        result_free(r);
}
