/* world.c - see world.h. */
#include "sim/world.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
    uint64_t seed, dice, hash;
    bool told;
    sim_time now;
    struct list events;
} world;

void world_begin(uint64_t seed, bool told)
{
    world.seed = world.dice = seed;
    world.hash = UINT64_C(14695981039346656037);
    world.told = told;
    world.now = 0;
    list_init(&world.events);
}

uint64_t world_end(void)
{
    if (!list_empty(&world.events))
        violation("something of the world is left to happen at the end");
    return world.hash;
}

/* ---- time ---- */

sim_time world_now(void)
{
    return world.now;
}

void event_init(struct event *e, void (*fire)(struct event *))
{
    list_init(&e->node);
    e->fire = fire;
}

/* Most are set for a time later than those that are there. */
void event_set(struct event *e, sim_time at)
{
    list_remove(&e->node);
    e->at = at > world.now ? at : world.now;
    struct list *before = world.events.prev;
    while (before != &world.events && container_of(before, struct event, node)->at > e->at)
        before = before->prev;
    list_append(before->next, &e->node); /* which puts it before that one */
}

void event_cancel(struct event *e)
{
    list_remove(&e->node);
}

bool event_is_set(const struct event *e)
{
    return list_linked(&e->node);
}

sim_time world_next(void)
{
    return list_empty(&world.events) ? SIM_NEVER
                                     : container_of(world.events.next, struct event, node)->at;
}

void world_run_until(sim_time at)
{
    while (world_next() <= at) {
        struct event *e = container_of(list_pop(&world.events), struct event, node);
        if (e->at > world.now)
            world.now = e->at;
        e->fire(e);
    }
    if (at > world.now)
        world.now = at;
}

void world_pass(sim_time by)
{
    world.now += by;
}

/* ---- chance ---- */

/* splitmix64 */
static uint64_t dice(void)
{
    uint64_t z = world.dice += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned chance_below(unsigned n)
{
    return (unsigned)(dice() >> 32) % n;
}

bool chance_one_in(unsigned n)
{
    return n && !chance_below(n);
}

struct list *chance_of(const struct list *list)
{
    unsigned n = 0;
    struct list *some = NULL;
    list_each(node, (struct list *)list)
        if (chance_one_in(++n))
            some = node;
    return some;
}

sim_time chance_time(sim_time least, sim_time most)
{
    double unit = (double)(dice() >> 11) * 0x1p-53;
    return least + (sim_time)(exp2(unit * log2((double)(most - least) + 1)) - 1);
}

/* ---- the record ---- */

static void tell(const char *format, va_list args)
{
    char line[256];
    int n = snprintf(line, sizeof line, "%4lld.%09lld ", (long long)(world.now / SIM_S),
                     (long long)(world.now % SIM_S));
    n += vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    for (const char *p = line; *p; p++)
        world.hash = (world.hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    if (world.told)
        puts(line);
}

void trace(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(format, args);
    va_end(args);
}

void violation(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "seed %llu, at %.6f s: ", (unsigned long long)world.seed,
            (double)world.now * 1e-9);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    fflush(stderr);
    _Exit(1);
}
