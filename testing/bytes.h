/* bytes.h - bytes that are put in at one end and taken out at the other, and the messages that are
 * made of them. */
#ifndef TESTING_BYTES_H
#define TESTING_BYTES_H

#include "testing/opts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    char *at;
    size_t from, end, room;
};

static inline size_t bytes_size(const struct bytes *b)
{
    return b->end - b->from;
}

static inline const char *bytes_begin(const struct bytes *b)
{
    return b->at + b->from;
}

static inline void bytes_put(struct bytes *b, const void *p, size_t n)
{
    if (b->end + n > b->room) {
        b->room = 2 * (b->end + n) + 256;
        b->at = more_memory(b->at, b->room);
    }
    if (n)
        memcpy(b->at + b->end, p, n);
    b->end += n;
}

/* With its zero. */
static inline void bytes_put_text(struct bytes *b, const char *text)
{
    bytes_put(b, text, strlen(text) + 1);
}

/* In network byte order, `size` bytes of it. */
static inline void bytes_put_int(struct bytes *b, int size, uint64_t value)
{
    while (size--)
        bytes_put(b, &(char){(char)(value >> 8 * size)}, 1);
}

static inline void bytes_take(struct bytes *b, size_t n)
{
    b->from += n;
    if (b->from == b->end)
        b->from = b->end = 0;
}

static inline void bytes_free(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){0};
}

/* A message's length is known at its end: it is written to where message_begin says. */
static inline size_t message_begin(struct bytes *b, char type)
{
    bytes_put(b, &type, 1);
    bytes_put_int(b, 4, 0);
    return b->end - 4;
}

static inline void message_end(struct bytes *b, size_t length_at)
{
    size_t length = b->end - length_at;
    for (int i = 0; i < 4; i++)
        b->at[length_at + (size_t)i] = (char)(length >> (24 - 8 * i));
}

#endif
