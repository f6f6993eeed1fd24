/* buf.c - see buf.h. */
#include "buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
    fputs("evpq-run: out of memory\n", stderr);
    exit(1);
}

void *alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *realloc_array(void *old, size_t count, size_t size)
{
    void *p = NULL;

    if (count <= SIZE_MAX / size)
        p = realloc(old, count * size);
    if (!p)
        out_of_memory();
    return p;
}

char *dup_bytes(const char *data, size_t length)
{
    char *copy = alloc(length + 1);

    if (length)
        memcpy(copy, data, length);
    return copy;
}

char *dup_string(const char *text)
{
    return dup_bytes(text, strlen(text));
}

static void buf_reserve(struct buf *b, size_t more)
{
    size_t room = b->room ? b->room : 64;

    if (more >= SIZE_MAX / 2 - b->length)
        out_of_memory();
    if (b->length + more < b->room)
        return;
    while (room <= b->length + more)
        room *= 2;
    b->data = realloc_array(b->data, room, 1);
    b->room = room;
}

void buf_add(struct buf *b, const char *data, size_t length)
{
    buf_reserve(b, length);
    if (length)
        memcpy(b->data + b->length, data, length);
    b->length += length;
    b->data[b->length] = '\0';
}

void buf_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_fill(struct buf *b, char c, size_t count)
{
    buf_reserve(b, count);
    memset(b->data + b->length, c, count);
    b->length += count;
    b->data[b->length] = '\0';
}

void buf_format(struct buf *b, const char *format, ...)
{
    size_t room = 64;

    for (;;) {
        va_list args;
        int length;

        buf_reserve(b, room);
        va_start(args, format);
        length = vsnprintf(b->data + b->length, room + 1, format, args);
        va_end(args);
        if (length >= 0 && (size_t)length <= room) {
            b->length += (size_t)length;
            return;
        }
        if (length < 0)
            return;
        room = (size_t)length;
    }
}

void buf_clear(struct buf *b)
{
    b->length = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

const char *buf_string(const struct buf *b)
{
    return b->data ? b->data : "";
}
