/* overlap.c - twenty queries that only wait, all at once: they take as long as one. */
#include <evpq/evpq.h>
#include <stdio.h>
#include <time.h>

enum { SLEEPS = 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Waits for `f` (taken). */
static evpq_status finish(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    if (status != EVPQ_OK)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    return status;
}

/* Seconds that n queries take together; negative when one has failed. */
static double sleep_together(evpq_pool *pool, size_t n)
{
    evpq_future *sleeps[SLEEPS];
    double start = now();
    for (size_t i = 0; i < n; i++)
        sleeps[i] = evpq_pool_query(pool, "select pg_catalog.pg_sleep(0.1)", EVPQ_ARGS());
    return finish(evpq_all(sleeps, n)) == EVPQ_OK ? now() - start : -1;
}

int main(void)
{
    evpq_pool_opts opts = {.size = sizeof opts, .min_size = SLEEPS, .max_size = SLEEPS};
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", &opts, NULL);
    double one = -1, all = -1;

    /* Connections first: what is measured is the queries. */
    if (finish(evpq_pool_connect(pool)) == EVPQ_OK) {
        one = sleep_together(pool, 1);
        all = sleep_together(pool, SLEEPS);
    }
    if (one >= 0 && all >= 0)
        printf("1 sleep: %.3f s\n%d sleeps: %.3f s\n", one, SLEEPS, all);

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return one < 0 || all < 0;
}
