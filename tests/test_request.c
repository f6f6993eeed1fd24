/* test_request.c - a request is one block, complete and of the size that was measured. */
#include "values/request.h"

#include "support/check.h"
#include "values/args.h"

#include <stdlib.h>
#include <string.h>

/* A request in a block of exactly the measured size, so that a sanitizer sees any byte beyond
 * it. */
static struct request *made(const char *sql, evpq_args args, void **ret_block)
{
    static struct request r;
    struct request_size size;
    evpq_error *error = request_measure(sql, &args, &size);
    ck_assert_msg(!error, "%s", evpq_error_message(error));
    *ret_block = malloc(size.block);
    ck_assert_ptr_nonnull(*ret_block);
    memset(*ret_block, '!', size.block);
    request_write(&r, *ret_block, sql, &args, &size);
    return &r;
}

START_TEST(text_alone_needs_no_arrays_but_the_values)
{
    void *block;
    struct request *r = made("select $1, $2, $3", EVPQ_ARGS(-7, "bob", evpq_null()), &block);
    ck_assert_str_eq(r->sql, "select $1, $2, $3");
    ck_assert_uint_eq(r->sql_length, strlen(r->sql));
    ck_assert_int_eq(r->n, 3);
    ck_assert_int_eq(r->result_format, 0);
    ck_assert_str_eq(r->values[0], "-7");
    ck_assert_str_eq(r->values[1], "bob");
    ck_assert_ptr_null(r->values[2]);
    ck_assert_ptr_null(r->types);
    ck_assert_ptr_null(r->lengths);
    ck_assert_ptr_null(r->formats);
    free(block);
}
END_TEST

START_TEST(types_and_formats_stand_beside_each_value)
{
    void *block;
    evpq_args args = EVPQ_ARGS(1, evpq_bytes("\0\1", 2), evpq_param(3802, "[]"), evpq_bytes("", 0),
                               evpq_param(23, NULL));
    struct request *r = made("", evpq_binary(args), &block);
    static const uint32_t types[] = {0, 17, 3802, 17, 23};
    static const int formats[] = {0, 1, 0, 1, 0}, lengths[] = {0, 2, 0, 0, 0};
    ck_assert_int_eq(r->result_format, 1);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_eq(r->types[i], types[i]);
        ck_assert_int_eq(r->formats[i], formats[i]);
        if (formats[i])
            ck_assert_int_eq(r->lengths[i], lengths[i]);
    }
    ck_assert_mem_eq(r->values[1], "\0\1", 3);
    ck_assert_ptr_nonnull(r->values[3]);
    ck_assert_ptr_null(r->values[4]);
    free(block);
}
END_TEST

START_TEST(lengths_are_those_of_what_was_written)
{
    void *block;
    const int32_t ids[] = {1, 2};
    evpq_args args =
        EVPQ_ARGS(evpq_null(), evpq_int4s(ids, 2), "text", evpq_null(), evpq_date(0), evpq_null());
    struct request *r = made("", args, &block);
    static const int lengths[] = {0, 36, 4, 0, 4, 0};
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(r->lengths[i], lengths[i]);
    ck_assert_uint_eq(r->types[1], 1007);
    ck_assert_int_eq(r->formats[4], 1);
    ck_assert_str_eq(r->values[2], "text");
    ck_assert_ptr_null(r->values[5]);
    free(block);
}
END_TEST

START_TEST(declared_text_needs_types_but_no_formats)
{
    void *block;
    struct request *r = made("select $1", EVPQ_ARGS(evpq_param(25, "x")), &block);
    ck_assert_uint_eq(r->types[0], 25);
    ck_assert_ptr_null(r->formats);
    ck_assert_ptr_null(r->lengths);
    free(block);
}
END_TEST

START_TEST(nothing_of_the_callers_is_kept)
{
    char sql[] = "select $1, $2", text[] = "text", bytes[] = "byte";
    evpq_arg v[] = {evpq_text(text), evpq_bytes(bytes, 4)};
    void *block;
    struct request *r = made(sql, (evpq_args){2, v, 0}, &block);
    memset(sql, '?', sizeof sql);
    memset(text, '?', sizeof text);
    memset(bytes, '?', sizeof bytes);
    memset(v, 0, sizeof v);
    ck_assert_str_eq(r->sql, "select $1, $2");
    ck_assert_str_eq(r->values[0], "text");
    ck_assert_mem_eq(r->values[1], "byte", 4);
    free(block);
}
END_TEST

