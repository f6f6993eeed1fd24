/* test_value_time.c - dates and timestamps, in text and in the server's count from 2000. */
#include "values/value_time.h"

#include "support/check.h"

#include <stdint.h>
#include <string.h>

#define US INT64_C(1000000)
#define DAY (86400 * US)
#define TO_2000 INT64_C(946684800)

static const struct {
    const char *text;
    int32_t days;
} dates[] = {
    {"1970-01-01", 0},
    {"1969-12-31", -1},
    {"2000-01-01", 10957},
    {"1999-12-31", 10956},
    {"2000-02-29", 11016},
    {"1900-03-01", -25508},
    {"2024-02-29", 19782},
    {"0001-01-01", -719162},
    {"0001-12-31 BC", -719163},
    {"0001-02-29 BC", -719469},
    {"9999-12-31", 2932896},
    {"10000-01-01", 2932897},
    {"4714-11-24 BC", -2440588},   /* Julian day 0, the least there is */
    {"5874897-12-31", 2145042905}, /* the greatest */
    {"infinity", INT32_MAX},
    {"-infinity", INT32_MIN},
};

static int32_t from_2000(int32_t days)
{
    return days == INT32_MAX || days == INT32_MIN ? days : days - 10957;
}

START_TEST(dates_are_read_and_written)
{
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        int32_t days = 77;
        char room[TIME_ROOM];
        ck_assert_msg(time_read_date(dates[i].text, strlen(dates[i].text), &days) == VALUE_FITS,
                      "%s", dates[i].text);
        ck_assert_msg(days == dates[i].days, "%s is day %d", dates[i].text, days);
        ck_assert_int_eq(time_unix_date(from_2000(dates[i].days), &days), VALUE_FITS);
        ck_assert_int_eq(days, dates[i].days);
        size_t length = time_write_date(from_2000(dates[i].days), room);
        ck_assert_str_eq(room, dates[i].text);
        ck_assert_uint_eq(length, strlen(room));
    }
}
END_TEST

START_TEST(each_day_of_four_centuries_comes_back)
{
    for (int32_t day = -200000; day < 200000; day++) {
        char room[TIME_ROOM];
        int32_t back;
        size_t length = time_write_date(day, room);
        ck_assert_int_eq(time_read_date(room, length, &back), VALUE_FITS);
        ck_assert_int_eq(back, day + 10957);
    }
}
END_TEST

START_TEST(what_is_no_iso_date_is_refused)
{
    static const char *const bad[] = {
        "",
        "2024",
        "01/02/2024",
        "02.01.2024",
        "01-02-2024",
        "2024-1-02",
        "2024-01-2",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-01-32",
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "0000-01-01",
        "2024-01-02 ",
        " 2024-01-02",
        "2024-01-02 AD",
        "2024-01-02BC",
        "-2024-01-02",
        "Infinity",
        "2024-01-02 BCE",
        "12345678-01-01",
        "Tue Jan 02 2024",
        "+infinity",
    };
    int32_t days = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(time_read_date(bad[i], strlen(bad[i]), &days) == VALUE_MALFORMED,
                      "\"%s\" was read as day %d", bad[i], days);
    ck_assert_int_eq(days, 77);
}
END_TEST

START_TEST(dates_out_of_range_are_refused)
{
    int32_t days = 77;
    ck_assert_int_eq(time_read_date("9999999-01-01", 13, &days), VALUE_RANGE);
    ck_assert_int_eq(time_unix_date(INT32_MAX - 1, &days), VALUE_RANGE);
    ck_assert_int_eq(time_unix_date(INT32_MAX - 10957, &days), VALUE_RANGE);
    ck_assert_int_eq(days, 77);
    ck_assert_int_eq(time_unix_date(INT32_MAX - 10958, &days), VALUE_FITS);
    ck_assert_int_eq(time_unix_date(INT32_MIN + 1, &days), VALUE_FITS);
    ck_assert_int_eq(days, INT32_MIN + 1 + 10957);
}
END_TEST

static const struct {
    const char *text;
    int64_t value;
} stamps[] = {
    {"1970-01-01 00:00:00+00", 0},
    {"1969-12-31 23:59:59.999999+00", -1},
    {"2000-01-01 00:00:00+00", TO_2000 *US},
    {"2024-02-29 12:34:56.5+00", (19782 * INT64_C(86400) + 45296) * US + 500000},
    {"2024-02-29 12:34:56.000001+00", (19782 * INT64_C(86400) + 45296) * US + 1},
    {"0001-12-31 23:59:59+00 BC", -719162 * DAY - US},
    {"4714-11-24 00:00:00+00 BC", -2440588 * DAY},
    {"10000-01-01 00:00:00+00", 2932897 * DAY},
    {"294247-01-10 04:00:54.775806+00", INT64_MAX - 1},
    {"infinity", INT64_MAX},
    {"-infinity", INT64_MIN},
};

static int64_t micros_from_2000(int64_t value)
{
    return value == INT64_MAX || value == INT64_MIN ? value : value - TO_2000 * US;
}

