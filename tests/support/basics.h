/*
 * What has to work on every way to a server, whatever lies on it: run once for each way.
 */
#ifndef TESTS_SUPPORT_BASICS_H
#define TESTS_SUPPORT_BASICS_H

#include "support/site.h"

/* All of it, on a pool that is open; the largest answer and parameter have about `large` bytes, and what has
   many rows has 500 for each of the rounds. At the end the pool is quiet. */
void basics_run(struct site *s, int large, int rounds);

#endif
