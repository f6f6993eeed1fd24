/* array.h - arrays of the Arrow C Data Interface that own their buffers, and how they go. */
#ifndef LOADER_ARRAY_H
#define LOADER_ARRAY_H

#include "arrow.h"

#include <evpq/evpq.h>
#include <stddef.h>

struct array_buffers {
    void *v[3]; /* made by malloc or aligned_alloc; NULL where there is none */
    size_t n;
};

/* An array of `n` children, none of which is there yet: each may be filled. EVPQ_OK; EVPQ_NOMEM,
 * where there is nothing to be released. */
evpq_status array_fill_struct(struct ArrowArray *ret, size_t n, size_t rows);

/* An array of these buffers (taken, unless it is EVPQ_NOMEM). */
evpq_status array_fill(struct ArrowArray *ret, const struct array_buffers *buffers, size_t rows,
                       size_t nulls);

#endif
