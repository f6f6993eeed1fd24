/* result.h - a libpq result as an evpq_result; reading it is the public header's business. */
#ifndef LIBPQ_RESULT_H
#define LIBPQ_RESULT_H

#include <evpq/result.h>

struct pg_result; /* libpq's */

struct recycler;

/* Takes `pg`, whose data is not copied. Given: hand it back with evpq_result_unref. NULL when there
 * is no memory; `pg` is cleared then too. The block is from, and goes back to, `blocks` (may be
 * NULL). */
evpq_result *result_wrap(struct pg_result *pg, struct recycler *blocks);

#endif
