/* pool.c - the public face of a pool, and the table that its connections call. */
#include "pool/pool.h"

#include "base/mem.h"
#include "pool/keeper.h"
#include "pool/lanes.h"
#include "pool/lease.h"
#include "pool/opts.h"
#include "pool/wish.h"
#include "words/error.h"

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

int pool_total(const evpq_pool *pool)
{
    int total = 0;
    for (int use = 0; use < USE_DEAD; use++)
        total += pool->count[use];
    return total;
}

evpq_error *pool_closed_error(evpq_outcome outcome)
{
    return error_new(EVPQ_CLOSED, outcome, "the pool is closed");
}

evpq_future *pool_limit(evpq_pool *pool, evpq_future *f)
{
    return pool->opts.query_timeout > 0 ? evpq_timeout(f, pool->opts.query_timeout) : f;
}

/* ---- what connections call ---- */

static void conn_opened(struct conn *c)
{
    lease_set_up(pool_of(c), c);
}

static void conn_has_room(struct conn *c)
{
    if (c->use == USE_SHARED)
        lanes_serve(pool_of(c), c);
}

static void make_idle(evpq_pool *pool, struct conn *c)
{
    lanes_move(pool, c, USE_IDLE);
    keeper_idle(pool, c);
    lanes_serve_idle(pool);
}

void pool_settle_conn(evpq_pool *pool, struct conn *c)
{
    if (c->use == USE_SHARED && pool->n_waiting && !c->dirty && !conn_in_transaction(c))
        lanes_serve(pool, c); /* without a detour over the idle */
    if (!conn_at_rest(c))
        return;
    if (c->dirty || conn_in_transaction(c)) {
        pool_reset_conn(pool, c, c->dirty);
    } else if (c->renew) {
        c->renew = false;
        lease_set_up(pool, c);
    } else if (keeper_retires(pool, c)) {
        pool_retire(c);
    } else {
        make_idle(pool, c);
    }
    wish_check(pool);
}

void pool_reset_conn(evpq_pool *pool, struct conn *c, bool session)
{
    bool all = session && pool->opts.reset == EVPQ_RESET_FULL;
    c->dirty = false;
    c->renew = all && pool->opts.after_connect;
    conn_reset(c, all);
}

static void conn_is_quiet(struct conn *c)
{
    if (c->user)
        lease_quiet(c);
    else if (c->use != USE_IDLE)
        pool_settle_conn(pool_of(c), c);
}

static void conn_is_canceling(struct conn *c)
{
    if (c->use == USE_SHARED)
        lanes_move(pool_of(c), c, USE_CLOSING);
    pool_of(c)->done.cancels++;
}

static void conn_died(struct conn *c, const evpq_error *why)
{
    evpq_pool *pool = pool_of(c);
    bool was_new = c->use == USE_CONNECTING;
    lanes_move(pool, c, USE_DEAD);
    lease_lost(c, why);
    if (c->retired || evpq_error_status(why) == EVPQ_CLOSED)
        pool->done.retired++;
    else if (was_new)
        keeper_failed(pool, why);
    else
        keeper_lost(pool, c);
    keeper_tend(pool, false);
}

/* What it had not sent is back in the queue by now, or has failed. */
static void conn_buried(struct conn *c)
{
    evpq_pool *pool = pool_of(c);
    pool->count[USE_DEAD]--;
    wish_check(pool);
    pool_close_if_empty(pool);
}

struct notice_job {
    struct job job;
    evpq_pool *pool;
    evpq_error *notice;
};

static void tell_notice(struct job *job)
{
    struct notice_job *n = container_of(job, struct notice_job, job);
    const evpq_pool_opts *o = &n->pool->opts;
    o->on_notice(n->notice, o->notice_arg);
    evpq_error_unref(n->notice);
    pool_unref(n->pool);
    mem_free(n);
}

