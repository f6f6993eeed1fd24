/*
 * The summary of evpq-run (examples/evpq-run/stats.h): percentiles against a sorted array, counts
 * in bounded room.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/evpq-run/stats.h"
#include "support/check.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double time_of(const char *kind)
{
    double u = (double)rand() / RAND_MAX;

    if (strcmp(kind, "flat") == 0)
        return 0.000001 + u * 0.01;
    return 0.00002 / (1.0001 - u); /* a long tail */
}

static void ck_percentiles(const char *kind, size_t n)
{
    static const double shares[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};
    static struct stats s;
    double *times = malloc(n * sizeof *times);

    memset(&s, 0, sizeof s);
    for (size_t i = 0; i < n; i++) {
        times[i] = time_of(kind);
        stats_attempt(&s, times[i]);
    }
    qsort(times, n, sizeof *times, by_value);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        size_t rank = (size_t)(shares[i] * (double)n);
        double got = stats_percentile(&s, shares[i]), want;

        rank += (double)rank < shares[i] * (double)n || rank == 0;
        want = times[rank - 1];
        ck_assert_msg(got >= want - 0.6e-6 && got <= want * (1 + 1.0 / 64) + 1.1e-6,
                      "%s, %zu times: share %g is %.7f, not %.7f", kind, n, shares[i], got, want);
    }
    free(times);
}

START_TEST(percentiles_match_a_sorted_array)
{
    static const size_t sizes[] = {1, 2, 3, 10, 99, 100, 101, 20000};

    srand(3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ck_percentiles("flat", sizes[i]);
        ck_percentiles("tail", sizes[i]);
    }
}
END_TEST

START_TEST(extremes_find_a_place)
{
    static struct stats s;

    ck_assert(stats_percentile(&s, 0.5) == 0);
    stats_attempt(&s, -1);
    stats_attempt(&s, 0);
    ck_assert(stats_percentile(&s, 1) == 0);
    stats_attempt(&s, 1e9);
    ck_assert(stats_percentile(&s, 0.5) == 0);
    ck_assert(stats_percentile(&s, 1) > 1e6);
    ck_assert_int_eq(s.attempts, 3);
}
END_TEST

START_TEST(small_times_are_exact)
{
    for (int us = 0; us < 128; us++) {
        static struct stats s;

        memset(&s, 0, sizeof s);
        stats_attempt(&s, us / 1e6);
        stats_attempt(&s, 1);
        ck_assert(stats_percentile(&s, 0.5) == us / 1e6);
    }
}
END_TEST

START_TEST(failure_kinds_are_bounded)
{
    static struct stats s;
    char code[16];
    long total = 0;

    for (int i = 0; i < 200; i++) {
        snprintf(code, sizeof code, "E%d", i);
        stats_failure(&s, code);
        stats_failure(&s, "E0");
    }
    ck_assert_int_eq(s.failed, 400);
    ck_assert_int_eq(s.kind_count, STATS_KINDS);
    ck_assert_str_eq(s.kinds[0].code, "E0");
    ck_assert_int_eq(s.kinds[0].count, 201);
    ck_assert_str_eq(s.kinds[STATS_KINDS - 1].code, "other");
    for (int i = 0; i < s.kind_count; i++)
        total += s.kinds[i].count;
    ck_assert_int_eq(total, 400);
}
END_TEST

START_TEST(times_for_people)
{
    static const struct {
        double seconds;
        const char *want;
    } cases[] = {
        {0, "0 us"},           {0.000412, "412 us"},
        {0.0009994, "999 us"}, {0.0009996, "1.00 ms"},
        {0.00325, "3.25 ms"},  {0.25, "250 ms"},
        {0.9996, "1.00 s"},    {1.5, "1.50 s"},
        {59.99, "59.99 s"},    {59.999, "1 min 00 s"},
        {125.4, "2 min 05 s"}, {7199.7, "120 min 00 s"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = {0};

        stats_time(&b, cases[i].seconds);
        ck_assert_str_eq(buf_string(&b), cases[i].want);
        buf_free(&b);
    }
}
END_TEST

START_TEST(summaries)
{
    static struct stats s;
    struct buf b = {0};

    s.started = 4;
    s.done = 1;
    s.retries = 1;
    for (int i = 0; i < 4; i++)
        stats_attempt(&s, 0.001);
    stats_failure(&s, "23505");
    stats_failure(&s, "lost");
    stats_failure(&s, "lost");
    stats_summary(&s, 0.002, 2, &b);
    ck_assert_str_eq(buf_string(&b),
                     "  statements 4: 1 done, 3 failed, 1 retry\n"
                     "  failures   lost 2, 23505 1\n"
                     "  latency    p50 1.00 ms, p90 1.00 ms, p99 1.00 ms, max 1.00 ms\n"
                     "  time       2.00 ms, 2000 statements/s, overlap 2.0 x on 2 connections\n");
    buf_free(&b);
}
END_TEST

START_TEST(summary_of_nothing)
{
    static struct stats s;
    struct buf b = {0};

    stats_summary(&s, 0, 1, &b);
    ck_assert_str_eq(buf_string(&b), "  statements 0: 0 done, 0 failed\n  time       0 us\n");
    buf_free(&b);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("run_stats");

    CHECK_ADD(c, percentiles_match_a_sorted_array);
    CHECK_ADD(c, extremes_find_a_place);
    CHECK_ADD(c, small_times_are_exact);
    CHECK_ADD(c, failure_kinds_are_bounded);
    CHECK_ADD(c, times_for_people);
    CHECK_ADD(c, summaries);
    CHECK_ADD(c, summary_of_nothing);
    return check_end(c);
}
