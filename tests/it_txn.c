/* it_txn.c - transactions: what is sent together, what is refused, and how they end
 * (F39, F40). */
#include "support/txns.h"

#include "support/fake.h"
#include "support/oom.h"
#include "support/opts.h"
#include "support/proxy.h"
#include "support/seen.h"

#include <string.h>

/* ---- use ---- */

START_TEST(a_transaction_commits_or_rolls_back)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into txn_t values (1)");
    ck_committed("");
    ck_done(evpq_txn_commit(txn));
    ck_committed("1");
    txn = txn_get(NULL);
    exec_in(txn, "insert into txn_t values (2)");
    ck_done(evpq_txn_rollback(txn));
    ck_committed("1");
    ck_assert_uint_eq(stats().connects, 1);
    ck_all_over();
    pools_end();
}
END_TEST

START_TEST(modes_are_what_the_server_is_told)
{
    static const struct {
        evpq_txn_opts opts;
        const char *want;
    } cases[] = {
        {{.size = sizeof(evpq_txn_opts)}, "read committed off off"},
        {{.size = sizeof(evpq_txn_opts), .isolation = EVPQ_ISOLATION_READ_COMMITTED},
         "read committed off off"},
        {{.size = sizeof(evpq_txn_opts), .isolation = EVPQ_ISOLATION_REPEATABLE_READ},
         "repeatable read off off"},
        {{.size = sizeof(evpq_txn_opts), .isolation = EVPQ_ISOLATION_SERIALIZABLE},
         "serializable off off"},
        {{.size = sizeof(evpq_txn_opts), .read_only = true}, "read committed on off"},
        {{.size = sizeof(evpq_txn_opts),
          .isolation = EVPQ_ISOLATION_SERIALIZABLE,
          .read_only = true,
          .deferrable = true},
         "serializable on on"},
    };
    open_pool(.max_size = 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evpq_txn *txn = txn_get(&cases[i].opts);
        evpq_future *f = query_in(txn, "select current_setting('transaction_isolation') || ' ' || "
                                       "current_setting('transaction_read_only') || ' ' || "
                                       "current_setting('transaction_deferrable')");
        ck_await_ok(f);
        ck_assert_str_eq(evpq_result_text(evpq_future_result(f), 0, 0), cases[i].want);
        evpq_future_unref(f);
        ck_done(evpq_txn_commit(txn));
    }
    evpq_future *f = evpq_pool_begin(pool, TXN_OPTS(.isolation = (evpq_isolation)77));
    ck_failed(f, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    pools_end();
}
END_TEST

START_TEST(an_unused_transaction_is_never_sent)
{
    open_pool(.max_size = 1);
    ck_done(evpq_txn_commit(txn_get(NULL)));
    ck_done(evpq_txn_rollback(txn_get(NULL)));
    evpq_txn *txn = txn_get(NULL), *inner = evpq_txn_savepoint(txn);
    ck_done(evpq_txn_commit(inner));
    inner = evpq_txn_savepoint(txn);
    ck_done(evpq_txn_rollback(inner));
    ck_done(evpq_txn_commit(txn));
    ck_assert_uint_eq(stats().queries, 0);
    ck_all_over();
    pools_end();
}
END_TEST

START_TEST(a_transaction_is_taken_once_and_rolls_back_with_its_future)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_future *f = evpq_pool_begin(pool, NULL);
    ck_assert_ptr_null(evpq_future_txn(f)); /* pending */
    ck_await_ok(f);
    evpq_txn *txn = evpq_future_txn(f);
    ck_assert_ptr_nonnull(txn);
    ck_assert_ptr_null(evpq_future_txn(f));
    ck_assert_ptr_null(evpq_future_lease(f));
    evpq_future_unref(f);
    ck_done(evpq_txn_rollback(txn));
    evpq_future_unref(evpq_pool_begin(pool, NULL)); /* got, and given back */
    ck_quiet();
    f = evpq_pool_begin(pool, NULL);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_quiet();
    ck_assert_int_eq(stats().idle, 1);
    pools_end();
}
END_TEST

