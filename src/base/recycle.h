/* recycle.h - small blocks that come and go by the hundred thousand, kept for the next to come.
 *
 * Good for: what each query needs. Sizes are rounded up to classes; larger blocks pass through to
 * mem.h, as all do where a sanitizer should see each come and go. One thread. */
#ifndef BASE_RECYCLE_H
#define BASE_RECYCLE_H

#include <stddef.h>

struct recycler;

/* NULL without memory. Reference counted, as blocks may outlive whoever set it up. */
struct recycler *recycler_new(void);
struct recycler *recycler_ref(struct recycler *r);
void recycler_unref(struct recycler *r); /* NULL is allowed */

/* Like mem_alloc and mem_free; the size must be the same for both. A NULL recycler keeps
 * nothing. */
void *recycler_take(struct recycler *r, size_t size);
void recycler_give(struct recycler *r, void *memory, size_t size);

#endif
