/* it_why.c - the error of a deadline says what was waited for, and why that did not come (F71). */
#include "support/fake.h"
#include "support/proxy.h"
#include "support/txns.h"

#include <stdlib.h>
#include <string.h>

static void ck_says(evpq_future *f, evpq_outcome outcome, const char *const *words)
{
    ck_await_status(f, EVPQ_TIMEOUT);
    const evpq_error *error = evpq_future_error(f);
    ck_assert_msg(evpq_error_outcome(error) == outcome, "outcome %d: %s",
                  (int)evpq_error_outcome(error), evpq_error_message(error));
    for (; *words; words++)
        ck_assert_msg(strstr(evpq_error_message(error), *words), "no \"%s\" in: %s", *words,
                      evpq_error_message(error));
    evpq_future_unref(f);
}

#define SAYS(f, outcome, ...) ck_says((f), (outcome), (const char *const[]){__VA_ARGS__, NULL})

/* ---- a server that cannot be reached ---- */

static const char nowhere[] = "host=127.0.0.1 port=1 user=nobody dbname=none";

static evpq_future *asks(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    return query("select 1");
}

static evpq_future *asks_and_waits(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    evpq_future *f = query("select 1");
    evpq_await(f);
    return f;
}

static evpq_future *holds(evpq_txn *txn, void *arg)
{
    (void)arg;
    evpq_future *f = query_in(txn, "select pg_sleep(60)");
    evpq_await(f);
    return f;
}

static evpq_stream *stream;
static evpq_copy *copy;

enum { VERBS = 12 };

static evpq_future *start(int verb)
{
    const evpq_args rows[] = {EVPQ_ARGS(1), EVPQ_ARGS(2)};
    const evpq_statement two[] = {{.sql = "select 1"}, {.sql = "select 2"}};
    switch (verb) {
    case 0:
        return evpq_timeout(query("select 1"), 0.3);
    case 1:
        return evpq_timeout(evpq_pool_read(pool, "select 1", EVPQ_ARGS()), 0.3);
    case 2:
        return evpq_timeout(evpq_pool_acquire(pool), 0.3);
    case 3:
        return evpq_timeout(evpq_pool_batch(pool, two, 2), 0.3);
    case 4:
        return evpq_timeout(evpq_executemany(pool, "select $1::int", rows, 2), 0.3);
    case 5:
        return evpq_timeout(evpq_pool_begin(pool, NULL), 0.3);
    case 6:
        return evpq_transact(pool, TXN_OPTS(.timeout = 0.3), holds, NULL);
    case 7:
        stream = evpq_pool_stream(pool, "select 1", EVPQ_ARGS(), NULL);
        return evpq_timeout(evpq_stream_next(stream), 0.3);
    case 8:
        copy = evpq_pool_copy_out(pool, "copy (select 1) to stdout");
        return evpq_timeout(evpq_copy_read(copy), 0.3);
    case 9:
        return evpq_task_spawn(loop, asks, NULL, TASK_OPTS(.deadline = 0.3));
    case 10:
        return evpq_task_spawn(loop, asks_and_waits, NULL, TASK_OPTS(.deadline = 0.3));
    default: { /* two combinators around it */
        evpq_future *pair[] = {query("select 1"), evpq_future_ok(loop, NULL, NULL)};
        return evpq_timeout(evpq_shield(evpq_all(pair, 2)), 0.3);
    }
    }
}

static void stop(void)
{
    stream = evpq_stream_close(stream);
    copy = evpq_copy_close(copy);
}

