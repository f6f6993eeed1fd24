/* shuffle.h - permutations that a seed, an epoch and a place in it determine, on every machine:
 * what makes an epoch that was broken off resumable without its beginning. */
#ifndef LOADER_SHUFFLE_H
#define LOADER_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* Where a row lies: in which of the chunks that are mixed, and where in that. */
struct pick {
    uint32_t chunk, row;
};

struct shuffle {
    uint64_t state;
};

/* The place that stands for the order of the ranges; groups of them count from 0. */
#define SHUFFLE_RANGES UINT64_MAX

struct shuffle shuffle_begin(uint64_t seed, uint64_t epoch, uint64_t place);
void shuffle_ranges(struct shuffle *s, uint32_t *ranges, size_t n);
void shuffle_picks(struct shuffle *s, struct pick *picks, size_t n);

#endif
