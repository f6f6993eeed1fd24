/* types.c - see types.h. Oids are from PostgreSQL's pg_type.dat, where they never change. */
#include "testing/types.h"

#include "testing/worker.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>

enum form { OPAQUE, BOOLEAN, INTEGER, NATURAL, FLOATING, TEXTUAL, HEX, UUID, JSONB };

static const struct type {
    const char *name, *alias;
    uint32_t oid;
    int size;
    enum form form;
} types[] = {
    {"bool", "boolean", 16, 1, BOOLEAN},
    {"bytea", NULL, 17, -1, HEX},
    {"name", NULL, 19, 64, TEXTUAL},
    {"int8", "bigint", 20, 8, INTEGER},
    {"int2", "smallint", 21, 2, INTEGER},
    {"int4", "integer", 23, 4, INTEGER},
    {"int", NULL, 23, 4, INTEGER},
    {"text", NULL, 25, -1, TEXTUAL},
    {"oid", NULL, 26, 4, NATURAL},
    {"json", NULL, 114, -1, TEXTUAL},
    {"xml", NULL, 142, -1, TEXTUAL},
    {"cidr", NULL, 650, -1, OPAQUE},
    {"float4", "real", 700, 4, FLOATING},
    {"float8", "double precision", 701, 8, FLOATING},
    {"unknown", NULL, 705, -2, TEXTUAL},
    {"macaddr", NULL, 829, 6, OPAQUE},
    {"inet", NULL, 869, -1, OPAQUE},
    {"bpchar", "char", 1042, -1, TEXTUAL},
    {"varchar", "character varying", 1043, -1, TEXTUAL},
    {"date", NULL, 1082, 4, OPAQUE},
    {"time", NULL, 1083, 8, OPAQUE},
    {"timestamp", NULL, 1114, 8, OPAQUE},
    {"timestamptz", NULL, 1184, 8, OPAQUE},
    {"interval", NULL, 1186, 16, OPAQUE},
    {"timetz", NULL, 1266, 12, OPAQUE},
    {"numeric", "decimal", 1700, -1, OPAQUE},
    {"void", NULL, 2278, 4, OPAQUE},
    {"uuid", NULL, 2950, 16, UUID},
    {"jsonb", NULL, 3802, -1, JSONB},
    {"_bool", "bool[]", 1000, -1, OPAQUE},
    {"_int4", "int4[]", 1007, -1, OPAQUE},
    {"_int8", "int8[]", 1016, -1, OPAQUE},
    {"_text", "text[]", 1009, -1, OPAQUE},
    {"_float8", "float8[]", 1022, -1, OPAQUE},
};

static const struct type *type_of(uint32_t oid)
{
    static const struct type other = {"a type of no name", NULL, 0, -1, OPAQUE};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].oid == oid)
            return &types[i];
    return &other;
}

/* A number that is nothing else, up to `most`. */
static bool number_of(const char *text, uint64_t most, uint64_t *ret_value)
{
    char *end;
    errno = 0;
    *ret_value = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && !*end && !errno && *ret_value <= most;
}

uint32_t type_oid(const char *name)
{
    uint64_t oid;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name) || (types[i].alias && !strcmp(types[i].alias, name)))
            return types[i].oid;
    return number_of(name, UINT32_MAX, &oid) ? (uint32_t)oid : 0;
}

const char *type_name(uint32_t oid)
{
    return type_of(oid)->name;
}

int type_size(uint32_t oid)
{
    return type_of(oid)->size;
}

bool type_has_binary(uint32_t oid)
{
    return type_of(oid)->form != OPAQUE;
}

/* ---- writing ---- */

static bool put_boolean(struct bytes *b, const char *text)
{
    bool yes = !strcmp(text, "t") || !strcmp(text, "true");
    bytes_put_int(b, 1, yes);
    return yes || !strcmp(text, "f") || !strcmp(text, "false");
}

static bool put_integer(struct bytes *b, int size, const char *text)
{
    uint64_t value;
    bool minus = *text == '-';
    uint64_t most = (UINT64_C(1) << (8 * size - 1)) - !minus;
    if (!number_of(text + minus, most, &value))
        return false;
    bytes_put_int(b, size, minus ? -value : value);
    return true;
}

static bool put_natural(struct bytes *b, const char *text)
{
    uint64_t value;
    if (!number_of(text, UINT32_MAX, &value))
        return false;
    bytes_put_int(b, 4, value);
    return true;
}

