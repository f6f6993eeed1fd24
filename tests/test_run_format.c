/*
 * The output formats of evpq-run (examples/evpq-run/format.h), and the UTF-8 under them.
 */
#include <locale.h>
#include <string.h>

#include "../examples/evpq-run/format.h"
#include "../examples/evpq-run/utf8.h"
#include "support/check.h"

enum { BOOL = 16, BYTEA = 17, INT8 = 20, TEXT = 25, JSON = 114, FLOAT8 = 701, NUMERIC = 1700 };

/* One row of values. */
static const char *value(const void *from, int row, int column, size_t *ret_length)
{
    const char *const *values = from;
    const char *v = values[row * 3 + column];

    *ret_length = v ? strlen(v) : 0;
    return v;
}

static const char *shown(const struct format *format, const struct column *columns, int n, int rows,
                         const char *const *values)
{
    static struct piece piece;
    static struct buf all;
    struct answer answer = {.number = 7,
                            .file = "a.sql",
                            .line = 3,
                            .command = "SELECT 1",
                            .columns = columns,
                            .column_count = n,
                            .row_count = rows,
                            .cell = value,
                            .from = values};

    piece_free(&piece);
    buf_clear(&all);
    format->answer(&piece, &answer);
    buf_format(&all, "%s%s", buf_string(&piece.head), buf_string(&piece.body));
    return buf_string(&all);
}

static const struct column three[] = {{"id", INT8}, {"name", TEXT}, {"n", NUMERIC}};

START_TEST(formats_by_name)
{
    ck_assert_ptr_eq(format_find("table"), &format_table);
    ck_assert_ptr_eq(format_find("csv"), &format_csv);
    ck_assert_ptr_eq(format_find("json"), &format_json);
    ck_assert_ptr_eq(format_find("none"), &format_none);
    ck_assert_ptr_null(format_find("xml"));
    ck_assert_ptr_null(format_find(""));
}
END_TEST

START_TEST(tables)
{
    const char *values[] = {"1", "bob", NULL, "200", "", "-1.50"};

    setlocale(LC_CTYPE, "C.UTF-8");
    ck_assert_str_eq(shown(&format_table, three, 3, 2, values), " id  | name |   n   \n"
                                                                "-----+------+-------\n"
                                                                "   1 | bob  |      \n"
                                                                " 200 |      | -1.50\n"
                                                                "(2 rows)\n\n");
    ck_assert_str_eq(shown(&format_table, three, 1, 0, values), " id \n----\n(0 rows)\n\n");
    ck_assert_str_eq(shown(&format_table, three, 0, 0, values), "SELECT 1\n");
}
END_TEST

START_TEST(tables_keep_a_value_on_its_line)
{
    const char *values[] = {"1", "a\nb\t\x1b[31m\x80", "2", "3", "\xE6\xBC\xA2", "4"};

    setlocale(LC_CTYPE, "C.UTF-8");
    ck_assert_str_eq(shown(&format_table, three, 3, 2, values),
                     " id |        name        | n \n"
                     "----+--------------------+---\n"
                     "  1 | a\\nb\\t\\x1b[31m\\x80 | 2\n"
                     "  3 | \xE6\xBC\xA2                 | 4\n"
                     "(2 rows)\n\n");
}
END_TEST

START_TEST(f74_csv_quotes_what_copy_takes_for_the_end)
{
    const char *values[] = {"\\.", "\\.x", "\\"};

    ck_assert_str_eq(shown(&format_csv, three, 3, 1, values), "id,name,n\n\"\\.\",\\.x,\\\n");
}
END_TEST

START_TEST(csv_values)
{
    const char *values[] = {"1", "a,\"b\"\nc", NULL, "", " x ", "NULL"};

    ck_assert_str_eq(shown(&format_csv, three, 3, 2, values),
                     "id,name,n\n1,\"a,\"\"b\"\"\nc\",\n\"\", x ,NULL\n");
    ck_assert_str_eq(shown(&format_csv, three, 0, 0, values), "");
}
END_TEST

