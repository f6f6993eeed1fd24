/* flows.h - streams and COPYs that the program has under way. */
#ifndef TESTS_SIM_FLOWS_H
#define TESTS_SIM_FLOWS_H

#include "sim/asks.h"

/* In a child all is refused, and let go of. */
void flows_of_child(void (*refused)(evpq_future *f, const char *what));

void flows_begin(void);
/* Begins one, or goes on with one. False: it is not its turn. */
bool use_flows(void);
void flows_told(struct call *c);
bool flows_left(void);
void flows_give_back(void);

#endif
