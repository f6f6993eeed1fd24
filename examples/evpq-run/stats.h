/* stats.h - what a run came to: counts, failures by kind, latencies. Constant memory.
 *
 * Latencies go into a histogram with 64 steps to every power of two, from a microsecond to twelve
 * days: a percentile is at most 1.6 % above the true one. */
#ifndef RUN_STATS_H
#define RUN_STATS_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

#define STATS_STEPS 64
#define STATS_BUCKETS (35 * STATS_STEPS)
#define STATS_KINDS 40

struct stats_kind {
    char code[16]; /* a failure's code; the last kind takes all that found no place: "other" */
    long count;
};

struct stats {
    long started; /* items that were read */
    long done;
    long failed;   /* started = done + failed once nothing is under way */
    long attempts; /* statements that ran, again or for the first time, and ended somehow */
    long retries;
    double busy;  /* seconds, summed over the attempts */
    uint64_t max; /* microseconds */
    uint64_t histogram[STATS_BUCKETS];
    struct stats_kind kinds[STATS_KINDS];
    int kind_count;
};

/* A statement has run for `seconds`, however it ended. */
void stats_attempt(struct stats *s, double seconds);

/* A statement has failed for good. */
void stats_failure(struct stats *s, const char *code);

/* The latency in seconds that `share` (0 to 1) of the attempts did not exceed; 0 without any. */
double stats_percentile(const struct stats *s, double share);

/* The summary that people read, several lines. `wall` in seconds. */
void stats_summary(const struct stats *s, double wall, int jobs, struct buf *to);

/* A time for people: "412 us", "3.25 ms", "1.50 s", "2 min 05 s". */
void stats_time(struct buf *to, double seconds);

#endif
