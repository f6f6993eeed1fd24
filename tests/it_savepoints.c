/* it_savepoints.c - savepoints: how they nest and end, what is told of one, and what of the
 * transaction around it. */
#include "support/txns.h"

START_TEST(savepoints_nest)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into txn_t values (1)");
    evpq_txn *a = evpq_txn_savepoint(txn);
    exec_in(a, "insert into txn_t values (2)");
    evpq_txn *b = evpq_txn_savepoint(a);
    exec_in(b, "insert into txn_t values (3)");
    ck_sqlstate(query_in(b, "insert into txn_t values (3)"), "23505");
    ck_done(evpq_txn_rollback(b));
    exec_in(a, "insert into txn_t values (4)");
    b = evpq_txn_savepoint(a);
    exec_in(b, "insert into txn_t values (5)");
    ck_done(evpq_txn_commit(b));
    ck_done(evpq_txn_commit(a));
    a = evpq_txn_savepoint(txn);
    exec_in(a, "insert into txn_t values (6)");
    ck_done(evpq_txn_rollback(a));
    exec_in(txn, "insert into txn_t values (7)");
    ck_done(evpq_txn_commit(txn));
    ck_committed("1,2,4,5,7");
    pools_end();
}
END_TEST

/* Its RELEASE is taken back before it is sent: what it did is undone, and the rest goes on. */
START_TEST(a_savepoint_whose_commit_is_canceled_is_undone)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into txn_t values (1)");
    evpq_txn *a = evpq_txn_savepoint(txn);
    exec_in(a, "insert into txn_t values (2)");
    evpq_future *f = evpq_txn_commit(a);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
    exec_in(txn, "insert into txn_t values (3)");
    ck_done(evpq_txn_commit(txn));
    ck_committed("1,3");
    pools_end();
}
END_TEST

/* The same with more behind it: that is no part of the savepoint, which it would be undone with. So
 * it is not taken back then, and nobody is told that it was. */
START_TEST(a_savepoint_whose_commit_is_canceled_is_kept_for_what_is_behind)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_lease *lease = lease_get();
    evpq_txn *txn = txn_on(lease);
    exec_in(txn, "insert into txn_t values (1)");
    evpq_txn *a = evpq_txn_savepoint(txn);
    exec_in(a, "insert into txn_t values (2)");
    evpq_future *f = evpq_txn_commit(a);
    evpq_future *behind = _i == 1 ? query_on(evpq_txn_lease(txn), "insert into txn_t values (3)")
                                  : query_in(txn, "insert into txn_t values (3)");
    evpq_future *end = evpq_txn_commit(txn);
    if (_i == 2)
        evpq_lease_release(lease);
    evpq_future_cancel(f);
    ck_failed(f, EVPQ_CANCELED, EVPQ_OUTCOME_UNKNOWN);
    ck_done(behind);
    ck_done(end);
    ck_committed("1,2,3");
    if (_i != 2)
        evpq_lease_release(lease);
    pools_end();
}
END_TEST

/* What is asked for behind the commit of a savepoint before it is known to have failed is refused
 * by the server: the transaction around it has failed, too, though the server would commit the rest
 * of it. */
START_TEST(what_is_asked_behind_a_savepoint_that_fails_fails_with_it)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    exec_in(txn, "insert into txn_t values (1)");
    evpq_txn *a = evpq_txn_savepoint(txn);
    evpq_future *bad = query_in(a, "select 1 / 0"), *kept = evpq_txn_commit(a),
                *behind = query_in(txn, "insert into txn_t values (2)");
    ck_sqlstate(kept, "22012");
    evpq_future *last = query_in(txn, "insert into txn_t values (3)"), *end = evpq_txn_commit(txn);
    ck_sqlstate(bad, "22012");
    ck_sqlstate(behind, "25P02");
    evpq_await(last);
    evpq_future_unref(last);
    ck_sqlstate(end, "22012");
    ck_all_over();
    ck_committed("");
    pools_end();
}
END_TEST

/* The savepoint that is rolled back was never there, and the one before it still is: it is not
 * taken for that. */
START_TEST(a_savepoint_is_not_taken_for_the_one_before)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL), *a = evpq_txn_savepoint(txn);
    evpq_future *bad = query_in(a, "select 1 / 0"), *kept = evpq_txn_commit(a),
                *behind = query_in(txn, "insert into txn_t values (2)");
    evpq_txn *b = evpq_txn_savepoint(txn);
    evpq_future *in_b = query_in(b, "insert into txn_t values (3)"), *back = evpq_txn_rollback(b),
                *last = query_in(txn, "insert into txn_t values (4)"), *end = evpq_txn_commit(txn);
    ck_sqlstate(bad, "22012");
    ck_sqlstate(kept, "22012");
    ck_sqlstate(behind, "25P02");
    ck_await_status(end, EVPQ_SERVER);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(end)), EVPQ_OUTCOME_REJECTED);
    evpq_future *rest[] = {in_b, back, last, end};
    for (int i = 0; i < 4; i++)
        evpq_future_unref(rest[i]);
    ck_all_over();
    ck_committed("");
    pools_end();
}
END_TEST

