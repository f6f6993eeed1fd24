/* recycle.c - a stack of free blocks for each size class: its beginning and end, and new blocks. */
#include "base/recycle.h"

struct recycler *recycler_new(void)
{
    struct recycler *r = mem_zalloc(sizeof *r);
    if (r)
        r->refs = 1;
    return r;
}

void recycler_free(struct recycler *r)
{
    for (int i = 0; i < RECYCLER_CLASSES; i++)
        for (struct recycler_block *block; (block = r->shelves[i].first);) {
            r->shelves[i].first = block->next;
            mem_free(block);
        }
    mem_free(r);
}

void *recycler_make(struct recycler *r, size_t size)
{
    struct recycler_shelf *shelf = recycler_shelf(r, size);
    size_t steps = shelf ? (size_t)(shelf - r->shelves) + 1 : 0;
    return mem_alloc(shelf ? steps * RECYCLER_STEP - RECYCLER_HEAD : size);
}
