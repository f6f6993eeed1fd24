/* value_part.h - the values inside a value: elements of an array, fields of a record, bounds of a
 * range.
 *
 * Each reader is called twice: to check the whole and count, and then, with room for so many, to
 * say where each is. */
#ifndef VALUES_VALUE_PART_H
#define VALUES_VALUE_PART_H

#include "values/cursor.h"
#include "values/span.h"

struct parts {
    size_t n;
    struct span *spans; /* NULL: they are only counted */
    uint32_t *types;    /* of each, for records in binary; NULL: not wanted */
    char *room; /* for what is not written as it is read: no more than the whole has bytes */
};

/* One more, whose bytes stand where they are; length -1 is SQL NULL. */
void part_add(struct parts *p, const char *bytes, int length);

/* In binary: a length and as many bytes. */
bool part_binary(struct cursor *c, struct parts *p);

/* Text in double quotes. A backslash makes the next byte literal; so does, where `doubled`, a
 * quote that is there twice. A zero byte is put behind it. */
bool part_quoted(struct cursor *c, bool doubled, struct parts *p);

/* Text up to the first of these bytes, which must come, none of which may be a quote or a
 * backslash before it. */
bool part_plain(struct cursor *c, const char *stops, struct span *ret_span);

#endif
