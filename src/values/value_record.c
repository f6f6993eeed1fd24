/* value_record.c - composites, taken apart. */
#include "values/value_record.h"

#include "values/value_type.h"

static bool record_read_binary(struct cursor *c, struct parts *p)
{
    int32_t count, type;
    if (!cursor_int4(c, &count) || count < 0 || count > RECORD_MOST)
        return false;
    for (int32_t i = 0; i < count; i++) {
        if (!cursor_int4(c, &type))
            return false;
        if (p->types)
            p->types[p->n] = (uint32_t)type;
        if (!part_binary(c, p))
            return false;
    }
    return cursor_is_at_end(c);
}

static bool record_read_text(struct cursor *c, struct parts *p)
{
    struct span span;
    if (!cursor_char(c, '('))
        return false;
    do {
        if (p->n == RECORD_MOST)
            return false;
        if (p->types)
            p->types[p->n] = 0;
        if (cursor_sees(c, '"')) {
            if (!part_quoted(c, true, p))
                return false;
        } else {
            if (!part_plain(c, ",)", &span))
                return false;
            part_add(p, span.bytes, span.length ? span.length : -1);
        }
    } while (cursor_char(c, ','));
    return cursor_char(c, ')') && cursor_is_at_end(c);
}

enum value_fit record_read(const struct value *v, struct parts *ret_parts)
{
    if (!type_may_be(v->type, RECORD))
        return VALUE_WRONG_TYPE;
    struct cursor c = cursor_over(v->bytes, v->length);
    ret_parts->n = 0;
    bool whole = v->binary ? record_read_binary(&c, ret_parts) : record_read_text(&c, ret_parts);
    return whole ? VALUE_FITS : VALUE_MALFORMED;
}
