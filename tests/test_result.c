/* test_result.c - results made by hand: reading, faults, references, and running out of memory. */
#include "libpq/result.h"

#include "support/check.h"
#include "support/oom.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <string.h>

enum {
    BYTEA = 17,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    TEXT = 25,
    OID = 26,
    FLOAT4 = 700,
    NUMERIC = 1700,
    UUID = 2950,
    DATE = 1082,
    STAMP = 1114,
    ZONED = 1184
};

struct column {
    const char *name;
    uint32_t type;
    int format;
};

/* A result of so many columns and no rows. */
static PGresult *columns(const struct column *c, int n)
{
    PGresult *pg = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc descriptions[8];
    memset(descriptions, 0, sizeof descriptions);
    for (int i = 0; i < n; i++) {
        descriptions[i].name = (char *)c[i].name;
        descriptions[i].typid = c[i].type;
        descriptions[i].format = c[i].format;
    }
    ck_assert_int_eq(PQsetResultAttrs(pg, n, descriptions), 1);
    return pg;
}

static void set(PGresult *pg, int row, int column, const char *bytes, int length)
{
    ck_assert_int_eq(PQsetvalue(pg, row, column, (char *)bytes, length), 1);
}

static void set_text(PGresult *pg, int row, int column, const char *text)
{
    set(pg, row, column, text, text ? (int)strlen(text) : -1);
}

/* One column and one row. NULL text is SQL NULL. */
static evpq_result *one(uint32_t type, int format, const char *bytes, int length)
{
    PGresult *pg = columns(&(struct column){"c", type, format}, 1);
    set(pg, 0, 0, bytes, bytes ? length : -1);
    evpq_result *r = result_wrap(pg, NULL);
    ck_assert_ptr_nonnull(r);
    return r;
}

static evpq_result *one_text(uint32_t type, const char *text)
{
    return one(type, 0, text, text ? (int)strlen(text) : 0);
}

/* Two columns, two rows: (1, "one"), (NULL, NULL). */
static evpq_result *table(void)
{
    static const struct column both[] = {{"id", INT4, 0}, {"Name", TEXT, 0}};
    PGresult *pg = columns(both, 2);
    set_text(pg, 0, 0, "1");
    set_text(pg, 0, 1, "one");
    set_text(pg, 1, 0, NULL);
    set_text(pg, 1, 1, NULL);
    evpq_result *r = result_wrap(pg, NULL);
    ck_assert_ptr_nonnull(r);
    return r;
}

static void check_no_fault(const evpq_result *r)
{
    const evpq_error *fault = evpq_result_fault(r);
    ck_assert_msg(!fault, "%s", evpq_error_message(fault));
}

/* There is a fault that says so; it is cleared. */
static void check_fault(const evpq_result *r, const char *says)
{
    const evpq_error *fault = evpq_result_fault(r);
    ck_assert_msg(fault != NULL, "no fault says \"%s\"", says);
    ck_assert_int_eq(evpq_error_status(fault), EVPQ_TYPE);
    ck_assert_int_eq(evpq_error_outcome(fault), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_msg(strstr(evpq_error_message(fault), says) != NULL, "\"%s\" does not say \"%s\"",
                  evpq_error_message(fault), says);
    evpq_result_fault_clear(r);
    ck_assert_ptr_null(evpq_result_fault(r));
}

START_TEST(rows_and_columns)
{
    evpq_result *r = table();
    ck_assert_int_eq(evpq_result_rows(r), 2);
    ck_assert_int_eq(evpq_result_columns(r), 2);
    ck_assert_str_eq(evpq_result_column_name(r, 1), "Name");
    ck_assert_uint_eq(evpq_result_column_type(r, 1), TEXT);
    ck_assert_int_eq(evpq_result_column_format(r, 1), 0);
    ck_assert_int_eq(evpq_result_column_index(r, "id"), 0);
    ck_assert_int_eq(evpq_result_column_index(r, "Name"), 1);
    ck_assert_int_eq(evpq_result_column_index(r, "name"), -1);
    ck_assert_int_eq(evpq_result_column_index(r, NULL), -1);
    for (int i = -1; i <= 2; i += 3) {
        ck_assert_ptr_null(evpq_result_column_name(r, i));
        ck_assert_uint_eq(evpq_result_column_type(r, i), 0);
        ck_assert_int_eq(evpq_result_column_format(r, i), 0);
    }
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 1);
    ck_assert_str_eq(evpq_result_text(r, 0, 1), "one");
    ck_assert_uint_eq(evpq_result_length(r, 0, 1), 3);
    check_no_fault(r);
    evpq_result_unref(r);
}
END_TEST