START_TEST(stamps_are_read_and_written)
{
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        int64_t value = 77;
        char room[TIME_ROOM];
        const char *text = stamps[i].text;
        ck_assert_msg(time_read_stamp(text, strlen(text), TIME_WITH_ZONE, &value) == VALUE_FITS,
                      "%s", text);
        ck_assert_msg(value == stamps[i].value, "%s is %lld", text, (long long)value);
        ck_assert_int_eq(time_unix_stamp(micros_from_2000(stamps[i].value), &value), VALUE_FITS);
        ck_assert_int_eq(value, stamps[i].value);
        size_t length = time_write_stamp(micros_from_2000(stamps[i].value), TIME_WITH_ZONE, room);
        ck_assert_str_eq(room, text);
        ck_assert_uint_eq(length, strlen(room));
    }
}
END_TEST

START_TEST(any_zone_offset_counts)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } zones[] = {
        {"1970-01-01 00:00:00+01", -3600},
        {"1970-01-01 00:00:00-08", 8 * 3600},
        {"1970-01-01 00:00:00+05:30", -(5 * 3600 + 1800)},
        {"1970-01-01 00:00:00-03:30", 3 * 3600 + 1800},
        {"1970-01-01 00:00:00-07:52:58", 7 * 3600 + 52 * 60 + 58},
        {"1970-01-01 00:00:00+00:19:32", -(19 * 60 + 32)},
        {"1970-01-01 00:00:00+15:59:59", -(15 * 3600 + 59 * 60 + 59)},
    };
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        int64_t value;
        ck_assert_int_eq(
            time_read_stamp(zones[i].text, strlen(zones[i].text), TIME_WITH_ZONE, &value),
            VALUE_FITS);
        ck_assert_msg(value == zones[i].seconds * US, "%s is %lld", zones[i].text,
                      (long long)value);
    }
}
END_TEST

START_TEST(without_a_zone)
{
    int64_t value;
    char room[TIME_ROOM];
    ck_assert_int_eq(time_read_stamp("1970-01-01 00:00:01.25", 22, TIME_WITHOUT_ZONE, &value),
                     VALUE_FITS);
    ck_assert_int_eq(value, 1250000);
    ck_assert_int_eq(time_read_stamp("0044-03-15 12:00:00 BC", 22, TIME_WITHOUT_ZONE, &value),
                     VALUE_FITS);
    time_write_stamp(micros_from_2000(value), TIME_WITHOUT_ZONE, room);
    ck_assert_str_eq(room, "0044-03-15 12:00:00 BC");
    ck_assert_int_eq(time_read_stamp("1970-01-01 00:00:01+00", 22, TIME_WITHOUT_ZONE, &value),
                     VALUE_MALFORMED);
    ck_assert_int_eq(time_read_stamp("1970-01-01 00:00:01", 19, TIME_WITH_ZONE, &value),
                     VALUE_MALFORMED);
}
END_TEST

START_TEST(what_is_no_iso_stamp_is_refused)
{
    static const char *const bad[] = {
        "",
        "2024-01-02",
        "2024-01-02 00:00+00",
        "2024-01-02T00:00:00+00",
        "2024-01-02 24:00:00+00",
        "2024-01-02 00:60:00+00",
        "2024-01-02 00:00:60+00",
        "2024-01-02 00:00:00.+00",
        "2024-01-02 00:00:00.1234567+00",
        "2024-01-02 00:00:00 +00",
        "2024-01-02 00:00:00+0",
        "2024-01-02 00:00:00+00:",
        "2024-01-02 00:00:00+00:00:00:00",
        "2024-01-02 00:00:00Z",
        "2024-01-02 00:00:00 CET",
        "01/02/2024 00:00:00 CET",
        "02.01.2024 00:00:00 CET",
        "Tue Jan 02 00:00:00 2024 CET",
        "2023-02-29 00:00:00+00",
        "0000-01-01 00:00:00+00",
    };
    int64_t value = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(time_read_stamp(bad[i], strlen(bad[i]), TIME_WITH_ZONE, &value) ==
                          VALUE_MALFORMED,
                      "\"%s\" was read", bad[i]);
    ck_assert_int_eq(value, 77);
}
END_TEST

START_TEST(stamps_out_of_range_are_refused)
{
    static const char *const wide[] = {
        "294247-01-10 04:00:54.775807+00", /* would read as infinity */
        "294247-01-10 04:00:54.775808+00", "294276-12-31 23:59:59.999999+00",
        "9999999-01-01 00:00:00+00",       "9999999-01-01 00:00:00+00 BC",
        "294247-01-10 04:00:54-01",
    };
    int64_t value = 77;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        ck_assert_msg(time_read_stamp(wide[i], strlen(wide[i]), TIME_WITH_ZONE, &value) ==
                          VALUE_RANGE,
                      "\"%s\" was read", wide[i]);
    ck_assert_int_eq(time_unix_stamp(INT64_MAX - 1, &value), VALUE_RANGE);
    ck_assert_int_eq(time_unix_stamp(INT64_MAX - TO_2000 * US, &value), VALUE_RANGE);
    ck_assert_int_eq(value, 77);
    ck_assert_int_eq(time_unix_stamp(INT64_MIN + 1, &value), VALUE_FITS);
}
END_TEST

