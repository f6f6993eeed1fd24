/* it_transact.c - a function in a transaction: what it ends with, when it is run again, and what is
 * left when it is stopped (F39, F40). */
#include "support/txns.h"

#include "support/fake.h"
#include "support/opts.h"
#include "support/proxy.h"

#include <math.h>
#include <string.h>

static void begin_test(void)
{
    server_exec("set client_min_messages = warning; drop table if exists transact_t;"
                " create table transact_t (i int primary key, n int not null default 0)");
}

static long count_rows(void)
{
    return server_count("select count(*) from transact_t");
}

#define transact(fn, arg, ...) evpq_transact(pool, TXN_OPTS(__VA_ARGS__), (fn), (arg))

static int calls;

/* ---- what it ends with ---- */

static evpq_future *insert_and_chain(evpq_txn *txn, void *arg)
{
    (void)arg;
    calls++;
    evpq_future_unref(query_in(txn, "insert into transact_t values (1)"));
    return query_in(txn, "insert into transact_t values (2) returning i + 40");
}

static evpq_future *insert_and_wait(evpq_txn *txn, void *arg)
{
    (void)arg;
    evpq_future *f = query_in(txn, "insert into transact_t values (3) returning i + 50");
    if (evpq_await(f) != EVPQ_OK)
        return f;
    long got = (long)evpq_result_int8(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    return evpq_txn_query(txn, "select $1::int", EVPQ_ARGS(got));
}

static evpq_future *nothing(evpq_txn *txn, void *arg)
{
    (void)txn, (void)arg;
    calls++;
    return NULL;
}

START_TEST(its_value_is_the_functions)
{
    begin_test();
    open_pool(.max_size = 1);
    evpq_future *f = transact(insert_and_chain, NULL);
    ck_await_ok(f);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(f), 0, 0), 42);
    ck_assert_int_eq(evpq_future_affected(f), 1);
    evpq_future_unref(f);
    f = transact(insert_and_wait, NULL);
    ck_await_ok(f);
    ck_assert_int_eq(evpq_result_int8(evpq_future_result(f), 0, 0), 53);
    evpq_future_unref(f);
    ck_done(evpq_transact(pool, NULL, nothing, NULL));
    ck_assert_int_eq(count_rows(), 3);
    ck_all_over();
    pools_end();
}
END_TEST

static evpq_future *fails_itself(evpq_txn *txn, void *arg)
{
    (void)arg;
    calls++;
    evpq_future_unref(query_in(txn, "insert into transact_t values (1)"));
    return evpq_future_failed(loop, EVPQ_TYPE, "no");
}

static evpq_future *fails_on_server(evpq_txn *txn, void *arg)
{
    (void)arg;
    calls++;
    evpq_future_unref(query_in(txn, "insert into transact_t values (1)"));
    return query_in(txn, "select 1 / 0");
}

static evpq_future *takes_no_notice(evpq_txn *txn, void *arg)
{
    int *awaits = arg;
    calls++;
    evpq_future_unref(query_in(txn, "insert into transact_t values (1)"));
    evpq_future *f = query_in(txn, "select 1 / 0");
    if (*awaits)
        evpq_await(f);
    evpq_future_unref(f);
    return NULL;
}

