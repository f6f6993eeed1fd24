/* pools.c - see pools.h. */
#include "support/pools.h"

#include "pool/pool.h"
#include "support/opts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

evpq_loop *loop;
evpq_pool *pool;

static char app[48];
static ev_prepare look;
static int most; /* connections */

/* ---- the rules ---- */

static void look_at_idle(struct pool_conn *p)
{
    struct conn *c = &p->conn;
    ck_assert_msg(!pipeline_depth(&c->pipeline), "idle with %d in flight",
                  pipeline_depth(&c->pipeline));
    ck_assert_msg(!conn_in_transaction(c), "idle in a transaction");
    ck_assert_msg(!c->dirty && c->state == CONN_OPEN, "idle, but not clean");
    ck_assert_msg(!p->lease, "idle, but leased");
}

void pools_look(void)
{
    if (!pool)
        return;
    if (most < pool->opts.max_size || stats_total() <= pool->opts.max_size)
        most = pool->opts.max_size; /* a resize to fewer takes its time */
    ck_assert_msg(!(stats().idle && stats().waiting), "idle and waiting: %s", stats_text());
    ck_assert_msg(stats_total() <= most, "more connections than %d: %s", most, stats_text());
    list_each(node, &pool->conns[POOL_CONN_IDLE])
        look_at_idle(container_of(node, struct pool_conn, node));
}

static void on_turn(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)ev, (void)w, (void)events;
    pools_look();
}

/* ---- life ---- */

void pools_open(const char *conninfo, const evpq_pool_opts *opts)
{
    static int number;
    evpq_error *error = NULL;
    evpq_pool_opts all = opts_of_test(opts);
    snprintf(app, sizeof app, "evpq-%ld-%d", (long)getpid(), ++number);
    loop = evpq_loop_new(NULL);
    ck_assert_ptr_nonnull(loop);
    pool = evpq_pool_open(loop, strf("%s application_name=%s", conninfo, app), &all, &error);
    ck_assert_msg(pool != NULL, "%s", evpq_error_message(error));
    most = pool->opts.max_size;
    ev_prepare_init(&look, on_turn);
    ev_prepare_start(evpq_loop_ev(loop), &look);
    ev_unref(evpq_loop_ev(loop));
}

const char *pools_app(void)
{
    return app;
}

void pools_end(void)
{
    if (pool) {
        ck_quiet();
        ck_assert_msg(stats_total() == stats().idle, "%s", stats_text());
        ck_done(evpq_timeout(evpq_pool_close(pool, -1), 10));
        ck_assert_int_eq(stats_total(), 0);
        pool = evpq_pool_unref(pool);
    }
    ev_ref(evpq_loop_ev(loop));
    ev_prepare_stop(evpq_loop_ev(loop), &look);
    evpq_loop_run(loop); /* returns only when nothing is left on it */
    loop = evpq_loop_unref(loop);
    ck_assert_msg(server_is_pooled() || server_wait_backends(app, 0, 10),
                  "the server still has backends of %s", app);
}

/* ---- the figures ---- */

evpq_pool_stats stats(void)
{
    evpq_pool_stats s = {.size = sizeof s};
    evpq_pool_get_stats(pool, &s);
    return s;
}

int stats_total(void)
{
    evpq_pool_stats s = stats();
    return s.connecting + s.idle + s.busy + s.leased + s.closing;
}

bool is_quiet(void)
{
    evpq_pool_stats s = stats();
    return !s.connecting && !s.busy && !s.leased && !s.closing && !s.waiting;
}

const char *stats_text(void)
{
    evpq_pool_stats s = stats();
    return strf("%d connecting, %d idle, %d busy, %d leased, %d closing, %d waiting; %lu queries,"
                " %lu leases, %lu connects, %lu failed, %lu lost, %lu retired",
                s.connecting, s.idle, s.busy, s.leased, s.closing, s.waiting,
                (unsigned long)s.queries, (unsigned long)s.leases, (unsigned long)s.connects,
                (unsigned long)s.connect_failures, (unsigned long)s.lost, (unsigned long)s.retired);
}

long server_runs(void)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and state = 'active' and query like '%%sleep%%'",
                             app));
}

/* ---- statements ---- */

evpq_future *query(const char *sql)
{
    return evpq_pool_query(pool, sql, EVPQ_ARGS());
}

evpq_future *query_on(evpq_lease *lease, const char *sql)
{
    return evpq_lease_query(lease, sql, EVPQ_ARGS());
}

/* Takes f. */
static const char *answer(evpq_future *f, const char *sql)
{
    evpq_status status = evpq_await(f);
    ck_assert_msg(status == EVPQ_OK, "%s: %s", sql, check_future_text(f));
    const evpq_result *r = evpq_future_result(f);
    const char *text = evpq_result_rows(r) ? evpq_result_text(r, 0, 0) : NULL;
    text = strf("%s", text ? text : "");
    evpq_future_unref(f);
    return text;
}

const char *ask_text(const char *sql)
{
    return answer(query(sql), sql);
}

long ask(const char *sql)
{
    return strtol(ask_text(sql), NULL, 10);
}

long ask_on(evpq_lease *lease, const char *sql)
{
    return strtol(answer(query_on(lease, sql), sql), NULL, 10);
}

void exec_on(evpq_lease *lease, const char *sql)
{
    answer(query_on(lease, sql), sql);
}

void fails_on(evpq_lease *lease, const char *sql, const char *sqlstate)
{
    evpq_future *f = query_on(lease, sql);
    ck_await_status(f, EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), sqlstate);
    evpq_future_unref(f);
}

evpq_lease *lease_get(void)
{
    evpq_future *f = evpq_pool_acquire(pool);
    ck_await_ok(f);
    evpq_lease *lease = evpq_future_lease(f);
    evpq_future_unref(f);
    ck_assert_ptr_nonnull(lease);
    return lease;
}

/* Outside of one there is no savepoint to be set, and in a failed one nothing at all. */
bool lease_in_transaction(evpq_lease *lease)
{
    evpq_future *f = query_on(lease, "savepoint outside");
    evpq_await(f);
    bool outside = !strcmp(evpq_error_sqlstate(evpq_future_error(f)), "25P01");
    evpq_future_unref(f);
    return !outside;
}
