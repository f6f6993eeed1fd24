/* peer.h - who is at the other end: a server process of our own, or a pooler that lends us one.
 *
 * The process id that the connection began with (BackendKeyData) is compared with what the session
 * says of itself (pg_backend_pid). A pooler makes up the first, or hands on that of another
 * session. pgpool-II gives the right one, but sends Syncs of its own between the statements under
 * one of ours: so that is asked, too. Asked once for each connection, as a rule, and only where it
 * matters: before a session is cleaned with DISCARD ALL, before statements are prepared that could
 * not be run again, before several that stand or fall together, and before anything is sent behind
 * a statement that changes data by itself. */
#ifndef PIPELINE_PEER_H
#define PIPELINE_PEER_H

#include "pipeline/pipeline.h"

void peer_init(struct pipeline *p);

/* Whether a process id is none that a system gives: it is no more than 2^22 on Linux, and less
 * elsewhere. PgBouncer draws 32 bits at random. */
bool peer_is_given_away(int pid);

/* Asks, in front of all that is fresh, where it is not known: `peer` is PEER_ASKED until the answer
 * is in, and PEER_UNKNOWN again where there was none (the transaction had failed). */
void peer_ask(struct pipeline *p);

/* The same, where it is not known whether statements under one Sync share a transaction. An answer
 * that came within a block did not tell. */
void peer_ask_unity(struct pipeline *p);

#endif
