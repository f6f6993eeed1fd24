/* switch_ucontext.c - see switch.h: for the processors that switch.S does not know. Each switch
 * costs a system call, for the signal mask. */
#include "tasks/switch.h"

#if defined(STACK_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__)) || defined(__ILP32__)

# include <stdint.h>
# include <ucontext.h>

/* At the top of the stack that it describes. */
struct origin {
    ucontext_t context;
    void (*fn)(void *);
    void *arg;
};

/* makecontext hands on nothing but ints. */
static void first_frame(unsigned high, unsigned low)
{
    struct origin *origin = (struct origin *)((uintptr_t)high << 16 << 16 | low);
    origin->fn(origin->arg);
}

void *stack_prepare(void *bottom, size_t size, void (*fn)(void *), void *arg)
{
    uintptr_t top = ((uintptr_t)bottom + size - sizeof(struct origin)) & ~(uintptr_t)63;
    struct origin *origin = (struct origin *)top;
    getcontext(&origin->context);
    origin->context.uc_stack.ss_sp = bottom;
    origin->context.uc_stack.ss_size = top - (uintptr_t)bottom;
    origin->context.uc_link = NULL;
    origin->fn = fn;
    origin->arg = arg;
    makecontext(&origin->context, (void (*)(void))(uintptr_t)first_frame, 2,
                (unsigned)(top >> 16 >> 16), (unsigned)top);
    return &origin->context;
}

void stack_switch(void **ret_from, void *to)
{
    ucontext_t here;
    *ret_from = &here;
    swapcontext(&here, to);
}

#endif
