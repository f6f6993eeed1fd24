/* it_notices.c - what the server says beside its answers: from when on, and whose it is (F72). */
#include "support/txns.h"

#include "support/oom.h"
#include "support/opts.h"
#include "support/seen.h"

#include <stdio.h>

/* What was told, a line each: who was told, the message, the statement. */
static char told[4096];

static char as_pool[] = "pool", as_listener[] = "listener", as_one[] = "one", as_gone[] = "gone",
            as_txn[] = "txn";

static void hear(const evpq_error *notice, void *arg)
{
    size_t n = strlen(told);
    const char *sql = evpq_error_sql(notice);
    snprintf(told + n, sizeof told - n, "%s: %s [%s]\n", (const char *)arg,
             evpq_error_message(notice), sql ? sql : "NULL");
}

#define open_heard(...) open_pool(.on_notice = hear, .notice_arg = as_pool, __VA_ARGS__)

static int times_told(const char *text)
{
    int n = 0;
    for (const char *at = told; (at = strstr(at, text)); at++)
        n++;
    return n;
}

/* It has been told by now. */
static void ck_told(const char *text)
{
    ck_assert_msg(times_told(text) == 1, "\"%s\" was told %d times in:\n%s", text, times_told(text),
                  told);
}

static void begin_test(void)
{
    server_exec("create or replace function says(what text) returns text language plpgsql as "
                "$$ begin raise notice '%', what; return what; end $$");
}

/* ---- from when on ---- */

/* A setting of the database's that has come to be wrong: the server warns when a session begins. */
static void warn_at_login(bool on)
{
    server_exec(on ? "alter database postgres set default_tablespace to 'f72_gone'"
                   : "alter database postgres reset default_tablespace");
}

#define AT_LOGIN "invalid value for parameter \"default_tablespace\": \"f72_gone\" [NULL]\n"

START_TEST(f72_warnings_of_the_start_are_told)
{
    warn_at_login(true);
    open_heard(.max_size = 1);
    ck_assert_int_eq(ask("select 1"), 1);
    ck_told("pool: " AT_LOGIN);
    evpq_lease_release(lease_get());
    ck_quiet();
    ck_assert_int_eq(times_told("f72_gone"), 1);
    pools_end();
    warn_at_login(false);
}
END_TEST

START_TEST(f72_a_listener_tells_them_too)
{
    begin_test();
    warn_at_login(true);
    open_pool(.max_size = 1);
    evpq_listener *l = evpq_listener_open(loop, server_conninfo(SERVER_UNIX, NULL),
                                          &(evpq_listener_opts){.size = sizeof(evpq_listener_opts),
                                                                .on_notice = hear,
                                                                .notice_arg = as_listener},
                                          NULL);
    evpq_subscription *s = evpq_listener_subscribe(l, "f72", NULL, NULL);
    ck_done(evpq_subscription_ready(s));
    ck_told("listener: " AT_LOGIN);
    ck_done(evpq_listener_query(l, "select says('hello')", EVPQ_ARGS()));
    ck_told("listener: hello [select says('hello')]\n");
    evpq_subscription_unref(s);
    ck_done(evpq_listener_close(l));
    evpq_listener_unref(l);
    pools_end();
    warn_at_login(false);
}
END_TEST

/* ---- whose ---- */

static evpq_future *in_txn(evpq_txn *txn, void *arg)
{
    (void)arg;
    return query_in(txn, "select says('transact')");
}

/* Each verb's, in text that tells them apart. */
static void say(int verb)
{
    const evpq_statement statements[] = {{.sql = "select says('first')"},
                                         {.sql = "select says('batch')"},
                                         {.sql = "select says('last')"}};
    const evpq_args rows[] = {EVPQ_ARGS("many"), EVPQ_ARGS("two")};
    evpq_future *f = NULL;
    evpq_txn *txn;
    evpq_stream *stream;
    evpq_copy *copy;
    switch (verb) {
    case 0:
        f = query("select says('query')");
        break;
    case 1:
        f = evpq_pool_read(pool, "select says('read')", EVPQ_ARGS());
        break;
    case 2:
        txn = txn_get(NULL);
        exec_in(txn, "select says('txn')");
        f = evpq_txn_commit(txn);
        break;
    case 3:
        f = evpq_transact(pool, NULL, in_txn, NULL);
        break;
    case 4:
        f = evpq_pool_batch(pool, statements, 3);
        break;
    case 5:
        f = evpq_executemany(pool, "select says($1::text)", rows, 2);
        break;
    case 6:
        stream = evpq_pool_stream(pool, "select says('stream')", EVPQ_ARGS(), NULL);
        ck_done(evpq_stream_next(stream));
        f = evpq_stream_next(stream);
        ck_await_ok(f);
        evpq_stream_close(stream);
        break;
    default:
        copy = evpq_pool_copy_out(pool, "copy (select says('copy')) to stdout");
        ck_done(evpq_copy_read(copy));
        f = evpq_copy_read(copy);
        ck_await_ok(f);
        evpq_copy_close(copy);
        break;
    }
    ck_done(f);
}

