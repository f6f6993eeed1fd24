/* it_fork.c - a process with a pool forks: the child's calls fail, whatever they are, and its end
 * sends nothing; the parent goes on with the same connections (F47). */
#include "support/pools.h"

#include "pool/pool.h"
#include "support/child.h"
#include "support/names.h"
#include "support/proxy.h"
#include "support/seen.h"

#include <stdio.h>
#include <string.h>

/* ---- what there is when the process forks ---- */

static evpq_lease *lease;                                       /* in a transaction */
static evpq_future *answered, *running, *many, *lent, *waiting; /* `lent`: a lease not taken out */
static struct seen seen;
static char pids[80];

/* The pool's server processes. */
static const char *server_pids(void)
{
    return server_text(strf("select string_agg(pid::text, ' ' order by pid) from pg_stat_activity"
                            " where application_name = '%s'",
                            pools_app()));
}

static void ck_same_pids(void)
{
    ck_assert_str_eq(server_pids(), pids);
    ck_assert_uint_eq(stats().lost + stats().connect_failures + stats().retired, 0);
}

/* Four connections: one leased, one lent, one at work, and one idle. */
static void make_a_scene(void)
{
    evpq_lease *ls[] = {lease_get(), lease_get(), lease_get(), lease_get()};
    lease = ls[0];
    for (int i = 1; i < 4; i++)
        evpq_lease_release(ls[i]);
    ck_until(stats().idle == 3);
    exec_on(lease, "begin");
    exec_on(lease, "create temp table mine (i int)");
    answered = query("select 'an answer'");
    ck_await_ok(answered);
    lent = evpq_pool_acquire(pool);
    ck_await_ok(lent);
    running = query("select 42, pg_sleep(1)");
    ck_running(1);
    ck_assert_int_eq(stats().idle, 1);
    snprintf(pids, sizeof pids, "%s", server_pids());
}

/* The idle one has something to do, and one who waits gets none. */
static void fill_the_queue(void)
{
    many = evpq_timeout(query("select 43, pg_sleep(0.1)"), 10);
    waiting = evpq_pool_acquire(pool);
    seen_watch(many, &seen);
}

static void ck_int_answer(evpq_future *f, int want)
{
    ck_await_ok(f);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(f), 0, 0), want);
}

static void ask_many(void)
{
    evpq_future *each[40];
    for (int i = 0; i < 40; i++)
        each[i] = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(i));
    for (int i = 0; i < 40; i++) {
        ck_int_answer(each[i], i);
        evpq_future_unref(each[i]);
    }
}

/* The parent's answers are right, on the connections that it had. */
static void clear_the_scene(void)
{
    ck_int_answer(running, 42);
    if (many) {
        ck_int_answer(many, 43);
        ck_assert_int_eq(seen.calls, 1);
        ck_await_ok(waiting);
    }
    exec_on(lease, "insert into mine values (1), (2)");
    ck_assert_int_eq(ask_on(lease, "select count(*) from mine"), 2);
    ck_assert(lease_in_transaction(lease));
    exec_on(lease, "rollback");
    lease = evpq_lease_release(lease);
    evpq_future **fs[] = {&answered, &running, &many, &lent, &waiting};
    for (size_t i = 0; i < sizeof fs / sizeof *fs; i++)
        *fs[i] = evpq_future_unref(*fs[i]);
    ck_quiet();
    ask_many();
    ck_same_pids();
}

/* ---- what a child tries ---- */

static void ck_forked(evpq_future *f)
{
    ck_future_status(f, EVPQ_FORKED);
    ck_assert_int_eq(evpq_await(f), EVPQ_FORKED);
    evpq_future_unref(f);
}

