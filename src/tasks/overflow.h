/* overflow.h - says which task has used up its stack, before the process dies of it. Only in builds
 * with --enable-debug: this is a signal handler, and the library installs none otherwise. */
#ifndef TASKS_OVERFLOW_H
#define TASKS_OVERFLOW_H

#include <stddef.h>

/* The calling thread is on this stack, whose guard is so many bytes from `guard` up. */
struct overflow_watch {
    const char *name;
    const char *guard;
    size_t size;
    const struct overflow_watch *outer;
};

/* From now until overflow_unwatch, which must be called in reverse order. The strings are
 * borrowed. */
void overflow_watch(struct overflow_watch *w, const char *name, const char *guard, size_t size);
void overflow_unwatch(const struct overflow_watch *w);

#endif