START_TEST(a_transaction_on_a_lease)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    exec_on(lease, "set application_name = 'mine'");
    for (int commits = 0; commits < 2; commits++) {
        evpq_future *f = evpq_lease_begin(lease, TXN_OPTS(.read_only = false));
        ck_future_ok(f);
        evpq_txn *txn = evpq_future_txn(f);
        evpq_future_unref(f);
        exec_in(txn, "insert into txn_t values (1)");
        ck_assert_ptr_eq(evpq_txn_lease(txn), lease);
        ck_done(commits ? evpq_txn_commit(txn) : evpq_txn_rollback(txn));
        ck_assert(!lease_in_transaction(lease));
    }
    ck_committed("1");
    ck_assert_int_eq(ask_on(lease, "select count(*) from pg_stat_activity where application_name ="
                                   " 'mine' and pid = pg_backend_pid()"),
                     1); /* the session is the lease's still */
    evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* The program gives back what the transaction stands on. */
START_TEST(f42_a_lease_released_under_its_transaction)
{
    txns_begin();
    open_pool(.max_size = 1);
    for (int i = 0; i < 4; i++) {
        evpq_lease *lease = lease_get();
        evpq_future *f = evpq_lease_begin(lease, NULL);
        evpq_txn *txn = evpq_future_txn(f);
        evpq_future_unref(f);
        exec_in(txn, "insert into txn_t values (1)");
        evpq_lease_release(lease);
        if (i & 1)
            ck_quiet();
        f = i & 2 ? evpq_txn_rollback(txn) : query_in(txn, "select 1");
        evpq_await(f);
        evpq_future_unref(f);
        if (!(i & 2))
            evpq_future_unref(evpq_txn_rollback(txn));
        ck_all_over();
        ck_committed("");
    }
    pools_end();
}
END_TEST

/* ---- a ROLLBACK that a late cancel request hits ---- */

static void script_done(struct fake_bytes *b, const char *tag)
{
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'n', NULL, 0);
    fake_add(b, 'C', tag, strlen(tag) + 1);
}

static void script_canceled(struct fake_bytes *b)
{
    static const char error[] = "SERROR\0VERROR\0C57014\0Mcanceled\0RProcessInterrupts\0";
    fake_add(b, 'E', error, sizeof error);
    fake_add_status(b, 'T');
}

/* It is said again, and what is asked next on the lease is in no transaction. One that never
 * succeeds costs the connection. */
START_TEST(f39_a_rollback_that_is_hit_is_said_again)
{
    const int hits = _i;
    fake_hello();
    struct fake_bytes *b = fake_next_answer();
    script_done(b, "BEGIN");
    script_done(b, "INSERT 0 1");
    fake_add_status(b, 'T');
    for (int i = 0; i < hits; i++)
        script_canceled(fake_next_answer());
    b = fake_next_answer();
    script_done(b, "ROLLBACK");
    fake_add_ready(b);
    open_pool_at(fake_start(), .max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_future *f = evpq_lease_begin(lease, NULL);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    ck_done(query_in(txn, "insert"));
    ck_done(evpq_timeout(evpq_txn_rollback(txn), 10));
    ck_assert_int_eq(fake.given, hits < 3 ? 2 + hits : 4);
    f = evpq_lease_query(lease, "select 1", EVPQ_ARGS());
    if (hits < 3)
        ck_await_ok(f);
    else
        ck_await_status(f, EVPQ_LOST);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
    fake_stop();
}
END_TEST

static void cancel_it(evpq_future *f, void *arg)
{
    (void)f;
    evpq_future_cancel(arg);
}

/* COMMIT has been answered with the statement before it, whose callback comes first. It is not said
 * to be undone. */
START_TEST(f39_a_commit_is_canceled_as_its_answer_is_told)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = _i ? lease_get() : NULL;
    evpq_future *f = _i ? evpq_lease_begin(lease, NULL) : evpq_pool_begin(pool, NULL);
    ck_await_ok(f);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    f = query_in(txn, "insert into txn_t values (1)");
    evpq_future *commit = evpq_txn_commit(txn);
    ck_assert_int_eq(evpq_future_on_done(f, cancel_it, commit), EVPQ_OK);
    evpq_status status = evpq_await(commit);
    ck_assert(status == EVPQ_OK || status == EVPQ_CANCELED);
    if (status)
        ck_assert_int_eq(evpq_error_outcome(evpq_future_error(commit)), EVPQ_OUTCOME_UNKNOWN);
    ck_future_ok(f);
    evpq_future_unref(commit);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    ck_all_over();
    ck_committed("1");
    pools_end();
}
END_TEST

/* ---- what is refused ---- */

