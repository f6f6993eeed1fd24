/* value_nest.c - values that hold values, written as text. */
#include "values/value_nest.h"

#include "base/mem.h"
#include "values/value_array.h"
#include "values/value_range.h"
#include "values/value_record.h"
#include "values/value_type.h"

#include <stdio.h>
#include <strings.h>

/* How a part is quoted where it has to be. */
struct quoting {
    const char *special; /* besides quotes, backslashes and white space */
    bool doubled;        /* a quote within is written twice, rather than behind a backslash */
    bool avoids_null;    /* the word would be read as SQL NULL */
};

static const struct quoting in_array = {"{},", false, true};
static const struct quoting in_record = {"(),", true, false};
static const struct quoting in_range = {"()[],", true, false};

/* What one level is written with. The first thing that goes wrong ends it all. */
struct nest {
    struct bytes *to;
    int depth;
    bool no_memory;
    bool half_letters; /* as in struct value */
    enum value_fit fit;
};

static bool put(struct nest *n, const void *from, size_t length)
{
    if (!bytes_put(n->to, from, length))
        n->no_memory = true;
    return !n->no_memory;
}

static bool put_word(struct nest *n, const char *word)
{
    return put(n, word, strlen(word));
}

static bool mismatch(struct nest *n, enum value_fit fit)
{
    if (fit != VALUE_FITS)
        n->fit = fit;
    return fit != VALUE_FITS;
}

static bool is_special(char c, const struct quoting *q)
{
    return c && (strchr("\"\\ \t\n\r\v\f", c) || strchr(q->special, c));
}

static bool needs_quotes(const struct quoting *q, const char *text, size_t length)
{
    if (!length || (q->avoids_null && length == 4 && !strncasecmp(text, "null", 4)))
        return true;
    for (size_t i = 0; i < length; i++)
        if (is_special(text[i], q))
            return true;
    return false;
}

static bool put_quoted(struct nest *n, const struct quoting *q, const char *text, size_t length)
{
    if (q && n->half_letters && value_is_ambiguous(text, length)) {
        n->fit = VALUE_ENCODING;
        return false;
    }
    if (!q || !needs_quotes(q, text, length))
        return put(n, text, length);
    if (!put_word(n, "\""))
        return false;
    const char *end = text + length;
    while (text < end) {
        const char *stop = text;
        while (stop < end && *stop != '"' && *stop != '\\')
            stop++;
        if (!put(n, text, (size_t)(stop - text)))
            return false;
        if (stop < end && !put(n, q->doubled ? stop : "\\", 1))
            return false;
        if (stop < end && !put(n, stop++, 1))
            return false;
        text = stop;
    }
    return put_word(n, "\"");
}

static bool write_level(struct nest *n, const struct value *v);

/* A part that is not text yet: written apart, then quoted. */
static bool put_converted(struct nest *n, const struct quoting *q, const struct value *v,
                          size_t room)
{
    struct bytes apart = {NULL, 0, 0, false};
    bool done = false;
    if (room) {
        if (!bytes_grow(&apart, room))
            n->no_memory = true;
        else
            done = !mismatch(n, value_write_text(v, apart.data, &apart.length));
    } else {
        struct nest inner = {.to = &apart, .depth = n->depth + 1, .half_letters = n->half_letters};
        done = write_level(&inner, v);
        n->no_memory = inner.no_memory;
        n->fit = inner.fit;
    }
    done = done && put_quoted(n, q, apart.data, apart.length);
    bytes_free(&apart);
    return done;
}

static bool nest_put_part(struct nest *n, const struct quoting *q, const struct value *v)
{
    const char *place;
    size_t length;
    if (mismatch(n, value_place_text(v, &place, &length)))
        return false;
    return place ? put_quoted(n, q, place, length) : put_converted(n, q, v, length);
}

static struct value part_value(const struct span *span, uint32_t type)
{
    return (struct value){
        .type = type, .binary = true, .bytes = span->bytes, .length = (size_t)span->length};
}

/* ---- arrays ---- */

static bool put_bounds(struct nest *n, const evpq_shape *shape)
{
    char room[sizeof "[-2147483648:-2147483648]"];
    bool plain = true;
    for (int i = 0; i < shape->dimensions; i++)
        plain &= shape->first[i] == 1;
    for (int i = 0; i < shape->dimensions && !plain; i++) {
        int64_t last = (int64_t)shape->first[i] + shape->length[i] - 1;
        if (last > INT32_MAX) {
            n->fit = VALUE_MALFORMED;
            return false;
        }
        snprintf(room, sizeof room, "[%d:%d]", (int)shape->first[i], (int)last);
        if (!put_word(n, room))
            return false;
    }
    return plain || put_word(n, "=");
}

/* How many dimensions begin, or end, with the element. */
static int edges(const evpq_shape *shape, size_t element)
{
    int n = 0;
    size_t length = 1;
    for (int i = shape->dimensions - 1; i >= 0; i--, n++) {
        length *= (size_t)shape->length[i];
        if (element % length)
            break;
    }
    return n;
}

