/* cursor.h - reading a value from its beginning, text or bytes, never past its end.
 *
 * Each function takes what it names and moves on; false when that is not there. */
#ifndef VALUES_CURSOR_H
#define VALUES_CURSOR_H

#include "values/value_bytes.h"

#include <string.h>

struct cursor {
    const char *at, *end;
};

static inline struct cursor cursor_over(const char *bytes, size_t length)
{
    return (struct cursor){bytes, bytes + length};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static inline bool cursor_is_at_end(const struct cursor *c)
{
    return c->at == c->end;
}

/* Whether this is the next character, which stays. */
static inline bool cursor_sees(const struct cursor *c, char wanted)
{
    return c->at < c->end && *c->at == wanted;
}

static inline bool cursor_char(struct cursor *c, char wanted)
{
    if (!cursor_sees(c, wanted))
        return false;
    c->at++;
    return true;
}

static inline bool cursor_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if (cursor_left(c) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* At least `min` and at most `max` digits; max below 19. */
static inline bool cursor_digits(struct cursor *c, int min, int max, int64_t *ret_value)
{
    int64_t value = 0;
    int count = 0;
    while (count < max && c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        value = value * 10 + (*c->at++ - '0');
        count++;
    }
    *ret_value = value;
    return count >= min;
}

/* Big-endian, four bytes. */
static inline bool cursor_int4(struct cursor *c, int32_t *ret_value)
{
    if (cursor_left(c) < 4)
        return false;
    *ret_value = bytes_int4(c->at);
    c->at += 4;
    return true;
}

#endif
