/* opts.c - one table of defaults. */
#include "pool/opts.h"

#include "words/error.h"
#include "words/opts_read.h"

#include <math.h>

enum { MAX_CONNECTIONS = 10000 };

static void number(int *option, int standard)
{
    if (!*option)
        *option = standard;
}

static void seconds(double *option, double standard)
{
    if (*option == 0.)
        *option = standard;
}

static evpq_error *wrong(const char *what)
{
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "evpq_pool_opts: %s", what);
}

static evpq_error *check(const evpq_pool_opts *o)
{
    const double times[] = {o->acquire_timeout,  o->query_timeout, o->connect_timeout,
                            o->cancel_timeout,   o->idle_timeout,  o->max_lifetime,
                            o->lifetime_jitter,  o->backoff_min,   o->backoff_max,
                            o->prepared_lifetime};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (!isfinite(times[i]))
            return wrong("a time is not a finite number of seconds");
    if (o->min_size < 0 || o->max_size < 1 || o->min_size > o->max_size)
        return wrong("sizes must be 0 <= min_size <= max_size, and max_size at least 1");
    if (o->max_size > MAX_CONNECTIONS)
        return wrong("max_size is over 10000");
    if (o->max_waiting < 0 || o->pipeline_depth < 1 || o->prepared_max < 0)
        return wrong("max_waiting, pipeline_depth and prepared_max cannot be negative");
    if (o->connect_timeout <= 0 || o->cancel_timeout <= 0 || o->backoff_min <= 0 ||
        o->backoff_max < o->backoff_min || o->lifetime_jitter < 0)
        return wrong("connect_timeout, cancel_timeout, lifetime_jitter and the backoff must be "
                     "positive, and backoff_max not below backoff_min");
    if (o->max_lifetime > 0 && o->lifetime_jitter > o->max_lifetime)
        return wrong(
            "lifetime_jitter is more than max_lifetime: a connection would be too old before "
            "its first use");
    if (o->reset < EVPQ_RESET_DEFAULT || o->reset > EVPQ_RESET_FULL ||
        o->prepare < EVPQ_PREPARE_AUTO || o->prepare > EVPQ_PREPARE_OFF)
        return wrong("reset or prepare is none of its constants");
    return NULL;
}

evpq_error *opts_fill(const evpq_pool_opts *given, double conninfo_timeout,
                      evpq_pool_opts *ret_opts)
{
    evpq_pool_opts o;
    evpq_error *error = opts_read(OPTS_KIND(evpq_pool_opts, min_size), given, &o);
    if (error)
        return error;
    number(&o.max_size, o.min_size > 10 ? o.min_size : 10);
    number(&o.max_waiting, 100000);
    number(&o.pipeline_depth, 128);
    number(&o.prepared_max, 256);
    seconds(&o.acquire_timeout, 30);
    seconds(&o.query_timeout, -1);
    seconds(&o.connect_timeout, conninfo_timeout > 0 ? conninfo_timeout : 10);
    seconds(&o.cancel_timeout, 5);
    seconds(&o.idle_timeout, 600);
    seconds(&o.max_lifetime, 3600);
    seconds(&o.lifetime_jitter, o.max_lifetime > 0 ? o.max_lifetime / 10 : 0);
    seconds(&o.backoff_min, 0.1);
    seconds(&o.prepared_lifetime, -1);
    seconds(&o.backoff_max, o.backoff_min > 5 ? o.backoff_min : 5);
    if (!o.max_buffer_bytes)
        o.max_buffer_bytes = (size_t)4 << 20;
    error = check(&o);
    if (!error)
        *ret_opts = o;
    return error;
}
