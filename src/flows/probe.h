/* probe.h - what became of a COMMIT whose answer was lost.
 *
 * Just before COMMIT, under a Sync of its own, the transaction's number is asked for, and which
 * server gave it; after a loss another connection asks the server for its fate (pg_xact_status).
 *
 * A number means nothing by itself. A copy of a server counts on from where it was made and gives
 * the same numbers to other transactions; so does a server after a crash, with those that had not
 * reached the disk (PostgreSQL documentation, "Transaction ID and Snapshot Information Functions").
 * Neither the system identifier nor the timeline nor the position in the WAL tells them apart: a
 * copy of the files that is started has all three in common with its original, and writes past any
 * position. So the one server that is proved to continue the history that the transaction was
 * written to is the one that has not been restarted since:
 *
 *   server  the system identifier, and when its postmaster was started, to the microsecond. A
 *           running postmaster stays on its timeline, and shares its files with no other.
 *   mark    since when the background writer's work is counted. It begins anew when the postmaster
 *           has restarted its processes after a crash.
 *   place   where the WAL was written. A machine that was set back to a snapshot of its memory is
 *           behind it.
 *
 *   answered by              "aborted"       "committed"   the number is to come
 *   the same server          rolled back     committed     -
 *   ... after a crash        rolled back *   unknown       rolled back *
 *   a standby                it is asked again
 *   any other                unknown         unknown       unknown
 *
 *   * its own history goes on, and a number was either committed in it or not. What it gave a
 * second time it had lost before. */
#ifndef FLOWS_PROBE_H
#define FLOWS_PROBE_H

#include "flows/session.h"

/* Asks, before COMMIT, for what a probe would need: the query's future is given. In a savepoint:
 * where that fails, as it does for want of a privilege, the transaction is as it was. NULL: no
 * memory. */
evpq_future *probe_ask(struct session *s);

/* Done when it was committed; fails as `lost`, with outcome REJECTED where it was rolled back.
 * `before` (NULL is allowed) is the settled future of probe_ask, `lost` the error of COMMIT; both
 * are borrowed for the call. */
evpq_future *probe_new(evpq_pool *pool, evpq_future *before, const evpq_error *lost);

#endif
