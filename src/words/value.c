/* value.c - which part reads which type. */
#include "words/value.h"

#include "words/value_bytes.h"
#include "words/value_decimal.h"
#include "words/value_number.h"
#include "words/value_numeric.h"
#include "words/value_time.h"
#include "words/value_type.h"

#include <float.h>
#include <string.h>

/* Whether a value in binary has the only length that its type can have. */
static bool is_sized(const struct value *v, const struct type *t)
{
    return !v->binary || !t->size || v->length == t->size;
}

/* ---- booleans and whole numbers ---- */

enum value_fit value_as_bool(const struct value *v, bool *ret_value)
{
    const struct type *t = type_of(v->type);
    if (t->shape != BOOL)
        return VALUE_WRONG_TYPE;
    char yes = v->binary ? 1 : 't', no = v->binary ? 0 : 'f';
    if (v->length != 1 || (*v->bytes != yes && *v->bytes != no))
        return VALUE_MALFORMED;
    *ret_value = *v->bytes == yes;
    return VALUE_FITS;
}

/* Of a type whose shape is INT or UINT. */
static enum value_fit read_int(const struct value *v, int64_t *ret_value)
{
    if (!v->binary)
        return number_read_int(v->bytes, v->length, ret_value);
    return value_plain_int(v, ret_value) ? VALUE_FITS : VALUE_MALFORMED;
}

static enum value_fit read_numeric(const struct value *v, struct decimal *ret_decimal)
{
    return v->binary ? numeric_read(v->bytes, v->length, ret_decimal)
                     : decimal_read(v->bytes, v->length, ret_decimal);
}

enum value_fit value_as_int(const struct value *v, int64_t min, int64_t max, int64_t *ret_value)
{
    const struct type *t = type_of(v->type);
    enum value_fit fit;
    int64_t value;
    if (t->shape == INT || t->shape == UINT) {
        fit = read_int(v, &value);
    } else if (t->shape == NUMERIC) {
        struct decimal d;
        fit = read_numeric(v, &d);
        if (fit == VALUE_FITS)
            fit = decimal_to_int(&d, &value);
    } else {
        return VALUE_WRONG_TYPE;
    }
    if (fit != VALUE_FITS)
        return fit;
    if (value < min || value > max)
        return VALUE_RANGE;
    *ret_value = value;
    return VALUE_FITS;
}

/* ---- floating point ---- */

static enum value_fit read_float4(const struct value *v, const struct type *t, float *ret_value)
{
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (v->binary) {
        uint32_t bits = bytes_uint4(v->bytes);
        memcpy(ret_value, &bits, sizeof bits);
        return VALUE_FITS;
    }
    struct decimal d;
    enum value_fit fit = decimal_read(v->bytes, v->length, &d);
    return fit == VALUE_FITS ? decimal_to_float4(&d, ret_value) : fit;
}

static enum value_fit read_float8(const struct value *v, const struct type *t, double *ret_value)
{
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (v->binary) {
        uint64_t bits = bytes_uint8(v->bytes);
        memcpy(ret_value, &bits, sizeof bits);
        return VALUE_FITS;
    }
    struct decimal d;
    enum value_fit fit = decimal_read(v->bytes, v->length, &d);
    return fit == VALUE_FITS ? decimal_to_float8(&d, ret_value) : fit;
}

/* A whole number that a mantissa of so many bits can hold. */
static enum value_fit read_exact(const struct value *v, int mantissa, int64_t *ret_value)
{
    int64_t value;
    enum value_fit fit = read_int(v, &value);
    if (fit != VALUE_FITS)
        return fit;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (size && size % 2 == 0)
        size /= 2;
    if (size >> mantissa)
        return VALUE_INEXACT;
    *ret_value = value;
    return VALUE_FITS;
}

enum value_fit value_as_float4(const struct value *v, float *ret_value)
{
    const struct type *t = type_of(v->type);
    enum value_fit fit;
    struct decimal d;
    int64_t whole;
    switch (t->shape) {
    case FLOAT4:
        return read_float4(v, t, ret_value);
    case INT:
    case UINT:
        fit = read_exact(v, FLT_MANT_DIG, &whole);
        if (fit == VALUE_FITS)
            *ret_value = (float)whole;
        return fit;
    case NUMERIC:
        fit = read_numeric(v, &d);
        return fit == VALUE_FITS ? decimal_to_float4(&d, ret_value) : fit;
    default:
        return VALUE_WRONG_TYPE;
    }
}

enum value_fit value_as_float8(const struct value *v, double *ret_value)
{
    const struct type *t = type_of(v->type);
    enum value_fit fit;
    struct decimal d;
    int64_t whole;
    float narrow;
    switch (t->shape) {
    case FLOAT8:
        return read_float8(v, t, ret_value);
    case FLOAT4:
        fit = read_float4(v, t, &narrow);
        if (fit == VALUE_FITS)
            *ret_value = (double)narrow;
        return fit;
    case INT:
    case UINT:
        fit = read_exact(v, DBL_MANT_DIG, &whole);
        if (fit == VALUE_FITS)
            *ret_value = (double)whole;
        return fit;
    case NUMERIC:
        fit = read_numeric(v, &d);
        return fit == VALUE_FITS ? decimal_to_float8(&d, ret_value) : fit;
    default:
        return VALUE_WRONG_TYPE;
    }
}

