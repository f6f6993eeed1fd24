/* switch.h - from one stack to another: all that depends on the processor.
 *
 * switch.S does it for x86-64 and AArch64 in about a dozen instructions and no system call;
 * elsewhere, or where STACK_UCONTEXT is defined, switch_ucontext.c does it with swapcontext. */
#ifndef TASKS_SWITCH_H
#define TASKS_SWITCH_H

#include <stddef.h>

/* Makes a stack of `size` bytes from `bottom` up ready to call fn(arg), which must never return.
 * Returns what to hand to stack_switch to go there. */
void *stack_prepare(void *bottom, size_t size, void (*fn)(void *), void *arg);

/* Goes to where `to` was put down, and returns when somebody comes back to *ret_from. */
void stack_switch(void **ret_from, void *to);

#endif
