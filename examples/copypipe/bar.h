/* bar.h - the line at the bottom of a terminal that tells how far it is. */
#ifndef COPYPIPE_BAR_H
#define COPYPIPE_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bar {
    bool on;
    bool shown;
    double begun, drawn;  /* seconds */
    int64_t bytes;        /* moved */
    double rows, of_rows; /* read, and about how many there are; 0: not known */
};

/* `quiet`, or a standard error that is no terminal: it stays off. */
void bar_begin(struct bar *b, bool quiet);

/* Draws, a few times a second at most. */
void bar_draw(struct bar *b);

/* Wipes the line. */
void bar_end(struct bar *b);

double bar_seconds(const struct bar *b);

/* Writes "12.3 MB" and such. */
const char *bar_size(char *room, size_t n, double bytes);

#endif
