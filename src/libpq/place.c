/* place.c - why a value of a result could not be had. */
#include "libpq/place.h"

#include "words/error.h"

#include <stdio.h>

static void note(const struct place *at, evpq_error *error)
{
    at->r->notes->fault = error;
}

void place_fault_absent(const struct place *at)
{
    if (!at->r || at->r->notes->fault)
        return;
    note(at, error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN,
                       "row %d, column %d is not there: the result has %u rows and %u columns",
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

void place_fault_null(const struct place *at)
{
    fault(at, "it is SQL NULL");
}

void place_fault_misfit(const struct place *at, enum value_fit fit)
{
    switch (fit) {
    case VALUE_FITS:
        break;
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
}

void place_fault_memory(const struct place *at)
{
    if (!at->r->notes->fault)
        note(at, evpq_error_ref(error_nomem()));
}
