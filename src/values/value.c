/* value.c - which part reads which type. */
#include "values/value.h"

#include "values/oids.h"
#include "values/value_bytes.h"
#include "values/value_decimal.h"
#include "values/value_interval.h"
#include "values/value_net.h"
#include "values/value_number.h"
#include "values/value_numeric.h"
#include "values/value_time.h"
#include "values/value_type.h"

#include <float.h>
#include <string.h>

/* How to read it: what says no type in text reads as whatever is asked for. */
static enum shape shape_of(const struct value *v, enum shape wanted)
{
    enum shape shape = type_of(v->type)->shape;
    return shape == UNTYPED && !v->binary ? wanted : shape;
}

/* Whether a value in binary has the only length that its type can have. */
static bool is_sized(const struct value *v, const struct type *t)
{
    return !v->binary || !t->size || v->length == t->size;
}

/* ---- booleans and whole numbers ---- */

enum value_fit value_as_bool(const struct value *v, bool *ret_value)
{
    if (shape_of(v, BOOL) != BOOL)
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
    if (v->binary && bytes_plain_int(v->type, v->length, v->bytes, ret_value))
        return VALUE_FITS;
    const struct type *t = type_of(v->type); /* an oid by another name, perhaps */
    if (t->shape != UINT || v->length != t->size)
        return VALUE_MALFORMED;
    *ret_value = bytes_uint4(v->bytes);
    return VALUE_FITS;
}

static enum value_fit read_numeric(const struct value *v, struct decimal *ret_decimal)
{
    return v->binary ? numeric_read(v->bytes, v->length, ret_decimal)
                     : decimal_read(v->bytes, v->length, ret_decimal);
}

enum value_fit value_as_int(const struct value *v, int64_t min, int64_t max, int64_t *ret_value)
{
    enum shape shape = shape_of(v, NUMERIC);
    enum value_fit fit;
    int64_t value;
    if (shape == INT || shape == UINT) {
        fit = read_int(v, &value);
    } else if (shape == NUMERIC) {
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

enum value_fit value_as_scaled(const struct value *v, int scale, int64_t *ret_value)
{
    enum { MOST_SCALE = 1 << 17 }; /* a numeric has fewer digits, on either side of its point */
    enum shape shape = shape_of(v, NUMERIC);
    struct decimal d;
    enum value_fit fit;
    char written[INTEGER_ROOM];
    int64_t whole;
    if (scale < -MOST_SCALE || scale > MOST_SCALE)
        return VALUE_RANGE;
    if (shape == INT || shape == UINT) {
        fit = read_int(v, &whole);
        if (fit == VALUE_FITS)
            fit = decimal_read(written, number_write_int(whole, written), &d);
    } else if (shape == NUMERIC) {
        fit = read_numeric(v, &d);
    } else {
        return VALUE_WRONG_TYPE;
    }
    if (fit != VALUE_FITS)
        return fit;
    d.exponent += scale;
    return decimal_to_int(&d, ret_value);
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
    switch (shape_of(v, NUMERIC)) {
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
    switch (shape_of(v, NUMERIC)) {
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
    if (shape_of(v, UUID) != UUID)
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
    if (shape_of(v, shape) != shape)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return time_read_stamp(v->bytes, v->length, zone, ret_value);
    return time_unix_stamp(bytes_int8(v->bytes), ret_value);
}

enum value_fit value_as_timestamptz(const struct value *v, int64_t *ret_value)
{
    enum { OID = 1184 };
    if (v->binary && v->type == OID && v->length == sizeof *ret_value) /* as a rule */
        return time_unix_stamp(bytes_int8(v->bytes), ret_value);
    return as_stamp(v, TIMESTAMPTZ, TIME_WITH_ZONE, ret_value);
}

enum value_fit value_as_timestamp(const struct value *v, int64_t *ret_value)
{
    return as_stamp(v, TIMESTAMP, TIME_WITHOUT_ZONE, ret_value);
}

enum value_fit value_as_date(const struct value *v, int32_t *ret_value)
{
    const struct type *t = type_of(v->type);
    if (shape_of(v, DATE) != DATE)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return time_read_date(v->bytes, v->length, ret_value);
    return time_unix_date(bytes_int4(v->bytes), ret_value);
}

enum value_fit value_as_time(const struct value *v, int64_t *ret_value)
{
    const struct type *t = type_of(v->type);
    if (shape_of(v, TIME) != TIME)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return time_read_clock(v->bytes, v->length, ret_value);
    return time_of_binary(v->bytes, ret_value);
}

enum value_fit value_as_timetz(const struct value *v, int64_t *ret_value, int32_t *ret_east)
{
    const struct type *t = type_of(v->type);
    if (shape_of(v, TIMETZ) != TIMETZ)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return time_read_zoned(v->bytes, v->length, ret_value, ret_east);
    return time_of_binary_zoned(v->bytes, ret_value, ret_east);
}

enum value_fit value_as_interval(const struct value *v, evpq_interval *ret_interval)
{
    const struct type *t = type_of(v->type);
    if (shape_of(v, INTERVAL) != INTERVAL)
        return VALUE_WRONG_TYPE;
    if (!is_sized(v, t))
        return VALUE_MALFORMED;
    if (!v->binary)
        return interval_read(v->bytes, v->length, ret_interval);
    *ret_interval = interval_of_binary(v->bytes);
    return VALUE_FITS;
}

/* ---- networks ---- */

enum value_fit value_as_inet(const struct value *v, evpq_inet *ret_inet)
{
    if (shape_of(v, INET) != INET)
        return VALUE_WRONG_TYPE;
    if (!v->binary)
        return net_read(v->bytes, v->length, v->type == OID_CIDR, ret_inet);
    return net_of_binary(v->bytes, v->length, ret_inet);
}

static enum value_fit as_mac(const struct value *v, enum shape shape, uint8_t *ret_bytes, size_t n)
{
    if (shape_of(v, shape) != shape)
        return VALUE_WRONG_TYPE;
    if (!v->binary)
        return mac_read(v->bytes, v->length, ret_bytes, n);
    if (v->length != n)
        return VALUE_MALFORMED;
    memcpy(ret_bytes, v->bytes, n);
    return VALUE_FITS;
}

enum value_fit value_as_macaddr(const struct value *v, uint8_t ret_bytes[6])
{
    return as_mac(v, MACADDR, ret_bytes, MAC_BYTES);
}

enum value_fit value_as_macaddr8(const struct value *v, uint8_t ret_bytes[8])
{
    return as_mac(v, MACADDR8, ret_bytes, MAC8_BYTES);
}
