/* test_value_interval.c - intervals as interval_out writes them, there and back, and what is none.
 */
#include "values/value_interval.h"

#include "support/check.h"

#include <string.h>

static const struct {
    evpq_interval interval;
    const char *text;
} cases[] = {
    {{0, 0, 0}, "00:00:00"},
    {{0, 0, 1}, "00:00:00.000001"},
    {{0, 0, -1}, "-00:00:00.000001"},
    {{0, 1, 0}, "1 day"},
    {{0, -1, 0}, "-1 days"},
    {{1, 0, 0}, "1 mon"},
    {{12, 0, 0}, "1 year"},
    {{14, 3, 14706789000}, "1 year 2 mons 3 days 04:05:06.789"},
    {{-14, 3, -14706789000}, "-1 years -2 mons +3 days -04:05:06.789"},
    {{12, -1, 1000000}, "1 year -1 days +00:00:01"},
    {{0, 0, 90000000000}, "25:00:00"},
    {{INT32_MIN, INT32_MIN, 0}, "-178956970 years -8 mons -2147483648 days"},
    {{INT32_MAX, INT32_MAX, 0}, "178956970 years 7 mons 2147483647 days"},
    {{0, 0, INT64_MAX}, "2562047788:00:54.775807"},
    {{0, 0, INT64_MIN}, "-2562047788:00:54.775808"},
    {{INT32_MAX, INT32_MAX, INT64_MAX}, "infinity"},
    {{INT32_MIN, INT32_MIN, INT64_MIN}, "-infinity"},
};

static void check_same(const evpq_interval *a, const evpq_interval *b, const char *text)
{
    ck_assert_msg(
        a->months == b->months && a->days == b->days && a->microseconds == b->microseconds,
        "%s is read as %d, %d, %lld", text, a->months, a->days, (long long)a->microseconds);
}

START_TEST(text_there_and_back)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char room[INTERVAL_ROOM];
        evpq_interval back = {7, 7, 7};
        size_t length = interval_write(&cases[i].interval, room);
        ck_assert_str_eq(room, cases[i].text);
        ck_assert_uint_eq(length, strlen(room));
        ck_assert_int_eq(interval_read(room, length, &back), VALUE_FITS);
        check_same(&back, &cases[i].interval, room);
    }
}
END_TEST

START_TEST(the_longest_has_room)
{
    char room[INTERVAL_ROOM];
    const evpq_interval longest = {INT32_MIN, INT32_MIN, INT64_MIN + 1};
    ck_assert_uint_lt(interval_write(&longest, room), INTERVAL_ROOM);
    ck_assert_str_eq(room, "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807");
}
END_TEST

START_TEST(binary_is_three_counts)
{
    evpq_interval i = interval_of_binary("\0\0\0\0\0\0\0\1\xff\xff\xff\xfe\0\0\0\3");
    const evpq_interval want = {3, -2, 1};
    check_same(&i, &want, "the binary one");
}
END_TEST

START_TEST(what_is_none_is_refused)
{
    static const struct {
        const char *text;
        enum value_fit fit;
    } bad[] = {
        {"", VALUE_MALFORMED},
        {"1", VALUE_MALFORMED},
        {"1 ", VALUE_MALFORMED},
        {"1 week", VALUE_MALFORMED},
        {"1 day ", VALUE_MALFORMED},
        {"1 dayss", VALUE_MALFORMED},
        {"1 day 1 year", VALUE_MALFORMED},
        {"1 day 1 day", VALUE_MALFORMED},
        {"P1D", VALUE_MALFORMED},
        {"@ 1 day", VALUE_MALFORMED},
        {"1-2", VALUE_MALFORMED},
        {"00:00", VALUE_MALFORMED},
        {"00:60:00", VALUE_MALFORMED},
        {"00:00:00 ", VALUE_MALFORMED},
        {"00:00:00.0000001", VALUE_MALFORMED},
        {"--1 days", VALUE_MALFORMED},
        {"2562047788:00:54.775808", VALUE_MALFORMED},
        {"9999999999:00:00", VALUE_MALFORMED},
        {"2147483648 days", VALUE_RANGE},
        {"178956970 years 8 mons", VALUE_RANGE},
        {"9999999999 years", VALUE_RANGE},
        {"infinity 1 day", VALUE_MALFORMED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_interval none = {7, 7, 7};
        ck_assert_msg(interval_read(bad[i].text, strlen(bad[i].text), &none) == bad[i].fit,
                      "\"%s\"", bad[i].text);
        ck_assert_int_eq(none.days, 7);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_interval");
    CHECK_ADD(c, text_there_and_back);
    CHECK_ADD(c, the_longest_has_room);
    CHECK_ADD(c, binary_is_three_counts);
    CHECK_ADD(c, what_is_none_is_refused);
    return check_end(c);
}
