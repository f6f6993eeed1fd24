/* value_range.c - ranges and multiranges, taken apart. */
#include "values/value_range.h"

#include "values/oids.h"
#include "values/value_type.h"

enum {
    EMPTY = EVPQ_RANGE_EMPTY,
    LOWER_INC = EVPQ_RANGE_LOWER_INC,
    UPPER_INC = EVPQ_RANGE_UPPER_INC,
    LOWER_INF = EVPQ_RANGE_LOWER_INF,
    UPPER_INF = EVPQ_RANGE_UPPER_INF,
    ALL = EMPTY | LOWER_INC | UPPER_INC | LOWER_INF | UPPER_INF,
};

/* From pg_range.dat. */
static const struct {
    uint32_t multirange, range;
} multiranges[] = {
    {4451, 3904}, {4532, 3906}, {4533, 3908}, {4534, 3910}, {4535, 3912}, {4536, 3926},
};

uint32_t range_bound(uint32_t type)
{
    for (size_t i = 0; i < sizeof multiranges / sizeof *multiranges; i++)
        if (multiranges[i].multirange == type)
            return oid_of_bound(multiranges[i].range);
    return oid_of_bound(type);
}

static void put_flags(uint8_t *flags, const struct parts *p, unsigned value)
{
    if (flags)
        flags[p->n / 2] = (uint8_t)value;
}

/* ---- binary ---- */

static bool read_bound(struct cursor *c, bool is_there, struct parts *p)
{
    if (!is_there) {
        part_add(p, NULL, -1);
        return true;
    }
    return cursor_left(c) >= 4 && bytes_int4(c->at) >= 0 && part_binary(c, p);
}

static bool range_read_binary(struct cursor *c, uint8_t *flags, struct parts *p)
{
    if (cursor_is_at_end(c))
        return false;
    unsigned is = (uint8_t)*c->at++;
    if (is & ~(unsigned)ALL)
        return false;
    put_flags(flags, p, is);
    return read_bound(c, !(is & (EMPTY | LOWER_INF)), p) &&
           read_bound(c, !(is & (EMPTY | UPPER_INF)), p);
}

static bool read_many_binary(struct cursor *c, uint8_t *flags, struct parts *p)
{
    int32_t count, length;
    if (!cursor_int4(c, &count) || count < 0)
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (!cursor_int4(c, &length) || length < 0 || (size_t)length > cursor_left(c))
            return false;
        struct cursor one = cursor_over(c->at, (size_t)length);
        if (!range_read_binary(&one, flags, p) || !cursor_is_at_end(&one))
            return false;
        c->at += length;
    }
    return true;
}

/* ---- text ---- */

static bool read_text_bound(struct cursor *c, bool *ret_is_there, struct parts *p)
{
    struct span span;
    *ret_is_there = true;
    if (cursor_sees(c, '"'))
        return part_quoted(c, true, p);
    if (!part_plain(c, ",()[]", &span))
        return false;
    *ret_is_there = span.length > 0;
    part_add(p, span.bytes, span.length ? span.length : -1);
    return true;
}

static bool range_read_text(struct cursor *c, uint8_t *flags, struct parts *p)
{
    unsigned is = 0;
    bool lower, upper;
    if (cursor_word(c, "empty")) {
        put_flags(flags, p, EMPTY);
        part_add(p, NULL, -1);
        part_add(p, NULL, -1);
        return true;
    }
    uint8_t *flag = flags ? flags + p->n / 2 : NULL;
    if (cursor_char(c, '['))
        is |= LOWER_INC;
    else if (!cursor_char(c, '('))
        return false;
    if (!read_text_bound(c, &lower, p) || !cursor_char(c, ',') || !read_text_bound(c, &upper, p))
        return false;
    if (cursor_char(c, ']'))
        is |= UPPER_INC;
    else if (!cursor_char(c, ')'))
        return false;
    if (flag)
        *flag = (uint8_t)(is | (lower ? 0 : LOWER_INF) | (upper ? 0 : UPPER_INF));
    return true;
}

static bool read_many_text(struct cursor *c, uint8_t *flags, struct parts *p)
{
    if (!cursor_char(c, '{'))
        return false;
    if (cursor_char(c, '}'))
        return true;
    do
        if (!range_read_text(c, flags, p))
            return false;
    while (cursor_char(c, ','));
    return cursor_char(c, '}');
}

enum value_fit range_read(const struct value *v, uint8_t *flags, struct parts *ret_parts)
{
    struct cursor c = cursor_over(v->bytes, v->length);
    bool many = type_of(v->type)->shape == MULTIRANGE, whole;
    if (!many && !type_may_be(v->type, RANGE))
        return VALUE_WRONG_TYPE;
    if (!v->binary && type_of(v->type)->shape != RANGE)
        many = cursor_sees(&c, '{');
    ret_parts->n = 0;
    if (v->binary)
        whole =
            many ? read_many_binary(&c, flags, ret_parts) : range_read_binary(&c, flags, ret_parts);
    else
        whole = many ? read_many_text(&c, flags, ret_parts) : range_read_text(&c, flags, ret_parts);
    return whole && cursor_is_at_end(&c) ? VALUE_FITS : VALUE_MALFORMED;
}
