/*
 * A loop and a pool for a test: see site.h.
 */
#include "support/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "support/opts.h"
#include "support/server.h"

struct site site_open(const char *conninfo, const evpq_pool_opts *opts)
{
    struct site s = {.loop = evpq_loop_new(NULL)};
    evpq_pool_opts all = opts_of_test(opts);
    evpq_error *error = NULL;

    ck_assert_ptr_nonnull(s.loop);
    s.ev = evpq_loop_ev(s.loop);
    s.pool = evpq_pool_open(s.loop, conninfo, &all, &error);
    ck_assert_msg(s.pool != NULL, "%s: %s", conninfo, evpq_error_message(error));
    return s;
}

void site_close(struct site *s)
{
    evpq_future *closed = evpq_pool_close(s->pool, 20);

    ck_await_ok(closed);
    evpq_future_unref(closed);
    s->pool = evpq_pool_unref(s->pool);
    evpq_loop_run(
        s->loop); /* a test with a watcher or a hold too many ends here, in Check's time limit */
    s->loop = evpq_loop_unref(s->loop);
}

static const char *first_value(const evpq_future *f)
{
    const evpq_result *r = evpq_future_result(f);

    ck_assert_ptr_nonnull(r);
    if (evpq_result_rows(r) == 0 || evpq_result_is_null(r, 0, 0))
        return "(null)";
    return strf("%s", evpq_result_text(r, 0, 0));
}

evpq_future *site_query(struct site *s, const char *sql)
{
    evpq_future *f = evpq_pool_query(s->pool, sql, EVPQ_ARGS());

    ck_await_ok(f);
    return f;
}

const char *site_text(struct site *s, const char *sql)
{
    evpq_future *f = site_query(s, sql);
    const char *text = first_value(f);

    evpq_future_unref(f);
    return text;
}

evpq_lease *site_lease(struct site *s)
{
    evpq_future *f = evpq_pool_acquire(s->pool);
    evpq_lease *lease;

    ck_await_ok(f);
    lease = evpq_future_lease(f);
    ck_assert_ptr_nonnull(lease);
    evpq_future_unref(f);
    return lease;
}

const char *lease_text(evpq_lease *lease, const char *sql)
{
    evpq_future *f = evpq_lease_query(lease, sql, EVPQ_ARGS());
    const char *text;

    ck_await_ok(f);
    text = first_value(f);
    evpq_future_unref(f);
    return text;
}

evpq_pool_stats site_stats(const struct site *s)
{
    evpq_pool_stats stats = {.size = sizeof stats};

    evpq_pool_get_stats(s->pool, &stats);
    return stats;
}

void site_run(struct site *s, double seconds)
{
    evpq_future *f = evpq_sleep(s->loop, seconds);

    ck_await_ok(f);
    evpq_future_unref(f);
}

static bool is_quiet(void *arg)
{
    evpq_pool_stats now = site_stats(arg);

    return !now.connecting && !now.busy && !now.leased && !now.closing && !now.waiting;
}

bool site_quiet(struct site *s, double seconds)
{
    return run_until(s->ev, is_quiet, s, seconds);
}

double site_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

unsigned long site_seed(void)
{
    const char *given = getenv("EVPQ_TEST_SEED");
    unsigned long seed = given ? strtoul(given, NULL, 10)
                               : (unsigned long)time(NULL) * 1000 + (unsigned long)getpid() % 1000;

    fprintf(stderr, "EVPQ_TEST_SEED=%lu\n", seed);
    srandom((unsigned)seed);
    return seed;
}
