/* memory.c - see memory.h. */
#include "sim/memory.h"

#include "sim/world.h"

#include "support/oom.h"

#include <stdlib.h>
#include <string.h>

static struct {
    unsigned one_in;
    volatile bool scarce; /* the compiler knows that realloc does not look at it */
    bool failed;
} memory;

static bool fails(void)
{
    if (!memory.scarce || !chance_one_in(memory.one_in))
        return false;
    trace("no memory");
    return memory.failed = true;
}

void memory_begin(unsigned one_in)
{
    memory.one_in = one_in;
    memory.scarce = memory.failed = false;
    oom_fail_when(fails);
}

bool memory_is_scarce(bool scarce)
{
    bool before = memory.scarce;
    memory.scarce = scarce;
    return before;
}

bool memory_may_fail(void)
{
    return memory.one_in;
}

bool memory_has_failed(void)
{
    return memory.failed;
}

void *memory_more(void *block, size_t size)
{
    bool scarce = memory_is_scarce(false);
    void *more = realloc(block, size);
    memory_is_scarce(scarce);
    if (!more)
        abort();
    return more;
}

void *memory_new(size_t size)
{
    void *block = memory_more(NULL, size);
    memset(block, 0, size);
    return block;
}
