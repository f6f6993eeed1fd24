/* conn_impl.h - what the files of this floor know of each other. None calls one that stands behind it:
 *
 *   conn         the state of a connection, what is asked of it, its end
 *   limit        the time limit of what is the library's own
 *   conn_cancel  canceling, with the fence
 *   reset        cleaning the session
 *   events       what the pipeline and the dial tell */
#ifndef CONN_CONN_IMPL_H
#define CONN_CONN_IMPL_H

#include "conn/conn.h"

/* The one function that changes the state. */
void conn_to(struct conn *c, enum conn_state state);

/* The link is broken, or was never made (`why` is borrowed). */
void conn_die(struct conn *c, const evpq_error *why);

/* conn_kill, with a reason of our own. */
void conn_kill_for(struct conn *c, evpq_status status, const char *message);

/* Whether somebody gave up on an answer, and nobody waits for another. */
bool conn_all_abandoned(const struct conn *c);

void conn_limit_init(struct conn *c);

/* What runs is to be over within so many seconds. */
void conn_limit(struct conn *c, double seconds);

/* Called when it may have changed whether what is in flight is the library's own: starts the limit,
 * or stops it. */
void conn_limit_own(struct conn *c);

void conn_cancel_init(struct conn *c);

/* All that was sent is abandoned. Cancels what runs; a little later if its answer may just be being
 * read. */
void conn_cancel(struct conn *c);

/* A cancel request is over, or an answer is in, on a connection that is QUARANTINED. */
void conn_cancel_go_on(struct conn *c);

void conn_reset_init(struct conn *c);

/* Nothing is in flight on a connection that is RESETTING: takes the next step, if there is one. */
void conn_reset_go_on(struct conn *c);

#endif