START_TEST(a_command_without_a_tag)
{
    evpq_result *r = result_wrap(PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL);
    ck_assert_str_eq(evpq_result_command(r), "");
    ck_assert_int_eq(evpq_result_affected(r), -1);
    ck_assert_int_eq(evpq_result_rows(r), 0);
    ck_assert_ptr_null(evpq_result_unref(r));
}
END_TEST

START_TEST(a_reference_keeps_it)
{
    evpq_result *r = table();
    ck_assert_ptr_eq(evpq_result_ref(r), r);
    ck_assert_ptr_null(evpq_result_unref(r));
    ck_assert_str_eq(evpq_result_text(r, 0, 1), "one");
    ck_assert_ptr_null(evpq_result_unref(r));
}
END_TEST

START_TEST(no_result_is_an_empty_one)
{
    size_t length = 77;
    uint8_t uuid[16] = {77};
    ck_assert_ptr_null(evpq_result_ref(NULL));
    ck_assert_ptr_null(evpq_result_unref(NULL));
    ck_assert_int_eq(evpq_result_rows(NULL), 0);
    ck_assert_int_eq(evpq_result_columns(NULL), 0);
    ck_assert_int_eq(evpq_result_affected(NULL), -1);
    ck_assert_str_eq(evpq_result_command(NULL), "");
    ck_assert_ptr_null(evpq_result_column_name(NULL, 0));
    ck_assert_int_eq(evpq_result_column_index(NULL, "c"), -1);
    ck_assert(evpq_result_is_null(NULL, 0, 0));
    ck_assert_int_eq(evpq_result_int8(NULL, 0, 0), 0);
    ck_assert_ptr_null(evpq_result_text(NULL, 0, 0));
    ck_assert_ptr_null(evpq_result_bytes(NULL, 0, 0, &length));
    ck_assert_uint_eq(length, 0);
    ck_assert(!evpq_result_uuid(NULL, 0, 0, uuid));
    ck_assert_uint_eq(uuid[0], 0);
    ck_assert_ptr_null(evpq_result_fault(NULL));
    evpq_result_fault_clear(NULL);
}
END_TEST

/* ---- every getter on one value ---- */

/* Calls each getter; returns how many left a fault, all of which must say so. */
static int faults(const evpq_result *r, int row, int column, const char *says)
{
    int count = 0;
    size_t length;
    uint8_t uuid[16];
#define COUNT(call, zero)          \
 do {                              \
  evpq_result_fault_clear(r);      \
  bool is_zero = (call) == (zero); \
  if (evpq_result_fault(r)) {      \
   ck_assert(is_zero);             \
   check_fault(r, says);           \
   count++;                        \
  }                                \
 } while (0)
    COUNT(evpq_result_bool(r, row, column), false);
    COUNT(evpq_result_int2(r, row, column), 0);
    COUNT(evpq_result_int4(r, row, column), 0);
    COUNT(evpq_result_int8(r, row, column), 0);
    COUNT(evpq_result_oid(r, row, column), 0);
    COUNT(evpq_result_float4(r, row, column), 0);
    COUNT(evpq_result_float8(r, row, column), 0);
    COUNT(evpq_result_uuid(r, row, column, uuid), false);
    COUNT(evpq_result_timestamptz(r, row, column), 0);
    COUNT(evpq_result_timestamp(r, row, column), 0);
    COUNT(evpq_result_date(r, row, column), 0);
    COUNT(evpq_result_text(r, row, column), NULL);
    COUNT(evpq_result_bytes(r, row, column, &length), NULL);
    COUNT(evpq_result_raw(r, row, column, &length), NULL);
    COUNT(evpq_result_length(r, row, column), 0);
    COUNT(evpq_result_is_null(r, row, column), true);
#undef COUNT
    return count;
}
enum { GETTERS = 16, NUMBERS = 11 /* and others that SQL NULL is a fault for */ };