static void conn_noticed(struct conn *c, evpq_error *notice)
{
    evpq_pool *pool = pool_of(c);
    struct notice_job *n = pool->opts.on_notice ? mem_alloc(sizeof *n) : NULL;
    if (!n) {
        evpq_error_unref(notice);
        return;
    }
    *n = (struct notice_job){.pool = pool, .notice = notice};
    pool_ref(pool);
    job_init(&n->job, tell_notice);
    loop_defer(pool->loop, &n->job);
}

static const struct conn_owner conn_owner = {
    .opened = conn_opened,
    .room = conn_has_room,
    .quiet = conn_is_quiet,
    .dead = conn_died,
    .buried = conn_buried,
    .notice = conn_noticed,
    .canceling = conn_is_canceling,
};

struct conn *pool_dial(evpq_pool *pool)
{
    struct conn *c = conn_new(&pool->config, &conn_owner);
    if (!c)
        return NULL;
    c->use = USE_CONNECTING;
    pool->count[USE_CONNECTING]++;
    list_append(&pool->conns[USE_CONNECTING], &c->node);
    return c;
}

void pool_retire(struct conn *c)
{
    evpq_error *why =
        error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the pool has retired the connection");
    c->retired = true;
    conn_kill(c, why);
    evpq_error_unref(why);
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
        query_fail(q, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
        return;
    }
    lanes_return(pool, &q->place);
    lanes_serve_idle(pool);
    keeper_tend(pool, false);
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
        .prepares = o->prepare != EVPQ_PREPARE_OFF,
    };
    pool->home = (struct query_home){.withdraw = withdraw_query, .again = query_again};
    list_init(&pool->wishes);
    lanes_init(pool);
    keeper_init(pool);
}

static void close_now(struct timer *t);

evpq_pool *evpq_pool_open(evpq_loop *loop, const char *conninfo, const evpq_pool_opts *opts,
                          evpq_error **ret_error)
{
    struct conninfo *read = NULL;
    evpq_pool_opts filled;
    if (!loop)
        return give_up(evpq_error_ref(error_invalid()), ret_error);
    evpq_error *error = conninfo_read(conninfo, &read);
    if (error)
        return give_up(error, ret_error);
    error = opts_fill(opts, read->connect_timeout, &filled);
    evpq_pool *pool = error ? NULL : mem_zalloc(sizeof *pool);
    if (!pool) {
        conninfo_free(read);
        return give_up(error ? error : evpq_error_ref(error_nomem()), ret_error);
    }
    pool->opts = filled;
    set_up(pool, loop, read);
    timer_init(&pool->patience, loop, close_now);
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
    if (!pool || --pool->users)
        return NULL;
    if (!pool->closing)
        evpq_future_unref(evpq_pool_close(pool, -1));
    pool_unref(pool);
    return NULL;
}

/* ---- using ---- */

