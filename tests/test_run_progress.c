/*
 * The progress line of evpq-run (examples/evpq-run/progress.h).
 */
#include <string.h>
#include <unistd.h>

#include "../examples/evpq-run/progress.h"
#include "support/check.h"

static const char *line(struct progress_now now, int width)
{
    static struct buf b;

    buf_clear(&b);
    progress_format(&b, &now, width);
    return buf_string(&b);
}

static const struct progress_now half = {.started = 1008,
                                         .ended = 1000,
                                         .failed = 3,
                                         .in_flight = 8,
                                         .consumed = 504,
                                         .total = 1000,
                                         .elapsed = 2};

START_TEST(of_a_file)
{
    ck_assert_str_eq(line(half, 120), "[###############...............]  50%  "
                                      "1000/~2000  3 failed  8 in flight  500/s  ETA 0:02");
}
END_TEST

START_TEST(of_a_pipe)
{
    struct progress_now now = half;

    now.total = -1;
    now.failed = 0;
    ck_assert_str_eq(line(now, 80), "1000 done  8 in flight  500/s  0:02");
}
END_TEST

START_TEST(when_all_is_read)
{
    struct progress_now now = half;

    now.total = -1;
    now.all_read = true;
    now.started = 2000;
    now.elapsed = 3600;
    ck_assert_str_eq(line(now, 100), "[###############...............]  50%  "
                                     "1000/2000  3 failed  8 in flight  0/s  ETA 1:00:00");
    now.started = now.ended = now.failed = now.in_flight = 0;
    now.elapsed = 0;
    ck_assert_ptr_nonnull(strstr(line(now, 100), "100%  0/0  0 in flight"));
}
END_TEST

START_TEST(before_anything)
{
    struct progress_now now = {.total = 100};

    ck_assert_str_eq(line(now, 80),
                     "[..............................]   0%  0 done  0 in flight  0:00");
    now.total = 0;
    ck_assert_ptr_nonnull(strstr(line(now, 80), "0 in flight"));
}
END_TEST

START_TEST(while_stopping)
{
    struct progress_now now = half;

    now.stopping = true;
    ck_assert_ptr_nonnull(strstr(line(now, 120), "stopping"));
    ck_assert_ptr_null(strstr(line(now, 120), "ETA"));
}
END_TEST

START_TEST(never_wider_than_the_terminal)
{
    for (int width = 0; width < 200; width++) {
        struct progress_now now = half;

        ck_assert_uint_lt(strlen(line(now, width)), width > 0 ? (size_t)width : 1);
        now.ended = now.started = 2000000000;
        now.consumed = 1;
        now.total = INT64_MAX / 2;
        now.elapsed = 1e300;
        ck_assert_uint_lt(strlen(line(now, width)), width > 0 ? (size_t)width : 1);
    }
    ck_assert_ptr_null(strchr(line(half, 60), '#'));
    ck_assert_ptr_nonnull(strchr(line(half, 80), '#'));
}
END_TEST

static size_t drawn(int fd)
{
    char room[4096];
    ssize_t n = read(fd, room, sizeof room);

    return n > 0 ? (size_t)n : 0;
}

START_TEST(redraws_at_most_ten_times_a_second)
{
    int ends[2];
    struct progress p;
    struct progress_now now = half;
    int draws = 0;

    ck_assert_int_eq(pipe(ends), 0);
    p = (struct progress){.fd = ends[1]};
    for (int ms = 0; ms < 1000; ms++) {
        bool before = p.shown;
        double at = p.drawn_at;

        now.elapsed = ms / 1000.0;
        progress_draw(&p, &now);
        draws += !before || p.drawn_at > at;
    }
    ck_assert_int_ge(draws, 10);
    ck_assert_int_le(draws, 12);
    ck_assert_uint_gt(drawn(ends[0]), 0);
    progress_wipe(&p);
    ck_assert(!p.shown);
    ck_assert_uint_eq(drawn(ends[0]), strlen("\r\033[K"));
    progress_draw(&p, &now);
    ck_assert(p.shown);
    progress_free(&p);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(silent_without_a_terminal)
{
    struct progress p = {.fd = -1};

    progress_draw(&p, &half);
    progress_wipe(&p);
    ck_assert(!p.shown);
    progress_free(&p);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("run_progress");

    CHECK_ADD(c, of_a_file);
    CHECK_ADD(c, of_a_pipe);
    CHECK_ADD(c, when_all_is_read);
    CHECK_ADD(c, before_anything);
    CHECK_ADD(c, while_stopping);
    CHECK_ADD(c, never_wider_than_the_terminal);
    CHECK_ADD(c, redraws_at_most_ten_times_a_second);
    CHECK_ADD(c, silent_without_a_terminal);
    return check_end(c);
}
