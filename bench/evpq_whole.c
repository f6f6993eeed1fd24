/* evpq_whole.c - one large answer, whole or as it comes, many connections at once, and what a
 * future costs by itself. */
#include "bench/evpq.h"

/* ---- big: every value of every row is read ---- */

uint64_t ours_read_row(const evpq_result *r, int row)
{
    const char *c = evpq_result_text(r, row, 3);
    return (uint64_t)evpq_result_int4(r, row, 0) + (uint64_t)evpq_result_int8(r, row, 1) +
           (uint64_t)evpq_result_float8(r, row, 2) + evpq_result_length(r, row, 3) +
           (unsigned char)c[0] + (uint64_t)evpq_result_timestamptz(r, row, 4);
}

void ours_big(const struct options *o)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = ours_open(loop, o);
    uint64_t sum = 0;

    measure_start();
    evpq_future *f = evpq_pool_query(pool, SQL_BIG, evpq_binary(EVPQ_ARGS()));
    evpq_await(f);
    const evpq_result *r = ours_result(f);
    int rows = evpq_result_rows(r);
    for (int row = 0; row < rows; row++)
        sum += ours_read_row(r, row);
    measure_stop();
    if (evpq_result_fault(r))
        die("%s", evpq_error_message(evpq_result_fault(r)));
    evpq_future_unref(f);
    ours_close(pool, loop);
    ours_print(o, rows, sum);
}

/* ---- stream: the same, some hundred rows at a time ---- */

struct reading {
    const struct options *o;
    evpq_pool *pool;
    long rows;
    uint64_t sum;
};

static evpq_future *read_stream(evpq_task *self, void *arg)
{
    struct reading *to = arg;
    const struct options *o = to->o;
    bool repeats = o->repeat > 1;
    evpq_args args = repeats ? EVPQ_ARGS(o->repeat) : EVPQ_ARGS();
    long results = 0;
    evpq_future *f;
    const evpq_result *r;

    evpq_stream *s =
        evpq_pool_stream(to->pool, repeats ? SQL_STREAM : SQL_BIG, evpq_binary(args), NULL);
    while (evpq_await(f = evpq_stream_next(s)) == EVPQ_OK && (r = evpq_future_result(f))) {
        for (int row = 0; row < evpq_result_rows(r); row++)
            to->sum += ours_read_row(r, row);
        if (evpq_result_fault(r))
            die("%s", evpq_error_message(evpq_result_fault(r)));
        evpq_future_unref(f);
        if (o->slow && ++results % o->slow == 0)
            ours_await(evpq_sleep(evpq_task_loop(self), 0.001));
    }
    to->rows = (long)evpq_stream_rows(s);
    evpq_stream_close(s);
    return f;
}

void ours_stream(const struct options *o)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    struct reading to = {.o = o, .pool = ours_open(loop, o)};

    measure_start();
    ours_await(evpq_task_spawn(loop, read_stream, &to, NULL));
    measure_stop();
    ours_close(to.pool, loop);
    ours_print(o, to.rows, to.sum);
}

/* ---- storm: so many connections at once ---- */

void ours_storm(const struct options *o)
{
    evpq_loop *loop = evpq_loop_new(NULL);

    measure_start();
    evpq_pool *pool = ours_open(loop, o);
    measure_stop();
    evpq_pool_stats stats = {.size = sizeof stats};
    evpq_pool_get_stats(pool, &stats);
    ours_close(pool, loop);
    ours_print(o, (long)stats.connects, stats.connects);
}

/* ---- callbacks: a future that is settled, and its callback, which makes the next ---- */

struct chain {
    evpq_loop *loop;
    long left, done;
};

static void next(evpq_future *f, void *arg)
{
    struct chain *c = arg;
    c->done += f != NULL;
    if (!c->left--) {
        evpq_loop_stop(c->loop);
        return;
    }
    evpq_future *own = evpq_future_new(c->loop, NULL, NULL);
    if (evpq_future_on_done(own, next, c) != EVPQ_OK || !evpq_future_set_value(own, c, NULL))
        die("the future was refused");
    evpq_future_unref(own);
}

void ours_callbacks(const struct options *o)
{
    struct chain c = {evpq_loop_new(NULL), o->n, 0};

    measure_start();
    next(NULL, &c);
    evpq_loop_run(c.loop);
    measure_stop();
    evpq_loop_unref(c.loop);
    ours_print(o, c.done, (uint64_t)c.done);
}