/* ---- uuid and time ---- */

enum value_fit value_as_uuid(const struct value *v, uint8_t ret_uuid[16])
{
    const struct type *t = type_of(v->type);
    if (t->shape != UUID)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return uuid_read(v->bytes, v->length, ret_uuid);
    memcpy(ret_uuid, v->bytes, UUID_BYTES);
    return VALUE_FITS;
}

static enum value_fit as_stamp(const struct value *v, enum shape shape, enum time_zone zone,
                               int64_t *ret_value)
{
    const struct type *t = type_of(v->type);
    if (t->shape != shape)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return time_read_stamp(v->bytes, v->length, zone, ret_value);
    return time_unix_stamp(bytes_int8(v->bytes), ret_value);
}

enum value_fit value_as_timestamptz(const struct value *v, int64_t *ret_value)
{
    return as_stamp(v, TIMESTAMPTZ, TIME_WITH_ZONE, ret_value);
}

enum value_fit value_as_timestamp(const struct value *v, int64_t *ret_value)
{
    return as_stamp(v, TIMESTAMP, TIME_WITHOUT_ZONE, ret_value);
}

enum value_fit value_as_date(const struct value *v, int32_t *ret_value)
{
    const struct type *t = type_of(v->type);
    if (t->shape != DATE)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return time_read_date(v->bytes, v->length, ret_value);
    return time_unix_date(bytes_int4(v->bytes), ret_value);
}

/* ---- bytes and text ---- */

enum value_fit value_place_bytes(const struct value *v, const void **ret_place, size_t *ret_length)
{
    if (type_of(v->type)->shape != BYTEA)
        return VALUE_WRONG_TYPE;
    *ret_place = v->binary ? v->bytes : NULL;
    *ret_length = v->binary ? v->length : bytea_room(v->length);
    return VALUE_FITS;
}

enum value_fit value_write_bytes(const struct value *v, void *room, size_t *ret_length)
{
    return bytea_read(v->bytes, v->length, room, ret_length);
}

enum value_fit value_place_text(const struct value *v, const char **ret_place, size_t *ret_length)
{
    const struct type *t = type_of(v->type);
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    *ret_place = v->bytes;
    *ret_length = v->length;
    if (!v->binary || t->shape == TEXT)
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
        return VALUE_WRONG_TYPE;
    case NUMERIC:
        return numeric_room(v->bytes, v->length, ret_length);
    case BYTEA:
        *ret_length = 2 * v->length + sizeof "\\x";
        return VALUE_FITS;
    default: /* large enough for all that remain */
        *ret_length = TIME_ROOM;
        return VALUE_FITS;
    }
}

static enum value_fit write_bool(const struct value *v, char *room, size_t *ret_length)
{
    bool yes;
    enum value_fit fit = value_as_bool(v, &yes);
    if (fit != VALUE_FITS)
        return fit;
    memcpy(room, yes ? "t" : "f", 2);
    *ret_length = 1;
    return VALUE_FITS;
}

enum value_fit value_write_text(const struct value *v, char *room, size_t *ret_length)
{
    const struct type *t = type_of(v->type);
    int64_t whole;
    double wide;
    float narrow;
    switch (t->shape) {
    case BOOL:
        return write_bool(v, room, ret_length);
    case INT:
    case UINT:
        read_int(v, &whole);
        *ret_length = number_write_int(whole, room);
        return VALUE_FITS;
    case FLOAT4:
        read_float4(v, t, &narrow);
        *ret_length = number_write_float4(narrow, room);
        return VALUE_FITS;
    case FLOAT8:
        read_float8(v, t, &wide);
        *ret_length = number_write_float8(wide, room);
        return VALUE_FITS;
    case NUMERIC:
        *ret_length = numeric_write(v->bytes, v->length, room);
        return VALUE_FITS;
    case BYTEA:
        *ret_length = bytea_write(v->bytes, v->length, room);
        return VALUE_FITS;
    case UUID:
        *ret_length = uuid_write(v->bytes, room);
        return VALUE_FITS;
    case DATE:
        *ret_length = time_write_date(bytes_int4(v->bytes), room);
        return VALUE_FITS;
    case TIMESTAMP:
        *ret_length = time_write_stamp(bytes_int8(v->bytes), TIME_WITHOUT_ZONE, room);
        return VALUE_FITS;
    case TIMESTAMPTZ:
        *ret_length = time_write_stamp(bytes_int8(v->bytes), TIME_WITH_ZONE, room);
        return VALUE_FITS;
    case OPAQUE:
    case TEXT:
    case JSONB:
        break;
    }
    return VALUE_WRONG_TYPE;
}