START_TEST(the_ends_of_a_transaction_are_not_statements)
{
    static const char *const texts[] = {"commit",
                                        "END",
                                        "  rollback",
                                        "/* x */ abort",
                                        "begin",
                                        "start transaction",
                                        "savepoint s",
                                        "release s",
                                        "rollback to s",
                                        "; commit",
                                        "prepare transaction 'x'"};
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        evpq_future *f = query_in(txn, texts[i]);
        ck_await_status(f, EVPQ_INVALID);
        ck_text_has(evpq_error_hint(evpq_future_error(f)), "evpq_txn_commit");
        ck_failed(f, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    }
    exec_in(txn, "prepare s as select 1");
    ck_done(evpq_txn_commit(txn)); /* what was refused has not hurt it */
    pools_end();
}
END_TEST

START_TEST(no_transaction_and_no_memory_of_one)
{
    open_pool(.max_size = 1);
    ck_failed(evpq_pool_begin(NULL, NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_lease_begin(NULL, NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_txn_query(NULL, "select 1", EVPQ_ARGS()), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_txn_commit(NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_txn_rollback(NULL), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_null(evpq_txn_savepoint(NULL));
    ck_assert_ptr_null(evpq_txn_lease(NULL));
    ck_assert_ptr_null(evpq_future_txn(NULL));
    evpq_txn *txn = txn_get(NULL);
    ck_failed(evpq_txn_query(txn, NULL, EVPQ_ARGS()), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_done(evpq_txn_rollback(txn));
    ck_done(evpq_pool_close(pool, 0));
    ck_failed(evpq_pool_begin(pool, NULL), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    pool = evpq_pool_unref(pool);
    pools_end();
}
END_TEST

/* ---- failures ---- */

START_TEST(a_failed_statement_dooms_the_transaction)
{
    txns_begin();
    open_pool(.max_size = 1);
    for (int awaited = 0; awaited < 2; awaited++) {
        evpq_txn *txn = txn_get(NULL);
        exec_in(txn, "insert into txn_t values (1)");
        evpq_future *f = query_in(txn, "insert into txn_t values (1)");
        if (awaited)
            ck_await_status(f, EVPQ_SERVER);
        evpq_future *end = evpq_txn_commit(txn);
        ck_await_status(end, EVPQ_SERVER);
        const evpq_error *e = evpq_future_error(end);
        ck_assert_str_eq(evpq_error_sqlstate(e), "23505");
        ck_text_has(evpq_error_detail(e), "duplicate key");
        ck_assert_str_eq(evpq_error_sql(e), "insert into txn_t values (1)");
        ck_failed(end, EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
        evpq_future_unref(f);
        ck_all_over();
        ck_committed("");
    }
    ck_assert_uint_eq(stats().connects, 1);
    pools_end();
}
END_TEST

/* Those behind one that failed, sent with it, are not run; nor is anything outside. */
START_TEST(what_is_sent_together_fails_together)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    evpq_future *fs[] = {query_in(txn, "insert into txn_t values (1)"),
                         query_in(txn, "select 1 / 0"),
                         query_in(txn, "insert into txn_t values (2)"), evpq_txn_commit(txn)};
    ck_done(fs[0]);
    ck_sqlstate(fs[1], "22012");
    ck_sqlstate(fs[2], "25P02");
    ck_sqlstate(fs[3], "22012");
    ck_all_over();
    ck_committed("");
    pools_end();
}
END_TEST

START_TEST(a_commit_that_is_refused)
{
    server_exec("create table txn_d (i int unique deferrable initially deferred)");
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into txn_d values (1), (1)");
    evpq_future *end = evpq_txn_commit(txn);
    ck_await_status(end, EVPQ_SERVER);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(end)), EVPQ_OUTCOME_REJECTED);
    ck_sqlstate(end, "23505");
    ck_all_over();
    server_exec("drop table txn_d");
    pools_end();
}
END_TEST

/* Its connection goes back all the same, also where COMMIT had to wait for the answer to BEGIN. */
START_TEST(a_commit_that_is_kept_keeps_no_connection)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    evpq_future *f = query_in(txn, "insert into txn_t select 1 from pg_sleep(0.3)");
    ck_running(1);
    evpq_future *end = evpq_txn_commit(txn);
    ck_await_ok(end);
    ck_until(!stats().leased);
    ck_committed("1");
    evpq_future_unref(end);
    ck_done(f);
    ck_all_over();
    pools_end();
}
END_TEST

/* The answer to COMMIT is not spoiled by what somebody sends behind it. */
START_TEST(f40_a_commit_with_a_failure_behind_it)
{
    txns_begin();
    server_exec("drop table if exists txn_e;"
                " create table txn_e (i int unique deferrable initially deferred)");
    open_pool(.max_size = 1);
    for (int commits = 0; commits < 2; commits++) {
        evpq_lease *lease = lease_get();
        evpq_txn *txn = txn_on(lease);
        evpq_future *f = query_in(txn, "insert into txn_t values (1)");
        evpq_future *end = commits ? evpq_txn_commit(txn) : evpq_txn_rollback(txn);
        evpq_future *behind =
            evpq_lease_query(lease, "insert into txn_e values (1), (1)", EVPQ_ARGS());
        ck_done(end);
        ck_sqlstate(behind, "23505");
        evpq_await(f);
        evpq_future_unref(f);
        evpq_lease_release(lease);
        ck_all_over();
    }
    ck_committed("1");
    server_exec("drop table txn_e");
    pools_end();
}
END_TEST

/* A statement that has to be closed on the server does not part what was sent together. */
START_TEST(what_is_closed_meanwhile_parts_nothing)
{
    txns_begin();
    open_pool(.max_size = 1, .prepared_max = 1);
    evpq_lease *lease = lease_get();
    for (int i = 0; i < 3; i++)
        exec_on(lease, "select 1");
    evpq_txn *txn = txn_on(lease);
    evpq_future *f = query_in(txn, "set work_mem = 'nonsense'");
    evpq_future *next = query_in(txn, "insert into txn_t values (1)");
    ck_sqlstate(f, "22023");
    evpq_await(next);
    ck_text_has(evpq_error_message(evpq_future_error(next)), "sent with it failed");
    evpq_future_unref(next);
    ck_done(evpq_txn_rollback(txn));
    evpq_lease_release(lease);
    ck_all_over();
    pools_end();
}
END_TEST

/* What is held back until BEGIN is answered is not carried out behind the reset. */
static evpq_txn *with_insert(evpq_lease *lease)
{
    evpq_txn *txn = txn_on(lease);
    exec_in(txn, "insert into txn_t values (2)");
    return txn;
}

/* The answer to BEGIN is still to come, and with it what waits for that: who goes on with the lease
 * is not within the old transaction. */
START_TEST(what_follows_on_a_lease_comes_after_the_transaction)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_txn *txn = txn_on(lease);
    evpq_future *slow = query_in(txn, "select pg_sleep(0.2)");
    ck_running(1);
    evpq_future *held = query_in(txn, "insert into txn_t values (1)");
    evpq_future *end = _i == 2 ? evpq_txn_rollback(txn) : evpq_txn_commit(txn);
    if (_i == 0)
        ck_failed(evpq_timeout(end, 0.01), EVPQ_TIMEOUT, EVPQ_OUTCOME_NOT_SENT);
    if (_i == 1) {
        evpq_future_cancel(end);
        ck_failed(end, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    }
    if (_i == 2)
        evpq_future_unref(end);
    if (_i != 2)
        ck_done(query_on(lease, "insert into txn_t values (2)"));
    else
        ck_done(evpq_txn_commit(with_insert(lease)));
    ck_failed(held, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    evpq_await(slow);
    evpq_future_unref(slow);
    evpq_lease_release(lease);
    ck_all_over();
    ck_committed("2");
    pools_end();
}
END_TEST

/* ---- what only a lease can do ---- */

START_TEST(a_copy_and_a_stream_in_a_transaction)
{
    txns_begin();
    open_pool(.max_size = 1);
    for (int commits = 0; commits < 2; commits++) {
        evpq_txn *txn = txn_get(NULL);
        ck_done(copy_into(txn, "1\n2\n")); /* it begins the transaction */
        evpq_stream *stream = evpq_lease_stream(
            evpq_txn_lease(txn), "insert into txn_t values (3) returning i", EVPQ_ARGS(), NULL);
        evpq_future *row = evpq_stream_next(stream);
        ck_await_ok(row);
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(row), 0, 0), 3);
        evpq_future_unref(row);
        ck_done(evpq_stream_next(stream)); /* no more */
        evpq_stream_close(stream);
        ck_assert_int_eq(ask_in(txn, "select count(*) from txn_t"), 3);
        ck_committed("");
        ck_done(commits ? evpq_txn_commit(txn) : evpq_txn_rollback(txn));
        ck_committed(commits ? "1,2,3" : "");
    }
    evpq_txn *txn = txn_get(NULL), *inner = evpq_txn_savepoint(txn);
    exec_in(inner, "insert into txn_t values (4)");
    evpq_future *copied = copy_into(inner, "5\n4\n");
    evpq_future *end = evpq_txn_commit(inner); /* behind it */
    ck_sqlstate(copied, "23505");
    ck_sqlstate(end, "25P02");
    ck_until(ask_in(txn, "select count(*) from txn_t") == 3);
    exec_in(txn, "insert into txn_t values (5)");
    ck_done(evpq_txn_commit(txn));
    ck_committed("1,2,3,5");
    txn = txn_get(NULL);
    ck_sqlstate(copy_into(txn, "1\n"), "23505");
    ck_sqlstate(evpq_txn_commit(txn), "25P02");
    ck_all_over();
    pools_end();
}
END_TEST

/* ---- round trips ---- */

/* BEGIN, two updates and COMMIT in one flight: one turn of sending, one of receiving. */
START_TEST(a_short_transaction_is_one_flight)
{
    txns_begin();
    server_exec("insert into txn_t values (1), (2)");
    struct proxy *proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy),
                                      strf("application_name=%s", "evpq-flight")),
                 .max_size = 1);
    ck_assert_int_eq(ask("select 1"), 1);
    proxy_delay(proxy, PROXY_TO_SERVER, 10);
    proxy_delay(proxy, PROXY_TO_CLIENT, 10);
    evpq_txn *txn = txn_get(NULL);
    long before = proxy_stats(proxy).client_segments;
    evpq_future *fs[] = {query_in(txn, "update txn_t set i = i + 10 where i = 1"),
                         query_in(txn, "update txn_t set i = i + 10 where i = 2"),
                         evpq_txn_commit(txn)};
    for (int i = 0; i < 3; i++)
        ck_done(fs[i]);
    ck_assert_int_eq(proxy_stats(proxy).client_segments - before, 1);
    ck_committed("11,12");
    /* Awaited statement by statement: BEGIN rides with the first, COMMIT goes alone. */
    txn = txn_get(NULL);
    before = proxy_stats(proxy).client_segments;
    exec_in(txn, "update txn_t set i = i + 10 where i = 11");
    ck_assert_int_eq(proxy_stats(proxy).client_segments - before, 1);
    evpq_future *last = query_in(txn, "update txn_t set i = i + 10 where i = 12");
    ck_done(evpq_txn_commit(txn));
    ck_done(last);
    ck_assert_int_eq(proxy_stats(proxy).client_segments - before, 2);
    ck_committed("21,22");
    pools_end();
    proxy_stop(proxy);
}
END_TEST

