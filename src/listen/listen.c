/* listen.c - the public face of a listener, and its options. */
#include "listen/listener.h"

#include "base/mem.h"
#include "libpq/conninfo.h"
#include "ops/query.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <math.h>

#define CANCEL_TIMEOUT 5.0 /* seconds that a canceled catch-up may take to end, and a LISTEN */

/* ---- options ---- */

static evpq_error *listener_opts_wrong(const char *what)
{
    return opts_wrong("evpq_listener_opts", what);
}

static evpq_error *listener_opts_check(const evpq_listener_opts *o)
{
    const double times[] = {o->connect_timeout, o->backoff_min, o->backoff_max, o->keepalive,
                            o->keepalive_timeout};
    evpq_error *error = opts_check_times("evpq_listener_opts", times, sizeof times / sizeof *times);
    if (error)
        return error;
    if (o->connect_timeout <= 0 || o->backoff_min <= 0 || o->backoff_max < o->backoff_min ||
        o->keepalive_timeout <= 0)
        return listener_opts_wrong(
            "connect_timeout, keepalive_timeout and the backoff must be positive, and "
            "backoff_max not below backoff_min");
    if (o->buffer < 0)
        return listener_opts_wrong("buffer cannot be negative");
    return NULL;
}

static evpq_error *listener_opts_read(const evpq_listener_opts *given, double conninfo_timeout,
                                      evpq_listener_opts *ret_opts)
{
    evpq_listener_opts o;
    evpq_error *error = opts_read(OPTS_KIND(evpq_listener_opts, connect_timeout), given, &o);
    if (error)
        return error;
    opts_default_seconds(&o.connect_timeout, conninfo_timeout > 0 ? conninfo_timeout : 10);
    opts_default_seconds(&o.backoff_min, 0.1);
    opts_default_seconds(&o.backoff_max, o.backoff_min > 5 ? o.backoff_min : 5);
    opts_default_seconds(&o.keepalive, 30);
    opts_default_seconds(&o.keepalive_timeout, 10);
    opts_default_int(&o.buffer, 10000);
    if (!o.buffer_bytes)
        o.buffer_bytes = (size_t)16 << 20;
    *ret_opts = o;
    return listener_opts_check(&o);
}

/* ---- opening ---- */

static void listener_set_up(evpq_listener *l, evpq_loop *loop, struct conninfo *conninfo)
{
    double wait = l->opts.keepalive_timeout;
    l->refs = 2; /* the program's, and its own until it is closed */
    l->users = 1;
    l->loop = evpq_loop_ref(loop);
    l->conninfo = conninfo;
    rng_init(&l->rng);
    l->config = (struct conn_config){
        .loop = loop,
        .conninfo = conninfo,
        .rng = &l->rng,
        .connect_timeout = l->opts.connect_timeout,
        .cancel_timeout = wait > CANCEL_TIMEOUT ? wait : CANCEL_TIMEOUT,
    };
    map_init(&l->channels);
    list_init(&l->all_channels);
    list_init(&l->closings);
    link_init(l);
}

evpq_listener *evpq_listener_open(evpq_loop *loop, const char *conninfo,
                                  const evpq_listener_opts *opts, evpq_error **ret_error)
{
    struct conninfo *read = NULL;
    evpq_listener_opts filled;
    evpq_listener *l = NULL;
    evpq_error *error = NULL;
    if (loop_check(loop))
        error = evpq_error_ref(loop_refusal(loop));
    if (!error)
        error = conninfo_read(conninfo, &read);
    if (!error)
        error = listener_opts_read(opts, read->connect_timeout, &filled);
    if (!error && !(l = mem_zalloc(sizeof *l)))
        error = evpq_error_ref(error_nomem());
    if (error) {
        conninfo_free(read);
        return error_give_up(error, ret_error);
    }
    l->opts = filled;
    listener_set_up(l, loop, read);
    loop_hold(loop);
    link_dial(l);
    return l;
}

evpq_listener *evpq_listener_ref(evpq_listener *l)
{
    if (l)
        l->users++;
    return l;
}

static evpq_future *close_listener(evpq_listener *l);

evpq_listener *evpq_listener_unref(evpq_listener *l)
{
    if (!l || loop_elsewhere(l->loop) || --l->users)
        return NULL;
    if (!l->closing && !loop_forked(l->loop))
        evpq_future_unref(close_listener(l));
    listener_unref(l);
    return NULL;
}

/* ---- using ---- */

static evpq_error *listener_refusal(const evpq_listener *l, const char *sql)
{
    if (l->closing)
        return listener_closed_error();
    return error_build(&(struct error_fields){
        .status = EVPQ_LOST,
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = "the listener has no connection at the moment",
        .sql = sql,
    });
}

evpq_future *evpq_listener_query(evpq_listener *l, const char *sql, evpq_args args)
{
    if (listener_check(l))
        return listener_refused(l);
    if (!l->open)
        return future_failed(l->loop, listener_refusal(l, sql));
    evpq_future *f = query_new(l->loop, sql, &args, NULL);
    struct query *q = query_of_new(f);
    if (!q)
        return f;
    if (q->preparable) {
        query_submit(q, l->conn);
        return f;
    }
    query_fail(q, error_build(&(struct error_fields){
                      .status = EVPQ_INVALID,
                      .outcome = EVPQ_OUTCOME_NOT_SENT,
                      .message = "a listener runs queries alone",
                      .hint = "SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE or WITH",
                      .sql = sql,
                  }));
    return f;
}

int evpq_listener_backend_pid(const evpq_listener *l)
{
    return l && l->open ? conn_backend_pid(l->conn) : 0;
}

/* ---- the end ---- */

static evpq_future *close_listener(evpq_listener *l)
{
    evpq_future *f = listener_wait_closed(l);
    listener_ref(l);
    if (!l->closing) {
        l->closing = true;
        link_close(l);
        listen_channels_close(l);
    }
    listener_conn_freed(l);
    listener_unref(l);
    return f;
}

evpq_future *evpq_listener_close(evpq_listener *l)
{
    return listener_check(l) ? listener_refused(l) : close_listener(l);
}
