/* evpq_copy.c - rows by COPY: encoded and sent, or received and read. */
#include "bench/evpq.h"

#include <string.h>

static void make_room(evpq_copy *copy)
{
    evpq_future *room = evpq_copy_drain(copy);
    evpq_await(room);
    if (evpq_future_status(room) != EVPQ_OK)
        die("%s", evpq_error_message(evpq_future_error(room)));
    evpq_future_unref(room);
}

void ours_copy_in(const struct options *o)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = ours_open(loop, o);
    char text[COPY_TEXT + 1];

    ours_await(evpq_pool_query(pool, SQL_LANDING, EVPQ_ARGS()));
    ours_await(evpq_pool_query(pool, SQL_LANDING_EMPTY, EVPQ_ARGS()));
    measure_start();
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "landing", NULL, 0);
    for (long i = 1; i <= o->n; i++) {
        evpq_status status;
        copy_text(text, i);
        const evpq_args row = EVPQ_ARGS(i, COPY_A(i), COPY_B(i), evpq_textn(text, COPY_TEXT),
                                        evpq_timestamptz(COPY_D(i)));
        while ((status = evpq_copy_row(copy, row)) == EVPQ_QUEUE_FULL)
            make_room(copy);
        if (status != EVPQ_OK)
            die("%s", evpq_error_message(evpq_copy_error(copy)));
    }
    evpq_future *f = evpq_copy_finish(copy);
    evpq_await(f);
    long rows = (long)evpq_result_affected(ours_result(f));
    measure_stop();
    evpq_future_unref(f);
    f = evpq_pool_query(pool, SQL_LANDING_SUM, EVPQ_ARGS());
    evpq_await(f);
    uint64_t sum = (uint64_t)evpq_result_int8(ours_result(f), 0, 0);
    evpq_future_unref(f);
    ours_close(pool, loop);
    ours_print(o, rows, sum);
}

void ours_copy_out(const struct options *o)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = ours_open(loop, o);
    uint64_t sum = 0;
    long rows = 0;

    measure_start();
    evpq_copy *copy = evpq_pool_copy_rows_out(pool, SQL_BIG);
    for (int more = 1; more;) {
        evpq_future *f = evpq_copy_read(copy);
        evpq_await(f);
        const evpq_result *r = ours_result(f);
        more = evpq_result_rows(r);
        for (int row = 0; row < more; row++)
            sum += ours_read_row(r, row);
        if (evpq_result_fault(r))
            die("%s", evpq_error_message(evpq_result_fault(r)));
        rows += more;
        evpq_future_unref(f);
    }
    measure_stop();
    evpq_copy_close(copy);
    ours_close(pool, loop);
    ours_print(o, rows, sum);
}
