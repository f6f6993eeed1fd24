/* test_value_numeric.c - numeric in binary, as numeric_send makes it. */
#include "values/value_numeric.h"

#include "support/check.h"

#include <stdlib.h>
#include <string.h>

/* Each is what the server sent for the text. */
#define BYTES(literal) literal, sizeof literal - 1
static const struct {
    const char *bytes;
    size_t length;
    const char *text;
} cases[] = {
    {BYTES("\0\0\0\0\0\0\0\0"), "0"},
    {BYTES("\0\0\0\0\0\0\0\3"), "0.000"},
    {BYTES("\0\1\0\0\0\0\0\0\0\1"), "1"},
    {BYTES("\0\1\0\0\x40\0\0\0\0\x2a"), "-42"},
    {BYTES("\0\2\0\0\0\0\0\2\0\3\x13\x88"), "3.50"},
    {BYTES("\0\1\xff\xff\0\0\0\1\x13\x88"), "0.5"},
    {BYTES("\0\1\xff\xfe\0\0\0\x8\0\1"), "0.00000001"},
    {BYTES("\0\1\0\1\0\0\0\0\0\1"), "10000"},
    {BYTES("\0\1\0\2\0\0\0\1\0\x0c"), "1200000000.0"},
    {BYTES("\0\3\0\1\0\0\0\5\0\1\x09\x29\x0d\x80"), "12345.34560"},
    {BYTES("\0\0\0\0\xc0\0\0\0"), "NaN"},
    {BYTES("\0\0\0\0\xd0\0\0\x20"), "Infinity"},
    {BYTES("\0\0\0\0\xf0\0\0\x20"), "-Infinity"},
};

START_TEST(text_is_what_numeric_out_writes)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t room = 0;
        ck_assert_int_eq(numeric_room(cases[i].bytes, cases[i].length, &room), VALUE_FITS);
        char *text = malloc(room);
        ck_assert_ptr_nonnull(text);
        size_t length = numeric_write(cases[i].bytes, cases[i].length, text);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_uint_eq(length, strlen(text));
        ck_assert_uint_lt(length, room);
        free(text);
    }
}
END_TEST

START_TEST(the_decimal_is_the_same_number_as_the_text)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decimal binary, text;
        ck_assert_int_eq(numeric_read(cases[i].bytes, cases[i].length, &binary), VALUE_FITS);
        ck_assert_int_eq(decimal_read(cases[i].text, strlen(cases[i].text), &text), VALUE_FITS);
        ck_assert_int_eq(binary.kind, text.kind);
        if (text.kind == DECIMAL_NAN)
            continue;
        double from_binary = 0, from_text = 1;
        ck_assert_int_eq(decimal_to_float8(&binary, &from_binary), VALUE_FITS);
        ck_assert_int_eq(decimal_to_float8(&text, &from_text), VALUE_FITS);
        ck_assert_msg(from_binary == from_text, "%s is read as %g", cases[i].text, from_binary);
    }
}
END_TEST

START_TEST(malformed_bytes_are_refused)
{
    static const struct {
        const char *bytes;
        size_t length;
    } bad[] = {
        {BYTES("")},
        {BYTES("\0\0\0\0\0\0\0")},           /* a short head */
        {BYTES("\0\1\0\0\0\0\0\0")},         /* a group too few */
        {BYTES("\0\0\0\0\0\0\0\0\0\1")},     /* a group too many */
        {BYTES("\xff\xff\0\0\0\0\0\0")},     /* a negative count */
        {BYTES("\0\1\0\0\0\0\0\0\x27\x10")}, /* a group of 10000 */
        {BYTES("\0\1\0\0\0\0\0\0\xff\xff")}, /* a negative group */
        {BYTES("\0\0\0\0\x12\x34\0\0")},     /* no such sign */
        {BYTES("\0\0\0\0\0\0\x40\0")},       /* a scale beyond the most */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct decimal d;
        size_t room;
        ck_assert_int_eq(numeric_read(bad[i].bytes, bad[i].length, &d), VALUE_MALFORMED);
        ck_assert_int_eq(numeric_room(bad[i].bytes, bad[i].length, &room), VALUE_MALFORMED);
    }
}
END_TEST

START_TEST(the_largest_weight_and_scale_fit_their_room)
{
    static const char large[] = "\0\1\x7f\xff\0\0\x3f\xff\x27\x0f";
    static const char small[] = "\0\1\x80\x00\x40\0\x3f\xff\x27\x0f";
    const char *both[] = {large, small};
    for (int i = 0; i < 2; i++) {
        size_t room;
        ck_assert_int_eq(numeric_room(both[i], 10, &room), VALUE_FITS);
        char *text = malloc(room);
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_lt(numeric_write(both[i], 10, text), room);
        struct decimal d;
        double value;
        ck_assert_int_eq(numeric_read(both[i], 10, &d), VALUE_FITS);
        ck_assert_int_eq(decimal_to_float8(&d, &value), i ? VALUE_FITS : VALUE_RANGE);
        free(text);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_numeric");
    CHECK_ADD(c, text_is_what_numeric_out_writes);
    CHECK_ADD(c, the_decimal_is_the_same_number_as_the_text);
    CHECK_ADD(c, malformed_bytes_are_refused);
    CHECK_ADD(c, the_largest_weight_and_scale_fit_their_room);
    return check_end(c);
}
