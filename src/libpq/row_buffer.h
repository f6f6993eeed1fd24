/* row_buffer.h - rows that come one by one, made one result.
 *
 * Their values are copied as they come. libpq takes some 3 kB for a result of one row, however
 * small that is: to keep a few dozen of them, as result_join does, costs more than the copies,
 * for what the C library has to do then to find memory for the next. */
#ifndef LIBPQ_ROW_BUFFER_H
#define LIBPQ_ROW_BUFFER_H

#include "values/span.h"

#include <evpq/result.h>
#include <stdbool.h>
#include <stddef.h>

struct pg_result; /* libpq's */

/* Rows of one statement, all of the same columns. Begins zeroed. */
struct row_buffer {
    evpq_result *head;    /* its first row, which has the columns' names and types */
    evpq_result *becomes; /* what they are gathered in; NULL: nothing yet */
    struct span *spans;   /* its own */
    char *bytes;          /* value after value, each with a zero behind it */
    size_t used, room, likely;
    int columns;
    int rows, room_rows, likely_rows;
};

enum row_buffer_added { ROW_BUFFER_DONE, ROW_BUFFER_TOO_LARGE, ROW_BUFFER_NO_MEMORY };

/* Adds a result of one row: it is taken, and gone, when that is done. Too large to be copied: make
 * it a result of its own. */
enum row_buffer_added row_buffer_add(struct row_buffer *g, struct pg_result *row);

/* All that was added, as a result: given. NULL when there is nothing. */
evpq_result *row_buffer_take(struct row_buffer *g);

/* Lets go of everything. */
void row_buffer_clear(struct row_buffer *g);

#endif
