/* encode_nested.c - arrays, composites and ranges: values that hold values, each a field. */
#include "values/arg_kind.h"
#include "values/args.h"
#include "values/encode_impl.h"
#include "values/oids.h"

/* Before a pointer is followed: as many values as no message could hold. */
static evpq_error *check_list(const struct encoding *e)
{
    enum { FIELD_BYTES = 4 };
    if (e->arg->length > ARGS_MOST_BYTES / FIELD_BYTES)
        return encode_invalid(e, "more elements than a gigabyte could hold");
    if (e->arg->length && !e->arg->value.list.items)
        return encode_invalid(e, "a NULL pointer with a number of elements");
    return NULL;
}

/* ---- arrays (array_recv) ---- */

evpq_arg encode_element(const evpq_arg *array, size_t i)
{
    const void *items = array->value.list.items;
    switch (array->kind) {
    case EVPQ_ARG_INT4S:
        return evpq_int(((const int32_t *)items)[i]);
    case EVPQ_ARG_INT8S:
        return evpq_int(((const int64_t *)items)[i]);
    case EVPQ_ARG_FLOAT8S:
        return evpq_double(((const double *)items)[i]);
    case EVPQ_ARG_BOOLS:
        return evpq_bool(((const bool *)items)[i]);
    case EVPQ_ARG_TEXTS:
        return evpq_text(((const char *const *)items)[i]);
    case EVPQ_ARG_UUIDS:
        return evpq_uuid((const uint8_t *)items + 16 * i);
    default:
        return ((const evpq_arg *)items)[i];
    }
}

static evpq_error *check_shape(const struct encoding *e, const evpq_shape *shape)
{
    uint64_t product = 1;
    if (shape->dimensions < 1 || shape->dimensions > EVPQ_DIMENSIONS_MOST)
        return encode_invalid(e, "an array has from one to six dimensions");
    for (int i = 0; i < shape->dimensions; i++) {
        if (shape->length[i] < 1)
            return encode_invalid(e, "a dimension that is not at least one long");
        product *= (uint32_t)shape->length[i];
        if (product > ARGS_MOST_BYTES)
            break;
    }
    if (product != e->arg->length)
        return encode_invalid(e, "the dimensions do not multiply to the number of elements");
    return NULL;
}

/* An empty array has no dimensions (evpq_shape). One of length 0 says the same. */
static bool is_bare(const evpq_shape *shape)
{
    return !shape->dimensions || (shape->dimensions == 1 && !shape->length[0]);
}

static bool put_shape(const struct encoding *e, const evpq_shape *shape)
{
    bool put = true;
    for (int i = 0; i < shape->dimensions; i++)
        put = put && bytes_put4(e->to, (uint32_t)shape->length[i]) &&
              bytes_put4(e->to, (uint32_t)shape->first[i]);
    return put;
}

/* The elements, each a field; sets *ret_nulls when one is NULL. */
static evpq_error *put_elements(const struct encoding *e, put_field_fn *put_field, uint32_t type,
                                bool *ret_nulls)
{
    for (size_t i = 0; i < e->arg->length; i++) {
        evpq_arg element = encode_element(e->arg, i);
        struct spot spot = {.outer = e->spot, .noun = "element ", .number = i + 1};
        if (arg_is_nested(&element) && oid_of_element(type))
            return encode_invalid(e, "an array in an array: say the dimensions with evpq_shaped");
        evpq_error *error = put_field(e->to, &element, type, &spot);
        if (error)
            return error;
        *ret_nulls |= element.kind == EVPQ_ARG_NULL;
    }
    return NULL;
}

static evpq_error *put_array(const struct encoding *e, put_field_fn *put_field)
{
    uint32_t type = oid_of_element(e->type);
    if (!type)
        type = e->arg->kind == EVPQ_ARG_ARRAY ? e->arg->type : oid_of_element(e->arg->type);
    if (!type || (e->type && e->type < OID_FIRST_OF_USERS && !oid_of_element(e->type)))
        return encode_mismatch(e);
    evpq_shape simple = {1, {(int32_t)e->arg->length}, {1}};
    const evpq_shape *shape = e->arg->value.list.with ? e->arg->value.list.with : &simple;
    if (!e->arg->length && is_bare(shape))
        return encode_put(bytes_put4(e->to, 0) && bytes_put4(e->to, 0) && bytes_put4(e->to, type));
    evpq_error *error = check_shape(e, shape);
    if (error)
        return error;
    bool nulls = false;
    if (!bytes_put4(e->to, (uint32_t)shape->dimensions))
        return encode_put(false);
    size_t flags = e->to->length;
    if (!bytes_put4(e->to, 0) || !bytes_put4(e->to, type) || !put_shape(e, shape))
        return encode_put(false);
    error = put_elements(e, put_field, type, &nulls);
    if (!error)
        bytes_patch4(e->to, flags, nulls);
    return error;
}

