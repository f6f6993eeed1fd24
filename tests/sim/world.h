/* world.h - the one clock, the one die and the one record of a simulated run.
 *
 * Time moves only in world_run_until and world_pass. What is to happen at a time is an event; events of
 * the same time happen in the order in which they were set. All chance comes from the seed, and all
 * that happens is told to the trace, so that two runs of a seed can be compared by a hash. */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds since the run began. */
typedef int64_t sim_time;
#define SIM_US ((sim_time)1000)
#define SIM_MS ((sim_time)1000000)
#define SIM_S ((sim_time)1000000000)
#define SIM_NEVER INT64_MAX

struct event {
    struct list node; /* in the order of time */
    sim_time at;
    void (*fire)(struct event *);
};

/* A run of `seed`; `told` prints the trace, too. */
void world_begin(uint64_t seed, bool told);
/* The hash of all that was traced since then. No event may be left. */
uint64_t world_end(void);

sim_time world_now(void);
void event_init(struct event *e, void (*fire)(struct event *));
void event_set(struct event *e, sim_time at); /* also moves one that is set */
void event_cancel(struct event *e);
bool event_is_set(const struct event *e);

/* The time of the first event; SIM_NEVER: there is none. */
sim_time world_next(void);
/* Lets the time be `at`, with all that happens until then. */
void world_run_until(sim_time at);
/* Lets time go by, and nothing happen: a program that is busy, a look at the clock. */
void world_pass(sim_time by);

/* ---- chance ---- */

unsigned chance_below(unsigned n);                   /* in [0, n) */
bool chance_one_in(unsigned n);                      /* false for 0 */
struct list *chance_of(const struct list *list);     /* one of its nodes; NULL: there is none */
sim_time chance_time(sim_time least, sim_time most); /* short times are as likely as long ones */

/* ---- the record ---- */

void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Something that must hold does not: says so with the seed, and ends the program with status 1. */
_Noreturn void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
