/* test_encode.c - arguments in binary: the bytes, and what is refused before a byte is sent. That a
 * server reads them as what they are is seen in it_types_write.c. */
#include "values/encode.h"

#include "support/check.h"
#include "support/oom.h"
#include "values/args.h"
#include "values/oids.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct spot row = {NULL, "row ", 7};
static const struct spot column = {&row, "column ", 2};

/* The field is these bytes, appended to what is there, counted as many, and fit exactly. */
static void is(evpq_arg arg, uint32_t type, const char *bytes, size_t n)
{
    struct bytes b = {.data = NULL}, count = bytes_counted();
    char *exact = malloc(n);
    ck_assert_ptr_nonnull(exact);
    struct bytes fixed = bytes_in(exact, n);
    ck_assert(bytes_put(&b, "before", 6));
    evpq_error *error = encode_field(&b, &arg, type, &column);
    ck_assert_msg(!error, "%s", evpq_error_message(error));
    ck_assert_uint_eq(b.length, 6 + n);
    ck_assert_mem_eq(b.data, "before", 6);
    ck_assert_mem_eq(b.data + 6, bytes, n);
    ck_assert_ptr_null(encode_field(&count, &arg, type, &column));
    ck_assert_uint_eq(count.length, n);
    ck_assert_ptr_null(encode_field(&fixed, &arg, type, &column));
    ck_assert_mem_eq(exact, bytes, n);
    bytes_free(&b);
    free(exact);
}

#define IS(arg, type, bytes) is(arg, type, bytes, sizeof bytes - 1)

static void refused(evpq_arg arg, uint32_t type, evpq_status status, const char *says)
{
    struct bytes b = {.data = NULL};
    evpq_error *error = encode_field(&b, &arg, type, &column);
    ck_assert_msg(error != NULL, "not refused: %s", says);
    const char *message = evpq_error_message(error);
    ck_assert_msg(evpq_error_status(error) == status, "%s", message);
    ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_msg(strstr(message, says) != NULL, "\"%s\" does not say \"%s\"", message, says);
    ck_assert_msg(strstr(message, "row 7, column 2") == message, "%s", message);
    evpq_error_unref(error);
    bytes_free(&b);
}

START_TEST(a_field_is_a_length_and_the_bytes)
{
    IS(evpq_null(), OID_INT4, "\xff\xff\xff\xff");
    IS(evpq_int(-2), OID_INT2, "\0\0\0\2\xff\xfe");
    IS(evpq_int(0x01020304), OID_INT4, "\0\0\0\4\1\2\3\4");
    IS(evpq_int(0x0102030405060708), OID_INT8, "\0\0\0\x8\1\2\3\4\5\6\7\x8");
    IS(evpq_uint(UINT32_MAX), OID_OID, "\0\0\0\4\xff\xff\xff\xff");
    IS(evpq_double(1), OID_FLOAT8, "\0\0\0\x8\x3f\xf0\0\0\0\0\0\0");
    IS(evpq_float(1), OID_FLOAT4, "\0\0\0\4\x3f\x80\0\0");
    IS(evpq_bool(true), OID_BOOL, "\0\0\0\1\1");
    IS(evpq_text(""), OID_TEXT, "\0\0\0\0");
    IS(evpq_text("[]"), OID_JSONB, "\0\0\0\3\1[]");
    IS(evpq_scaled(12345, 4), OID_NUMERIC, "\0\0\0\xc\0\2\0\0\0\0\0\4\0\1\x9\x29");
    IS(evpq_timestamptz(946684800000000), OID_TIMESTAMPTZ, "\0\0\0\x8\0\0\0\0\0\0\0\0");
    IS(evpq_date(10956), OID_DATE, "\0\0\0\4\xff\xff\xff\xff");
    IS(evpq_param_binary(0, "x", 1), 600, "\0\0\0\1x");
    IS(evpq_param_binary(600, "x", 1), 600, "\0\0\0\1x");
}
END_TEST

