/* value_numeric.h - the binary format of numeric (PostgreSQL: numeric_send in utils/adt/numeric.c).
 *
 * Eight bytes of head, then digits to the base of 10000. */
#ifndef VALUES_VALUE_NUMERIC_H
#define VALUES_VALUE_NUMERIC_H

#include "values/value_decimal.h"

enum value_fit numeric_read(const char *bytes, size_t length, struct decimal *ret_decimal);

/* The room that numeric_write may need, with its zero byte. */
enum value_fit numeric_room(const char *bytes, size_t length, size_t *ret_room);

/* As numeric_out writes it. Returns the number of bytes written, not counting the zero byte.
 * `bytes` are such that numeric_room has found them well-formed. */
size_t numeric_write(const char *bytes, size_t length, char *room);

#endif
