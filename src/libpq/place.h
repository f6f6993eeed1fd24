/* place.h - one value of a result that a getter is after: finding it, and noting why it cannot be
 * read.
 *
 * A result itself never changes. What does (references, the first fault, converted values) stands
 * in notes, reached through a pointer, so that a getter may take a const result and mean it. Called
 * by result alone. */
#ifndef LIBPQ_PLACE_H
#define LIBPQ_PLACE_H

#include "libpq/cells.h"
#include "words/value.h"

#include <evpq/result.h>
#include <libpq-fe.h>

struct notes {
    unsigned refs;
    evpq_error *fault;
    struct cells cells;
};

struct evpq_result {
    PGresult *pg;
    int rows, columns;
    struct notes *notes;
    struct recycler *blocks; /* where this came from; a reference */
};

/* One value that a getter is after. */
struct place {
    const evpq_result *r;
    int row, column;
    const char *wanted; /* as what it is to be read */
};

bool result_has_column(const evpq_result *r, int column);

/* Whether the place is there, be it SQL NULL or not; notes a fault when it is not. */
bool place_is_there(const struct place *at);

/* Whether there is a value; SQL NULL is none. */
bool place_find(const struct place *at, struct value *ret_value);

/* The same for a C type without a value for SQL NULL, which is a fault then. */
bool place_find_known(const struct place *at, struct value *ret_value);

/* True for VALUE_FITS; notes a fault that says why for anything else. */
bool place_fits(const struct place *at, enum value_fit fit);

/* Notes that there was no memory to convert the value. */
void place_fault_memory(const struct place *at);

#endif
