/* it_copy.c - COPY as bytes, both ways, in every format; how much waits where; and what is refused.
 */
#include "support/pools.h"

#include "async/future.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MEGABYTE = 1024 * 1024 };

static void put(evpq_copy *copy, const char *text)
{
    ck_assert_int_eq(evpq_copy_write(copy, text, strlen(text)), EVPQ_OK);
}

/* Waits for room as often as need be. */
static void put_all(evpq_copy *copy, const char *bytes, size_t n, size_t piece)
{
    for (size_t at = 0; at < n;) {
        size_t left = n - at < piece ? n - at : piece;
        evpq_status status = evpq_copy_write(copy, bytes + at, left);
        if (status == EVPQ_QUEUE_FULL) {
            ck_done(evpq_copy_drain(copy));
            continue;
        }
        ck_assert_int_eq(status, EVPQ_OK);
        at += left;
    }
}

static long finish(evpq_copy *copy)
{
    evpq_future *f = evpq_copy_finish(copy);
    ck_await_ok(f);
    long rows = (long)evpq_result_affected(evpq_future_result(f));
    evpq_future_unref(f);
    return rows;
}

/* Everything that comes; the copy is closed. *ret_rows is what the server counted. */
static char *get_all(evpq_copy *copy, size_t *ret_n, long *ret_rows)
{
    char *all = malloc(1);
    size_t n = 0, more;
    for (;;) {
        evpq_future *f = evpq_copy_read(copy);
        ck_await_ok(f);
        const void *bytes = evpq_future_bytes(f, &more);
        if (!bytes) {
            ck_assert_uint_eq(more, 0);
            ck_assert_int_eq(evpq_result_rows(evpq_future_result(f)), 0);
            *ret_rows = (long)evpq_result_affected(evpq_future_result(f));
            evpq_future_unref(f);
            break;
        }
        ck_assert_uint_gt(more, 0);
        ck_assert_ptr_null(evpq_future_result(f));
        all = realloc(all, n + more + 1);
        memcpy(all + n, bytes, more);
        n += more;
        evpq_future_unref(f);
    }
    all[n] = '\0';
    *ret_n = n;
    evpq_copy_close(copy);
    return all;
}

/* AddressSanitizer keeps what was freed: there it is not asked. */
static long peak_kb(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return 0;
#endif
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

START_TEST(what_goes_in_comes_out)
{
    static const char *const formats[] = {"text", "csv, header, force_quote *", "binary"};
    const char *format = formats[_i / 2];
    bool on_lease = _i % 2;
    open_pool(.max_size = 1);
    server_exec(
        "drop table if exists copy_here, copy_there; create table copy_here(n int, t text, b bytea, a text[]);"
        "create table copy_there (like copy_here);"
        "insert into copy_here select i, case i % 7 when 0 then null when 1 then '' when 2 then E'\\\\.\\n\"q\",\\r\\t' "
        " else repeat(chr(i % 50000 + 200), i % 300) end, sha256(i::text::bytea), array[null, 'x', E'{\"\\\\'] "
        "from generate_series(1, 5000) i");
    evpq_lease *lease = on_lease ? lease_get() : NULL;
    const char *out = strf("copy copy_here to stdout (format %s)", format);
    const char *in =
        strf("copy copy_there from stdin (format %s)", _i / 2 == 1 ? "csv, header" : format);
    size_t n;
    long rows;
    char *all = get_all(on_lease ? evpq_lease_copy_out(lease, out) : evpq_pool_copy_out(pool, out),
                        &n, &rows);
    ck_assert_int_eq(rows, 5000);
    evpq_copy *copy = on_lease ? evpq_lease_copy_in(lease, in) : evpq_pool_copy_in(pool, in);
    put_all(copy, all, n, 777);
    ck_assert_int_eq(finish(copy), 5000);
    free(all);
    evpq_lease_release(lease);
    ck_assert_int_eq(
        ask("select count(*) from (select * from copy_here except all select * from copy_there) s"),
        0);
    ck_assert_int_eq(ask("select count(*) from copy_there"), 5000);
    ck_assert_int_eq(ask("select 40 + 2"), 42);
    server_exec("drop table copy_here, copy_there");
    pools_end();
}
END_TEST

START_TEST(nothing_is_a_copy_too)
{
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_none; create table copy_none(n int)");
    ck_assert_int_eq(finish(evpq_pool_copy_in(pool, "copy copy_none from stdin")), 0);
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy copy_none from stdin");
    ck_assert_int_eq(evpq_copy_write(copy, NULL, 0), EVPQ_OK);
    ck_done(evpq_copy_drain(copy));
    ck_assert_int_eq(finish(copy), 0);
    size_t n;
    long rows;
    char *all = get_all(evpq_pool_copy_out(pool, " /* all */ Copy copy_none to stdout ; -- end"),
                        &n, &rows);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(rows, 0);
    free(all);
    server_exec("drop table copy_none");
    pools_end();
}
END_TEST

/* Rows, or pieces of rows, that are larger than every buffer. */
START_TEST(large_rows_pass)
{
    enum { LARGE = 20 * MEGABYTE };
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_large; create table copy_large(t text)");
    char *row = malloc(LARGE + 1);
    memset(row, 'x', LARGE);
    row[LARGE] = '\n';
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy copy_large from stdin");
    ck_assert_int_eq(evpq_copy_write(copy, row, LARGE + 1), EVPQ_OK);
    ck_assert_int_eq(evpq_copy_write(copy, "y\n", 2), EVPQ_QUEUE_FULL);
    put_all(copy, "y\n", 2, 2);
    ck_assert_int_eq(finish(copy), 2);
    size_t n;
    long rows;
    char *all = get_all(evpq_pool_copy_out(pool, "copy copy_large to stdout"), &n, &rows);
    ck_assert_uint_eq(n, LARGE + 3);
    ck_assert_mem_eq(all, row, LARGE + 1);
    free(all);
    free(row);
    server_exec("drop table copy_large");
    pools_end();
}
END_TEST

START_TEST(f41_a_gigabyte_is_refused)
{
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_most; create table copy_most(t text)");
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy copy_most from stdin");
    ck_assert_int_eq(evpq_copy_write(copy, "x", (size_t)1 << 30), EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_copy_error(copy)), "gigabyte"));
    ck_assert_int_eq(evpq_copy_write(copy, "x", SIZE_MAX), EVPQ_INVALID);
    ck_assert_int_eq(evpq_copy_write(copy, NULL, 1), EVPQ_INVALID);
    put(copy, "good\n");
    ck_assert_ptr_null(evpq_copy_error(copy));
    ck_assert_int_eq(finish(copy), 1);
    server_exec("drop table copy_most");
    pools_end();
}
END_TEST

