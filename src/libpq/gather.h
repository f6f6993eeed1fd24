/* gather.h - rows that come one by one, made one result.
 *
 * Their values are copied as they come. libpq takes some 3 kB for a result of one row, however
 * small that is: to keep a few hundred of them, as result_gather does, costs more than the copies,
 * and memory that the caches do not have. */
#ifndef LIBPQ_GATHER_H
#define LIBPQ_GATHER_H

#include <evpq/result.h>
#include <stdbool.h>
#include <stddef.h>

struct pg_result; /* libpq's */

/* Rows of one statement, all of the same columns. Begins zeroed. */
struct gather {
    evpq_result *head; /* its first row, which has the columns' names and types */
    char *bytes;       /* value after value, each with a zero behind it */
    size_t used, room, likely;
    int *lengths; /* -1: SQL NULL */
    int rows, room_rows;
};

enum gathered { GATHER_DONE, GATHER_TOO_LARGE, GATHER_NO_MEMORY };

/* Adds a result of one row: it is taken, and gone, when that is done. Too large to be copied: make
 * it a result of its own. */
enum gathered gather_add(struct gather *g, struct pg_result *row);

/* All that was added, as a result: given. NULL when there is no memory; the rows are lost then.
 * Neither when there are none. */
evpq_result *gather_take(struct gather *g);

/* A result without its rows, for its columns and the command's tag, if it has that. Given; NULL
 * without memory. */
evpq_result *gather_head(const struct pg_result *r);

/* Whether a result of some rows has the command's tag. libpq 17 puts it into the last one when that
 * is not full, and then none into the result without rows that follows. */
bool gather_has_tag(const struct pg_result *r);

/* Lets go of everything. */
void gather_clear(struct gather *g);

#endif
