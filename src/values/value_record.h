/* value_record.h - composites and anonymous records (PostgreSQL: record_out and record_send in
 * utils/adt/rowtypes.c). */
#ifndef VALUES_VALUE_RECORD_H
#define VALUES_VALUE_RECORD_H

#include "values/value_part.h"

enum { RECORD_MOST = 1664 }; /* MaxTupleAttributeNumber */

/* The fields. In text "()" is taken to be one that is SQL NULL, though a record without fields is
 * written so too. */
enum value_fit record_read(const struct value *v, struct parts *ret_parts);

#endif
