/* value_decimal.h - a decimal number of any length on its way to a C type.
 *
 * Keeps as many digits as can ever decide how a double is rounded and remembers whether any beyond
 * them was not zero, so that the conversions are right for numbers of any length in bounded
 * memory. */
#ifndef VALUES_VALUE_DECIMAL_H
#define VALUES_VALUE_DECIMAL_H

#include "values/value.h"

/* Halfway between two doubles has at most 767 significant digits. */
enum { DECIMAL_DIGITS = 800 };

/* digits * 10^exponent */
struct decimal {
    enum { DECIMAL_FINITE, DECIMAL_NAN, DECIMAL_INFINITE } kind;
    bool negative;
    bool more; /* digits other than 0 were dropped */
    int exponent;
    int count;
    char digits[DECIMAL_DIGITS]; /* '0' to '9', without leading zeroes */
};

void decimal_init(struct decimal *d);
void decimal_push(struct decimal *d, int digit); /* the number times ten, plus digit */

/* [-]digits[.digits][e[+-]digits], NaN, Infinity, -Infinity: what float8out and numeric_out
 * write. */
enum value_fit decimal_read(const char *text, size_t length, struct decimal *ret_decimal);

/* What stands behind the e, up to `end`: [+-]digits. One that is far out of range is cut short. */
bool decimal_read_exponent(const char *p, const char *end, int *ret_exponent);

enum value_fit decimal_to_int(const struct decimal *d, int64_t *ret_value);

/* The nearest number; VALUE_RANGE where that would be an infinity that was not there before. */
enum value_fit decimal_to_float4(const struct decimal *d, float *ret_value);
enum value_fit decimal_to_float8(const struct decimal *d, double *ret_value);

#endif
