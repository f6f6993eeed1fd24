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

/* Whether no system gives such a process id: on Linux it is at most 2^22, elsewhere less. PgBouncer
 * takes 32 random bits. */
bool peer_is_given_away(int pid);

/* If it is not known, asks, before all that is fresh. `peer` is PEER_ASKED until the answer is in,
 * and PEER_UNKNOWN again where there was none (the transaction had failed). */
void peer_ask(struct pipeline *p);

/* The same, if it is not known whether statements under one Sync share a transaction. An answer
 * that came while a block was open does not tell it. */
void peer_ask_unity(struct pipeline *p);

#endif
