/* script.c - see script.h. */
#include "testing/script.h"

#include "testing/types.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void bytes_print(struct bytes *b, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n > 0)
        bytes_put(b, text, (size_t)n);
    free(text);
}

/* ---- which statements ---- */

/* The part of a text that counts. */
static size_t trimmed(const char **text)
{
    size_t n;
    while (isspace((unsigned char)**text))
        ++*text;
    n = strlen(*text);
    while (n && (isspace((unsigned char)(*text)[n - 1]) || (*text)[n - 1] == ';'))
        n--;
    return n;
}

static bool is_same(const char *a, const char *b)
{
    size_t n = trimmed(&a);
    return n == trimmed(&b) && !memcmp(a, b, n);
}

static bool line_fits(const struct line *l, const char *sql)
{
    if (l->is.times && l->served >= l->is.times)
        return false;
    return l->is.sql ? is_same(l->is.sql, sql) : strstr(sql, l->is.part) != NULL;
}

const struct line *script_take(struct script *s, const char *sql)
{
    for (struct line *l = s->first; l; l = l->next)
        if (line_fits(l, sql)) {
            l->served++;
            return l;
        }
    return NULL;
}

/* ---- adding ---- */

static void line_free(struct line *l)
{
    const char *const texts[] = {l->is.sql,        l->is.part,    l->is.tag,    l->is.sqlstate,
                                 l->is.severity,   l->is.message, l->is.detail, l->is.hint,
                                 l->is.constraint, l->is.notice};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free((void *)(uintptr_t)texts[i]);
    for (size_t i = 0; l->cells && i < l->is.rows * l->n_columns; i++)
        free(l->cells[i]);
    for (size_t i = 0; i < l->n_columns; i++)
        free((void *)(uintptr_t)l->columns[i].name);
    free(l->cells);
    free(l->columns);
    free(l);
}

/* One of "id int8, name text": its name, and the name of its type, which may have blanks. */
static const char *add_column(struct line *l, const char *text, size_t n)
{
    static const char *const form = "columns: it is to be a list like \"id int8, name text\"";
    while (n && isspace((unsigned char)*text))
        text++, n--;
    while (n && isspace((unsigned char)text[n - 1]))
        n--;
    const char *blank = memchr(text, ' ', n);
    if (!blank)
        return form;
    const char *type = blank;
    while (*type == ' ')
        type++;
    char *name = copy_part(type, n - (size_t)(type - text));
    uint32_t oid = type_oid(name);
    free(name);
    if (!oid)
        return "columns: there is a type whose name is not known here; its oid will do";
    if (l->n_columns == COLUMNS_MOST)
        return "columns: there are more than 256";
    l->columns[l->n_columns].name = copy_part(text, (size_t)(blank - text));
    l->columns[l->n_columns++].type = oid;
    return NULL;
}

static const char *add_columns(struct line *l, const char *text)
{
    const char *reason = NULL;
    l->columns = take_memory(COLUMNS_MOST * sizeof *l->columns);
    while (!reason) {
        size_t n = strcspn(text, ",");
        reason = add_column(l, text, n);
        if (!text[n])
            break;
        text += n + 1;
    }
    return reason;
}

/* Types with a binary form have to be able to give it: an answer is not to fail for that later. */
static const char *add_cells(struct line *l, const char *const *cells)
{
    struct bytes b = {0};
    bool fits = true;
    size_t n = l->is.rows * l->n_columns;
    l->cells = take_memory(n * sizeof *l->cells);
    for (size_t i = 0; i < n; i++) {
        uint32_t type = l->columns[i % l->n_columns].type;
        l->cells[i] = copy_text(cells[i]);
        if (cells[i] && type_has_binary(type))
            fits &= type_put_binary(&b, type, cells[i]);
    }
    bytes_free(&b);
    return fits ? NULL : "cells: there is one that is no value of its column's type";
}

static bool is_sqlstate(const char *text)
{
    return strlen(text) == 5 && strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5;
}

static const char *check(const evpq_test_answer *a)
{
    if (!a->sql == !a->part)
        return "sql or part is to be set, and only one of them";
    if (a->part && !*a->part)
        return "part is empty";
    if (a->times < 0)
        return "times is negative";
    if (!(a->delay >= 0) || !isfinite(a->delay))
        return "delay is negative, or not a number";
    if ((unsigned)a->then > EVPQ_TEST_THEN_CUT_AFTER)
        return "then is none of evpq_test_then";
    if (a->rows && (!a->columns || !a->cells || a->rows > SIZE_MAX / COLUMNS_MOST / 8))
        return "rows is set, and columns or cells is not";
    if (a->sqlstate && (a->columns || a->tag))
        return "an error has neither columns nor a tag";
    if (a->sqlstate && !is_sqlstate(a->sqlstate))
        return "sqlstate is to be five digits and capitals";
    if (!a->sqlstate && (a->severity || a->message || a->detail || a->hint || a->constraint))
        return "parts of an error are set, and sqlstate is not";
    if (a->severity && strcmp(a->severity, "ERROR") && strcmp(a->severity, "FATAL"))
        return "severity is to be ERROR or FATAL";
    return NULL;
}

static struct line *line_new(const evpq_test_answer *a)
{
    struct line *l = take_memory(sizeof *l);
    l->is = *a;
    l->is.columns = NULL;
    l->is.cells = NULL;
    const char **texts[] = {&l->is.sql,        &l->is.part,    &l->is.tag,    &l->is.sqlstate,
                            &l->is.severity,   &l->is.message, &l->is.detail, &l->is.hint,
                            &l->is.constraint, &l->is.notice};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = copy_text(*texts[i]);
    return l;
}

bool script_add(struct script *s, const evpq_test_answer *answer, char **ret_error)
{
    evpq_test_answer a;
    char *error = NULL;
    struct line *l = NULL;
    if (kind_read(KIND(evpq_test_answer, sql), answer, &a, &error)) {
        const char *reason = check(&a);
        l = reason ? NULL : line_new(&a);
        if (!reason && a.columns)
            reason = add_columns(l, a.columns);
        if (!reason && a.rows)
            reason = add_cells(l, a.cells);
        if (reason)
            wrong(&error, "evpq_test_answer for '%s': %s",
                  a.sql    ? a.sql
                  : a.part ? a.part
                           : "",
                  reason);
    }
    if (!error) {
        *s->last = l;
        s->last = &l->next;
        return true;
    }
    if (l)
        line_free(l);
    bytes_print(&s->refused, "%s\n", error);
    if (ret_error)
        *ret_error = error;
    else
        free(error);
    return false;
}

/* ---- life ---- */

void script_init(struct script *s)
{
    *s = (struct script){.last = NULL};
    s->last = &s->first;
}

void script_free(struct script *s)
{
    for (struct line *l = s->first, *next; l; l = next) {
        next = l->next;
        line_free(l);
    }
    bytes_free(&s->refused);
}

void script_complain(const struct script *s, struct bytes *to)
{
    if (bytes_size(&s->refused))
        bytes_put(to, bytes_begin(&s->refused), bytes_size(&s->refused));
    for (const struct line *l = s->first; l; l = l->next)
        if (l->is.times && l->served < l->is.times)
            bytes_print(to, "came %ld of %d times: %s%s\n", l->served, l->is.times,
                        l->is.sql ? "" : "... ", l->is.sql ? l->is.sql : l->is.part);
}
