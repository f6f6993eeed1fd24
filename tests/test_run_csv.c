/*
 * The CSV reader of evpq-run (examples/evpq-run/csv.h), and the CSV writer as its inverse.
 */
#include <stdlib.h>
#include <string.h>

#include "../examples/evpq-run/csv.h"
#include "../examples/evpq-run/format.h"
#include "support/check.h"
#include "support/pieces.h"

struct pair {
    const char *text, *want;
};

static void ck_pairs(const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(pairs[i].text);

        for (size_t piece = 1; piece <= length + 1; piece++) {
            char *got = csv_in_pieces(pairs[i].text, length, piece);

            ck_assert_msg(strcmp(got, pairs[i].want) == 0,
                          "in pieces of %zu: %s\nbecomes %s\nnot %s", piece, pairs[i].text, got,
                          pairs[i].want);
            free(got);
        }
    }
}

#define CK_PAIRS(pairs) ck_pairs(pairs, sizeof(pairs) / sizeof *(pairs))

START_TEST(rows_and_fields)
{
    static const struct pair pairs[] = {
        {"", ""},
        {"a", "1[a]"},
        {"a,b\nc,d\n", "1[a|b]2[c|d]"},
        {"a,b\r\nc,d\r\n", "1[a|b]2[c|d]"},
        {"a\nb\r\nc", "1[a]2[b]3[c]"},
        {" a , b ", "1[ a | b ]"},
        {"\xEF\xBB\xBFid,x\n1,2", "1[id|x]2[1|2]"},
        {"\xEF\xBB\xBF", ""},
        {"\xEF\xBB", "1[\xEF\xBB]"},
        {"a;b\n", "1[a;b]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(null_and_empty)
{
    static const struct pair pairs[] = {
        {",", "1[NULL|NULL]"},
        {"\"\",", "1[|NULL]"},
        {",\"\"\n", "1[NULL|]"},
        {"\n", "1[NULL]"},
        {"a\n\nb\n", "1[a]2[NULL]3[b]"},
        {"\r\n", "1[NULL]"},
        {"\"\"", "1[]"},
        {"a,\n,b\n", "1[a|NULL]2[NULL|b]"},
        {"a,", "1[a|NULL]"},
        {"a,\r\nb,", "1[a|NULL]2[b|NULL]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(quoted_fields)
{
    static const struct pair pairs[] = {
        {"\"a,b\",c", "1[a,b|c]"},
        {"\"a\"\"b\"", "1[a\"b]"},
        {"\"\"\"\"", "1[\"]"},
        {"\"\"\"a\"\"\"\n", "1[\"a\"]"},
        {"\"a\nb\",c\nd,e\n", "1[a\nb|c]3[d|e]"},
        {"\"a\r\nb\"\r\nc", "1[a\r\nb]3[c]"},
        {"\"\r\"", "1[\r]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(bad_rows_do_not_take_others_along)
{
    static const struct pair pairs[] = {
        {"a\nb\"c\nd", "1[a]!2:2:quote inside a field that does not begin with one2[b\"c]3[d]"},
        {"\xC3\xA9\xC3\xA9\"\nd",
         "!1:3:quote inside a field that does not begin with one1[\xC3\xA9\xC3\xA9\"]2[d]"},
        {"\"a\"b,c\nd\n", "!1:4:text after the closing quote of a field1[\"a\"b,c]2[d]"},
        {"\"a\n\" x\r\nd\n", "!2:2:text after the closing quote of a field1[\"a\n\" x]3[d]"},
        {"a\rb\nc", "!1:3:carriage return without a line feed, outside quotes1[a\rb]2[c]"},
        {"a\n\"b\n", "1[a]!!2:1:quote that is never closed2[\"b]"},
        {"a,\"b", "!!1:3:quote that is never closed1[a,\"b]"},
        {"b\"c", "!1:2:quote inside a field that does not begin with one1[b\"c]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(nul_bytes_are_named)
{
    static const char text[] = "a\nb\0c,d\n\"e\0\"\nf\n";
    const char *want[] = {"a", NULL, NULL, "f"};
    long columns[] = {0, 2, 3, 0};

    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct window w = {0};
        struct csv *csv = csv_new(&w);
        struct csv_row row;
        size_t at = 0;
        int n = 0;

        for (enum csv_status status; (status = csv_next(csv, &row)) != CSV_END;) {
            if (status == CSV_MORE) {
                size_t some = sizeof text - 1 - at < piece ? sizeof text - 1 - at : piece;

                window_feed(&w, text + at, some);
                at += some;
                w.finished = some == 0;
                continue;
            }
            ck_assert_int_eq(status, want[n] ? CSV_OK : CSV_BAD);
            ck_assert_int_eq(row.line, n + 1);
            if (want[n]) {
                ck_assert_str_eq(row.fields[0], want[n]);
            } else {
                ck_assert_ptr_nonnull(strstr(row.why, "NUL byte"));
                ck_assert_int_eq(row.why_line, n + 1);
                ck_assert_int_eq(row.why_column, columns[n]);
            }
            n++;
        }
        ck_assert_int_eq(n, 4);
        csv_free(csv);
        window_free(&w);
    }
}
END_TEST

/* ---- writing and reading back ---- */

struct grid {
    int columns;
    char *values[24];
};

static const char *grid_cell(const void *from, int row, int column, size_t *ret_length)
{
    const struct grid *g = from;
    const char *value = g->values[row * g->columns + column];

    *ret_length = value ? strlen(value) : 0;
    return value;
}

static char *random_value(void)
{
    static const char alphabet[] = "ab,\"\n\r 0;'\\\xC3\xA9";
    size_t length = (size_t)rand() % 6;
    char *value = calloc(1, length + 1);

    if (rand() % 8 == 0) {
        free(value);
        return NULL;
    }
    for (size_t i = 0; i < length; i++)
        value[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
    return value;
}

START_TEST(reads_back_whatever_was_written)
{
    srand(7);
    for (int round = 0; round < 3000; round++) {
        struct grid g = {.columns = 1 + rand() % 4};
        int rows = 1 + rand() % 6;
        struct column columns[4] = {{"a", 25}, {"b", 25}, {"c", 25}, {"d", 25}};
        struct answer answer = {.command = "SELECT",
                                .columns = columns,
                                .column_count = g.columns,
                                .row_count = rows,
                                .cell = grid_cell,
                                .from = &g};
        struct piece piece = {0};
        struct buf want = {0};
        char *got;

        for (int i = 0; i < rows * g.columns; i++)
            g.values[i] = random_value();
        format_csv.answer(&piece, &answer);
        got = csv_in_pieces(piece.body.data, piece.body.length, (size_t)(1 + rand() % 40));
        for (long r = 0, line = 1; r < rows; r++, line++) {
            buf_format(&want, "%ld[", line);
            for (int c = 0; c < g.columns; c++) {
                const char *v = g.values[r * g.columns + c];

                buf_format(&want, "%s%s", c > 0 ? "|" : "", v ? v : "NULL");
                for (const char *p = v; p && *p; p++)
                    line += *p == '\n';
            }
            buf_byte(&want, ']');
        }
        ck_assert_str_eq(got, buf_string(&want));
        free(got);
        buf_free(&want);
        piece_free(&piece);
        for (int i = 0; i < rows * g.columns; i++)
            free(g.values[i]);
    }
}
END_TEST

/* Any bytes at all are read to their end, cut as they may be, to the same rows. */
START_TEST(survives_noise)
{
    static const char alphabet[] = "a,\"\n\r\"\",,\n";

    srand(11);
    for (int round = 0; round < 3000; round++) {
        char text[40];
        size_t length = (size_t)rand() % sizeof text;
        char *whole, *pieces;

        for (size_t i = 0; i < length; i++)
            text[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        whole = csv_in_pieces(text, length, length + 1);
        pieces = csv_in_pieces(text, length, (size_t)(1 + rand() % 4));
        ck_assert_str_eq(whole, pieces);
        free(whole);
        free(pieces);
    }
}
END_TEST

START_TEST(holds_one_row_at_a_time)
{
    struct window w = {0};
    struct csv *csv = csv_new(&w);
    struct csv_row row;
    long count = 0;

    for (int i = 0; i < 20000; i++) {
        window_feed(&w, "1,\"some text\",,x\n", 17);
        while (csv_next(csv, &row) == CSV_OK)
            ck_assert_int_eq(row.line, ++count);
    }
    ck_assert_int_eq(count, 20000);
    ck_assert_uint_lt(w.room, 1000);
    csv_free(csv);
    window_free(&w);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("run_csv");

    CHECK_ADD(c, rows_and_fields);
    CHECK_ADD(c, null_and_empty);
    CHECK_ADD(c, quoted_fields);
    CHECK_ADD(c, bad_rows_do_not_take_others_along);
    CHECK_ADD(c, nul_bytes_are_named);
    CHECK_ADD(c, reads_back_whatever_was_written);
    CHECK_ADD(c, survives_noise);
    CHECK_ADD(c, holds_one_row_at_a_time);
    return check_end(c);
}
