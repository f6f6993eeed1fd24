/* tally.h - what an epoch came to: how many rows, and proof of which and in what order, read from
 * the Arrow arrays as any consumer would. */
#ifndef LOADER_TALLY_H
#define LOADER_TALLY_H

#include "arrow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
    uint64_t rows, batches;
    uint64_t checksum;   /* of the rows, in whatever order they came */
    uint64_t order;      /* of the rows and their order */
    uint64_t distinct;   /* values of the unique column */
    unsigned char *seen; /* a bit for each of them */
    size_t seen_size;    /* bytes */
    uint64_t *hashes;    /* of the rows of a batch */
    size_t hashes_size;
};

/* Begins anew, keeping memory. */
void tally_clear(struct tally *t);
void tally_free(struct tally *t);

/* Counts the rows of a batch. */
void tally_count(struct tally *t, const struct ArrowArray *batch);

/* Adds them to the checksums. False when out of memory. */
bool tally_check(struct tally *t, const struct ArrowSchema *schema, const struct ArrowArray *batch);

/* The column of this name, if it is one of integers; else -1. */
int64_t tally_find(const struct ArrowSchema *schema, const char *name);

/* Adds the values of a column to those that are seen. False where one is NULL, negative or above
 * 2^36, or memory is out. */
bool tally_unique(struct tally *t, const struct ArrowSchema *schema, const struct ArrowArray *batch,
                  int64_t column);

#endif
