/* bytes.h - bytes appended one after another: to memory that grows, to a room of a fixed size, or
 * nowhere, where only their number is wanted.
 *
 * Appending fails for want of memory (or of room in a fixed one) and has then changed nothing.
 * Whoever made it frees it. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All zero is one that grows and is empty. */
struct bytes {
    char *data; /* NULL while there is none, and where bytes are only counted */
    size_t length, room;
    bool fixed;
};

/* Counts what is appended. */
static inline struct bytes bytes_counted(void)
{
    return (struct bytes){.room = SIZE_MAX, .fixed = true};
}

/* Appends to `room`, which is the caller's and holds `size` bytes. */
static inline struct bytes bytes_in(void *room, size_t size)
{
    return (struct bytes){.data = room, .room = size, .fixed = true};
}

/* Makes room for `more` bytes. */
bool bytes_grow(struct bytes *b, size_t more);

/* Frees what has grown; `b` is as new. */
void bytes_free(struct bytes *b);

static inline bool bytes_put(struct bytes *b, const void *from, size_t n)
{
    if (n > b->room - b->length && !bytes_grow(b, n))
        return false;
    if (b->data && n)
        memcpy(b->data + b->length, from, n);
    b->length += n;
    return true;
}

/* `n` bytes behind what is there, to be written now: what bytes_put does, without a copy. NULL
 * where there is no room yet, or bytes are only counted. */
static inline void *bytes_take(struct bytes *b, size_t n)
{
    if (!b->data || n > b->room - b->length)
        return NULL;
    b->length += n;
    return b->data + b->length - n;
}

/* Writes over bytes that have been appended. */
static inline void bytes_patch(struct bytes *b, size_t at, const void *from, size_t n)
{
    if (b->data)
        memcpy(b->data + at, from, n);
}

/* Numbers in network byte order. */
static inline void bytes_of4(uint8_t raw[4], uint32_t value)
{
    raw[0] = (uint8_t)(value >> 24);
    raw[1] = (uint8_t)(value >> 16);
    raw[2] = (uint8_t)(value >> 8);
    raw[3] = (uint8_t)value;
}

static inline void bytes_of8(uint8_t raw[8], uint64_t value)
{
    bytes_of4(raw, (uint32_t)(value >> 32));
    bytes_of4(raw + 4, (uint32_t)value);
}

static inline bool bytes_put1(struct bytes *b, uint8_t value)
{
    return bytes_put(b, &value, 1);
}

static inline bool bytes_put2(struct bytes *b, uint16_t value)
{
    const uint8_t raw[] = {(uint8_t)(value >> 8), (uint8_t)value};
    return bytes_put(b, raw, sizeof raw);
}

static inline bool bytes_put4(struct bytes *b, uint32_t value)
{
    uint8_t raw[4];
    bytes_of4(raw, value);
    return bytes_put(b, raw, sizeof raw);
}

static inline bool bytes_put8(struct bytes *b, uint64_t value)
{
    uint8_t raw[8];
    bytes_of8(raw, value);
    return bytes_put(b, raw, sizeof raw);
}

static inline void bytes_patch4(struct bytes *b, size_t at, uint32_t value)
{
    uint8_t raw[4];
    bytes_of4(raw, value);
    bytes_patch(b, at, raw, sizeof raw);
}

#endif