START_TEST(json_values)
{
    const struct column columns[] = {{"a\"b", TEXT}, {"b", BOOL}, {"c", JSON}};
    const char *values[] = {"x\ny\\\"\x01\x7f\xff\xC3\xA9", "t", "{\"k\":\n [1]}", NULL, "f", NULL};

    ck_assert_str_eq(shown(&format_json, columns, 3, 2, values),
                     "{\"statement\":7,\"at\":\"a.sql:3\",\"command\":\"SELECT 1\",\"rows\":["
                     "{\"a\\\"b\":\"x\\ny\\\\\\\"\\u0001\\u007f\xEF\xBF\xBD\xC3\xA9\","
                     "\"b\":true,\"c\":{\"k\":  [1]}},"
                     "{\"a\\\"b\":null,\"b\":false,\"c\":null}]}\n");
    ck_assert_str_eq(shown(&format_json, columns, 0, 0, values),
                     "{\"statement\":7,\"at\":\"a.sql:3\",\"command\":\"SELECT 1\"}\n");
    ck_assert_str_eq(shown(&format_json, columns, 1, 0, values),
                     "{\"statement\":7,\"at\":\"a.sql:3\",\"command\":\"SELECT 1\",\"rows\":[]}\n");
}
END_TEST

START_TEST(json_numbers)
{
    static const struct {
        uint32_t type;
        const char *text, *want;
    } cases[] = {
        {INT8, "-9223372036854775808", "-9223372036854775808"},
        {FLOAT8, "1e+300", "1e+300"},
        {FLOAT8, "-0", "-0"},
        {FLOAT8, "NaN", "\"NaN\""},
        {FLOAT8, "-Infinity", "\"-Infinity\""},
        {NUMERIC, "0.10", "0.10"},
        {NUMERIC, "NaN", "\"NaN\""},
        {TEXT, "12", "\"12\""},
        {BYTEA, "\\x00", "\"\\\\x00\""},
        {JSON, "[\xff]", "\"[\xEF\xBF\xBD]\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct column column = {"v", cases[i].type};
        const char *values[] = {cases[i].text};
        struct buf want = {0};

        buf_format(&want,
                   "{\"statement\":7,\"at\":\"a.sql:3\",\"command\":\"SELECT 1\","
                   "\"rows\":[{\"v\":%s}]}\n",
                   cases[i].want);
        ck_assert_str_eq(shown(&format_json, &column, 1, 1, values), buf_string(&want));
        buf_free(&want);
    }
}
END_TEST

START_TEST(json_failures)
{
    struct failure f = {
        .code = "23505", .outcome = "rejected", .message = "dup \"k\"", .detail = "d"};
    struct answer where = {.number = 2, .file = "a", .line = 9};
    struct piece piece = {0};

    format_json.failure(&piece, &where, &f);
    ck_assert_str_eq(buf_string(&piece.body),
                     "{\"statement\":2,\"at\":\"a:9\",\"error\":{\"code\":\"23505\","
                     "\"outcome\":\"rejected\",\"message\":\"dup \\\"k\\\"\",\"detail\":\"d\"}}\n");
    piece_free(&piece);
}
END_TEST

START_TEST(nothing_at_all)
{
    const char *values[] = {"1", "2", "3"};

    ck_assert_str_eq(shown(&format_none, three, 3, 1, values), "");
}
END_TEST

START_TEST(utf8_forms)
{
    static const struct {
        const char *text;
        size_t n;
        uint32_t c;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xC3\xA9", 2, 0xE9},
        {"\xE2\x82\xAC", 3, 0x20AC},
        {"\xF0\x9F\x98\x80", 4, 0x1F600},
        {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
        {"\x80", 0, 0},
        {"\xC0\x80", 0, 0},
        {"\xC1\xBF", 0, 0},
        {"\xE0\x9F\xBF", 0, 0},
        {"\xED\xA0\x80", 0, 0},
        {"\xF0\x8F\xBF\xBF", 0, 0},
        {"\xF4\x90\x80\x80", 0, 0},
        {"\xF5\x80\x80\x80", 0, 0},
        {"\xC3", 0, 0},
        {"\xC3(", 0, 0},
        {"", 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t c = 0;

        ck_assert_uint_eq(utf8_next(cases[i].text, strlen(cases[i].text), &c), cases[i].n);
        if (cases[i].n > 0)
            ck_assert_uint_eq(c, cases[i].c);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("run_format");

    CHECK_ADD(c, formats_by_name);
    CHECK_ADD(c, tables);
    CHECK_ADD(c, tables_keep_a_value_on_its_line);
    CHECK_ADD(c, csv_values);
    CHECK_ADD(c, f74_csv_quotes_what_copy_takes_for_the_end);
    CHECK_ADD(c, json_values);
    CHECK_ADD(c, json_numbers);
    CHECK_ADD(c, json_failures);
    CHECK_ADD(c, nothing_at_all);
    CHECK_ADD(c, utf8_forms);
    return check_end(c);
}
