/* kernel_clock.c - the time, random numbers and threads: see kernel.h. */
#undef _FORTIFY_SOURCE
#include "sim/kernel.h"
#include "sim/kernel_impl.h"
#include "sim/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

struct errand {
    struct event due;
    void *(*main)(void *);
    void *arg;
};

/* What a look at the clock takes. */
static const sim_time LOOK = 100;
/* 2026, for the clock of the wall. */
static const time_t EPOCH = 1780000000;

static int threads;

void kernel_clock_begin(void)
{
    threads = 0;
}

int kernel_threads(void)
{
    return threads;
}

int sim_clock_gettime(clockid_t clock, struct timespec *t) REPLACES(clock_gettime);
int sim_clock_gettime(clockid_t clock, struct timespec *t)
{
    world_pass(LOOK);
    sim_time now = world_now() + SIM_S; /* zero is no time to some */
    t->tv_sec = (time_t)(now / SIM_S) + (clock == CLOCK_REALTIME ? EPOCH : 0);
    t->tv_nsec = now % SIM_S;
    return 0;
}

/* libev's clock of the wall */
int sim_gettimeofday(struct timeval *t, void *zone) REPLACES(gettimeofday);
int sim_gettimeofday(struct timeval *t, void *zone)
{
    struct timespec now;
    (void)zone;
    sim_clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

ssize_t sim_getrandom(void *bytes, size_t n, unsigned flags) REPLACES(getrandom);
ssize_t sim_getrandom(void *bytes, size_t n, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)bytes)[i] = (unsigned char)chance_below(256);
    return (ssize_t)n;
}

/* The whole of a thread happens at one time: now and then long after it was started, as what it
 * does may take long. */
static void run_errand(struct event *e)
{
    struct errand *errand = container_of(e, struct errand, due);
    errand->main(errand->arg);
    free(errand);
    threads--;
}

int sim_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *),
                       void *arg) REPLACES(pthread_create);
int sim_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *),
                       void *arg)
{
    (void)attr;
    struct errand *errand = memory_new(sizeof *errand);
    if (!errand)
        return EAGAIN;
    *thread = pthread_self();
    *errand = (struct errand){.main = body, .arg = arg};
    event_init(&errand->due, run_errand);
    sim_time takes =
        chance_one_in(40) ? chance_time(SIM_MS, 8 * SIM_S) : chance_time(20 * SIM_US, 20 * SIM_MS);
    event_set(&errand->due, world_now() + takes);
    threads++;
    return 0;
}
