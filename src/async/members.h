/* members.h - what is done with the futures that a combinator of many was handed. */
#ifndef ASYNC_MEMBERS_H
#define ASYNC_MEMBERS_H

#include "async/future.h"

/* The loop of the first member that has one; NULL: none has, or there are no members. */
evpq_loop *members_loop(evpq_future *const *fs, size_t n);

/* Whether no member is of another loop. */
bool members_all_on(evpq_loop *loop, evpq_future *const *fs, size_t n);

/* Nothing can be made of them: the members, which are ours by now, are stopped and let go of, as
 * nobody else could. What became of all of them together: NOT_SENT or UNKNOWN. */
evpq_outcome members_give_up(evpq_future *const *fs, size_t n);

/* The same where they are of several loops: a failure on `loop` that says so. Given. */
evpq_future *members_differ(evpq_loop *loop, evpq_future *const *fs, size_t n);

#endif
