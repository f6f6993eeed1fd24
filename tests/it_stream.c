/* it_stream.c - streams: complete and in order, in bounded memory, and no matter how they end (F2,
 * F34, F35, F36, F42). */
#include "support/pools.h"

#include "base/recycle.h"
#include "libpq/pq.h"
#include "support/child.h"
#include "support/oom.h"
#include "support/opts.h"
#include "support/proxy.h"
#include "support/seen.h"
#include "support/tasks.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STREAM_OPTS(...)                        \
 &(evpq_stream_opts)                            \
 {                                              \
  .size = sizeof(evpq_stream_opts), __VA_ARGS__ \
 }

/* How rows are asked for: as the library likes, one by one, many, and gathered also where libpq has
 * chunks. */
static const evpq_stream_opts ways[] = {
    {.size = sizeof(evpq_stream_opts)},
    {.size = sizeof(evpq_stream_opts), .rows = 1},
    {.size = sizeof(evpq_stream_opts), .rows = 1000},
    {.size = sizeof(evpq_stream_opts), .bytes = 30000},
    {.size = sizeof(evpq_stream_opts), .bytes = 1000000000, .rows = 100000},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* Longer than any test takes to read; each row comes when it is made. */
#define ENDLESS "select generate_series(1, 1000000000)"

static evpq_stream *stream(const char *sql)
{
    return evpq_pool_stream(pool, sql, EVPQ_ARGS(), NULL);
}

/* The next rows, given (evpq_future_unref); they have to come, or the end. */
static evpq_future *next_ok(evpq_stream *s)
{
    evpq_future *f = evpq_stream_next(s);
    ck_await_ok(f);
    return f;
}

/* How many rows the next are; 0 at the end. */
static int next_rows(evpq_stream *s)
{
    evpq_future *f = next_ok(s);
    int rows = evpq_result_rows(evpq_future_result(f));
    evpq_future_unref(f);
    return rows;
}

/* Reads to the end the numbers that begin with `first`, and returns how many there were. */
static long count_up(evpq_stream *s, long first)
{
    long n = first;
    for (;;) {
        evpq_future *f = next_ok(s);
        const evpq_result *rows = evpq_future_result(f);
        for (int row = 0; row < evpq_result_rows(rows); row++, n++)
            ck_assert_int_eq(evpq_result_int8(rows, row, 0), n);
        ck_assert_ptr_null(evpq_result_fault(rows));
        bool end = !rows;
        evpq_future_unref(f);
        if (end)
            return n - first;
    }
}

/* Reads on until it fails, and returns that future: given. */
static evpq_future *read_to_failure(evpq_stream *s)
{
    evpq_future *f;
    while (evpq_await(f = evpq_stream_next(s)) == EVPQ_OK) {
        ck_assert_ptr_nonnull(evpq_future_result(f));
        evpq_future_unref(f);
    }
    return f;
}

/* The whole stream fails so, and a second time. */
static void ck_stream_fails(evpq_stream *s, evpq_status status, const char *says)
{
    for (int time = 0; time < 2; time++) {
        evpq_future *f = read_to_failure(s);
        ck_future_status(f, status);
        ck_assert_msg(strstr(evpq_error_message(evpq_future_error(f)), says) != NULL, "%s",
                      check_future_text(f));
        evpq_future_unref(f);
    }
    ck_assert_ptr_null(evpq_stream_summary(s));
    evpq_stream_close(s);
}

/* ---- what comes ---- */

START_TEST(rows_are_complete_and_in_order)
{
    enum { N = 100000 };
    open_pool(.max_size = 1);
    for (int binary = 0; binary < 2; binary++) {
        evpq_args args = EVPQ_ARGS(N);
        evpq_stream *s = evpq_pool_stream(
            pool, "select i::int8, repeat('x', i % 50) from generate_series(1, $1) i",
            binary ? evpq_binary(args) : args, &ways[_i]);
        ck_assert_int_eq(count_up(s, 1), N);
        ck_assert_int_eq(evpq_stream_rows(s), N);
        ck_assert_int_eq(evpq_result_affected(evpq_stream_summary(s)), N);
        ck_assert_int_eq(next_rows(s), 0); /* the end again */
        evpq_stream_close(s);
    }
    pools_end();
}
END_TEST

START_TEST(results_have_the_size_that_was_asked_for)
{
    open_pool();
    evpq_stream *s = evpq_pool_stream(pool, "select generate_series(1, 2500)", EVPQ_ARGS(),
                                      STREAM_OPTS(.rows = 1000));
    int largest = 0, sum = 0;
    for (int rows; (rows = next_rows(s)); sum += rows)
        largest = rows > largest ? rows : largest;
    ck_assert_int_eq(sum, 2500);
    ck_assert_int_le(largest, 1000);
    evpq_stream_close(s);
    s = evpq_pool_stream(pool, "select repeat('x', 100) from generate_series(1, 2500)", EVPQ_ARGS(),
                         STREAM_OPTS(.bytes = 1000, .rows = 1000));
    for (int rows; (rows = next_rows(s));)
        ck_assert_int_le(rows, 10);
    ck_assert_int_eq(evpq_stream_rows(s), 2500);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

START_TEST(every_value_is_as_in_a_query)
{
    static const char sql[] = "select null::text, ''::text, i, i::text || 'ä', i / 3.0, "
                              "case when i % 2 = 0 then '\\x00ff'::bytea end "
                              "from generate_series(1, 300) i";
    open_pool();
    for (int binary = 0; binary < 2; binary++) {
        evpq_args args = binary ? evpq_binary(EVPQ_ARGS()) : EVPQ_ARGS();
        evpq_future *whole = evpq_pool_query(pool, sql, args), *f;
        ck_await_ok(whole);
        const evpq_result *want = evpq_future_result(whole), *got;
        evpq_stream *s = evpq_pool_stream(pool, sql, args, &ways[_i]);
        int n = 0;
        while ((got = evpq_future_result(f = next_ok(s)))) {
            for (int row = 0; row < evpq_result_rows(got); row++, n++)
                for (int column = 0; column < 6; column++) {
                    size_t length, wanted;
                    const void *bytes = evpq_result_raw(got, row, column, &length);
                    const void *same = evpq_result_raw(want, n, column, &wanted);
                    ck_assert_uint_eq(length, wanted);
                    ck_assert(!bytes == !same);
                    if (bytes)
                        ck_assert_mem_eq(bytes, same, length + 1);
                }
            for (int column = 0; column < 6; column++) {
                ck_assert_str_eq(evpq_result_column_name(got, column),
                                 evpq_result_column_name(want, column));
                ck_assert_uint_eq(evpq_result_column_type(got, column),
                                  evpq_result_column_type(want, column));
                ck_assert_int_eq(evpq_result_column_format(got, column), binary);
            }
            evpq_future_unref(f);
        }
        evpq_future_unref(f);
        ck_assert_int_eq(n, 300);
        evpq_stream_close(s);
        evpq_future_unref(whole);
    }
    pools_end();
}
END_TEST

START_TEST(a_statement_without_rows_ends_at_once)
{
    server_exec("create table stream_written (i int unique deferrable initially deferred)");
    open_pool(.max_size = 1);
    evpq_stream *s = stream("select 1 as one where false");
    ck_assert_ptr_null(evpq_stream_summary(s));
    ck_assert_int_eq(count_up(s, 1), 0);
    ck_assert_str_eq(evpq_result_column_name(evpq_stream_summary(s), 0), "one");
    ck_assert_int_eq(evpq_result_affected(evpq_stream_summary(s)), 0);
    evpq_stream_close(s);

    s = stream("insert into stream_written select generate_series(1, 7)");
    ck_assert_int_eq(count_up(s, 1), 0);
    ck_assert_int_eq(evpq_result_affected(evpq_stream_summary(s)), 7);
    ck_assert_str_eq(evpq_result_command(evpq_stream_summary(s)), "INSERT 0 7");
    ck_assert_int_eq(server_count("select count(*) from stream_written"), 7); /* committed */
    evpq_stream_close(s);

    ck_stream_fails(stream("insert into stream_written values (1) returning i"), EVPQ_SERVER,
                    "duplicate key"); /* in the commit, after its row */

    s = stream("");
    ck_assert_int_eq(count_up(s, 1), 0);
    evpq_stream_close(s);
    server_exec("drop table stream_written");
    pools_end();
}
END_TEST

START_TEST(other_statements_have_rows_too)
{
    open_pool(.max_size = 1);
    evpq_stream *s = stream("show server_version_num");
    evpq_future *f = next_ok(s);
    ck_assert_str_eq(evpq_result_text(evpq_future_result(f), 0, 0), strf("%d", server_version()));
    evpq_future_unref(f);
    evpq_stream_close(s);
    s = stream("explain select 1");
    ck_assert_int_eq(next_rows(s), 1);
    ck_assert_int_eq(next_rows(s), 0);
    evpq_stream_close(s);
    s = stream("select from generate_series(1, 300)"); /* rows without columns */
    int n = 0;
    for (int rows; (rows = next_rows(s));)
        n += rows;
    ck_assert_int_eq(n, 300);
    evpq_stream_close(s);
    s = stream("select set_config('evpq.mark', 'left', false)");
    ck_assert_int_eq(next_rows(s), 1);
    evpq_stream_close(s);
    s = stream("set evpq.mark = 'left'"); /* reset, as after a query */
    ck_assert_int_eq(next_rows(s), 0);
    evpq_stream_close(s);
    ck_assert_str_eq(ask_text("select current_setting('evpq.mark', true)"), "");
    pools_end();
}
END_TEST

START_TEST(a_row_of_50_megabytes)
{
    enum { LARGE = 50000000, N = 600, BEFORE = 299 };
    open_pool();
    evpq_stream *s = evpq_pool_stream(pool,
                                      "select i, repeat('x', case i when 300 then $1 else 10 end) "
                                      "from generate_series(1, 600) i",
                                      EVPQ_ARGS(LARGE), &ways[_i]);
    for (int n = 0, rows = 1; rows; n += rows) {
        evpq_future *f = next_ok(s);
        const evpq_result *r = evpq_future_result(f);
        rows = evpq_result_rows(r);
        for (int row = 0; row < rows; row++) {
            ck_assert_int_eq(evpq_result_int4(r, row, 0), n + row + 1);
            ck_assert_uint_eq(evpq_result_length(r, row, 1), n + row == BEFORE ? LARGE : 10);
        }
        evpq_future_unref(f);
    }
    ck_assert_int_eq(evpq_stream_rows(s), N);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

/* ---- what is wrong ---- */

START_TEST(what_is_wrong_is_said_by_next)
{
    open_pool(.max_size = 1);
    ck_stream_fails(stream("selekt 1"), EVPQ_SERVER, "syntax error");
    ck_stream_fails(stream("select 1; select 2"), EVPQ_SERVER, "multiple commands");
    ck_stream_fails(stream("copy pg_class to stdout"), EVPQ_INVALID, "COPY");
    ck_stream_fails(stream(NULL), EVPQ_INVALID, "");
    ck_stream_fails(evpq_pool_stream(pool, "select 1", EVPQ_ARGS(), STREAM_OPTS(.rows = -1)),
                    EVPQ_INVALID, "-1 rows");
    ck_assert_ptr_null(evpq_pool_stream(NULL, "select 1", EVPQ_ARGS(), NULL));
    ck_assert_ptr_null(evpq_lease_stream(NULL, "select 1", EVPQ_ARGS(), NULL));
    evpq_future *f = evpq_stream_next(NULL);
    ck_future_status(f, EVPQ_INVALID);
    evpq_future_unref(f);
    ck_assert_ptr_null(evpq_stream_close(NULL));
    ck_assert_int_eq(evpq_stream_rows(NULL), 0);
    ck_assert_ptr_null(evpq_stream_summary(NULL));
    ck_assert_int_eq(ask("select 7"), 7);
    pools_end();
}
END_TEST

START_TEST(a_pool_that_is_closed_streams_nothing)
{
    open_pool();
    evpq_future *closed = evpq_pool_close(pool, 0);
    ck_stream_fails(stream("select 1"), EVPQ_CLOSED, "closed");
    ck_done(closed);
    pool = evpq_pool_unref(pool);
    pools_end();
}
END_TEST

START_TEST(f02_an_error_at_row_k_leaves_nothing_behind)
{
    enum { K = 5000 };
    open_pool(.max_size = 1);
    for (int time = 0; time < 3; time++) {
        evpq_stream *s = evpq_pool_stream(
            pool, "select i, 1 / ($1 - i) from (select generate_series(1, 10000) i) x",
            EVPQ_ARGS(K), &ways[_i]);
        long n = 0;
        evpq_future *f;
        while (evpq_await(f = evpq_stream_next(s)) == EVPQ_OK) {
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), n + 1);
            n += evpq_result_rows(evpq_future_result(f));
            evpq_future_unref(f);
        }
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "22012");
        ck_assert_int_eq(evpq_error_rows(evpq_future_error(f)), n);
        ck_assert_int_eq(evpq_stream_rows(s), n);
        /* libpq drops the rows of a chunk that is not complete */
        ck_assert_int_ge(n, pq_gives_chunks() && !ways[_i].bytes ? K - 1000 : K - 1);
        ck_assert_int_lt(n, K);
        evpq_future_unref(f);
        evpq_stream_close(s);
        f = query("select 8 as only");
        ck_await_ok(f);
        ck_assert_int_eq(evpq_result_rows(evpq_future_result(f)), 1);
        ck_assert_int_eq(evpq_result_columns(evpq_future_result(f)), 1);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), 8);
        evpq_future_unref(f);
    }
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

