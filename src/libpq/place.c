/* place.c - finding one value of a result. */
#include "libpq/place.h"

#include "words/error.h"

#include <stdio.h>

bool result_has_column(const evpq_result *r, int column)
{
    return r && column >= 0 && column < r->columns;
}

/* ---- why not ---- */

static void note(const struct place *at, evpq_error *error)
{
    at->r->notes->fault = error;
}

static void fault_absent(const struct place *at)
{
    if (at->r->notes->fault)
        return;
    note(at, error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN,
                       "row %d, column %d is not there: the result has %d rows and %d columns",
                       at->row, at->column, at->r->rows, at->r->columns));
}

static void fault(const struct place *at, const char *why)
{
    char number[sizeof "oid 4294967295"];
    if (at->r->notes->fault)
        return;
    const char *type = value_type_name(PQftype(at->r->pg, at->column));
    if (!type) {
        snprintf(number, sizeof number, "oid %u", PQftype(at->r->pg, at->column));
        type = number;
    }
    note(at, error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN,
                       "row %d, column %d \"%s\" of type %s cannot be read as %s: %s", at->row,
                       at->column, PQfname(at->r->pg, at->column), type, at->wanted, why));
}

void place_fault_memory(const struct place *at)
{
    if (!at->r->notes->fault)
        note(at, evpq_error_ref(error_nomem()));
}

bool place_fits(const struct place *at, enum value_fit fit)
{
    switch (fit) {
    case VALUE_FITS:
        return true;
    case VALUE_WRONG_TYPE:
        fault(at, "the type has no such reading");
        break;
    case VALUE_RANGE:
        fault(at, "the value is out of range");
        break;
    case VALUE_INEXACT:
        fault(at, "digits would be lost");
        break;
    case VALUE_MALFORMED:
        fault(at, PQfformat(at->r->pg, at->column) ? "the bytes are malformed"
                                                   : "the text is malformed (DateStyle is read as "
                                                     "ISO)");
        break;
    }
    return false;
}

/* ---- finding a value ---- */

bool place_is_there(const struct place *at)
{
    if (!at->r)
        return false;
    if (result_has_column(at->r, at->column) && at->row >= 0 && at->row < at->r->rows)
        return true;
    fault_absent(at);
    return false;
}

static bool is_null(const struct place *at)
{
    return PQgetisnull(at->r->pg, at->row, at->column);
}

static struct value load(const struct place *at)
{
    return (struct value){
        .type = PQftype(at->r->pg, at->column),
        .binary = PQfformat(at->r->pg, at->column) != 0,
        .bytes = PQgetvalue(at->r->pg, at->row, at->column),
        .length = (size_t)PQgetlength(at->r->pg, at->row, at->column),
    };
}

bool place_find(const struct place *at, struct value *ret_value)
{
    if (!place_is_there(at) || is_null(at))
        return false;
    *ret_value = load(at);
    return true;
}

bool place_find_known(const struct place *at, struct value *ret_value)
{
    if (!place_is_there(at))
        return false;
    if (is_null(at)) {
        fault(at, "it is SQL NULL");
        return false;
    }
    *ret_value = load(at);
    return true;
}
