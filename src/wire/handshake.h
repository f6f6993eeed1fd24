/* handshake.h - a step of connecting in which libpq may compute for the server.
 *
 * SCRAM has the client hash the password as often as the server says (RFC 5802): 4,096 times take
 * some milliseconds, a million a second. libpq does that within PQconnectPoll. Such a step is taken
 * in a thread, which has the connection to itself meanwhile. */
#ifndef WIRE_HANDSHAKE_H
#define WIRE_HANDSHAKE_H

#include "libpq/pq.h"

#include <evpq/loop.h>

/* What the next step may cost, as far as can be seen from the bytes that have arrived. */
enum handshake_cost {
    HANDSHAKE_CHEAP,
    HANDSHAKE_COSTLY, /* or it cannot be seen: they are encrypted, or not whole */
    HANDSHAKE_ABSURD, /* more than anybody means: *ret_iterations */
};
enum handshake_cost handshake_cost(struct pg_conn *c, long *ret_iterations);

struct handshake;

/* Takes the step in a thread; then, from the loop, done(owner, what PQconnectPoll gave). `c` is the
 * thread's until then, and its notices are told to `listener` before that. NULL: no thread is to be
 * had, or too many are still at work for those that have given up. */
struct handshake *handshake_start(evpq_loop *loop, struct pg_conn *c, struct pq_listener *listener,
                                  void (*done)(void *owner, enum pq_poll), void *owner);

/* Nobody waits for it any more: the connection, which it takes, is closed when the thread is
 * through. NULL is allowed. */
void handshake_abandon(struct handshake *h);

#endif
