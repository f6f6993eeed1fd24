/* rng.c - SplitMix64: a counter with a good mixer. */
#include "base/rng.h"

#include <sys/random.h>

void rng_init(struct rng *r)
{
    if (getrandom(&r->state, sizeof r->state, GRND_NONBLOCK) != sizeof r->state)
        r->state = (uint64_t)(uintptr_t)r; /* early in boot; spread is all that is needed */
}

uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}
