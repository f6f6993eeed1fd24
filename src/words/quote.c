/* quote.c - identifiers and literals.
 *
 * A quotation must end where it was meant to, whatever the text. So the text has to be valid UTF-8
 * (a lone first byte would take the closing quote into its character), and a literal with a
 * backslash is written in ASCII alone: in client encodings such as GBK, a byte of a letter and a
 * backslash behind it would be one character. */
#include <evpq/quote.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is written: counted in full, stored as far as it fits. */
struct pen {
    char *room;
    size_t size, length;
};

static void put(struct pen *pen, char c)
{
    if (pen->length < pen->size)
        pen->room[pen->length] = c;
    pen->length++;
}

static void put_all(struct pen *pen, const char *text)
{
    while (*text)
        put(pen, *text++);
}

static size_t finish(struct pen *pen, bool good)
{
    if (pen->size)
        pen->room[good && pen->length < pen->size ? pen->length : 0] = '\0';
    return good ? pen->length : 0;
}

/* ---- UTF-8 ---- */

/* The character at `text` and its bytes, 1 to 4; 0 where there is none: a byte out of place, an
 * overlong form, a surrogate, or beyond U+10FFFF (pg_utf8_islegal). */
static int read_utf8(const char *text, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)*text;
    int size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (!size || first >= 0xf8)
        return 0;
    uint32_t code = size == 1 ? first : first & (0xffu >> (size + 1));
    for (int i = 1; i < size; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t)text[i] & 0x3f);
    }
    if (code < least[size] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
        return 0;
    *ret_code = code;
    return size;
}

static bool is_utf8(const char *text)
{
    uint32_t code;
    int size;
    for (; *text; text += size) {
        size = read_utf8(text, &code);
        if (!size)
            return false;
    }
    return true;
}

/* ---- quoting ---- */

/* Doubles the quotation mark. */
static void put_quoted(struct pen *pen, const char *text, char quote)
{
    put(pen, quote);
    for (; *text; text++) {
        if (*text == quote)
            put(pen, quote);
        put(pen, *text);
    }
    put(pen, quote);
}

/* In ASCII: E'', whose backslashes mean the same whatever standard_conforming_strings says. */
static void put_escaped(struct pen *pen, const char *text)
{
    char escape[sizeof "\\U0010ffff"];
    uint32_t code = 0;
    put_all(pen, " E'");
    for (int size; *text; text += size) {
        size = read_utf8(text, &code);
        if (size > 1) {
            snprintf(escape, sizeof escape, "\\U%08lx", (unsigned long)code);
            put_all(pen, escape);
            continue;
        }
        if (*text == '\\' || *text == '\'')
            put(pen, *text);
        put(pen, *text);
    }
    put(pen, '\'');
}

static bool is_name(const char *name)
{
    return name && *name && is_utf8(name);
}

size_t evpq_quote_identifier(const char *name, char *room, size_t size)
{
    return evpq_quote_qualified(NULL, name, room, size);
}

size_t evpq_quote_qualified(const char *schema, const char *name, char *room, size_t size)
{
    struct pen pen = {room, size, 0};
    if (!is_name(name) || (schema && !is_name(schema)))
        return finish(&pen, false);
    if (schema) {
        put_quoted(&pen, schema, '"');
        put(&pen, '.');
    }
    put_quoted(&pen, name, '"');
    return finish(&pen, true);
}

size_t evpq_quote_literal(const char *text, char *room, size_t size)
{
    struct pen pen = {room, size, 0};
    if (!text || !is_utf8(text))
        return finish(&pen, false);
    if (strchr(text, '\\'))
        put_escaped(&pen, text);
    else
        put_quoted(&pen, text, '\'');
    return finish(&pen, true);
}
