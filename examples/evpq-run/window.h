/* window.h - the part of an input that is in memory: what was read and not yet consumed.
 *
 * A parser looks at the bytes from `window_at`, keeps its place as an offset from there, and
 * consumes a statement or a row when it is done with it. Only reserving moves bytes, so what a
 * parser hands out as borrowed is valid until more input is asked for. */
#ifndef RUN_WINDOW_H
#define RUN_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

/* No statement and no row may be longer than this; it is what bounds the memory of a run. */
#define WINDOW_MAX ((size_t)64 << 20)

struct window {
    char *data;
    size_t start, end, room;
    bool finished; /* nothing will ever be added: a parser may take the end for the end */
};

static inline const char *window_at(const struct window *w)
{
    return w->data ? w->data + w->start : "";
}

static inline size_t window_length(const struct window *w)
{
    return w->end - w->start;
}

/* Room for `count` more bytes, to be written at the place that is returned and then added. */
char *window_reserve(struct window *w, size_t count);
void window_add(struct window *w, size_t count);

/* For input that is in memory already. */
void window_feed(struct window *w, const char *data, size_t count);

void window_consume(struct window *w, size_t count);

/* Consumes a UTF-8 byte order mark, if the window begins with one. False when it takes more input
 * to tell. */
bool window_skip_mark(struct window *w);

void window_free(struct window *w);

#endif