/* ---- accidents ---- */

static void ck_soon_none_idle(void)
{
    ck_assert_msg(RUN_UNTIL(evpq_loop_ev(loop), idle_in_transaction() == 0, 10),
                  "left idle in transaction");
}

START_TEST(f39_canceled_at_each_step)
{
    enum { STEPS = 6 };
    txns_begin();
    for (int on_lease = 0; on_lease < 2; on_lease++) {
        open_pool(.max_size = 1);
        for (int step = 0; step < STEPS; step++) {
            evpq_lease *lease = on_lease ? lease_get() : NULL;
            evpq_future *f = on_lease ? evpq_lease_begin(lease, NULL) : evpq_pool_begin(pool, NULL);
            if (step == 0)
                evpq_future_cancel(f);
            evpq_await(f);
            evpq_txn *txn = evpq_future_txn(f);
            evpq_future_unref(f);
            if (txn) {
                evpq_future *first = query_in(txn, "insert into txn_t values (1)");
                if (step == 1) /* before it was sent */
                    evpq_future_cancel(first);
                evpq_await(first);
                evpq_future *slow = query_in(txn, "select pg_sleep(60)");
                if (step < 4)
                    ck_running(1);
                if (step == 2)
                    evpq_future_cancel(slow);
                evpq_future *end;
                if (step == 4) { /* the commit, behind what runs */
                    ck_running(1);
                    end = evpq_txn_commit(txn);
                    evpq_future_cancel(end);
                    evpq_future_cancel(slow);
                } else {
                    end = evpq_txn_rollback(txn);
                    if (step == 5)
                        evpq_future_cancel(end);
                }
                evpq_await(end);
                evpq_future_unref(end);
                evpq_future_unref(slow);
                evpq_future_unref(first);
            }
            ck_soon_none_idle();
            if (lease)
                ck_assert(!lease_in_transaction(lease));
            evpq_lease_release(lease);
            ck_all_over();
            ck_committed("");
        }
        pools_end();
    }
}
END_TEST