static void asks_for_everything(void)
{
    evpq_error *error;
    ck_forked(query("select 1"));
    ck_forked(evpq_pool_read(pool, "select 1", EVPQ_ARGS()));
    ck_forked(evpq_timeout(query("select 1"), 1));
    ck_forked(query_on(lease, "select 1"));
    ck_forked(evpq_pool_acquire(pool));
    ck_forked(evpq_pool_connect(pool));
    ck_forked(evpq_pool_drain(pool));
    ck_forked(evpq_pool_close(pool, 0));
    ck_forked(evpq_pool_close(pool, -1));
    ck_assert_int_eq(evpq_pool_resize(pool, 0, 1), EVPQ_FORKED);
    ck_assert_ptr_null(evpq_pool_open(loop, server_conninfo(SERVER_UNIX, NULL), NULL, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_FORKED);
    evpq_error_unref(error);
    ck_assert_int_eq(evpq_await(running), EVPQ_FORKED);
    evpq_loop_run(loop);
    ck_future_pending(running);
}

static void reads_what_it_can(void)
{
    ck_await_ok(answered);
    ck_assert_str_eq(evpq_result_text(evpq_future_result(answered), 0, 0), "an answer");
    ck_assert_int_ne(evpq_lease_backend_pid(lease), 0);
    ck_assert_int_eq(stats().leased, 2);
}

/* What is in flight on leases, or would be if the loop ran. */
static int n_on_leases(void)
{
    int n = 0;
    list_each(node, &pool->conns[POOL_CONN_LEASED])
        n += pipeline_depth(&container_of(node, struct pool_conn, node)->conn.pipeline);
    return n;
}

static void cancels_and_lets_go(void)
{
    evpq_future *fs[] = {answered, running, many, waiting, lent};
    int on_leases = n_on_leases();
    evpq_lease_release(evpq_future_lease(lent));
    for (size_t i = 0; i < sizeof fs / sizeof *fs; i++) {
        evpq_future_cancel(fs[i]);
        evpq_future_unref(fs[i]);
    }
    evpq_lease_release(lease);
    ck_assert_int_eq(n_on_leases(), on_leases);
    evpq_pool_unref(pool);
    evpq_loop_unref(loop);
}

static void lets_go_of_a_lease_with_its_future(void)
{
    evpq_future_unref(lent);
}

static void does_nothing(void)
{
}

static void runs_the_ev_loop(void)
{
    ev_loop_fork(evpq_loop_ev(loop));
    ev_run(evpq_loop_ev(loop), 0); /* returns: all on it was the parent's */
    ck_assert_int_eq(seen.calls, 0);
}

/* What the parent has stays in reach: it is no leak. */
static volatile struct {
    evpq_loop *loop;
    evpq_pool *pool;
} of_parent;

static void has_a_pool_of_its_own(void)
{
    of_parent.loop = loop;
    of_parent.pool = pool;
    open_pool(.max_size = 2);
    ask_many();
    evpq_lease *own = lease_get();
    ck_assert_int_eq(ask_on(own, "select 8"), 8);
    evpq_lease_release(own);
    pools_end();
}

static void does_it_all(void)
{
    asks_for_everything();
    reads_what_it_can();
    cancels_and_lets_go();
    runs_the_ev_loop();
    has_a_pool_of_its_own();
}

static void (*const bodies[])(void) = {
    does_nothing,
    asks_for_everything,
    reads_what_it_can,
    cancels_and_lets_go,
    lets_go_of_a_lease_with_its_future,
    runs_the_ev_loop,
    has_a_pool_of_its_own,
    does_it_all,
};
enum { BODIES = sizeof bodies / sizeof *bodies };

/* ---- between two turns ---- */

static const enum server_path paths[] = {SERVER_UNIX, SERVER_TCP, SERVER_TLS};
enum { PATHS = 3 };

static bool can_go(enum server_path path)
{
    return path != SERVER_TLS || server_has_tls();
}

START_TEST(f47_a_childs_calls_fail_and_its_end_sends_nothing)
{
    for (int i = 0; i < PATHS; i++) {
        if (!can_go(paths[i]))
            continue;
        open_pool_at(server_conninfo(paths[i], NULL), .max_size = 4);
        make_a_scene();
        if (paths[i] != SERVER_UNIX)
            fill_the_queue();
        child_run(bodies[_i], child_ends[(_i + i) % CHILD_ENDS]);
        clear_the_scene();
        pools_end();
    }
}
END_TEST

START_TEST(f47_not_a_byte_of_a_childs_reaches_the_server)
{
    struct proxy *p = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), .max_size = 4);
    make_a_scene();
    struct proxy_stats before = proxy_stats(p);
    child_run(asks_for_everything, exit);
    child_run(cancels_and_lets_go, exit);
    child_run(does_it_all, _exit);
    usleep(50000); /* time for a byte to arrive, if there is one */
    struct proxy_stats after = proxy_stats(p);
    ck_assert_uint_eq(after.bytes[PROXY_TO_SERVER], before.bytes[PROXY_TO_SERVER]);
    ck_assert_int_eq(after.open, before.open);
    ck_assert_int_eq(after.cancels, 0);
    clear_the_scene();
    pools_end();
    proxy_stop(p);
}
END_TEST

/* A child that lives on, with a timer of its own on the ev loop that both had, while the parent
 * works and in the end closes its connections. */
static void stops(struct ev_loop *ev, ev_io *w, int events)
{
    (void)w, (void)events;
    ev_break(ev, EVBREAK_ALL);
}

static void ticks(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev, (void)w, (void)events;
}

