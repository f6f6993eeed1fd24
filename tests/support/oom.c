/*
 * Running out of memory on order: see oom.h. What is counted is the calling thread's own.
 */
#include "support/oom.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

static atomic_long blocks;

static _Thread_local struct {
    bool on, failed, forever;
    long count, at;
} oom;

void oom_fail_at(long n)
{
    oom.on = true;
    oom.failed = false;
    oom.forever = false;
    oom.count = 0;
    oom.at = n;
}

void oom_fail_from(long n)
{
    oom_fail_at(n);
    oom.forever = true;
}

long oom_count(void)
{
    return oom.count;
}

long oom_blocks(void)
{
    return atomic_load(&blocks);
}

bool oom_end(void)
{
    oom.on = false;
    return oom.failed;
}

static bool (*told_to_fail)(void);

void oom_fail_when(bool (*fails)(void))
{
    told_to_fail = fails;
}

static bool fails(void)
{
    if (told_to_fail && told_to_fail())
        return true;
    if (!oom.on)
        return false;
    oom.count++;
    if (oom.at == 0 || (oom.forever ? oom.count < oom.at : oom.count != oom.at))
        return false;
    oom.failed = true;
    errno = ENOMEM;
    return true;
}

static void *counted(void *memory)
{
    if (memory)
        atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed);
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    return memory ? __real_realloc(memory, size) : counted(__real_realloc(NULL, size));
}

void __wrap_free(void *memory)
{
    if (memory)
        atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
    __real_free(memory);
}
