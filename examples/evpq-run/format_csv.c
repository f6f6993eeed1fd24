/* format_csv.c - rows as RFC 4180 has them, but with LF line ends as psql --csv writes them. NULL
 * is nothing at all and the empty string is "", so that the output can be the params of another
 * run. A field that is \. is quoted, since COPY would take it for the end of the data. */
#include "format.h"

#include <string.h>

static void add_field(struct buf *to, const char *text, size_t length)
{
    bool plain = length > 0 && !(length == 2 && memcmp(text, "\\.", 2) == 0);

    for (size_t i = 0; plain && i < length; i++)
        plain = !strchr(",\"\r\n", text[i]) && text[i] != '\0';
    if (plain) {
        buf_add(to, text, length);
        return;
    }
    buf_byte(to, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            buf_byte(to, '"');
        buf_byte(to, text[i]);
    }
    buf_byte(to, '"');
}

static void csv_answer(struct piece *to, const struct answer *a)
{
    if (a->copied)
        buf_add(&to->body, buf_string(a->copied), a->copied->length);
    if (a->column_count == 0)
        return;
    for (int c = 0; c < a->column_count; c++) {
        if (c > 0)
            buf_byte(&to->head, ',');
        add_field(&to->head, a->columns[c].name, strlen(a->columns[c].name));
    }
    buf_byte(&to->head, '\n');
    for (int r = 0; r < a->row_count; r++) {
        for (int c = 0; c < a->column_count; c++) {
            size_t length = 0;
            const char *text = a->cell(a->from, r, c, &length);

            if (c > 0)
                buf_byte(&to->body, ',');
            if (text)
                add_field(&to->body, text, length);
        }
        buf_byte(&to->body, '\n');
    }
}

const struct format format_csv = {.name = "csv", .answer = csv_answer};