/* The program may have set a locale with another decimal point; PostgreSQL's is this one. Returns
 * what leave_c wants. */
static locale_t enter_c(locale_t *ret_c)
{
    *ret_c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!*ret_c)
        testing_die("newlocale");
    return uselocale(*ret_c);
}

static void leave_c(locale_t before, locale_t c)
{
    uselocale(before);
    freelocale(c);
}

static bool put_floating(struct bytes *b, int size, const char *text)
{
    char *end;
    locale_t c, before = enter_c(&c);
    double wide = strtod(text, &end);
    leave_c(before, c);
    float narrow = (float)wide;
    uint64_t bits = 0;
    uint32_t half;
    memcpy(&bits, &wide, 8);
    memcpy(&half, &narrow, 4);
    bytes_put_int(b, size, size == 4 ? half : bits);
    return end != text && !*end;
}

static int nibble(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Pairs of digits; `skips` may stand between two of them. */
static bool put_hex(struct bytes *b, const char *text, char skips)
{
    while (*text) {
        if (skips && *text == skips) {
            text++;
            continue;
        }
        int high = nibble(text[0]), low = high < 0 ? -1 : nibble(text[1]);
        if (low < 0)
            return false;
        bytes_put_int(b, 1, (uint64_t)(high << 4 | low));
        text += 2;
    }
    return true;
}

bool type_put_binary(struct bytes *b, uint32_t oid, const char *text)
{
    const struct type *type = type_of(oid);
    size_t before = b->end;
    switch (type->form) {
    case BOOLEAN:
        return put_boolean(b, text);
    case INTEGER:
        return put_integer(b, type->size, text);
    case NATURAL:
        return put_natural(b, text);
    case FLOATING:
        return put_floating(b, type->size, text);
    case TEXTUAL:
        bytes_put(b, text, strlen(text));
        return true;
    case JSONB: /* of version 1 */
        bytes_put_int(b, 1, 1);
        bytes_put(b, text, strlen(text));
        return true;
    case HEX:
        return !strncmp(text, "\\x", 2) && put_hex(b, text + 2, '\0');
    case UUID:
        return put_hex(b, text, '-') && b->end - before == 16;
    case OPAQUE:
        break;
    }
    return false;
}

/* ---- reading ---- */

static uint64_t big_endian(const char *bytes, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static char *print_integer(const char *bytes, size_t n)
{
    uint64_t value = big_endian(bytes, n), sign = UINT64_C(1) << (8 * n - 1);
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, (int64_t)((value ^ sign) - sign));
    return copy_text(text);
}

static char *print_floating(const char *bytes, size_t n)
{
    uint64_t bits = big_endian(bytes, n);
    uint32_t half = (uint32_t)bits;
    double wide;
    float narrow;
    char text[32];
    locale_t c, before = enter_c(&c);
    memcpy(&wide, &bits, 8);
    memcpy(&narrow, &half, 4);
    snprintf(text, sizeof text, "%.*g", n == 4 ? 9 : 17, n == 4 ? (double)narrow : wide);
    leave_c(before, c);
    return copy_text(text);
}

static char *print_hex(const char *bytes, size_t n, bool uuid)
{
    char *text = take_memory(2 * n + 8), *at = text;
    if (!uuid)
        at += sprintf(at, "\\x");
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s%02x", uuid && (i == 4 || i == 6 || i == 8 || i == 10) ? "-" : "",
                      (unsigned char)bytes[i]);
    return text;
}

char *type_read_binary(uint32_t oid, const char *bytes, size_t n)
{
    const struct type *type = type_of(oid);
    bool fits = type->size < 0 || n == (size_t)type->size;
    if (type->form == TEXTUAL)
        return copy_part(bytes, n);
    if (type->form == JSONB && n && *bytes == 1)
        return copy_part(bytes + 1, n - 1);
    if (fits && type->form == BOOLEAN)
        return copy_text(*bytes ? "t" : "f");
    if (fits && (type->form == INTEGER))
        return print_integer(bytes, n);
    if (fits && type->form == NATURAL) {
        char text[16];
        snprintf(text, sizeof text, "%" PRIu64, big_endian(bytes, n));
        return copy_text(text);
    }
    if (fits && type->form == FLOATING)
        return print_floating(bytes, n);
    return print_hex(bytes, n, fits && type->form == UUID);
}
