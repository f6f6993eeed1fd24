/* result.c - evpq_result: a PGresult, and what reading it has left behind.
 *
 * The result itself never changes. What does (references, the first fault, converted values) stands
 * in notes, reached through a pointer, so that a getter may take a const result and mean it. */
#include "libpq/result.h"

#include "base/mem.h"
#include "libpq/cells.h"
#include "words/error.h"
#include "words/value.h"
#include "words/value_number.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

struct notes {
    unsigned refs;
    evpq_error *fault;
    struct cells cells;
};

struct evpq_result {
    PGresult *pg;
    int rows, columns;
    struct notes *notes;
};

/* ---- life ---- */

evpq_result *result_wrap(struct pg_result *pg)
{
    struct both {
        struct evpq_result result;
        struct notes notes;
    } *both = mem_alloc(sizeof *both);
    if (!both) {
        PQclear(pg);
        return NULL;
    }
    both->result = (struct evpq_result){
        .pg = pg, .rows = PQntuples(pg), .columns = PQnfields(pg), .notes = &both->notes};
    both->notes = (struct notes){.refs = 1};
    cells_init(&both->notes.cells, (size_t)both->result.rows, (size_t)both->result.columns);
    return &both->result;
}

evpq_result *evpq_result_ref(const evpq_result *r)
{
    if (r)
        r->notes->refs++;
    return (evpq_result *)r;
}

evpq_result *evpq_result_unref(evpq_result *r)
{
    if (!r || --r->notes->refs)
        return NULL;
    cells_free(&r->notes->cells);
    evpq_error_unref(r->notes->fault);
    PQclear(r->pg);
    mem_free(r);
    return NULL;
}

/* ---- the whole and its columns ---- */

int evpq_result_rows(const evpq_result *r)
{
    return r ? r->rows : 0;
}

int evpq_result_columns(const evpq_result *r)
{
    return r ? r->columns : 0;
}

const char *evpq_result_command(const evpq_result *r)
{
    return r ? PQcmdStatus(r->pg) : "";
}

int64_t evpq_result_affected(const evpq_result *r)
{
    const char *tuples = r ? PQcmdTuples(r->pg) : "";
    int64_t affected;
    return number_read_int(tuples, strlen(tuples), &affected) == VALUE_FITS ? affected : -1;
}

static bool has_column(const evpq_result *r, int column)
{
    return r && column >= 0 && column < r->columns;
}

const char *evpq_result_column_name(const evpq_result *r, int column)
{
    return has_column(r, column) ? PQfname(r->pg, column) : NULL;
}

int evpq_result_column_index(const evpq_result *r, const char *name)
{
    for (int i = 0; name && i < evpq_result_columns(r); i++)
        if (!strcmp(PQfname(r->pg, i), name))
            return i;
    return -1;
}

uint32_t evpq_result_column_type(const evpq_result *r, int column)
{
    return has_column(r, column) ? PQftype(r->pg, column) : 0;
}

int evpq_result_column_format(const evpq_result *r, int column)
{
    return has_column(r, column) ? PQfformat(r->pg, column) : 0;
}

/* ---- faults ---- */

/* One value that a getter is after. */
struct place {
    const evpq_result *r;
    int row, column;
    const char *wanted; /* as what it is to be read */
};

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

static void fault_memory(const struct place *at)
{
    if (!at->r->notes->fault)
        note(at, evpq_error_ref(error_nomem()));
}

/* True when it fits; otherwise notes why it does not. */
static bool fits(const struct place *at, enum value_fit fit)
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

const evpq_error *evpq_result_fault(const evpq_result *r)
{
    return r ? r->notes->fault : NULL;
}

void evpq_result_fault_clear(const evpq_result *r)
{
    if (r)
        r->notes->fault = evpq_error_unref(r->notes->fault);
}

/* ---- finding a value ---- */

/* Whether the place is there, be it SQL NULL or not; notes a fault when it is not. */
static bool is_there(const struct place *at)
{
    if (!at->r)
        return false;
    if (has_column(at->r, at->column) && at->row >= 0 && at->row < at->r->rows)
        return true;
    fault_absent(at);
    return false;
}

/* Whether there is a value that is not SQL NULL. */
static bool find(const struct place *at, struct value *ret_value)
{
    if (!is_there(at) || PQgetisnull(at->r->pg, at->row, at->column))
        return false;
    *ret_value = (struct value){
        .type = PQftype(at->r->pg, at->column),
        .binary = PQfformat(at->r->pg, at->column) != 0,
        .bytes = PQgetvalue(at->r->pg, at->row, at->column),
        .length = (size_t)PQgetlength(at->r->pg, at->row, at->column),
    };
    return true;
}

/* The same for a C type without a value for SQL NULL, which is a fault then. */
static bool find_known(const struct place *at, struct value *ret_value)
{
    if (!is_there(at))
        return false;
    if (find(at, ret_value))
        return true;
    fault(at, "it is SQL NULL");
    return false;
}

bool evpq_result_is_null(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "anything"};
    return !is_there(&at) || PQgetisnull(r->pg, row, column);
}

