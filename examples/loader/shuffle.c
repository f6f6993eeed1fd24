/* shuffle.c - see shuffle.h. The generator is SplitMix64 (Steele, Lea and Flood, 2014), the shuffle
 * that of Fisher and Yates. */
#include "shuffle.h"

static uint64_t next(struct shuffle *s)
{
    uint64_t x = s->state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

struct shuffle shuffle_begin(uint64_t seed, uint64_t epoch, uint64_t place)
{
    struct shuffle s = {seed};
    s.state = next(&s) ^ epoch;
    s.state = next(&s) ^ place;
    return s;
}

/* Below n, which is at most 2^32: the high half of a product, whose bias is beyond counting. */
static size_t below(struct shuffle *s, size_t n)
{
    return (size_t)((next(s) >> 32) * n >> 32);
}

void shuffle_ranges(struct shuffle *s, uint32_t *ranges, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = below(s, i);
        uint32_t range = ranges[i - 1];
        ranges[i - 1] = ranges[j];
        ranges[j] = range;
    }
}

void shuffle_picks(struct shuffle *s, struct pick *picks, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = below(s, i);
        struct pick pick = picks[i - 1];
        picks[i - 1] = picks[j];
        picks[j] = pick;
    }
}
