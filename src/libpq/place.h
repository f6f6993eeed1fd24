/* place.h - one value of a result that a getter is after: finding it, and noting why it cannot be
 * read.
 *
 * A result itself never changes. What does (references, the first fault, converted values) stands
 * in notes, reached through a pointer, so that a getter may take a const result and mean it. Called
 * by result alone. */
#ifndef LIBPQ_PLACE_H
#define LIBPQ_PLACE_H

#include "libpq/cells.h"
#include "libpq/rowset.h"
#include "values/value.h"

#include <evpq/result.h>
#include <libpq-fe.h>

/* What a value can have become: each kept in a cell of its own. */
enum slot {
    SLOT_CONVERTED, /* its text */
    SLOT_BYTES,
    SLOT_RAW,
    SLOT_ARRAY, /* from here on, a result of what is inside */
    SLOT_RECORD,
    SLOT_RANGE,
    SLOTS
};

struct notes {
    unsigned refs;
    evpq_error *fault;
    bool half_letters;   /* of values, as in struct value */
    struct cells *cells; /* NULL until something is converted */
};

struct evpq_result {
    PGresult *pg; /* NULL: the values are a rowset's */
    unsigned rows, columns;
    struct notes *notes;
    union {
        struct recycler *blocks; /* with pg: where this came from; a reference */
        struct rowset *rowset;
    };
};

static inline bool result_is_rowset(const evpq_result *r)
{
    return __builtin_expect(!r->pg, 0);
}

/* Who counts the references and remembers the fault: what is inside a value leaves both to the
 * result that the value is of. */
static inline const evpq_result *result_owner(const evpq_result *r)
{
    while (result_is_rowset(r) && r->rowset->owner)
        r = r->rowset->owner;
    return r;
}

/* One value that a getter is after. */
struct place {
    const evpq_result *r;
    int row, column;
    const char *wanted; /* as what it is to be read */
};

/* Each notes a fault, unless there is one: that the place is not there (none for a NULL result),
 * that it is SQL NULL, that its value did not fit, or that there was no memory to convert it. */
void place_fault_absent(const struct place *at);
void place_fault_null(const struct place *at);
void place_fault_misfit(const struct place *at, enum value_fit fit);
void place_fault_memory(const struct place *at);

/* That a row has not as many columns as are to be read. */
void place_fault_count(const struct place *at, size_t wanted);

/* Where what the value becomes is kept, for a place that is there; NULL when there is no memory,
 * of which no fault is noted. */
struct cell *place_cell(const struct place *at, enum slot slot);

/* A negative number is unsigned a large one, and out of range too. */
static inline bool result_has_column(const evpq_result *r, int column)
{
    return r && (unsigned)column < r->columns;
}

/* Whether the place is there, be it SQL NULL or not; notes a fault when it is not. */
static inline bool place_is_there(const struct place *at)
{
    if (result_has_column(at->r, at->column) && (unsigned)at->row < at->r->rows)
        return true;
    place_fault_absent(at);
    return false;
}

/* What a column that is there says of its values. */
static inline struct column result_column(const evpq_result *r, int column)
{
    if (result_is_rowset(r))
        return r->rowset->columns[column];
    return (struct column){
        .name = PQfname(r->pg, column),
        .type = PQftype(r->pg, column),
        .binary = PQfformat(r->pg, column) != 0,
    };
}

/* Where a rowset has a value that is there; SQL NULL has a negative length. */
static inline const struct span *result_span(const evpq_result *r, int row, int column)
{
    return &r->rowset->spans[(size_t)row * r->columns + (size_t)column];
}

/* What place_load does for a rowset. */
bool place_load_span(const struct place *at, struct value *ret_value);

/* For a place that is there: whether there is a value; SQL NULL is none. */
static inline bool place_load(const struct place *at, struct value *ret_value)
{
    if (result_is_rowset(at->r))
        return place_load_span(at, ret_value);
    const PGresult *pg = at->r->pg;
    int length = PQgetlength(pg, at->row, at->column); /* 0 for SQL NULL too */
    if (!length && PQgetisnull(pg, at->row, at->column))
        return false;
    *ret_value = (struct value){
        .type = PQftype(pg, at->column),
        .binary = PQfformat(pg, at->column) != 0,
        .bytes = PQgetvalue(pg, at->row, at->column),
        .length = (size_t)length,
    };
    return true;
}

/* Whether there is a value at the place, which may be SQL NULL. */
static inline bool place_find(const struct place *at, struct value *ret_value)
{
    return place_is_there(at) && place_load(at, ret_value);
}

/* The same for a C type without a value for SQL NULL, which is a fault then. */
static inline bool place_find_known(const struct place *at, struct value *ret_value)
{
    if (!place_is_there(at))
        return false;
    if (place_load(at, ret_value))
        return true;
    place_fault_null(at);
    return false;
}

/* True for VALUE_FITS; notes a fault that says why for anything else. */
static inline bool place_fits(const struct place *at, enum value_fit fit)
{
    if (fit == VALUE_FITS)
        return true;
    place_fault_misfit(at, fit);
    return false;
}

#endif