START_TEST(f71_every_verb_tells_of_the_refusal)
{
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, nowhere, NULL, NULL);
    evpq_future *f = start(_i);
    ck_await_status(f, EVPQ_TIMEOUT);
    const evpq_error *error = evpq_future_error(f);
    ck_assert_msg(strstr(evpq_error_message(error), "Connection refused"), "%d: %s", _i,
                  evpq_error_message(error));
    if (_i != 8 && _i != 11) /* that read, and a shielded query, go on */
        ck_assert_msg(evpq_error_outcome(error) == EVPQ_OUTCOME_NOT_SENT, "%d: %s", _i,
                      evpq_error_message(error));
    evpq_future_unref(f);
    stop();
    evpq_future_unref(evpq_pool_close(pool, 0));
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(f71_options_tell_of_the_refusal)
{
    const evpq_pool_opts opts[] = {
        {.size = sizeof *opts, .acquire_timeout = 0.3},
        {.size = sizeof *opts, .query_timeout = 0.3},
    };
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, nowhere, &opts[_i], NULL);
    SAYS(query("select 1"), EVPQ_OUTCOME_NOT_SENT, "Connection refused", " of at most 10 open");
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(f71_the_refusals_sqlstate_is_kept)
{
    server_exec("create role why_nobody login password 'why' connection limit 0");
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(
        loop, server_conninfo(SERVER_UNIX, "user=why_nobody password=why dbname=postgres"), NULL,
        NULL);
    evpq_future *f = evpq_timeout(query("select 1"), 0.5);
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "53300");
    evpq_future_unref(f);
    f = evpq_task_spawn(loop, asks_and_waits, NULL, TASK_OPTS(.deadline = 0.5));
    ck_await_status(f, EVPQ_TIMEOUT);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "53300");
    evpq_future_unref(f);
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    server_exec("drop role why_nobody");
}
END_TEST

START_TEST(f71_a_silent_host_is_named)
{
    struct proxy *proxy = server_proxy();
    proxy_door(proxy, PROXY_SILENT);
    loop = evpq_loop_new(NULL);
    pool =
        evpq_pool_open(loop, server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), NULL, NULL);
    const char *port = strf("port %d for", proxy_port(proxy));
    SAYS(evpq_timeout(query("select 1"), 0.3), EVPQ_OUTCOME_NOT_SENT, "1 connecting",
         "connecting to 127.0.0.1", port);
    SAYS(evpq_timeout(evpq_pool_connect(pool), 0.3), EVPQ_OUTCOME_NOT_SENT,
         "the pool is not connected", "connecting to 127.0.0.1", port);
    evpq_future_unref(evpq_pool_close(pool, 0));
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    proxy_stop(proxy);
}
END_TEST

/* ---- a server that has not answered ---- */

static const char forever[] = "select pg_sleep(60)";

START_TEST(f71_what_was_sent_names_its_server_process)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    const char *pid = strf("server process %ld", ask_on(lease, "select pg_backend_pid()"));
    evpq_future *first = evpq_timeout(query_on(lease, forever), 0.6);
    ck_running(1);
    evpq_future *second = evpq_timeout(query_on(lease, "select 2"), 0.3);
    evpq_future *third = evpq_timeout(query("select 3"), 0.3);
    SAYS(second, EVPQ_OUTCOME_UNKNOWN, pid, "it was sent", "1 before it");
    SAYS(third, EVPQ_OUTCOME_NOT_SENT, "number 1 in the queue", "1 leased", pid);
    SAYS(first, EVPQ_OUTCOME_UNKNOWN, pid, "has not answered");
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* Behind a COPY nothing is sent. */
START_TEST(f71_what_waits_on_a_lease_tells_how_many_are_before_it)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    exec_on(lease, "create temp table why_t (i int)");
    evpq_copy *in = evpq_lease_copy_in(lease, "copy why_t from stdin");
    ck_done(evpq_copy_drain(in));
    evpq_future *second = evpq_timeout(query_on(lease, "select 2"), 0.8);
    evpq_future *third = evpq_timeout(query_on(lease, "select 3"), 0.2);
    evpq_future *fourth = query_on(lease, "select 4");
    SAYS(third, EVPQ_OUTCOME_NOT_SENT, "it was not sent", "has 2 before it to answer");
    SAYS(second, EVPQ_OUTCOME_NOT_SENT, "it was not sent", "has 1 before it to answer");
    ck_done(evpq_copy_finish(in));
    ck_done(fourth);
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* BEGIN is answered with what was sent with it. */
START_TEST(f71_what_waits_for_begin_says_so)
{
    const evpq_args rows[] = {EVPQ_ARGS(1), EVPQ_ARGS(2)};
    const evpq_statement two[] = {{.sql = "select 1"}, {.sql = "select 2"}};
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    evpq_future *first = query_in(txn, forever);
    ck_running(1);
    evpq_future *waits =
        _i ? evpq_txn_executemany(txn, "select $1::int", rows, 2) : evpq_txn_batch(txn, two, 2);
    SAYS(evpq_timeout(waits, 0.3), EVPQ_OUTCOME_NOT_SENT, "it was not sent",
         "what is before it has not been answered");
    evpq_future_cancel(first);
    evpq_future_unref(first);
    ck_done(evpq_txn_rollback(txn));
    ck_all_over();
    pools_end();
}
END_TEST