/* ---- what waits ---- */

static long bytes_taken(void)
{
    return server_count(strf("select coalesce(max(bytes_processed), 0) from pg_stat_progress_copy"
                             " join pg_stat_activity using (pid) where application_name = '%s'",
                             pools_app()));
}

/* A little is not kept back until there is more, or the end. */
START_TEST(what_is_written_goes_at_once)
{
    open_pool(.max_size = 1);
    server_exec("drop table if exists copy_soon; create table copy_soon(t text)");
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy copy_soon from stdin");
    for (int i = 1; i < 4; i++) {
        put(copy, "two\n");
        ck_until(bytes_taken() == 4 * i);
    }
    ck_assert_int_eq(finish(copy), 3);
    server_exec("drop table copy_soon");
    pools_end();
}
END_TEST

/* The server waits for a lock: what is written stops being taken, and goes on when it can. */
START_TEST(a_writer_waits_for_a_slow_server)
{
    open_pool(.max_size = 2);
    server_exec("drop table if exists copy_locked; create table copy_locked(t text)");
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    exec_on(lease, "lock table copy_locked");
    char line[1024];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    evpq_copy *copy = evpq_pool_copy_in(pool, "copy copy_locked from stdin");
    long written = 0, before = peak_kb();
    while (evpq_copy_write(copy, line, sizeof line) == EVPQ_OK)
        written++;
    evpq_future *room = evpq_copy_drain(copy);
    run_for(evpq_loop_ev(loop), 0.2);
    ck_future_pending(room);
    ck_assert_int_eq(evpq_copy_write(copy, line, sizeof line), EVPQ_QUEUE_FULL);
    ck_assert_ptr_null(evpq_copy_error(copy));
    exec_on(lease, "commit");
    evpq_lease_release(lease);
    ck_done(room);
    for (; written < 200000; written++)
        put_all(copy, line, sizeof line, sizeof line);
    ck_assert_int_eq(finish(copy), written);
    ck_assert_int_lt(peak_kb() - before, 32 * 1024);
    server_exec("drop table copy_locked");
    pools_end();
}
END_TEST

/* Nobody reads: the server is held up, and memory does not grow; then all of it comes. */
START_TEST(a_server_waits_for_a_slow_reader)
{
    open_pool(.max_size = 1);
    long before = peak_kb();
    size_t got = 0, more = 1;
    evpq_copy *copy = evpq_pool_copy_out(
        pool, "copy (select repeat('x', 999) from generate_series(1, 200000)) to stdout");
    for (int reads = 0; more; reads++) {
        evpq_future *f = evpq_copy_read(copy);
        ck_await_ok(f);
        evpq_future_bytes(f, &more);
        got += more;
        evpq_future_unref(f);
        if (reads == 1) {
            run_for(evpq_loop_ev(loop), 0.3);
            ck_assert_int_eq(server_count(strf("select count(*) from pg_stat_activity where"
                                               " application_name = '%s' and state = 'active'"
                                               " and wait_event = 'ClientWrite'",
                                               pools_app())),
                             1);
        }
    }
    evpq_copy_close(copy);
    ck_assert_uint_eq(got, 200000000);
    ck_assert_int_lt(peak_kb() - before, 16 * 1024);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("copy");
    CHECK_ADD_LOOP(c, what_goes_in_comes_out, 6);
    CHECK_ADD(c, nothing_is_a_copy_too);
    CHECK_ADD(c, large_rows_pass);
    CHECK_ADD(c, f41_a_gigabyte_is_refused);
    CHECK_ADD(c, what_is_written_goes_at_once);
    CHECK_ADD(c, a_writer_waits_for_a_slow_server);
    CHECK_ADD(c, a_server_waits_for_a_slow_reader);
    return check_end(c);
}
