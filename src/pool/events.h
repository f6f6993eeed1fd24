/* events.h - what the connections of a pool tell it, through the conn_owner that events.c fills in. */
#ifndef POOL_EVENTS_H
#define POOL_EVENTS_H

#include "pool/pool.h"

/* Begins one more connection. False without memory. */
bool events_dial(evpq_pool *pool);

#endif
