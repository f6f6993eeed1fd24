/* array.c - see array.h. Each array owns its buffers through its private_data, so that a consumer
 * may move a child away and release the rest. */
#include "array.h"

#include <stdlib.h>

/* In one block with the list that the array shows, which a consumer only reads. */
struct owned {
    struct array_buffers buffers;
    const void *shown[3];
};

static void release(struct ArrowArray *array)
{
    struct owned *owned = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child->release)
            child->release(child);
        free(child);
    }
    free(array->children);
    for (size_t i = 0; i < owned->buffers.n; i++)
        free(owned->buffers.v[i]);
    free(owned);
    array->release = NULL;
}

evpq_status array_fill(struct ArrowArray *ret, const struct array_buffers *buffers, size_t rows,
                       size_t nulls)
{
    struct owned *owned = malloc(sizeof *owned);
    *ret = (struct ArrowArray){0};
    if (!owned)
        return EVPQ_NOMEM;
    owned->buffers = *buffers;
    for (size_t i = 0; i < 3; i++)
        owned->shown[i] = buffers->v[i];
    *ret = (struct ArrowArray){.length = (int64_t)rows,
                               .null_count = (int64_t)nulls,
                               .n_buffers = (int64_t)buffers->n,
                               .buffers = owned->shown,
                               .release = release,
                               .private_data = owned};
    return EVPQ_OK;
}

evpq_status array_fill_struct(struct ArrowArray *ret, size_t n, size_t rows)
{
    /* The one buffer of a struct says which rows are NULL: none. */
    evpq_status status = array_fill(ret, &(struct array_buffers){.n = 1}, rows, 0);
    if (status != EVPQ_OK)
        return status;
    ret->children = calloc(n + 1, sizeof *ret->children);
    for (size_t i = 0; ret->children && i < n; i++) {
        ret->children[i] = calloc(1, sizeof *ret->children[i]);
        if (!ret->children[i])
            break;
        ret->n_children++;
    }
    if (ret->children && (size_t)ret->n_children == n)
        return EVPQ_OK;
    release(ret);
    return EVPQ_NOMEM;
}