/* ---- composites (record_recv) ---- */

static evpq_error *put_record(const struct encoding *e, put_field_fn *put_field)
{
    const evpq_arg *fields = e->arg->value.list.items;
    const uint32_t *types = e->arg->value.list.with;
    if (e->type < OID_FIRST_OF_USERS || (e->arg->type && e->arg->type != e->type))
        return encode_mismatch(e);
    if (!bytes_put4(e->to, (uint32_t)e->arg->length))
        return encode_put(false);
    for (size_t i = 0; i < e->arg->length; i++) {
        struct spot spot = {.outer = e->spot, .noun = "field ", .number = i + 1};
        uint32_t type = types ? types[i] : fields[i].type;
        if (!types && fields[i].kind == EVPQ_ARG_ARRAY)
            type = oid_of_array(fields[i].type);
        if (!type) {
            struct encoding field = {e->to, &fields[i], 0, &spot};
            return encode_invalid(&field, "a field of a composite has to declare its type");
        }
        if (!bytes_put4(e->to, type))
            return encode_put(false);
        evpq_error *error = put_field(e->to, &fields[i], type, &spot);
        if (error)
            return error;
    }
    return NULL;
}

/* ---- ranges (range_recv) ---- */

static evpq_error *put_bound(const struct encoding *e, put_field_fn *put_field,
                             const evpq_arg *bound, size_t number)
{
    struct spot spot = {.outer = e->spot, .noun = "bound ", .number = number};
    uint32_t type = oid_of_bound(e->type);
    if (bound->kind == EVPQ_ARG_NULL || (!type && !bound->type)) {
        struct encoding at = {e->to, bound, 0, &spot};
        return encode_invalid(&at, type ? "a bound is not SQL NULL: a NULL pointer is no bound"
                                        : "a bound of a range that is not PostgreSQL's own has to "
                                          "declare its type");
    }
    return put_field(e->to, bound, type ? type : bound->type, &spot);
}

/* Flags that no range has, or that say something else than the bounds do. */
static evpq_error *check_flags(const struct encoding *e, const void *lower, const void *upper)
{
    const size_t all = EVPQ_RANGE_EMPTY | EVPQ_RANGE_LOWER_INC | EVPQ_RANGE_UPPER_INC |
                       EVPQ_RANGE_LOWER_INF | EVPQ_RANGE_UPPER_INF;
    size_t flags = e->arg->length;
    if (flags & ~all)
        return encode_invalid(e, "flags that are none of enum evpq_range_flags");
    if ((flags & EVPQ_RANGE_EMPTY) && (lower || upper))
        return encode_invalid(e, "EVPQ_RANGE_EMPTY with a bound: an empty range has none");
    if ((flags & EVPQ_RANGE_LOWER_INF) && lower)
        return encode_invalid(e, "EVPQ_RANGE_LOWER_INF with a lower bound: hand in NULL for it");
    if ((flags & EVPQ_RANGE_UPPER_INF) && upper)
        return encode_invalid(e, "EVPQ_RANGE_UPPER_INF with an upper bound: hand in NULL for it");
    return NULL;
}

static evpq_error *encode_put_range(const struct encoding *e, put_field_fn *put_field)
{
    const evpq_arg *lower = e->arg->value.list.items, *upper = e->arg->value.list.with;
    unsigned flags =
        (unsigned)e->arg->length & (EVPQ_RANGE_EMPTY | EVPQ_RANGE_LOWER_INC | EVPQ_RANGE_UPPER_INC);
    if ((e->type < OID_FIRST_OF_USERS && !oid_of_bound(e->type)) ||
        (e->arg->type && e->arg->type != e->type))
        return encode_mismatch(e);
    evpq_error *error = check_flags(e, lower, upper);
    if (error)
        return error;
    if (flags & EVPQ_RANGE_EMPTY)
        return encode_put(bytes_put1(e->to, EVPQ_RANGE_EMPTY));
    if (!lower)
        flags = (flags & ~(unsigned)EVPQ_RANGE_LOWER_INC) | EVPQ_RANGE_LOWER_INF;
    if (!upper)
        flags = (flags & ~(unsigned)EVPQ_RANGE_UPPER_INC) | EVPQ_RANGE_UPPER_INF;
    if (!bytes_put1(e->to, (uint8_t)flags))
        return encode_put(false);
    error = lower ? put_bound(e, put_field, lower, 1) : NULL;
    if (!error && upper)
        error = put_bound(e, put_field, upper, 2);
    return error;
}

evpq_error *encode_nested(const struct encoding *e, put_field_fn *put_field)
{
    if (e->arg->kind == EVPQ_ARG_RANGE)
        return encode_put_range(e, put_field);
    evpq_error *error = check_list(e);
    if (error)
        return error;
    return e->arg->kind == EVPQ_ARG_RECORD ? put_record(e, put_field) : put_array(e, put_field);
}
