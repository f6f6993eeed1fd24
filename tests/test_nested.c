/* test_nested.c - arrays, records and ranges opened: what is none is a fault, faults and references
 * are the whole's, and running out of memory is survived. */

#include "support/check.h"
#include "support/oom.h"
#include "support/rowset.h"

#include <evpq/codec.h>
#include <evpq/nested.h>

enum { TEXTS = 1009, INT4S = 1007, INT4 = 23, BOXES = 1020, RECORD = 2249, MADE = 123456 };
enum { INT4RANGE = 3904, TSRANGE = 3908, INT4MULTIRANGE = 4451 };

#define BYTES(literal) literal, sizeof literal - 1

static evpq_result *text(uint32_t type, const char *value)
{
    evpq_result *r = rowset_of_value(type, false, value, strlen(value), 'x');
    ck_assert_ptr_nonnull(r);
    return r;
}

static evpq_result *binary(uint32_t type, const char *bytes, size_t length)
{
    evpq_result *r = rowset_of_value(type, true, bytes, length, 'x');
    ck_assert_ptr_nonnull(r);
    return r;
}

static void check_fault(const evpq_result *r, const char *says)
{
    const evpq_error *fault = evpq_result_fault(r);
    ck_assert_msg(fault != NULL, "no fault says \"%s\"", says);
    ck_assert_msg(strstr(evpq_error_message(fault), says) != NULL, "\"%s\" does not say \"%s\"",
                  evpq_error_message(fault), says);
    evpq_result_fault_clear(r);
}

/* ---- what is none ---- */

