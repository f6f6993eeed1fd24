/* dial.h - from a conninfo to an established connection, without blocking.
 *
 * Hosts in order, each looked up when its turn comes, each address with a timer of its own
 * (PQconnectPoll has none). As with libpq's own connect, a refused password ends the attempt: other
 * hosts are not tried. */
#ifndef WIRE_DIAL_H
#define WIRE_DIAL_H

#include "base/rng.h"
#include "libpq/conninfo.h"

#include "words/why.h"
#include <evpq/loop.h>

struct dial;

/* Called from the loop, never from inside dial_start; then the dial is gone. */
struct dial_owner {
    /* `c` is given. `turnaround`: seconds that the server's last answer took, at least the way
     * there and back. */
    void (*connected)(struct dial_owner *, struct pg_conn *c, double turnaround);
    void (*failed)(struct dial_owner *, evpq_error *why); /* given */
    /* The server's, before it is connected; given. Nothing of the dial may be touched. */
    void (*notice)(struct dial_owner *, evpq_error *notice);
};

/* `ci`, `rng` and `owner` are borrowed until then. `timeout`: seconds for each look-up and each
 * address. NULL without memory. */
struct dial *dial_start(evpq_loop *loop, const struct conninfo *ci, double timeout, struct rng *rng,
                        struct dial_owner *owner);

/* Gives up, silently. NULL is allowed. */
/* Where it is, and what went wrong before. */
void dial_why(const struct dial *d, struct why *why);

void dial_stop(struct dial *d);

#endif
