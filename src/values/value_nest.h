/* value_nest.h - the text of an array, a record or a range that came in binary, as the server would
 * write it. */
#ifndef VALUES_VALUE_NEST_H
#define VALUES_VALUE_NEST_H

#include "base/bytes.h"
#include "values/value.h"

/* Arrays of records of arrays, and so on: how deep they are written. The server itself has no such
 * limit, but every level may double the length. */
enum { NEST_DEPTH = 8 };

/* Appends the text, without a zero byte. False for want of memory; *ret_fit says whether there is
 * such a text. Of a type that is not known it is a record's or an array's. */
bool nest_write(const struct value *v, struct bytes *to, enum value_fit *ret_fit);

#endif
