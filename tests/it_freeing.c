/* it_freeing.c - F42: within each kind of callback, anything may be closed, let go of, canceled or
 * asked for; every other callback is called once all the same. Meant to be run under
 * AddressSanitizer. */
#include "support/pools.h"

#include "support/seen.h"

#include <string.h>

/* Where it is done. */
enum kind {
    QUERY_DONE,
    QUERY_FAILED,
    QUERY_TIMED_OUT,
    LEASE_GOT,
    LEASE_QUERY_DONE,
    DRAINED,
    CONNECTED,
    CLOSED,
    THEN,
    NOTICE,
    AFTER_CONNECT,
    BEFORE_ACQUIRE,
    AFTER_RELEASE,
    KINDS
};

/* What is done there. */
enum action {
    CLOSE_NOW,
    CLOSE_IN_THE_END,
    UNREF_POOL,
    UNREF_FUTURES,
    CANCEL_ALL,
    SUBMIT,
    RELEASE,
    RESIZE,
    EVERYTHING,
    ACTIONS
};

enum { FUTURES = 40 };

static struct world {
    enum kind kind;
    enum action action;
    int acted;
    int n;
    evpq_future *fs[FUTURES];
    struct seen seen[FUTURES];
    evpq_lease *lease;
} w;

/* ---- the actions ---- */

/* Keeps a future, and counts the calls of its callback. */
static evpq_future *keep(evpq_future *f)
{
    ck_assert_int_lt(w.n, FUTURES);
    seen_watch(f, &w.seen[w.n]);
    return w.fs[w.n++] = f;
}

static void release(void)
{
    evpq_lease *lease = w.lease;
    w.lease = NULL;
    evpq_lease_release(lease);
}

static void submit(void)
{
    if (!pool)
        return;
    keep(query("select 1"));
    keep(evpq_pool_drain(pool));
    if (w.lease)
        keep(query_on(w.lease, "select 2"));
}

static void cancel_all(void)
{
    for (int i = 0; i < w.n; i++)
        if (w.fs[i])
            evpq_future_cancel(w.fs[i]);
}

static void unref_futures(void)
{
    for (int i = 0; i < w.n; i++)
        w.fs[i] = evpq_future_unref(w.fs[i]);
}

static void act(enum action action)
{
    switch (action) {
    case CLOSE_NOW:
    case CLOSE_IN_THE_END:
        if (pool)
            keep(evpq_pool_close(pool, action == CLOSE_NOW ? 0 : -1));
        break;
    case UNREF_POOL:
        pool = evpq_pool_unref(pool);
        break;
    case UNREF_FUTURES:
        unref_futures();
        break;
    case CANCEL_ALL:
        cancel_all();
        break;
    case SUBMIT:
        submit();
        break;
    case RELEASE:
        release();
        break;
    case RESIZE:
        if (pool)
            ck_assert_int_eq(evpq_pool_resize(pool, 0, 1), EVPQ_OK);
        break;
    default:
        submit();
        act(CLOSE_NOW);
        cancel_all();
        release();
        unref_futures();
        act(UNREF_POOL);
        break;
    }
}

static void act_in(enum kind kind)
{
    if (kind == w.kind && !w.acted++)
        act(w.action);
}

/* ---- the callbacks ---- */

static void on_query_done(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(QUERY_DONE);
}

static void on_query_failed(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(QUERY_FAILED);
}

static void on_timed_out(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(QUERY_TIMED_OUT);
}

static void on_lease_query(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(LEASE_QUERY_DONE);
    release();
}

static void on_lease(evpq_future *f, void *arg)
{
    (void)arg;
    w.lease = evpq_future_lease(f);
    act_in(LEASE_GOT);
    if (!w.lease)
        return;
    evpq_future *asked = query_on(w.lease, "select 3");
    evpq_future_on_done(asked, on_lease_query, NULL);
    keep(asked);
}

static void on_drained(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(DRAINED);
}

static void on_connected(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(CONNECTED);
}

static void on_closed(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    act_in(CLOSED);
}

static evpq_future *and_then(evpq_future *f, void *arg)
{
    (void)arg;
    act_in(THEN);
    return evpq_future_ref(f);
}

static void on_notice(const evpq_error *notice, void *arg)
{
    (void)arg;
    ck_assert_str_eq(evpq_error_message(notice), "hear");
    act_in(NOTICE);
}

static evpq_future *after_connect(evpq_lease *lease, void *arg)
{
    (void)arg;
    act_in(AFTER_CONNECT);
    return query_on(lease, "select 'hello'");
}

static evpq_future *before_acquire(evpq_lease *lease, void *arg)
{
    (void)arg;
    act_in(BEFORE_ACQUIRE);
    return query_on(lease, "select 'have it'");
}

static evpq_future *after_release(evpq_lease *lease, void *arg)
{
    (void)arg;
    act_in(AFTER_RELEASE);
    return query_on(lease, "select 'bye'");
}

