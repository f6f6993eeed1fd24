/* buffer.h - bytes that are put in at one end and taken out at the other. */
#ifndef TESTS_SIM_BUFFER_H
#define TESTS_SIM_BUFFER_H

#include "sim/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
    char *bytes;
    size_t from, to, room;
};

static inline size_t buffer_size(const struct buffer *b)
{
    return b->to - b->from;
}

static inline void buffer_put(struct buffer *b, const void *bytes, size_t n)
{
    if (b->from == b->to)
        b->from = b->to = 0;
    if (b->to + n > b->room) {
        size_t room = 2 * (b->to + n) + 256;
        b->bytes = memory_more(b->bytes, room);
        b->room = room;
    }
    memcpy(b->bytes + b->to, bytes, n);
    b->to += n;
}

/* As the network orders its bytes. */
static inline void buffer_put_int(struct buffer *b, int bytes, uint64_t value)
{
    for (int i = bytes - 1; i >= 0; i--) {
        char byte = (char)(value >> (8 * i));
        buffer_put(b, &byte, 1);
    }
}

static inline void buffer_take(struct buffer *b, size_t n)
{
    b->from += n;
}

static inline void buffer_free(struct buffer *b)
{
    free(b->bytes);
    *b = (struct buffer){0};
}

#endif
