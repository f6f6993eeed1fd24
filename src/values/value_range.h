/* value_range.h - ranges and multiranges (PostgreSQL: range_out and range_send in
 * utils/adt/rangetypes.c, multirange_send in multirangetypes.c). */
#ifndef VALUES_VALUE_RANGE_H
#define VALUES_VALUE_RANGE_H

#include "values/value_part.h"

#include <evpq/types.h>

/* The type of the bounds; 0 where it is not known. */
uint32_t range_bound(uint32_t type);

/* The bounds of a range, or of each range of a multirange: two parts each, SQL NULL where there is
 * none. A flag byte of each (enum evpq_range_flags) goes to `flags`, unless that is NULL. A type
 * that is not known is a range, except in text that begins with a brace. */
enum value_fit range_read(const struct value *v, uint8_t *flags, struct parts *ret_parts);

#endif
