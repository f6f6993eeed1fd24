/* it_read.c - evpq_pool_read: statements that only read share a transaction, and nothing else. */
#include "support/pools.h"

#include "pool/pool.h"

#include <stdio.h>
#include <string.h>

enum { COMPANY = 20 };

static evpq_future *reading(const char *sql)
{
    return evpq_pool_read(pool, sql, EVPQ_ARGS());
}

/* On a pool of one connection: until others may ride behind it, however slow the machine. */
static void teach(const char *sql)
{
    for (int i = 0; i < 200; i++) {
        ck_done(reading(sql));
        ck_quiet();
        struct conn *c =
            &container_of(list_first(&pool->conns[POOL_CONN_IDLE]), struct pool_conn, node)->conn;
        struct request r = {.sql = sql, .sql_length = strlen(sql)};
        struct stmt *s = stmts_use(&c->stmts, &r);
        bool quick = stmt_is_quick(s) && s->runs > 1;
        stmt_unpin(s);
        if (quick)
            return;
    }
    ck_abort_msg("%s is never quick", sql);
}

static const char *text(evpq_future *f)
{
    ck_await_ok(f);
    return evpq_result_text(evpq_future_result(f), 0, 0);
}

static void let_go(evpq_future **fs, int n)
{
    for (int i = 0; i < n; i++)
        evpq_future_unref(fs[i]);
}

static const char moment[] = "select now()::text || current_setting('transaction_read_only')";

/* How many different transactions these queries saw. */
static int transactions(evpq_future *(*ask_for)(const char *), const char *read_only)
{
    evpq_future *fs[COMPANY];
    int different = 1;
    for (int i = 0; i < COMPANY; i++)
        fs[i] = ask_for(moment);
    for (int i = 0; i < COMPANY; i++) {
        ck_assert_ptr_nonnull(strstr(text(fs[i]), read_only));
        if (i && strcmp(text(fs[i]), text(fs[i - 1])))
            different++;
    }
    let_go(fs, COMPANY);
    return different;
}

START_TEST(those_of_one_turn_share_a_transaction)
{
    open_pool(.max_size = 1, .pipeline_depth = COMPANY,
              .prepare = _i ? EVPQ_PREPARE_OFF : EVPQ_PREPARE_AUTO);
    teach(moment);
    ck_assert_int_eq(transactions(reading, "on"), 1);
    ck_quiet(); /* whose session it is was asked, too */
    ck_assert_int_eq(transactions(reading, "on"), 1);
    ck_quiet();
    ck_assert_int_eq(transactions(reading, "on"), 1); /* the guard is prepared by now */
    ck_quiet();
    ck_assert_int_eq(transactions(query, "off"), COMPANY);
    pools_end();
}
END_TEST

START_TEST(a_lone_one_goes_plain)
{
    open_pool(.max_size = 1);
    evpq_future *f = reading(moment);
    ck_assert_ptr_nonnull(strstr(text(f), "off"));
    evpq_future_unref(f);
    pools_end();
}
END_TEST

START_TEST(each_has_its_own_answer)
{
    enum { N = 500 };
    evpq_future *fs[N];
    open_pool(.max_size = 3, .pipeline_depth = 100);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < N; i++)
            fs[i] = evpq_pool_read(pool, "select $1::int", EVPQ_ARGS(i));
        for (int i = 0; i < N; i++) {
            ck_await_ok(fs[i]);
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(fs[i]), 0, 0), i);
        }
        let_go(fs, N);
    }
    pools_end();
}
END_TEST

/* The failing ones have their own error each; all others their answers, those behind them too. */
START_TEST(one_that_fails_fails_alone)
{
    static const char sql[] = "select 10 / $1::int";
    evpq_future *fs[COMPANY];
    open_pool(.max_size = 1, .pipeline_depth = COMPANY);
    teach("select 10 / 5::int");
    for (int i = 0; i < 20; i++)
        ck_done(evpq_pool_read(pool, sql, EVPQ_ARGS(1)));
    for (int i = 0; i < COMPANY; i++)
        fs[i] = evpq_pool_read(pool, sql, EVPQ_ARGS(i % 5 == 2 ? 0 : i % 5 + 1));
    for (int i = 0; i < COMPANY; i++) {
        evpq_status status = evpq_await(fs[i]);
        ck_assert_int_eq(status, i % 5 == 2 ? EVPQ_SERVER : EVPQ_OK);
        if (i % 5 == 2)
            ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(fs[i])), "22012");
        else
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(fs[i]), 0, 0), 10 / (i % 5 + 1));
    }
    let_go(fs, COMPANY);
    pools_end();
}
END_TEST