START_TEST(type_0_is_the_arguments_own)
{
    IS(evpq_int(1), 0, "\0\0\0\x8\0\0\0\0\0\0\0\1");
    IS(evpq_text("a"), 0, "\0\0\0\1a");
    IS(evpq_oid(1), 0, "\0\0\0\4\0\0\0\1");
    IS(evpq_date(10957), 0, "\0\0\0\4\0\0\0\0");
}
END_TEST

START_TEST(arrays_have_a_head_and_fields)
{
    const int32_t fours[] = {7};
    const char *const texts[] = {"a", NULL};
    IS(evpq_int4s(fours, 1), 1007,
       "\0\0\0\x1c\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7");
    IS(evpq_texts(texts, 2), 0,
       "\0\0\0\x1d\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1\0\0\0\1a\xff\xff\xff\xff");
    IS(evpq_texts(NULL, 0), 1009, "\0\0\0\xc\0\0\0\0\0\0\0\0\0\0\0\x19");
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
    refused(evpq_int(INT16_MAX + 1), OID_INT2, EVPQ_TYPE, "int2 the value is out of range");
    refused(evpq_int((int64_t)INT32_MIN - 1), OID_INT4, EVPQ_TYPE, "out of range");
    refused(evpq_uint((uint64_t)INT64_MAX + 1), OID_INT8, EVPQ_TYPE, "out of range");
    refused(evpq_int(-1), OID_OID, EVPQ_TYPE, "out of range");
    refused(evpq_int(2), OID_BOOL, EVPQ_TYPE, "bool the value is out of range");
    refused(evpq_double(1e39), OID_FLOAT4, EVPQ_TYPE, "out of range");
    refused(evpq_double(1e-60), OID_FLOAT4, EVPQ_TYPE, "out of range");
    refused(evpq_text("1e400"), OID_FLOAT8, EVPQ_TYPE, "\"1e400\" is out of range");
    refused(evpq_text("1e-400"), OID_FLOAT8, EVPQ_TYPE, "out of range");
    refused(evpq_text("1e-20000"), OID_NUMERIC, EVPQ_TYPE, "out of range");
    refused(evpq_text("1e200000"), OID_NUMERIC, EVPQ_TYPE, "out of range");
    refused(evpq_text("1e99999999999999999999"), OID_NUMERIC, EVPQ_TYPE, "out of range");
    refused(evpq_scaled(1, INT32_MAX), OID_NUMERIC, EVPQ_TYPE, "out of range");
    refused(evpq_scaled(1, INT32_MIN), OID_NUMERIC, EVPQ_TYPE, "out of range");
    refused(evpq_date(INT32_MIN + 1), OID_DATE, EVPQ_TYPE, "out of range");
    refused(evpq_timestamp(INT64_MIN + 1), OID_TIMESTAMP, EVPQ_TYPE, "out of range");
}
END_TEST

START_TEST(text_that_does_not_parse_is_refused)
{
    static const char *const numerics[] = {"", "-", ".", "1.2.3", "1e", "1e+", "0x1", " 1", "1 "};
    for (size_t i = 0; i < sizeof numerics / sizeof *numerics; i++)
        refused(evpq_text(numerics[i]), OID_NUMERIC, EVPQ_TYPE, "is not how it is written");
    refused(evpq_text("seven"), OID_INT4, EVPQ_TYPE, "as int4 \"seven\" is not how");
    refused(evpq_text("1.5"), OID_INT4, EVPQ_TYPE, "is not how");
    refused(evpq_text("maybe"), OID_BOOL, EVPQ_TYPE, "is not how");
    refused(evpq_text("2024-02-30"), OID_DATE, EVPQ_TYPE, "date");
    refused(evpq_text("\\x0"), OID_BYTEA, EVPQ_TYPE, "bytea");
    refused(evpq_text("25:00:00"), OID_TIME, EVPQ_TYPE, "as time \"25:00:00\"");
    refused(evpq_text("01:00:00"), OID_TIMETZ, EVPQ_TYPE, "timetz");
    refused(evpq_text("soon"), OID_INTERVAL, EVPQ_TYPE, "interval");
    refused(evpq_text("1.2.3.4.5"), OID_INET, EVPQ_TYPE, "inet");
    refused(evpq_text("10.0.0.1/33"), OID_CIDR, EVPQ_TYPE, "cidr");
    refused(evpq_text("08:00"), OID_MACADDR, EVPQ_TYPE, "macaddr");
    refused(evpq_text("no uuid"), OID_UUID, EVPQ_TYPE, "uuid");
    refused(evpq_text("long"), OID_CHAR, EVPQ_TYPE, "longer than one byte");
    refused(evpq_text("0123456789012345678901234567890123456789x"), OID_INT8, EVPQ_TYPE,
            "0123456789012345678901234567890123456789...");
}
END_TEST

