/* test_args.c - EVPQ_ARGS chooses by C type and evaluates once; each argument is written as
 * PostgreSQL reads it. */
#include "values/args.h"

#include "support/check.h"
#include "values/value_number.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What arg_write makes of an argument. Borrowed until the next call. */
static const char *written(evpq_arg arg)
{
    static char room[1024];
    size_t most;
    memset(room, '!', sizeof room);
    ck_assert_ptr_null(arg_measure(&arg, 1, &most));
    ck_assert_uint_le(most, sizeof room);
    size_t length = arg_write(&arg, room);
    ck_assert_uint_lt(length, most);
    ck_assert_int_eq(room[length], '\0');
    ck_assert_uint_eq(strlen(room), length);
    return room;
}

#define CHECK_KIND(x, wanted) ck_assert_int_eq(EVPQ_ARG(x).kind, wanted)

START_TEST(each_c_type_becomes_its_kind)
{
    const short s = -1;
    char array[] = "array";
    const char *const text = "text";
    CHECK_KIND((bool)1, EVPQ_ARG_BOOL);
    CHECK_KIND((signed char)-1, EVPQ_ARG_INT);
    CHECK_KIND((unsigned char)1, EVPQ_ARG_UINT);
    CHECK_KIND(s, EVPQ_ARG_INT);
    CHECK_KIND((unsigned short)1, EVPQ_ARG_UINT);
    CHECK_KIND(-1, EVPQ_ARG_INT);
    CHECK_KIND(1u, EVPQ_ARG_UINT);
    CHECK_KIND(-1L, EVPQ_ARG_INT);
    CHECK_KIND(1uL, EVPQ_ARG_UINT);
    CHECK_KIND(-1LL, EVPQ_ARG_INT);
    CHECK_KIND(1uLL, EVPQ_ARG_UINT);
    CHECK_KIND((size_t)1, EVPQ_ARG_UINT);
    CHECK_KIND(1.5f, EVPQ_ARG_FLOAT);
    CHECK_KIND(1.5, EVPQ_ARG_DOUBLE);
    CHECK_KIND("literal", EVPQ_ARG_TEXT);
    CHECK_KIND(array, EVPQ_ARG_TEXT);
    CHECK_KIND(text, EVPQ_ARG_TEXT);
    CHECK_KIND(evpq_bytes("b", 1), EVPQ_ARG_BINARY);
    CHECK_KIND(evpq_null(), EVPQ_ARG_NULL);
}
END_TEST

START_TEST(a_null_pointer_is_sql_null)
{
    ck_assert_int_eq(EVPQ_ARG((char *)NULL).kind, EVPQ_ARG_NULL);
    ck_assert_int_eq(evpq_text(NULL).kind, EVPQ_ARG_NULL);
    ck_assert_int_eq(evpq_textn(NULL, 0).kind, EVPQ_ARG_NULL);
    ck_assert_int_eq(evpq_bytes(NULL, 0).kind, EVPQ_ARG_NULL);
    evpq_arg typed = evpq_param(1700, NULL);
    ck_assert_int_eq(typed.kind, EVPQ_ARG_NULL);
    ck_assert_uint_eq(typed.type, 1700);
    size_t most = 77;
    ck_assert_ptr_null(arg_measure(&typed, 1, &most));
    ck_assert_uint_eq(most, 0);
    evpq_arg zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    ck_assert_int_eq(zeroed.kind, EVPQ_ARG_NULL);
}
END_TEST

START_TEST(a_list_may_have_none_or_many)
{
    evpq_args none = EVPQ_ARGS();
    ck_assert_uint_eq(none.n, 0);
    ck_assert_ptr_null(none.v);
    evpq_args one = EVPQ_ARGS((7));
    ck_assert_uint_eq(one.n, 1);
    ck_assert_str_eq(written(one.v[0]), "7");
    evpq_args cast = EVPQ_ARGS((long)8);
    ck_assert_uint_eq(cast.n, 1);
    ck_assert_str_eq(written(cast.v[0]), "8");
    evpq_args mixed = EVPQ_ARGS(42, "bob", 3.5, (bool)true, evpq_null(), evpq_bytes("\1", 1),
                                evpq_param(3802, "[1]"));
    ck_assert_uint_eq(mixed.n, 7);
    ck_assert_str_eq(written(mixed.v[0]), "42");
    ck_assert_str_eq(written(mixed.v[1]), "bob");
    ck_assert_str_eq(written(mixed.v[2]), "3.5");
    ck_assert_str_eq(written(mixed.v[3]), "true");
    ck_assert_uint_eq(mixed.v[5].type, 17);
    ck_assert_uint_eq(mixed.v[6].type, 3802);
    evpq_args many = EVPQ_ARGS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
                               20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
                               37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48);
    ck_assert_uint_eq(many.n, 48);
    for (size_t i = 0; i < many.n; i++)
        ck_assert_int_eq(many.v[i].value.integer, (int64_t)i + 1);
}
END_TEST

