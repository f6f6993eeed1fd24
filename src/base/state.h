/* state.h - the one form of all state machines here.
 *
 * A state is an enum. A table says which states may follow each, and one function writes it:
 *
 *     static const unsigned lamp_next[] = {
 *         [LAMP_OFF] = TO(LAMP_ON) | TO(LAMP_BROKEN),
 *         [LAMP_ON] = TO(LAMP_OFF) | TO(LAMP_BROKEN),
 *         [LAMP_BROKEN] = 0,
 *     };
 *
 *     static void lamp_to(struct lamp *l, enum lamp_state state)
 *     {
 *         INVARIANT(lamp_next[l->state] & TO(state));
 *         l->state = state;
 *     }
 *
 * The first entry is the state at the beginning. tests/check-states finds the tables by this form
 * and holds the pictures in HACKING.md to them. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include "base/invariant.h"

#define TO(state) (1u << (state))

#endif
