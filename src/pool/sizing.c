/* sizing.c - see sizing.h. Decides and notes; step.c opens, through events_dial, and
 * closes. */
#include "pool/sizing.h"

#include "base/backoff.h"
#include "pool/pool_future.h"

#include <math.h>
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
    int connecting = pool->count[POOL_CONN_CONNECTING];
    int floor =
        pool_is_closing(pool) ? 0 : at_least(pool->opts.min_size, pool_future_wants_one(pool));
    int for_floor = floor - pool->total;
    int for_waiting = pool->n_waiting - connecting;
    return at_least(for_floor, at_least(for_waiting, crowded && !connecting ? 1 : 0));
}

int sizing_wanted(evpq_pool *pool)
{
    bool crowded = pool->crowded;
    pool->crowded = false;
    if (pool->total >= pool->opts.max_size || pool_is_over(pool) || timer_active(&pool->retry))
        return 0;
    int room = at_most(pool->window - pool->count[POOL_CONN_CONNECTING],
                       pool->opts.max_size - pool->total);
    return at_most(missing(pool, crowded), room);
}

/* While connections are shared: often enough that none goes on for much longer than it should. */
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

void sizing_wakes(evpq_pool *pool)
{
    if (timer_active(&pool->sweep) && !pool->sweep_rests)
        return;
    pool->sweep_rests = false;
    timer_start(&pool->sweep, sweep_interval(pool));
}

void sizing_connected(struct pool_conn *c)
{
    evpq_pool *pool = pool_of(c);
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
    sizing_wakes(pool);
    pool_mark(pool); /* more may follow this one */
}

/* ---- failing ---- */

bool sizing_is_permanent(const evpq_error *why)
{
    static const char *const classes[] = {"28", "3D", "42", "0A", "22"};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (!strncmp(evpq_error_sqlstate(why), classes[i], 2))
            return true;
    return false;
}

/* Nothing is tried for twice as long as the last time. Keeps the new pause in *pause. */
static void back_off(evpq_pool *pool, double *pause)
{
    const struct evpq_pool_opts *o = &pool->opts;
    backoff_next(pause, o->backoff_min, o->backoff_max);
    timer_start(&pool->retry, backoff_spread(*pause, 0.25, &pool->rng));
}

static double longer(double a, double b)
{
    return a > b ? a : b;
}

static double shorter(double a, double b)
{
    return a < b ? a : b;
}

/* The back-off ends when connections have answered for as long as the last pause, or have been up
 * for longer than any pause. A server that accepts connections and drops them, at once or after a
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

void sizing_note_answer(const struct pool_conn *c)
{
    evpq_pool *pool = pool_of(c);
    if (c->state == POOL_CONN_CONNECTING || !has_answered(c))
        return;
    if (!pool->good_since)
        pool->good_since = loop_time(pool->loop);
    pool->drop_error = evpq_error_unref(pool->drop_error);
}

void sizing_failed(evpq_pool *pool, const evpq_error *why)
{
    pool->done.connect_failures++;
    pool->window = 1;
    evpq_error_unref(pool->connect_error);
    pool->connect_error = evpq_error_ref(why);
    if (!timer_active(&pool->retry))
        pause(pool, false);
    evpq_error_unref(pool->untold);
    pool->untold = evpq_error_ref(why);
    pool_mark(pool);
}

/* A server that accepts connections and then drops them must not be tried without a pause. So a
 * pause follows where a connection was lost at once, and where it was lost before it answered
 * anything. */
void sizing_lost(const struct pool_conn *c, const evpq_error *why)
{
    evpq_pool *pool = pool_of(c);
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

void sizing_check_failed(const struct pool_conn *c, const evpq_error *why)
{
    evpq_pool *pool = pool_of(c);
    evpq_error_unref(pool->check_error);
    pool->check_error = evpq_error_ref(why);
    if (!c->checked && !timer_active(&pool->retry))
        back_off(pool, &pool->check_pause);
}

void sizing_check_passed(struct pool_conn *c)
{
    evpq_pool *pool = pool_of(c);
    c->checked = true;
    pool->check_pause = 0;
    pool->check_error = evpq_error_unref(pool->check_error);
}

static void retry(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, retry);
    pool->drops = false;
    pool_mark(pool);
}

