/* value_number.h - whole numbers and floating point numbers as PostgreSQL writes them in text.
 *
 * The shortest decimal that reads back as the same number, laid out as the server does (float8out
 * with extra_float_digits at its default). No locale is consulted. */
#ifndef VALUES_VALUE_NUMBER_H
#define VALUES_VALUE_NUMBER_H

#include "values/value.h"

/* Room for a whole number, and for any of these, with the zero byte that each writes at the end. */
enum { INTEGER_ROOM = 21, NUMBER_ROOM = 32 };

/* Each returns how many bytes it wrote, not counting the zero byte. */
size_t number_write_int(int64_t value, char room[INTEGER_ROOM]);
size_t number_write_uint(uint64_t value, char room[INTEGER_ROOM]);
size_t number_write_float4(float value, char room[NUMBER_ROOM]);
size_t number_write_float8(double value, char room[NUMBER_ROOM]);

/* Digits with an optional minus sign and nothing else. VALUE_RANGE beyond int64. */
enum value_fit number_read_int(const char *text, size_t length, int64_t *ret_value);

#endif
