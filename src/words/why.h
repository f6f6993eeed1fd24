/* why.h - what is being waited for, and why that did not come: the words that the error of a
 * deadline is made of. Each who is asked adds a piece; what does not fit is left out. */
#ifndef WORDS_WHY_H
#define WORDS_WHY_H

#include <evpq/error.h>
#include <stdbool.h>
#include <stddef.h>

struct why {
    int depth; /* of futures that wait for futures */
    size_t n;
    char text[1400];
    char sqlstate[6]; /* of the last failure; "": none is known */
};

/* Adds to the text. */
void why_say(struct why *why, const char *format, ...) EVPQ_PRINTF(2, 3);

/* Adds `before` and the message of the failure (NULL: there was none, and nothing is added), and
 * keeps its SQLSTATE. */
void why_failed(struct why *why, const char *before, const evpq_error *failure);

#endif