START_TEST(one_that_writes_is_refused_in_company)
{
    const char *create = strf("create table evpq_read_%d(n int)", (int)getpid());
    const char *insert = strf("insert into evpq_read_%d values (1) returning n", (int)getpid());
    server_exec(create);
    open_pool(.max_size = 1, .pipeline_depth = COMPANY);
    teach("select 1");
    evpq_future *fs[] = {reading("select 1"), reading(insert), reading("select 1")};
    ck_await_ok(fs[0]);
    ck_await_status(fs[1], EVPQ_SERVER);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(fs[1])), "25006");
    ck_await_ok(fs[2]);
    let_go(fs, 3);
    ck_assert_int_eq(server_count(strf("select count(*) from evpq_read_%d", (int)getpid())), 0);
    ck_assert_int_eq(ask(insert), 1); /* nothing of it stays behind on the connection */
    pools_end();
    server_exec(strf("drop table evpq_read_%d", (int)getpid()));
}
END_TEST

START_TEST(one_that_is_canceled_leaves_the_others)
{
    evpq_future *fs[COMPANY];
    open_pool(.max_size = 1, .pipeline_depth = COMPANY);
    teach("select 1");
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < COMPANY; i++)
            fs[i] = reading("select 1");
        if (round % 2)
            ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT); /* they are on their way */
        bool canceled[COMPANY] = {false};
        for (int i = 0; i < COMPANY; i += 3) {
            canceled[i] = evpq_future_status(fs[i]) == EVPQ_PENDING;
            evpq_future_cancel(fs[i]);
        }
        for (int i = 0; i < COMPANY; i++)
            ck_await_status(fs[i], canceled[i] ? EVPQ_CANCELED : EVPQ_OK);
        let_go(fs, COMPANY);
        ck_quiet();
    }
    pools_end();
}
END_TEST

/* What the guard and the statements are prepared as goes with the session's statements, and comes
 * back. */
START_TEST(the_guard_comes_back_after_a_reset)
{
    open_pool(.max_size = 1, .pipeline_depth = COMPANY);
    for (int round = 0; round < 3; round++) {
        teach(moment);
        ck_assert_int_eq(transactions(reading, "on"), 1);
        evpq_lease *lease = lease_get();
        exec_on(lease, round % 2 ? "deallocate all" : "select 1");
        evpq_lease_release(lease);
        ck_quiet();
    }
    pools_end();
}
END_TEST

START_TEST(a_connection_that_dies_takes_all_of_them)
{
    evpq_future *fs[COMPANY];
    open_pool(.max_size = 1, .pipeline_depth = COMPANY);
    teach("select 1");
    for (int i = 0; i < COMPANY; i++)
        fs[i] = reading(i == 3 ? "select pg_terminate_backend(pg_backend_pid())" : "select 1");
    for (int i = 0; i < COMPANY; i++) {
        evpq_status status = evpq_await(fs[i]);
        ck_assert_msg(status == EVPQ_LOST || status == EVPQ_OK, "%s", check_future_text(fs[i]));
    }
    ck_assert_int_eq(evpq_future_status(fs[3]), EVPQ_LOST);
    let_go(fs, COMPANY);
    ck_assert_int_eq(ask("select 5"), 5);
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("read");
    CHECK_ADD_LOOP(c, those_of_one_turn_share_a_transaction, 2);
    CHECK_ADD(c, a_lone_one_goes_plain);
    CHECK_ADD(c, each_has_its_own_answer);
    CHECK_ADD(c, one_that_fails_fails_alone);
    CHECK_ADD(c, one_that_writes_is_refused_in_company);
    CHECK_ADD(c, one_that_is_canceled_leaves_the_others);
    CHECK_ADD(c, the_guard_comes_back_after_a_reset);
    CHECK_ADD(c, a_connection_that_dies_takes_all_of_them);
    return check_end(c);
}
