/* value_array.c - arrays, taken apart. */
#include "values/value_array.h"

#include "values/oids.h"
#include "values/value_type.h"

enum { BOX_ARRAY = 1020 }; /* the one type of PostgreSQL's own whose elements hold commas */

/* ---- binary ---- */

static bool read_shape(struct cursor *c, evpq_shape *shape, int64_t *ret_count)
{
    int64_t count = shape->dimensions > 0;
    for (int i = 0; i < shape->dimensions; i++) {
        if (!cursor_int4(c, &shape->length[i]) || !cursor_int4(c, &shape->first[i]) ||
            shape->length[i] < 1)
            return false;
        count *= shape->length[i];
        if (count > INT32_MAX) /* each element is four bytes long, at the least */
            return false;
    }
    *ret_count = count;
    return true;
}

static bool array_read_binary(struct cursor *c, struct array *a, struct parts *p)
{
    int32_t dimensions, flags, element;
    int64_t count;
    if (!cursor_int4(c, &dimensions) || !cursor_int4(c, &flags) || !cursor_int4(c, &element) ||
        dimensions < 0 || dimensions > EVPQ_DIMENSIONS_MOST)
        return false;
    a->element = (uint32_t)element;
    a->shape.dimensions = dimensions;
    if (!read_shape(c, &a->shape, &count))
        return false;
    for (int64_t i = 0; i < count; i++)
        if (!part_binary(c, p))
            return false;
    return cursor_is_at_end(c);
}

/* ---- text ---- */

struct array_reader {
    struct cursor c;
    char separator;
    evpq_shape *shape;
    struct parts *parts;
    int depth;                             /* how many braces are open */
    int leaves;                            /* at which depth elements stand; 0: not known yet */
    int64_t counts[EVPQ_DIMENSIONS_MOST];  /* of what there has been behind each open brace */
    int64_t lengths[EVPQ_DIMENSIONS_MOST]; /* what each came to; -1: not known yet */
};

static bool read_int(struct cursor *c, int32_t *ret_value)
{
    bool negative = cursor_char(c, '-');
    int64_t value;
    if (!cursor_digits(c, 1, 10, &value))
        return false;
    value = negative ? -value : value;
    *ret_value = (int32_t)value;
    return value == *ret_value;
}

/* "[0:2][-1:5]=", where any dimension does not begin at 1; lengths are then known. */
static bool read_bounds(struct array_reader *r)
{
    int n = 0;
    if (!cursor_sees(&r->c, '['))
        return true;
    for (; cursor_char(&r->c, '['); n++) {
        int32_t first, last;
        if (n == EVPQ_DIMENSIONS_MOST || !read_int(&r->c, &first) || !cursor_char(&r->c, ':') ||
            !read_int(&r->c, &last) || !cursor_char(&r->c, ']') || last < first)
            return false;
        r->shape->first[n] = first;
        r->lengths[n] = (int64_t)last - first + 1;
    }
    r->leaves = n;
    return cursor_char(&r->c, '=');
}

static bool read_element(struct array_reader *r)
{
    const char stops[] = {r->separator, '}', '{', '\0'};
    struct span span;
    if (r->leaves && r->leaves != r->depth)
        return false;
    r->leaves = r->depth;
    r->counts[r->depth - 1]++;
    if (cursor_sees(&r->c, '"'))
        return part_quoted(&r->c, false, r->parts);
    if (!part_plain(&r->c, stops, &span) || !span.length)
        return false;
    if (span.length == 4 && !memcmp(span.bytes, "NULL", 4))
        span.length = -1;
    part_add(r->parts, span.bytes, span.length);
    return true;
}

static bool open(struct array_reader *r)
{
    if (r->depth == EVPQ_DIMENSIONS_MOST || (r->leaves && r->depth >= r->leaves))
        return false;
    if (r->depth)
        r->counts[r->depth - 1]++;
    r->counts[r->depth++] = 0;
    return true;
}

static bool close(struct array_reader *r)
{
    int64_t *length = &r->lengths[--r->depth];
    if (*length < 0)
        *length = r->counts[r->depth];
    return *length == r->counts[r->depth] && *length > 0 && *length <= INT32_MAX;
}

/* Braces, separators and elements, from the first brace to the one that closes it. */
static bool read_braces(struct array_reader *r)
{
    bool wanted = true; /* an element or a brace that opens, rather than what is behind one */
    do {
        if (wanted && cursor_char(&r->c, '{')) {
            if (!open(r))
                return false;
        } else if (wanted) {
            if (!r->depth || !read_element(r))
                return false;
            wanted = false;
        } else if (cursor_char(&r->c, '}')) {
            if (!close(r))
                return false;
        } else if (cursor_char(&r->c, r->separator)) {
            wanted = true;
        } else {
            return false;
        }
    } while (r->depth);
    return true;
}

static bool array_read_text(struct array_reader *r)
{
    if (cursor_left(&r->c) == 2 && cursor_word(&r->c, "{}"))
        return true;
    for (int i = 0; i < EVPQ_DIMENSIONS_MOST; i++) {
        r->shape->first[i] = 1;
        r->lengths[i] = -1;
    }
    if (!read_bounds(r) || !read_braces(r) || !cursor_is_at_end(&r->c))
        return false;
    r->shape->dimensions = r->leaves;
    for (int i = 0; i < r->leaves; i++)
        r->shape->length[i] = (int32_t)r->lengths[i];
    return true;
}

enum value_fit array_read(const struct value *v, struct array *ret_array, struct parts *ret_parts)
{
    if (!type_may_be(v->type, ARRAY))
        return VALUE_WRONG_TYPE;
    *ret_array = (struct array){.element = oid_of_element(v->type)};
    ret_parts->n = 0;
    struct array_reader r = {
        .c = cursor_over(v->bytes, v->length),
        .separator = v->type == BOX_ARRAY ? ';' : ',',
        .shape = &ret_array->shape,
        .parts = ret_parts,
    };
    bool whole = v->binary ? array_read_binary(&r.c, ret_array, ret_parts) : array_read_text(&r);
    return whole ? VALUE_FITS : VALUE_MALFORMED;
}
