/* nested.c - arrays, records and ranges, each opened once and kept for as long as the result that
 * holds it. */
#include "base/mem.h"
#include "libpq/place.h"
#include "values/value_array.h"
#include "values/value_range.h"
#include "values/value_record.h"

#include <evpq/nested.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 64 };

/* ---- a result of the parts ---- */

/* A value that is being opened. */
struct opening {
    const struct place *at;
    struct value v;
    struct cell *cell; /* where the result is to be kept */
    struct parts parts;
    evpq_result *result;
    struct column *columns;
};

/* How deep a result lies in others. Bounded, since freeing it all goes as deep as the stack. */
static int depth_of(const evpq_result *r)
{
    int depth = 0;
    for (; result_is_rowset(r) && r->rowset->owner; r = r->rowset->owner)
        depth++;
    return depth;
}

/* Whether there is a value that is not open yet; what is open already is *ret_result. */
static bool nested_begin(struct opening *o, const struct place *at, enum slot slot,
                         const evpq_result **ret_result)
{
    *o = (struct opening){.at = at};
    *ret_result = NULL;
    if (!place_find(at, &o->v))
        return false;
    if (depth_of(at->r) >= DEEPEST) {
        place_fault_misfit(at, VALUE_RANGE);
        return false;
    }
    if (!o->v.binary && result_owner(at->r)->notes->half_letters &&
        value_is_ambiguous(o->v.bytes, o->v.length)) {
        place_fault_misfit(at, VALUE_ENCODING);
        return false;
    }
    o->cell = place_cell(at, slot);
    if (!o->cell)
        place_fault_memory(at);
    else
        *ret_result = o->cell->bytes;
    return o->cell && !o->cell->bytes;
}

/* Makes a result of so many rows and columns, and room for what else is to be read: *ret_extra,
 * which stays with it. */
static bool make(struct opening *o, size_t rows, size_t columns, size_t extra, void **ret_extra)
{
    struct span *spans = NULL;
    size_t size;
    char *memory = NULL;
    if (!__builtin_add_overflow(extra, o->v.length + 1, &size))
        memory = mem_alloc(size);
    if (memory)
        o->result = rowset_new(rows, columns, &o->columns, &spans);
    if (!o->result) {
        mem_free(memory);
        place_fault_memory(o->at);
        return false;
    }
    o->result->rowset->memory = memory;
    o->result->rowset->owner = o->at->r;
    o->parts.spans = spans;
    o->parts.room = memory + extra;
    *ret_extra = memory;
    return true;
}

static const evpq_result *keep(struct opening *o)
{
    o->cell->bytes = o->result;
    return o->result;
}

const evpq_result *evpq_result_array(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "array"};
    struct opening o;
    struct array array;
    const evpq_result *open;
    void *nothing;
    if (!nested_begin(&o, &at, SLOT_ARRAY, &open))
        return open;
    if (!place_fits(&at, array_read(&o.v, &array, &o.parts)) ||
        !make(&o, o.parts.n, 1, 0, &nothing))
        return NULL;
    array_read(&o.v, &array, &o.parts);
    o.columns[0] = (struct column){"element", array.element, o.v.binary};
    o.result->rowset->shape = array.shape;
    return keep(&o);
}

/* f1, f2, ...: as the server names the columns of a record that has no names. */
static void name_fields(struct opening *o, char *names, size_t each)
{
    for (size_t i = 0; i < o->parts.n; i++, names += each) {
        snprintf(names, each, "f%u", (unsigned)i + 1);
        o->columns[i] = (struct column){names, o->parts.types[i], o->v.binary};
    }
}

const evpq_result *evpq_result_record(const evpq_result *r, int row, int column)
{
    enum { NAME = sizeof "f1664" };
    struct place at = {r, row, column, "record"};
    struct opening o;
    const evpq_result *open;
    void *extra;
    if (!nested_begin(&o, &at, SLOT_RECORD, &open))
        return open;
    if (!place_fits(&at, record_read(&o.v, &o.parts)))
        return NULL;
    size_t n = o.parts.n;
    if (!make(&o, 1, n, n * (sizeof *o.parts.types + NAME), &extra))
        return NULL;
    o.parts.types = extra;
    record_read(&o.v, &o.parts);
    name_fields(&o, (char *)extra + n * sizeof *o.parts.types, NAME);
    return keep(&o);
}

const evpq_result *evpq_result_range(const evpq_result *r, int row, int column, uint32_t bound_type)
{
    struct place at = {r, row, column, "range"};
    struct opening o;
    const evpq_result *open;
    void *flags;
    if (!nested_begin(&o, &at, SLOT_RANGE, &open))
        return open;
    if (!place_fits(&at, range_read(&o.v, NULL, &o.parts)))
        return NULL;
    size_t rows = o.parts.n / 2;
    if (!make(&o, rows, 2, rows, &flags))
        return NULL;
    range_read(&o.v, flags, &o.parts);
    uint32_t known = range_bound(o.v.type), bound = known ? known : bound_type;
    o.columns[0] = (struct column){"lower", bound, o.v.binary};
    o.columns[1] = (struct column){"upper", bound, o.v.binary};
    o.result->rowset->flags = flags;
    return keep(&o);
}

/* ---- what there is to know of them besides ---- */

int evpq_result_shape(const evpq_result *array, evpq_shape *ret_shape)
{
    memset(ret_shape, 0, sizeof *ret_shape);
    if (array && result_is_rowset(array))
        *ret_shape = array->rowset->shape;
    return ret_shape->dimensions;
}

unsigned evpq_result_range_flags(const evpq_result *range, int row)
{
    struct place at = {range, row, 0, "range"};
    if (!place_is_there(&at) || !result_is_rowset(range) || !range->rowset->flags)
        return 0;
    return range->rowset->flags[row];
}
