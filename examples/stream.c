/* stream.c - a million rows, a few hundred at a time: memory stays as it is, and whoever reads
 * slowly slows the server down. */
#include <evpq/evpq.h>
#include <stdbool.h>
#include <stdio.h>

static const char sql[] = "select i, i operator(pg_catalog.*) 0.5"
                          " from (select pg_catalog.generate_series(1, $1) i) numbers";

/* The sum of the second column; the stream's last future tells how it went. */
static evpq_future *add_up(evpq_stream *stream, double *ret_sum)
{
    evpq_future *f;
    const evpq_result *rows;
    while (evpq_await(f = evpq_stream_next(stream)) == EVPQ_OK && (rows = evpq_future_result(f))) {
        for (int row = 0; row < evpq_result_rows(rows); row++)
            *ret_sum += evpq_result_float8(rows, row, 1);
        evpq_future_unref(f);
    }
    return f;
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    double sum = 0;

    evpq_stream *stream = evpq_pool_stream(pool, sql, EVPQ_ARGS(1000000), NULL);
    evpq_future *end = add_up(stream, &sum);
    const evpq_error *error = evpq_future_error(end);
    bool failed = error != NULL;
    if (failed)
        fprintf(stderr, "after %lld rows: %s\n", (long long)evpq_error_rows(error),
                evpq_error_message(error));
    else
        printf("%lld rows, %.1f in all\n", (long long)evpq_stream_rows(stream), sum);
    evpq_future_unref(end);
    evpq_stream_close(stream);

    /* What is not read to its end is canceled on the server. */
    stream = evpq_pool_stream(pool, sql, EVPQ_ARGS(1000000000), NULL);
    evpq_future *first = evpq_stream_next(stream);
    if (evpq_await(first) == EVPQ_OK)
        printf("the first of a billion: %s\n", evpq_result_text(evpq_future_result(first), 0, 1));
    evpq_future_unref(first);
    evpq_stream_close(stream);

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return failed;
}