START_TEST(what_has_no_such_type_is_refused)
{
    refused(evpq_double(1), OID_INT4, EVPQ_TYPE, "a floating point number cannot be written as");
    refused(evpq_int(1), OID_DATE, EVPQ_TYPE, "an integer cannot be written as date");
    refused(evpq_int(1), 20000, EVPQ_TYPE, "the type with oid 20000");
    refused(evpq_text("happy"), 20000, EVPQ_TYPE,
            "cannot turn a text into the binary form"); /* F55 */
    refused(evpq_text("(1,2)"), 600, EVPQ_TYPE, "point");
    refused(evpq_bytes("x", 1), OID_TEXT, EVPQ_TYPE, "a binary value of type bytea cannot");
    refused(evpq_timestamp(0), OID_TIMESTAMPTZ, EVPQ_TYPE, "of type timestamp cannot be written");
    refused(evpq_int4s(NULL, 0), OID_INT4, EVPQ_TYPE, "an array");
    refused(evpq_record_of(20000, NULL, NULL, 0), 20001, EVPQ_TYPE, "a composite");
    refused(evpq_range_of(3904, NULL, NULL, 0), 3906, EVPQ_TYPE, "a range");
}
END_TEST

START_TEST(f41_what_cannot_be_sent_is_refused)
{
    evpq_shape none = {.dimensions = 0}, seven = {.dimensions = 7}, two = {1, {2}, {1}};
    evpq_shape wraps = {6, {65536, 65536, 65536, 65536, 1, 1}, {0}}, zero = {1, {0}, {1}};
    const int32_t fours[] = {1, 2, 3};
    const evpq_arg inner[] = {evpq_int4s(fours, 3)}, null = evpq_null(), one = evpq_int(1);
    evpq_inet odd = {.family = 2}, wide = {.family = EVPQ_INET4, .bits = 33};
    refused(evpq_textn("x", (size_t)ARGS_MOST_BYTES + 1), OID_TEXT, EVPQ_INVALID, "gigabyte");
    refused(evpq_textn("a\0b", 3), OID_TEXT, EVPQ_INVALID, "zero byte");
    refused(evpq_textn(NULL, 3), OID_TEXT, EVPQ_INVALID, "NULL pointer");
    refused(evpq_bytes("x", SIZE_MAX), OID_BYTEA, EVPQ_INVALID, "gigabyte");
    refused(evpq_int4s(fours, SIZE_MAX), 1007, EVPQ_INVALID, "more elements");
    refused(evpq_int4s(fours, ((size_t)1 << 28)), 1007, EVPQ_INVALID, "more elements");
    refused(evpq_int4s(NULL, 3), 1007, EVPQ_INVALID, "NULL pointer");
    refused(evpq_shaped(evpq_int4s(fours, 3), &none), 1007, EVPQ_INVALID, "one to six");
    refused(evpq_shaped(evpq_int4s(fours, 3), &seven), 1007, EVPQ_INVALID, "one to six");
    refused(evpq_shaped(evpq_int4s(fours, 3), &two), 1007, EVPQ_INVALID, "multiply");
    refused(evpq_shaped(evpq_int4s(fours, 3), &wraps), 1007, EVPQ_INVALID, "multiply");
    refused(evpq_shaped(evpq_int4s(fours, 3), &zero), 1007, EVPQ_INVALID, "at least one long");
    refused(evpq_shaped(evpq_int4s(fours, 0), &two), 1007, EVPQ_INVALID, "multiply");
    refused(evpq_array_of(1007, inner, 1), 1007, EVPQ_TYPE, "element 1");
    refused(evpq_record_of(20000, NULL, &one, 1), 20000, EVPQ_INVALID, "declare its type");
    refused(evpq_range_of(3904, &null, NULL, 0), 3904, EVPQ_INVALID, "bound 1");
    refused(evpq_range_of(20000, NULL, &one, 0), 20000, EVPQ_INVALID, "bound 2");
    refused(evpq_range_of(3904, &one, NULL, 0x20), 3904, EVPQ_INVALID, "none of enum");
    refused(evpq_range_of(3904, NULL, NULL, 0x100), 3904, EVPQ_INVALID, "none of enum");
    refused(evpq_range_of(3904, &one, NULL, EVPQ_RANGE_EMPTY), 3904, EVPQ_INVALID, "EMPTY");
    refused(evpq_range_of(3904, &one, NULL, EVPQ_RANGE_LOWER_INF), 3904, EVPQ_INVALID, "LOWER_INF");
    refused(evpq_range_of(3904, NULL, &one, EVPQ_RANGE_UPPER_INF), 3904, EVPQ_INVALID, "UPPER_INF");
    refused(evpq_inet_of(&odd), OID_INET, EVPQ_TYPE, "family");
    refused(evpq_inet_of(&wide), OID_INET, EVPQ_TYPE, "more bits");
}
END_TEST