/* ---- the program is slow ---- */

static long resident_kb(void)
{
    long pages = 0, skipped;
    FILE *file = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fscanf(file, "%ld %ld", &skipped, &pages), 2);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static bool server_is_held_back(void)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and wait_event = 'ClientWrite'",
                             pools_app())) == 1;
}

START_TEST(f36_memory_stays_bounded_and_the_socket_unread)
{
    enum { WIDTH = 10000, MOST_KB = 30000 };
    const int rows_in_all = check_rounds(30000);
    open_pool();
    evpq_stream *s = evpq_pool_stream(
        pool, "select i::int8, repeat('x', $1) from generate_series(1, $2) i",
        EVPQ_ARGS(WIDTH, rows_in_all), STREAM_OPTS(.rows = 100, .bytes = ways[_i].bytes));
    int first = next_rows(s);
    ck_assert_int_gt(first, 0);
    long before = resident_kb(), most = before;
    ck_until(server_is_held_back());
    run_for(evpq_loop_ev(loop), 0.3);
    ck_assert(server_is_held_back()); /* nobody has read meanwhile */
    ck_assert_int_eq(evpq_stream_rows(s), first);
    for (int n = 0, rows; (rows = next_rows(s)); n++) {
        if (n % 50 == 0)
            run_for(evpq_loop_ev(loop), 0.01);
        if (resident_kb() > most)
            most = resident_kb();
    }
    ck_assert_int_eq(evpq_stream_rows(s), rows_in_all);
    if (RECYCLER_KEEPS) /* a sanitizer keeps what is freed */
        ck_assert_msg(most - before < MOST_KB, "%ld kB more", most - before);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

START_TEST(f34_a_stream_nobody_reads_holds_its_connection_alone)
{
    open_pool(.max_size = 2);
    evpq_stream *s = stream(ENDLESS);
    ck_until(server_is_held_back());
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(ask("select 1"), 1);
    ck_assert_int_eq(stats().leased, 1);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

START_TEST(rows_do_not_wait_for_others_that_take_long)
{
    open_pool();
    evpq_stream *s = evpq_pool_stream(
        pool, "select pg_sleep(i * 0.1), repeat('x', 9000) from generate_series(0, 3) i",
        EVPQ_ARGS(), STREAM_OPTS(.bytes = 1000000));
    ck_assert_int_lt(next_rows(s), 4);
    while (next_rows(s))
        ;
    ck_assert_int_eq(evpq_stream_rows(s), 4);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

/* ---- who gets what ---- */

START_TEST(several_may_ask_and_are_served_in_order)
{
    enum { N = 40 };
    struct seen seen[N];
    evpq_future *fs[N];
    open_pool();
    evpq_stream *s = evpq_pool_stream(pool, "select generate_series(1, 3000)", EVPQ_ARGS(),
                                      STREAM_OPTS(.rows = 100, .bytes = ways[_i].bytes));
    for (int i = 0; i < N; i++)
        seen_watch(fs[i] = evpq_stream_next(s), &seen[i]);
    ck_await_ok(fs[N - 1]);
    ck_until(seen[N - 1].calls);
    long n = 0;
    for (int i = 0; i < N; i++) {
        const evpq_result *rows = evpq_future_result(fs[i]);
        ck_assert_int_eq(seen[i].calls, 1);
        if (i)
            ck_assert_int_gt(seen[i].place, seen[i - 1].place);
        for (int row = 0; row < evpq_result_rows(rows); row++)
            ck_assert_int_eq(evpq_result_int8(rows, row, 0), ++n);
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_eq(n, 3000);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

START_TEST(no_row_is_lost_to_a_cancel)
{
    enum { N = 20000 };
    open_pool(.max_size = 1);
    evpq_stream *s = evpq_pool_stream(pool, "select generate_series(1, $1)", EVPQ_ARGS(N),
                                      STREAM_OPTS(.rows = 50));
    long n = 0;
    int unseen = 0;
    for (int i = 0; evpq_stream_rows(s) < N; i++) {
        evpq_future *canceled = evpq_stream_next(s), *late = evpq_timeout(evpq_stream_next(s), 0);
        evpq_future *f = next_ok(s);
        if (i % 3)
            evpq_future_cancel(canceled);
        if (i % 5)
            evpq_await(late);
        evpq_future_cancel(late);
        unseen += evpq_future_status(canceled) == EVPQ_OK;
        evpq_future_unref(canceled); /* nobody has looked, whatever it was done with */
        evpq_future_unref(late);
        evpq_future_unref(f);
        f = next_ok(s);
        const evpq_result *rows = evpq_future_result(f);
        for (int row = 0; row < evpq_result_rows(rows); row++)
            ck_assert_int_eq(evpq_result_int8(rows, row, 0), ++n);
        evpq_future_unref(f);
    }
    ck_assert_int_eq(n, N);
    ck_assert_int_gt(unseen, 0);
    ck_assert_int_eq(next_rows(s), 0);
    evpq_stream_close(s);
    ck_assert_uint_eq(stats().cancels, 0);
    pools_end();
}
END_TEST

/* Rows go to nobody who has let go before they came. */
START_TEST(who_lets_go_takes_no_row)
{
    open_pool();
    evpq_stream *s = evpq_pool_stream(pool, "select generate_series(1, 20)", EVPQ_ARGS(),
                                      STREAM_OPTS(.rows = 10));
    for (int i = 0; i < 3; i++)
        evpq_future_unref(evpq_stream_next(s));
    evpq_future *f = next_ok(s);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(f), 0, 0), 1);
    evpq_future_unref(f);
    evpq_future_unref(evpq_stream_next(s));
    ck_assert_int_eq(next_rows(s), 10);
    evpq_future_unref(evpq_stream_next(s));
    ck_assert_int_eq(next_rows(s), 0);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

START_TEST(results_outlive_their_stream)
{
    open_pool();
    evpq_stream *s = stream("select generate_series(1, 1000)");
    evpq_future *f = next_ok(s), *unseen = next_ok(s);
    evpq_stream_close(s);
    pools_end();
    ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), 1);
    evpq_future_unref(f);
    evpq_future_unref(unseen);
}
END_TEST

START_TEST(two_streams_take_turns)
{
    open_pool(.max_size = 2);
    evpq_stream *a = stream("select generate_series(1, 30000)");
    evpq_stream *b = stream("select generate_series(1, 30000)");
    int rows_a = 1, rows_b = 1;
    while (rows_a || rows_b) {
        rows_a = next_rows(a);
        rows_b = next_rows(b);
    }
    ck_assert_int_eq(evpq_stream_rows(a), 30000);
    ck_assert_int_eq(evpq_stream_rows(b), 30000);
    evpq_stream_close(a);
    evpq_stream_close(b);
    pools_end();
}
END_TEST

/* ---- giving up ---- */

START_TEST(f35_an_abandoned_stream_gives_its_place_back)
{
    open_pool(.max_size = 1, .cancel_timeout = 30);
    for (int after = 0; after < 4; after++) {
        evpq_stream *s = stream(ENDLESS);
        for (int i = 0; i < after; i++)
            ck_assert_int_gt(next_rows(s), 0);
        if (after == 3)
            ck_until(server_is_held_back());
        double since = ev_time();
        evpq_stream_close(s);
        ck_assert_int_eq(ask("select 1"), 1);
        ck_assert(ev_time() - since < 5); /* to read it to its end takes minutes */
    }
    ck_assert_uint_eq(stats().connects, 1);
    ck_assert_uint_eq(stats().lost, 0);
    pools_end();
}
END_TEST

START_TEST(closing_tells_who_waits)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_stream *s = stream("select 1");
    evpq_future *f = evpq_stream_next(s), *g = evpq_stream_next(s);
    evpq_stream_close(s); /* before it has a connection */
    ck_failed(f, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(g, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(stats().waiting, 0);
    evpq_lease_release(lease);
    ck_quiet();
    s = stream("select pg_sleep(60)");
    f = evpq_stream_next(s);
    ck_running(1);
    evpq_stream_close(s);
    ck_failed(f, EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN);
    ck_assert_int_eq(ask("select 2"), 2);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(waiting_for_a_connection_ends_too)
{
    open_pool(.max_size = 1, .acquire_timeout = 0.05, .query_timeout = 0.2);
    ck_done(evpq_pool_connect(pool));
    evpq_lease *lease = lease_get();
    ck_stream_fails(stream("select 1"), EVPQ_TIMEOUT, "no connection became free");
    evpq_lease_release(lease);
    evpq_stream *s = stream("select pg_sleep(0.4)"); /* query_timeout is not for streams */
    ck_assert_int_eq(next_rows(s), 1);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

/* A next's callback that closes its stream, where others of its kind wait. */
struct closer {
    evpq_stream *stream;
    evpq_future *others[3];
    struct seen seen[3];
    bool close_pool;
    int calls;
};

static void close_it(evpq_future *f, void *arg)
{
    struct closer *c = arg;
    (void)f;
    if (c->calls++)
        return;
    c->stream = evpq_stream_close(c->stream);
    if (c->close_pool)
        evpq_future_unref(evpq_pool_close(pool, 0));
}

START_TEST(f42_a_stream_may_be_closed_in_a_callback)
{
    static const char *const sqls[] = {ENDLESS, "select generate_series(1, 700)", "select 1 / 0",
                                       "select 1 where false"};
    open_pool(.max_size = 1);
    struct closer c = {.stream = evpq_pool_stream(pool, sqls[_i / 2], EVPQ_ARGS(),
                                                  STREAM_OPTS(.bytes = _i % 2 ? 5000 : 0))};
    evpq_future *f = evpq_stream_next(c.stream);
    ck_assert_int_eq(evpq_future_on_done(f, close_it, &c), EVPQ_OK);
    evpq_future_unref(f);
    for (int i = 0; i < 3; i++)
        seen_watch(c.others[i] = evpq_stream_next(c.stream), &c.seen[i]);
    ck_until(c.calls && c.seen[0].calls && c.seen[1].calls && c.seen[2].calls);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(c.seen[i].calls, 1);
        evpq_future_unref(c.others[i]);
    }
    ck_assert_int_eq(ask("select 3"), 3);
    pools_end();
}
END_TEST

START_TEST(f42_the_pool_may_be_closed_in_a_callback)
{
    open_pool(.max_size = 2);
    struct closer c = {.stream = stream(ENDLESS), .close_pool = true};
    evpq_stream *other = stream(ENDLESS);
    evpq_future *f = evpq_stream_next(c.stream);
    ck_assert_int_eq(evpq_future_on_done(f, close_it, &c), EVPQ_OK);
    evpq_future_unref(f);
    f = read_to_failure(other);
    ck_future_status(f, EVPQ_CLOSED);
    ck_assert_int_eq(evpq_error_rows(evpq_future_error(f)), evpq_stream_rows(other));
    evpq_future_unref(f);
    evpq_stream_close(other);
    ck_done(evpq_pool_close(pool, 0));
    pool = evpq_pool_unref(pool);
    pools_end();
}
END_TEST

START_TEST(a_pool_that_is_let_go_of_ends_after_its_streams)
{
    open_pool(.max_size = 1);
    evpq_stream *s = stream("select generate_series(1, 5000)");
    evpq_future *closed = evpq_pool_close(pool, -1);
    pool = evpq_pool_unref(pool);
    ck_assert_int_eq(count_up(s, 1), 5000);
    ck_done(closed);
    evpq_stream_close(s);
    pools_end();
}
END_TEST

/* ---- on a lease ---- */

START_TEST(a_stream_is_part_of_the_transaction)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    exec_on(lease, "create temp table mine as select generate_series(1, 1000) i");
    exec_on(lease, "begin");
    evpq_stream *s = evpq_lease_stream(lease, "delete from mine where i <= 600 returning i",
                                       EVPQ_ARGS(), &ways[_i]);
    ck_assert_int_eq(count_up(s, 1), 600);
    evpq_stream_close(s);
    ck_assert_int_eq(ask_on(lease, "select count(*) from mine"), 400);
    s = evpq_lease_stream(lease, "select 1 / (10 - i) from generate_series(1, 100) i", EVPQ_ARGS(),
                          NULL);
    ck_stream_fails(s, EVPQ_SERVER, "division by zero");
    ck_stream_fails(evpq_lease_stream(lease, "select 1", EVPQ_ARGS(), NULL), EVPQ_SERVER,
                    "transaction is aborted");
    exec_on(lease, "rollback");
    ck_assert_int_eq(ask_on(lease, "select count(*) from mine"), 1000);
    exec_on(lease, "begin");
    exec_on(lease, "declare c cursor for select i from mine order by i");
    for (int i = 0; i < 3; i++) {
        s = evpq_lease_stream(lease, "fetch 300 from c", EVPQ_ARGS(), &ways[_i]);
        ck_assert_int_eq(count_up(s, 300 * i + 1), 300);
        evpq_stream_close(s);
    }
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

START_TEST(what_is_asked_behind_a_stream_waits_for_it)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *before = query_on(lease, "select 1");
    evpq_stream *s = evpq_lease_stream(lease, ENDLESS, EVPQ_ARGS(), NULL);
    evpq_stream *t = evpq_lease_stream(lease, "select generate_series(1, 1000)", EVPQ_ARGS(), NULL);
    evpq_future *behind = query_on(lease, "select 5"), *of_t = evpq_stream_next(t);
    ck_done(before);
    ck_assert_int_gt(next_rows(s), 0);
    ck_until(server_is_held_back());
    ck_future_pending(behind);
    ck_future_pending(of_t);
    evpq_stream_close(s); /* the server stops, and what was behind is none the worse */
    ck_await_ok(of_t);
    evpq_future_unref(of_t); /* which goes back, as nobody has looked */
    ck_assert_int_eq(count_up(t, 1), 1000);
    evpq_stream_close(t);
    ck_await_ok(behind);
    ck_assert_int_eq(evpq_result_int4(evpq_future_result(behind), 0, 0), 5);
    evpq_future_unref(behind);
    evpq_lease_release(lease);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(a_lease_may_be_released_before_its_stream_is_over)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_stream *s = evpq_lease_stream(lease, "select generate_series(1, 5000)", EVPQ_ARGS(), NULL);
    evpq_lease_release(lease);
    ck_assert_int_eq(count_up(s, 1), 5000);
    evpq_stream_close(s);
    ck_quiet();
    lease = lease_get();
    s = evpq_lease_stream(lease, ENDLESS, EVPQ_ARGS(), NULL);
    ck_assert_int_gt(next_rows(s), 0);
    evpq_lease_release(lease);
    evpq_stream_close(s);
    ck_assert_int_eq(ask("select 6"), 6);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

START_TEST(a_lease_without_connection_streams_nothing)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    server_kill_backends(pools_app());
    evpq_stream *s = evpq_lease_stream(lease, "select 1", EVPQ_ARGS(), NULL);
    evpq_future_unref(read_to_failure(s));
    evpq_stream_close(s);
    ck_stream_fails(evpq_lease_stream(lease, "select 1", EVPQ_ARGS(), NULL), EVPQ_LOST, "");
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- prepared ---- */

START_TEST(a_text_that_comes_again_is_prepared)
{
    server_exec("create table stream_wide as select generate_series(1, 300) i");
    open_pool(.max_size = 1);
    const char *sql = "select * from stream_wide order by i";
    for (int time = 0; time < 5; time++) {
        evpq_stream *s = stream(sql);
        ck_assert_int_eq(count_up(s, 1), 300);
        evpq_stream_close(s);
        if (time == 3) /* its result type changes: it is planned anew */
            server_exec("alter table stream_wide add column j int");
    }
    ck_assert_int_eq(ask("select count(*) from pg_prepared_statements where statement like "
                         "'%stream_wide order%' and name like 'evpq%'"),
                     0); /* dropped with the plan */
    evpq_stream *s = stream(sql);
    ck_assert_int_eq(count_up(s, 1), 300);
    evpq_stream_close(s);
    ck_assert_uint_eq(stats().lost, 0);
    server_exec("drop table stream_wide");
    pools_end();
}
END_TEST

/* ---- accidents ---- */

/* It is lost midway; then the pool is as before. */
static void ck_stream_is_lost(evpq_stream *s)
{
    evpq_future *f = read_to_failure(s);
    ck_future_status(f, EVPQ_LOST);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_int_eq(evpq_error_rows(evpq_future_error(f)), evpq_stream_rows(s));
    ck_assert_int_gt(evpq_stream_rows(s), 0);
    evpq_future_unref(f);
    evpq_stream_close(s);
}

START_TEST(the_server_process_dies_midway)
{
    open_pool(.max_size = 1, .backoff_min = 0.01);
    evpq_lease *lease = lease_get();
    int pid = evpq_lease_backend_pid(lease);
    evpq_stream *s = evpq_lease_stream(lease, ENDLESS, EVPQ_ARGS(), NULL);
    ck_assert_int_gt(next_rows(s), 0);
    if (_i)
        server_kill9(pid);
    else
        server_kill_backends(pools_app());
    ck_stream_is_lost(s);
    evpq_lease_release(lease);
    server_wait_up();
    ck_assert_int_eq(ask("select 9"), 9);
    pools_end();
}
END_TEST

START_TEST(the_link_is_cut_midway)
{
    struct proxy *proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .backoff_min = 0.01);
    for (int i = 0; i < 4; i++) {
        evpq_stream *s = stream(ENDLESS);
        ck_assert_int_gt(next_rows(s), 0);
        if (i < 2)
            proxy_arm_after(proxy, PROXY_TO_CLIENT, 100000, i ? PROXY_CUT : PROXY_RESET);
        else if (i == 2)
            proxy_cut(proxy);
        else
            proxy_reset(proxy);
        ck_stream_is_lost(s);
        ck_assert_int_eq(ask("select 4"), 4);
    }
    pools_end();
    proxy_stop(proxy);
}
END_TEST

/* ---- in a task ---- */

static evpq_future *read_in_task(evpq_task *self, void *arg)
{
    (void)self;
    long *sum = arg;
    evpq_stream *s = stream("select generate_series(1, 10000)");
    evpq_future *f;
    const evpq_result *rows;
    while (evpq_await(f = evpq_stream_next(s)) == EVPQ_OK && (rows = evpq_future_result(f))) {
        for (int row = 0; row < evpq_result_rows(rows); row++)
            *sum += evpq_result_int4(rows, row, 0);
        evpq_future_unref(f);
    }
    evpq_stream_close(s);
    return f;
}

static void close_stream(void *s)
{
    evpq_stream_close(s);
}

static evpq_future *read_for_ever(evpq_task *self, void *arg)
{
    (void)arg;
    evpq_stream *s = stream("select pg_sleep(0.01) from generate_series(1, 1000000)");
    ck_assert_int_eq(evpq_task_defer(self, close_stream, s), EVPQ_OK);
    return read_to_failure(s);
}

START_TEST(tasks_read_streams)
{
    long sums[3] = {0};
    evpq_future *fs[3];
    open_pool(.max_size = 2);
    for (int i = 0; i < 3; i++)
        fs[i] = spawn(read_in_task, &sums[i]);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(outcome(fs[i]), EVPQ_OK);
        ck_assert_int_eq(sums[i], 50005000);
    }
    ck_assert_int_eq(
        outcome(evpq_task_spawn(loop, read_for_ever, NULL, TASK_OPTS(.deadline = 0.1))),
        EVPQ_TIMEOUT);
    evpq_future *f = spawn(read_for_ever, NULL);
    ck_running(1);
    evpq_future_cancel(f);
    ck_assert_int_eq(outcome(f), EVPQ_CANCELED);
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- a forked child ---- */

static evpq_stream *parents;

static void use_the_parents(void)
{
    evpq_future *f = evpq_stream_next(parents);
    ck_future_status(f, EVPQ_FORKED);
    evpq_future_unref(f);
    evpq_stream *s = stream("select 1");
    f = evpq_stream_next(s);
    ck_future_status(f, EVPQ_FORKED);
    evpq_future_unref(f);
    evpq_stream_close(parents);
}

START_TEST(f47_a_forked_child_leaves_its_parents_streams_alone)
{
    open_pool();
    parents = stream("select generate_series(1, 5000)");
    evpq_future *f = next_ok(parents);
    child_run(use_the_parents, _exit);
    evpq_future_unref(f); /* back it goes */
    ck_assert_int_eq(count_up(parents, 1), 5000);
    evpq_stream_close(parents);
    pools_end();
}
END_TEST

/* ---- no memory ---- */

/* While memory fails nothing of Check may be called. Whether all `want` rows came, and the end. */
static bool read_somehow(int want, const evpq_stream_opts *opts, bool *ret_in_order)
{
    evpq_stream *s = evpq_pool_stream(pool, "select generate_series(1, $1)", EVPQ_ARGS(want), opts);
    int n = 0, failures = 0;
    bool end = false;
    while (!end && failures < 2) { /* a call may be the one that has no memory */
        evpq_future *f = evpq_stream_next(s);
        failures += evpq_await(f) != EVPQ_OK;
        const evpq_result *rows = evpq_future_result(f);
        end = evpq_future_status(f) == EVPQ_OK && !rows;
        for (int row = 0; row < evpq_result_rows(rows); row++)
            *ret_in_order &= evpq_result_int4(rows, row, 0) == ++n;
        evpq_future_unref(f);
    }
    evpq_stream_close(s);
    return end && n == want;
}

START_TEST(no_memory_costs_the_stream_at_most)
{
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.max_size = 1;
    opts.backoff_min = 0.001;
    opts.backoff_max = 0.005;
    loop = evpq_loop_new(NULL); /* without pools.h, whose looks at every turn allocate */
    pool = evpq_pool_open(loop, server_conninfo(SERVER_UNIX, NULL), &opts, NULL);
    ck_assert_ptr_nonnull(pool);
    ck_assert_int_eq(ask("select 1"), 1);
    EACH_ALLOCATION(n, failed) {
        bool in_order = true;
        oom_fail_at(n);
        bool whole = read_somehow(ways[_i].rows == 1 ? 20 : 2000, &ways[_i], &in_order);
        failed = oom_end();
        ck_assert(in_order);
        ck_assert(whole || failed);
        ck_assert_int_eq(ask("select 42"), 42);
        ck_quiet();
    }
    ck_done(evpq_timeout(evpq_pool_close(pool, 5), 10));
    pool = evpq_pool_unref(pool);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
}
END_TEST

START_TEST(no_memory_to_refuse_a_stream_leaves_nothing)
{
    const evpq_stream_opts wrong = {.size = sizeof wrong, .rows = -1};
    long tries = 0;
    open_pool(.max_size = 1);
    long before = oom_blocks();
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        evpq_stream *s = evpq_pool_stream(pool, "select 1", EVPQ_ARGS(), &wrong);
        failed = oom_end();
        evpq_stream_close(s);
        tries++;
    }
    long after = oom_blocks();
    ck_assert_int_eq(after, before);
    ck_assert_int_gt(tries, 2);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("streams");
    CHECK_ADD_LOOP(c, rows_are_complete_and_in_order, WAYS);
    CHECK_ADD(c, results_have_the_size_that_was_asked_for);
    CHECK_ADD_LOOP(c, every_value_is_as_in_a_query, WAYS);
    CHECK_ADD(c, a_statement_without_rows_ends_at_once);
    CHECK_ADD(c, other_statements_have_rows_too);
    CHECK_ADD_LOOP(c, a_row_of_50_megabytes, WAYS);
    CHECK_ADD(c, what_is_wrong_is_said_by_next);
    CHECK_ADD(c, a_pool_that_is_closed_streams_nothing);
    CHECK_ADD_LOOP(c, f02_an_error_at_row_k_leaves_nothing_behind, WAYS);
    CHECK_ADD_LOOP(c, f36_memory_stays_bounded_and_the_socket_unread, WAYS - 1);
    CHECK_ADD(c, f34_a_stream_nobody_reads_holds_its_connection_alone);
    CHECK_ADD(c, rows_do_not_wait_for_others_that_take_long);
    CHECK_ADD_LOOP(c, several_may_ask_and_are_served_in_order, WAYS);
    CHECK_ADD(c, no_row_is_lost_to_a_cancel);
    CHECK_ADD(c, who_lets_go_takes_no_row);
    CHECK_ADD(c, results_outlive_their_stream);
    CHECK_ADD(c, two_streams_take_turns);
    CHECK_ADD(c, f35_an_abandoned_stream_gives_its_place_back);
    CHECK_ADD(c, closing_tells_who_waits);
    CHECK_ADD(c, waiting_for_a_connection_ends_too);
    CHECK_ADD_LOOP(c, f42_a_stream_may_be_closed_in_a_callback, 8);
    CHECK_ADD(c, f42_the_pool_may_be_closed_in_a_callback);
    CHECK_ADD(c, a_pool_that_is_let_go_of_ends_after_its_streams);
    CHECK_ADD_LOOP(c, a_stream_is_part_of_the_transaction, WAYS);
    CHECK_ADD(c, what_is_asked_behind_a_stream_waits_for_it);
    CHECK_ADD(c, a_lease_may_be_released_before_its_stream_is_over);
    CHECK_ADD(c, a_lease_without_connection_streams_nothing);
    CHECK_ADD(c, a_text_that_comes_again_is_prepared);
    CHECK_ADD_LOOP(c, the_server_process_dies_midway, 2);
    CHECK_ADD(c, the_link_is_cut_midway);
    CHECK_ADD(c, tasks_read_streams);
    CHECK_ADD(c, f47_a_forked_child_leaves_its_parents_streams_alone);
    CHECK_ADD_LOOP(c, no_memory_costs_the_stream_at_most, WAYS);
    CHECK_ADD(c, no_memory_to_refuse_a_stream_leaves_nothing);
    return check_end(c);
}