START_TEST(a_place_that_is_not_there_is_a_fault)
{
    evpq_result *r = table();
    ck_assert_int_eq(faults(r, 2, 0, "row 2, column 0 is not there: the result has 2 rows"),
                     GETTERS);
    ck_assert_int_eq(faults(r, 0, 2, "row 0, column 2 is not there"), GETTERS);
    ck_assert_int_eq(faults(r, -1, 0, "row -1"), GETTERS);
    ck_assert_int_eq(faults(r, 0, -1, "column -1"), GETTERS);
    ck_assert_int_eq(faults(r, INT32_MAX, INT32_MAX, "is not there"), GETTERS);
    ck_assert_int_eq(faults(r, INT32_MIN, INT32_MIN, "is not there"), GETTERS);
    evpq_result_unref(r);
}
END_TEST

START_TEST(sql_null_is_a_fault_for_what_has_no_null)
{
    evpq_result *r = table();
    size_t length = 77;
    ck_assert(evpq_result_is_null(r, 1, 0));
    ck_assert(!evpq_result_is_null(r, 0, 0));
    ck_assert_ptr_null(evpq_result_text(r, 1, 1));
    ck_assert_ptr_null(evpq_result_bytes(r, 1, 1, &length));
    ck_assert_uint_eq(length, 0);
    ck_assert_ptr_null(evpq_result_raw(r, 1, 1, &length));
    ck_assert_uint_eq(evpq_result_length(r, 1, 1), 0);
    check_no_fault(r);
    ck_assert_int_eq(faults(r, 1, 0, "row 1, column 0 \"id\" of type int4 cannot be read as"),
                     NUMBERS);
    ck_assert_int_eq(faults(r, 1, 0, "it is SQL NULL"), NUMBERS);
    evpq_result_unref(r);
}
END_TEST

START_TEST(another_type_is_a_fault)
{
    evpq_result *r = table();
    ck_assert_int_eq(faults(r, 0, 1, "row 0, column 1 \"Name\" of type text cannot be read as"),
                     NUMBERS + 1);
    ck_assert_int_eq(evpq_result_int4(r, 0, 1), 0);
    check_fault(r, "cannot be read as int4: the type has no such reading");
    evpq_result_unref(r);
    r = one_text(123456, "x");
    evpq_result_int8(r, 0, 0);
    check_fault(r, "of type oid 123456 cannot be read as int8");
    evpq_result_unref(r);
}
END_TEST

START_TEST(the_first_fault_is_remembered)
{
    evpq_result *r = table();
    evpq_result_int4(r, 0, 1);
    evpq_result_int8(r, 5, 0);
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 1);
    check_fault(r, "row 0, column 1");
    evpq_result_int8(r, 5, 0);
    check_fault(r, "row 5");
    evpq_result_unref(r);
}
END_TEST

START_TEST(a_fault_outlives_the_result_by_a_reference)
{
    evpq_result *r = table();
    evpq_result_int4(r, 0, 1);
    evpq_error *fault = evpq_error_ref(evpq_result_fault(r));
    evpq_result_unref(r);
    ck_assert_int_eq(evpq_error_status(fault), EVPQ_TYPE);
    evpq_error_unref(fault);
}
END_TEST

