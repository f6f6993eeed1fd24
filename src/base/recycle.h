/* recycle.h - small blocks that come and go by the hundred thousand, kept for the next to come.
 *
 * Good for: what each query needs. Sizes are rounded up to classes; larger blocks pass through to
 * mem.h, as all do where a sanitizer should see each come and go. One thread. Taking and giving are
 * inline because every query does both, twice. */
#ifndef BASE_RECYCLE_H
#define BASE_RECYCLE_H

#include "base/mem.h"

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
# define RECYCLER_KEEPS 0
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define RECYCLER_KEEPS 0
# endif
#endif
#ifndef RECYCLER_KEEPS
# define RECYCLER_KEEPS 1
#endif

enum {
    RECYCLER_STEP = 32, /* from class to class */
    RECYCLER_CLASSES = 32,
    RECYCLER_HEAD = sizeof(size_t), /* what malloc adds to a block: with it, each fills its steps */
    RECYCLER_LARGEST = RECYCLER_CLASSES * RECYCLER_STEP - RECYCLER_HEAD,
    RECYCLER_MOST = 1 << 15, /* blocks kept of a class; what a burst leaves beyond goes back */
};

struct recycler_block {
    struct recycler_block *next;
};

/* The free blocks of one class. */
struct recycler_shelf {
    struct recycler_block *first;
    unsigned n;
};

struct recycler {
    unsigned refs;
    struct recycler_shelf shelves[RECYCLER_CLASSES];
};

/* NULL without memory. Reference counted, as blocks may outlive whoever set it up. */
struct recycler *recycler_new(void);
void recycler_free(struct recycler *r); /* when the last reference is gone: by recycler_unref */

static inline struct recycler *recycler_ref(struct recycler *r)
{
    if (r)
        r->refs++;
    return r;
}

static inline void recycler_unref(struct recycler *r) /* NULL is allowed */
{
    if (r && !--r->refs)
        recycler_free(r);
}

/* Where blocks of this size are kept; NULL: nowhere. */
static inline struct recycler_shelf *recycler_shelf(struct recycler *r, size_t size)
{
    if (!RECYCLER_KEEPS || !r || size > RECYCLER_LARGEST)
        return NULL;
    return &r->shelves[(size + RECYCLER_HEAD - 1) / RECYCLER_STEP];
}

/* A new block, of the size of its class where it will be kept. */
void *recycler_make(struct recycler *r, size_t size);

/* Like mem_alloc and mem_free; the size must be the same for both. A NULL recycler keeps
 * nothing. */
static inline void *recycler_take(struct recycler *r, size_t size)
{
    struct recycler_shelf *shelf = recycler_shelf(r, size);
    struct recycler_block *block = shelf ? shelf->first : NULL;
    if (!block)
        return recycler_make(r, size);
    shelf->first = block->next;
    shelf->n--;
    return block;
}

static inline void recycler_give(struct recycler *r, void *memory, size_t size)
{
    struct recycler_shelf *shelf = recycler_shelf(r, size);
    struct recycler_block *block = memory;
    if (!block || !shelf || shelf->n == RECYCLER_MOST) {
        mem_free(memory);
        return;
    }
    block->next = shelf->first;
    shelf->first = block;
    shelf->n++;
}

#endif
