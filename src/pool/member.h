/* member.h - a connection of a pool, between one use and the next. */
#ifndef POOL_MEMBER_H
#define POOL_MEMBER_H

#include "pool/pool.h"

/* Begins a new connection; it is in USE_CONNECTING. NULL without memory. */
struct conn *member_dial(evpq_pool *pool);

/* A connection may have nothing to do: if so, cleans it if need be, retires it, or makes it idle
 * and serves who waits. */
void member_settle(evpq_pool *pool, struct conn *c);

/* Rolls back what is open; where the `session` may bear marks, cleans it as far as the pool's
 * option says. Only at rest; member_settle (or lease_quiet) comes when it is done. */
void member_reset(evpq_pool *pool, struct conn *c, bool session);

/* Closes an idle connection on purpose. */
void member_retire(struct conn *c);

#endif
