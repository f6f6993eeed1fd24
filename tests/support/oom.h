/*
 * Running out of memory on order: the n-th allocation that a thread makes fails.
 *
 * A program that uses this is linked with $(OOM_WRAP), which turns each call of malloc, calloc,
 * realloc and free in its own objects and in the library's (not in libpq, libev or the C library) into a
 * call that counts. Only the thread that armed the failure counts and fails, so that the n-th call
 * is the same call in each run.
 *
 *     EACH_ALLOCATION(n, failed) {
 *         oom_fail_at(n);
 *         ... do it, without an assert: Check allocates ...
 *         failed = oom_end();
 *         ... it has failed cleanly or succeeded ...
 *     }
 */
#ifndef TESTS_SUPPORT_OOM_H
#define TESTS_SUPPORT_OOM_H

#include <stdbool.h>

/* With n = 1, 2, ... until the body leaves `failed` false: n was beyond the last allocation, and
 * every one has failed once. */
#define EACH_ALLOCATION(n, failed) for (long n = 1, failed = 1; failed; n++)

/* Count the calling thread's allocations from one again; the n-th fails, and with 0 none does. */
void oom_fail_at(long n);

/* As oom_fail_at(), but all from the n-th on fail. */
void oom_fail_from(long n);

/* From now on fails() says of each allocation, in any thread, whether it fails; NULL: none does
 * so. */
void oom_fail_when(bool (*fails)(void));

/* Allocations asked for since then, failed ones included. */
long oom_count(void);

/* Blocks that were taken since the start by those calls, in any thread, less those that were freed.
 * Two counts can be compared where nothing of Check was called between them: it frees what the C
 * library has allocated. */
long oom_blocks(void);

/* Let all succeed again and stop counting. Returns whether one has failed. */
bool oom_end(void);

#endif
