/* reset.h - how far a connection is cleaned before somebody else uses it. conn/reset.c does it. */
#ifndef POOL_RESET_H
#define POOL_RESET_H

#include "pool/pool.h"

/* Rolls back what is open. If `session`, statements may have changed the session: it is cleaned as
 * far as the pool's option says. Only when nothing is in flight. Afterwards the connection is quiet
 * again, or dead. */
void reset_session(struct pool_conn *c, bool session);

#endif