/* The lease that has been out for longest is named, and for how long. */
START_TEST(f71_who_waits_is_told_of_the_longest_lease)
{
    open_pool(.max_size = 2);
    evpq_lease *old = lease_get();
    run_for(evpq_loop_ev(loop), 0.2);
    evpq_lease *young = lease_get();
    evpq_future *first = evpq_timeout(query("select 1"), 0.5);
    evpq_future *second = evpq_timeout(evpq_pool_acquire(pool), 0.3);
    ck_await_status(second, EVPQ_TIMEOUT);
    const char *message = evpq_error_message(evpq_future_error(second));
    const char *told = strstr(message, "the longest for ");
    ck_assert_msg(told != NULL, "%s", message);
    double seconds = strtod(told + strlen("the longest for "), NULL);
    ck_assert_msg(seconds >= 0.4 && seconds < 100, "%s", message);
    SAYS(second, EVPQ_OUTCOME_NOT_SENT, "number 2 in the queue", "2 leased", "2 waiting",
         strf("(server process %d)", evpq_lease_backend_pid(old)));
    SAYS(first, EVPQ_OUTCOME_NOT_SENT, "number 1 in the queue");
    evpq_lease_release(old);
    evpq_lease_release(young);
    pools_end();
}
END_TEST

START_TEST(f71_a_transaction_tells_how_far_it_came)
{
    open_pool(.max_size = 1);
    ask("select 1");
    SAYS(evpq_transact(pool, TXN_OPTS(.timeout = 0.5), holds, NULL), EVPQ_OUTCOME_REJECTED,
         "the transaction was not done in time", "it runs its function (try 1)", "server process");
    evpq_txn *txn = txn_get(NULL);
    evpq_future *work = query_in(txn, forever);
    SAYS(evpq_timeout(evpq_txn_commit(txn), 0.3), EVPQ_OUTCOME_UNKNOWN, "server process");
    evpq_future_cancel(work);
    evpq_future_unref(work);
    ck_quiet();
    pools_end();
}
END_TEST

START_TEST(f71_a_server_that_drops_is_named)
{
    fake_hello();
    fake.hangs_up_at_once = true;
    open_pool_at(fake_start(), .max_size = 1, .backoff_min = 30, .backoff_max = 30);
    evpq_future *f = query("select 1");
    evpq_await(f); /* lost, or not sent any more */
    evpq_future_unref(f);
    f = query("select 1");
    ck_until(stats().lost == 1);
    SAYS(evpq_timeout(f, 0.3), EVPQ_OUTCOME_NOT_SENT, "the last connection came up and was lost",
         "closed the connection");
    pools_end();
    fake_stop();
}
END_TEST

static evpq_future *never(evpq_lease *lease, void *arg)
{
    (void)lease, (void)arg;
    return evpq_sleep(loop, 60);
}

