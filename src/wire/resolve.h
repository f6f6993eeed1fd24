/* resolve.h - a host name's addresses, looked up off the loop's thread. */
#ifndef WIRE_RESOLVE_H
#define WIRE_RESOLVE_H

#include <evpq/loop.h>
#include <stdbool.h>

enum { RESOLVE_ADDRESS_SIZE = 64, RESOLVE_MOST = 32 };

/* Numeric addresses in the resolver's order, without repetition. */
struct addresses {
    int n;
    char is[RESOLVE_MOST][RESOLVE_ADDRESS_SIZE];
};

/* Whether `host` is a numeric address already; then *ret_found holds it. Does not wait. */
bool resolve_literal(const char *host, struct addresses *ret_found);

struct resolve;

/* Looks up `host` (copied). From the loop, once: done(owner, found, why): `why` is NULL, or what
 * the resolver said. Both are borrowed for the call. NULL without memory or thread. */
typedef void resolve_done_fn(void *owner, const struct addresses *found, const char *why);
struct resolve *resolve_start(evpq_loop *loop, const char *host, resolve_done_fn *done,
                              void *owner);

/* Nobody waits any more: done will not be called. NULL is allowed. Not after done. */
void resolve_abandon(struct resolve *r);

#endif
