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

/* ---- F69: results without end ---- */

#define ENDLESS "select repeat('x', 1000), generate_series(1, 1000000000)"

/* The most memory that this process has had so far, in MB. The sanitizers keep what is freed, and
 * have much of their own: there it is always 0. */
static long peak_mb(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return 0;
#endif
    long kb = 0;
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    if (status)
        fclose(status);
    return kb / 1024;
}

static evpq_future *in_txn(evpq_txn *txn, void *arg)
{
    (void)arg;
    return query_in(txn, ENDLESS);
}

static evpq_future *ask_without_end(int how)
{
    const evpq_statement statements[] = {{.sql = "select 1"}, {.sql = ENDLESS}};
    switch (how) {
    case 0:
        return query(ENDLESS);
    case 1:
        return evpq_pool_read(pool, ENDLESS, EVPQ_ARGS());
    case 2:
        return evpq_pool_batch(pool, statements, 2);
    default:
        return evpq_transact(pool, NULL, in_txn, NULL);
    }
}

START_TEST(f69_a_result_has_a_limit)
{
    open_pool(.max_size = 1, .max_result_bytes = 8 * MB);
    ask("select 1");
    long before = peak_mb();
    evpq_future *f = evpq_timeout(ask_without_end(_i), 30);
    ck_await_status(f, EVPQ_INVALID);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), "max_result_bytes"));
    evpq_future_unref(f);
    ck_all_over();
    ck_assert_int_lt(peak_mb() - before, 200);
    ck_assert_int_eq(ask("select 3"), 3);
    ck_done(query("select repeat('x', 1000) from generate_series(1, 1000)")); /* below it */
    pools_end();
}
END_TEST

/* What lies in the socket is counted once, however often it is read from: libpq takes it in
 * pieces, and a program that was held up finds a lot there. */
START_TEST(f69_a_result_below_the_limit_is_taken)
{
    open_pool_at(server_conninfo(_i == 2 ? SERVER_TLS
                                 : _i    ? SERVER_TCP
                                         : SERVER_UNIX,
                                 NULL),
                 .max_size = 1, .max_result_bytes = 4 * MB);
    ask("select 1");
    for (int i = 0; i < 3; i++) {
        evpq_future *f = query("select repeat('x', 1000) from generate_series(1, 2000)");
        run_for(evpq_loop_ev(loop), 0.001);
        usleep(100 * 1000);
        ck_done(f);
    }
    pools_end();
}
END_TEST

START_TEST(f69_a_result_that_comes_at_once_has_it_too)
{
    open_pool(.max_size = 1, .max_result_bytes = 4000);
    ck_failed(query("select repeat('x', 5000)"), EVPQ_INVALID, EVPQ_OUTCOME_UNKNOWN);
    ck_all_over();
    ck_assert_int_eq(ask("select 3"), 3);
    evpq_stream *s = evpq_pool_stream(pool, "select repeat('x', 5000)", EVPQ_ARGS(), NULL);
    ck_done(evpq_stream_next(s)); /* no limit */
    evpq_stream_close(s);
    pools_end();
}
END_TEST

/* A row of them may be larger than a result may be. */
START_TEST(f69_streams_and_copies_have_no_limit)
{
    static const char large[] = "select repeat('x', 1000000)";
    open_pool(.max_size = 1, .max_result_bytes = 4000);
    evpq_stream *s = evpq_pool_stream(pool, large, EVPQ_ARGS(), NULL);
    ck_done(evpq_stream_next(s));
    evpq_stream_close(s);
    evpq_copy *rows = evpq_pool_copy_rows_out(pool, large);
    evpq_future *f = evpq_copy_read(rows);
    ck_await_status(f, EVPQ_OK);
    ck_assert_int_eq(evpq_result_length(evpq_future_result(f), 0, 0), 1000000);
    evpq_future_unref(f);
    evpq_copy_close(rows);
    evpq_copy *bytes = evpq_pool_copy_out(pool, "copy (select repeat('x', 1000000)) to stdout");
    ck_done(evpq_copy_read(bytes));
    evpq_copy_close(bytes);
    pools_end();
}
END_TEST

/* While it goes on coming there is never a moment at which nothing is to be read. */
START_TEST(f69_a_result_that_is_given_up_is_canceled_while_it_comes)
{
    open_pool(.max_size = 1);
    ask("select 1");
    ck_failed(evpq_timeout(query(ENDLESS), 0.3), EVPQ_TIMEOUT, EVPQ_OUTCOME_UNKNOWN);
    ck_all_over();
    ck_assert_uint_ge(stats().cancels, 1);
    ck_assert_uint_eq(stats().connects, 1);
    ck_assert_int_eq(ask("select 3"), 3);
    pools_end();
}
END_TEST

/* Given up while another is still answered: its answer is dropped row by row when it comes. */
START_TEST(f69_what_was_given_up_before_it_came_is_not_collected)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    ask_on(lease, "select 1");
    long before = peak_mb();
    evpq_future *first = query_on(lease, "select pg_sleep(0.3)");
    evpq_future *given_up =
        query_on(lease, "select repeat('x', 1000) from generate_series(1, 300000)");
    evpq_future *last = query_on(lease, "select 3");
    run_for(evpq_loop_ev(loop), 0.05);
    evpq_future_cancel(given_up);
    evpq_future_unref(given_up);
    ck_done(first);
    ck_done(last);
    ck_assert_int_lt(peak_mb() - before, 150); /* of 300 MB */
    evpq_lease_release(lease);
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
    CHECK_ADD_LOOP(c, f69_a_result_has_a_limit, 4);
    CHECK_ADD_LOOP(c, f69_a_result_below_the_limit_is_taken, 2 + server_has_tls());
    CHECK_ADD(c, f69_a_result_that_comes_at_once_has_it_too);
    CHECK_ADD(c, f69_streams_and_copies_have_no_limit);
    CHECK_ADD(c, f69_a_result_that_is_given_up_is_canceled_while_it_comes);
    CHECK_ADD(c, f69_what_was_given_up_before_it_came_is_not_collected);
    return check_end(c);
}
