/* bytes.c - bytes that grow. */
#include "base/bytes.h"

#include "base/mem.h"

enum { FIRST_ROOM = 256 };

bool bytes_grow(struct bytes *b, size_t more)
{
    if (more <= b->room - b->length)
        return true;
    if (b->fixed || more > SIZE_MAX / 4 - b->length)
        return false;
    size_t room = b->room ? b->room : FIRST_ROOM;
    while (room - b->length < more)
        room *= 2;
    char *data = mem_alloc(room);
    if (!data)
        return false;
    if (b->length)
        memcpy(data, b->data, b->length);
    mem_free(b->data);
    b->data = data;
    b->room = room;
    return true;
}

void bytes_free(struct bytes *b)
{
    if (!b->fixed)
        mem_free(b->data);
    *b = (struct bytes){.data = NULL};
}
