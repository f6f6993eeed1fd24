/* opts.c - one table of defaults. */
#include "pool/opts.h"

#include "words/opts_read.h"

enum { MAX_CONNECTIONS = 10000 };

static evpq_error *pool_opts_wrong(const char *what)
{
    return opts_wrong("evpq_pool_opts", what);
}

static evpq_error *pool_opts_check(const evpq_pool_opts *o)
{
    const double times[] = {o->acquire_timeout,  o->query_timeout, o->connect_timeout,
                            o->cancel_timeout,   o->idle_timeout,  o->max_lifetime,
                            o->lifetime_jitter,  o->backoff_min,   o->backoff_max,
                            o->prepared_lifetime};
    evpq_error *error = opts_check_times("evpq_pool_opts", times, sizeof times / sizeof *times);
    if (error)
        return error;
    if (o->min_size < 0 || o->max_size < 1 || o->min_size > o->max_size)
        return pool_opts_wrong("sizes must be 0 <= min_size <= max_size, and max_size at least 1");
    if (o->max_size > MAX_CONNECTIONS)
        return pool_opts_wrong("max_size is over 10000");
    if (o->max_waiting < 0 || o->pipeline_depth < 1 || o->prepared_max < 0)
        return pool_opts_wrong("max_waiting, pipeline_depth and prepared_max cannot be negative");
    if (o->connect_timeout <= 0 || o->cancel_timeout <= 0 || o->backoff_min <= 0 ||
        o->backoff_max < o->backoff_min || o->lifetime_jitter < 0)
        return pool_opts_wrong(
            "connect_timeout, cancel_timeout, lifetime_jitter and the backoff must be "
            "positive, and backoff_max not below backoff_min");
    if (o->max_lifetime > 0 && o->lifetime_jitter > o->max_lifetime)
        return pool_opts_wrong(
            "lifetime_jitter is more than max_lifetime: a connection would be too old before "
            "its first use");
    if (o->reset < EVPQ_RESET_DEFAULT || o->reset > EVPQ_RESET_FULL ||
        o->prepare < EVPQ_PREPARE_AUTO || o->prepare > EVPQ_PREPARE_OFF)
        return pool_opts_wrong("reset or prepare is none of its constants");
    return NULL;
}

evpq_error *pool_opts_read(const evpq_pool_opts *given, double conninfo_timeout,
                           evpq_pool_opts *ret_opts)
{
    evpq_pool_opts o;
    evpq_error *error = opts_read(OPTS_KIND(evpq_pool_opts, min_size), given, &o);
    if (error)
        return error;
    opts_default_int(&o.max_size, o.min_size > 10 ? o.min_size : 10);
    opts_default_int(&o.max_waiting, 100000);
    opts_default_int(&o.pipeline_depth, 128);
    opts_default_int(&o.prepared_max, 256);
    opts_default_seconds(&o.acquire_timeout, 30);
    opts_default_seconds(&o.query_timeout, -1);
    opts_default_seconds(&o.connect_timeout, conninfo_timeout > 0 ? conninfo_timeout : 10);
    opts_default_seconds(&o.cancel_timeout, 5);
    opts_default_seconds(&o.idle_timeout, 600);
    opts_default_seconds(&o.max_lifetime, 3600);
    opts_default_seconds(&o.lifetime_jitter, o.max_lifetime > 0 ? o.max_lifetime / 10 : 0);
    opts_default_seconds(&o.backoff_min, 0.1);
    opts_default_seconds(&o.prepared_lifetime, -1);
    opts_default_seconds(&o.backoff_max, o.backoff_min > 5 ? o.backoff_min : 5);
    if (!o.max_buffer_bytes)
        o.max_buffer_bytes = (size_t)4 << 20;
    error = pool_opts_check(&o);
    if (!error)
        *ret_opts = o;
    return error;
}
