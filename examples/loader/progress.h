/* progress.h - what the program says while it loads, and when an epoch is over. */
#ifndef LOADER_PROGRESS_H
#define LOADER_PROGRESS_H

#include "loader.h"
#include "opts.h"
#include "tally.h"

#include <stdbool.h>

struct progress {
    bool shown; /* a line on the terminal, to be written over */
    double begun, told;
};

/* Seconds, of a clock that only goes forward. */
double progress_time(void);

/* The most memory that the process has had, in MiB; 0 where the system does not say. */
double progress_peak(void);

/* On a terminal, a few times a second: how far the epoch is. */
void progress_show(struct progress *p, const struct tally *tally, const struct loader_state *at);

/* A line for an epoch that is over, or was broken off. */
void progress_epoch(struct progress *p, const struct opts *o, const struct tally *tally,
                    uint64_t epoch);

#endif
