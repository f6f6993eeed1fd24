/* rowset.h - the values of a result that is not one PGresult of libpq's: rows gathered from several,
 * rows of a binary COPY, or what is inside an array, a record or a range.
 *
 * Values stand where they arrived; a rowset points at them, row by row, and owns that memory, or has
 * it from the result that it is a part of. Reading goes through place.h as for any result. */
#ifndef LIBPQ_ROWSET_H
#define LIBPQ_ROWSET_H

#include "values/span.h"

#include <evpq/result.h>
#include <evpq/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_result; /* libpq's */

struct column {
    const char *name;
    uint32_t type; /* 0: text of a type that nobody told */
    bool binary;
};

struct rowset {
    const struct column *columns;
    const struct span *spans; /* row by row */

    /* What is inside a value of `owner` lives as long as that, and has no references of its own.
     * NULL for a result of its own. */
    const evpq_result *owner;
    evpq_shape shape;     /* of an array */
    const uint8_t *flags; /* of ranges, one a row; NULL: these are none */

    /* What the bytes stand in; any may be NULL. */
    evpq_result *head;          /* a reference: the columns' names are its */
    struct pg_result **results; /* mem_ memory, and each cleared */
    size_t n_results;
    char **buffers; /* mem_ memory, and each freed as PQgetCopyData says */
    size_t n_buffers;
    struct span *own_spans; /* mem_ memory */
    void *memory;           /* mem_ memory */
};

/* A result of so many rows and columns, whose columns and spans are to be filled in: *ret_spans,
 * unless it is NULL, gets room for all. NULL when there is no memory, or when they are more than an
 * int counts. */
evpq_result *rowset_new(size_t rows, size_t columns, struct column **ret_columns,
                        struct span **ret_spans);

#endif
