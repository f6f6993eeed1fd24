/* test_value_decimal.c - decimals of any length become the nearest number, or none. */
#include "values/value_decimal.h"

#include "support/check.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static enum value_fit to_int(const char *text, int64_t *ret_value)
{
    struct decimal d;
    enum value_fit fit = decimal_read(text, strlen(text), &d);
    return fit == VALUE_FITS ? decimal_to_int(&d, ret_value) : fit;
}

static enum value_fit to_float8(const char *text, double *ret_value)
{
    struct decimal d;
    enum value_fit fit = decimal_read(text, strlen(text), &d);
    return fit == VALUE_FITS ? decimal_to_float8(&d, ret_value) : fit;
}

static enum value_fit to_float4(const char *text, float *ret_value)
{
    struct decimal d;
    enum value_fit fit = decimal_read(text, strlen(text), &d);
    return fit == VALUE_FITS ? decimal_to_float4(&d, ret_value) : fit;
}

START_TEST(whole_numbers)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"0.000", 0},
        {"0e99999999", 0},
        {"7", 7},
        {"7.00", 7},
        {"-12.0", -12},
        {"00012", 12},
        {"1e3", 1000},
        {"1.5e1", 15},
        {"1500e-2", 15},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775807.000", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    static const struct {
        const char *text;
        enum value_fit fit;
    } bad[] = {
        {"0.5", VALUE_INEXACT},
        {"1e-1", VALUE_INEXACT},
        {"1e-99999999", VALUE_INEXACT},
        {"12.001", VALUE_INEXACT},
        {"9223372036854775808", VALUE_RANGE},
        {"-9223372036854775809", VALUE_RANGE},
        {"1e19", VALUE_RANGE},
        {"1e999999999999", VALUE_RANGE},
        {"NaN", VALUE_RANGE},
        {"-Infinity", VALUE_RANGE},
    };
    int64_t value = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(to_int(good[i].text, &value) == VALUE_FITS, "%s", good[i].text);
        ck_assert_int_eq(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(to_int(bad[i].text, &value) == bad[i].fit, "%s gives %d", bad[i].text,
                      to_int(bad[i].text, &value));
}
END_TEST

START_TEST(what_is_no_decimal)
{
    static const char *const bad[] = {"",     "-",   ".",     ".5",   "5.",     "1e",  "1e+",
                                      "+1",   " 1",  "1 ",    "1,5",  "0x10",   "nan", "inf",
                                      "-NaN", "1.e", "1e1.5", "1..2", "NaN(1)", "e5",  "infinity"};
    double value;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(to_float8(bad[i], &value) == VALUE_MALFORMED, "\"%s\" was read", bad[i]);
}
END_TEST

START_TEST(floating_point)
{
    double wide = 1;
    float narrow = 1;
    ck_assert_int_eq(to_float8("-0", &wide), VALUE_FITS);
    ck_assert(wide == 0 && signbit(wide));
    ck_assert_int_eq(to_float8("3.5", &wide), VALUE_FITS);
    ck_assert(wide == 3.5);
    ck_assert_int_eq(to_float8("1.7976931348623157e+308", &wide), VALUE_FITS);
    ck_assert(wide == DBL_MAX);
    ck_assert_int_eq(to_float8("5e-324", &wide), VALUE_FITS);
    ck_assert(wide == DBL_TRUE_MIN);
    ck_assert_int_eq(to_float8("1e-400", &wide), VALUE_FITS);
    ck_assert(wide == 0);
    ck_assert_int_eq(to_float8("1e309", &wide), VALUE_RANGE);
    ck_assert_int_eq(to_float8("NaN", &wide), VALUE_FITS);
    ck_assert(isnan(wide));
    ck_assert_int_eq(to_float8("-Infinity", &wide), VALUE_FITS);
    ck_assert(isinf(wide) && wide < 0);
    ck_assert_int_eq(to_float4("0.1", &narrow), VALUE_FITS);
    ck_assert(narrow == 0.1f);
    ck_assert_int_eq(to_float4("Infinity", &narrow), VALUE_FITS);
    ck_assert(isinf(narrow) && narrow > 0);
    ck_assert_int_eq(to_float4("1e39", &narrow), VALUE_RANGE);
    ck_assert_int_eq(to_float4("-3.4028235e+38", &narrow), VALUE_FITS);
    ck_assert(narrow == -FLT_MAX);
}
END_TEST

/* 1 + 2^-53 lies halfway between two doubles and rounds to 1; anything above rounds up, however far
 * behind the point it shows. */
START_TEST(a_digit_far_behind_decides)
{
    static const char half[] = "1.00000000000000011102230246251565404236316680908203125";
    enum { ZEROES = 100000 };
    char *text = malloc(sizeof half + ZEROES + 1);
    double value = 0;
    ck_assert_ptr_nonnull(text);
    memcpy(text, half, sizeof half);
    memset(text + sizeof half - 1, '0', ZEROES);
    text[sizeof half - 1 + ZEROES] = '\0';
    ck_assert_int_eq(to_float8(text, &value), VALUE_FITS);
    ck_assert(value == 1);
    text[sizeof half - 2 + ZEROES] = '1';
    ck_assert_int_eq(to_float8(text, &value), VALUE_FITS);
    ck_assert(value == 1 + DBL_EPSILON);
    free(text);
}
END_TEST

START_TEST(very_long_whole_numbers)
{
    enum { LENGTH = 131072 };
    char *text = malloc(LENGTH + 1);
    double wide;
    int64_t whole;
    ck_assert_ptr_nonnull(text);
    memset(text, '9', LENGTH);
    text[LENGTH] = '\0';
    ck_assert_int_eq(to_float8(text, &wide), VALUE_RANGE);
    ck_assert_int_eq(to_int(text, &whole), VALUE_RANGE);
    text[300] = '\0';
    ck_assert_int_eq(to_float8(text, &wide), VALUE_FITS);
    ck_assert(wide == 1e300);
    free(text);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_decimal");
    CHECK_ADD(c, whole_numbers);
    CHECK_ADD(c, what_is_no_decimal);
    CHECK_ADD(c, floating_point);
    CHECK_ADD(c, a_digit_far_behind_decides);
    CHECK_ADD(c, very_long_whole_numbers);
    return check_end(c);
}
