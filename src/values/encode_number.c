/* encode_number.c - whole numbers, floating point numbers and numeric. */
#include "base/ascii.h"
#include "values/arg_kind.h"
#include "values/encode_impl.h"
#include "values/value_decimal.h"
#include "values/value_number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* ---- whole numbers ---- */

/* As a whole number within the bounds, from an integer or from text. */
static evpq_error *whole_number(const struct encoding *e, int64_t min, int64_t max,
                                int64_t *ret_value)
{
    const evpq_arg *arg = e->arg;
    int64_t value = arg->value.integer;
    if (arg->kind == EVPQ_ARG_UINT) {
        if (arg->value.natural > INT64_MAX)
            return encode_misread(e, VALUE_RANGE);
    } else if (arg->kind == EVPQ_ARG_TEXT) {
        enum value_fit fit = number_read_int(arg->value.data, arg->length, &value);
        if (fit != VALUE_FITS)
            return encode_misread(e, fit);
    } else if (arg->kind != EVPQ_ARG_INT) {
        return encode_mismatch(e);
    }
    if (value < min || value > max)
        return encode_misread(e, VALUE_RANGE);
    *ret_value = value;
    return NULL;
}

evpq_error *encode_bool(const struct encoding *e)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "on", "1"};
    static const char *const no[] = {"false", "f", "no", "n", "off", "0"};
    int64_t value;
    if (e->arg->kind == EVPQ_ARG_BOOL)
        return encode_put(bytes_put1(e->to, e->arg->value.boolean));
    if (e->arg->kind == EVPQ_ARG_TEXT) {
        for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
            if (ascii_equals(e->arg->value.data, e->arg->length, yes[i]) ||
                ascii_equals(e->arg->value.data, e->arg->length, no[i]))
                return encode_put(
                    bytes_put1(e->to, ascii_equals(e->arg->value.data, e->arg->length, yes[i])));
        return encode_misread(e, VALUE_MALFORMED);
    }
    evpq_error *error = whole_number(e, 0, 1, &value);
    return error ? error : encode_put(bytes_put1(e->to, (uint8_t)value));
}

evpq_error *encode_int(const struct encoding *e, int64_t min, int64_t max, size_t size)
{
    int64_t value;
    evpq_error *error = whole_number(e, min, max, &value);
    if (error)
        return error;
    switch (size) {
    case 2:
        return encode_put(bytes_put2(e->to, (uint16_t)value));
    case 4:
        return encode_put(bytes_put4(e->to, (uint32_t)value));
    default:
        return encode_put(bytes_put8(e->to, (uint64_t)value));
    }
}

/* ---- decimal text ---- */

enum { SCALED_ROOM = INTEGER_ROOM + 16 };

/* The argument in decimal: its own bytes, or written into `room`. NULL where it is no number. */
static const char *decimal_text(const evpq_arg *arg, char room[SCALED_ROOM], size_t *ret_length)
{
    switch (arg->kind) {
    case EVPQ_ARG_TEXT:
        *ret_length = arg->length;
        return arg->value.data;
    case EVPQ_ARG_INT:
    case EVPQ_ARG_UINT:
    case EVPQ_ARG_FLOAT:
    case EVPQ_ARG_DOUBLE:
        *ret_length = arg_write_scalar(arg, room);
        return room;
    case EVPQ_ARG_SCALED:
        *ret_length = number_write_int(arg->value.pair.number, room);
        *ret_length += (size_t)snprintf(room + *ret_length, SCALED_ROOM - *ret_length, "e%lld",
                                        -(long long)arg->value.pair.with);
        return room;
    default:
        return NULL;
    }
}

static evpq_error *read_decimal(const struct encoding *e, struct decimal *ret_decimal)
{
    char room[SCALED_ROOM];
    size_t length;
    const char *text = decimal_text(e->arg, room, &length);
    if (!text)
        return encode_mismatch(e);
    enum value_fit fit = decimal_read(text, length, ret_decimal);
    return fit == VALUE_FITS ? NULL : encode_misread(e, fit);
}

/* ---- floating point ---- */

static evpq_error *put_float8(const struct encoding *e, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return encode_put(bytes_put8(e->to, bits));
}

static evpq_error *put_float4(const struct encoding *e, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return encode_put(bytes_put4(e->to, bits));
}

evpq_error *encode_float8(const struct encoding *e)
{
    if (e->arg->kind == EVPQ_ARG_DOUBLE || e->arg->kind == EVPQ_ARG_FLOAT)
        return put_float8(e, e->arg->value.real);
    double value = 0;
    struct decimal d;
    evpq_error *error = read_decimal(e, &d);
    if (error)
        return error;
    enum value_fit fit = decimal_to_float8(&d, &value);
    if (fit == VALUE_FITS && value == 0 && d.count)
        fit = VALUE_RANGE;
    return fit == VALUE_FITS ? put_float8(e, value) : encode_misread(e, fit);
}

