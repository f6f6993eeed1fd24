/* builder.h - a batch while it is being filled with picked rows of chunks, column by column; and
 * then as an array of the Arrow C Data Interface, which owns its memory and outlives all else. */
#ifndef LOADER_BUILDER_H
#define LOADER_BUILDER_H

#include "arrow.h"
#include "chunk.h"
#include "columns.h"
#include "shuffle.h"

#include <stddef.h>
#include <stdint.h>

struct builder_column;

struct builder {
    const struct columns *columns;
    struct builder_column *v;
    size_t capacity, rows;
};

/* For batches of `capacity` rows of these columns (borrowed). EVPQ_OK or EVPQ_NOMEM; builder_close
 * in either case. */
evpq_status builder_open(struct builder *b, const struct columns *columns, size_t capacity);

/* Appends `n` rows of the chunks (borrowed), of which there is room for as many. EVPQ_OK;
 * EVPQ_NOMEM; EVPQ_TYPE when a column of texts would be longer than the 2 GiB that Arrow's offsets
 * reach: *ret_column says which. */
evpq_status builder_append(struct builder *b, const struct chunk *chunks, const struct pick *picks,
                           size_t n, size_t *ret_column);

/* What is in it as a struct array, given: its release. The builder is empty then. EVPQ_OK or
 * EVPQ_NOMEM. */
evpq_status builder_take(struct builder *b, struct ArrowArray *ret);

/* Drops what is in it. */
void builder_clear(struct builder *b);

void builder_close(struct builder *b);

#endif
