/* cells.h - values of a result that had to be converted, kept for as long as the result lives.
 *
 * Nothing is allocated until the first conversion; then one array for each column that needs it,
 * and the bytes in blocks that grow. Not thread-safe. Called by result alone. */
#ifndef LIBPQ_CELLS_H
#define LIBPQ_CELLS_H

#include <stddef.h>

struct cell {
    const void *bytes; /* NULL: not converted yet */
    size_t length;
};

struct cells {
    size_t rows, columns;
    struct cell **column; /* [columns], each NULL or [rows] */
    struct cells_block *block;
};

void cells_init(struct cells *c, size_t rows, size_t columns);
void cells_free(struct cells *c);

/* The cell, which stays where it is; NULL when there is no memory. Both must be in range. */
struct cell *cells_at(struct cells *c, size_t row, size_t column);

/* `size` bytes, of which the first `used` are then kept by cells_keep. Without it the next
 * cells_reserve gives the same bytes again. NULL when there is no memory. */
void *cells_reserve(struct cells *c, size_t size);
void cells_keep(struct cells *c, size_t used);

#endif
