/* pool.c - the public face of a pool: opening it, and asking things of it. */
#include "pool/pool.h"

#include "base/mem.h"
#include "pool/close.h"
#include "pool/keeper.h"
#include "pool/lanes.h"
#include "pool/lease.h"
#include "pool/opts.h"
#include "pool/wish.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <math.h>
#include <string.h>

/* ---- memory ---- */

void pool_ref(evpq_pool *pool)
{
    pool->refs++;
}

void pool_unref(evpq_pool *pool)
{
    if (--pool->refs)
        return;
    evpq_loop *loop = pool->loop;
    conninfo_free(pool->conninfo);
    mem_free(pool);
    evpq_loop_unref(loop);
}

__attribute__((noinline)) static evpq_future *limit(evpq_pool *pool, evpq_future *f, double seconds)
{
    const struct coroutine *coroutine = loop_coroutine(pool->loop);
    double bound = seconds > 0 ? seconds : INFINITY;
    if (coroutine && coroutine->deadline != INFINITY) {
        double left = coroutine->deadline - loop_time(pool->loop);
        bound = left < bound ? left : bound;
    }
    return bound != INFINITY ? evpq_timeout(f, bound) : f;
}

evpq_future *pool_limit(evpq_pool *pool, evpq_future *f, double seconds)
{
    return seconds > 0 || loop_coroutine(pool->loop) ? limit(pool, f, seconds) : f;
}

/* ---- what one-shot queries call ---- */

static void withdraw_query(struct query_home *home, struct query *q)
{
    lanes_withdraw(container_of(home, evpq_pool, home), &q->place);
}

static void query_again(struct query_home *home, struct query *q)
{
    evpq_pool *pool = container_of(home, evpq_pool, home);
    if (pool->closed || pool->out_of_time) {
        query_fail(q, close_error(EVPQ_OUTCOME_NOT_SENT));
        return;
    }
    lanes_return(pool, &q->place);
    lanes_serve_idle(pool);
    keeper_tend(pool, false);
}

static void why_query_waits(const struct query_home *home, const struct query *q, struct why *why)
{
    lanes_why(container_of(home, evpq_pool, home), &q->place, why);
}

/* ---- opening ---- */

static evpq_pool *give_up(evpq_error *error, evpq_error **ret_error)
{
    if (ret_error)
        *ret_error = error;
    else
        evpq_error_unref(error);
    return NULL;
}

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
    list_init(&pool->wishes);
    lanes_init(pool);
    keeper_init(pool);
}

evpq_pool *evpq_pool_open(evpq_loop *loop, const char *conninfo, const evpq_pool_opts *opts,
                          evpq_error **ret_error)
{
    struct conninfo *read = NULL;
    evpq_pool_opts filled;
    if (loop_check(loop))
        return give_up(evpq_error_ref(loop_refusal(loop)), ret_error);
    evpq_error *error = conninfo_read(conninfo, &read);
    if (error)
        return give_up(error, ret_error);
    error = pool_opts_read(opts, read->connect_timeout, &filled);
    evpq_pool *pool = error ? NULL : mem_zalloc(sizeof *pool);
    if (!pool) {
        conninfo_free(read);
        return give_up(error ? error : evpq_error_ref(error_nomem()), ret_error);
    }
    pool->opts = filled;
    set_up(pool, loop, read);
    close_init(pool);
    loop_hold(loop);
    keeper_tend(pool, false);
    return pool;
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
    if (!pool->closing && !loop_forked(pool->loop))
        evpq_future_unref(close_pool(pool, -1));
    pool_unref(pool);
    return NULL;
}

/* ---- using ---- */

static evpq_future *one_shot(evpq_pool *pool, const char *sql, evpq_args args, bool reads)
{
    if (pool_check(pool))
        return pool_refused(pool);
    if (pool->closing)
        return future_failed(pool->loop, close_error(EVPQ_OUTCOME_NOT_SENT));
    evpq_future *f = query_new(pool->loop, sql, &args, &pool->home);
    struct query *q = query_of_new(f);
    if (!q)
        return f;
    q->op.reads = reads && q->preparable;
    lanes_add_query(pool, q);
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
    if (pool->closing)
        return future_failed(pool->loop, close_error(EVPQ_OUTCOME_NOT_SENT));
    evpq_future *f = lease_ask(pool);
    keeper_tend(pool, false);
    return pool_limit(pool, f, 0);
}

evpq_future *evpq_pool_connect(evpq_pool *pool)
{
    if (pool_check(pool))
        return pool_refused(pool);
    evpq_future *f = wish_new(pool, WISH_CONNECTED);
    keeper_tend(pool, false);
    return f;
}

evpq_future *evpq_pool_drain(evpq_pool *pool)
{
    if (pool_check(pool))
        return pool_refused(pool);
    return wish_new(pool, WISH_DRAINED);
}

evpq_status evpq_pool_resize(evpq_pool *pool, int min_size, int max_size)
{
    if (pool_check(pool))
        return pool_check(pool);
    if (min_size < 0 || max_size < 1 || min_size > max_size)
        return EVPQ_INVALID;
    pool->opts.min_size = min_size;
    pool->opts.max_size = max_size;
    keeper_sweep(pool);
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
    now.connecting = pool->count[USE_CONNECTING];
    now.idle = pool->count[USE_IDLE];
    now.busy = pool->count[USE_SHARED];
    now.leased = pool->count[USE_LEASED];
    now.closing = pool->count[USE_CLOSING];
    now.waiting = pool->n_waiting;
    memcpy(stats, &now, size);
    return EVPQ_OK;
}