START_TEST(f72_a_notice_tells_its_statement)
{
    static const char *const want[] = {
        "query [select says('query')]",   "read [select says('read')]",
        "txn [select says('txn')]",       "transact [select says('transact')]",
        "batch [select says('batch')]",   "many [select says($1::text)]",
        "stream [select says('stream')]", "copy [copy (select says('copy')) to stdout]"};
    begin_test();
    open_heard(.max_size = 1, .prepare = _i % 2 ? EVPQ_PREPARE_OFF : EVPQ_PREPARE_AUTO);
    say(_i / 2);
    ck_told(strf("pool: %s\n", want[_i / 2]));
    pools_end();
}
END_TEST

/* Many on one line: each with its own, and before whoever waits for it runs. */
static void told_before(evpq_future *f, void *arg)
{
    (void)f;
    ck_told(arg);
}

START_TEST(f72_notices_in_a_pipeline_keep_to_their_statements)
{
    enum { N = 40 };
    evpq_future *fs[N];
    char lines[N][80];
    begin_test();
    open_heard(.max_size = 1);
    ask("select 1");
    for (int i = 0; i < N; i++) {
        const char *sql = strf("select says('number %d.')", i);
        fs[i] = _i ? evpq_pool_read(pool, sql, EVPQ_ARGS()) : query(sql);
        snprintf(lines[i], sizeof lines[i], "pool: number %d. [%s]\n", i, sql);
        evpq_future_on_done(fs[i], told_before, lines[i]);
    }
    for (int i = 0; i < N; i++)
        ck_done(fs[i]);
    pools_end();
}
END_TEST

START_TEST(f72_a_lease_hears_its_own)
{
    begin_test();
    open_heard(.max_size = 2);
    evpq_lease *one = lease_get(), *two = lease_get();
    ck_assert_int_eq(evpq_lease_on_notice(one, hear, as_one), EVPQ_OK);
    exec_on(one, "select says('a')");
    exec_on(two, "select says('b')");
    ck_told("one: a [select says('a')]\n");
    ck_told("pool: b [select says('b')]\n");
    ck_assert_int_eq(evpq_lease_on_notice(one, NULL, NULL), EVPQ_OK);
    exec_on(one, "select says('c')");
    ck_told("pool: c [select says('c')]\n");
    ck_assert_int_eq(evpq_lease_on_notice(one, hear, as_gone), EVPQ_OK);
    evpq_future *late = query_on(one, "select says('d'), pg_sleep(0.01)");
    evpq_lease_release(one); /* it hears no more */
    ck_done(late);
    ck_told("pool: d [select says('d'), pg_sleep(0.01)]\n");
    ck_assert_int_eq(times_told("gone:"), 0);
    evpq_lease_release(two);
    pools_end();
}
END_TEST

START_TEST(f72_a_lease_of_a_transaction_hears_its_own)
{
    begin_test();
    open_heard(.max_size = 1);
    evpq_txn *txn = txn_get(NULL);
    ck_assert_int_eq(evpq_lease_on_notice(evpq_txn_lease(txn), hear, as_txn), EVPQ_OK);
    exec_in(txn, "select says('a')");
    ck_told("txn: a [select says('a')]\n");
    ck_done(evpq_txn_commit(txn));
    ck_done(query("select says('b')"));
    ck_told("pool: b [select says('b')]\n");
    ck_assert_int_eq(evpq_lease_on_notice(NULL, hear, NULL), EVPQ_INVALID);
    pools_end();
}
END_TEST

/* Nothing of Check may be called while memory fails. */
START_TEST(f72_no_memory_to_tell_costs_the_notice_at_most)
{
    evpq_pool_opts opts = opts_of_test(NULL);
    opts.max_size = 1;
    opts.backoff_min = 0.001;
    opts.backoff_max = 0.005;
    opts.on_notice = hear;
    opts.notice_arg = as_pool;
    begin_test();
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, server_conninfo(SERVER_UNIX, NULL), &opts, NULL);
    EACH_ALLOCATION(n, failed) {
        ck_assert_int_eq(ask("select 1"), 1);
        told[0] = '\0';
        oom_fail_at(n);
        evpq_future *f = query("select says('something')");
        evpq_await(f);
        failed = oom_end();
        ck_assert(failed || evpq_future_status(f) == EVPQ_OK);
        evpq_future_unref(f);
    }
    ck_told("pool: something [select says('something')]\n");
    ck_done(evpq_timeout(evpq_pool_close(pool, 5), 10));
    pool = evpq_pool_unref(pool);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("notices");
    CHECK_ADD(c, f72_warnings_of_the_start_are_told);
    CHECK_ADD(c, f72_a_listener_tells_them_too);
    CHECK_ADD_LOOP(c, f72_a_notice_tells_its_statement, 16);
    CHECK_ADD_LOOP(c, f72_notices_in_a_pipeline_keep_to_their_statements, 2);
    CHECK_ADD(c, f72_a_lease_hears_its_own);
    CHECK_ADD(c, f72_a_lease_of_a_transaction_hears_its_own);
    CHECK_ADD(c, f72_no_memory_to_tell_costs_the_notice_at_most);
    return check_end(c);
}
