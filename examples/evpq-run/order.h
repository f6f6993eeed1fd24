/* order.h - pieces of output in the order of the input, whatever the order in which statements end.
 *
 * A window of bounded size: what has ended waits in it for what came before. While it is full
 * nothing new should be started (order_has_room), so that one slow statement cannot make a heap of
 * the rest. */
#ifndef RUN_ORDER_H
#define RUN_ORDER_H

#include "format.h"

struct order;

/* Takes ownership of neither; called with each piece whose turn it is. `place` as given to
 * order_put. */
typedef void order_emit(void *arg, const struct piece *piece, const char *place);

/* `window`: how many statements may stand between the first unfinished one and the last; `bytes`:
 * how much of their output may wait. */
struct order *order_new(size_t window, size_t bytes, order_emit *emit, void *arg);

/* Whether statement `number` (counted from 1) may be started. */
bool order_has_room(const struct order *o, long number);

/* Statement `number` has ended; its piece is taken over and `piece` emptied. Emits it and what
 * waited for it, if it was its turn. Each number once, none left out, and none that order_has_room
 * did not admit. */
void order_put(struct order *o, long number, struct piece *piece, const char *place);

void order_free(struct order *o); /* what still waits is dropped */

#endif
