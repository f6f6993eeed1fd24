/* kernel.h - the system calls of a simulated run.
 *
 * kernel.c defines those that libev, libpq and the library make for sockets, waiting, the time, random
 * numbers and threads, in place of the C library's: a program's own definition goes before that of a
 * shared library. So libev and libpq run as they are installed, and no version of theirs has to be
 * imitated. Calls on descriptors that are not the simulation's go to the real kernel. */
#ifndef TESTS_SIM_KERNEL_H
#define TESTS_SIM_KERNEL_H

#include "sim/world.h"

struct ev_loop;

void kernel_begin(void);
/* libev waits in poll() alone, and nobody else may wait there. */
struct ev_loop *kernel_loop(void);
/* How often libev has looked at its sockets. */
int kernel_turns(void);
/* The next poll() returns, though nothing is ready. */
void kernel_interrupt(void);
/* Descriptors that are open, and threads that have not ended. */
int kernel_open_files(void);
int kernel_threads(void);

#endif
