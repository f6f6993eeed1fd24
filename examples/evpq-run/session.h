/* session.h - how one statement is sent: to any connection of the pool, to one of its own, or, with
 * one job, to the session that all statements share. */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "buf.h"
#include "source.h"

#include <evpq/evpq.h>
#include <stdbool.h>

struct session {
    evpq_loop *loop; /* borrowed, as the pool is */
    evpq_pool *pool;
    bool single;       /* one for all statements */
    evpq_lease *lease; /* that one */
    bool touched;      /* it has what another one would not: settings, temporary tables, ... */
};

/* What one job sends, until its future has settled. */
struct sending {
    struct session *session;
    const struct item *item; /* borrowed */
    struct buf copied;       /* what COPY ... TO STDOUT gave */
    evpq_future *answer;
    bool is_task;
};

/* The answer is owned by `s`, and replaces the last one. `seconds` is how long it may take; 0: any
 * time. */
void sending_begin(struct sending *s, struct session *session, const struct item *item,
                   double seconds);

/* Asks it to stop; the answer settles when it has. */
void sending_cancel(struct sending *s);

/* Lets go of a session that is lost. False when that had what another one would not have: nothing
 * may be run any more. */
bool session_check(struct session *session);

void session_close(struct session *session);

#endif
