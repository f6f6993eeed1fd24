/* result.c - evpq_result: what it is as a whole, and getters that return numbers. */
#include "libpq/result.h"

#include "libpq/place.h"
#include "values/value_bytes.h"
#include "values/value_number.h"

#include <libpq-fe.h>
#include <string.h>

/* ---- the whole and its columns ---- */

int evpq_result_rows(const evpq_result *r)
{
    return r ? (int)r->rows : 0;
}

int evpq_result_columns(const evpq_result *r)
{
    return r ? (int)r->columns : 0;
}

const char *evpq_result_command(const evpq_result *r)
{
    return r && r->pg ? PQcmdStatus(r->pg) : "";
}

int64_t evpq_result_affected(const evpq_result *r)
{
    const char *tuples = r && r->pg ? PQcmdTuples(r->pg) : "";
    int64_t affected;
    return number_read_int(tuples, strlen(tuples), &affected) == VALUE_FITS ? affected : -1;
}

const char *evpq_result_column_name(const evpq_result *r, int column)
{
    return result_has_column(r, column) ? result_column(r, column).name : NULL;
}

int evpq_result_column_index(const evpq_result *r, const char *name)
{
    for (int i = 0; name && i < evpq_result_columns(r); i++)
        if (!strcmp(result_column(r, i).name, name))
            return i;
    return -1;
}

uint32_t evpq_result_column_type(const evpq_result *r, int column)
{
    return result_has_column(r, column) ? result_column(r, column).type : 0;
}

int evpq_result_column_format(const evpq_result *r, int column)
{
    return result_has_column(r, column) ? result_column(r, column).binary : 0;
}

/* ---- faults ---- */

const evpq_error *evpq_result_fault(const evpq_result *r)
{
    return r ? result_owner(r)->notes->fault : NULL;
}

void evpq_result_fault_clear(const evpq_result *r)
{
    struct notes *notes = r ? result_owner(r)->notes : NULL;
    if (notes)
        notes->fault = evpq_error_unref(notes->fault);
}

bool evpq_result_is_null(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "anything"};
    struct value v;
    return !place_is_there(&at) || !place_load(&at, &v);
}

/* ---- numbers ---- */

bool evpq_result_bool(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "bool"};
    struct value v;
    bool value = false;
    return place_find_known(&at, &v) && place_fits(&at, value_as_bool(&v, &value)) && value;
}

/* bytes_plain_int of what is there. False for SQL NULL too, whose length is no number's. */
static inline bool plain_whole(const evpq_result *r, int row, int column, int64_t *ret_value)
{
    if (!result_has_column(r, column) || (unsigned)row >= r->rows)
        return false;
    if (result_is_rowset(r)) {
        const struct column *c = &r->rowset->columns[column];
        const struct span *span = result_span(r, row, column);
        return c->binary && bytes_plain_int(c->type, (size_t)span->length, span->bytes, ret_value);
    }
    return PQfformat(r->pg, column) &&
           bytes_plain_int(PQftype(r->pg, column), (size_t)PQgetlength(r->pg, row, column),
                           PQgetvalue(r->pg, row, column), ret_value);
}

__attribute__((noinline)) static int64_t any_whole(const evpq_result *r, int row, int column,
                                                   const char *wanted, int64_t min, int64_t max)
{
    struct place at = {r, row, column, wanted};
    struct value v;
    int64_t value;
    if (!place_find_known(&at, &v))
        return 0;
    return place_fits(&at, value_as_int(&v, min, max, &value)) ? value : 0;
}

static inline int64_t whole(const evpq_result *r, int row, int column, const char *wanted,
                            int64_t min, int64_t max)
{
    int64_t value;
    if (plain_whole(r, row, column, &value) && value >= min && value <= max)
        return value;
    return any_whole(r, row, column, wanted, min, max);
}

int16_t evpq_result_int2(const evpq_result *r, int row, int column)
{
    return (int16_t)whole(r, row, column, "int2", INT16_MIN, INT16_MAX);
}

int32_t evpq_result_int4(const evpq_result *r, int row, int column)
{
    return (int32_t)whole(r, row, column, "int4", INT32_MIN, INT32_MAX);
}

int64_t evpq_result_int8(const evpq_result *r, int row, int column)
{
    return whole(r, row, column, "int8", INT64_MIN, INT64_MAX);
}

uint32_t evpq_result_oid(const evpq_result *r, int row, int column)
{
    return (uint32_t)whole(r, row, column, "oid", 0, UINT32_MAX);
}

int64_t evpq_result_scaled(const evpq_result *r, int row, int column, int scale)
{
    struct place at = {r, row, column, "scaled integer"};
    struct value v;
    int64_t value = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_scaled(&v, scale, &value)))
        return 0;
    return value;
}

float evpq_result_float4(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "float4"};
    struct value v;
    float value = 0;
    if (!place_find_known(&at, &v) || !place_fits(&at, value_as_float4(&v, &value)))
        return 0;
    return value;
}

double evpq_result_float8(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "float8"};
    struct value v;
    double value = 0;
    if (!place_find_known(&at, &v))
        return 0;
    if (value_plain_float8(&v, &value))
        return value;
    return place_fits(&at, value_as_float8(&v, &value)) ? value : 0;
}