START_TEST(each_value_is_evaluated_once)
{
    int i = 0, k = 7;
    evpq_args args = EVPQ_ARGS(++i, k--);
    ck_assert_int_eq(i, 1);
    ck_assert_int_eq(k, 6);
    ck_assert_int_eq(args.v[0].value.integer, 1);
    ck_assert_int_eq(args.v[1].value.integer, 7);
}
END_TEST

START_TEST(binary_changes_the_answer_alone)
{
    evpq_args args = EVPQ_ARGS(1, "two");
    evpq_args binary = evpq_binary(args);
    ck_assert_int_eq(args.result_format, 0);
    ck_assert_int_eq(binary.result_format, 1);
    ck_assert_uint_eq(binary.n, 2);
    ck_assert_ptr_eq(binary.v, args.v);
}
END_TEST

START_TEST(values_are_written_as_the_server_reads_them)
{
    ck_assert_str_eq(written(EVPQ_ARG(INT64_MIN)), "-9223372036854775808");
    ck_assert_str_eq(written(EVPQ_ARG(UINT64_MAX)), "18446744073709551615");
    ck_assert_str_eq(written(EVPQ_ARG(0)), "0");
    ck_assert_str_eq(written(EVPQ_ARG((bool)true)), "true");
    ck_assert_str_eq(written(EVPQ_ARG((bool)false)), "false");
    ck_assert_str_eq(written(EVPQ_ARG(0.1f)), "0.1");
    ck_assert_str_eq(written(EVPQ_ARG(0.1)), "0.1");
    ck_assert_str_eq(written(EVPQ_ARG((double)0.1f)), "0.10000000149011612");
    ck_assert_str_eq(written(EVPQ_ARG(-0.0)), "-0");
    ck_assert_str_eq(written(EVPQ_ARG((float)NAN)), "NaN");
    ck_assert_str_eq(written(EVPQ_ARG(-(double)INFINITY)), "-Infinity");
    ck_assert_str_eq(written(EVPQ_ARG("")), "");
    ck_assert_str_eq(written(evpq_textn("abcdef", 3)), "abc");
}
END_TEST

/* Before C23 <stdbool.h> makes these ints, and boolin reads 1 and 0 as well. */
START_TEST(the_words_true_and_false_are_read_as_booleans_either_way)
{
    const char *yes = sizeof true == sizeof(bool) ? "true" : "1";
    const char *no = sizeof false == sizeof(bool) ? "false" : "0";
    ck_assert_str_eq(written(EVPQ_ARG(true)), yes);
    ck_assert_str_eq(written(EVPQ_ARG(false)), no);
}
END_TEST

/* What is written in binary, byte by byte; of which type it is declared. */
static void check_binary(evpq_arg arg, uint32_t type, const char *bytes, size_t n)
{
    char room[64];
    size_t most;
    ck_assert(arg_is_binary(&arg));
    ck_assert_uint_eq(arg_type(&arg), type);
    ck_assert_ptr_null(arg_measure(&arg, 1, &most));
    ck_assert_uint_eq(most, n + 1);
    memset(room, '!', sizeof room);
    ck_assert_uint_eq(arg_write(&arg, room), n);
    ck_assert_mem_eq(room, bytes, n);
    ck_assert_int_eq(room[n], '\0');
    ck_assert_int_eq(room[n + 1], '!');
}

#define BINARY(arg, type, bytes) check_binary(arg, type, bytes, sizeof bytes - 1)

