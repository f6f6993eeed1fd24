/* reads.c - what the library reads of values that SQL names, for tests/differential/types.
 *
 * A line of the input is KIND, a blank and an expression. What is written for it ends with a record
 * separator and has three parts, with unit separators between them:
 *
 *   - the value in text as evpq_result_text writes it when it came in binary;
 *   - what the server says when it is read from text by the kind's getters and sent back;
 *   - the same of what is read from binary.
 *
 * KIND is the name of one of value_kinds (support/values.h), or - or = for what has no getter of its
 * own: there the last two parts are what is inside, opened level by level. A fault is told as FAULT. */
#include "support/values.h"

#include <evpq/evpq.h>
#include <evpq/nested.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 3 };

static evpq_lease *lease;

static evpq_result *ask(const char *sql, evpq_args args)
{
    evpq_future *f = evpq_lease_query(lease, sql, args);

    if (evpq_await(f) != EVPQ_OK) {
        const evpq_error *e = evpq_future_error(f);

        fprintf(stderr, "%.200s: %s\n", sql, evpq_error_message(e));
        exit(1);
    }
    evpq_result *r = evpq_result_ref(evpq_future_result(f));
    evpq_future_unref(f);
    return r;
}

static const struct value_kind *kind_of(const char *name)
{
    for (int i = 0; i < value_kinds_count; i++)
        if (!strcmp(value_kinds[i].type, name))
            return &value_kinds[i];
    fprintf(stderr, "no such kind: %s\n", name);
    exit(2);
}

static void put_text(const char *text)
{
    fputs(text ? text : "NULL", stdout);
}

static bool has_fault(const evpq_result *r)
{
    if (!evpq_result_fault(r))
        return false;
    evpq_result_fault_clear(r);
    return true;
}

/* ---- by a getter ---- */

static void put_back(const struct value_kind *kind, uint32_t type, const evpq_result *r)
{
    static struct item item, made;
    char sql[100];

    memset(&item, 0, sizeof item);
    item.arg = evpq_null();
    if (!evpq_result_is_null(r, 0, 0))
        kind->read(&item, &made, r, 0, 0);
    if (has_fault(r)) {
        fputs("FAULT", stdout);
        return;
    }
    if (item.arg.kind == EVPQ_ARG_RECORD)
        item.arg.type = type;
    snprintf(sql, sizeof sql, "select $1::%s", kind->type);
    evpq_result *back = ask(sql, EVPQ_ARGS(item.arg));
    put_text(evpq_result_text(back, 0, 0));
    evpq_result_unref(back);
}

/* ---- what is inside ---- */

static void put_inside(const evpq_result *r, int row, int column, int depth);

static void put_list(const evpq_result *list, int depth)
{
    evpq_shape shape;

    for (int d = 0, n = evpq_result_shape(list, &shape); d < n; d++)
        printf("[%d:%d]", shape.first[d], shape.length[d]);
    for (int row = 0; row < evpq_result_rows(list); row++)
        for (int column = 0; column < evpq_result_columns(list); column++)
            put_inside(list, row, column, depth);
    has_fault(list);
}

/* Each way to open it that does not fault, down to what cannot be opened. Not ranges within others:
 * a field of a record has no type in text, and may look like one. */
static void put_inside(const evpq_result *r, int row, int column, int depth)
{
    const evpq_result *(*const open[])(const evpq_result *, int, int) = {evpq_result_array,
                                                                         evpq_result_record};
    const evpq_result *in;

    putchar('<');
    if (evpq_result_is_null(r, row, column)) {
        putchar('-');
    } else {
        put_text(evpq_result_text(r, row, column));
        for (size_t i = 0; depth > 0 && i < sizeof open / sizeof *open; i++)
            if ((in = open[i](r, row, column)) != NULL)
                put_list(in, depth - 1);
        if (depth == DEEPEST && (in = evpq_result_range(r, row, column, 0)) != NULL) {
            for (int k = 0; k < evpq_result_rows(in); k++)
                printf("%u", evpq_result_range_flags(in, k));
            put_list(in, 0);
        }
    }
    if (has_fault(r) && depth == 0)
        fputs("FAULT", stdout);
    putchar('>');
}

/* ---- a line ---- */

static void put_line(const char *kind_name, const char *expression)
{
    static char sql[10000];
    uint32_t type = 0;

    snprintf(sql, sizeof sql, "select %s", expression);
    evpq_result *text = ask(sql, EVPQ_ARGS()), *binary = ask(sql, evpq_binary(EVPQ_ARGS()));
    const char *written = evpq_result_text(binary, 0, 0);
    put_text(has_fault(binary) ? "FAULT" : written);
    putchar('\x1f');
    if (!strcmp(kind_name, "-") || !strcmp(kind_name, "=")) {
        put_inside(text, 0, 0, DEEPEST);
        putchar('\x1f');
        put_inside(binary, 0, 0, DEEPEST);
    } else {
        const struct value_kind *kind = kind_of(kind_name);
        evpq_result *r = ask("select $1::regtype::oid", EVPQ_ARGS(kind->type));
        type = evpq_result_oid(r, 0, 0);
        evpq_result_unref(r);
        put_back(kind, type, text);
        putchar('\x1f');
        put_back(kind, type, binary);
    }
    fputs("\x1e", stdout);
    evpq_result_unref(text);
    evpq_result_unref(binary);
}

static void set_up(void)
{
    char *all = strdup(values_setup);

    for (char *rest = all, *one; (one = strtok_r(rest, ";", &rest)) != NULL;)
        evpq_result_unref(ask(one, EVPQ_ARGS()));
    free(all);
}

int main(void)
{
    static char line[10000];
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_error *error = NULL;
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, &error);

    if (!pool) {
        fprintf(stderr, "%s\n", evpq_error_message(error));
        return 1;
    }
    evpq_future *f = evpq_pool_acquire(pool);
    if (evpq_await(f) != EVPQ_OK) {
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
        return 1;
    }
    lease = evpq_future_lease(f);
    evpq_future_unref(f);
    set_up();
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *expression = strchr(line, ' ');
        if (!expression)
            return 2;
        *expression++ = '\0';
        put_line(line, expression);
    }
    evpq_lease_release(lease);
    evpq_future_unref(evpq_pool_close(pool, 5));
    return 0;
}
