/* value_array.h - arrays (PostgreSQL: array_out and array_send in utils/adt/arrayfuncs.c). Called
 * by libpq/nested and value_nest. */
#ifndef VALUES_VALUE_ARRAY_H
#define VALUES_VALUE_ARRAY_H

#include "values/value_part.h"

#include <evpq/types.h>

struct array {
    evpq_shape shape;
    uint32_t element; /* its type; 0: text of a type that is not known */
};

/* The elements, in the order in which they stand in the last dimension first. */
enum value_fit array_read(const struct value *v, struct array *ret_array, struct parts *ret_parts);

#endif
