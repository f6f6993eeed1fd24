/* state.c - see state.h. */
#include "base/state.h"

#if EVPQ_CHECKS

void (*state_watcher)(const char *next, unsigned from, unsigned to);

void state_tell_watcher(const char *next, unsigned from, unsigned to)
{
    if (state_watcher)
        state_watcher(next, from, to);
}

#endif
