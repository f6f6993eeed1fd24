/* api.c - the public functions of a pool: opening it, asking things of it, closing it. */
#include "pool/pool.h"

#include "base/mem.h"
#include "pool/close.h"
#include "pool/dispatch.h"
#include "pool/opts.h"
#include "pool/pool_future.h"
#include "pool/sizing.h"
#include "pool/step.h"
#include "pool/wait_queue.h"
#include "pool/why.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <math.h>
#include <string.h>

/* ---- what one-shot queries call ---- */

static void withdraw_query(struct query_home *home, struct query *q)
{
    wait_queue_withdraw(container_of(home, evpq_pool, home), &q->place);
}

static void query_again(struct query_home *home, struct query *q)
{
    evpq_pool *pool = container_of(home, evpq_pool, home);
    if (pool_is_over(pool)) {
        query_fail(q, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
        return;
    }
    wait_queue_return(pool, &q->place);
    dispatch_idle(pool);
}

static void why_query_waits(const struct query_home *home, const struct query *q, struct why *why)
{
    pool_why(container_of(home, evpq_pool, home), &q->place, why);
}

/* ---- opening ---- */

static void set_up(evpq_pool *pool, evpq_loop *loop, struct conninfo *conninfo)
{
    const evpq_pool_opts *o = &pool->opts;
    pool->refs = 2; /* the program's, and its own until it is closed */
    pool->users = 1;
    pool->loop = evpq_loop_ref(loop);
    pool->conninfo = conninfo;
    rng_init(&pool->rng);
    pool->config = (struct conn_config){
        .loop = loop,
        .conninfo = conninfo,
        .rng = &pool->rng,
        .connect_timeout = o->connect_timeout,
        .cancel_timeout = o->cancel_timeout,
        .prepared_max = o->prepared_max,
        .prepared_lifetime = o->prepared_lifetime > 0 ? o->prepared_lifetime : 0,
        .prepares = o->prepare != EVPQ_PREPARE_OFF,
        .buffer_most = o->max_buffer_bytes,
        .result_most = o->max_result_bytes,
    };
    pool->home = (struct query_home){
        .withdraw = withdraw_query, .again = query_again, .why = why_query_waits};
    list_init(&pool->futures);
    for (int state = 0; state < POOL_CONN_STATES; state++)
        list_init(&pool->conns[state]);
    wait_queue_init(pool);
    sizing_init(pool);
    close_init(pool);
    step_init(pool);
}

evpq_pool *evpq_pool_open(evpq_loop *loop, const char *conninfo, const evpq_pool_opts *opts,
                          evpq_error **ret_error)
{
    struct conninfo *read = NULL;
    evpq_pool_opts filled;
    if (loop_check(loop))
        return error_give_up(evpq_error_ref(loop_refusal(loop)), ret_error);
    evpq_error *error = conninfo_read(conninfo, &read);
    if (error)
        return error_give_up(error, ret_error);
    error = pool_opts_read(opts, read->connect_timeout, &filled);
    evpq_pool *pool = error ? NULL : mem_zalloc(sizeof *pool);
    if (!pool) {
        conninfo_free(read);
        return error_give_up(error ? error : evpq_error_ref(error_nomem()), ret_error);
    }
    pool->opts = filled;
    set_up(pool, loop, read);
    loop_hold(loop);
    pool_step(pool);
    return pool;
}

/* By whichever thread. */
static evpq_future *close_pool(evpq_pool *pool, double seconds)
{
    pool_ref(pool);
    evpq_future *f = pool_future_new(pool, POOL_FUTURE_CLOSED);
    close_begin(pool, seconds);
    pool_step(pool);
    pool_unref(pool);
    return f;
}

evpq_future *evpq_pool_close(evpq_pool *pool, double seconds)
{
    if (pool_check(pool))
        return pool_refused(pool);
    if (!isnan(seconds))
        return close_pool(pool, seconds);
    return future_failed(pool->loop,
                         error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                                   "closing a pool within seconds that are not a number"));
}

evpq_pool *evpq_pool_ref(evpq_pool *pool)
{
    if (pool)
        pool->users++;
    return pool;
}

evpq_pool *evpq_pool_unref(evpq_pool *pool)
{
    if (!pool || loop_elsewhere(pool->loop) || --pool->users)
        return NULL;
    if (!pool_is_closing(pool) && !loop_forked(pool->loop))
        evpq_future_unref(close_pool(pool, -1));
    pool_unref(pool);
    return NULL;
}

/* ---- using ---- */

static evpq_future *one_shot(evpq_pool *pool, const char *sql, evpq_args args, bool reads)
{
    if (pool_check(pool))
        return pool_refused(pool);
    if (pool_is_closing(pool))
        return future_failed(pool->loop, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    evpq_future *f = query_new(pool->loop, sql, &args, &pool->home);
    struct query *q = query_of_new(f);
    if (!q)
        return f;
    q->op.reads = reads && q->preparable;
    if (dispatch_query(pool, q))
        pool_step(pool);
    return pool_limit(pool, f, pool->opts.query_timeout);
}

evpq_future *evpq_pool_query(evpq_pool *pool, const char *sql, evpq_args args)
{
    return one_shot(pool, sql, args, false);
}

evpq_future *evpq_pool_read(evpq_pool *pool, const char *sql, evpq_args args)
{
    return one_shot(pool, sql, args, true);
}

evpq_future *evpq_pool_acquire(evpq_pool *pool)
{
    if (pool_check(pool))
        return pool_refused(pool);
    if (pool_is_closing(pool))
        return future_failed(pool->loop, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    evpq_future *f = dispatch_acquire(pool, NULL, NULL);
    pool_step(pool);
    return pool_limit(pool, f, 0);
}

evpq_future *evpq_pool_connect(evpq_pool *pool)
{
    if (pool_check(pool))
        return pool_refused(pool);
    evpq_future *f = pool_future_new(pool, POOL_FUTURE_CONNECTED);
    pool_step(pool);
    return f;
}

evpq_future *evpq_pool_drain(evpq_pool *pool)
{
    if (pool_check(pool))
        return pool_refused(pool);
    return pool_future_new(pool, POOL_FUTURE_DRAINED);
}

evpq_status evpq_pool_resize(evpq_pool *pool, int min_size, int max_size)
{
    if (pool_check(pool))
        return pool_check(pool);
    if (min_size < 0 || max_size < 1 || min_size > max_size)
        return EVPQ_INVALID;
    pool->opts.min_size = min_size;
    pool->opts.max_size = max_size;
    pool->sweep_due = true;
    pool_step(pool);
    return EVPQ_OK;
}

evpq_status evpq_pool_get_stats(const evpq_pool *pool, evpq_pool_stats *stats)
{
    size_t size;
    if (!pool || !stats)
        return EVPQ_INVALID;
    evpq_error *error = opts_write_begin(OPTS_KIND(evpq_pool_stats, connecting), stats, &size);
    if (error) {
        evpq_error_unref(error);
        return EVPQ_INVALID;
    }
    evpq_pool_stats now = pool->done;
    now.size = stats->size;
    now.connecting = pool->count[POOL_CONN_CONNECTING];
    now.idle = pool->count[POOL_CONN_IDLE];
    now.busy = pool->count[POOL_CONN_SHARED];
    now.leased = pool->count[POOL_CONN_LEASED];
    now.closing = pool->count[POOL_CONN_CANCELING];
    now.waiting = pool->n_waiting;
    memcpy(stats, &now, size);
    return EVPQ_OK;
}
