/* queue.c - the tables of the queue: making them, adding jobs, counting. */
#include "app.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

/* A job is there until it is done. What a job does stands in for real work: it adds a row to
 * `done`, which has no key, so that a job that was done twice would be seen. A batch that has been
 * added is remembered, so that adding it again adds nothing. */
static const char *const tables[] = {
    "create schema if not exists jobqueue",
    "create table if not exists jobqueue.job ("
    " id bigint generated always as identity primary key, payload text not null)",
    "create table if not exists jobqueue.done ("
    " job bigint not null, payload text not null, worker int not null,"
    " at timestamptz not null default pg_catalog.clock_timestamp())",
    "create table if not exists jobqueue.batch ("
    " producer bigint, number int, primary key (producer, number))",
};

evpq_future *setup(evpq_task *self, void *arg)
{
    struct app *app = arg;
    evpq_future *f = NULL;
    (void)self;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        evpq_future_unref(f);
        f = evpq_pool_query(app->pool, tables[i], EVPQ_ARGS());
        if (evpq_await(f) != EVPQ_OK)
            break;
    }
    return f;
}

/* Functions and operators are said with their schema: in another one of the search path somebody
 * may have put a closer match.
 *
 * The jobs, and the notification, are there together or not at all. After a lost connection nobody
 * knows which, and the same statement with the same numbers makes it so. */
static evpq_future *add(struct app *app, int64_t producer, int batch, int jobs)
{
    static const char sql[] =
        "with once as (insert into jobqueue.batch values ($1, $2) on conflict do nothing"
        " returning 1),"
        " added as (insert into jobqueue.job (payload)"
        " select pg_catalog.concat('job ', i) from once, pg_catalog.generate_series(1, $3::int) i"
        " returning id)"
        " select pg_catalog.pg_notify('" CHANNEL "', pg_catalog.count(*)::pg_catalog.text)"
        " from added";
    for (;;) {
        evpq_future *f = evpq_pool_query(app->pool, sql, EVPQ_ARGS(producer, batch, jobs));
        if (evpq_await(f) == EVPQ_OK || !is_passing(f))
            return f;
        complain(app, "produce, once more", f);
        evpq_future_unref(f);
        f = evpq_sleep(app->loop, 0.2);
        if (evpq_await(f) != EVPQ_OK)
            return f;
        evpq_future_unref(f);
    }
}

evpq_future *produce(evpq_task *self, void *arg)
{
    struct app *app = arg;
    int64_t producer;
    (void)self;
    if (getrandom(&producer, sizeof producer, 0) != sizeof producer)
        return evpq_future_failed(app->loop, EVPQ_INVALID, "no random numbers");
    for (int batch = 0, left = app->opts.jobs; left > 0; batch++) {
        int jobs = left < app->opts.batch ? left : app->opts.batch;
        evpq_future *f = add(app, producer, batch, jobs);
        if (evpq_future_status(f) != EVPQ_OK)
            return f;
        evpq_future_unref(f);
        left -= jobs;
    }
    return NULL;
}

evpq_future *status(evpq_task *self, void *arg)
{
    struct app *app = arg;
    (void)self;
    evpq_future *f = evpq_pool_read(app->pool,
                                    "select (select pg_catalog.count(*) from jobqueue.job),"
                                    " pg_catalog.count(*), pg_catalog.count(*)"
                                    " operator(pg_catalog.-) pg_catalog.count(distinct job)"
                                    " from jobqueue.done",
                                    EVPQ_ARGS());
    if (evpq_await(f) != EVPQ_OK)
        return f;
    const evpq_result *r = evpq_future_result(f);
    printf("waiting %" PRId64 "\ndone %" PRId64 "\ndone twice %" PRId64 "\n",
           evpq_result_int8(r, 0, 0), evpq_result_int8(r, 0, 1), evpq_result_int8(r, 0, 2));
    return f;
}
