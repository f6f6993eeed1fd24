/* mem.h - memory, asked for in one place.
 *
 * Every allocation of the library's own goes through here; each may fail and every caller copes. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size); /* all bytes zero */
void *mem_dup(const void *bytes, size_t size);
char *mem_strdup(const char *text); /* NULL gives NULL */
void mem_free(void *memory);

#endif
