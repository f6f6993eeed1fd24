/* nested.h - what is inside a value, as a result of its own: the elements of an array, the fields
 * of a record, the bounds of ranges. The getters for it are the public header's business. */
#ifndef LIBPQ_NESTED_H
#define LIBPQ_NESTED_H

#include <evpq/result.h>

/* Frees the cells of a result, which has some, and the results of what is inside its values. */
void nested_free(evpq_result *r);

#endif
