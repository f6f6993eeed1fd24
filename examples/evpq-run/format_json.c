/* format_json.c - JSON Lines: one object for each statement, failed ones included, on a line of its
 * own.
 *
 *     {"statement":1,"at":"a.sql:3","command":"SELECT 1","rows":[{"id":7,"name":"bob"}]}
 *     {"statement":2,"at":"a.sql:4","error":{"code":"23505","outcome":"rejected","message":"..."}}
 *
 * Numbers are numbers where they are finite, booleans are true and false, json and jsonb stand as
 * they are, NULL is null and everything else is a string. A byte that is not UTF-8 becomes U+FFFD:
 * the output is JSON always. */
#include "format.h"
#include "utf8.h"

#include <string.h>

enum { BOOL = 16, JSON = 114, JSONB = 3802 };

static void add_escaped(struct buf *to, uint32_t c)
{
    switch (c) {
    case '"':
        buf_text(to, "\\\"");
        break;
    case '\\':
        buf_text(to, "\\\\");
        break;
    case '\n':
        buf_text(to, "\\n");
        break;
    case '\r':
        buf_text(to, "\\r");
        break;
    case '\t':
        buf_text(to, "\\t");
        break;
    default:
        buf_format(to, "\\u%04x", (unsigned)c);
    }
}

static void add_string(struct buf *to, const char *text, size_t length)
{
    uint32_t c;

    buf_byte(to, '"');
    for (size_t i = 0, n; i < length; i += n ? n : 1) {
        n = utf8_next(text + i, length - i, &c);
        if (n == 0)
            buf_text(to, "\xEF\xBF\xBD");
        else if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            add_escaped(to, c);
        else
            buf_add(to, text + i, n);
    }
    buf_byte(to, '"');
}

static void add_text(struct buf *to, const char *text)
{
    add_string(to, text, strlen(text));
}

/* PostgreSQL writes numbers as JSON does, but for NaN and the infinities. */
static bool is_finite_number(const char *text, size_t length)
{
    return length > 0 && strspn(text, "0123456789+-.eE") == length &&
           strspn(text, "0123456789-") > 0;
}

/* A json value keeps the line ends it was written with; between its tokens a blank says the
 * same. */
static void add_json(struct buf *to, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        buf_byte(to, text[i] == '\n' || text[i] == '\r' ? ' ' : text[i]);
}

static bool is_utf8(const char *text, size_t length)
{
    uint32_t c;
    size_t n;

    for (size_t i = 0; i < length; i += n) {
        n = utf8_next(text + i, length - i, &c);
        if (n == 0)
            return false;
    }
    return true;
}

static void add_value(struct buf *to, uint32_t type, const char *text, size_t length)
{
    if (!text)
        buf_text(to, "null");
    else if (type_is_number(type) && is_finite_number(text, length))
        buf_add(to, text, length);
    else if (type == BOOL && length == 1)
        buf_text(to, *text == 't' ? "true" : "false");
    else if ((type == JSON || type == JSONB) && is_utf8(text, length))
        add_json(to, text, length);
    else
        add_string(to, text, length);
}

static void begin(struct buf *to, const struct answer *a)
{
    struct buf at = {0};

    buf_format(&at, "%s:%ld", a->file, a->line);
    buf_format(to, "{\"statement\":%ld,\"at\":", a->number);
    add_text(to, buf_string(&at));
    buf_free(&at);
}

static void add_row(struct buf *to, const struct answer *a, int row)
{
    buf_byte(to, '{');
    for (int c = 0; c < a->column_count; c++) {
        size_t length = 0;
        const char *text = a->cell(a->from, row, c, &length);

        if (c > 0)
            buf_byte(to, ',');
        add_text(to, a->columns[c].name);
        buf_byte(to, ':');
        add_value(to, a->columns[c].type, text, length);
    }
    buf_byte(to, '}');
}

static void json_answer(struct piece *to, const struct answer *a)
{
    struct buf *b = &to->body;

    begin(b, a);
    buf_text(b, ",\"command\":");
    add_text(b, a->command);
    if (a->copied) {
        buf_text(b, ",\"data\":");
        add_string(b, buf_string(a->copied), a->copied->length);
    }
    if (a->column_count > 0) {
        buf_text(b, ",\"rows\":[");
        for (int r = 0; r < a->row_count; r++) {
            if (r > 0)
                buf_byte(b, ',');
            add_row(b, a, r);
        }
        buf_byte(b, ']');
    }
    buf_text(b, "}\n");
}

static void json_failure(struct piece *to, const struct answer *where, const struct failure *f)
{
    struct buf *b = &to->body;

    begin(b, where);
    buf_text(b, ",\"error\":{\"code\":");
    add_text(b, f->code);
    buf_text(b, ",\"outcome\":");
    add_text(b, f->outcome);
    buf_text(b, ",\"message\":");
    add_text(b, f->message);
    if (f->detail) {
        buf_text(b, ",\"detail\":");
        add_text(b, f->detail);
    }
    if (f->hint) {
        buf_text(b, ",\"hint\":");
        add_text(b, f->hint);
    }
    buf_text(b, "}}\n");
}

const struct format format_json = {.name = "json", .answer = json_answer, .failure = json_failure};
