/* memory.h - the memory of the library, which may run out, and of what is simulated, which does
 * not. */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* For what is simulated. */
void *memory_new(size_t size); /* all bytes zero */
void *memory_more(void *block, size_t size);

/* One allocation in so many fails while it is scarce; 0: none. */
void memory_begin(unsigned one_in);
/* Returns what it was before. */
bool memory_is_scarce(bool scarce);
bool memory_may_fail(void);
/* Whether any has failed in this run. */
bool memory_has_failed(void);

#endif
