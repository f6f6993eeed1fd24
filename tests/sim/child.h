/* child.h - the program forks: what was made before is the parent's. */
#ifndef TESTS_SIM_CHILD_H
#define TESTS_SIM_CHILD_H

/* A child is made, tries all that it has got, lets go of it, and ends. */
void child_live(void);

#endif