static evpq_future *one_shot(evpq_pool *pool, const char *sql, evpq_args args, bool reads)
{
    struct query *q;
    if (!pool)
        return future_constant(EVPQ_INVALID);
    if (pool->closing)
        return future_failed(pool->loop, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    evpq_future *f = query_new(pool->loop, sql, args, &pool->home, &q);
    if (!q)
        return f;
    q->op.reads = reads && q->plannable;
    lanes_add_query(pool, q);
    return pool_limit(pool, f);
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
    if (!pool)
        return future_constant(EVPQ_INVALID);
    if (pool->closing)
        return future_failed(pool->loop, pool_closed_error(EVPQ_OUTCOME_NOT_SENT));
    evpq_future *f = lease_ask(pool);
    keeper_tend(pool, false);
    return f;
}

evpq_future *evpq_pool_connect(evpq_pool *pool)
{
    if (!pool)
        return future_constant(EVPQ_INVALID);
    evpq_future *f = wish_new(pool, WISH_CONNECTED);
    keeper_tend(pool, false);
    return f;
}

evpq_future *evpq_pool_drain(evpq_pool *pool)
{
    return pool ? wish_new(pool, WISH_DRAINED) : future_constant(EVPQ_INVALID);
}

evpq_status evpq_pool_resize(evpq_pool *pool, int min_size, int max_size)
{
    if (!pool || min_size < 0 || max_size < 1 || min_size > max_size)
        return EVPQ_INVALID;
    pool->opts.min_size = min_size;
    pool->opts.max_size = max_size;
    keeper_sweep(pool);
    return EVPQ_OK;
}

void evpq_pool_get_stats(const evpq_pool *pool, evpq_pool_stats *stats)
{
    evpq_pool_stats now = pool->done;
    now.size = stats->size;
    now.connecting = pool->count[USE_CONNECTING];
    now.idle = pool->count[USE_IDLE];
    now.busy = pool->count[USE_SHARED];
    now.leased = pool->count[USE_LEASED];
    now.closing = pool->count[USE_CLOSING];
    now.waiting = pool->n_waiting;
    memcpy(stats, &now, stats->size < sizeof now ? stats->size : sizeof now);
}

/* ---- closing ---- */

void pool_close_if_empty(evpq_pool *pool)
{
    if (!pool->closing || pool->closed || pool->n_waiting || pool_total(pool) ||
        pool->count[USE_DEAD])
        return;
    pool->closed = true;
    keeper_stop(pool);
    timer_stop(&pool->expiry);
    timer_stop(&pool->patience);
    wish_check(pool);
    loop_release(pool->loop);
    pool_unref(pool);
}

/* `how` takes the connection off this list, and may take others. */
static void close_conns(evpq_pool *pool, enum use use,
                        void (*how)(struct conn *, const evpq_error *))
{
    evpq_error *why = pool_closed_error(EVPQ_OUTCOME_UNKNOWN);
    for (struct list *node; (node = list_first(&pool->conns[use]));)
        how(container_of(node, struct conn, node), why);
    evpq_error_unref(why);
}

static void take_back(struct conn *c, const evpq_error *why)
{
    lanes_move(pool_of(c), c, USE_CLOSING);
    lease_lost(c, why);
    conn_desert(c, why);
}

void pool_close_unneeded(evpq_pool *pool)
{
    if (!pool->closing || pool->n_waiting)
        return;
    pool_ref(pool);
    close_conns(pool, USE_CONNECTING, conn_kill);
    keeper_sweep(pool);
    pool_close_if_empty(pool);
    pool_unref(pool);
}

/* The deadline of evpq_pool_close: nobody waits any longer, and what runs is canceled. */
static void close_now(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, patience);
    evpq_error *why = pool_closed_error(EVPQ_OUTCOME_NOT_SENT);
    pool_ref(pool);
    pool->out_of_time = true;
    close_conns(pool, USE_CONNECTING, conn_kill);
    close_conns(pool, USE_SHARED, take_back);
    close_conns(pool, USE_LEASED, take_back);
    lanes_fail_all(pool,
                   why); /* last: a lease that was about to be handed over is back in the queue */
    evpq_error_unref(why);
    keeper_sweep(pool);
    pool_close_if_empty(pool);
    pool_unref(pool);
}

static void bring_nearer(evpq_pool *pool, double seconds)
{
    double at = loop_time(pool->loop) + seconds;
    if (seconds < 0 || (timer_active(&pool->patience) && at >= pool->close_at))
        return;
    pool->close_at = at;
    timer_start(&pool->patience, seconds);
}

evpq_future *evpq_pool_close(evpq_pool *pool, double seconds)
{
    if (!pool || isnan(seconds))
        return future_constant(EVPQ_INVALID);
    pool_ref(pool);
    evpq_future *f = wish_new(pool, WISH_CLOSED);
    pool->closing = true;
    if (!pool->closed && isfinite(seconds))
        bring_nearer(pool, seconds);
    wish_check(pool);
    pool_close_unneeded(pool);
    pool_unref(pool);
    return f;
}
