/* it_begin.c - BEGIN: what is sent with it, what waits for its answer, and what becomes of both
 * when it fails or its lease is released. */
#include "support/txns.h"

#include "support/proxy.h"

/* Asked for after BEGIN was sent and before it is answered: held back until then. */
START_TEST(what_comes_while_begin_is_unanswered)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_txn *txn = txn_on(lease);
    evpq_future *f = query_in(txn, "insert into txn_t select 1 from pg_sleep(60)");
    ck_running(1);
    evpq_future *late = query_in(txn, "insert into txn_t values (2)"),
                *given_up = query_in(txn, "select 3"), *end = evpq_txn_commit(txn);
    evpq_future_cancel(given_up);
    server_exec(strf("select pg_cancel_backend(%d)", evpq_lease_backend_pid(lease)));
    ck_sqlstate(f, "57014");
    ck_sqlstate(late, "25P02");
    ck_failed(given_up, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    ck_sqlstate(end, "57014");
    ck_assert(!lease_in_transaction(lease));
    evpq_lease_release(lease);
    ck_committed("");
    pools_end();
}
END_TEST

START_TEST(f4_a_lease_released_before_begin_is_answered)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_txn *txn = txn_on(lease);
    evpq_future *f = query_in(txn, "select pg_sleep(0.2)");
    ck_running(1);
    evpq_future *held = query_in(txn, "insert into txn_t values (1)");
    evpq_lease_release(lease);
    ck_failed(query_in(txn, "insert into txn_t values (2)"), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_done(f);
    ck_failed(held, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    evpq_future *end = evpq_txn_commit(txn);
    ck_failed(end, EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_all_over();
    ck_committed("");
    pools_end();
}
END_TEST

/* The statement has not been run, and so nothing was committed. */
START_TEST(a_lease_released_before_anything_is_sent)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_txn *txn = txn_on(lease), *inner = _i ? evpq_txn_savepoint(txn) : NULL;
    evpq_lease_release(lease);
    ck_failed(query_in(inner ? inner : txn, "insert into txn_t values (1)"), EVPQ_CLOSED,
              EVPQ_OUTCOME_NOT_SENT);
    if (inner)
        ck_failed(evpq_txn_commit(inner), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_failed(evpq_txn_commit(txn), EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT);
    ck_all_over();
    ck_committed("");
    pools_end();
}
END_TEST

/* BEGIN fails: what was sent with it, and what comes later, is not carried out. */
START_TEST(a_begin_that_fails)
{
    txns_begin();
    open_pool(.max_size = 1);
    for (int how = 0; how < 2; how++) {
        evpq_lease *lease = lease_get();
        exec_on(lease, "begin");
        fails_on(lease, "select 1 / 0", "22012");
        evpq_txn *txn = txn_on(lease);
        evpq_future *with = query_in(txn, "insert into txn_t values (1)");
        if (how)
            evpq_await(with);
        evpq_future *later = query_in(txn, "insert into txn_t values (2)");
        ck_sqlstate(evpq_txn_commit(txn), "25P02");
        ck_sqlstate(with, "25P02");
        ck_sqlstate(later, "25P02");
        ck_assert(!lease_in_transaction(lease));
        evpq_lease_release(lease);
        ck_committed("");
    }
    pools_end();
}
END_TEST

/* BEGIN fails after the connection was handed out: the COPY must not run outside a transaction. */
START_TEST(a_copy_after_a_begin_that_fails)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    fails_on(lease, "select 1 / 0", "22012");
    evpq_txn *txn = txn_on(lease);
    evpq_future *copied = copy_into(txn, "1\n");
    ck_failed(copied, EVPQ_SERVER, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(evpq_lease_backend_pid(lease), 0);
    evpq_future_unref(evpq_txn_rollback(txn));
    evpq_lease_release(lease);
    ck_committed("");
    pools_end();
}
END_TEST

/* The server refuses BEGIN, and has no transaction open after that: what comes behind would be
 * committed at once. One way each of not sharing a Sync with it. */
enum behind { BEHIND_MANY, BEHIND_THE_LEASE, BEHIND_SAVEPOINT, BEHIND_SENT, BEHIND_ALL };

static evpq_future *put_between(evpq_txn *txn, evpq_lease *lease, enum behind what)
{
    evpq_args row = EVPQ_ARGS(1);
    evpq_txn *inner;
    switch (what) {
    case BEHIND_MANY:
        return evpq_txn_executemany(txn, "insert into txn_t values ($1)", &row, 1);
    case BEHIND_THE_LEASE:
        return query_on(lease, "select 1");
    case BEHIND_SAVEPOINT:
        inner = evpq_txn_savepoint(txn);
        evpq_future_unref(query_in(inner, "insert into txn_t values (1)"));
        return evpq_txn_rollback(inner);
    default:
        run_for(evpq_loop_ev(loop), 0);
        return query_in(txn, "insert into txn_t values (1)");
    }
}

/* Statements that change data are not sent behind each other before one was seen to be committed
 * there, with more to be sent. */
static struct proxy *open_pool_that_loses_begin(void)
{
    struct proxy *proxy = server_proxy();
    txns_begin();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 1);
    evpq_future *fs[8];
    for (int i = 0; i < 8; i++)
        fs[i] = evpq_pool_query(pool, "delete from txn_t", EVPQ_ARGS());
    for (int i = 0; i < 8; i++)
        ck_done(fs[i]);
    proxy_arm(proxy, &(struct proxy_trigger){.act = PROXY_SPOIL, .bytes = "BEGIN"});
    return proxy;
}

static void ck_not_done(evpq_future *f)
{
    ck_await_status(f, EVPQ_SERVER);
    ck_assert_int_ne(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
}

START_TEST(nothing_of_it_runs_alone_when_begin_fails)
{
    struct proxy *proxy = open_pool_that_loses_begin();
    evpq_lease *lease = lease_get();
    evpq_txn *txn = txn_on(lease);
    evpq_future *first = query_in(txn, "insert into txn_t values (2)");
    evpq_future_unref(put_between(txn, lease, (enum behind)_i));
    evpq_future *last = query_in(txn, "insert into txn_t values (3)"), *end = evpq_txn_commit(txn);
    ck_not_done(first);
    ck_not_done(last);
    ck_not_done(end);
    ck_committed("");
    evpq_lease_release(lease);
    ck_all_over();
    ck_committed("");
    pools_end();
    proxy_stop(proxy);
}
END_TEST

/* The same for what is asked of the lease that the transaction hands out. */
START_TEST(nothing_asked_of_its_lease_runs_alone_when_begin_fails)
{
    struct proxy *proxy = open_pool_that_loses_begin();
    evpq_txn *txn = txn_get(NULL);
    evpq_future *before = _i ? query_in(txn, "insert into txn_t values (1)") : NULL;
    if (_i == 2)
        run_for(evpq_loop_ev(loop), 0);
    evpq_lease *lease = evpq_txn_lease(txn);
    evpq_future *one = query_on(lease, "insert into txn_t values (2)"),
                *two = query_on(lease, "insert into txn_t values (3)"), *end = evpq_txn_commit(txn);
    if (before)
        ck_not_done(before);
    ck_not_done(one);
    ck_failed(two, EVPQ_SERVER, EVPQ_OUTCOME_NOT_SENT);
    ck_not_done(end);
    ck_all_over();
    ck_committed("");
    pools_end();
    proxy_stop(proxy);
}
END_TEST

/* BEGIN was sent and is not answered: what is asked meanwhile, also of the lease, is carried out in
 * the order in which it was asked for. */
START_TEST(what_is_asked_of_its_lease_overtakes_nothing)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    evpq_future *slow = query_in(txn, "select pg_sleep(0.1)");
    ck_running(1);
    evpq_future *one = query_in(txn, "insert into txn_t values (1)");
    evpq_txn *inner = evpq_txn_savepoint(txn);
    ck_assert_int_eq(ask_on(evpq_txn_lease(inner),
                            "insert into txn_t select count(*) + 1 from txn_t returning i"),
                     2);
    ck_done(slow);
    ck_done(one);
    ck_done(evpq_txn_rollback(inner));
    ck_done(evpq_txn_commit(txn));
    ck_committed("1");
    pools_end();
}
END_TEST

/* What it hands out is part of it, however soon it was handed out. */
START_TEST(what_is_asked_of_its_lease_is_part_of_it)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    evpq_lease *lease = evpq_txn_lease(txn);
    evpq_future *one = query_on(lease, "insert into txn_t values (1)"),
                *two = query_on(lease, "insert into txn_t values (2)"),
                *end = _i ? evpq_txn_commit(txn) : evpq_txn_rollback(txn);
    ck_done(one);
    ck_done(two);
    ck_done(end);
    ck_all_over();
    ck_committed(_i ? "1,2" : "");
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("BEGIN");
    CHECK_ADD(c, what_comes_while_begin_is_unanswered);
    CHECK_ADD(c, f4_a_lease_released_before_begin_is_answered);
    CHECK_ADD_LOOP(c, a_lease_released_before_anything_is_sent, 2);
    CHECK_ADD(c, a_begin_that_fails);
    CHECK_ADD(c, a_copy_after_a_begin_that_fails);
    CHECK_ADD_LOOP(c, nothing_of_it_runs_alone_when_begin_fails, BEHIND_ALL);
    CHECK_ADD_LOOP(c, nothing_asked_of_its_lease_runs_alone_when_begin_fails, 3);
    CHECK_ADD(c, what_is_asked_of_its_lease_overtakes_nothing);
    CHECK_ADD_LOOP(c, what_is_asked_of_its_lease_is_part_of_it, 2);
    return check_end(c);
}
