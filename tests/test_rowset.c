/* test_rowset.c - results made of rows that arrived apart: one by one, or in a binary COPY. */
#include "base/mem.h"
#include "libpq/result.h"

#include "support/check.h"
#include "support/oom.h"

#include <libpq-fe.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INT4 = 23, TEXT = 25 };

/* A result of (id int4, name text) in text format, without rows. */
static PGresult *empty(void)
{
    PGresult *pg = PQmakeEmptyPGresult(NULL, PGRES_SINGLE_TUPLE);
    PGresAttDesc columns[2];
    memset(columns, 0, sizeof columns);
    columns[0].name = (char *)"id";
    columns[0].typid = INT4;
    columns[1].name = (char *)"name";
    columns[1].typid = TEXT;
    ck_assert_int_eq(PQsetResultAttrs(pg, 2, columns), 1);
    return pg;
}

static void add(PGresult *pg, const char *id, const char *name)
{
    int row = PQntuples(pg);
    ck_assert_int_eq(PQsetvalue(pg, row, 0, (char *)id, id ? (int)strlen(id) : -1), 1);
    ck_assert_int_eq(PQsetvalue(pg, row, 1, (char *)name, name ? (int)strlen(name) : -1), 1);
}

static PGresult *row(const char *id, const char *name)
{
    PGresult *pg = empty();
    add(pg, id, name);
    return pg;
}

static void check_fault(const evpq_result *r, const char *says)
{
    const evpq_error *fault = evpq_result_fault(r);
    ck_assert_msg(fault != NULL, "no fault says \"%s\"", says);
    ck_assert_msg(strstr(evpq_error_message(fault), says) != NULL, "\"%s\" does not say \"%s\"",
                  evpq_error_message(fault), says);
    evpq_result_fault_clear(r);
    ck_assert_ptr_null(evpq_result_fault(r));
}

START_TEST(rows_one_by_one_read_as_one_result)
{
    PGresult *rows[] = {row("1", "one"), row(NULL, ""), row("x", NULL)};
    evpq_result *r = result_join((struct pg_result **)rows, 3);
    ck_assert_int_eq(evpq_result_rows(r), 3);
    ck_assert_int_eq(evpq_result_columns(r), 2);
    ck_assert_str_eq(evpq_result_column_name(r, 1), "name");
    ck_assert_ptr_null(evpq_result_column_name(r, 2));
    ck_assert_int_eq(evpq_result_column_index(r, "name"), 1);
    ck_assert_uint_eq(evpq_result_column_type(r, 0), INT4);
    ck_assert_int_eq(evpq_result_column_format(r, 0), 0);
    ck_assert_str_eq(evpq_result_command(r), "");
    ck_assert_int_eq(evpq_result_affected(r), -1);

    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 1);
    ck_assert_str_eq(evpq_result_text(r, 0, 1), "one");
    ck_assert(evpq_result_is_null(r, 1, 0));
    ck_assert(!evpq_result_is_null(r, 1, 1));
    ck_assert_str_eq(evpq_result_text(r, 1, 1), "");
    ck_assert_ptr_null(evpq_result_text(r, 2, 1));
    ck_assert_ptr_null(evpq_result_fault(r));

    evpq_result_int4(r, 2, 0);
    check_fault(r, "row 2, column 0 \"id\" of type int4 cannot be read as int4: the text is");
    evpq_result_int4(r, 1, 0);
    check_fault(r, "NULL");
    evpq_result_int4(r, 3, 0);
    check_fault(r, "3 rows and 2 columns");
    ck_assert_ptr_eq(evpq_result_ref(r), r);
    evpq_result_unref(r);
    ck_assert_int_eq(evpq_result_int4(r, 0, 0), 1);
    ck_assert_ptr_null(evpq_result_unref(r));
}
END_TEST

START_TEST(chunks_of_rows_are_gathered_in_order)
{
    PGresult *chunks[] = {row("1", "a"), empty(), empty()};
    add(chunks[0], "2", "b");
    add(chunks[2], "3", "c");
    evpq_result *r = result_join((struct pg_result **)chunks, 3);
    ck_assert_int_eq(evpq_result_rows(r), 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(evpq_result_int4(r, i, 0), i + 1);
        ck_assert_int_eq(*evpq_result_text(r, i, 1), 'a' + i);
    }
    evpq_result_unref(r);
}
END_TEST

START_TEST(results_of_different_shapes_are_not_gathered)
{
    PGresult *pair[] = {row("1", "a"), PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK)};
    ck_assert_ptr_null(result_join((struct pg_result **)pair, 2));
}
END_TEST

START_TEST(gathering_survives_the_want_of_memory)
{
    EACH_ALLOCATION(n, failed) {
        PGresult *rows[] = {row("1", "one"), row("2", "two")};
        oom_fail_at(n);
        evpq_result *r = result_join((struct pg_result **)rows, 2);
        failed = oom_end();
        ck_assert(failed == !r);
        evpq_result_unref(r);
    }
}
END_TEST