/* ---- numbers ---- */

bool evpq_result_bool(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "bool"};
    struct value v;
    bool value = false;
    return find_known(&at, &v) && fits(&at, value_as_bool(&v, &value)) && value;
}

static int64_t whole(struct place at, int64_t min, int64_t max)
{
    struct value v;
    int64_t value = 0;
    if (!find_known(&at, &v) || !fits(&at, value_as_int(&v, min, max, &value)))
        return 0;
    return value;
}

int16_t evpq_result_int2(const evpq_result *r, int row, int column)
{
    return (int16_t)whole((struct place){r, row, column, "int2"}, INT16_MIN, INT16_MAX);
}

int32_t evpq_result_int4(const evpq_result *r, int row, int column)
{
    return (int32_t)whole((struct place){r, row, column, "int4"}, INT32_MIN, INT32_MAX);
}

int64_t evpq_result_int8(const evpq_result *r, int row, int column)
{
    return whole((struct place){r, row, column, "int8"}, INT64_MIN, INT64_MAX);
}

uint32_t evpq_result_oid(const evpq_result *r, int row, int column)
{
    return (uint32_t)whole((struct place){r, row, column, "oid"}, 0, UINT32_MAX);
}

float evpq_result_float4(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "float4"};
    struct value v;
    float value = 0;
    if (!find_known(&at, &v) || !fits(&at, value_as_float4(&v, &value)))
        return 0;
    return value;
}

double evpq_result_float8(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "float8"};
    struct value v;
    double value = 0;
    if (!find_known(&at, &v) || !fits(&at, value_as_float8(&v, &value)))
        return 0;
    return value;
}

/* ---- text and bytes ---- */

typedef enum value_fit write_fn(const struct value *v, void *room, size_t *ret_length);

static enum value_fit write_text(const struct value *v, void *room, size_t *ret_length)
{
    return value_write_text(v, room, ret_length);
}

/* The converted value, from before or from now; NULL and a fault when there is none. */
static const struct cell *convert(const struct place *at, const struct value *v, write_fn *write,
                                  size_t room)
{
    struct cells *cells = &at->r->notes->cells;
    struct cell *cell = cells_at(cells, (size_t)at->row, (size_t)at->column);
    if (cell && cell->bytes)
        return cell;
    void *bytes = cell ? cells_reserve(cells, room) : NULL;
    if (!bytes) {
        fault_memory(at);
        return NULL;
    }
    if (!fits(at, write(v, bytes, &cell->length)))
        return NULL;
    cell->bytes = bytes;
    cells_keep(cells, cell->length + 1);
    return cell;
}

const char *evpq_result_text(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "text"};
    struct value v;
    const char *place = NULL;
    size_t length;
    if (!find(&at, &v) || !fits(&at, value_place_text(&v, &place, &length)))
        return NULL;
    if (place)
        return place;
    const struct cell *cell = convert(&at, &v, write_text, length);
    return cell ? cell->bytes : NULL;
}

const void *evpq_result_bytes(const evpq_result *r, int row, int column, size_t *ret_length)
{
    struct place at = {r, row, column, "bytea"};
    struct value v;
    const void *place = NULL;
    size_t length;
    *ret_length = 0;
    if (!find(&at, &v) || !fits(&at, value_place_bytes(&v, &place, &length)))
        return NULL;
    if (!place) {
        const struct cell *cell = convert(&at, &v, value_write_bytes, length);
        if (!cell)
            return NULL;
        place = cell->bytes;
        length = cell->length;
    }
    *ret_length = length;
    return place;
}

const void *evpq_result_raw(const evpq_result *r, int row, int column, size_t *ret_length)
{
    struct place at = {r, row, column, "raw bytes"};
    struct value v;
    *ret_length = 0;
    if (!find(&at, &v))
        return NULL;
    *ret_length = v.length;
    return v.bytes;
}

size_t evpq_result_length(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "anything"};
    struct value v;
    return find(&at, &v) ? v.length : 0;
}

/* ---- uuid and time ---- */

bool evpq_result_uuid(const evpq_result *r, int row, int column, uint8_t ret_uuid[16])
{
    struct place at = {r, row, column, "uuid"};
    struct value v;
    memset(ret_uuid, 0, 16);
    return find_known(&at, &v) && fits(&at, value_as_uuid(&v, ret_uuid));
}

int64_t evpq_result_timestamptz(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "timestamptz"};
    struct value v;
    int64_t value = 0;
    if (!find_known(&at, &v) || !fits(&at, value_as_timestamptz(&v, &value)))
        return 0;
    return value;
}

int64_t evpq_result_timestamp(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "timestamp"};
    struct value v;
    int64_t value = 0;
    if (!find_known(&at, &v) || !fits(&at, value_as_timestamp(&v, &value)))
        return 0;
    return value;
}

int32_t evpq_result_date(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "date"};
    struct value v;
    int32_t value = 0;
    if (!find_known(&at, &v) || !fits(&at, value_as_date(&v, &value)))
        return 0;
    return value;
}