/* The program has ended the transaction behind its back: the server has no such savepoint. */
START_TEST(a_rollback_to_a_savepoint_that_is_refused_says_so)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL), *a = evpq_txn_savepoint(txn);
    exec_in(a, "insert into txn_t values (1)");
    exec_on(evpq_txn_lease(a), "rollback");
    evpq_future *f = evpq_txn_rollback(a);
    ck_await_status(f, EVPQ_SERVER);
    evpq_future_unref(f);
    ck_done(evpq_txn_rollback(txn));
    ck_committed("");
    ck_all_over();
    pools_end();
}
END_TEST

/* All of it in one tick. */
START_TEST(savepoints_in_flight)
{
    txns_begin();
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL), *a = evpq_txn_savepoint(txn), *b = evpq_txn_savepoint(a);
    evpq_future *fs[] = {query_in(b, "insert into txn_t values (1)"),   evpq_txn_commit(b),
                         query_in(a, "insert into txn_t values (2)"),   evpq_txn_rollback(a),
                         query_in(txn, "insert into txn_t values (3)"), evpq_txn_commit(txn)};
    evpq_await(fs[5]);
    ck_committed("3");
    for (int i = 0; i < 6; i++) {
        if (i == 2) /* rolled back as it was about to be sent */
            ck_failed(fs[i], EVPQ_CANCELED, EVPQ_OUTCOME_NOT_SENT);
        else if (i != 0)
            ck_done(fs[i]);
        else
            evpq_future_unref(fs[i]);
    }
    pools_end();
}
END_TEST

START_TEST(only_the_innermost_can_be_asked)
{
    open_pool(.max_size = 1);
    evpq_txn *txn = txn_get(NULL), *a = evpq_txn_savepoint(txn);
    ck_assert_ptr_null(evpq_txn_savepoint(txn));
    ck_assert_ptr_null(evpq_txn_lease(txn));
    evpq_future *f = query_in(txn, "select 1");
    ck_await_status(f, EVPQ_INVALID);
    ck_text_has(evpq_error_message(evpq_future_error(f)), "savepoint");
    evpq_future_unref(f);
    exec_in(a, "select 1");
    f = evpq_txn_commit(txn); /* in the wrong order: all is rolled back */
    ck_await_status(f, EVPQ_INVALID);
    ck_text_has(evpq_error_message(evpq_future_error(f)), "savepoint");
    evpq_future_unref(f);
    ck_failed(query_in(a, "select 1"), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_null(evpq_txn_savepoint(a));
    ck_failed(evpq_txn_commit(a), EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    ck_all_over();
    txn = txn_get(NULL);
    a = evpq_txn_savepoint(txn);
    evpq_txn *b = evpq_txn_savepoint(a);
    exec_in(b, "select 1");
    ck_done(evpq_txn_rollback(txn)); /* ends those within */
    ck_done(evpq_txn_rollback(b));
    ck_done(evpq_txn_rollback(a));
    ck_all_over();
    pools_end();
}
END_TEST

START_TEST(a_failed_savepoint_leaves_the_transaction_whole)
{
    txns_begin();
    open_pool(.max_size = 1);
    for (int awaited = 0; awaited < 2; awaited++) {
        evpq_txn *txn = txn_get(NULL);
        exec_in(txn, "insert into txn_t values (1)");
        evpq_txn *a = evpq_txn_savepoint(txn);
        evpq_future *bad = query_in(a, "select 1 / 0");
        if (awaited)
            evpq_await(bad);
        ck_sqlstate(evpq_txn_commit(a), "22012"); /* rolled back alone */
        evpq_future_unref(bad);
        ck_until(ask_in(txn, "select count(*) from txn_t") == 1);
        ck_done(evpq_txn_rollback(txn));
    }
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("savepoints");
    CHECK_ADD(c, savepoints_nest);
    CHECK_ADD(c, a_savepoint_whose_commit_is_canceled_is_undone);
    CHECK_ADD_LOOP(c, a_savepoint_whose_commit_is_canceled_is_kept_for_what_is_behind, 3);
    CHECK_ADD(c, what_is_asked_behind_a_savepoint_that_fails_fails_with_it);
    CHECK_ADD(c, a_savepoint_is_not_taken_for_the_one_before);
    CHECK_ADD(c, a_rollback_to_a_savepoint_that_is_refused_says_so);
    CHECK_ADD(c, savepoints_in_flight);
    CHECK_ADD(c, only_the_innermost_can_be_asked);
    CHECK_ADD(c, a_failed_savepoint_leaves_the_transaction_whole);
    return check_end(c);
}