START_TEST(it_rolls_back_and_fails_as_the_function_did)
{
    begin_test();
    open_pool(.max_size = 1);
    calls = 0;
    ck_assert_int_eq(outcome(transact(fails_itself, NULL)), EVPQ_TYPE);
    ck_sqlstate(transact(fails_on_server, NULL), "22012");
    for (int awaits = 0; awaits < 2; awaits++)
        ck_sqlstate(transact(takes_no_notice, &awaits), "22012");
    ck_assert_int_eq(calls, 4);
    ck_assert_int_eq(count_rows(), 0);
    ck_all_over();
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

static evpq_future *ends_it(evpq_txn *txn, void *arg)
{
    int *how = arg;
    evpq_future_unref(query_in(txn, "insert into transact_t values (1)"));
    return *how ? evpq_txn_commit(txn) : evpq_txn_rollback(txn);
}

static evpq_future *leaves_a_savepoint(evpq_txn *txn, void *arg)
{
    evpq_txn **inner = arg;
    *inner = evpq_txn_savepoint(txn);
    evpq_future_unref(query_in(*inner, "insert into transact_t values (1)"));
    return NULL;
}

START_TEST(its_end_is_its_own)
{
    begin_test();
    open_pool(.max_size = 1);
    for (int how = 0; how < 2; how++)
        ck_failed(transact(ends_it, &how), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    evpq_txn *inner;
    evpq_future *f = transact(leaves_a_savepoint, &inner);
    ck_await_status(f, EVPQ_INVALID);
    evpq_future_unref(f);
    ck_done(evpq_txn_rollback(inner));
    ck_assert_int_eq(count_rows(), 0);
    ck_all_over();
    pools_end();
}
END_TEST

START_TEST(what_makes_no_sense)
{
    open_pool(.max_size = 1);
    ck_failed(evpq_transact(NULL, NULL, nothing, NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_transact(pool, NULL, NULL, NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(transact(nothing, NULL, .tries = -1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(transact(nothing, NULL, .backoff_min = 5, .backoff_max = 1), EVPQ_INVALID,
              EVPQ_OUTCOME_NOT_SENT); /* F57 */
    ck_failed(transact(nothing, NULL, .backoff_max = 0.005), EVPQ_INVALID,
              EVPQ_OUTCOME_NOT_SENT); /* backoff_min is 0.01 by default */
    ck_failed(transact(nothing, NULL, .timeout = NAN), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(transact(nothing, NULL, .backoff_min = -1), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(transact(nothing, NULL, .isolation = (evpq_isolation)9), EVPQ_INVALID,
              EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

static evpq_future *looks_at_the_clock(evpq_txn *txn, void *arg)
{
    double *left = arg;
    (void)txn;
    *left = evpq_task_time_left(evpq_task_current(loop));
    return NULL;
}

/* The function's task has what is left of the timeout, and no more. */
START_TEST(the_timeout_is_the_tasks_deadline)
{
    double left = 0;
    open_pool(.max_size = 1);
    ck_done(transact(looks_at_the_clock, &left, .timeout = 20));
    ck_assert_double_gt(left, 0);
    ck_assert_double_le(left, 20);
    ck_done(evpq_transact(pool, NULL, looks_at_the_clock, &left));
    ck_assert(isinf(left));
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- again ---- */

/* What each call is to fail with. */
static const char *once[] = {"40001", NULL}, *twice[] = {"40001", "40001", NULL};

static evpq_future *raises(evpq_txn *txn, void *arg)
{
    const char *const *sqlstates = arg;
    const char *sqlstate = sqlstates[calls++];
    evpq_future_unref(query_in(txn, strf("insert into transact_t values (%d)", calls)));
    if (!sqlstate)
        return NULL;
    return query_in(txn, strf("do $$ begin raise sqlstate '%s'; end $$", sqlstate));
}

START_TEST(it_is_run_again_on_conflicts_alone)
{
    static struct {
        const char *sqlstates[6];
        int calls;
        const char *ends;
    } cases[] = {
        {{"40001", "40P01", "40001", "40001", NULL}, 5, ""},
        {{"40001", "40001", "40001", "40001", "40001", NULL}, 5, "40001"},
        {{"40001", "23505", NULL}, 2, "23505"},
        {{"40002", NULL}, 1, "40002"},
    };
    begin_test();
    open_pool(.max_size = 1, .reset = EVPQ_RESET_ROLLBACK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        calls = 0;
        server_exec("delete from transact_t");
        ck_sqlstate(transact(raises, cases[i].sqlstates, .backoff_min = 0.001), cases[i].ends);
        ck_assert_int_eq(calls, cases[i].calls);
        ck_assert_int_eq(count_rows(), !*cases[i].ends);
    }
    calls = 0;
    ck_sqlstate(transact(raises, twice, .tries = 1), "40001");
    ck_assert_int_eq(calls, 1);
    ck_all_over();
    pools_end();
}
END_TEST

/* Two that read what the other writes: one of them meets a conflict at its end, and is run again.
 */
struct skew {
    int me;
    int tries;
    evpq_future *go;
};

static evpq_future *skewed(evpq_txn *txn, void *arg)
{
    struct skew *s = arg;
    s->tries++;
    evpq_future *f = query_in(txn, "select sum(n) from transact_t");
    if (evpq_await(f) != EVPQ_OK)
        return f;
    evpq_future_unref(f);
    evpq_await(s->go);
    return evpq_txn_query(txn, "update transact_t set n = n + 1 where i = $1", EVPQ_ARGS(s->me));
}

START_TEST(a_conflict_at_commit)
{
    begin_test();
    server_exec("insert into transact_t values (1), (2)");
    open_pool(.max_size = 2);
    evpq_future *go = evpq_future_new(loop, NULL, NULL);
    struct skew skews[2] = {{.me = 1, .go = go}, {.me = 2, .go = go}};
    evpq_future *fs[2];
    for (int i = 0; i < 2; i++)
        fs[i] = transact(skewed, &skews[i], .isolation = EVPQ_ISOLATION_SERIALIZABLE);
    ck_until(server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                               " and state = 'idle in transaction' and query like '%%sum%%'",
                               pools_app())) == 2);
    evpq_future_set_value(go, NULL, NULL);
    for (int i = 0; i < 2; i++)
        ck_done(fs[i]);
    evpq_future_unref(go);
    ck_assert_int_eq(skews[0].tries + skews[1].tries, 3);
    ck_assert_int_eq(server_count("select sum(n) from transact_t"), 2);
    ck_all_over();
    pools_end();
}
END_TEST

static evpq_future *is_killed(evpq_txn *txn, void *arg)
{
    int *how = arg;
    exec_in(txn, "insert into transact_t values (1)");
    if (++calls == 1 && *how)
        return query_in(txn, "select pg_terminate_backend(pg_backend_pid())");
    if (calls == 1) {
        server_kill_backends(pools_app());
        evpq_lease *lease = evpq_txn_lease(txn);
        while (evpq_lease_backend_pid(lease))
            evpq_yield(evpq_task_current(loop)); /* until that is known here */
    }
    return NULL;
}

START_TEST(a_connection_lost_before_commit)
{
    begin_test();
    open_pool(.max_size = 1);
    for (int how = 0; how < 2; how++) {
        calls = 0;
        server_exec("delete from transact_t");
        ck_done(transact(is_killed, &how));
        ck_assert_int_eq(calls, 2);
        ck_assert_int_eq(count_rows(), 1);
    }
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- F40: the answer to COMMIT is lost ---- */

static struct proxy *proxy;

static void open_through_proxy(void)
{
    begin_test();
    calls = 0;
    proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 2);
}

static void end_with_proxy(void)
{
    ck_all_over();
    pools_end();
    proxy_stop(proxy);
}

/* Whether COMMIT reaches the server. */
static void lose_commit(bool arrives)
{
    proxy_arm(proxy, &(struct proxy_trigger){.dir = PROXY_TO_SERVER,
                                             .act = arrives ? PROXY_SWALLOW : PROXY_CUT,
                                             .bytes = "COMMIT",
                                             .before = !arrives});
}

static evpq_future *inserts(evpq_txn *txn, void *arg)
{
    (void)arg;
    calls++;
    exec_in(txn, "insert into transact_t values (1)");
    return NULL;
}

START_TEST(f40_a_lost_commit_is_unknown_and_not_run_again)
{
    open_through_proxy();
    for (int arrives = 0; arrives < 2; arrives++) {
        calls = 0;
        lose_commit(arrives);
        ck_failed(transact(inserts, NULL), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
        ck_assert_int_eq(calls, 1);
        ck_until(count_rows() == arrives);
        lose_commit(arrives);
        server_exec("delete from transact_t");
        evpq_txn *txn = txn_get(NULL);
        exec_in(txn, "insert into transact_t values (1)");
        ck_failed(evpq_txn_commit(txn), EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
        ck_until(count_rows() == arrives);
        server_exec("delete from transact_t");
    }
    end_with_proxy();
}
END_TEST

START_TEST(f40_the_probe_knows)
{
    open_through_proxy();
    for (int arrives = 0; arrives < 2; arrives++) {
        server_exec("delete from transact_t");
        lose_commit(arrives);
        evpq_txn *txn = txn_get(TXN_OPTS(.probe = true));
        exec_in(txn, "insert into transact_t values (1)");
        evpq_future *number = query_in(txn, "select 1");
        evpq_await(number);
        evpq_future_unref(number);
        /* The number travels with COMMIT: let it come back first. */
        evpq_future *end = evpq_txn_commit(txn);
        evpq_status status = evpq_await(end);
        evpq_outcome outcome = evpq_error_outcome(evpq_future_error(end));
        long rows = count_rows();
        if (status == EVPQ_OK)
            ck_assert_int_eq(rows, 1);
        else if (outcome == EVPQ_OUTCOME_REJECTED)
            ck_assert_int_eq(rows, 0);
        else
            ck_assert_int_eq(outcome, EVPQ_OUTCOME_UNKNOWN);
        evpq_future_unref(end);
    }
    end_with_proxy();
}
END_TEST

/* The answer to COMMIT is cut off behind the number, which arrives. */
START_TEST(f40_a_probe_that_finds_it_committed)
{
    open_through_proxy();
    evpq_txn *txn = txn_get(TXN_OPTS(.probe = true));
    exec_in(txn, "insert into transact_t values (1)");
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COMMIT", .before = true});
    ck_done(evpq_txn_commit(txn));
    ck_assert_int_eq(proxy_stats(proxy).fired, 1);
    ck_assert_int_eq(count_rows(), 1);
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COMMIT", .before = true});
    server_exec("delete from transact_t");
    calls = 0;
    ck_done(transact(inserts, NULL, .probe = true));
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(count_rows(), 1);
    end_with_proxy();
}
END_TEST

/* What the question is answered with: status (NULL: "-"), same, whole, standby, as text. */
static void script_status(const char *status, const char *flags)
{
    static const char type[] = "\0\0\0\0\0\0\0\0\0\20\0\1\377\377\377\377\0\0"; /* boolean */
    struct fake_bytes *b = fake_next_answer();
    unsigned char row[64] = {0, 4}, head[100] = {0, 4};
    size_t n = 2, at = 2;
    for (int i = 0; i < 4; i++) {
        head[at++] = (unsigned char)('a' + i);
        head[at++] = '\0';
        memcpy(head + at, type, 18);
        if (!i)
            head[at + 9] = 25; /* text */
        at += 18;
    }
    memset(row + n, 0xff, 4);
    if (status) {
        size_t length = strlen(status);
        memcpy(row + n, (unsigned char[]){0, 0, 0, (unsigned char)length}, 4);
        memcpy(row + n + 4, status, length);
        n += length;
    }
    n += 4;
    for (int i = 0; i < 3; i++, n += 5)
        memcpy(row + n, (unsigned char[]){0, 0, 0, 1, (unsigned char)flags[i]}, 5);
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'T', head, at);
    fake_add(b, 'D', row, n);
    FAKE_ADD(b, 'C', "SELECT 1");
    fake_add_ready(b);
}

/* A standby has the address of the server at first: it is asked again until it is not one. */
START_TEST(f75_a_standby_is_asked_again)
{
    fake_hello();
    script_status(NULL, "fft");
    script_status(NULL, "fft");
    script_status("committed", "ttf");
    fake_start();
    begin_test();
    proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .prepare = EVPQ_PREPARE_OFF);
    evpq_txn *txn = txn_get(TXN_OPTS(.probe = true));
    exec_in(txn, "insert into transact_t values (1)");
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COMMIT", .before = true});
    proxy_target(proxy, "127.0.0.1", fake.port);
    ck_done(evpq_txn_commit(txn));
    ck_assert_int_eq(fake.given, 3);
    end_with_proxy();
    fake_stop();
}
END_TEST

/* `begun` is taken. */
static evpq_future *lose_the_answer_of(evpq_future *begun)
{
    evpq_future *f = begun;
    ck_await_ok(f);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    exec_in(txn, "select pg_current_xact_id()");
    proxy_door(proxy, PROXY_REFUSE);
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COMMIT", .before = true});
    long fired = proxy_stats(proxy).fired;
    f = evpq_txn_commit(txn);
    ck_until(proxy_stats(proxy).fired > fired);
    return f;
}

static evpq_future *lose_the_answer(evpq_pool *p)
{
    return lose_the_answer_of(evpq_pool_begin(p, TXN_OPTS(.probe = true)));
}

static void ck_given_up(evpq_future *f, const char *why)
{
    ck_await_status(f, EVPQ_LOST);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_msg(strstr(evpq_error_detail(evpq_future_error(f)), why) != NULL, "%s",
                  evpq_error_detail(evpq_future_error(f)));
    evpq_future_unref(f);
}

/* No answer is to come: it does not go on asking. */
START_TEST(f40_a_probe_that_is_refused_says_why)
{
    static const char refusal[] = "SERROR\0VERROR\0C42501\0Mnot for you\0";
    fake_hello();
    struct fake_bytes *b = fake_next_answer();
    fake_add(b, 'E', refusal, sizeof refusal);
    fake_add_ready(b);
    fake_start();
    begin_test();
    proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .prepare = EVPQ_PREPARE_OFF);
    evpq_future *f = lose_the_answer(pool);
    if (_i) {
        ck_until(stats().lost == 1);
        ck_done(evpq_pool_close(pool, 0));
        pool = evpq_pool_unref(pool);
    } else {
        proxy_target(proxy, "127.0.0.1", fake.port);
        proxy_door(proxy, PROXY_OPEN);
    }
    ck_given_up(f, _i ? "closed" : "not for you");
    ck_assert_int_eq(fake.given, !_i);
    end_with_proxy();
    fake_stop();
}
END_TEST

/* Half a minute, whether it is refused each time or waits for ever. */
START_TEST(f61_a_probe_has_a_limit)
{
    begin_test();
    proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1,
                 .acquire_timeout = 100);
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.acquire_timeout = 0.5;
    evpq_pool *other = evpq_pool_open(
        loop, server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), &opts, NULL);
    ck_done(evpq_pool_connect(other));
    evpq_future *waits = lose_the_answer(pool);
    evpq_future *refused = lose_the_answer(other);
    ck_given_up(waits, "the server did not answer");
    ck_given_up(refused, "no connection could be had");
    proxy_door(proxy, PROXY_OPEN);
    ck_done(evpq_timeout(evpq_pool_close(other, 5), 10));
    evpq_pool_unref(other);
    end_with_proxy();
}
END_TEST

START_TEST(a_commit_on_a_lease_is_canceled_while_it_is_probed)
{
    open_through_proxy();
    evpq_lease *lease = lease_get();
    evpq_future *f = lose_the_answer_of(evpq_lease_begin(lease, TXN_OPTS(.probe = true)));
    ck_until(stats().lost == 1);
    ck_assert_int_eq(evpq_future_status(f), EVPQ_PENDING);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    evpq_lease_release(lease);
    end_with_proxy();
}
END_TEST

/* COMMIT is held up on the server by a trigger that sleeps, and its process killed there: the probe
 * says that it was rolled back, and it is run again. */
static evpq_future *slow_to_commit(evpq_txn *txn, void *arg)
{
    (void)arg;
    calls++;
    if (calls > 1)
        exec_in(txn, "set local evpq.nap = 0");
    exec_in(txn, "insert into transact_t values (1)");
    return NULL;
}

START_TEST(f40_a_probe_that_finds_it_rolled_back)
{
    begin_test();
    server_exec("create or replace function nap() returns trigger language plpgsql as $$ begin"
                " perform pg_sleep(coalesce(nullif(current_setting('evpq.nap', true), ''), '60')"
                "::float); return null; end $$; create constraint trigger nap after insert on"
                " transact_t deferrable initially deferred for each row execute function nap()");
    for (int again = 0; again < 2; again++) {
        calls = 0;
        open_pool(.max_size = 2);
        evpq_future *f = transact(slow_to_commit, NULL, .probe = true, .tries = again ? 2 : 1);
        ck_until(server_count(strf("select count(*) from pg_stat_activity where application_name ="
                                   " '%s' and state = 'active' and query = 'COMMIT'",
                                   pools_app())) == 1);
        ck_assert_int_eq(count_rows(), 0);
        server_kill_backends(pools_app());
        if (again)
            ck_done(f);
        else
            ck_failed(f, EVPQ_LOST, EVPQ_OUTCOME_REJECTED);
        ck_assert_int_eq(calls, again + 1);
        ck_assert_int_eq(count_rows(), again);
        ck_all_over();
        pools_end();
    }
}
END_TEST

static evpq_future *reads(evpq_txn *txn, void *arg)
{
    (void)arg;
    calls++;
    exec_in(txn, "select count(*) from transact_t");
    return NULL;
}

START_TEST(f40_what_a_probe_cannot_know)
{
    open_through_proxy();
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COMMIT", .before = true});
    evpq_future *f = transact(reads, NULL, .probe = true);
    ck_await_status(f, EVPQ_LOST);
    ck_assert_ptr_nonnull(strstr(evpq_error_detail(evpq_future_error(f)), "wrote nothing"));
    ck_failed(f, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    ck_assert_int_eq(calls, 1);
    end_with_proxy();
}
END_TEST

/* The server crashes, and may give the number again: "committed" is not to be believed then. */
START_TEST(f40_a_crash_makes_it_unknown)
{
    open_through_proxy();
    evpq_txn *txn = txn_get(TXN_OPTS(.probe = true));
    exec_in(txn, "insert into transact_t values (1)");
    int pid = evpq_lease_backend_pid(evpq_txn_lease(txn));
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    proxy_arm(proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_STALL, .bytes = "COMMIT", .before = true});
    evpq_future *end = evpq_txn_commit(txn);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), proxy_stats(proxy).fired == 1, 10));
    ck_assert_int_eq(count_rows(), 1);
    server_kill9(pid);
    server_wait_up();
    proxy_cut(proxy);
    ck_failed(end, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN);
    end_with_proxy();
}
END_TEST

/* ---- stopped ---- */

static evpq_future *waits_at(evpq_txn *txn, void *arg)
{
    int *where = arg;
    calls++;
    exec_in(txn, "insert into transact_t values (1)");
    if (*where == 0)
        return query_in(txn, "select pg_sleep(60)"); /* chained */
    evpq_future *f = *where == 1 ? query_in(txn, "select pg_sleep(60)") : evpq_sleep(loop, 60);
    evpq_await(f);
    evpq_future_unref(f);
    return *where == 1 ? query_in(txn, "insert into transact_t values (2)") : NULL;
}

static evpq_future *wait_for_it(evpq_task *self, void *arg)
{
    (void)self;
    evpq_future *f = transact(waits_at, arg);
    evpq_await(f);
    return f;
}

static bool has_written(void)
{
    return server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and backend_xid is not null",
                             pools_app())) == 1;
}

START_TEST(f39_canceled_wherever_it_waits)
{
    begin_test();
    open_pool(.max_size = 1);
    for (int where = 0; where < 2; where++) {
        for (int how = 0; how < 4; how++) {
            evpq_future *f = how == 0 || how == 1 ? transact(waits_at, &where)
                             : how == 2           ? evpq_task_spawn(loop, wait_for_it, &where, NULL)
                                                  : transact(waits_at, &where, .timeout = 0.3);
            if (how != 3) {
                ck_until(has_written());
                ck_running(1);
            }
            if (how == 0)
                evpq_future_cancel(f);
            else if (how != 3)
                evpq_task_cancel(f);
            evpq_status status = evpq_await(f);
            if (how == 3)
                ck_assert_int_eq(status, EVPQ_TIMEOUT);
            else
                ck_assert_msg(status == EVPQ_CANCELED || status == EVPQ_SERVER, "%s",
                              check_future_text(f));
            evpq_future_unref(f);
            ck_all_over();
            ck_assert_int_eq(count_rows(), 0);
        }
    }
    pools_end();
}
END_TEST

/* What it waits for when it is stopped: a connection, and the pause before another try. */
START_TEST(stopped_while_nothing_runs)
{
    begin_test();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    calls = 0;
    evpq_future *f = transact(nothing, NULL), *late = transact(nothing, NULL, .timeout = 0.05);
    run_for(evpq_loop_ev(loop), 0.01);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(late, EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    evpq_lease_release(lease);
    ck_assert_int_eq(calls, 0);
    f = transact(raises, once, .backoff_min = 60, .backoff_max = 60);
    ck_until(calls == 1 && stats().idle == 1);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_REJECTED);
    /* A pause that would pass the deadline is not waited for. */
    calls = 0;
    ck_sqlstate(transact(raises, once, .backoff_min = 60, .backoff_max = 60, .timeout = 20),
                "40001");
    ck_all_over();
    pools_end();
}
END_TEST

static void ck_stop_is_nothing(evpq_future *f, evpq_status status)
{
    ck_await_status(f, status);
    evpq_task_cancel(f);
    evpq_task_cancel(f);
    ck_assert_int_eq(evpq_future_status(f), status);
    evpq_future_unref(f);
}

/* In each phase that it may have ended in. */
START_TEST(stopped_when_it_is_over)
{
    begin_test();
    open_pool(.max_size = 1);
    int where = 0;
    ck_stop_is_nothing(transact(insert_and_chain, NULL), EVPQ_OK);
    ck_stop_is_nothing(transact(raises, once, .tries = 1), EVPQ_SERVER);
    begin_test();
    ck_stop_is_nothing(transact(waits_at, &where, .timeout = 0.3), EVPQ_TIMEOUT);
    evpq_lease *lease = lease_get();
    ck_stop_is_nothing(transact(nothing, NULL, .timeout = 0.01), EVPQ_TIMEOUT);
    evpq_lease_release(lease);
    ck_all_over();
    pools_end();
}
END_TEST

START_TEST(let_go_of_it_goes_on)
{
    begin_test();
    open_pool(.max_size = 1);
    evpq_future_unref(transact(insert_and_chain, NULL));
    ck_until(count_rows() == 2);
    ck_all_over();
    pools_end();
}
END_TEST

START_TEST(the_pool_is_closed_meanwhile)
{
    begin_test();
    for (int gently = 0; gently < 2; gently++) {
        int where = 1;
        open_pool(.max_size = 1);
        evpq_future *f = transact(gently ? insert_and_wait : waits_at, &where);
        if (!gently)
            ck_running(1);
        else
            ck_until(stats().leased == 1);
        ck_done(evpq_pool_close(pool, gently ? -1 : 0));
        pool = evpq_pool_unref(pool);
        ck_await_status(f, gently ? EVPQ_OK : EVPQ_CLOSED);
        evpq_future_unref(f);
        ck_until(no_task_left());
        pools_end();
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("transact");
    CHECK_ADD(c, its_value_is_the_functions);
    CHECK_ADD(c, it_rolls_back_and_fails_as_the_function_did);
    CHECK_ADD(c, its_end_is_its_own);
    CHECK_ADD(c, what_makes_no_sense);
    CHECK_ADD(c, the_timeout_is_the_tasks_deadline);
    CHECK_ADD(c, it_is_run_again_on_conflicts_alone);
    CHECK_ADD(c, a_conflict_at_commit);
    CHECK_ADD(c, a_connection_lost_before_commit);
    CHECK_ADD(c, f40_a_lost_commit_is_unknown_and_not_run_again);
    CHECK_ADD(c, f40_the_probe_knows);
    CHECK_ADD(c, f40_a_probe_that_finds_it_committed);
    CHECK_ADD(c, f75_a_standby_is_asked_again);
    CHECK_ADD_LOOP(c, f40_a_probe_that_is_refused_says_why, 2);
    CHECK_ADD_SLOW(c, f61_a_probe_has_a_limit, 90);
    CHECK_ADD(c, a_commit_on_a_lease_is_canceled_while_it_is_probed);
    CHECK_ADD(c, f40_a_probe_that_finds_it_rolled_back);
    CHECK_ADD(c, f40_what_a_probe_cannot_know);
    CHECK_ADD(c, f40_a_crash_makes_it_unknown);
    CHECK_ADD(c, f39_canceled_wherever_it_waits);
    CHECK_ADD(c, stopped_while_nothing_runs);
    CHECK_ADD(c, stopped_when_it_is_over);
    CHECK_ADD(c, let_go_of_it_goes_on);
    CHECK_ADD(c, the_pool_is_closed_meanwhile);
    return check_end(c);
}
