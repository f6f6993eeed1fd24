/*
 * The options of a test's pools: see opts.h.
 */
#include "support/opts.h"

#include <check.h>
#include <stdlib.h>

static int depth_of_suite(void)
{
    const char *text = getenv("EVPQ_TEST_PIPELINE_DEPTH");
    char *end;
    long depth;

    if (!text || !*text)
        return 0;
    depth = strtol(text, &end, 10);
    ck_assert_msg(!*end && depth > 0 && depth <= 1000, "EVPQ_TEST_PIPELINE_DEPTH=%s", text);
    return (int)depth;
}

evpq_pool_opts opts_of_test(const evpq_pool_opts *given)
{
    evpq_pool_opts opts = given ? *given : (evpq_pool_opts){.size = sizeof opts};

    if (!opts.pipeline_depth)
        opts.pipeline_depth = depth_of_suite();
    return opts;
}
