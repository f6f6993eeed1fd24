/* opts.h - a pool's options, checked, with defaults in place of zeros. */
#ifndef POOL_OPTS_H
#define POOL_OPTS_H

#include <evpq/pool.h>

/* `given` may be NULL. Returns NULL, or the error, given. `conninfo_timeout`: 0 where the
 * connection string has none. */
evpq_error *pool_opts_read(const evpq_pool_opts *given, double conninfo_timeout,
                           evpq_pool_opts *ret_opts);

#endif
