/* keeper.c - sizes, ages, back-off. */
#include "pool/keeper.h"

#include "pool/lanes.h"
#include "pool/pool_conn.h"
#include "pool/wish.h"
#include "words/error.h"

#include <string.h>

enum { WINDOW_MOST = 10 };

static int at_least(int a, int b)
{
    return a > b ? a : b;
}

static int at_most(int a, int b)
{
    return a < b ? a : b;
}

/* ---- opening ---- */

static int missing(const evpq_pool *pool, bool crowded)
{
    int connecting = pool->count[USE_CONNECTING];
    int floor = pool->closing ? 0 : at_least(pool->opts.min_size, wish_wants_connection(pool));
    int for_floor = floor - pool->total;
    int for_waiting = pool->n_waiting - connecting;
    return at_least(for_floor, at_least(for_waiting, crowded && !connecting ? 1 : 0));
}

void keeper_tend(evpq_pool *pool, bool crowded)
{
    if (pool->total >= pool->opts.max_size || pool->closed || pool->out_of_time ||
        timer_active(&pool->retry))
        return;
    int room =
        at_most(pool->window - pool->count[USE_CONNECTING], pool->opts.max_size - pool->total);
    for (int n = at_most(missing(pool, crowded), room); n > 0; n--) {
        struct pool_conn *c = pool_conn_dial(pool);
        if (!c) {
            keeper_failed(pool, error_nomem());
            return;
        }
    }
}

/* Often enough that nothing stays much longer than it should. */
static double sweep_interval(const evpq_pool *pool)
{
    const struct evpq_pool_opts *o = &pool->opts;
    double shortest = 40;
    if (o->idle_timeout > 0 && o->idle_timeout < shortest)
        shortest = o->idle_timeout;
    if (o->max_lifetime > 0 && o->max_lifetime < shortest)
        shortest = o->max_lifetime;
    return shortest / 4;
}

static void start_sweeping(evpq_pool *pool)
{
    if (!timer_active(&pool->sweep))
        timer_start(&pool->sweep, sweep_interval(pool));
}

void keeper_connected(evpq_pool *pool, struct pool_conn *c)
{
    const struct evpq_pool_opts *o = &pool->opts;
    pool->done.connects++;
    if (!pool->up_since)
        pool->up_since = loop_time(pool->loop);
    if (!pool->check_pause && !pool->drops) { /* else it is what follows the connect that fails */
        pool->window = at_most(pool->window * 2, WINDOW_MOST);
        timer_stop(&pool->retry);
    }
    pool->connect_error = evpq_error_unref(pool->connect_error);
    c->born = loop_time(pool->loop);
    c->retire_at = c->born + o->max_lifetime - o->lifetime_jitter * rng_unit(&pool->rng);
    start_sweeping(pool);
    wish_check(pool);
}

/* ---- failing ---- */

