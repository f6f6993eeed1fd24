/* rng.h - random numbers for jitter and shuffling; not for secrets. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

void rng_init(struct rng *r);   /* from the kernel's entropy */
double rng_unit(struct rng *r); /* in [0, 1) */
uint64_t rng_next(struct rng *r);

#endif
