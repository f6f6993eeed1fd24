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
 *         TRANSITION(lamp_next, l->state, state);
 *         l->state = state;
 *     }
 *
 * The first entry is the state at the beginning. tests/check-states finds the tables by this form
 * and holds the pictures in HACKING.md to them.
 *
 * TRANSITION(next, from, to) is an invariant: the table has it. In builds that check invariants
 * `state_watcher` is told of it, too; other builds have none. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include "base/invariant.h"

#define TO(state) (1u << (state))

#if EVPQ_CHECKS
# define TRANSITION(next, from, to) \
  (INVARIANT(next[from] & TO(to)), state_tell_watcher(#next, from, to))

/* Told of each transition that is about to be made, by the name of its table (borrowed, for ever) and
 * the numbers of the states in their enum; on the thread that makes it. NULL: nobody is. Set while
 * there is no loop. */
extern void (*state_watcher)(const char *next, unsigned from, unsigned to);

void state_tell_watcher(const char *next, unsigned from, unsigned to);
#else
# define TRANSITION(next, from, to) INVARIANT(next[from] & TO(to))
#endif

#endif