START_TEST(no_parameters)
{
    void *block;
    struct request *r = made("select 1", EVPQ_ARGS(), &block);
    ck_assert_int_eq(r->n, 0);
    ck_assert_str_eq(r->sql, "select 1");
    free(block);
}
END_TEST

START_TEST(as_many_parameters_as_the_protocol_counts)
{
    enum { MOST = 65535 };
    evpq_arg *v = calloc(MOST + 1, sizeof *v);
    ck_assert_ptr_nonnull(v);
    for (int i = 0; i < MOST; i++)
        v[i] = evpq_int(i);
    void *block;
    struct request *r = made("x", (evpq_args){MOST, v, 0}, &block);
    ck_assert_int_eq(r->n, MOST);
    ck_assert_str_eq(r->values[0], "0");
    ck_assert_str_eq(r->values[MOST - 1], "65534");
    free(block);
    struct request_size size = {.block = 77};
    evpq_error *error = request_measure("x", &(evpq_args){MOST + 1, v, 0}, &size);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_uint_eq(size.block, 77);
    evpq_error_unref(error);
    free(v);
}
END_TEST

static void check_refused(const char *sql, evpq_args args, const char *says)
{
    struct request_size size;
    evpq_error *error = request_measure(sql, &args, &size);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_msg(strstr(evpq_error_message(error), says) != NULL, "\"%s\" does not say \"%s\"",
                  evpq_error_message(error), says);
    evpq_error_unref(error);
}

START_TEST(a_bad_call_is_refused)
{
    evpq_args wrong_format = EVPQ_ARGS(1);
    wrong_format.result_format = 2;
    check_refused(NULL, EVPQ_ARGS(), "NULL");
    check_refused("x", (evpq_args){2, NULL, 0}, "NULL");
    check_refused("x", (evpq_args){SIZE_MAX, NULL, 0}, "too many");
    check_refused("x", wrong_format, "format 2");
    check_refused("x", EVPQ_ARGS(1, evpq_textn("a\0", 2)), "$2");
}
END_TEST

/* The bytes behind these pointers are not looked at: measuring binary parameters is sums alone. */
START_TEST(f41_sizes_are_checked_before_any_cast)
{
    size_t half = ARGS_MOST_BYTES / 2;
    check_refused("x", EVPQ_ARGS(evpq_bytes("x", (size_t)1 << 30)), "$1");
    check_refused("x", EVPQ_ARGS(1, evpq_bytes("x", SIZE_MAX)), "$2");
    check_refused("x", EVPQ_ARGS(1, evpq_bytes("x", (size_t)UINT32_MAX + 10)), "$2");
    check_refused("x", EVPQ_ARGS(evpq_bytes("x", half), evpq_bytes("x", half), 1), "together");
    struct request_size size;
    evpq_args most = EVPQ_ARGS(evpq_bytes("x", half), evpq_bytes("x", half - 100));
    ck_assert_ptr_null(request_measure("x", &most, &size));
    ck_assert_uint_gt(size.block, 2 * half - 100);
}
END_TEST

START_TEST(f41_sql_of_a_gigabyte_is_refused)
{
    size_t length = (size_t)1 << 30;
    char *sql = malloc(length + 1);
    if (!sql)
        return;
    memset(sql, ' ', length);
    sql[length] = '\0';
    check_refused(sql, EVPQ_ARGS(), "SQL");
    free(sql);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("request");
    CHECK_ADD(c, text_alone_needs_no_arrays_but_the_values);
    CHECK_ADD(c, types_and_formats_stand_beside_each_value);
    CHECK_ADD(c, lengths_are_those_of_what_was_written);
    CHECK_ADD(c, declared_text_needs_types_but_no_formats);
    CHECK_ADD(c, nothing_of_the_callers_is_kept);
    CHECK_ADD(c, no_parameters);
    CHECK_ADD(c, as_many_parameters_as_the_protocol_counts);
    CHECK_ADD(c, a_bad_call_is_refused);
    CHECK_ADD(c, f41_sizes_are_checked_before_any_cast);
    CHECK_ADD(c, f41_sql_of_a_gigabyte_is_refused);
    return check_end(c);
}