/* ---- COPY ---- */

/* Fields as COPY sends them, back to back: a length, and bytes. */
static const char wire[] = "\0\0\0\4\0\0\0\7" /* 7 */
                           "\377\377\377\377" /* NULL */
                           "\1\0\0\3"         /* a length that does not begin with a zero byte */
                           "\0\0\0\3abc";     /* the last: the buffer's own zero byte */

static struct copied copy(bool with_buffers)
{
    struct copied c = {.n_rows = 2, .spans = mem_zalloc(4 * sizeof(struct span))};
    char *bytes;
    if (with_buffers) {
        c.buffers = mem_zalloc(sizeof *c.buffers);
        c.n_buffers = 1;
        bytes = c.buffers[0] = malloc(sizeof wire); /* as libpq does */
    } else {
        bytes = c.memory = mem_alloc(sizeof wire);
    }
    memcpy(bytes, wire, sizeof wire);
    c.spans[0] = (struct span){bytes + 4, 4};
    c.spans[1] = (struct span){bytes + 8, 4}; /* the bytes of the NULL, as text */
    c.spans[2] = (struct span){NULL, -1};
    c.spans[3] = (struct span){bytes + 20, 3};
    return c;
}

static evpq_result *head(void)
{
    evpq_result *r = result_wrap(empty(), NULL);
    ck_assert_ptr_nonnull(r);
    return r;
}

START_TEST(rows_of_a_copy_are_binary_whatever_the_head)
{
    for (int with_buffers = 0; with_buffers < 2; with_buffers++) {
        evpq_result *h = head();
        struct copied c = copy(with_buffers);
        evpq_result *r = result_of_copy(h, &c);
        evpq_result_unref(h);
        ck_assert_int_eq(evpq_result_rows(r), 2);
        ck_assert_int_eq(evpq_result_columns(r), 2);
        ck_assert_int_eq(evpq_result_column_format(r, 0), 1);
        ck_assert_str_eq(evpq_result_column_name(r, 0), "id");
        ck_assert_uint_eq(evpq_result_column_type(r, 1), TEXT);
        ck_assert_str_eq(evpq_result_command(r), "");
        ck_assert_int_eq(evpq_result_int4(r, 0, 0), 7);
        ck_assert_str_eq(evpq_result_text(r, 0, 0), "7");
        ck_assert(evpq_result_is_null(r, 1, 0));
        ck_assert_uint_eq(evpq_result_length(r, 1, 0), 0);
        ck_assert_str_eq(evpq_result_text(r, 1, 1), "abc");
        ck_assert_ptr_null(evpq_result_fault(r));
        evpq_result_unref(r);
    }
}
END_TEST

START_TEST(a_value_before_another_still_ends_in_a_zero_byte)
{
    evpq_result *h = head();
    struct copied c = copy(true);
    evpq_result *r = result_of_copy(h, &c);
    size_t length;
    const char *text = evpq_result_text(r, 0, 1), *raw = evpq_result_raw(r, 0, 1, &length);
    ck_assert_str_eq(text, "\377\377\377\377");
    ck_assert_str_eq(raw, "\377\377\377\377");
    ck_assert_uint_eq(length, 4);
    ck_assert_ptr_eq(evpq_result_text(r, 0, 1), text);
    ck_assert_ptr_eq(evpq_result_raw(r, 0, 1, &length), raw);
    /* What happens to be followed by one stays where it is. */
    ck_assert_ptr_eq(evpq_result_text(r, 1, 1), c.spans[3].bytes);
    evpq_result_unref(r);
    evpq_result_unref(h);
}
END_TEST

START_TEST(a_copy_survives_the_want_of_memory)
{
    evpq_result *h = head();
    EACH_ALLOCATION(n, failed) {
        struct copied c = copy(true);
        oom_fail_at(n);
        evpq_result *r = result_of_copy(h, &c);
        const char *text = r ? evpq_result_text(r, 0, 1) : NULL;
        failed = oom_end();
        if (r && !text)
            ck_assert_int_eq(evpq_error_status(evpq_result_fault(r)), EVPQ_NOMEM);
        ck_assert(failed == !text);
        evpq_result_unref(r);
    }
    evpq_result_unref(h);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("rowset");
    CHECK_ADD(c, rows_one_by_one_read_as_one_result);
    CHECK_ADD(c, chunks_of_rows_are_gathered_in_order);
    CHECK_ADD(c, results_of_different_shapes_are_not_gathered);
    CHECK_ADD(c, gathering_survives_the_want_of_memory);
    CHECK_ADD(c, rows_of_a_copy_are_binary_whatever_the_head);
    CHECK_ADD(c, a_value_before_another_still_ends_in_a_zero_byte);
    CHECK_ADD(c, a_copy_survives_the_want_of_memory);
    return check_end(c);
}
