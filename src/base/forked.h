/* forked.h - whether this is still the process that made something, or a child forked from it
 * since.
 *
 * The mark is a page of memory that the kernel wipes in a forked child (MADV_WIPEONFORK, Linux
 * 4.14): to ask is a load and a branch. It takes no system call, no handler of pthread_atfork's and
 * nothing global. Where the kernel wipes nothing, process ids are compared. */
#ifndef BASE_FORKED_H
#define BASE_FORKED_H

#include <stdbool.h>

struct fork_mark {
    const unsigned char *page; /* not 0: we are at home. 0: the process ids tell */
    long pid;                  /* of the process that made it; 0 where the page tells it all */
};

/* Cannot fail. A mark belongs to the process that makes it. */
void fork_mark_make(struct fork_mark *mark);
void fork_mark_free(struct fork_mark *mark);

/* What is left to ask where the page reads 0. */
bool fork_mark_is_foreign(const struct fork_mark *mark);

/* Whether the process was forked since. */
static inline bool fork_mark_forked(const struct fork_mark *mark)
{
    return __builtin_expect(!*mark->page, 0) && fork_mark_is_foreign(mark);
}

#endif