START_TEST(f39_dropped_without_an_end)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into txn_t values (1)");
    evpq_future_unref(evpq_txn_rollback(txn));
    ck_soon_none_idle();
    evpq_future *f = evpq_pool_begin(pool, NULL);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_all_over();
    ck_committed("");
    pools_end();
}
END_TEST

START_TEST(a_statement_canceled_before_it_is_sent_is_no_part_of_it)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    evpq_future *first = query_in(txn, "insert into txn_t values (1)"),
                *second = query_in(txn, "insert into txn_t values (2)");
    evpq_future_cancel(first);
    evpq_future *end = evpq_txn_commit(txn);
    ck_failed(first, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    ck_done(second);
    ck_done(end);
    ck_committed("2");
    pools_end();
}
END_TEST

START_TEST(the_backend_is_killed_at_each_step)
{
    txns_begin();
    open_pool(.max_size = 2);
    for (int step = 0; step < 3; step++) {
        evpq_txn *txn = txn_get(NULL);
        if (step)
            exec_in(txn, "insert into txn_t values (1)");
        evpq_txn *inner = step == 2 ? evpq_txn_savepoint(txn) : NULL;
        if (inner)
            exec_in(inner, "insert into txn_t values (2)");
        server_kill_backends(pools_app());
        ck_until(stats().leased == 0);
        evpq_future *f = query_in(inner ? inner : txn, "select 1");
        ck_failed(f, EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT);
        if (inner)
            ck_failed(evpq_txn_commit(inner), EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT);
        if (step == 1)
            ck_failed(evpq_txn_commit(txn), EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT);
        else
            ck_done(evpq_txn_rollback(txn));
        ck_all_over();
        ck_committed("");
    }
    pools_end();
}
END_TEST