START_TEST(texts_that_are_no_arrays)
{
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "1",
        "{1",
        "{1}}",
        "{{1}",
        "{1,}",
        "{,1}",
        "{1,,2}",
        "{1}2",
        "{{}}",
        "{1,{2}}",
        "{{1},2}",
        "{{1},{2,3}}",
        "{{1}{2}}",
        "{\"a}",
        "{\"a\"b}",
        "{a\"b}",
        "{a\\b}",
        "{\"\\",
        "[0:1]={1}",
        "[0:0]={1,2}",
        "[1:0]={}",
        "[0:0={1}",
        "[0:0]{1}",
        "[0]={1}",
        "[a:b]={1}",
        "[0:0]={{1}}",
        "[0:0][0:0]={1}",
        "{1} ",
        " {1}",
        "{{{{{{{1}}}}}}}",
        "[0:9999999999]={1}",
        "[0:0]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_result *r = text(TEXTS, bad[i]);
        ck_assert_msg(!evpq_result_array(r, 0, 0), "\"%s\" is read", bad[i]);
        check_fault(r, "the text is malformed");
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(bytes_that_are_no_arrays)
{
    static const struct {
        const char *bytes;
        size_t length;
    } bad[] = {
        {BYTES("")},
        {BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17")},                                    /* cut short */
        {BYTES("\0\0\0\0\0\0\0\0\0\0\0\x17x")},                                   /* too long */
        {BYTES("\0\0\0\7\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1")},                    /* dimensions */
        {BYTES("\377\377\377\377\0\0\0\0\0\0\0\x17")},                            /* negative */
        {BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\0\0\0\0\1")},                    /* no length */
        {BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\377\377\377\0\0\0\1")},            /* huge */
        {BYTES("\0\0\0\2\0\0\0\0\0\0\0\x17\0\1\0\0\0\0\0\1\0\1\0\0\0\0\0\1")},    /* 2^32 */
        {BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4abc")},         /* element cut */
        {BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\377\377\377\376")},    /* length -2 */
        {BYTES("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\x7f\377\377\377abc")}, /* beyond */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_result *r = binary(INT4S, bad[i].bytes, bad[i].length);
        ck_assert_msg(!evpq_result_array(r, 0, 0), "array %zu is read", i);
        check_fault(r, "the bytes are malformed");
        ck_assert_ptr_null(evpq_result_text(r, 0, 0));
        check_fault(r, "the bytes are malformed");
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(what_is_no_record)
{
    static const char *const bad[] = {"",      "(",        ")",     "1,2",    "(1,2", "(1,2))",
                                      "(\"1)", "(\"1\"2)", "(1\")", "(a\\b)", "(1) "};
    static const struct {
        const char *bytes;
        size_t length;
    } binaries[] = {
        {BYTES("")},
        {BYTES("\0\0\0\1")},
        {BYTES("\0\0\0\1\0\0\0\x17")},
        {BYTES("\0\0\0\1\0\0\0\x17\0\0\0\4abc")},
        {BYTES("\0\0\0\1\0\0\0\x17\0\0\0\1ab")},
        {BYTES("\377\377\377\377")},
        {BYTES("\0\0\x06\x81\0\0\0\x17\377\377\377\377")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_result *r = text(RECORD, bad[i]);
        ck_assert_msg(!evpq_result_record(r, 0, 0), "\"%s\" is read", bad[i]);
        check_fault(r, "the text is malformed");
        evpq_result_unref(r);
    }
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        evpq_result *r = binary(RECORD, binaries[i].bytes, binaries[i].length);
        ck_assert_msg(!evpq_result_record(r, 0, 0), "record %zu is read", i);
        check_fault(r, "the bytes are malformed");
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(what_is_no_range)
{
    static const char *const bad[] = {"",        "empty ",  "[1,2",   "1,2)",   "[1)",
                                      "[1,2,3)", "[\"1,2)", "[1,2)x", "{[1,2)}"};
    static const char *const multi[] = {"",         "{",   "[1,2)",        "{[1,2)",
                                        "{[1,2),}", "{,}", "{[1,2)[3,4)}", "{}}"};
    static const struct {
        const char *bytes;
        size_t length;
    } binaries[] = {
        {BYTES("")},
        {BYTES("\2")},
        {BYTES("\1x")},
        {BYTES("\x20")},
        {BYTES("\2\377\377\377\377\0\0\0\1a")},
        {BYTES("\2\0\0\0\4\0\0\0\1")},
        {BYTES("\2\0\0\0\4\0\0\0\1\0\0\0\5\0\0\0\5")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_result *r = text(INT4RANGE, bad[i]);
        ck_assert_msg(!evpq_result_range(r, 0, 0, 0), "\"%s\" is read", bad[i]);
        check_fault(r, "the text is malformed");
        evpq_result_unref(r);
    }
    for (size_t i = 0; i < sizeof multi / sizeof *multi; i++) {
        evpq_result *r = text(INT4MULTIRANGE, multi[i]);
        if (strcmp(multi[i], "[1,2)") != 0) {
            ck_assert_msg(!evpq_result_range(r, 0, 0, 0), "\"%s\" is read", multi[i]);
            check_fault(r, "the text is malformed");
        }
        evpq_result_unref(r);
    }
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        evpq_result *r = binary(INT4RANGE, binaries[i].bytes, binaries[i].length);
        ck_assert_msg(!evpq_result_range(r, 0, 0, 0), "range %zu is read", i);
        check_fault(r, "the bytes are malformed");
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(other_types_cannot_be_opened)
{
    evpq_result *r = text(INT4, "1");
    ck_assert_ptr_null(evpq_result_array(r, 0, 0));
    check_fault(r, "as array: the type has no such reading");
    ck_assert_ptr_null(evpq_result_record(r, 0, 0));
    check_fault(r, "as record: the type has no such reading");
    ck_assert_ptr_null(evpq_result_range(r, 0, 0, 0));
    check_fault(r, "as range: the type has no such reading");
    ck_assert_ptr_null(evpq_result_array(r, 1, 0));
    check_fault(r, "is not there");
    evpq_shape shape;
    ck_assert_int_eq(evpq_result_shape(r, &shape), 0);
    ck_assert_int_eq(evpq_result_shape(NULL, &shape), 0);
    ck_assert_uint_eq(evpq_result_range_flags(r, 0), 0);
    ck_assert_ptr_null(evpq_result_fault(r));
    ck_assert_ptr_null(evpq_result_array(NULL, 0, 0));
    evpq_result_unref(r);
}
END_TEST

/* ---- what is inside ---- */

START_TEST(text_of_no_type_reads_as_anything)
{
    evpq_result *r = text(RECORD, "(7,1.5,t,2000-01-02,\"1 day\",10.0.0.0/8,\\x61,\"{1,2}\","
                                  "\"[1,5)\",\"(a,b)\",24:00:00)");
    ck_assert_ptr_null(evpq_result_record(r, 0, 0));
    check_fault(r, "malformed"); /* a backslash would be within quotes */
    evpq_result_unref(r);
    r = text(RECORD, "(7,1.5,t,2000-01-02,\"1 day\",10.0.0.0/8,\"\\\\x61\",\"{1,2}\","
                     "\"[1,5)\",\"(a,b)\",24:00:00)");
    const evpq_result *f = evpq_result_record(r, 0, 0);
    ck_assert_int_eq(evpq_result_columns(f), 11);
    ck_assert_uint_eq(evpq_result_column_type(f, 0), 0);
    ck_assert_str_eq(evpq_result_column_name(f, 10), "f11");
    ck_assert_int_eq(evpq_result_int4(f, 0, 0), 7);
    ck_assert_int_eq(evpq_result_scaled(f, 0, 1, 1), 15);
    ck_assert(evpq_result_float8(f, 0, 1) == 1.5 && evpq_result_float4(f, 0, 1) == 1.5f);
    ck_assert(evpq_result_bool(f, 0, 2));
    ck_assert_int_eq(evpq_result_date(f, 0, 3), 10958);
    evpq_interval interval;
    ck_assert(evpq_result_interval(f, 0, 4, &interval));
    evpq_inet inet;
    ck_assert(evpq_result_inet(f, 0, 5, &inet));
    size_t length;
    ck_assert_mem_eq(evpq_result_bytes(f, 0, 6, &length), "a", 1);
    ck_assert_str_eq(evpq_result_text(f, 0, 6), "\\x61"); /* the one does not replace the other */
    ck_assert_mem_eq(evpq_result_bytes(f, 0, 6, &length), "a", 1);
    ck_assert_int_eq(evpq_result_int8(evpq_result_array(f, 0, 7), 1, 0), 2);
    ck_assert_int_eq(evpq_result_int2(evpq_result_range(f, 0, 8, 0), 0, 1), 5);
    ck_assert_str_eq(evpq_result_text(evpq_result_record(f, 0, 9), 0, 1), "b");
    ck_assert_int_eq(evpq_result_time(f, 0, 10), INT64_C(86400000000));
    ck_assert_ptr_null(evpq_result_fault(r));
    evpq_result_int4(f, 0, 3);
    check_fault(r, "\"f4\" of type unknown cannot be read as int4");
    evpq_result_unref(r);
}
END_TEST

START_TEST(a_fault_inside_is_the_faults_of_all)
{
    evpq_result *r = text(INT4S, "{1,x,NULL}");
    const evpq_result *a = evpq_result_array(r, 0, 0);
    ck_assert_int_eq(evpq_result_int4(a, 1, 0), 0);
    ck_assert_ptr_nonnull(evpq_result_fault(a));
    ck_assert_ptr_eq(evpq_result_fault(r), evpq_result_fault(a));
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_result_fault(r)),
                                 "row 1, column 0 \"element\" of type int4"));
    evpq_result_fault_clear(a);
    ck_assert_ptr_null(evpq_result_fault(r));
    evpq_result_int4(a, 2, 0);
    check_fault(r, "SQL NULL");
    evpq_result_unref(r);
}
END_TEST

START_TEST(a_reference_inside_keeps_all)
{
    evpq_result *r = text(TEXTS, "{{a,b},{c,\"d e\"}}");
    evpq_result *a = evpq_result_ref(evpq_result_array(r, 0, 0));
    ck_assert_ptr_null(evpq_result_unref(r));
    ck_assert_str_eq(evpq_result_text(a, 0, 0), "a");
    ck_assert_str_eq(evpq_result_text(a, 3, 0), "d e");
    ck_assert_ptr_null(evpq_result_unref(a));
}
END_TEST

START_TEST(boxes_are_separated_by_semicolons)
{
    evpq_result *r = text(BOXES, "{(1,1),(0,0);(2,2),(1,1)}");
    const evpq_result *a = evpq_result_array(r, 0, 0);
    ck_assert_int_eq(evpq_result_rows(a), 2);
    ck_assert_str_eq(evpq_result_text(a, 1, 0), "(2,2),(1,1)");
    evpq_result_unref(r);
}
END_TEST

START_TEST(bounds_of_a_made_type_are_what_the_program_says)
{
    evpq_result *r = binary(MADE, BYTES("\2\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\5"));
    const evpq_result *range = evpq_result_range(r, 0, 0, INT4);
    ck_assert_int_eq(evpq_result_int4(range, 0, 0), 1);
    ck_assert_int_eq(evpq_result_int4(range, 0, 1), 5);
    ck_assert_ptr_null(evpq_result_fault(r));
    evpq_result_unref(r);
}
END_TEST

START_TEST(text_of_a_made_type_is_a_label_a_record_or_an_array)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text; /* NULL: it is a fault */
    } cases[] = {
        {BYTES("sad"), "sad"},
        {BYTES("\303\274ber, \ttabs"), "\303\274ber, \ttabs"},
        {BYTES(""), ""},
        {BYTES("\0\0\0\1\0\0\0\x19\0\0\0\1a"), "(a)"},
        {BYTES("\0\0\0\1\0\0\0\0\0\1\xe2\x40\0\0\0\1\0\0\0\1\0\0\0\3sad"), "{sad}"},
        {BYTES("\0\0\0\0\0\0\0\0\0\1\xe2\x40"), "{}"},
        {BYTES("\0\3\0\0\x3f\x80\0\0"), NULL}, /* as pgvector has it */
        {BYTES("\1"), NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evpq_result *r = binary(MADE, cases[i].bytes, cases[i].length);
        const char *text = evpq_result_text(r, 0, 0);
        if (cases[i].text)
            ck_assert_str_eq(text, cases[i].text);
        else
            check_fault(r, "of type oid 123456 cannot be read as text: the type has no such");
        ck_assert(!text == !cases[i].text);
        evpq_result_unref(r);
    }
}
END_TEST

static bool decode_text(const void *bytes, size_t n, int format, void *ret_value, void *arg)
{
    (void)arg;
    memcpy(ret_value, bytes, n + 1);
    return format == 1 && n == strlen(bytes);
}

START_TEST(a_codec_reads_elements_with_a_zero_byte_behind)
{
    const evpq_codec codec = {
        .size = sizeof codec, .name = "made", .oid = MADE, .decode = decode_text};
    evpq_types *types = evpq_types_new();
    ck_assert_int_eq(evpq_types_add(types, &codec), EVPQ_OK);
    evpq_result *r = binary(MADE + 1, BYTES("\0\0\0\1\0\0\0\1\0\1\xe2\x40\0\0\0\2\0\0\0\1"
                                            "\0\0\0\2ab\377\377\377\377"));
    const evpq_result *a = evpq_result_array(r, 0, 0);
    char room[8] = "";
    ck_assert(evpq_result_decoded(types, a, 0, 0, room));
    ck_assert_str_eq(room, "ab");
    ck_assert(!evpq_result_decoded(types, a, 1, 0, room));
    check_fault(r, "SQL NULL");
    evpq_result_unref(r);
    evpq_types_unref(types);
}
END_TEST

/* A record in a record in a record: one level takes twelve bytes and a field of type record. */
static size_t nest(char *bytes, int levels)
{
    size_t length = 4;
    memset(bytes, 0, 4);
    for (; levels; levels--, length += 12) {
        memmove(bytes + 12, bytes, length);
        memcpy(bytes, "\0\0\0\1\0\0\x08\xc9", 8);
        bytes[8] = bytes[9] = 0;
        bytes[10] = (char)(length >> 8);
        bytes[11] = (char)length;
    }
    return length;
}

START_TEST(text_goes_only_so_deep)
{
    char bytes[1000];
    evpq_result *r = binary(RECORD, bytes, nest(bytes, 7));
    ck_assert_ptr_nonnull(evpq_result_text(r, 0, 0));
    evpq_result_unref(r);
    r = binary(RECORD, bytes, nest(bytes, 8));
    ck_assert_ptr_null(evpq_result_text(r, 0, 0));
    check_fault(r, "out of range");
    const evpq_result *inner = r;
    for (int i = 0; i < 8; i++)
        inner = evpq_result_record(inner, 0, 0);
    ck_assert_str_eq(evpq_result_text(inner, 0, 0), "()");
    ck_assert_int_eq(evpq_result_columns(inner), 1);
    evpq_result_unref(r);
}
END_TEST

START_TEST(opening_goes_only_so_deep)
{
    char bytes[1000];
    evpq_result *r = binary(RECORD, bytes, nest(bytes, 70));
    const evpq_result *inner = r;
    for (int i = 0; i < 64; i++) {
        inner = evpq_result_record(inner, 0, 0);
        ck_assert_ptr_nonnull(inner);
    }
    ck_assert_ptr_null(evpq_result_fault(r));
    ck_assert_ptr_null(evpq_result_record(inner, 0, 0));
    check_fault(r, "out of range");
    evpq_result_unref(r);
}
END_TEST

START_TEST(the_want_of_memory_is_a_fault_and_it_works_later)
{
    static const char record[] = "\0\0\0\2\0\0\0\x17\0\0\0\4\0\0\0\1\0\0\3\xef\0\0\0\x1c"
                                 "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7";
    EACH_ALLOCATION(n, failed) {
        evpq_result *r = binary(RECORD, record, sizeof record - 1);
        oom_fail_at(n);
        const char *written = evpq_result_text(r, 0, 0);
        const evpq_result *a = evpq_result_array(evpq_result_record(r, 0, 0), 0, 1);
        int value = a ? evpq_result_int4(a, 0, 0) : 0;
        failed = oom_end();
        ck_assert(failed == (!written || value != 7));
        ck_assert(failed == (evpq_result_fault(r) != NULL));
        if (failed)
            ck_assert_int_eq(evpq_error_status(evpq_result_fault(r)), EVPQ_NOMEM);
        evpq_result_fault_clear(r);
        ck_assert_str_eq(evpq_result_text(r, 0, 0), "(1,{7})");
        a = evpq_result_array(evpq_result_record(r, 0, 0), 0, 1);
        ck_assert_int_eq(evpq_result_int4(a, 0, 0), 7);
        ck_assert_ptr_null(evpq_result_fault(r));
        evpq_result_unref(r);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("nested");
    CHECK_ADD(c, texts_that_are_no_arrays);
    CHECK_ADD(c, bytes_that_are_no_arrays);
    CHECK_ADD(c, what_is_no_record);
    CHECK_ADD(c, what_is_no_range);
    CHECK_ADD(c, other_types_cannot_be_opened);
    CHECK_ADD(c, text_of_no_type_reads_as_anything);
    CHECK_ADD(c, a_fault_inside_is_the_faults_of_all);
    CHECK_ADD(c, a_reference_inside_keeps_all);
    CHECK_ADD(c, boxes_are_separated_by_semicolons);
    CHECK_ADD(c, bounds_of_a_made_type_are_what_the_program_says);
    CHECK_ADD(c, text_of_a_made_type_is_a_label_a_record_or_an_array);
    CHECK_ADD(c, a_codec_reads_elements_with_a_zero_byte_behind);
    CHECK_ADD(c, text_goes_only_so_deep);
    CHECK_ADD(c, opening_goes_only_so_deep);
    CHECK_ADD(c, the_want_of_memory_is_a_fault_and_it_works_later);
    return check_end(c);
}
