/* quote.c - identifiers and literals.
 *
 * A quotation must end where it was meant to, whatever the text. So the text has to be valid UTF-8
 * (a lone first byte would take the closing quote into its character), and a literal with a
 * backslash is written in ASCII alone: in client encodings such as GBK, a byte of a letter and a
 * backslash behind it would be one character. */
#include "words/utf8.h"

#include <evpq/quote.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is written: counted in full, stored as far as it fits. */
struct quote_output {
    char *room;
    size_t size, length;
};

static void put(struct quote_output *out, char c)
{
    if (out->length < out->size)
        out->room[out->length] = c;
    out->length++;
}

static void put_all(struct quote_output *out, const char *text)
{
    while (*text)
        put(out, *text++);
}

static size_t quote_finish(struct quote_output *out, bool good)
{
    if (out->size)
        out->room[good && out->length < out->size ? out->length : 0] = '\0';
    return good ? out->length : 0;
}

static bool is_utf8(const char *text)
{
    uint32_t code;
    const char *end = text + strlen(text);
    for (int size; text < end; text += size) {
        size = utf8_read(text, (size_t)(end - text), &code);
        if (!size)
            return false;
    }
    return true;
}

/* ---- quoting ---- */

/* Doubles the quotation mark. */
static void put_quoted(struct quote_output *out, const char *text, char quote)
{
    put(out, quote);
    for (; *text; text++) {
        if (*text == quote)
            put(out, quote);
        put(out, *text);
    }
    put(out, quote);
}

/* In ASCII: E'', whose backslashes mean the same whatever standard_conforming_strings says. */
static void put_escaped(struct quote_output *out, const char *text)
{
    char escape[sizeof "\\U0010ffff"];
    uint32_t code = 0;
    const char *end = text + strlen(text);
    put_all(out, " E'");
    for (int size; text < end; text += size) {
        size = utf8_read(text, (size_t)(end - text), &code);
        if (size > 1) {
            snprintf(escape, sizeof escape, "\\U%08lx", (unsigned long)code);
            put_all(out, escape);
            continue;
        }
        if (*text == '\\' || *text == '\'')
            put(out, *text);
        put(out, *text);
    }
    put(out, '\'');
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
    struct quote_output out = {room, size, 0};
    if (!is_name(name) || (schema && !is_name(schema)))
        return quote_finish(&out, false);
    if (schema) {
        put_quoted(&out, schema, '"');
        put(&out, '.');
    }
    put_quoted(&out, name, '"');
    return quote_finish(&out, true);
}

size_t evpq_quote_literal(const char *text, char *room, size_t size)
{
    struct quote_output out = {room, size, 0};
    if (!text || !is_utf8(text))
        return quote_finish(&out, false);
    if (strchr(text, '\\'))
        put_escaped(&out, text);
    else
        put_quoted(&out, text, '\'');
    return quote_finish(&out, true);
}
