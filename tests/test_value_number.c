/* test_value_number.c - numbers to text and whole numbers from it. */
#include "values/value_number.h"

#include "support/check.h"
#include "support/comma.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    double value;
    const char *text;
} doubles[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-42, "-42"},
    {3.5, "3.5"},
    {0.1, "0.1"},
    {1.0 / 3, "0.3333333333333333"},
    {2.0 / 3, "0.6666666666666666"},
    {0.0001, "0.0001"},
    {0.00012345, "0.00012345"},
    {0.00001, "1e-05"},
    {1.5e-7, "1.5e-07"},
    {999999999999999, "999999999999999"},
    {1e14, "100000000000000"},
    {1e15, "1e+15"},
    {1234567890123456, "1.234567890123456e+15"},
    {123456789012345.6, "123456789012345.6"},
    {9007199254740992, "9.007199254740992e+15"},
    {1e100, "1e+100"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {-DBL_MAX, "-1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {DBL_TRUE_MIN, "5e-324"},
    {2 * DBL_TRUE_MIN, "1e-323"},
    {DBL_EPSILON, "2.220446049250313e-16"},
    {12.25, "12.25"},
    {100.5, "100.5"},
};

static const struct {
    float value;
    const char *text;
} floats[] = {
    {0, "0"},
    {-0.0f, "-0"},
    {0.1f, "0.1"},
    {3.5f, "3.5"},
    {1.0f / 3, "0.33333334"},
    {999999, "999999"},
    {1000000, "1e+06"},
    {16777216, "1.6777216e+07"},
    {123456.7f, "123456.7"},
    {1e-5f, "1e-05"},
    {FLT_MAX, "3.4028235e+38"},
    {-FLT_MAX, "-3.4028235e+38"},
    {FLT_MIN, "1.1754944e-38"},
    {FLT_TRUE_MIN, "1e-45"},
};

static void check_doubles(void)
{
    char room[NUMBER_ROOM];
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        size_t length = number_write_float8(doubles[i].value, room);
        ck_assert_str_eq(room, doubles[i].text);
        ck_assert_uint_eq(length, strlen(room));
    }
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        size_t length = number_write_float4(floats[i].value, room);
        ck_assert_str_eq(room, floats[i].text);
        ck_assert_uint_eq(length, strlen(room));
    }
}

START_TEST(floats_are_written_as_the_server_writes_them)
{
    char room[NUMBER_ROOM];
    check_doubles();
    number_write_float8((double)NAN, room);
    ck_assert_str_eq(room, "NaN");
    number_write_float8(-(double)NAN, room);
    ck_assert_str_eq(room, "NaN");
    number_write_float8((double)INFINITY, room);
    ck_assert_str_eq(room, "Infinity");
    number_write_float4(-INFINITY, room);
    ck_assert_str_eq(room, "-Infinity");
}
END_TEST

START_TEST(every_double_comes_back)
{
    char room[NUMBER_ROOM];
    uint64_t bits = 88172645463325252;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double wide;
        float narrow;
        memcpy(&wide, &bits, sizeof wide);
        memcpy(&narrow, &bits, sizeof narrow);
        if (isfinite(wide)) {
            ck_assert_uint_lt(number_write_float8(wide, room), NUMBER_ROOM);
            ck_assert_msg(strtod(room, NULL) == wide, "%a is written %s", wide, room);
        }
        if (isfinite(narrow)) {
            ck_assert_uint_lt(number_write_float4(narrow, room), NUMBER_ROOM);
            ck_assert_msg(strtof(room, NULL) == narrow, "%a is written %s", (double)narrow, room);
        }
    }
}
END_TEST

START_TEST(no_locale_is_consulted)
{
    if (comma_set_locale())
        check_doubles();
}
END_TEST

START_TEST(whole_numbers_are_written)
{
    char room[NUMBER_ROOM];
    ck_assert_uint_eq(number_write_int(0, room), 1);
    ck_assert_str_eq(room, "0");
    number_write_int(INT64_MAX, room);
    ck_assert_str_eq(room, "9223372036854775807");
    ck_assert_uint_eq(number_write_int(INT64_MIN, room), 20);
    ck_assert_str_eq(room, "-9223372036854775808");
    number_write_int(-1, room);
    ck_assert_str_eq(room, "-1");
    ck_assert_uint_eq(number_write_uint(UINT64_MAX, room), 20);
    ck_assert_str_eq(room, "18446744073709551615");
}
END_TEST

/* In a room of the size that is promised to be enough. */
static void check_written(uint64_t value)
{
    char wanted[NUMBER_ROOM], *room = malloc(INTEGER_ROOM);
    ck_assert_ptr_nonnull(room);
    snprintf(wanted, sizeof wanted, "%" PRIu64, value);
    ck_assert_uint_eq(number_write_uint(value, room), strlen(wanted));
    ck_assert_str_eq(room, wanted);
    int64_t negative = value <= INT64_MAX ? -(int64_t)value : INT64_MIN;
    snprintf(wanted, sizeof wanted, "%" PRId64, negative);
    ck_assert_uint_eq(number_write_int(negative, room), strlen(wanted));
    ck_assert_str_eq(room, wanted);
    free(room);
}

START_TEST(whole_numbers_of_any_length_are_written)
{
    for (uint64_t value = 0; value < 12345; value++)
        check_written(value);
    uint64_t power = 1;
    for (int digits = 1; digits < 20; digits++) {
        power *= 10;
        check_written(power - 1);
        check_written(power);
        check_written(power + 1);
        check_written(power / 9 * 7);
    }
    check_written(UINT64_MAX);
}
END_TEST

static enum value_fit read_int(const char *text, int64_t *ret_value)
{
    return number_read_int(text, strlen(text), ret_value);
}

START_TEST(whole_numbers_are_read)
{
    static const int64_t values[] = {0, 1, -1, 10, 99, -100, INT64_MAX, INT64_MIN, INT32_MIN};
    char room[NUMBER_ROOM];
    int64_t value;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        number_write_int(values[i], room);
        ck_assert_int_eq(read_int(room, &value), VALUE_FITS);
        ck_assert_int_eq(value, values[i]);
    }
    ck_assert_int_eq(number_read_int("123", 2, &value), VALUE_FITS);
    ck_assert_int_eq(value, 12);
}
END_TEST

START_TEST(what_is_no_whole_number_is_not_read)
{
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "--1", "0x1", "a"};
    static const char *const wide[] = {"9223372036854775808", "-9223372036854775809",
                                       "99999999999999999999999", "-18446744073709551616"};
    int64_t value = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(read_int(bad[i], &value) == VALUE_MALFORMED, "\"%s\" was read", bad[i]);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        ck_assert_msg(read_int(wide[i], &value) == VALUE_RANGE, "\"%s\" was read", wide[i]);
    ck_assert_int_eq(value, 77);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_number");
    CHECK_ADD(c, floats_are_written_as_the_server_writes_them);
    CHECK_ADD(c, every_double_comes_back);
    CHECK_ADD(c, no_locale_is_consulted);
    CHECK_ADD(c, whole_numbers_are_written);
    CHECK_ADD(c, whole_numbers_of_any_length_are_written);
    CHECK_ADD(c, whole_numbers_are_read);
    CHECK_ADD(c, what_is_no_whole_number_is_not_read);
    return check_end(c);
}
