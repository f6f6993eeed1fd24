/* value_text.c - a value as bytes, or as text that the server would write. */
#include "values/value_bytes.h"
#include "values/value_interval.h"
#include "values/value_net.h"
#include "values/value_number.h"
#include "values/value_numeric.h"
#include "values/value_time.h"
#include "values/value_type.h"
#include "values/write_word.h"
#include "words/utf8.h"

#include <string.h>

/* ---- bytes and text ---- */

enum value_fit value_place_bytes(const struct value *v, const void **ret_place, size_t *ret_length)
{
    enum shape shape = type_of(v->type)->shape;
    if (shape != BYTEA && (shape != UNTYPED || v->binary))
        return VALUE_WRONG_TYPE;
    *ret_place = v->binary ? v->bytes : NULL;
    *ret_length = v->binary ? v->length : bytea_room(v->length);
    return VALUE_FITS;
}

enum value_fit value_write_bytes(const struct value *v, void *room, size_t *ret_length)
{
    return bytea_read(v->bytes, v->length, room, ret_length);
}

/* Whether the bytes of a type that is not known can be taken for text, as an enum's label and all
 * that extensions send as text can: characters of UTF-8, and no control characters. Lengths and
 * small numbers, be they negative, are none. */
static bool is_printable(const struct value *v)
{
    uint32_t code;
    int size;
    for (size_t i = 0; i < v->length; i += (size_t)size) {
        size = utf8_read(v->bytes + i, v->length - i, &code);
        if (!size || code == 0x7f || (code < ' ' && !memchr("\t\n\r", (int)code, 3)))
            return false;
    }
    return true;
}

enum value_fit value_place_text(const struct value *v, const char **ret_place, size_t *ret_length)
{
    const struct type *t = type_of(v->type);
    *ret_place = v->bytes;
    *ret_length = v->length;
    if (!v->binary || t->shape == TEXT)
        return VALUE_FITS;
    if (t->size && v->length != t->size)
        return VALUE_MALFORMED;
    if (t->shape == UNKNOWN && is_printable(v))
        return VALUE_FITS;
    if (t->shape == JSONB) { /* one byte of version before the text */
        if (!v->length || *v->bytes != 1)
            return VALUE_MALFORMED;
        *ret_place = v->bytes + 1;
        *ret_length = v->length - 1;
        return VALUE_FITS;
    }
    *ret_place = NULL;
    switch (t->shape) {
    case OPAQUE:
    case UNTYPED:
        return VALUE_WRONG_TYPE;
    case ARRAY:
    case RECORD:
    case RANGE:
    case MULTIRANGE:
    case UNKNOWN:
        *ret_length = 0;
        return VALUE_FITS;
    case NUMERIC:
        return numeric_room(v->bytes, v->length, ret_length);
    case BYTEA:
        *ret_length = 2 * v->length + sizeof "\\x";
        return VALUE_FITS;
    default: /* large enough for all that remain */
        *ret_length = INTERVAL_ROOM;
        return VALUE_FITS;
    }
}

static enum value_fit write_bool(const struct value *v, char *room, size_t *ret_length)
{
    bool yes;
    enum value_fit fit = value_as_bool(v, &yes);
    if (fit == VALUE_FITS)
        *ret_length = write_word(yes ? "t" : "f", room);
    return fit;
}

static enum value_fit write_number(const struct value *v, enum shape shape, char *room,
                                   size_t *ret_length)
{
    int64_t whole;
    double wide;
    float narrow;
    enum value_fit fit;
    switch (shape) {
    case FLOAT4:
        fit = value_as_float4(v, &narrow);
        if (fit == VALUE_FITS)
            *ret_length = number_write_float4(narrow, room);
        return fit;
    case FLOAT8:
        fit = value_as_float8(v, &wide);
        if (fit == VALUE_FITS)
            *ret_length = number_write_float8(wide, room);
        return fit;
    case NUMERIC:
        *ret_length = numeric_write(v->bytes, v->length, room);
        return VALUE_FITS;
    default:
        fit = value_as_int(v, INT64_MIN, INT64_MAX, &whole);
        if (fit == VALUE_FITS)
            *ret_length = number_write_int(whole, room);
        return fit;
    }
}

static enum value_fit write_time(const struct value *v, enum shape shape, char *room,
                                 size_t *ret_length)
{
    evpq_interval interval;
    int64_t clock;
    int32_t east;
    enum value_fit fit;
    switch (shape) {
    case DATE:
        *ret_length = time_write_date(bytes_int4(v->bytes), room);
        return VALUE_FITS;
    case TIME:
        fit = value_as_time(v, &clock);
        if (fit == VALUE_FITS)
            *ret_length = time_write_clock(clock, room);
        return fit;
    case TIMETZ:
        fit = value_as_timetz(v, &clock, &east);
        if (fit == VALUE_FITS)
            *ret_length = time_write_zoned(clock, east, room);
        return fit;
    case INTERVAL:
        interval = interval_of_binary(v->bytes);
        *ret_length = interval_write(&interval, room);
        return VALUE_FITS;
    default:
        *ret_length = time_write_stamp(
            bytes_int8(v->bytes), shape == TIMESTAMPTZ ? TIME_WITH_ZONE : TIME_WITHOUT_ZONE, room);
        return VALUE_FITS;
    }
}

static enum value_fit write_inet(const struct value *v, char *room, size_t *ret_length)
{
    evpq_inet inet;
    enum value_fit fit = value_as_inet(v, &inet);
    if (fit == VALUE_FITS)
        *ret_length = net_write(&inet, room);
    return fit;
}

enum value_fit value_write_text(const struct value *v, char *room, size_t *ret_length)
{
    const struct type *t = type_of(v->type);
    switch (t->shape) {
    case BOOL:
        return write_bool(v, room, ret_length);
    case INT:
    case UINT:
    case FLOAT4:
    case FLOAT8:
    case NUMERIC:
        return write_number(v, t->shape, room, ret_length);
    case BYTEA:
        *ret_length = bytea_write(v->bytes, v->length, room);
        return VALUE_FITS;
    case UUID:
        *ret_length = uuid_write(v->bytes, room);
        return VALUE_FITS;
    case DATE:
    case TIMESTAMP:
    case TIMESTAMPTZ:
    case TIME:
    case TIMETZ:
    case INTERVAL:
        return write_time(v, t->shape, room, ret_length);
    case INET:
        return write_inet(v, room, ret_length);
    case MACADDR:
    case MACADDR8:
        *ret_length = mac_write(v->bytes, v->length, room);
        return VALUE_FITS;
    default:
        return VALUE_WRONG_TYPE;
    }
}
