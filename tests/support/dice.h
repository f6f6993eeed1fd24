/* dice.h - random schedules that can be repeated.
 *
 * EVPQ_SCHEDULES is how many a test runs (default: 50,000, in `make check-long` a million, fewer
 * where each costs more), EVPQ_SEED where it begins. A failure tells the seed of its schedule, to be run again with
 * EVPQ_SEED=... EVPQ_SCHEDULES=1. */
#ifndef TESTS_SUPPORT_DICE_H
#define TESTS_SUPPORT_DICE_H

#include "support/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#if __has_include(<valgrind/valgrind.h>)
# include <valgrind/valgrind.h>
#else
# define RUNNING_ON_VALGRIND 0
#endif

struct dice {
    uint64_t seed, state;
};

/* In [0, n). splitmix64. */
static inline unsigned dice_below(struct dice *d, unsigned n)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) >> 32) % n;
}

static inline uint64_t dice_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static inline uint64_t dice_how_many(void)
{
    uint64_t n = 1000000;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || !defined __OPTIMIZE__
    n = 100000;
#endif
    if (!getenv("EVPQ_TEST_LONG"))
        n /= 20;
    return RUNNING_ON_VALGRIND ? 3000 : n;
}

/* Calls `schedule` for each, with its seed in `d`. */
static inline void dice_schedules(struct dice *d, void (*schedule)(void))
{
    uint64_t seed = dice_environment("EVPQ_SEED", (uint64_t)time(NULL) * 1000003);
    for (uint64_t n = dice_environment("EVPQ_SCHEDULES", dice_how_many()); n; n--) {
        d->seed = d->state = seed++;
        schedule();
    }
}

/* Not by ck_assert, which makes a system call each time it holds. */
#define DICE_HOLDS(d, condition)                                                                   \
 do {                                                                                              \
  if (!(condition))                                                                                \
   ck_abort_msg("%s; EVPQ_SEED=%llu EVPQ_SCHEDULES=1", #condition, (unsigned long long)(d)->seed); \
 } while (0)

#endif
