/* value_decimal.c - decimal numbers of any length. */
#include "values/value_decimal.h"

#include "base/ascii.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond any type's exponent, and far from INT_MAX: where reading an exponent may stop counting. */
enum { FAR = 1000000, PRINTED = DECIMAL_DIGITS + 32 };

void decimal_init(struct decimal *d)
{
    d->kind = DECIMAL_FINITE;
    d->negative = d->more = false;
    d->exponent = d->count = 0;
}

void decimal_push(struct decimal *d, int digit)
{
    if (!d->count && !digit)
        return;
    if (d->count < DECIMAL_DIGITS) {
        d->digits[d->count++] = (char)('0' + digit);
    } else {
        d->more |= digit != 0;
        d->exponent++;
    }
}

/* ---- reading ---- */

bool decimal_read_exponent(const char *p, const char *end, int *ret_exponent)
{
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int exponent = 0;
    for (; p < end; p++) {
        if (!ascii_is_digit(*p))
            return false;
        if (exponent < FAR)
            exponent = exponent * 10 + (*p - '0');
    }
    *ret_exponent = negative ? -exponent : exponent;
    return true;
}

enum value_fit decimal_read(const char *text, size_t length, struct decimal *ret_decimal)
{
    struct decimal *d = ret_decimal;
    const char *p = text, *end = text + length;
    decimal_init(d);
    if (length > INT32_MAX / 2)
        return VALUE_MALFORMED;
    if (ascii_equals(p, (size_t)(end - p), "NaN")) {
        d->kind = DECIMAL_NAN;
        return VALUE_FITS;
    }
    d->negative = p < end && *p == '-';
    p += d->negative;
    if (ascii_equals(p, (size_t)(end - p), "Infinity")) {
        d->kind = DECIMAL_INFINITE;
        return VALUE_FITS;
    }
    const char *start = p;
    for (; p < end && ascii_is_digit(*p); p++)
        decimal_push(d, *p - '0');
    if (p == start)
        return VALUE_MALFORMED;
    if (p < end && *p == '.') {
        const char *point = ++p;
        for (; p < end && ascii_is_digit(*p); p++)
            decimal_push(d, *p - '0');
        if (p == point)
            return VALUE_MALFORMED;
        d->exponent -= (int)(p - point);
    }
    int exponent = 0;
    if (p < end && (*p++ != 'e' || !decimal_read_exponent(p, end, &exponent)))
        return VALUE_MALFORMED;
    d->exponent += exponent;
    return VALUE_FITS;
}

/* ---- converting ---- */

enum value_fit decimal_to_int(const struct decimal *d, int64_t *ret_value)
{
    if (d->kind != DECIMAL_FINITE)
        return VALUE_RANGE;
    int whole = d->count + d->exponent; /* how many digits stand before the point */
    bool fraction = d->more && d->exponent < 0;
    for (int i = whole > 0 ? whole : 0; i < d->count; i++)
        fraction |= d->digits[i] != '0';
    if (fraction)
        return VALUE_INEXACT;

    int64_t value = 0; /* kept negative: there are more of those */
    bool overflow = false;
    for (int i = 0; d->count && i < whole && !overflow; i++) {
        overflow |= __builtin_mul_overflow(value, 10, &value);
        if (i < d->count)
            overflow |= __builtin_sub_overflow(value, d->digits[i] - '0', &value);
    }
    if (overflow || (!d->negative && value == INT64_MIN))
        return VALUE_RANGE;
    *ret_value = d->negative ? value : -value;
    return VALUE_FITS;
}

/* As strtod reads it in every locale: without a point. One more digit stands for all those dropped,
 * which lie on the same side of any halfway point as it does. */
static void print(const struct decimal *d, char room[PRINTED])
{
    char *p = room;
    if (d->negative)
        *p++ = '-';
    if (!d->count)
        *p++ = '0';
    memcpy(p, d->digits, (size_t)d->count);
    p += d->count;
    if (d->more)
        *p++ = '1';
    sprintf(p, "e%d", d->count ? d->exponent - d->more : 0);
}

/* What has no digits. */
static bool is_special(const struct decimal *d, double *ret_value)
{
    if (d->kind == DECIMAL_NAN)
        *ret_value = (double)NAN;
    else if (d->kind == DECIMAL_INFINITE)
        *ret_value = d->negative ? -(double)INFINITY : (double)INFINITY;
    else
        return false;
    return true;
}

enum value_fit decimal_to_float8(const struct decimal *d, double *ret_value)
{
    if (is_special(d, ret_value))
        return VALUE_FITS;
    char printed[PRINTED];
    print(d, printed);
    double value = strtod(printed, NULL);
    if (isinf(value))
        return VALUE_RANGE;
    *ret_value = value;
    return VALUE_FITS;
}

enum value_fit decimal_to_float4(const struct decimal *d, float *ret_value)
{
    double special;
    if (is_special(d, &special)) {
        *ret_value = (float)special;
        return VALUE_FITS;
    }
    char printed[PRINTED];
    print(d, printed);
    float value = strtof(printed, NULL);
    if (isinf(value))
        return VALUE_RANGE;
    *ret_value = value;
    return VALUE_FITS;
}