START_TEST(the_pool_is_closed_meanwhile)
{
    txns_begin();
    for (int how = 0; how < 3; how++) {
        open_pool(.max_size = 1);
        evpq_txn *txn = txn_get(NULL);
        exec_in(txn, "insert into txn_t values (1)");
        evpq_future *slow = query_in(txn, "select pg_sleep(60)");
        ck_running(1);
        evpq_future *end = how ? NULL : evpq_txn_commit(txn);
        ck_done(evpq_pool_close(pool, 0));
        pool = evpq_pool_unref(pool);
        evpq_await(slow);
        ck_assert_int_ne(evpq_future_status(slow), EVPQ_OK);
        evpq_future_unref(slow);
        if (how == 1)
            end = evpq_txn_commit(txn);
        if (how == 2)
            ck_done(evpq_txn_rollback(txn));
        else
            ck_await_status(end, EVPQ_CLOSED);
        evpq_future_unref(end);
        ck_committed("");
        pools_end();
    }
}
END_TEST

static evpq_txn *victim;

static void end_it(evpq_future *f, void *arg)
{
    (void)f;
    evpq_future_unref(*(int *)arg ? evpq_txn_commit(victim) : evpq_txn_rollback(victim));
    if (*(int *)arg == 2)
        pool = evpq_pool_unref(pool);
}

START_TEST(f42_ended_from_inside_a_callback)
{
    txns_begin();
    for (int how = 0; how < 3; how++) {
        open_pool(.max_size = 1);
        victim = txn_get(NULL);
        evpq_future *a = query_in(victim, "insert into txn_t values (1)"),
                    *b = query_in(victim, "select 2");
        struct seen seen;
        ck_assert_int_eq(evpq_future_on_done(a, end_it, &how), EVPQ_OK);
        seen_watch(b, &seen);
        evpq_await(b);
        evpq_future_unref(a);
        evpq_future_unref(b);
        if (pool)
            ck_all_over();
        pools_end();
        ck_assert_int_eq(seen.calls, 1);
        ck_committed(how ? "1" : "");
        server_exec("delete from txn_t");
    }
}
END_TEST

/* ---- what is left of it: nothing ---- */

static evpq_status ended_with(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    evpq_future_unref(f);
    return status;
}