START_TEST(an_element_is_named_where_it_stands)
{
    const evpq_arg elements[] = {evpq_int(1), evpq_text("two")};
    const uint32_t types[] = {1007};
    const evpq_arg record[] = {evpq_array_of(OID_INT4, elements, 2)};
    refused(evpq_record_of(20000, types, record, 1), 20000, EVPQ_TYPE,
            "row 7, column 2, field 1, element 2: as int4 \"two\"");
    evpq_arg arg = evpq_array_of(OID_INT4, elements, 2);
    size_t room;
    evpq_error *error = arg_measure(&arg, 3, &room);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "parameter $3, element 2: "));
    evpq_error_unref(error);
}
END_TEST

START_TEST(many_make_the_bytes_grow_and_nothing_is_lost_without_memory)
{
    enum { MANY = 1000 };
    struct bytes b = {.data = NULL};
    const evpq_arg arg = evpq_int(5);
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_null(encode_field(&b, &arg, OID_INT4, &column));
    ck_assert_uint_eq(b.length, 8 * MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_mem_eq(b.data + (size_t)8 * (size_t)i, "\0\0\0\4\0\0\0\5", 8);
    while (b.room - b.length >= 8)
        ck_assert(bytes_put8(&b, 0));
    size_t length = b.length;
    oom_fail_at(1);
    evpq_error *error = encode_field(&b, &(evpq_arg){.kind = EVPQ_ARG_INT}, OID_INT8, &column);
    ck_assert(oom_end());
    ck_assert_int_eq(evpq_error_status(error), EVPQ_NOMEM);
    ck_assert_uint_ge(b.length, length);
    evpq_error_unref(error);
    bytes_free(&b);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("encode");
    CHECK_ADD(c, a_field_is_a_length_and_the_bytes);
    CHECK_ADD(c, type_0_is_the_arguments_own);
    CHECK_ADD(c, arrays_have_a_head_and_fields);
    CHECK_ADD(c, numbers_out_of_range_are_refused);
    CHECK_ADD(c, text_that_does_not_parse_is_refused);
    CHECK_ADD(c, what_has_no_such_type_is_refused);
    CHECK_ADD(c, f41_what_cannot_be_sent_is_refused);
    CHECK_ADD(c, an_element_is_named_where_it_stands);
    CHECK_ADD(c, many_make_the_bytes_grow_and_nothing_is_lost_without_memory);
    return check_end(c);
}