START_TEST(makers_declare_their_types)
{
    const evpq_interval interval = {1, 2, 3};
    const evpq_inet inet = {EVPQ_INET4, 24, 0, {10, 1, 2, 3}}, cidr = {EVPQ_INET4, 8, 1, {10}};
    const uint8_t raw[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const evpq_arg seven = evpq_int(7);
    BINARY(evpq_date(10957), 1082, "\0\0\0\0");
    BINARY(evpq_date(INT32_MAX), 1082, "\x7f\xff\xff\xff");
    BINARY(evpq_time(1), 1083, "\0\0\0\0\0\0\0\1");
    BINARY(evpq_timetz(1, 3600), 1266, "\0\0\0\0\0\0\0\1\xff\xff\xf1\xf0");
    BINARY(evpq_timestamp(INT64_MIN), 1114, "\x80\0\0\0\0\0\0\0");
    BINARY(evpq_timestamptz(946684800000001), 1184, "\0\0\0\0\0\0\0\1");
    BINARY(evpq_interval_of(&interval), 1186, "\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0\1");
    BINARY(evpq_inet_of(&inet), 869, "\2\x18\0\4\xa\1\2\3");
    BINARY(evpq_inet_of(&cidr), 650, "\2\x8\1\4\xa\0\0\0");
    BINARY(evpq_uuid(raw), 2950, "\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10");
    BINARY(evpq_macaddr(raw), 829, "\1\2\3\4\5\6");
    BINARY(evpq_scaled(-5, 1), 1700, "\0\1\xff\xff\x40\0\0\1\x13\x88");
    BINARY(evpq_array_of(23, &seven, 1), 1007,
           "\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\7");
    BINARY(evpq_array_of(70000, NULL, 0), 0, "\0\0\0\0\0\0\0\0\0\1\x11\x70");
    BINARY(evpq_range_of(3904, &seven, NULL, 0), 3904, "\x10\0\0\0\4\0\0\0\7");
    BINARY(evpq_record_of(70000, NULL, NULL, 0), 70000, "\0\0\0\0");
    ck_assert_str_eq(written(evpq_json("[]")), "[]");
    ck_assert_uint_eq(evpq_json("[]").type, 114);
    ck_assert_uint_eq(evpq_jsonb("[]").type, 3802);
    ck_assert_str_eq(written(evpq_oid(4294967295)), "4294967295");
    ck_assert_uint_eq(evpq_oid(1).type, 26);
    ck_assert_int_eq(evpq_uuid(NULL).kind, EVPQ_ARG_NULL);
    ck_assert_int_eq(evpq_macaddr(NULL).kind, EVPQ_ARG_NULL);
    ck_assert_int_eq(evpq_inet_of(NULL).kind, EVPQ_ARG_NULL);
    ck_assert_int_eq(evpq_interval_of(NULL).kind, EVPQ_ARG_NULL);
}
END_TEST

START_TEST(bytes_may_hold_zeroes)
{
    evpq_arg arg = evpq_bytes("a\0b", 3);
    char room[4] = "....";
    size_t most;
    ck_assert_ptr_null(arg_measure(&arg, 1, &most));
    ck_assert_uint_eq(most, sizeof room);
    ck_assert(arg_is_binary(&arg));
    ck_assert_uint_eq(arg_write(&arg, room), 3);
    ck_assert_mem_eq(room, "a\0b", 4);
}
END_TEST

static void check_refused(evpq_arg arg, const char *says)
{
    size_t most;
    evpq_error *error = arg_measure(&arg, 3, &most);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_msg(strstr(evpq_error_message(error), says) != NULL, "\"%s\" does not say \"%s\"",
                  evpq_error_message(error), says);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "$3"));
    evpq_error_unref(error);
}

/* The pointers are never followed as far as these lengths: the size is looked at first. */
START_TEST(f41_what_cannot_be_sent_is_refused)
{
    check_refused(evpq_bytes("x", (size_t)1 << 30), "1073741824 bytes");
    check_refused(evpq_bytes("x", SIZE_MAX), "bytes");
    check_refused(evpq_textn("x", (size_t)ARGS_MOST_BYTES + 1), "bytes");
    check_refused(evpq_textn("a\0b", 3), "zero byte");
    check_refused(evpq_textn(NULL, 5), "NULL pointer");
    check_refused(evpq_bytes(NULL, 5), "NULL pointer");
    check_refused(evpq_int8s((const int64_t[]){1}, SIZE_MAX), "more elements");
    check_refused((evpq_arg){.kind = 99}, "kind 99");
    check_refused((evpq_arg){.kind = -1}, "kind -1");
    evpq_arg most = evpq_bytes("x", ARGS_MOST_BYTES);
    size_t room;
    ck_assert_ptr_null(arg_measure(&most, 1, &room));
    ck_assert_uint_eq(room, (size_t)ARGS_MOST_BYTES + 1);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("args");
    CHECK_ADD(c, each_c_type_becomes_its_kind);
    CHECK_ADD(c, a_null_pointer_is_sql_null);
    CHECK_ADD(c, a_list_may_have_none_or_many);
    CHECK_ADD(c, each_value_is_evaluated_once);
    CHECK_ADD(c, binary_changes_the_answer_alone);
    CHECK_ADD(c, values_are_written_as_the_server_reads_them);
    CHECK_ADD(c, the_words_true_and_false_are_read_as_booleans_either_way);
    CHECK_ADD(c, makers_declare_their_types);
    CHECK_ADD(c, bytes_may_hold_zeroes);
    CHECK_ADD(c, f41_what_cannot_be_sent_is_refused);
    return check_end(c);
}