static evpq_txn *bare_txn(void)
{
    evpq_future *f = evpq_pool_begin(pool, NULL);
    evpq_await(f);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    return txn;
}

/* The server refuses a rollback that nobody waits for any more. */
static bool cancels_a_refused_rollback(long n)
{
    evpq_txn *txn = bare_txn(), *a = evpq_txn_savepoint(txn);
    bool right = ended_with(query_in(a, "insert into txn_t values (1)")) == EVPQ_OK;
    right &= ended_with(query_on(evpq_txn_lease(a), "rollback")) == EVPQ_OK;
    evpq_future *f = evpq_txn_rollback(a);
    evpq_future_cancel(f);
    right &= ended_with(f) == EVPQ_CANCELED;
    right &= ended_with(evpq_txn_rollback(txn)) == EVPQ_OK;
    return right && n < 2;
}

/* COMMIT waits for the answer to BEGIN, or there is no memory for that. Whether there was none. */
static bool commits_without_memory(long n)
{
    evpq_txn *txn = bare_txn();
    evpq_future *f = query_in(txn, "select pg_sleep(0.1)");
    run_for(evpq_loop_ev(loop), 0.02);
    oom_fail_at(n);
    evpq_future *end = evpq_txn_commit(txn);
    bool failed = oom_end();
    bool right = ended_with(end) == (failed ? EVPQ_NOMEM : EVPQ_OK);
    ended_with(f);
    return right && failed;
}

START_TEST(nothing_is_left_of_an_end_that_fails)
{
    static bool (*const accidents[])(long) = {cancels_a_refused_rollback, commits_without_memory};
    const char *conninfo = server_conninfo(SERVER_UNIX, NULL);
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.max_size = 1;
    txns_begin();
    long before = oom_blocks(), n = 1; /* nothing of Check from here on */
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, conninfo, &opts, NULL);
    while (accidents[_i](n))
        n++;
    evpq_status closed = ended_with(evpq_pool_close(pool, 5));
    pool = evpq_pool_unref(pool);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
    long after = oom_blocks();
    ck_assert_int_eq(after, before);
    ck_assert_int_ge(n, 2);
    ck_assert_int_eq(closed, EVPQ_OK);
    ck_committed("");
}
END_TEST

int main(void)
{
    struct check *c = check_begin("transactions");
    CHECK_ADD(c, a_transaction_commits_or_rolls_back);
    CHECK_ADD(c, modes_are_what_the_server_is_told);
    CHECK_ADD(c, an_unused_transaction_is_never_sent);
    CHECK_ADD(c, a_transaction_is_taken_once_and_rolls_back_with_its_future);
    CHECK_ADD(c, a_transaction_on_a_lease);
    CHECK_ADD(c, f42_a_lease_released_under_its_transaction);
    CHECK_ADD(c, the_ends_of_a_transaction_are_not_statements);
    CHECK_ADD(c, no_transaction_and_no_memory_of_one);
    CHECK_ADD(c, a_failed_statement_dooms_the_transaction);
    CHECK_ADD(c, what_is_sent_together_fails_together);
    CHECK_ADD(c, a_commit_that_is_refused);
    CHECK_ADD(c, a_commit_that_is_kept_keeps_no_connection);
    CHECK_ADD(c, f40_a_commit_with_a_failure_behind_it);
    CHECK_ADD(c, what_is_closed_meanwhile_parts_nothing);
    CHECK_ADD_LOOP(c, what_follows_on_a_lease_comes_after_the_transaction, 3);
    CHECK_ADD(c, a_copy_and_a_stream_in_a_transaction);
    CHECK_ADD(c, a_short_transaction_is_one_flight);
    CHECK_ADD(c, f39_canceled_at_each_step);
    CHECK_ADD(c, f39_dropped_without_an_end);
    CHECK_ADD_LOOP(c, f39_a_commit_is_canceled_as_its_answer_is_told, 2);
    CHECK_ADD_LOOP(c, f39_a_rollback_that_is_hit_is_said_again, 5);
    CHECK_ADD(c, a_statement_canceled_before_it_is_sent_is_no_part_of_it);
    CHECK_ADD(c, the_backend_is_killed_at_each_step);
    CHECK_ADD(c, the_pool_is_closed_meanwhile);
    CHECK_ADD(c, f42_ended_from_inside_a_callback);
    CHECK_ADD_LOOP(c, nothing_is_left_of_an_end_that_fails, 2);
    return check_end(c);
}