evpq_error *encode_float4(const struct encoding *e)
{
    if (e->arg->kind == EVPQ_ARG_FLOAT)
        return put_float4(e, (float)e->arg->value.real);
    if (e->arg->kind == EVPQ_ARG_DOUBLE) {
        double real = e->arg->value.real;
        bool finite = !isnan(real) && !isinf(real);
        if (finite && fabs(real) > (double)FLT_MAX)
            return encode_misread(e, VALUE_RANGE);
        float value = (float)real;
        return value == 0 && real != 0 ? encode_misread(e, VALUE_RANGE) : put_float4(e, value);
    }
    float value = 0;
    struct decimal d;
    evpq_error *error = read_decimal(e, &d);
    if (error)
        return error;
    enum value_fit fit = decimal_to_float4(&d, &value);
    if (fit == VALUE_FITS && value == 0 && d.count)
        fit = VALUE_RANGE;
    return fit == VALUE_FITS ? put_float4(e, value) : encode_misread(e, fit);
}

/* ---- numeric: a head of eight bytes, then groups of four digits (numeric_recv) ---- */

enum { GROUP = 4, MOST_SCALE = 0x3fff, MOST_GROUPS = UINT16_MAX, FAR = 1000000 };
enum { POSITIVE = 0x0000, NEGATIVE = 0x4000, NAN_SIGN = 0xc000, INFINITE = 0xd000 };
enum { MINUS_INFINITE = 0xf000 };

/* [+-]digits[.digits][e[+-]digits]: where its digits are, and the point among them. */
struct number {
    const char *digits, *end; /* with a point somewhere among them, perhaps */
    bool negative;
    int count;    /* digits from the first that is not 0 */
    int point;    /* how many of these stand before the point; below 0: zeroes behind it */
    int fraction; /* digits that were written behind it */
};

static bool read_number(const char *p, const char *end, struct number *n)
{
    *n = (struct number){.negative = p < end && *p == '-'};
    p += p < end && (*p == '-' || *p == '+');
    bool any = false, behind = false;
    for (; p < end && (ascii_is_digit(*p) || (*p == '.' && !behind)); p++) {
        if (*p == '.') {
            behind = true;
            continue;
        }
        any = true;
        n->fraction += behind;
        if (!n->count && *p == '0') {
            n->point -= behind;
            continue;
        }
        n->digits = n->count ? n->digits : p;
        n->count++;
        n->point += !behind;
    }
    n->end = p;
    int exponent = 0;
    if (!any ||
        (p < end && ((*p != 'e' && *p != 'E') || !decimal_read_exponent(p + 1, end, &exponent))))
        return false;
    n->point += exponent;
    n->fraction -= exponent;
    return true;
}

/* The digits in groups, of which the first and the last are filled up with zeroes. Zeroes at the
 * end of them are sent too: the server drops them. */
static bool put_groups(struct bytes *to, const struct number *n, int first)
{
    int left = first, group = 0, digits = n->count;
    for (const char *p = n->digits; digits; p++) {
        if (*p == '.')
            continue;
        group = group * 10 + (*p - '0');
        digits--;
        if (--left)
            continue;
        if (!bytes_put2(to, (uint16_t)group))
            return false;
        left = GROUP;
        group = 0;
    }
    if (left == GROUP)
        return true;
    while (left--)
        group *= 10;
    return bytes_put2(to, (uint16_t)group);
}

static bool put_head(struct bytes *to, int groups, int weight, unsigned sign, int scale)
{
    const uint8_t head[] = {
        (uint8_t)(groups >> 8), (uint8_t)groups,      (uint8_t)((unsigned)weight >> 8),
        (uint8_t)weight,        (uint8_t)(sign >> 8), (uint8_t)sign,
        (uint8_t)(scale >> 8),  (uint8_t)scale};
    return bytes_put(to, head, sizeof head);
}

static evpq_error *put_number(const struct encoding *e, const struct number *n)
{
    int scale = n->fraction > 0 ? n->fraction : 0;
    if (scale > MOST_SCALE)
        return encode_misread(e, VALUE_RANGE);
    if (!n->count)
        return encode_put(put_head(e->to, 0, 0, POSITIVE, scale));
    /* The first group ends where the number of digits before the point is a multiple of four. */
    int first = ((n->point - 1) % GROUP + GROUP) % GROUP + 1;
    int weight = (n->point - first) / GROUP;
    int groups = 1 + (n->count > first ? (n->count - first + GROUP - 1) / GROUP : 0);
    if (weight > INT16_MAX || weight < INT16_MIN || groups > MOST_GROUPS)
        return encode_misread(e, VALUE_RANGE);
    return encode_put(put_head(e->to, groups, weight, n->negative ? NEGATIVE : POSITIVE, scale) &&
                      put_groups(e->to, n, first));
}

evpq_error *encode_numeric(const struct encoding *e)
{
    char room[SCALED_ROOM];
    size_t length;
    struct number n;
    const char *text = decimal_text(e->arg, room, &length);
    if (!text)
        return encode_mismatch(e);
    if (ascii_equals(text, length, "NaN"))
        return encode_put(put_head(e->to, 0, 0, NAN_SIGN, 0));
    if (ascii_equals(text, length, "Infinity"))
        return encode_put(put_head(e->to, 0, 0, INFINITE, 0));
    if (ascii_equals(text, length, "-Infinity"))
        return encode_put(put_head(e->to, 0, 0, MINUS_INFINITE, 0));
    if (length > FAR || !read_number(text, text + length, &n))
        return encode_misread(e, length > FAR ? VALUE_RANGE : VALUE_MALFORMED);
    return put_number(e, &n);
}