START_TEST(values_out_of_range_are_faults)
{
    evpq_result *r = one_text(INT8, "2147483648");
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 0);
    check_fault(r, "cannot be read as int4: the value is out of range");
    ck_assert_int_eq(evpq_result_int2(r, 0, 0), 0);
    check_fault(r, "int2");
    ck_assert_uint_eq(evpq_result_oid(r, 0, 0), 2147483648u);
    check_no_fault(r);
    evpq_result_unref(r);
    r = one_text(INT4, "-1");
    ck_assert_uint_eq(evpq_result_oid(r, 0, 0), 0);
    check_fault(r, "out of range");
    ck_assert_int_eq(evpq_result_int2(r, 0, 0), -1);
    check_no_fault(r);
    evpq_result_unref(r);
    r = one_text(1700, "0.5");
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 0);
    check_fault(r, "digits would be lost");
    ck_assert(evpq_result_float4(r, 0, 0) == 0.5f);
    check_no_fault(r);
    evpq_result_unref(r);
}
END_TEST

/* ---- integers in binary, for which there is a short way ---- */

START_TEST(binary_integers_are_read_as_any_that_hold_them)
{
    static const struct {
        uint32_t type;
        const char *bytes;
        int length;
        int64_t value;
    } rows[] = {
        {INT2, "\xff\xfe", 2, -2},
        {INT2, "\x7f\xff", 2, INT16_MAX},
        {INT4, "\0\0\x80\0", 4, INT16_MAX + 1},
        {INT4, "\x80\0\0\0", 4, INT32_MIN},
        {OID, "\x80\0\0\0", 4, 2147483648},
        {OID, "\xff\xff\xff\xff", 4, UINT32_MAX},
        {INT8, "\xff\xff\xff\xff\x7f\xff\xff\xff", 8, (int64_t)INT32_MIN - 1},
        {INT8, "\0\0\0\1\0\0\0\0", 8, (int64_t)UINT32_MAX + 1},
        {INT8, "\0\0\0\0\0\0\0\0", 8, 0},
        {INT8, "\x80\0\0\0\0\0\0\0", 8, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evpq_result *r = one(rows[i].type, 1, rows[i].bytes, rows[i].length);
        int64_t value = rows[i].value;
        const struct {
            const char *as;
            int64_t got, min, max;
        } all[] = {
            {"int2", evpq_result_int2(r, 0, 0), INT16_MIN, INT16_MAX},
            {"int4", evpq_result_int4(r, 0, 0), INT32_MIN, INT32_MAX},
            {"int8", evpq_result_int8(r, 0, 0), INT64_MIN, INT64_MAX},
            {"oid", evpq_result_oid(r, 0, 0), 0, UINT32_MAX},
        };
        char says[64];
        bool fault = false;
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            bool fits = value >= all[k].min && value <= all[k].max;
            ck_assert_msg(all[k].got == (fits ? value : 0), "row %zu as %s", i, all[k].as);
            snprintf(says, sizeof says, "cannot be read as %s: the value is out of range",
                     all[k].as);
            if (!fits && !fault)
                check_fault(r, says);
            fault |= !fits;
        }
        check_no_fault(r);
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(what_only_looks_like_a_binary_integer_is_not_read_as_one)
{
    static const struct {
        uint32_t type;
        int format;
        const char *bytes;
        int length;
        const char *says;
    } bad[] = {
        {INT4, 1, NULL, 0, "of type int4 cannot be read as int4: it is SQL NULL"},
        {INT4, 1, "", 0, "the bytes are malformed"},
        {INT4, 1, "\0\0\1", 3, "the bytes are malformed"},
        {INT4, 1, "\0\0\0\0\1", 5, "the bytes are malformed"},
        {INT4, 1, "\0\0\0\0\0\0\0\1", 8, "the bytes are malformed"},
        {INT8, 1, "\0\0\0\1", 4, "the bytes are malformed"},
        {INT2, 1, "\0\0\0\1", 4, "the bytes are malformed"},
        {OID, 1, "\0\1", 2, "the bytes are malformed"},
        {INT4, 0, "\0\0\0\1", 4, "the text is malformed"},
        {INT4, 0, "", 0, "the text is malformed"},
        {FLOAT4, 1, "\0\0\0\1", 4, "the type has no such reading"},
        {DATE, 1, "\0\0\0\1", 4, "the type has no such reading"},
        {TEXT, 1, "\0\0\0\1", 4, "the type has no such reading"},
        {STAMP, 1, "\0\0\0\0\0\0\0\1", 8, "the type has no such reading"},
        {123456, 1, "\0\0\0\1", 4, "the type has no such reading"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        evpq_result *r = one(bad[i].type, bad[i].format, bad[i].bytes, bad[i].length);
        ck_assert_int_eq(evpq_result_int4(r, 0, 0), 0);
        check_fault(r, bad[i].says);
        ck_assert_int_eq(evpq_result_is_null(r, 0, 0), !bad[i].bytes);
        check_no_fault(r);
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(whole_numbers_that_take_the_long_way)
{
    evpq_result *r = one_text(INT4, "1234"); /* as many bytes as in binary */
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 1234);
    check_no_fault(r);
    evpq_result_unref(r);
    r = one(NUMERIC, 1, "\0\1\0\0\x40\0\0\0\0\x2a", 10);
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), -42);
    check_no_fault(r);
    evpq_result_unref(r);
    r = one(INT4, 1, "\0\0\0\x2a", 4);
    ck_assert_int_eq(faults(r, 0, 1, "row 0, column 1 is not there"), GETTERS);
    ck_assert_int_eq(faults(r, -1, 0, "row -1, column 0 is not there"), GETTERS);
    ck_assert_int_eq(faults(r, 1, 0, "the result has 1 rows and 1 columns"), GETTERS);
    evpq_result_unref(r);
}
END_TEST

START_TEST(another_datestyle_is_a_fault)
{
    evpq_result *r = one_text(DATE, "01/02/2024");
    ck_assert_int_eq(evpq_result_date(r, 0, 0), 0);
    check_fault(r, "DateStyle");
    ck_assert_str_eq(evpq_result_text(r, 0, 0), "01/02/2024");
    check_no_fault(r);
    evpq_result_unref(r);
    r = one(DATE, 1, "\0", 1);
    evpq_result_date(r, 0, 0);
    check_fault(r, "the bytes are malformed");
    evpq_result_unref(r);
}
END_TEST

/* ---- values that have to be converted ---- */

START_TEST(text_of_binary_stays_where_it_is)
{
    evpq_result *r = one(INT4, 1, "\0\0\0\x2a", 4);
    const char *text = evpq_result_text(r, 0, 0);
    ck_assert_str_eq(text, "42");
    ck_assert_ptr_eq(evpq_result_text(r, 0, 0), text);
    ck_assert_int_eq(evpq_result_int8(r, 0, 0), 42);
    ck_assert_int_eq(evpq_result_column_format(r, 0), 1);
    check_no_fault(r);
    evpq_result_unref(r);
}
END_TEST

START_TEST(bytes_of_bytea_in_both_formats)
{
    size_t length = 77;
    evpq_result *r = one_text(BYTEA, "\\x00ff41");
    const void *bytes = evpq_result_bytes(r, 0, 0, &length);
    ck_assert_uint_eq(length, 3);
    ck_assert_mem_eq(bytes,
                     "\0\xff"
                     "A",
                     3);
    ck_assert_ptr_eq(evpq_result_bytes(r, 0, 0, &length), bytes);
    ck_assert_uint_eq(length, 3);
    ck_assert_str_eq(evpq_result_text(r, 0, 0), "\\x00ff41");
    ck_assert_str_eq(evpq_result_raw(r, 0, 0, &length), "\\x00ff41");
    ck_assert_uint_eq(length, 8);
    evpq_result_unref(r);
    r = one(BYTEA, 1,
            "\0\xff"
            "A",
            3);
    bytes = evpq_result_bytes(r, 0, 0, &length);
    ck_assert_uint_eq(length, 3);
    ck_assert_mem_eq(bytes,
                     "\0\xff"
                     "A",
                     4);
    ck_assert_str_eq(evpq_result_text(r, 0, 0), "\\x00ff41");
    ck_assert_uint_eq(evpq_result_length(r, 0, 0), 3);
    check_no_fault(r);
    evpq_result_unref(r);
}
END_TEST

START_TEST(an_empty_bytea_is_not_null)
{
    size_t length = 77;
    for (int format = 0; format < 2; format++) {
        evpq_result *r = one(BYTEA, format, "\\x", format ? 0 : 2);
        ck_assert_ptr_nonnull(evpq_result_bytes(r, 0, 0, &length));
        ck_assert_uint_eq(length, 0);
        check_no_fault(r);
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(malformed_bytea_is_a_fault_each_time)
{
    size_t length = 77;
    evpq_result *r = one_text(BYTEA, "\\x0");
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(evpq_result_bytes(r, 0, 0, &length));
        ck_assert_uint_eq(length, 0);
        check_fault(r, "cannot be read as bytea: the text is malformed");
    }
    evpq_result_unref(r);
}
END_TEST

START_TEST(many_conversions_do_not_disturb_one_another)
{
    enum { ROWS = 3000 };
    static const struct column both[] = {{"a", INT4, 1}, {"b", BYTEA, 1}};
    PGresult *pg = columns(both, 2);
    for (int row = 0; row < ROWS; row++) {
        char bytes[4] = {0, 0, (char)(row >> 8), (char)row};
        set(pg, row, 0, bytes, 4);
        set(pg, row, 1, bytes, 4);
    }
    evpq_result *r = result_wrap(pg, NULL);
    const char *kept[ROWS][2];
    for (int row = ROWS - 1; row >= 0; row--)
        for (int column = 0; column < 2; column++)
            kept[row][column] = evpq_result_text(r, row, column);
    for (int row = 0; row < ROWS; row++) {
        char number[16], hex[16];
        snprintf(number, sizeof number, "%d", row);
        snprintf(hex, sizeof hex, "\\x%08x", (unsigned)row);
        ck_assert_str_eq(kept[row][0], number);
        ck_assert_str_eq(kept[row][1], hex);
        ck_assert_ptr_eq(evpq_result_text(r, row, 1), kept[row][1]);
    }
    check_no_fault(r);
    evpq_result_unref(r);
}
END_TEST

START_TEST(uuid_and_times)
{
    static const char text[] = "00112233-4455-6677-8899-aabbccddeeff";
    uint8_t uuid[16] = {77};
    evpq_result *r = one_text(UUID, text);
    ck_assert(evpq_result_uuid(r, 0, 0, uuid));
    ck_assert_uint_eq(uuid[15], 0xff);
    evpq_result_unref(r);
    r = one(UUID, 1, (const char *)uuid, 16);
    ck_assert_str_eq(evpq_result_text(r, 0, 0), text);
    evpq_result_unref(r);
    r = one_text(UUID, "not one");
    ck_assert(!evpq_result_uuid(r, 0, 0, uuid));
    for (int i = 0; i < 16; i++)
        ck_assert_uint_eq(uuid[i], 0);
    evpq_result_unref(r);
    r = one_text(ZONED, "1970-01-01 01:00:01+01");
    ck_assert_int_eq(evpq_result_timestamptz(r, 0, 0), 1000000);
    check_no_fault(r);
    ck_assert_int_eq(evpq_result_timestamp(r, 0, 0), 0);
    check_fault(r, "timestamp");
    evpq_result_unref(r);
    r = one_text(STAMP, "1970-01-01 00:00:01");
    ck_assert_int_eq(evpq_result_timestamp(r, 0, 0), 1000000);
    check_no_fault(r);
    evpq_result_unref(r);
    r = one_text(DATE, "1970-01-02");
    ck_assert_int_eq(evpq_result_date(r, 0, 0), 1);
    check_no_fault(r);
    evpq_result_unref(r);
}
END_TEST

/* ---- no memory ---- */

START_TEST(without_memory_there_is_no_result)
{
    PGresult *pg = columns(&(struct column){"c", INT4, 0}, 1);
    oom_fail_at(1);
    evpq_result *r = result_wrap(pg, NULL);
    ck_assert(oom_end());
    ck_assert_ptr_null(r);
}
END_TEST

START_TEST(without_memory_a_conversion_is_a_fault_and_works_later)
{
    for (long n = 1;; n++) {
        evpq_result *r = one(INT4, 1, "\0\0\0\x2a", 4);
        oom_fail_at(n);
        const char *text = evpq_result_text(r, 0, 0);
        bool failed = oom_end();
        if (failed) {
            ck_assert_ptr_null(text);
            ck_assert_int_eq(evpq_error_status(evpq_result_fault(r)), EVPQ_NOMEM);
            evpq_result_fault_clear(r);
        }
        ck_assert_str_eq(evpq_result_text(r, 0, 0), "42");
        check_no_fault(r);
        evpq_result_unref(r);
        if (!failed) {
            ck_assert_int_gt(n, 3); /* the columns, the cells and the bytes */
            break;
        }
    }
}
END_TEST

START_TEST(without_memory_a_fault_is_still_one)
{
    evpq_result *r = table();
    oom_fail_from(1);
    evpq_result_int4(r, 0, 1);
    ck_assert(oom_end());
    ck_assert_int_eq(evpq_error_status(evpq_result_fault(r)), EVPQ_NOMEM);
    evpq_result_unref(r);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("result");
    CHECK_ADD(c, rows_and_columns);
    CHECK_ADD(c, a_command_without_a_tag);
    CHECK_ADD(c, a_reference_keeps_it);
    CHECK_ADD(c, no_result_is_an_empty_one);
    CHECK_ADD(c, a_place_that_is_not_there_is_a_fault);
    CHECK_ADD(c, sql_null_is_a_fault_for_what_has_no_null);
    CHECK_ADD(c, another_type_is_a_fault);
    CHECK_ADD(c, the_first_fault_is_remembered);
    CHECK_ADD(c, a_fault_outlives_the_result_by_a_reference);
    CHECK_ADD(c, values_out_of_range_are_faults);
    CHECK_ADD(c, binary_integers_are_read_as_any_that_hold_them);
    CHECK_ADD(c, what_only_looks_like_a_binary_integer_is_not_read_as_one);
    CHECK_ADD(c, whole_numbers_that_take_the_long_way);
    CHECK_ADD(c, another_datestyle_is_a_fault);
    CHECK_ADD(c, text_of_binary_stays_where_it_is);
    CHECK_ADD(c, bytes_of_bytea_in_both_formats);
    CHECK_ADD(c, an_empty_bytea_is_not_null);
    CHECK_ADD(c, malformed_bytea_is_a_fault_each_time);
    CHECK_ADD(c, many_conversions_do_not_disturb_one_another);
    CHECK_ADD(c, uuid_and_times);
    CHECK_ADD(c, without_memory_there_is_no_result);
    CHECK_ADD(c, without_memory_a_conversion_is_a_fault_and_works_later);
    CHECK_ADD(c, without_memory_a_fault_is_still_one);
    return check_end(c);
}
