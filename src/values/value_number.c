/* value_number.c - writing numbers, reading whole ones. */
#include "values/value_number.h"

#include "values/write_word.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 17 };

/* 0.d1d2d3... times ten to the power of `point`: what the server lays out. */
struct digits {
    char digit[MOST_DIGITS];
    int count;
    int point;
};

/* ---- whole numbers ---- */

static size_t count_digits(uint64_t value)
{
    for (size_t count = 1;; count += 4, value /= 10000) {
        if (value < 10)
            return count;
        if (value < 100)
            return count + 1;
        if (value < 1000)
            return count + 2;
        if (value < 10000)
            return count + 3;
    }
}

__attribute__((noinline)) static size_t write_digits(uint64_t value, char *room)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    size_t length = count_digits(value);
    char *p = room + length;
    *p = '\0';
    for (; value >= 100; value /= 100) {
        p -= 2;
        memcpy(p, &pairs[2 * (value % 100)], 2);
    }
    if (value >= 10)
        memcpy(room, &pairs[2 * value], 2);
    else
        *room = (char)('0' + value);
    return length;
}

size_t number_write_uint(uint64_t value, char room[INTEGER_ROOM])
{
    return write_digits(value, room);
}

size_t number_write_int(int64_t value, char room[INTEGER_ROOM])
{
    if (value >= 0)
        return write_digits((uint64_t)value, room);
    room[0] = '-';
    return 1 + write_digits(0 - (uint64_t)value, room + 1);
}

enum value_fit number_read_int(const char *text, size_t length, int64_t *ret_value)
{
    bool negative = length && *text == '-';
    size_t i = negative;
    if (i == length)
        return VALUE_MALFORMED;
    int64_t value = 0; /* kept negative: there are more of those */
    bool overflow = false;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return VALUE_MALFORMED;
        overflow |= __builtin_mul_overflow(value, 10, &value);
        overflow |= __builtin_sub_overflow(value, text[i] - '0', &value);
    }
    if (overflow || (!negative && value == INT64_MIN))
        return VALUE_RANGE;
    *ret_value = negative ? value : -value;
    return VALUE_FITS;
}

/* ---- floating point ---- */

/* Reads printf's %e, skipping the radix character, which is the locale's. */
static struct digits digits_of(const char *printed)
{
    struct digits d = {.count = 0};
    const char *p = printed;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && d.count < MOST_DIGITS)
            d.digit[d.count++] = *p;
    d.point = atoi(p + 1) + 1;
    while (d.count > 1 && d.digit[d.count - 1] == '0')
        d.count--;
    return d;
}

static size_t lay_out(const struct digits *d, bool negative, int fixed_below, char *room)
{
    char *p = room;
    if (negative)
        *p++ = '-';
    int exponent = d->point - 1;
    if (exponent < -4 || exponent >= fixed_below) {
        *p++ = d->digit[0];
        if (d->count > 1)
            *p++ = '.';
        for (int i = 1; i < d->count; i++)
            *p++ = d->digit[i];
        return (size_t)(p - room) + (size_t)sprintf(p, "e%+03d", exponent);
    }
    if (d->point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = d->point; i < 0; i++)
            *p++ = '0';
    }
    for (int i = 0; i < d->count; i++) {
        if (i > 0 && i == d->point)
            *p++ = '.';
        *p++ = d->digit[i];
    }
    for (int i = d->count; i < d->point; i++)
        *p++ = '0';
    *p = '\0';
    return (size_t)(p - room);
}

/* The words for what has no digits, or a small whole number; 0 for anything else. */
static size_t write_easy(double value, double whole_below, char *room)
{
    if (isnan(value))
        return write_word("NaN", room);
    if (isinf(value))
        return write_word(value > 0 ? "Infinity" : "-Infinity", room);
    if (fabs(value) < whole_below && value == (double)(int64_t)value &&
        !(value == 0 && signbit(value)))
        return number_write_int((int64_t)value, room);
    return 0;
}

__attribute__((noinline)) size_t number_write_float8(double value, char room[NUMBER_ROOM])
{
    size_t length = write_easy(value, 1e15, room);
    if (length)
        return length;
    /* Any DBL_DIG digits survive the way there and back, except among the subnormal numbers. */
    char printed[2 * NUMBER_ROOM];
    int precision = fabs(value) < DBL_MIN ? 1 : DBL_DIG;
    do
        snprintf(printed, sizeof printed, "%.*e", precision - 1, value);
    while (strtod(printed, NULL) != value && ++precision <= MOST_DIGITS);
    struct digits d = digits_of(printed);
    return lay_out(&d, signbit(value), 15, room);
}

__attribute__((noinline)) size_t number_write_float4(float value, char room[NUMBER_ROOM])
{
    size_t length = write_easy((double)value, 1e6, room);
    if (length)
        return length;
    char printed[2 * NUMBER_ROOM];
    int precision = fabsf(value) < FLT_MIN ? 1 : FLT_DIG;
    do
        snprintf(printed, sizeof printed, "%.*e", precision - 1, (double)value);
    while (strtof(printed, NULL) != value && ++precision <= 9);
    struct digits d = digits_of(printed);
    return lay_out(&d, signbit(value), 6, room);
}
