/* stack.c - see stack.h.
 *
 * Stacks of one size are cut from chunks of address space, each behind its guard. Those used last
 * are used next, being in the caches; beyond KEEP_WARM free ones their pages go back to the system.
 * The address space itself is kept until the end. */
#include "tasks/stack.h"

#include "base/mem.h"
#include "tasks/switch.h"

#if EVPQ_DEBUG
# include "tasks/overflow.h"
#endif
#if HAVE_VALGRIND
# include <valgrind/valgrind.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
# define WITH_ASAN 1
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define WITH_ASAN 1
# endif
#endif
#if defined(__SANITIZE_THREAD__)
# define WITH_TSAN 1
#elif defined(__has_feature)
# if __has_feature(thread_sanitizer)
#  define WITH_TSAN 1
# endif
#endif
#ifndef WITH_ASAN
# define WITH_ASAN 0
#endif
#ifndef WITH_TSAN
# define WITH_TSAN 0
#endif
#if WITH_ASAN
# define UNINSTRUMENTED __attribute__((no_sanitize_address))
#else
# define UNINSTRUMENTED
#endif
#if WITH_ASAN
# include <sanitizer/asan_interface.h>
# include <sanitizer/common_interface_defs.h>
# include <sanitizer/lsan_interface.h>
#endif
#if WITH_TSAN
# include <sanitizer/tsan_interface.h>
#endif

#ifndef MADV_GUARD_INSTALL
# define MADV_GUARD_INSTALL 102 /* Linux 6.13: a guard that is no mapping of its own */
#endif

enum {
    KEEP_WARM = 4096,
    GUARD = 16 * 1024, /* more than a frame has as a rule, so that none steps over it */
    CHUNK = 16 * 1024 * 1024,
    CHUNK_MOST = 64, /* stacks in one */
    SHADE = 64,      /* the first frames of many stacks lie in different lines of the caches, ... */
    SHADES = 32,     /* ... and mostly in one page each */
};

struct stack {
    struct list node; /* free: in its kind */
    struct kind *kind;
    char *bottom;
    size_t offset; /* of the first frame from the top */
    void *outside; /* where it was entered from */
    void (*fn)(void *arg);
    void *arg;
    const char *name;
#if WITH_ASAN
    void *fake, *fake_outside;
    const void *bottom_outside;
    size_t size_outside;
#endif
#if WITH_TSAN
    void *fiber, *fiber_outside;
#endif
#if HAVE_VALGRIND
    unsigned valgrind;
#endif
};

/* Stacks of one size. */
struct kind {
    struct list node;
    size_t size, slot; /* slot: with its guard */
    struct list warm, cold;
    size_t n_warm;
    struct list chunks; /* the first is being cut */
};

struct chunk {
    struct list node;
    char *memory;
    size_t n, cut;
    struct stack stacks[];
};

/* ---- what others must know of it ---- */

static void announce(struct stack *s)
{
#if HAVE_VALGRIND
    s->valgrind = VALGRIND_STACK_REGISTER(s->bottom, s->bottom + s->kind->size - 1);
#endif
#if WITH_ASAN
    __lsan_register_root_region(s->bottom, s->kind->size);
#endif
#if WITH_TSAN
    s->fiber = __tsan_create_fiber(0);
#endif
    (void)s;
}

static void renounce(struct stack *s)
{
#if HAVE_VALGRIND
    VALGRIND_STACK_DEREGISTER(s->valgrind);
#endif
#if WITH_ASAN
    __lsan_unregister_root_region(s->bottom, s->kind->size);
    __asan_unpoison_memory_region(s->bottom, s->kind->size);
#endif
#if WITH_TSAN
    __tsan_destroy_fiber(s->fiber);
#endif
    (void)s;
}

static inline void before_enter(struct stack *s)
{
#if WITH_ASAN
    __sanitizer_start_switch_fiber(&s->fake_outside, s->bottom, s->kind->size);
#endif
#if WITH_TSAN
    s->fiber_outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(s->fiber, 0);
#endif
    (void)s;
}

static inline void after_leave(struct stack *s)
{
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(s->fake_outside, NULL, NULL);
#endif
    (void)s;
}

/* `ended`: for the last time. */
static inline void before_leave(struct stack *s, bool ended)
{
#if WITH_ASAN
    __sanitizer_start_switch_fiber(ended ? NULL : &s->fake, s->bottom_outside, s->size_outside);
    if (ended)
        s->fake = NULL;
#endif
#if WITH_TSAN
    __tsan_switch_to_fiber(s->fiber_outside, 0);
#endif
    (void)s, (void)ended;
}

static inline void after_enter(struct stack *s)
{
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(s->fake, &s->bottom_outside, &s->size_outside);
#endif
    (void)s;
}

/* ---- memory ---- */

void stacks_init(struct stacks *stacks)
{
    list_init(&stacks->kinds);
    stacks->page = (size_t)sysconf(_SC_PAGESIZE);
}

static void chunk_free(struct kind *kind, struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->cut; i++)
        renounce(&chunk->stacks[i]);
    munmap(chunk->memory, chunk->n * kind->slot);
    mem_free(chunk);
}