bool keeper_is_permanent(const evpq_error *why)
{
    static const char *const classes[] = {"28", "3D", "42", "0A", "22"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (!strncmp(evpq_error_sqlstate(why), classes[i], 2))
            return true;
    return false;
}

static bool is_alone(const evpq_pool *pool)
{
    return !pool->total;
}

/* Nothing is tried for as long as the last time and as long again; keeps that in *pause. */
static void back_off(evpq_pool *pool, double *pause)
{
    const struct evpq_pool_opts *o = &pool->opts;
    *pause = *pause > 0 ? *pause * 2 : o->backoff_min;
    if (*pause > o->backoff_max)
        *pause = o->backoff_max;
    timer_start(&pool->retry, *pause * (0.75 + 0.5 * rng_unit(&pool->rng)));
}

static double longer(double a, double b)
{
    return a > b ? a : b;
}

/* The back-off is over when connections have answered for as long as the last pause, or have been
 * up for longer than any: a server that lets connections up and drops them, at once or after a
 * query, does not end it. */
static bool is_over(const evpq_pool *pool)
{
    double now = loop_time(pool->loop);
    double enough = longer(pool->pause, pool->opts.backoff_max);
    return (pool->good_since && now - pool->good_since > pool->pause) ||
           (pool->up_since && now - pool->up_since > enough);
}

static void pause(evpq_pool *pool, bool drops)
{
    if (is_over(pool))
        pool->pause = 0;
    pool->good_since = 0;
    pool->up_since = 0;
    pool->drops = drops;
    back_off(pool, &pool->pause);
}

static bool has_answered(const struct pool_conn *c)
{
    return c->conn.pipeline.head_since > c->born;
}

void keeper_answered(evpq_pool *pool, const struct pool_conn *c)
{
    if ((pool->good_since && !pool->drop_error) || c->use == USE_CONNECTING || !has_answered(c))
        return;
    if (!pool->good_since)
        pool->good_since = loop_time(pool->loop);
    pool->drop_error = evpq_error_unref(pool->drop_error);
}

void keeper_failed(evpq_pool *pool, const evpq_error *why)
{
    pool->done.connect_failures++;
    pool->window = 1;
    evpq_error_unref(pool->connect_error);
    pool->connect_error = evpq_error_ref(why);
    if (!timer_active(&pool->retry))
        pause(pool, false);
    wish_connect_failed(pool, why);
    if (keeper_is_permanent(why) && is_alone(pool))
        lanes_fail_all(pool, why);
}

/* A server that lets connections up and then drops them is not tried in a tight circle either: at
 * once after it has answered something, or at all before that. */
void keeper_lost(evpq_pool *pool, const struct pool_conn *c, const evpq_error *why)
{
    const struct evpq_pool_opts *o = &pool->opts;
    bool served = has_answered(c) || c->conn.killed;
    double least = served ? longer(pool->pause, o->backoff_min) : o->backoff_max;
    bool short_lived = loop_time(pool->loop) - c->born < least;
    pool->done.lost++;
    pool->window = 1;
    if (!short_lived)
        return;
    evpq_error_unref(pool->drop_error);
    pool->drop_error = evpq_error_ref(why);
    if (timer_active(&pool->retry))
        pool->drops = true;
    else
        pause(pool, true);
}

void keeper_check_failed(evpq_pool *pool, const struct pool_conn *c, const evpq_error *why)
{
    evpq_error_unref(pool->check_error);
    pool->check_error = evpq_error_ref(why);
    if (!c->checked && !timer_active(&pool->retry))
        back_off(pool, &pool->check_pause);
}

void keeper_check_passed(evpq_pool *pool, struct pool_conn *c)
{
    c->checked = true;
    pool->check_pause = 0;
    pool->check_error = evpq_error_unref(pool->check_error);
}

static void retry(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, retry);
    pool->drops = false;
    keeper_tend(pool, false);
}

/* ---- retiring ---- */

bool keeper_retires(const evpq_pool *pool, const struct pool_conn *c)
{
    double now = loop_time(pool->loop);
    if (pool->closing)
        return !pool->n_waiting;
    if (pool->total > pool->opts.max_size)
        return true;
    if (c->conn.pipeline.grown || (pool->opts.max_lifetime > 0 && now >= c->retire_at))
        return true;
    return c->use == USE_IDLE && pool->opts.idle_timeout > 0 &&
           now - c->idle_since >= pool->opts.idle_timeout && pool->total > pool->opts.min_size;
}

void keeper_idle(evpq_pool *pool, struct pool_conn *c)
{
    c->idle_since = loop_time(pool->loop);
}

/* Too many, too old or too large: what shares them is let run out. */
static void mark_retiring(evpq_pool *pool)
{
    double now = loop_time(pool->loop);
    int surplus = pool->total - pool->opts.max_size;
    list_each(node, &pool->conns[USE_SHARED]) {
        struct pool_conn *c = container_of(node, struct pool_conn, node);
        c->retiring = surplus > 0 || c->conn.pipeline.grown ||
                      (pool->opts.max_lifetime > 0 && now >= c->retire_at);
        surplus -= surplus > 0;
    }
}

void keeper_sweep(evpq_pool *pool)
{
    list_each(node, &pool->conns[USE_IDLE]) {
        struct pool_conn *c = container_of(node, struct pool_conn, node);
        if (keeper_retires(pool, c))
            pool_conn_retire(c);
    }
    mark_retiring(pool);
    keeper_tend(pool, false);
    if (pool->total && !pool->closed)
        timer_start(&pool->sweep, sweep_interval(pool));
}

static void sweep(struct timer *t)
{
    keeper_sweep(container_of(t, evpq_pool, sweep));
}

/* ---- life ---- */

void keeper_init(evpq_pool *pool)
{
    pool->window = 1;
    timer_init(&pool->retry, pool->loop, retry);
    timer_init(&pool->sweep, pool->loop, sweep);
}

void keeper_stop(evpq_pool *pool)
{
    timer_stop(&pool->retry);
    timer_stop(&pool->sweep);
    pool->connect_error = evpq_error_unref(pool->connect_error);
    pool->drop_error = evpq_error_unref(pool->drop_error);
    pool->check_error = evpq_error_unref(pool->check_error);
}
