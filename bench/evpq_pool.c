/* evpq_pool.c - what evpq-bench and task-bench do alike: open a pool, wait, print. */
#include "config.h"

#include "bench/evpq.h"

#include <libpq-fe.h>
#include <string.h>

evpq_pool *ours_open(evpq_loop *loop, const struct options *o)
{
    evpq_error *error = NULL;
    evpq_pool_opts opts = {.size = sizeof opts,
                           .min_size = (int)o->connections,
                           .max_size = (int)o->connections,
                           .pipeline_depth = (int)o->depth,
                           .max_waiting = o->n > 100000 ? (int)o->n : 0,
                           .acquire_timeout = strcmp(o->workload, "queue") == 0 ? -1 : 0};
    evpq_pool *pool = evpq_pool_open(loop, "", &opts, &error);
    if (!pool)
        die("%s", evpq_error_message(error));
    ours_await(evpq_pool_connect(pool));
    return pool;
}

void ours_close(evpq_pool *pool, evpq_loop *loop)
{
    ours_await(evpq_pool_close(pool, 5));
    evpq_pool_unref(pool);
    evpq_loop_unref(loop);
}

void ours_await(evpq_future *f)
{
    if (evpq_await(f) != EVPQ_OK)
        die("%s", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
}

const evpq_result *ours_result(const evpq_future *f)
{
    const evpq_result *r = evpq_future_result(f);
    if (!r)
        die("%s", evpq_error_message(evpq_future_error(f)));
    return r;
}

void ours_print(const struct options *o, long done, uint64_t checksum)
{
    if (o->depth)
        measure_note("depth", (double)o->depth);
    else
        measure_note_text("depth", "default");
    measure_print("evpq", o, done, PQlibVersion(), HAVE_PQSENDPIPELINESYNC ? "send" : "each",
                  checksum);
}