/* ---- the tests ---- */

static void begin(void)
{
    static const struct {
        const char *sql;
        evpq_done_fn *fn;
    } queries[] = {
        {"select 1", on_query_done},
        {"select 1 / (i - i) from generate_series(1, 1) i", on_query_failed},
        {"do $$ begin raise notice 'hear'; end $$", NULL},
        {"select pg_sleep(0.005)", NULL},
        {"select 2", NULL},
    };
    open_pool(.max_size = 2, .after_connect = after_connect, .before_acquire = before_acquire,
              .after_release = after_release, .on_notice = on_notice);
    evpq_future *f = evpq_pool_connect(pool);
    evpq_future_on_done(f, on_connected, NULL);
    keep(f);
    f = evpq_timeout(query("select pg_sleep(60)"), 0.03);
    evpq_future_on_done(f, on_timed_out, NULL);
    keep(f);
    f = evpq_pool_acquire(pool);
    evpq_future_on_done(f, on_lease, NULL);
    keep(f);
    for (int i = 0; i < 5; i++) {
        f = query(queries[i].sql);
        if (queries[i].fn)
            evpq_future_on_done(f, queries[i].fn, NULL);
        keep(f);
    }
    keep(evpq_then(query("select 4"), and_then, NULL));
    f = evpq_pool_drain(pool);
    evpq_future_on_done(f, on_drained, NULL);
    keep(f);
    if (w.kind == CLOSED) {
        f = evpq_pool_close(pool, -1);
        evpq_future_on_done(f, on_closed, NULL);
        keep(f);
    }
}

static bool all_called(void)
{
    for (int i = 0; i < w.n; i++)
        if (!w.seen[i].calls)
            return false;
    return true;
}

START_TEST(f42_anything_within_any_callback)
{
    memset(&w, 0, sizeof w);
    w.kind = (enum kind)(_i / ACTIONS);
    w.action = (enum action)(_i % ACTIONS);
    begin();
    ck_assert_msg(RUN_UNTIL(evpq_loop_ev(loop), all_called(), 10),
                  "kind %d, action %d: not all are called", (int)w.kind, (int)w.action);
    release();
    pools_end();
    ck_assert_int_eq(w.acted > 0, 1);
    for (int i = 0; i < w.n; i++) {
        ck_assert_msg(w.seen[i].calls == 1, "kind %d, action %d: future %d called %d times",
                      (int)w.kind, (int)w.action, i, w.seen[i].calls);
        evpq_future_unref(w.fs[i]);
    }
}
END_TEST

/* The same for a lease's own end: it is released, or its pool closed, while its connection dies. */
static void let_go(evpq_future *f, void *arg)
{
    (void)f;
    w.seen[0].calls++;
    if (arg)
        pool = evpq_pool_unref(pool);
    release();
}

START_TEST(f42_a_lease_is_released_as_its_connection_is_lost)
{
    memset(&w, 0, sizeof w);
    open_pool(.max_size = 1);
    w.lease = lease_get();
    evpq_future *fs[] = {query_on(w.lease, "select pg_sleep(60)"), query_on(w.lease, "select 2"),
                         query("select 3")};
    evpq_future_on_done(fs[0], let_go, _i ? &w : NULL);
    ck_running(1);
    server_kill_backends(pools_app());
    for (int i = 0; i < 3; i++) {
        evpq_status status = evpq_await(fs[i]);
        ck_assert_int_eq(status == EVPQ_OK, i == 2);
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_eq(w.seen[0].calls, 1);
    ck_assert_ptr_null(w.lease);
    pools_end();
}
END_TEST

/* The loop's last reference goes within a callback, too. */
static void unref_loop(evpq_future *f, void *arg)
{
    evpq_pool *mine = *(evpq_pool **)arg;
    evpq_future_ref(f);
    evpq_future_unref(f);
    evpq_pool_unref(mine);
    evpq_loop_unref(loop);
}

START_TEST(f42_loop_and_pool_go_within_a_callback)
{
    struct ev_loop *ev = ev_loop_new(EVFLAG_AUTO);
    loop = evpq_loop_new(ev);
    evpq_pool *mine = evpq_pool_open(loop, server_conninfo(SERVER_UNIX, NULL), NULL, NULL);
    evpq_future *f = evpq_pool_query(mine, "select 1", EVPQ_ARGS());
    evpq_future_on_done(f, unref_loop, &mine);
    evpq_future_unref(f);
    ev_run(ev, 0); /* returns when all is closed */
    ev_loop_destroy(ev);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("freeing");
    CHECK_ADD_LOOP(c, f42_anything_within_any_callback, (int)KINDS * (int)ACTIONS);
    CHECK_ADD_LOOP(c, f42_a_lease_is_released_as_its_connection_is_lost, 2);
    CHECK_ADD(c, f42_loop_and_pool_go_within_a_callback);
    return check_end(c);
}
