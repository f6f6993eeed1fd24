/* it_memory.c - how much memory large values and large results leave behind (F68, F69). */
#include "support/txns.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { MB = 1 << 20 };

/* ---- F68: buffers that never shrink ---- */

static char *large(size_t n)
{
    char *text = malloc(n + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', n);
    text[n] = 0;
    return text;
}

enum { ROW, PARAMETER, LEASE, BATCH, EXECUTEMANY, STREAM, COPY, PIECES };

static void move_large(int how, size_t n)
{
    char *text = large(n);
    const evpq_statement statement = {.sql = "select length($1::text)", .args = EVPQ_ARGS(text)};
    const char *sql = strf("select repeat('x', %zu)", n);
    evpq_stream *stream;
    evpq_copy *copy;
    evpq_lease *lease;
    evpq_future *f;
    switch (how) {
    case ROW:
        ck_done(query(sql));
        break;
    case PARAMETER:
        ck_done(evpq_pool_query(pool, "select length($1::text)", EVPQ_ARGS(text)));
        break;
    case LEASE:
        lease = lease_get();
        ck_done(query_on(lease, sql));
        evpq_lease_release(lease);
        break;
    case BATCH:
        ck_done(evpq_pool_batch(pool, &statement, 1));
        break;
    case EXECUTEMANY:
        ck_done(evpq_executemany(pool, "select length($1::text)", &statement.args, 1));
        break;
    case STREAM:
        stream = evpq_pool_stream(pool, sql, EVPQ_ARGS(), NULL);
        do {
            f = evpq_stream_next(stream);
            ck_await_ok(f);
            n = evpq_future_result(f) != NULL;
            evpq_future_unref(f);
        } while (n);
        evpq_stream_close(stream);
        break;
    default:
        copy = evpq_pool_copy_out(pool, strf("copy (%s) to stdout", sql));
        do {
            f = evpq_copy_read(copy);
            ck_await_ok(f);
            evpq_future_bytes(f, &n);
            evpq_future_unref(f);
        } while (n);
        evpq_copy_close(copy);
        break;
    }
    free(text);
}

START_TEST(f68_a_connection_that_has_grown_is_closed_when_idle)
{
    open_pool(.max_size = 1, .prepare = _i % 2 ? EVPQ_PREPARE_OFF : EVPQ_PREPARE_AUTO);
    long pid = ask("select pg_backend_pid()");
    move_large(_i / 2, 3 * MB);
    ck_quiet();
    ck_assert_int_eq(ask("select pg_backend_pid()"), pid); /* below the bound */
    move_large(_i / 2, 5 * MB);
    ck_quiet();
    ck_assert_uint_eq(stats().retired, 1);
    ck_assert_int_ne(ask("select pg_backend_pid()"), pid);
    pools_end();
}
END_TEST

START_TEST(f68_the_bound_is_an_option)
{
    open_pool(.max_size = 1, .max_buffer_bytes = 64 * MB);
    move_large(ROW, 5 * MB);
    ck_quiet();
    ck_assert_uint_eq(stats().retired, 0);
    pools_end();
    open_pool(.max_size = 1, .max_buffer_bytes = 1000);
    ask("select 1");
    ck_quiet();
    ck_assert_uint_eq(stats().retired, 0);
    move_large(ROW, 2000);
    ck_quiet();
    ck_assert_uint_eq(stats().retired, 1);
    pools_end();
}
END_TEST

/* Many rows are not a large one. */
START_TEST(f68_a_long_result_costs_no_connection)
{
    open_pool(.max_size = 1);
    ck_done(query("select repeat('x', 1000) from generate_series(1, 10000)"));
    ck_quiet();
    ck_assert_uint_eq(stats().retired, 0);
    ck_assert_int_eq(stats().idle, 1);
    pools_end();
}
END_TEST

/* One that is never idle is given the time to be. */
static evpq_future *again(evpq_future *f, void *arg)
{
    int *left = arg;
    if (evpq_future_status(f) != EVPQ_OK || --*left <= 0)
        return evpq_future_ref(f);
    return evpq_then(query("select 1"), again, arg);
}

START_TEST(f68_a_busy_connection_is_let_run_out)
{
    int left[4];
    evpq_future *fs[4];
    open_pool(.max_size = 1, .idle_timeout = 0.2);
    move_large(ROW, 5 * MB);
    for (int i = 0; i < 4; i++) {
        left[i] = 100000;
        fs[i] = evpq_then(query("select 1"), again, &left[i]);
    }
    ck_until(stats().retired >= 1);
    for (int i = 0; i < 4; i++) {
        left[i] = 0;
        ck_done(fs[i]);
    }
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("memory");
    CHECK_ADD_LOOP(c, f68_a_connection_that_has_grown_is_closed_when_idle, 2 * PIECES);
    CHECK_ADD(c, f68_the_bound_is_an_option);
    CHECK_ADD(c, f68_a_long_result_costs_no_connection);
    CHECK_ADD(c, f68_a_busy_connection_is_let_run_out);
    return check_end(c);
}