START_TEST(f47_a_child_that_goes_on_takes_no_answers)
{
    int ends[2];
    open_pool(.max_size = 4);
    make_a_scene();
    fill_the_queue();
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        struct ev_loop *ev = evpq_loop_ev(loop);
        ev_timer timer;
        ev_io told;
        close(ends[1]);
        ev_loop_fork(ev);
        ev_timer_init(&timer, ticks, 0, 0.002);
        ev_timer_start(ev, &timer);
        ev_io_init(&told, stops, ends[0], EV_READ);
        ev_io_start(ev, &told);
        ev_run(ev, 0);
        ck_assert_int_eq(seen.calls, 0);
        _exit(0);
    }
    close(ends[0]);
    clear_the_scene();
    pools_end();
    close(ends[1]);
    child_wait(child);
}
END_TEST

/* ---- in the middle of things ---- */

/* Look-ups and handshakes, queries, a cancel request and resets, each half done at some turn. */
START_TEST(f47_a_process_may_fork_at_any_turn)
{
    int forks = 0;
    bool canceled = false;
    if (!can_go(paths[_i]))
        return;
    names_set(&(struct name){.host = "slow", .delay = 0.02, .addresses = "127.0.0.1"});
    open_pool_at(paths[_i] == SERVER_TCP
                     ? strf("host=slow port=%d user=%s dbname=%s", server_port(), getenv("PGUSER"),
                            getenv("PGDATABASE"))
                     : server_conninfo(paths[_i], NULL),
                 .max_size = 2);
    answered = query("select 1");
    running = query("select 2, pg_sleep(30)");
    lent = evpq_pool_acquire(pool);
    many = evpq_timeout(evpq_pool_read(pool, "select 3", EVPQ_ARGS()), 20);
    while (!canceled || !is_quiet()) {
        child_run(cancels_and_lets_go, _exit);
        forks++;
        ev_run(evpq_loop_ev(loop), EVRUN_ONCE);
        if (!canceled && evpq_future_status(lent) == EVPQ_OK) {
            ck_running(1);
            lent = evpq_future_unref(lent);
            evpq_future_cancel(running);
            canceled = true;
        }
    }
    ck_assert_int_ge(forks, 5);
    ck_done(answered);
    ck_done(many);
    ck_failed(running, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_assert_uint_eq(stats().lost + stats().connect_failures, 0);
    pools_end();
    names_reset();
}
END_TEST

static pid_t child = -1;

static void forks(evpq_future *f, void *arg)
{
    (void)f, (void)arg;
    child = fork();
}

/* The callback is that of the first answer, one amid others, and the last. */
START_TEST(f47_a_child_of_a_callback_reads_and_sends_nothing_more)
{
    static const int which[] = {0, 14, 29};
    evpq_future *fs[30];
    open_pool(.max_size = 1);
    ask("select 1");
    for (int i = 0; i < 30; i++)
        fs[i] = evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(i));
    evpq_future_on_done(fs[which[_i]], forks, NULL);
    evpq_status status = evpq_await(fs[29]);
    if (!child)
        exit(status != (which[_i] == 29 ? EVPQ_OK : EVPQ_FORKED));
    child_wait(child);
    for (int i = 0; i < 30; i++) {
        ck_int_answer(fs[i], i);
        evpq_future_unref(fs[i]);
    }
    ck_assert_int_eq(stats().connects, 1);
    pools_end();
}
END_TEST

static evpq_future *hook_forks(evpq_lease *l, void *arg)
{
    (void)arg;
    if (child < 0)
        child = fork();
    return query_on(l, "select 1");
}

/* There the hook's future has failed, which is no reason to close the connection. */
START_TEST(f47_a_child_of_a_hook_falls_out_of_the_loop)
{
    if (_i)
        open_pool(.max_size = 1, .before_acquire = hook_forks);
    else
        open_pool(.max_size = 1, .after_connect = hook_forks);
    lent = evpq_pool_acquire(pool);
    evpq_status status = evpq_await(lent);
    if (!child)
        exit(status != EVPQ_FORKED);
    child_wait(child);
    ck_assert_int_eq(status, EVPQ_OK);
    evpq_future_unref(lent);
    ck_quiet();
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("fork");
    CHECK_ADD_LOOP(c, f47_a_childs_calls_fail_and_its_end_sends_nothing, BODIES);
    CHECK_ADD(c, f47_not_a_byte_of_a_childs_reaches_the_server);
    CHECK_ADD(c, f47_a_child_that_goes_on_takes_no_answers);
    CHECK_ADD_LOOP(c, f47_a_process_may_fork_at_any_turn, PATHS);
    CHECK_ADD_LOOP(c, f47_a_child_of_a_callback_reads_and_sends_nothing_more, 3);
    CHECK_ADD_LOOP(c, f47_a_child_of_a_hook_falls_out_of_the_loop, 2);
    return check_end(c);
}
