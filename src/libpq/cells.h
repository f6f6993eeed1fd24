/* cells.h - values of a result that had to be converted, kept for as long as the result lives.
 *
 * One array for each column that needs it, made with its first conversion, and the bytes in blocks
 * that grow. Not thread-safe. */
#ifndef LIBPQ_CELLS_H
#define LIBPQ_CELLS_H

#include <stddef.h>

struct cells;

struct cell {
    const void *bytes; /* NULL: not converted yet */
    size_t length;
};

/* NULL when there is no memory. */
struct cells *cells_new(size_t rows, size_t columns);
void cells_free(struct cells *c); /* NULL is allowed */

/* The cell, which stays where it is; NULL when there is no memory. Both must be in range. */
struct cell *cells_at(struct cells *c, size_t row, size_t column);

/* All cells of a column, one a row; NULL while there are none. */
struct cell *cells_column(struct cells *c, size_t column);

/* `size` bytes, of which the first `used` are then kept by cells_keep. Without it the next
 * cells_reserve gives the same bytes again. NULL when there is no memory. */
void *cells_reserve(struct cells *c, size_t size);
void cells_keep(struct cells *c, size_t used);

#endif