void stacks_free(struct stacks *stacks)
{
    struct list *node;
    while ((node = list_pop(&stacks->kinds))) {
        struct kind *kind = container_of(node, struct kind, node);
        while ((node = list_pop(&kind->chunks)))
            chunk_free(kind, container_of(node, struct chunk, node));
        mem_free(kind);
    }
}

static size_t whole_pages(const struct stacks *stacks, size_t size)
{
    return (size + stacks->page - 1) / stacks->page * stacks->page;
}

static struct kind *kind_of_size(struct stacks *stacks, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = whole_pages(stacks, size + SHADES * SHADE);
    list_each(node, &stacks->kinds) {
        struct kind *kind = container_of(node, struct kind, node);
        if (kind->size == size)
            return kind;
    }
    struct kind *kind = mem_zalloc(sizeof *kind);
    if (!kind)
        return NULL;
    kind->size = size;
    kind->slot = size + whole_pages(stacks, GUARD);
    list_init(&kind->warm);
    list_init(&kind->cold);
    list_init(&kind->chunks);
    list_append(&stacks->kinds, &kind->node);
    return kind;
}

static struct chunk *chunk_new(struct kind *kind)
{
    size_t n = CHUNK / kind->slot;
    n = n < 1 ? 1 : n > CHUNK_MOST ? CHUNK_MOST : n;
    struct chunk *chunk = mem_zalloc(sizeof *chunk + n * sizeof chunk->stacks[0]);
    if (!chunk)
        return NULL;
    chunk->n = n;
    chunk->memory = mmap(NULL, n * kind->slot, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (chunk->memory == MAP_FAILED) {
        mem_free(chunk);
        return NULL;
    }
    madvise(chunk->memory, n * kind->slot, MADV_NOHUGEPAGE); /* a page a task, not 2 MiB */
    list_prepend(&kind->chunks, &chunk->node);
    return chunk;
}

static bool guard(char *memory, size_t size)
{
    return !madvise(memory, size, MADV_GUARD_INSTALL) || !mprotect(memory, size, PROT_NONE);
}

static struct stack *cut_stack(struct kind *kind)
{
    struct list *first = list_first(&kind->chunks);
    struct chunk *chunk = first ? container_of(first, struct chunk, node) : NULL;
    if (!chunk || chunk->cut == chunk->n)
        chunk = chunk_new(kind);
    if (!chunk)
        return NULL;
    char *slot = chunk->memory + chunk->cut * kind->slot;
    if (!guard(slot, kind->slot - kind->size)) /* the kernel's limit of mappings */
        return NULL;
    struct stack *s = &chunk->stacks[chunk->cut++];
    s->offset = chunk->cut % SHADES * SHADE;
    list_init(&s->node);
    s->kind = kind;
    s->bottom = slot + kind->slot - kind->size;
    announce(s);
    return s;
}

struct stack *stack_take(struct stacks *stacks, size_t size)
{
    struct kind *kind = kind_of_size(stacks, size);
    struct list *node;
    if (!kind)
        return NULL;
    if ((node = list_pop(&kind->warm)))
        kind->n_warm--;
    else
        node = list_pop(&kind->cold);
    return node ? container_of(node, struct stack, node) : cut_stack(kind);
}

void stack_give(struct stack *s)
{
    struct kind *kind = s->kind;
    if (kind->n_warm < KEEP_WARM) {
        kind->n_warm++;
        list_prepend(&kind->warm, &s->node);
        return;
    }
#if WITH_ASAN
    __asan_unpoison_memory_region(s->bottom, kind->size);
#endif
    madvise(s->bottom, kind->size, MADV_DONTNEED);
    list_prepend(&kind->cold, &s->node);
}

/* ---- switching ---- */

static void leave(struct stack *s, void **ret_place, bool ended)
{
    before_leave(s, ended);
    stack_switch(ret_place, s->outside);
    after_enter(s);
}

/* The first frame of each stack. It is never returned to. */
static UNINSTRUMENTED void first_call(void *arg)
{
    struct stack *s = arg;
    void *nowhere;
    after_enter(s);
    s->fn(s->arg);
    leave(s, &nowhere, true);
}

void *stack_aim(struct stack *s, void (*fn)(void *arg), void *arg, const char *name)
{
    s->fn = fn;
    s->arg = arg;
    s->name = name;
#if WITH_TSAN
    __tsan_destroy_fiber(s->fiber); /* it remembers the frames of the last call */
    s->fiber = __tsan_create_fiber(0);
#endif
    return stack_prepare(s->bottom, s->kind->size - s->offset, first_call, s);
}

void stack_enter(struct stack *s, void *place)
{
#if EVPQ_DEBUG
    struct overflow_watch watch;
    size_t size = s->kind->slot - s->kind->size;
    overflow_watch(&watch, s->name, s->bottom - size, size);
#endif
    before_enter(s);
    stack_switch(&s->outside, place);
    after_leave(s);
#if EVPQ_DEBUG
    overflow_unwatch(&watch);
#endif
}

void stack_leave(struct stack *s, void **ret_place)
{
    leave(s, ret_place, false);
}