static bool put_braces(struct nest *n, const char *brace, int count)
{
    while (count-- > 0)
        if (!put_word(n, brace))
            return false;
    return true;
}

static bool put_elements(struct nest *n, const struct array *a, const struct parts *p)
{
    if (!p->n)
        return put_word(n, "{}");
    for (size_t i = 0; i < p->n; i++) {
        struct value v = part_value(&p->spans[i], a->element);
        if ((i && !put_word(n, ",")) || !put_braces(n, "{", edges(&a->shape, i)))
            return false;
        if (p->spans[i].length < 0 ? !put_word(n, "NULL") : !nest_put_part(n, &in_array, &v))
            return false;
        if (!put_braces(n, "}", edges(&a->shape, i + 1)))
            return false;
    }
    return true;
}

/* ---- records and ranges ---- */

static bool put_fields(struct nest *n, const struct parts *p)
{
    if (!put_word(n, "("))
        return false;
    for (size_t i = 0; i < p->n; i++) {
        struct value v = part_value(&p->spans[i], p->types[i]);
        if ((i && !put_word(n, ",")) ||
            (p->spans[i].length >= 0 && !nest_put_part(n, &in_record, &v)))
            return false;
    }
    return put_word(n, ")");
}

static bool nest_put_range(struct nest *n, unsigned flags, uint32_t bound, const struct span *spans)
{
    if (flags & EVPQ_RANGE_EMPTY)
        return put_word(n, "empty");
    struct value lower = part_value(&spans[0], bound), upper = part_value(&spans[1], bound);
    return put_word(n, flags & EVPQ_RANGE_LOWER_INC ? "[" : "(") &&
           (spans[0].length < 0 || nest_put_part(n, &in_range, &lower)) && put_word(n, ",") &&
           (spans[1].length < 0 || nest_put_part(n, &in_range, &upper)) &&
           put_word(n, flags & EVPQ_RANGE_UPPER_INC ? "]" : ")");
}

static bool put_ranges(struct nest *n, const struct value *v, const uint8_t *flags,
                       const struct parts *p)
{
    bool many = type_of(v->type)->shape == MULTIRANGE;
    uint32_t bound = range_bound(v->type);
    if (many && !put_word(n, "{"))
        return false;
    for (size_t i = 0; i < p->n / 2; i++)
        if ((i && !put_word(n, ",")) || !nest_put_range(n, flags[i], bound, &p->spans[2 * i]))
            return false;
    return !many || put_word(n, "}");
}

/* ---- any of them ---- */

/* Takes a value apart; the types of the parts stand behind the spans, and range flags there too. */
static enum value_fit take_apart(const struct value *v, enum shape shape, struct array *a,
                                 uint8_t *flags, struct parts *p)
{
    if (shape == ARRAY)
        return array_read(v, a, p);
    if (shape == RANGE || shape == MULTIRANGE)
        return range_read(v, flags, p);
    return record_read(v, p);
}

static bool put_apart(struct nest *n, const struct value *v, enum shape shape,
                      const struct array *a, const struct parts *p)
{
    if (shape == ARRAY)
        return put_bounds(n, &a->shape) && put_elements(n, a, p);
    if (shape == RANGE || shape == MULTIRANGE)
        return put_ranges(n, v, (const uint8_t *)p->types, p);
    return put_fields(n, p);
}

/* What a type that is not known turns out to be: hardly any bytes can be read as both. */
static enum shape shape_of(const struct value *v)
{
    enum shape shape = type_of(v->type)->shape;
    struct array a;
    struct parts p = {.n = 0};
    if (shape != UNKNOWN)
        return shape;
    return record_read(v, &p) != VALUE_FITS && array_read(v, &a, &p) == VALUE_FITS ? ARRAY : RECORD;
}

static bool write_level(struct nest *n, const struct value *v)
{
    enum shape shape = shape_of(v);
    struct array a;
    struct parts p = {.n = 0};
    if (n->depth == NEST_DEPTH) {
        n->fit = VALUE_RANGE;
        return false;
    }
    if (mismatch(n, take_apart(v, shape, &a, NULL, &p))) {
        if (type_of(v->type)->shape == UNKNOWN)
            n->fit = VALUE_WRONG_TYPE;
        return false;
    }
    size_t each = sizeof *p.spans + sizeof *p.types;
    struct span *spans = p.n < SIZE_MAX / each ? mem_alloc(p.n * each + 1) : NULL;
    if (!spans) {
        n->no_memory = true;
        return false;
    }
    p.spans = spans;
    p.types = (uint32_t *)(spans + p.n);
    take_apart(v, shape, &a, (uint8_t *)p.types, &p);
    bool done = put_apart(n, v, shape, &a, &p);
    mem_free(spans);
    return done;
}

bool nest_write(const struct value *v, struct bytes *to, enum value_fit *ret_fit)
{
    struct nest n = {.to = to, .half_letters = v->half_letters};
    write_level(&n, v);
    *ret_fit = n.fit;
    return !n.no_memory;
}
