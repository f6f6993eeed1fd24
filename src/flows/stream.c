/* stream.c - evpq_stream: a statement's rows between the line that brings them and the futures that
 * wait for them. It holds the lease, what has come and nobody has asked for, and who has asked and
 * waits. The verb below it is rows. */
#include "base/mem.h"
#include "ops/offer.h"
#include "ops/rows.h"
#include "pool/dispatch.h"
#include "pool/lease.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <evpq/stream.h>

enum {
    ROWS = 256,
    AHEAD = 2, /* results that nobody has asked for, and then reading stops */
};

struct evpq_stream {
    unsigned refs; /* the program's, that of the line, and one for each result that is out */
    evpq_pool *pool;
    evpq_lease *lease; /* of its own, until it is off the line */
    evpq_future *acquiring;
    struct waiter acquired;
    struct rows rows;
    uint64_t n_results; /* so far */
    struct list ready;  /* results that nobody has got, by number */
    int n_ready;
    struct list waiting; /* calls of next; none while there is something to give them */
    int64_t delivered;   /* rows */
    bool closed, over, at_end;
    evpq_result *summary;
    evpq_error *error; /* over, and failed */
    size_t size;       /* of this block, which the request is part of */
};

/* A result, ready or out. */
struct batch {
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

static evpq_stream *stream_of(struct rows *rows)
{
    return container_of(rows, evpq_stream, rows);
}

static evpq_loop *loop_of(const evpq_stream *s)
{
    return s->pool->loop;
}

static void stream_unref(evpq_stream *s)
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

static void batch_free(struct batch *b)
{
    evpq_loop *loop = loop_of(b->stream);
    evpq_result_unref(b->offer.result);
    recycler_give(loop_blocks(loop), b, sizeof *b);
}

static void serve(evpq_stream *s);

static void put_back(evpq_stream *s, struct batch *b)
{
    struct list *before = s->ready.next;
    while (before != &s->ready && container_of(before, struct batch, node)->number < b->number)
        before = before->next;
    list_append(before, &b->node); /* at its place among those that are ready */
    s->n_ready++;
    s->delivered -= evpq_result_rows(b->offer.result);
    serve(s);
}

static void back(struct offer *offer)
{
    struct batch *b = container_of(offer, struct batch, offer);
    evpq_stream *s = b->stream;
    if (b->offer.seen || s->closed)
        batch_free(b);
    else
        put_back(s, b);
    stream_unref(s);
}

/* Taken. False: no memory. */
static bool add(evpq_stream *s, evpq_result *result)
{
    struct batch *b = recycler_take(loop_blocks(loop_of(s)), sizeof *b);
    if (!b) {
        evpq_result_unref(result);
        return false;
    }
    *b = (struct batch){
        .offer = {.result = result, .back = back}, .number = ++s->n_results, .stream = s};
    list_append(&s->ready, &b->node);
    s->n_ready++;
    return true;
}

static struct batch *take_ready(evpq_stream *s)
{
    struct list *node = list_pop(&s->ready);
    if (!node)
        return NULL;
    s->n_ready--;
    return container_of(node, struct batch, node);
}

/* ---- who waits ---- */

static void next_cancel(evpq_future *f)
{
    struct next *n = container_of(f, struct next, future);
    list_remove(&n->node);
    future_settle_canceled(f, op_was_sent(&n->stream->rows.op) ? EVPQ_OUTCOME_UNKNOWN
                                                               : EVPQ_OUTCOME_NOT_SENT);
}

static void next_free(evpq_future *f)
{
    recycler_give(loop_blocks(f->loop), f, sizeof(struct next));
}

static void next_why(const evpq_future *f, struct why *why)
{
    const evpq_stream *s = container_of(f, struct next, future)->stream;
    if (s->acquiring && future_pending(s->acquiring))
        future_why(s->acquiring, why);
    else if (s->rows.conn)
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
    struct batch *b = take_ready(s);
    if (b) {
        s->refs++;
        s->delivered += evpq_result_rows(b->offer.result);
        future_settle_value(&n->future, &offer_class, &b->offer);
    } else if (s->error) {
        evpq_error *error = error_after_rows(evpq_error_ref(s->error), s->delivered);
        future_settle_error(&n->future, error);
    } else {
        s->at_end = true;
        future_settle_value(&n->future, &result_class, NULL);
    }
}

/* Everybody who can be; then goes on reading if there is room, and stops if there is none. */
static void serve(evpq_stream *s)
{
    struct next *n;
    while ((s->n_ready || s->over) && (n = first_waiting(s)))
        give(s, n);
    rows_pause(&s->rows, s->n_ready >= AHEAD);
}

/* ---- what the line brings ---- */

static enum rows_came came(struct rows *rows, evpq_result *result)
{
    evpq_stream *s = stream_of(rows);
    bool awaited = !list_empty(&s->waiting);
    if (!add(s, result))
        return ROWS_LOST;
    serve(s);
    return awaited ? ROWS_TOLD : ROWS_KEPT;
}

static void ended(struct rows *rows, evpq_result *last, evpq_error *error)
{
    evpq_stream *s = stream_of(rows);
    s->over = true;
    s->summary = last;
    s->error = error;
    serve(s);
}

static void off(struct rows *rows)
{
    evpq_stream *s = stream_of(rows);
    s->lease = evpq_lease_release(s->lease);
    stream_unref(s);
}

static const struct rows_user rows_user = {.came = came, .ended = ended, .off = off};

/* ---- getting a connection ---- */

static void fail(evpq_stream *s, evpq_error *error)
{
    s->over = true;
    s->error = error;
    serve(s);
}

static void submit(evpq_stream *s, evpq_lease *lease)
{
    s->refs++;
    s->pool->done.queries++;
    rows_submit(&s->rows, lease_conn(lease));
}

static void *wrap_lease(evpq_lease *lease, void *arg)
{
    (void)arg;
    return lease;
}

static void let_lease_go(void *lease)
{
    evpq_lease_release(lease);
}

static const struct value_class lease_class = {.free = let_lease_go};

static void acquired(struct job *job)
{
    evpq_stream *s = container_of(job, evpq_stream, acquired.job);
    evpq_future *f = s->acquiring;
    s->acquiring = NULL;
    evpq_lease *lease = future_take_value(f, &lease_class);
    evpq_error *refusal = lease ? lease_refusal(lease, s->rows.request.sql) : NULL;
    if (!lease)
        refusal =
            error_about(evpq_future_error(f), EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, s->rows.request.sql);
    evpq_future_unref(f);
    if (!refusal) {
        s->lease = lease;
        submit(s, lease);
        return;
    }
    evpq_lease_release(lease);
    fail(s, refusal);
}

static void acquire(evpq_stream *s)
{
    static const struct lease_use use = {
        .wrap = wrap_lease, .class = &lease_class, .name = "lease of a stream"};
    s->acquiring = dispatch_acquire(s->pool, &use, s);
    future_watch(s->acquiring, loop_of(s), &s->acquired, acquired);
}

/* ---- the public face ---- */

static evpq_error *check_opts(evpq_pool *pool, const evpq_stream_opts *opts)
{
    if (pool_check(pool))
        return evpq_error_ref(loop_refusal(pool->loop));
    if (opts->rows < 0)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "a stream cannot give %d rows at a time", opts->rows);
    return NULL;
}

