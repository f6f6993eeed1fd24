/* cancel.h - one cancel request, without blocking the loop: by libpq 17's own calls, else in a
 * thread.
 *
 * A request names a server process, not a query, and takes a way of its own: when it has been
 * delivered, the process may still be about to be interrupted. What that means for the next query
 * is the business of conn/conn_cancel.c. */
#ifndef WIRE_CANCEL_H
#define WIRE_CANCEL_H

#include <evpq/loop.h>

struct cancel;
struct pg_conn;

/* Asks the server to cancel what runs on c. From the loop, once, done(owner): the request is over,
 * delivered or not. NULL without memory or thread. */
struct cancel *cancel_start(evpq_loop *loop, struct pg_conn *c, void (*done)(void *owner),
                            void *owner);

/* Gives up waiting for it; done is not called. NULL is allowed. Not after done. */
void cancel_abandon(struct cancel *k);

#endif
