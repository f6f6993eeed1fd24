/* text.h - a string that grows, and what is written to it here: numbers, JSON, HTML.
 *
 * Memory that runs out is remembered: what is added from then on is dropped, and `failed` tells. So
 * a handler writes on, and whoever sends the text asks once. */
#ifndef WEB_TEXT_H
#define WEB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty text. */
struct text {
    char *data; /* not terminated; NULL while nothing has been added */
    size_t length, room;
    bool failed;
};

void text_add(struct text *t, const char *bytes, size_t n);
void text_string(struct text *t, const char *string);
void text_int(struct text *t, long long value);

/* Quoted, and escaped where JSON wants it. `string` is UTF-8. */
void text_json(struct text *t, const char *string);

/* Escaped so that it is text between tags and between quotes. */
void text_html(struct text *t, const char *string);

/* Empties it, and keeps no more memory than a usual answer takes. */
void text_clear(struct text *t);
void text_free(struct text *t);

#endif