START_TEST(any_count_fits_its_room)
{
    static const int64_t counts[] = {INT64_MAX - 1, INT64_MIN + 1};
    char room[TIME_ROOM];
    for (int i = 0; i < 2; i++)
        ck_assert_uint_lt(time_write_stamp(counts[i], TIME_WITH_ZONE, room), TIME_ROOM);
    ck_assert_str_eq(room, "290279-12-22 19:59:05.224193+00 BC");
    ck_assert_uint_lt(time_write_date(INT32_MIN + 1, room), TIME_ROOM);
    ck_assert_uint_lt(time_write_date(INT32_MAX - 1, room), TIME_ROOM);
}
END_TEST

/* ---- times of day ---- */

START_TEST(clocks_are_read_and_written)
{
    static const struct {
        const char *text;
        int64_t clock;
    } clocks[] = {
        {"00:00:00", 0},
        {"00:00:00.000001", 1},
        {"01:02:03.5", 3723500000},
        {"23:59:59.999999", DAY - 1},
        {"24:00:00", DAY},
    };
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        char room[TIME_ROOM];
        int64_t clock = 77;
        ck_assert_uint_eq(time_write_clock(clocks[i].clock, room), strlen(clocks[i].text));
        ck_assert_str_eq(room, clocks[i].text);
        ck_assert_int_eq(time_read_clock(room, strlen(room), &clock), VALUE_FITS);
        ck_assert_int_eq(clock, clocks[i].clock);
    }
}
END_TEST

START_TEST(clocks_with_zones_are_read_and_written)
{
    static const struct {
        const char *text;
        int64_t clock;
        int32_t east;
    } zoned[] = {
        {"00:00:00+00", 0, 0},
        {"24:00:00-15:59:59", DAY, -57599},
        {"01:02:03.5+05:30", 3723500000, 19800},
        {"00:00:00-00:00:01", 0, -1},
    };
    for (size_t i = 0; i < sizeof zoned / sizeof *zoned; i++) {
        char room[TIME_ROOM];
        int64_t clock = 77;
        int32_t east = 77;
        ck_assert_uint_eq(time_write_zoned(zoned[i].clock, zoned[i].east, room),
                          strlen(zoned[i].text));
        ck_assert_str_eq(room, zoned[i].text);
        ck_assert_int_eq(time_read_zoned(room, strlen(room), &clock, &east), VALUE_FITS);
        ck_assert_int_eq(clock, zoned[i].clock);
        ck_assert_int_eq(east, zoned[i].east);
    }
}
END_TEST

START_TEST(what_is_no_clock_is_refused)
{
    static const char *const bad[] = {
        "",         "1:02:03",  "24:00:00.000001", "24:00:01",    "25:00:00",
        "00:60:00", "00:00:60", "00:00",           "00:00:00+00", "-01:00:00"};
    int64_t clock;
    int32_t east;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(time_read_clock(bad[i], strlen(bad[i]), &clock) == VALUE_MALFORMED, "\"%s\"",
                      bad[i]);
    ck_assert_int_eq(time_read_zoned("00:00:00", 8, &clock, &east), VALUE_MALFORMED);
    ck_assert_int_eq(time_read_zoned("00:00:00+0", 10, &clock, &east), VALUE_MALFORMED);
    ck_assert_int_eq(time_of_binary("\0\0\0\x14\x1d\xd7\x60\0", &clock), VALUE_FITS);
    ck_assert_int_eq(clock, DAY);
    ck_assert_int_eq(time_of_binary("\0\0\0\x14\x1d\xd7\x60\1", &clock), VALUE_MALFORMED);
    ck_assert_int_eq(time_of_binary("\xff\0\0\0\0\0\0\0", &clock), VALUE_MALFORMED);
    ck_assert_int_eq(time_of_binary_zoned("\0\0\0\0\0\0\0\0\0\0\x0e\x10", &clock, &east),
                     VALUE_FITS);
    ck_assert_int_eq(east, -3600); /* the server counts to the west */
    ck_assert_int_eq(time_of_binary_zoned("\0\0\0\0\0\0\0\0\x80\0\0\0", &clock, &east),
                     VALUE_MALFORMED);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_time");
    CHECK_ADD(c, dates_are_read_and_written);
    CHECK_ADD(c, each_day_of_four_centuries_comes_back);
    CHECK_ADD(c, what_is_no_iso_date_is_refused);
    CHECK_ADD(c, dates_out_of_range_are_refused);
    CHECK_ADD(c, stamps_are_read_and_written);
    CHECK_ADD(c, any_zone_offset_counts);
    CHECK_ADD(c, without_a_zone);
    CHECK_ADD(c, what_is_no_iso_stamp_is_refused);
    CHECK_ADD(c, stamps_out_of_range_are_refused);
    CHECK_ADD(c, any_count_fits_its_room);
    CHECK_ADD(c, clocks_are_read_and_written);
    CHECK_ADD(c, clocks_with_zones_are_read_and_written);
    CHECK_ADD(c, what_is_no_clock_is_refused);
    return check_end(c);
}