/* In one block with its request. NULL without memory; a stream that has failed where it is not to
 * be sent. */
static evpq_stream *stream_new(evpq_pool *pool, const char *sql, evpq_args args,
                               const evpq_stream_opts *given)
{
    evpq_stream_opts opts;
    struct request_size size = {.block = 0};
    evpq_error *error = opts_read(OPTS_KIND(evpq_stream_opts, rows), given, &opts);
    if (!error)
        error = check_opts(pool, &opts);
    if (!error)
        error = rows_measure(sql, &args, &size);
    evpq_stream *s = mem_zalloc(sizeof *s + size.block);
    if (!s) {
        evpq_error_unref(error);
        return NULL;
    }
    s->refs = 1;
    s->pool = pool;
    pool_ref(pool);
    list_init(&s->ready);
    list_init(&s->waiting);
    if (error) {
        s->over = true;
        s->error = error;
        return s;
    }
    rows_init(&s->rows, &rows_user, s + 1, sql, &args, &size);
    s->rows.most = opts.rows ? opts.rows : ROWS;
    s->rows.most_bytes = opts.bytes;
    return s;
}

evpq_stream *evpq_pool_stream(evpq_pool *pool, const char *sql, evpq_args args,
                              const evpq_stream_opts *opts)
{
    evpq_stream *s = pool ? stream_new(pool, sql, args, opts) : NULL;
    if (!s || s->over)
        return s;
    s->rows.alone = true;
    if (pool_is_closing(pool))
        fail(s, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    else
        acquire(s);
    return s;
}

evpq_stream *evpq_lease_stream(evpq_lease *lease, const char *sql, evpq_args args,
                               const evpq_stream_opts *opts)
{
    evpq_stream *s = lease ? stream_new(lease_pool(lease), sql, args, opts) : NULL;
    if (!s || s->over)
        return s;
    evpq_error *refusal = lease_refusal(lease, sql);
    if (refusal)
        fail(s, refusal);
    else
        submit(s, lease);
    return s;
}

evpq_future *evpq_stream_next(evpq_stream *s)
{
    evpq_status status = s ? pool_check(s->pool) : EVPQ_INVALID;
    struct next *n = status ? NULL : recycler_take(loop_blocks(loop_of(s)), sizeof *n);
    if (!n)
        return status ? pool_refused(s ? s->pool : NULL) : future_constant(EVPQ_NOMEM);
    future_init(&n->future, &next_class, loop_of(s));
    n->stream = s;
    list_init(&n->node);
    list_append(&s->waiting, &n->node);
    serve(s);
    if (list_linked(&n->node))
        rows_flush(&s->rows);
    return pool_limit(s->pool, &n->future, 0);
}

int64_t evpq_stream_rows(const evpq_stream *s)
{
    return s ? s->delivered : 0;
}

const evpq_result *evpq_stream_summary(const evpq_stream *s)
{
    return s && s->at_end ? s->summary : NULL;
}

/* Who waits is told so. */
static void refuse_all(evpq_stream *s)
{
    struct next *n;
    while ((n = first_waiting(s)))
        future_settle_error(
            &n->future,
            error_build(&(struct error_fields){
                .status = EVPQ_CLOSED,
                .outcome = op_was_sent(&s->rows.op) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT,
                .message = "the stream was closed",
                .sql = s->rows.request.sql,
                .rows = s->delivered,
            }));
}

evpq_stream *evpq_stream_close(evpq_stream *s)
{
    struct batch *b;
    if (!s || loop_is_barred(s->pool->loop))
        return NULL;
    s->closed = true;
    refuse_all(s);
    while ((b = take_ready(s)))
        batch_free(b);
    if (s->acquiring) {
        list_remove(&s->acquired.job.node);
        evpq_future_cancel(s->acquiring);
        s->acquiring = evpq_future_unref(s->acquiring);
    }
    rows_stop(&s->rows);
    stream_unref(s);
    return NULL;
}
