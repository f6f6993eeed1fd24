/* stream.c - evpq_stream: a statement's rows between the pipeline that brings them and the futures
 * that wait for them. It holds the lease. The operation below it is rows. */
#include "flows/stream_impl.h"

#include "base/mem.h"
#include "pool/lease.h"
#include "words/error.h"
#include "words/opts_read.h"

enum { ROWS = 256 };

static evpq_stream *stream_of(struct rows *rows)
{
    return container_of(rows, evpq_stream, rows);
}

/* ---- what the pipeline brings ---- */

static enum rows_came came(struct rows *rows, evpq_result *result)
{
    evpq_stream *s = stream_of(rows);
    bool awaited = !list_empty(&s->waiting);
    if (!stream_add(s, result))
        return ROWS_LOST;
    stream_serve(s);
    return awaited ? ROWS_TOLD : ROWS_KEPT;
}

static void ended(struct rows *rows, evpq_result *last, evpq_error *error)
{
    evpq_stream *s = stream_of(rows);
    stream_to(s, STREAM_ENDED);
    s->summary = last;
    s->error = error;
    stream_serve(s);
}

static void off(struct rows *rows)
{
    evpq_stream *s = stream_of(rows);
    s->lease = evpq_lease_release(s->lease);
    stream_unref(s);
}

static const struct rows_user rows_user = {.came = came, .ended = ended, .off = off};

/* ---- getting a connection ---- */

static void stream_fail(evpq_stream *s, evpq_error *error)
{
    stream_to(s, STREAM_ENDED);
    s->error = error;
    stream_serve(s);
}

static void submit(evpq_stream *s, evpq_lease *lease)
{
    s->refs++;
    s->pool->done.queries++;
    rows_submit(&s->rows, lease_conn(lease));
}

static void leased(struct lease_wait *w, evpq_lease *lease, evpq_error *why)
{
    evpq_stream *s = container_of(w, evpq_stream, wait);
    if (lease) {
        s->lease = lease;
        submit(s, lease);
    } else {
        stream_fail(s, error_about(why, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, s->rows.request.sql));
        evpq_error_unref(why);
    }
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
    lease_wait_init(&s->wait, LEASE_FOR_STREAM, leased);
    if (error) {
        stream_to(s, STREAM_ENDED);
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
    if (!s || s->state == STREAM_ENDED)
        return s;
    s->rows.alone = true;
    lease_wait_start(&s->wait, pool);
    return s;
}

evpq_stream *evpq_lease_stream(evpq_lease *lease, const char *sql, evpq_args args,
                               const evpq_stream_opts *opts)
{
    evpq_stream *s = lease ? stream_new(lease_pool(lease), sql, args, opts) : NULL;
    if (!s || s->state == STREAM_ENDED)
        return s;
    evpq_error *refusal = lease_refusal(lease, sql);
    if (refusal)
        stream_fail(s, refusal);
    else
        submit(s, lease);
    return s;
}

int64_t evpq_stream_rows(const evpq_stream *s)
{
    return s ? s->delivered : 0;
}

const evpq_result *evpq_stream_summary(const evpq_stream *s)
{
    return s && s->state == STREAM_AT_END ? s->summary : NULL;
}

evpq_stream *evpq_stream_close(evpq_stream *s)
{
    if (!s || loop_is_barred(s->pool->loop))
        return NULL;
    stream_to(s, STREAM_CLOSED);
    stream_drop(s);
    lease_wait_stop(&s->wait);
    rows_stop(&s->rows);
    stream_unref(s);
    return NULL;
}
