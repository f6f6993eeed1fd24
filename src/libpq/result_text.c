/* result_text.c - the getters that return text and bytes: in place where they stand as they are
 * wanted, else converted once and kept in the result's cells. */
#include "libpq/place.h"
#include "values/oids.h"
#include "values/value_bytes.h"
#include "values/value_nest.h"

#include <string.h>

typedef enum value_fit write_fn(const struct value *v, void *room, size_t *ret_length);

static enum value_fit write_text(const struct value *v, void *room, size_t *ret_length)
{
    return value_write_text(v, room, ret_length);
}

static enum value_fit write_raw(const struct value *v, void *room, size_t *ret_length)
{
    memcpy(room, v->bytes, v->length);
    ((char *)room)[v->length] = '\0';
    *ret_length = v->length;
    return VALUE_FITS;
}

/* The converted value, from before or from now; NULL and a fault when there is none. */
static const struct cell *convert(const struct place *at, enum slot slot, const struct value *v,
                                  write_fn *write, size_t room)
{
    struct cell *cell = place_cell(at, slot);
    if (cell && cell->bytes)
        return cell;
    struct cells *cells = at->r->notes->cells;
    void *bytes = cell ? cells_reserve(cells, room) : NULL;
    if (!bytes) {
        place_fault_memory(at);
        return NULL;
    }
    if (!place_fits(at, write(v, bytes, &cell->length)))
        return NULL;
    cell->bytes = bytes;
    cells_keep(cells, cell->length + 1);
    return cell;
}

/* The same for a value that holds others: how long its text becomes is known when it is there. */
static const struct cell *convert_nest(const struct place *at, const struct value *v)
{
    struct bytes text = {NULL, 0, 0, false};
    struct cell *cell = place_cell(at, SLOT_CONVERTED);
    enum value_fit fit = VALUE_FITS;
    if (cell && cell->bytes)
        return cell;
    struct value whole_value = *v;
    whole_value.half_letters = result_owner(at->r)->notes->half_letters;
    if (!cell || !nest_write(&whole_value, &text, &fit))
        place_fault_memory(at);
    else if (place_fits(at, fit)) {
        struct value whole = {.bytes = text.data, .length = text.length};
        convert(at, SLOT_CONVERTED, &whole, write_raw, text.length + 1);
    }
    bytes_free(&text);
    return cell && cell->bytes ? cell : NULL;
}

/* Whether a zero byte follows bytes in place: libpq puts one behind each of its values, but in a
 * rowset the next value may begin there. */
static bool is_ended(const struct place *at, const char *bytes, size_t length)
{
    return !result_is_rowset(at->r) || !bytes[length];
}

/* The same bytes, with a zero byte behind them. */
static const void *result_text_end(const struct place *at, enum slot slot, const void *bytes,
                                   size_t length)
{
    struct value v = {.bytes = bytes, .length = length};
    if (is_ended(at, bytes, length))
        return bytes;
    const struct cell *cell = convert(at, slot, &v, write_raw, length + 1);
    return cell ? cell->bytes : NULL;
}

/* One of libpq's results with the columns of this one; NULL: it is of no statement's. */
static const PGresult *pg_of(const evpq_result *r)
{
    const struct rowset *s = result_is_rowset(r) ? r->rowset : NULL;
    if (!s)
        return r->pg;
    return s->head ? s->head->pg : s->n_results ? s->results[0] : NULL;
}

/* Whether all values of the column have one size, which a text has not, and the type is not known:
 * their bytes may look like one. The server says 4 of an enum, too, whose labels are text. */
static bool is_sized_unknown(const struct place *at, const struct value *v)
{
    const PGresult *pg = pg_of(at->r);
    if (!pg || !v->binary || !v->type || value_type_name(v->type))
        return false;
    int size = PQfsize(pg, at->column);
    return size > 0 && !(size == 4 && v->type >= OID_FIRST_OF_USERS);
}

const char *evpq_result_text(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "text"};
    struct value v;
    const char *place = NULL;
    size_t length;
    if (!place_find(&at, &v))
        return NULL;
    if (value_is_plain_text(&v))
        return result_text_end(&at, SLOT_CONVERTED, v.bytes, v.length);
    enum value_fit fit = VALUE_WRONG_TYPE;
    if (!is_sized_unknown(&at, &v))
        fit = value_place_text(&v, &place, &length);
    if (!place_fits(&at, fit))
        return NULL;
    if (place)
        return result_text_end(&at, SLOT_CONVERTED, place, length);
    const struct cell *cell =
        length ? convert(&at, SLOT_CONVERTED, &v, write_text, length) : convert_nest(&at, &v);
    return cell ? cell->bytes : NULL;
}

const void *evpq_result_bytes(const evpq_result *r, int row, int column, size_t *ret_length)
{
    struct place at = {r, row, column, "bytea"};
    struct value v;
    const void *place = NULL;
    size_t length;
    *ret_length = 0;
    if (!place_find(&at, &v) || !place_fits(&at, value_place_bytes(&v, &place, &length)))
        return NULL;
    if (!place) {
        const struct cell *cell = convert(&at, SLOT_BYTES, &v, value_write_bytes, length);
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
    if (!place_find(&at, &v))
        return NULL;
    const void *raw = result_text_end(&at, SLOT_RAW, v.bytes, v.length);
    *ret_length = raw ? v.length : 0;
    return raw;
}

size_t evpq_result_length(const evpq_result *r, int row, int column)
{
    struct place at = {r, row, column, "anything"};
    struct value v;
    return place_find(&at, &v) ? v.length : 0;
}