START_TEST(f71_a_hook_that_does_not_end_is_named)
{
    open_pool(.max_size = 1, .before_acquire = never);
    SAYS(evpq_timeout(evpq_pool_acquire(pool), 0.5), EVPQ_OUTCOME_NOT_SENT,
         "before_acquire has run for");
    evpq_future_unref(evpq_pool_close(pool, 0));
    ck_until(stats_total() == 0);
    pools_end();
}
END_TEST

START_TEST(f71_draining_tells_what_is_left)
{
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    SAYS(evpq_timeout(evpq_pool_drain(pool), 0.1), EVPQ_OUTCOME_NOT_SENT, "the pool is not drained",
         "1 leased");
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* ---- listeners, and what waits for others ---- */

START_TEST(f71_a_listener_tells_why_it_does_not_hear)
{
    loop = evpq_loop_new(NULL);
    evpq_listener *l = evpq_listener_open(loop, nowhere, NULL, NULL);
    evpq_subscription *s = evpq_listener_subscribe(l, "c", NULL, NULL);
    SAYS(evpq_timeout(evpq_subscription_ready(s), 0.3), EVPQ_OUTCOME_NOT_SENT,
         "LISTEN on channel \"c\" is not in force", "Connection refused");
    SAYS(evpq_timeout(evpq_subscription_next(s), 0.3), EVPQ_OUTCOME_NOT_SENT,
         "nothing was heard on channel \"c\"", "Connection refused");
    evpq_subscription_unref(s);
    evpq_listener_unref(l);
    l = evpq_listener_open(loop, server_conninfo(SERVER_UNIX, NULL), NULL, NULL);
    s = evpq_listener_subscribe(l, "c", NULL, NULL);
    ck_done(evpq_subscription_ready(s));
    SAYS(evpq_timeout(evpq_subscription_next(s), 0.1), EVPQ_OUTCOME_NOT_SENT,
         "nothing was heard on channel \"c\"", "server process");
    evpq_subscription_unref(s);
    evpq_listener_unref(l);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

static evpq_future *runs_it(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    evpq_future *f = query(forever);
    evpq_await(f);
    return f;
}

START_TEST(f71_tasks_pass_it_on)
{
    open_pool(.max_size = 1);
    ask("select 1");
    evpq_future *t = evpq_task_spawn(loop, runs_it, NULL, TASK_OPTS(.name = "inner"));
    SAYS(evpq_timeout(t, 0.3), EVPQ_OUTCOME_UNKNOWN, "task \"inner\" waits", "server process");
    ck_quiet();
    t = evpq_task_spawn(loop, runs_it, NULL, TASK_OPTS(.deadline = 0.3));
    SAYS(t, EVPQ_OUTCOME_UNKNOWN, "server process", "has not answered");
    ck_all_over();
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("why");
    CHECK_ADD_LOOP(c, f71_every_verb_tells_of_the_refusal, VERBS);
    CHECK_ADD_LOOP(c, f71_options_tell_of_the_refusal, 2);
    CHECK_ADD(c, f71_the_refusals_sqlstate_is_kept);
    CHECK_ADD(c, f71_a_silent_host_is_named);
    CHECK_ADD(c, f71_what_was_sent_names_its_server_process);
    CHECK_ADD(c, f71_what_waits_on_a_lease_tells_how_many_are_before_it);
    CHECK_ADD_LOOP(c, f71_what_waits_for_begin_says_so, 2);
    CHECK_ADD(c, f71_who_waits_is_told_of_the_longest_lease);
    CHECK_ADD(c, f71_a_transaction_tells_how_far_it_came);
    CHECK_ADD(c, f71_a_server_that_drops_is_named);
    CHECK_ADD(c, f71_a_hook_that_does_not_end_is_named);
    CHECK_ADD(c, f71_draining_tells_what_is_left);
    CHECK_ADD(c, f71_a_listener_tells_why_it_does_not_hear);
    CHECK_ADD(c, f71_tasks_pass_it_on);
    return check_end(c);
}
