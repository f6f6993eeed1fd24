/* workload.h - the program of a simulated run: what it asks of the library, and what befalls it. */
#ifndef TESTS_SIM_WORKLOAD_H
#define TESTS_SIM_WORKLOAD_H

/* What a run leaves out of what its seed says. */
struct less {
    int actions;      /* it does so many at most; 0: as many as the seed says */
    unsigned without; /* a bit for each kind of workload_kind */
};

/* The name of what can be left out, by its bit; NULL: there are no more. */
const char *workload_kind(int bit);

/* Runs the world's seed from beginning to end. `less` may be NULL. */
void workload_run(const struct less *less);

/* How many turns of the loop all runs have made: what must hold was looked at after each. */
unsigned long long workload_turns(void);

#endif
