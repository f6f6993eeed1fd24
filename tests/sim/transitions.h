/* transitions.h - which transitions the library's state machines have made (base/state.h). Only in a build
 * that checks invariants, which others do not tell of. */
#ifndef TESTS_SIM_TRANSITIONS_H
#define TESTS_SIM_TRANSITIONS_H

#include <stdbool.h>

/* From now on they are noted. */
void transitions_watch(void);

/* Writes those that were made to a new file, "MACHINE FROM TO" in each line, with the numbers of the states in
 * their enum; tests/sim/transitions reads it. Writes no file in a build that does not tell. False: errno. */
bool transitions_write(const char *path);

#endif
