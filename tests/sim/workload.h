/* workload.h - the program of a simulated run: what it asks of the library, and what befalls it. */
#ifndef TESTS_SIM_WORKLOAD_H
#define TESTS_SIM_WORKLOAD_H

/* Runs the world's seed from beginning to end. */
void workload_run(void);

#endif
