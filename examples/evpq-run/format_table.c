/* format_table.c - aligned columns for people, as psql shows them.
 *
 * Widths are in terminal columns. A value stays on one line: line ends, tabs and other control
 * characters are shown as \n, \t, \x07, so that nothing a table holds can disturb a terminal. */
#include "format.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* `text` made fit for a line, appended to `to` (NULL: only measured). Returns its width. */
static size_t add_visible(struct buf *to, const char *text, size_t length)
{
    size_t width = 0;

    for (size_t i = 0, n; i < length; i += n ? n : 1) {
        struct buf one = {0};
        uint32_t c = 0;

        n = utf8_next(text + i, length - i, &c);
        if (n > 0 && c >= ' ' && (c < 0x7f || c >= 0xa0)) {
            width += utf8_width(c);
            if (to)
                buf_add(to, text + i, n);
            continue;
        }
        if (n == 0)
            buf_format(&one, "\\x%02x", (unsigned char)text[i]);
        else if (c == '\n' || c == '\r' || c == '\t')
            buf_text(&one, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else
            buf_format(&one, "\\x%02x", (unsigned)c);
        width += one.length;
        if (to)
            buf_add(to, one.data, one.length);
        buf_free(&one);
    }
    return width;
}

static size_t *measure(const struct answer *a)
{
    size_t *widths = alloc((size_t)a->column_count * sizeof *widths);

    for (int c = 0; c < a->column_count; c++) {
        widths[c] = add_visible(NULL, a->columns[c].name, strlen(a->columns[c].name));
        for (int r = 0; r < a->row_count; r++) {
            size_t length = 0;
            const char *text = a->cell(a->from, r, c, &length);
            size_t width = text ? add_visible(NULL, text, length) : 0;

            if (width > widths[c])
                widths[c] = width;
        }
    }
    return widths;
}

static void add_header(struct buf *to, const struct answer *a, const size_t *widths)
{
    for (int c = 0; c < a->column_count; c++) {
        const char *name = a->columns[c].name;
        size_t space = widths[c] - add_visible(NULL, name, strlen(name));

        buf_text(to, c > 0 ? "| " : " ");
        buf_fill(to, ' ', space / 2);
        add_visible(to, name, strlen(name));
        buf_fill(to, ' ', space - space / 2 + 1);
    }
    buf_byte(to, '\n');
    for (int c = 0; c < a->column_count; c++) {
        if (c > 0)
            buf_byte(to, '+');
        buf_fill(to, '-', widths[c] + 2);
    }
    buf_byte(to, '\n');
}

static void add_row(struct buf *to, const struct answer *a, const size_t *widths, int row)
{
    for (int c = 0; c < a->column_count; c++) {
        size_t length = 0;
        const char *text = a->cell(a->from, row, c, &length);
        size_t space = widths[c] - (text ? add_visible(NULL, text, length) : 0);
        bool right = type_is_number(a->columns[c].type);
        bool last = c == a->column_count - 1;

        buf_text(to, c > 0 ? "| " : " ");
        if (right)
            buf_fill(to, ' ', space);
        if (text)
            add_visible(to, text, length);
        if (!last)
            buf_fill(to, ' ', right ? 1 : space + 1);
    }
    buf_byte(to, '\n');
}

static void table_answer(struct piece *to, const struct answer *a)
{
    size_t *widths;

    if (a->copied) {
        buf_add(&to->body, buf_string(a->copied), a->copied->length);
        return;
    }
    if (a->column_count == 0) {
        if (*a->command)
            buf_format(&to->body, "%s\n", a->command);
        return;
    }
    widths = measure(a);
    add_header(&to->body, a, widths);
    for (int r = 0; r < a->row_count; r++)
        add_row(&to->body, a, widths, r);
    buf_format(&to->body, "(%d row%s)\n\n", a->row_count, a->row_count == 1 ? "" : "s");
    free(widths);
}

const struct format format_table = {.name = "table", .answer = table_answer};
