/* place.c - why a value of a result could not be had, and where what it becomes is kept. */
#include "libpq/place.h"

#include "words/error.h"

#include <stdio.h>

static bool has_fault(const struct place *at)
{
    return result_owner(at->r)->notes->fault != NULL;
}

static void place_note(const struct place *at, evpq_error *error)
{
    result_owner(at->r)->notes->fault = error;
}

void place_fault_absent(const struct place *at)
{
    if (!at->r || has_fault(at))
        return;
    place_note(at,
               error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN,
                         "row %d, column %d is not there: the result has %u rows and %u columns",
                         at->row, at->column, at->r->rows, at->r->columns));
}

static void fault(const struct place *at, const char *why)
{
    char number[sizeof "oid 4294967295"];
    if (has_fault(at))
        return;
    struct column column = result_column(at->r, at->column);
    const char *type = column.type ? value_type_name(column.type) : "unknown";
    if (!type) {
        snprintf(number, sizeof number, "oid %u", column.type);
        type = number;
    }
    place_note(at, error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN,
                             "row %d, column %d \"%s\" of type %s cannot be read as %s: %s",
                             at->row, at->column, column.name, type, at->wanted, why));
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
    case VALUE_ENCODING:
        fault(at, "a half of a letter looks like punctuation in this client_encoding; ask for the "
                  "binary format, or use UTF8");
        break;
    case VALUE_MALFORMED:
        fault(at, result_column(at->r, at->column).binary
                      ? "the bytes are malformed"
                      : "the text is malformed (DateStyle is read as ISO, IntervalStyle as "
                        "postgres)");
        break;
    }
}

void place_fault_count(const struct place *at, size_t wanted)
{
    if (!has_fault(at))
        place_note(at,
                   error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN,
                             "row %d cannot be read into %zu variables: the result has %u columns",
                             at->row, wanted, at->r->columns));
}

void place_fault_memory(const struct place *at)
{
    if (!has_fault(at))
        place_note(at, evpq_error_ref(error_nomem()));
}

bool place_load_span(const struct place *at, struct value *ret_value)
{
    const struct column *column = &at->r->rowset->columns[at->column];
    const struct span *span = result_span(at->r, at->row, at->column);
    if (span->length < 0)
        return false;
    *ret_value = (struct value){
        .type = column->type,
        .binary = column->binary,
        .bytes = span->bytes,
        .length = (size_t)span->length,
    };
    return true;
}

struct cell *place_cell(const struct place *at, enum slot slot)
{
    struct notes *notes = at->r->notes;
    if (!notes->cells)
        notes->cells = cells_new(at->r->rows, at->r->columns * (size_t)SLOTS);
    size_t column = (size_t)at->column * SLOTS + slot;
    return notes->cells ? cells_at(notes->cells, (size_t)at->row, column) : NULL;
}
