/* probe.h - what became of a COMMIT whose answer was lost.
 *
 * Before COMMIT, under a Sync of its own, the transaction's number is asked for; after a loss
 * another connection asks the server for its fate (pg_xact_status).
 *
 * A number that had not reached the disk when a server crashed is given again by the next
 * (PostgreSQL documentation, "Transaction ID and Snapshot Information Functions"), so that
 * "committed" may be said of another transaction then. The time since which the server counts its
 * background writer's work tells: a crash begins it anew, and another server has another. */
#ifndef FLOWS_PROBE_H
#define FLOWS_PROBE_H

#include "pool/pool.h"

/* To be run before COMMIT. */
extern const char probe_sql[];

/* Done when it was committed; fails as `lost`, with outcome REJECTED where it was rolled back.
 * `before` (NULL is allowed) is the settled future of probe_sql, `lost` the error of COMMIT; both
 * are borrowed for the call. */
evpq_future *probe_new(evpq_pool *pool, const evpq_future *before, const evpq_error *lost);

#endif
