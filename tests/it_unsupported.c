/* it_unsupported.c - F29: what the extended query protocol has no place for, asked for among others on
 * the same connection: several statements in one text, and COPY to or from the client. It fails,
 * clearly and alone. */
#include "support/pools.h"

enum { NEIGHBOURS = 5 };

/* ---- the ways to ask ---- */

static evpq_lease *lease;

static evpq_future *on_lease(evpq_pool *unused, const char *sql, evpq_args args)
{
    (void)unused;
    return evpq_lease_query(lease, sql, args);
}

static const struct way {
    evpq_future *(*ask)(evpq_pool *pool, const char *sql, evpq_args args);
    bool leases;
} ways[] = {{evpq_pool_query, false}, {evpq_pool_read, false}, {on_lease, true}};
enum { WAYS = sizeof ways / sizeof *ways };

static evpq_future *neighbour(const struct way *w, int i)
{
    return w->ask(pool, "select $1::int", EVPQ_ARGS(i));
}

static void open_for(const struct way *w)
{
    open_pool(.max_size = 1, .pipeline_depth = 32);
    if (w->leases)
        lease = lease_get();
    for (int i = 0; i < 20; i++) /* known as quick by now, as a rule: they ride on one connection */
        ck_done(neighbour(w, i));
}

static void close_after(const struct way *w)
{
    ck_assert_uint_eq(stats().connects, 1); /* none of it cost the connection */
    if (w->leases)
        evpq_lease_release(lease);
    pools_end();
}

static void ck_answers(evpq_future **fs, int from)
{
    for (int i = 0; i < NEIGHBOURS; i++) {
        ck_await_ok(fs[i]);
        ck_assert_int_eq(evpq_result_rows(evpq_future_result(fs[i])), 1);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(fs[i]), 0, 0), from + i);
        evpq_future_unref(fs[i]);
    }
}

/* Asks it among others, which get their own answers. Given: it has settled. */
static evpq_future *ask_among_others(const struct way *w, const char *sql)
{
    evpq_future *before[NEIGHBOURS], *after[NEIGHBOURS];
    for (int i = 0; i < NEIGHBOURS; i++)
        before[i] = neighbour(w, 100 + i);
    evpq_future *mismatch = w->ask(pool, sql, EVPQ_ARGS());
    for (int i = 0; i < NEIGHBOURS; i++)
        after[i] = neighbour(w, 200 + i);
    evpq_await(mismatch);
    ck_answers(before, 100);
    ck_answers(after, 200);
    return mismatch;
}

/* ---- several statements ---- */

START_TEST(f29_of_several_statements_in_a_text_none_is_run)
{
    static const char *const texts[] = {
        "select 1; select 2",
        "insert into f29 values (1); insert into f29 values (2)",
        "select 1; copy f29 to stdout",
        "begin; insert into f29 values (3); commit",
    };
    const struct way *w = &ways[_i];
    server_exec("create table f29 (i int)");
    open_for(w);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (int times = 0; times < 3; times++) { /* it is never prepared, however often it comes */
            evpq_future *f = ask_among_others(w, texts[i]);
            ck_future_status(f, EVPQ_SERVER);
            ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), "42601");
            ck_assert_str_eq(evpq_error_sql(evpq_future_error(f)), texts[i]);
            ck_failed(f, EVPQ_SERVER, EVPQ_OUTCOME_REJECTED);
        }
    }
    ck_done(ask_among_others(w, "select 1;")); /* one, with an end to it */
    ck_assert_int_eq(server_count("select count(*) from f29"), 0);
    close_after(w);
    server_exec("drop table f29");
}
END_TEST

/* ---- COPY ---- */

START_TEST(f29_copy_is_refused_before_it_is_sent)
{
    static const char *const texts[] = {
        "copy pg_class from stdin",
        "COPY (select 1) TO STDOUT",
        " /* all of it */ copy pg_class to stdout with (format csv)",
        "copy pg_class to stdout; select 1",
    };
    const struct way *w = &ways[_i];
    open_for(w);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        evpq_future *f = ask_among_others(w, texts[i]);
        ck_assert_str_eq(evpq_error_sql(evpq_future_error(f)), texts[i]);
        ck_failed(f, EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT);
    }
    close_after(w);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("mismatch");
    CHECK_ADD_LOOP(c, f29_of_several_statements_in_a_text_none_is_run, WAYS);
    CHECK_ADD_LOOP(c, f29_copy_is_refused_before_it_is_sent, WAYS);
    return check_end(c);
}
