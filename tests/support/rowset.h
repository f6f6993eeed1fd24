/* rowset.h - a result of one value, made by hand, in memory that ends one byte behind it. */
#ifndef TESTS_SUPPORT_ROWSET_H
#define TESTS_SUPPORT_ROWSET_H

#include "base/mem.h"
#include "libpq/place.h"

#include <string.h>

/* `behind` is what follows the value: in a row of COPY, anything. NULL without memory. */
static inline evpq_result *rowset_of_value(uint32_t type, bool binary, const void *bytes,
                                           size_t length, char behind)
{
    struct column *columns;
    struct span *spans;
    evpq_result *r = rowset_new(1, 1, &columns, &spans);
    char *memory = r ? mem_alloc(length + 1) : NULL;
    if (!memory) {
        evpq_result_unref(r);
        return NULL;
    }
    memcpy(memory, bytes, length);
    memory[length] = behind;
    r->rowset->memory = memory;
    columns[0] = (struct column){"c", type, binary};
    spans[0] = (struct span){memory, (int)length};
    return r;
}

#endif
