/* recycle.c - a stack of free blocks for each size class. */
#include "base/recycle.h"

#include "base/mem.h"

enum {
    STEP = 64,
    CLASSES = 16,        /* up to 1024 bytes */
    KEPT_MOST = 1 << 15, /* of a class; what a burst leaves beyond goes back */
};

#if defined(__SANITIZE_ADDRESS__)
# define RECYCLES 0
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define RECYCLES 0
# endif
#endif
#ifndef RECYCLES
# define RECYCLES 1
#endif

struct block {
    struct block *next;
};

struct recycler {
    unsigned refs;
    struct {
        struct block *first;
        unsigned n;
    } free[CLASSES];
};

struct recycler *recycler_new(void)
{
    struct recycler *r = mem_zalloc(sizeof *r);
    if (r)
        r->refs = 1;
    return r;
}

struct recycler *recycler_ref(struct recycler *r)
{
    if (r)
        r->refs++;
    return r;
}

void recycler_unref(struct recycler *r)
{
    if (!r || --r->refs)
        return;
    for (int i = 0; i < CLASSES; i++)
        for (struct block *b; (b = r->free[i].first);) {
            r->free[i].first = b->next;
            mem_free(b);
        }
    mem_free(r);
}

static size_t class_of(size_t size)
{
    return size ? (size - 1) / STEP : 0;
}

void *recycler_take(struct recycler *r, size_t size)
{
    size_t class = class_of(size);
    if (!RECYCLES || !r || class >= CLASSES)
        return mem_alloc(size);
    struct block *b = r->free[class].first;
    if (!b)
        return mem_alloc((class + 1) * STEP);
    r->free[class].first = b->next;
    r->free[class].n--;
    return b;
}

void recycler_give(struct recycler *r, void *memory, size_t size)
{
    size_t class = class_of(size);
    if (!RECYCLES || !memory || !r || class >= CLASSES || r->free[class].n == KEPT_MOST) {
        mem_free(memory);
        return;
    }
    struct block *b = memory;
    b->next = r->free[class].first;
    r->free[class].first = b;
    r->free[class].n++;
}
