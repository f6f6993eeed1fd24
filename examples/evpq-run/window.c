/* window.c - see window.h. */
#include "window.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

char *window_reserve(struct window *w, size_t count)
{
    size_t length = window_length(w);

    if (w->start > 0 && length > 0)
        memmove(w->data, w->data + w->start, length);
    w->start = 0;
    w->end = length;
    if (w->room < length + count) {
        w->room = length + count > 2 * w->room ? length + count : 2 * w->room;
        w->data = realloc_array(w->data, w->room, 1);
    }
    return w->data + w->end;
}

void window_add(struct window *w, size_t count)
{
    w->end += count;
}

void window_feed(struct window *w, const char *data, size_t count)
{
    char *to = window_reserve(w, count ? count : 1);

    if (count)
        memcpy(to, data, count);
    window_add(w, count);
}

void window_consume(struct window *w, size_t count)
{
    w->start += count;
}

bool window_skip_mark(struct window *w)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (window_length(w) < 3 && !w->finished)
        return false;
    if (window_length(w) >= 3 && memcmp(window_at(w), mark, 3) == 0)
        window_consume(w, 3);
    return true;
}

void window_free(struct window *w)
{
    free(w->data);
    *w = (struct window){0};
}
