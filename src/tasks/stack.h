/* stack.h - stacks that come and go, and calls that run on them.
 *
 * A stack is memory mapped with a guard below it, touched page by page as it is used and kept for
 * the next task. Sanitizers and valgrind are told of each switch here, and nowhere else. */
#ifndef TASKS_STACK_H
#define TASKS_STACK_H

#include "base/list.h"

#include <stddef.h>

/* The stacks of a loop. */
struct stacks {
    struct list kinds; /* one for each size in use */
    size_t page;
};

struct stack;

void stacks_init(struct stacks *stacks);
void stacks_free(struct stacks *stacks); /* none may be taken */

/* A stack of at least `size` bytes; NULL without memory. Give it back when what ran on it has
 * ended. */
struct stack *stack_take(struct stacks *stacks, size_t size);
void stack_give(struct stack *s);

/* Gets it ready to call fn(arg): returns the place to enter it at. `name` is for the message of an
 * overflow, borrowed until the call has ended. */
void *stack_aim(struct stack *s, void (*fn)(void *arg), void *arg, const char *name);

/* Goes there; returns when what runs there leaves, or has ended. */
void stack_enter(struct stack *s, void *place);

/* From there: goes back to who entered. Returns when entered again at *ret_place, which may stand
 * on the stack itself: what is needed next is then near. */
void stack_leave(struct stack *s, void **ret_place);

#endif
