/* progress.h - the line at the bottom of a terminal that tells how far the run is.
 *
 *     [##########..........]  47%  9412/~20000  3 failed  8 in flight  10211/s  ETA 0:01
 *
 * It is written on standard error and wiped before anything else is written there and at the
 * end. */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Seconds between two redraws at least. */
#define PROGRESS_INTERVAL 0.1

/* What the line tells. */
struct progress_now {
    long started, ended, failed, in_flight;
    int64_t consumed, total; /* bytes of input; total < 0: unknown */
    bool all_read;           /* so `started` is all there is */
    bool stopping;
    double elapsed; /* seconds */
};

/* The line for a terminal of `width` columns, without any line end; never wider than `width` -
 * 1. */
void progress_format(struct buf *to, const struct progress_now *now, int width);

struct progress {
    int fd; /* -1: silent */
    bool shown;
    double drawn_at;
    struct buf line;
};

/* Draws, but not sooner than PROGRESS_INTERVAL after it last did. */
void progress_draw(struct progress *p, const struct progress_now *now);

/* Wipes the line, if there is one; the next draw comes at once. */
void progress_wipe(struct progress *p);

/* Prints a line on standard error, "evpq-run: ...", and not into the progress line. */
void progress_say(struct progress *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void progress_free(struct progress *p);

#endif