/* ---- retiring ---- */

static bool is_too_old(const struct pool_conn *c)
{
    const evpq_pool *pool = pool_of(c);
    return pool->opts.max_lifetime > 0 && loop_time(pool->loop) >= c->retire_at;
}

bool sizing_retires(const struct pool_conn *c)
{
    const evpq_pool *pool = pool_of(c);
    if (pool_is_closing(pool))
        return !pool->n_waiting;
    if (pool->total > pool->opts.max_size || c->conn.pipeline.grown || is_too_old(c))
        return true;
    return c->state == POOL_CONN_IDLE && pool->opts.idle_timeout > 0 &&
           loop_time(pool->loop) - c->idle_since >= pool->opts.idle_timeout &&
           pool->total > pool->opts.min_size;
}

void sizing_mark_retiring(evpq_pool *pool)
{
    int surplus = pool->total - pool->opts.max_size;
    list_each(node, &pool->conns[POOL_CONN_SHARED]) {
        struct pool_conn *c = pool_conn_at(node);
        c->retiring = surplus > 0 || c->conn.pipeline.grown || is_too_old(c);
        surplus -= surplus > 0;
    }
}

/* While none is shared: seconds until one is to be closed that is idle now, or may be by then; at
 * least a millisecond, as clocks differ. INFINITY: none ever is. */
static double until_retiring(const evpq_pool *pool)
{
    static const enum pool_conn_state states[] = {POOL_CONN_IDLE, POOL_CONN_LEASED,
                                                  POOL_CONN_CANCELING};
    const struct evpq_pool_opts *o = &pool->opts;
    double now = loop_time(pool->loop), at = INFINITY;
    bool sinks = o->idle_timeout > 0 && pool->total > o->min_size;
    if (sinks && pool->count[POOL_CONN_IDLE] < pool->total)
        at = now + o->idle_timeout;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        list_each(node, &pool->conns[states[i]]) {
            const struct pool_conn *c = pool_conn_at(node);
            if (sinks && c->state == POOL_CONN_IDLE)
                at = shorter(at, c->idle_since + o->idle_timeout);
            if (o->max_lifetime > 0 && c->retire_at > now) /* else it goes when it is given back */
                at = shorter(at, c->retire_at);
        }
    }
    return longer(at - now, 0.001);
}

void sizing_swept(evpq_pool *pool)
{
    pool->sweep_due = false;
    timer_stop(&pool->sweep);
    if (!pool->total || pool->state == POOL_CLOSED)
        return;
    pool->sweep_rests = !pool->count[POOL_CONN_SHARED];
    double after = pool->sweep_rests ? until_retiring(pool) : sweep_interval(pool);
    if (isfinite(after))
        timer_start(&pool->sweep, after);
}

static void sweep(struct timer *t)
{
    evpq_pool *pool = container_of(t, evpq_pool, sweep);
    pool->sweep_due = true;
    pool_mark(pool);
}

/* ---- life ---- */

void sizing_init(evpq_pool *pool)
{
    pool->window = 1;
    timer_init(&pool->retry, pool->loop, retry);
    timer_init(&pool->sweep, pool->loop, sweep);
}

void sizing_stop(evpq_pool *pool)
{
    timer_stop(&pool->retry);
    timer_stop(&pool->sweep);
    pool->connect_error = evpq_error_unref(pool->connect_error);
    pool->drop_error = evpq_error_unref(pool->drop_error);
    pool->check_error = evpq_error_unref(pool->check_error);
    pool->untold = evpq_error_unref(pool->untold);
}
