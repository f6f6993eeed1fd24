/* it_lease_txn.c - what a program asks of its lease behind the end of a transaction on it, before it
 * knows how that went. */
#include "support/txns.h"

static evpq_lease *lease;
static evpq_txn *txn;

/* A transaction of which the server does not know yet. 0: the default cancel_timeout. */
static void begin_on_lease(double cancel_timeout)
{
    txns_begin();
    open_pool(.max_size = 1, .cancel_timeout = cancel_timeout);
    lease = lease_get();
    txn = txn_on(lease);
}

static void end_on_lease(const char *committed)
{
    ck_assert(!lease_in_transaction(lease));
    evpq_lease_release(lease);
    ck_committed(committed);
    pools_end();
}

/* Its answer, and that to BEGIN, are still to come. */
static evpq_future *first_that_runs(void)
{
    evpq_future *f = query_in(txn, "select pg_sleep(0.2)");
    ck_running(1);
    return f;
}

enum asked { ASKED_QUERY, ASKED_BATCH, ASKED_MANY, ASKED_STREAM, ASKED_COPY, ASKED_TXN, ASKED_ALL };

static const char insert_what_is_there[] = "insert into txn_t select count(*) + 10 from txn_t";

/* Puts in 11 where one row is there. */
static evpq_future *ask_of_lease(enum asked what)
{
    const evpq_statement statement = {insert_what_is_there, EVPQ_ARGS()};
    evpq_args none = EVPQ_ARGS();
    evpq_stream *stream;
    evpq_copy *copy;
    evpq_future *f;
    evpq_txn *next;
    switch (what) {
    case ASKED_BATCH:
        return evpq_lease_batch(lease, &statement, 1);
    case ASKED_MANY:
        return evpq_lease_executemany(lease, insert_what_is_there, &none, 1);
    case ASKED_STREAM:
        stream = evpq_lease_stream(lease, "insert into txn_t values (11) returning i", none, NULL);
        f = evpq_stream_next(stream);
        evpq_await(f);
        evpq_stream_close(stream);
        return f;
    case ASKED_COPY:
        copy = evpq_lease_copy_in(lease, "copy txn_t from stdin");
        ck_assert_int_eq(evpq_copy_write(copy, "11\n", 3), EVPQ_OK);
        return evpq_copy_finish(copy);
    case ASKED_TXN:
        next = txn_on(lease);
        evpq_future_unref(query_in(next, insert_what_is_there));
        return evpq_txn_commit(next);
    default:
        return query_on(lease, insert_what_is_there);
    }
}

/* The program goes on with its lease before COMMIT is sent. */
START_TEST(what_is_asked_of_a_lease_comes_after_a_commit_that_is_held_back)
{
    begin_on_lease(0);
    evpq_future *slow = first_that_runs();
    evpq_future *held = query_in(txn, "insert into txn_t values (1)"), *end = evpq_txn_commit(txn),
                *after = ask_of_lease(_i);
    ck_done(after);
    ck_done(end);
    ck_done(held);
    ck_done(slow);
    end_on_lease("1,11");
}
END_TEST

/* What comes behind a COMMIT that fails comes behind the ROLLBACK, too, which is the library's own:
 * it does not end what the program has begun since. */
START_TEST(what_is_asked_of_a_lease_behind_a_commit_that_fails)
{
    begin_on_lease(0);
    evpq_future *first = _i % 2 ? first_that_runs() : query_in(txn, "select 1");
    evpq_future *bad = query_in(txn, "select 1 / 0"), *end = evpq_txn_commit(txn);
    if (_i / 2) {
        evpq_future *begin = query_on(lease, "begin"), *part = ask_of_lease(ASKED_QUERY);
        ck_done(query_on(lease, "commit"));
        ck_done(part);
        ck_done(begin);
    } else {
        ck_done(ask_of_lease(ASKED_TXN));
    }
    ck_sqlstate(end, "22012");
    ck_sqlstate(bad, "22012");
    ck_done(first);
    end_on_lease("10");
}
END_TEST

static void slow_commits_of_1(void)
{
    server_exec(
        "create or replace function nap() returns trigger language plpgsql as "
        "'begin perform pg_sleep(60); return null; end'; create constraint trigger nap after insert "
        "on txn_t deferrable initially deferred for each row when (new.i = 1) execute function nap()");
}

/* The server is at it. A ROLLBACK follows in any case, and comes before what the program has asked. */
START_TEST(a_commit_is_canceled_while_it_runs)
{
    begin_on_lease(0);
    slow_commits_of_1();
    exec_in(txn, "insert into txn_t values (1)");
    evpq_future *end = evpq_txn_commit(txn), *begin = query_on(lease, "begin"),
                *part = query_on(lease, "insert into txn_t values (2)");
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop),
                        server_count("select count(*) from pg_stat_activity where query = 'COMMIT' "
                                     "and state = 'active'") == 1,
                        10));
    evpq_future_cancel(end);
    ck_failed(end, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_done(query_on(lease, "commit"));
    ck_done(part);
    ck_done(begin);
    end_on_lease("2");
}
END_TEST

/* Nobody waits for a COMMIT that is canceled and goes: what is behind it does not wait for ever. */
START_TEST(a_commit_that_nobody_waits_for_has_a_limit)
{
    begin_on_lease(0.5);
    slow_commits_of_1();
    exec_in(txn, "insert into txn_t values (1)");
    evpq_future *end = evpq_txn_commit(txn),
                *after = query_on(lease, "insert into txn_t values (2)");
    evpq_future_cancel(end);
    ck_failed(end, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_failed(after, EVPQ_LOST, EVPQ_OUTCOME_NOT_SENT);
    evpq_lease_release(lease);
    server_exec("select pg_terminate_backend(pid) from pg_stat_activity where query = 'COMMIT'");
    pools_end();
}
END_TEST

/* In the same turn of the loop, or while BEGIN is not answered. A ROLLBACK in place of the COMMIT
 * would undo what comes behind. */
START_TEST(a_commit_is_canceled_with_more_behind_it)
{
    begin_on_lease(0);
    evpq_future *first = _i ? first_that_runs() : query_in(txn, "select 1");
    evpq_future *second = query_in(txn, "insert into txn_t values (1)"),
                *end = evpq_txn_commit(txn), *after = ask_of_lease(ASKED_QUERY);
    evpq_future_cancel(end);
    ck_failed(end, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_done(after);
    ck_done(second);
    ck_done(first);
    end_on_lease("1,11");
}
END_TEST

int main(void)
{
    struct check *c = check_begin("lease_txn");
    CHECK_ADD_LOOP(c, what_is_asked_of_a_lease_comes_after_a_commit_that_is_held_back, ASKED_ALL);
    CHECK_ADD_LOOP(c, a_commit_is_canceled_with_more_behind_it, 2);
    CHECK_ADD_LOOP(c, what_is_asked_of_a_lease_behind_a_commit_that_fails, 4);
    CHECK_ADD(c, a_commit_is_canceled_while_it_runs);
    CHECK_ADD(c, a_commit_that_nobody_waits_for_has_a_limit);
    return check_end(c);
}
