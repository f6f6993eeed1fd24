/* first.c - two queries that take a second each, answered within one. */
#include <evpq/evpq.h>
#include <stdbool.h>
#include <stdio.h>

/* Runs the loop until `f` (taken) has settled, and tells what came of it. */
static bool finish(evpq_future *f)
{
    bool ok = evpq_await(f) == EVPQ_OK;
    const evpq_result *r = evpq_future_result(f);
    if (!ok)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    else if (r)
        printf("%s\n", evpq_result_text(r, 0, 0));
    evpq_future_unref(f);
    return ok;
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL); /* PGHOST, PGUSER, ... say where */
    bool ok = finish(evpq_pool_connect(pool));
    if (ok) {
        /* Both are under way before either is waited for. */
        evpq_future *who =
            evpq_pool_query(pool, "select current_user, pg_catalog.pg_sleep(1)", EVPQ_ARGS());
        evpq_future *sum = evpq_pool_query(pool, "select $1::int + $2::int, pg_catalog.pg_sleep(1)",
                                           EVPQ_ARGS(40, 2));
        ok = finish(who);
        ok = finish(sum) && ok;
    }
    evpq_pool_unref(pool);
    evpq_loop_run(loop); /* returns when the pool has closed its connections */
    evpq_loop_unref(loop);
    return !ok;
}
