/* hook.h - a hook of the program's on a connection: called by the run queue, bounded by a limit, and
 * over when its future is done and what it has sent is answered. */
#ifndef POOL_HOOK_H
#define POOL_HOOK_H

#include "pool/lease.h"

/* Calls it soon. Its connection is quiet when it is over, or dead when it has failed. */
void hook_run(evpq_lease *lease, evpq_hook_fn *hook);

bool hook_is_running(const evpq_lease *lease);

/* Calls off what is still to come of it. */
void hook_stop(evpq_lease *lease);

#endif
