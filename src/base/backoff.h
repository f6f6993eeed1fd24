/* backoff.h - how long to wait before something that has failed is tried again. */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

#include "base/rng.h"

/* The next pause, in *pause too: `min` where that is 0, else twice the one before, and `max` at the
 * most. */
static inline double backoff_next(double *pause, double min, double max)
{
    double next = *pause > 0 ? *pause * 2 : min;
    return *pause = next < max ? next : max;
}

/* The pause, shorter or longer by up to `share` of it, at random: so that those who were refused
 * together do not come back together. */
static inline double backoff_spread(double pause, double share, struct rng *rng)
{
    return pause * (1 - share + 2 * share * rng_unit(rng));
}

#endif
