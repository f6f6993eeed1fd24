/*
 * The options of a test's pools. Where a test leaves pipeline_depth at 0, whether its queries ride
 * behind each other must not matter to it: EVPQ_TEST_PIPELINE_DEPTH, where that is set, says what
 * it is then, so that the suite can be run without pipelining. A test about riding sets a depth
 * itself.
 */
#ifndef TESTS_SUPPORT_OPTS_H
#define TESTS_SUPPORT_OPTS_H

#include <evpq/pool.h>

/* `given` may be NULL. */
evpq_pool_opts opts_of_test(const evpq_pool_opts *given);

#endif
