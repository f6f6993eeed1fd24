/* faults.h - what can go wrong, and who brings it about. Each waits until it is over, in a task, and
 * never blocks the loop.
 *
 *   faults_line    between the library and what it talks to: the proxy
 *   faults_server  the server, its processes and its settings
 *   faults_pooler  what stands between, if anything does */
#ifndef TESTS_TORTURE_FAULTS_H
#define TESTS_TORTURE_FAULTS_H

#include "torture.h"

#include <sys/types.h>

struct fault {
    const char *name;
    void (*cause)(void);
    int often; /* beside the others */
    int times; /* it was caused */
};

/* Each list ends with a name of NULL. */
extern struct fault line_faults[], server_faults[], pooler_faults[];

/* Everything as it should be. */
void line_heal(void);
void server_heal(void);
void pooler_heal(void);

/* Once before each fault: a synchronous standby that is not there is waited for, or not. */
void server_maybe_lose_standby(void);

bool there_is_a_pooler(void);

/* ---- what they share ---- */

double a_while(void);

/* A line of shell, in a process that keeps none of our descriptors. */
pid_t shell_spawn(const char *line);

/* The same, waited for. */
void shell_run(const char *line);

/* Stops a process for as long as some deadlines last. */
void hold(long pid);
void let_go(void);

#endif
