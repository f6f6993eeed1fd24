/* chunk.h - the rows of one range, decoded column by column as soon as they have come: a fraction
 * of the memory of the result, which can go then. */
#ifndef LOADER_CHUNK_H
#define LOADER_CHUNK_H

#include "columns.h"

#include <evpq/evpq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A column of it. The value of a NULL is zero, or empty. */
struct cells {
    unsigned char *values;
    uint32_t *ends; /* of variable width: where the value of each row ends in `values` */
    bool *valid;    /* for each row; NULL: all are */
    size_t space;   /* of variable width: bytes of `values` */
};

struct chunk {
    size_t rows, columns;
    struct cells *cells;
};

/* Decodes `r` (borrowed), of these columns in binary format, into *ret (chunk_free). EVPQ_OK;
 * EVPQ_NOMEM; EVPQ_TYPE for what has no number in Arrow: *ret_column says where. */
evpq_status chunk_decode(const struct columns *columns, const evpq_result *r, struct chunk *ret,
                         size_t *ret_column);
void chunk_free(struct chunk *chunk);

#endif
