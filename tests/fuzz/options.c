/* options.c - a pool with any options at all: refused with a reason, or opened, and then it closes. */
#include "fuzz/fuzz.h"

#include <evpq/evpq.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Of a later version's struct, whose size it may give, the library reads as much. */
    enum { LATER = 8192 };
    static union {
        evpq_pool_opts opts;
        uint8_t bytes[LATER];
    } given;
    bool any_size = fuzz_byte(&data, &size) & 1;
    memset(&given, 0, sizeof given);
    memcpy(given.bytes, data, size < LATER ? size : LATER);
    if (!any_size)
        given.opts.size = sizeof given.opts;
    given.opts.after_connect = NULL;
    given.opts.before_acquire = NULL;
    given.opts.after_release = NULL;
    given.opts.on_notice = NULL;
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_error *error = NULL;
    evpq_pool *pool = evpq_pool_open(loop, "host=/nonexistent", &given.opts, &error);
    FUZZ_HOLDS(!pool == !!error);
    if (error) {
        FUZZ_HOLDS(evpq_error_status(error) == EVPQ_INVALID);
        FUZZ_HOLDS(evpq_error_outcome(error) == EVPQ_OUTCOME_NOT_SENT);
        FUZZ_HOLDS(strlen(evpq_error_message(error)) > 10);
        evpq_error_unref(error);
    } else {
        evpq_future *f = evpq_pool_query(pool, "select 1", EVPQ_ARGS());
        evpq_future *closed = evpq_pool_close(pool, 0);
        FUZZ_HOLDS(evpq_await(closed) == EVPQ_OK);
        FUZZ_HOLDS(evpq_future_status(f) != EVPQ_OK && evpq_future_status(f) != EVPQ_PENDING);
        evpq_future_unref(f);
        evpq_future_unref(closed);
        evpq_pool_unref(pool);
    }
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return 0;
}
