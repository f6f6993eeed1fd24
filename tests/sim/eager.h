/* eager.h - code of the program that finds all it waits for ready at once, for a while: a task, or
 * callbacks that ask for the next. The loop must have its turns all the same. */
#ifndef TESTS_SIM_EAGER_H
#define TESTS_SIM_EAGER_H

#include "sim/asks.h"

void eager_begin(void);
/* False: one is there already. */
bool use_eager(void);
void eager_told(struct call *c);
bool eager_left(void);

#endif
