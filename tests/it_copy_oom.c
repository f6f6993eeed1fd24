/* it_copy_oom.c - no memory at any moment of a COPY: the n-th allocation fails, for n = 1 and on
 * until none is left to fail. All of its rows are written or none, what is read is right as far as
 * it goes, everybody is told, and then the pool serves as before.
 *
 * While memory fails nothing of Check may be called: it would be what runs out. */
#include "support/pools.h"

#include "support/oom.h"
#include "support/opts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3000 };

static char why[200];
static evpq_outcome outcome; /* of the last that failed */

static evpq_status await(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    outcome = evpq_error_outcome(evpq_future_error(f));
    evpq_future_unref(f);
    return status;
}

/* EVPQ_OK: all are written. *ret_right: the error of the COPY is that of the write. */
static evpq_status write_rows(bool typed, bool *ret_right)
{
    evpq_copy *copy = typed ? evpq_pool_copy_rows_in(pool, "copy_oom", NULL, 0)
                            : evpq_pool_copy_in(pool, "copy copy_oom from stdin");
    evpq_status status = copy ? EVPQ_OK : EVPQ_NOMEM;
    for (int i = 0; i < ROWS && status == EVPQ_OK; i++) {
        do
            status = typed ? evpq_copy_row(copy, EVPQ_ARGS(7, "a text of some length"))
                           : evpq_copy_write(copy, "7\ta text of some length\n", 24);
        while (status == EVPQ_QUEUE_FULL && (status = await(evpq_copy_drain(copy))) == EVPQ_OK);
        const evpq_error *error = evpq_copy_error(copy);
        *ret_right &= !error || evpq_error_status(error) == status;
    }
    if (status == EVPQ_OK)
        return await(evpq_copy_finish(copy));
    evpq_copy_abort(copy, "no memory");
    return status;
}

/* The rows that came; *ret_status is how it ended. */
static long read_rows(bool typed, bool *ret_right, evpq_status *ret_status)
{
    evpq_copy *copy =
        typed ? evpq_pool_copy_rows_out(pool, "select i, 'text' from generate_series(1, 3000) i")
              : evpq_pool_copy_out(
                    pool, "copy (select 'text' from generate_series(1, 3000) i) to stdout");
    long rows = 0, more = 1;
    while (more) {
        evpq_future *f = evpq_copy_read(copy);
        size_t n = 0;
        *ret_status = evpq_await(f);
        snprintf(why, sizeof why, "%s", evpq_error_message(evpq_future_error(f)));
        const evpq_result *r = evpq_future_result(f);
        if (evpq_future_bytes(f, &n))
            *ret_right &= n % 5 == 0;
        more = typed ? evpq_result_rows(r) : (long)n / 5;
        for (int row = 0; typed && row < more; row++)
            *ret_right &= evpq_result_int4(r, row, 0) == rows + row + 1;
        rows += more;
        evpq_future_unref(f);
    }
    evpq_copy_close(copy);
    return rows;
}

START_TEST(no_memory_for_a_moment_is_survived)
{
    bool typed = _i & 1, in = _i & 2;
    long tries = 0;
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.max_size = 1;
    opts.backoff_min = 0.001;
    opts.backoff_max = 0.005;
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, server_conninfo(SERVER_UNIX, NULL), &opts, NULL);
    server_exec("drop table if exists copy_oom; create table copy_oom(n int, t text)");
    EACH_ALLOCATION(n, failed) {
        evpq_status status = EVPQ_PENDING;
        long rows = 0;
        bool right = true;
        ck_assert_int_eq(ask("select 1"), 1);
        oom_fail_at(n);
        if (in)
            status = write_rows(typed, &right);
        else
            rows = read_rows(typed, &right, &status);
        failed = oom_end();
        ck_quiet();
        ck_assert(right);
        if (!failed)
            ck_assert_msg(status == EVPQ_OK, "%s", why);
        if (in)
            rows =
                server_count("with d as (delete from copy_oom returning 1) select count(*) from d");
        ck_assert_msg(status == EVPQ_OK ? rows == ROWS
                                        : !in || rows == 0 || outcome == EVPQ_OUTCOME_UNKNOWN,
                      "allocation %ld: %s, %ld rows", n, evpq_status_name(status), rows);
        tries++;
    }
    ck_assert_int_gt(tries, 5);
    server_exec("drop table copy_oom");
    ck_done(evpq_timeout(evpq_pool_close(pool, 5), 10));
    pool = evpq_pool_unref(pool);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("copy_oom");
    CHECK_ADD_LOOP(c, no_memory_for_a_moment_is_survived, 4);
    return check_end(c);
}
