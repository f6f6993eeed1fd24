/* it_pgbouncer.c - behind PgBouncer in transaction mode: F30, without prepared statements and
 * pipelining; F49, as a pool is by default.
 *
 * Started without PgBouncer in its environment, it starts itself again behind
 * tests/with-pgbouncer. */
#include "support/basics.h"
#include "support/proxy.h"
#include "support/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct site behind(int max_size)
{
    return site_open(strf("host=%s port=%s user=%s dbname=%s sslmode=disable",
                          getenv("PGBOUNCER_HOST"), getenv("PGBOUNCER_PORT"), getenv("PGUSER"),
                          getenv("PGDATABASE")),
                     &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                       .max_size = max_size,
                                       .pipeline_depth = 1,
                                       .prepare = EVPQ_PREPARE_OFF});
}

static struct site by_default(const char *host, const char *port, int max_size)
{
    return site_open(strf("host=%s port=%s user=%s dbname=%s sslmode=disable", host, port,
                          getenv("PGUSER"), getenv("PGDATABASE")),
                     &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = max_size});
}

static struct site behind_by_default(int max_size)
{
    return by_default(getenv("PGBOUNCER_HOST"), getenv("PGBOUNCER_PORT"), max_size);
}

START_TEST(f49_basics)
{
    struct site s = behind_by_default(1 + 3 * _i);
    basics_run(&s, 300 * 1000, 3);
    site_close(&s);
}
END_TEST

/* Two clients with other texts, which PgBouncer gives the same server connections. All are there
 * before what they say is split: PgBouncer refuses a startup packet that comes in pieces. */
static void two_clients(const char *host, const char *port, struct proxy *splits, int rounds)
{
    enum { EACH = 10, SIZE = 8 };
    struct site s[2] = {by_default(host, port, SIZE), by_default(host, port, SIZE)};
    for (int who = 0; who < 2; who++) {
        evpq_pool_resize(s[who].pool, SIZE, SIZE);
        ck_assert(RUN_UNTIL(s[who].ev, site_stats(&s[who]).idle == SIZE, 30));
    }
    if (splits)
        proxy_split(splits, true);
    for (int round = 0; round < rounds; round++) {
        evpq_future *f[2][EACH];
        for (int i = 0; i < EACH; i++)
            for (int who = 0; who < 2; who++)
                f[who][i] = (i % 2 ? evpq_pool_query : evpq_pool_read)(
                    s[who].pool, strf("select %d + $1::int", (who * EACH + i % 4) * 1000),
                    EVPQ_ARGS(round));
        for (int i = 0; i < EACH; i++)
            for (int who = 0; who < 2; who++) {
                ck_assert(RUN_UNTIL(s[who].ev, evpq_future_status(f[who][i]) != EVPQ_PENDING, 30));
                ck_future_ok(f[who][i]);
                ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[who][i]), 0, 0),
                                 (who * EACH + i % 4) * 1000 + round);
                evpq_future_unref(f[who][i]);
            }
    }
    ck_assert_uint_eq(site_stats(&s[0]).lost + site_stats(&s[1]).lost, 0);
    site_close(&s[0]);
    site_close(&s[1]);
}

START_TEST(f49_no_text_stands_for_another)
{
    two_clients(getenv("PGBOUNCER_HOST"), getenv("PGBOUNCER_PORT"), NULL, 60);
}
END_TEST

/* As a network may bring it. PgBouncer 1.18 gives a session away at the answer to a Sync, even while
 * half of the next statement has gone there. */
START_TEST(f49_what_comes_in_pieces_reaches_one_session)
{
    struct proxy *proxy = proxy_start(getenv("PGBOUNCER_HOST"), atoi(getenv("PGBOUNCER_PORT")));
    two_clients("127.0.0.1", strf("%d", proxy_port(proxy)), proxy, 20);
    proxy_stop(proxy);
}
END_TEST

/* A session that may be a stranger's is not cleaned: what is prepared in it stays. */
START_TEST(f49_nothing_of_a_strangers_is_discarded)
{
    struct site s = behind_by_default(1);
    for (int i = 0; i < 5; i++)
        evpq_future_unref(site_query(&s, "select 'kept'"));
    for (int i = 0; i < 3; i++) {
        evpq_lease *lease = site_lease(&s);
        lease_text(lease, "select 1");
        evpq_lease_release(lease);
        ck_assert(site_quiet(&s, 10));
    }
    ck_assert_str_ne(site_text(&s, "select count(*) from pg_prepared_statements"), "0");
    ck_assert_uint_eq(site_stats(&s).retired, 0);
    evpq_lease *lease = site_lease(&s); /* one that leaves a mark is given back to PgBouncer */
    lease_text(lease, "set evpq.mark = 'x'");
    evpq_lease_release(lease);
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).retired == 1, 10));
    site_close(&s);
}
END_TEST

START_TEST(f30_basics)
{
    struct site s = behind(1 + 3 * _i);
    basics_run(&s, 300 * 1000, 3);
    site_close(&s);
}
END_TEST

/* More queries than PgBouncer has servers, and texts that come again and again. */
START_TEST(f30_a_crowd_of_the_same)
{
    enum { CROWD = 1000 };
    static evpq_future *f[CROWD];
    struct site s = behind(10);
    for (int i = 0; i < CROWD; i++)
        f[i] = evpq_pool_query(s.pool, "select $1::int", EVPQ_ARGS(i));
    for (int i = 0; i < CROWD; i++) {
        ck_await_ok(f[i]);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[i]), 0, 0), i);
        evpq_future_unref(f[i]);
    }
    ck_assert_uint_eq(site_stats(&s).lost, 0);
    site_close(&s);
}
END_TEST

/* PgBouncer passes a cancel request on; the connection is good afterwards, and so are all
 * others. */
START_TEST(f30_canceled_and_used_again)
{
    struct site s = behind(2);
    for (int round = 0; round < 40; round++) {
        evpq_future *victim = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
        site_run(&s, (double)(round % 5) / 1000);
        evpq_future_cancel(victim);
        evpq_future_unref(victim);
        evpq_future *f[4];
        for (int i = 0; i < 4; i++)
            f[i] = evpq_pool_query(s.pool, "select $1::int", EVPQ_ARGS(round * 4 + i));
        for (int i = 0; i < 4; i++) {
            ck_await_ok(f[i]);
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[i]), 0, 0), round * 4 + i);
            evpq_future_unref(f[i]);
        }
    }
    ck_assert_uint_gt(site_stats(&s).cancels, 10);
    site_close(&s);
}
END_TEST

/* A transaction stays on one server connection, whichever it is. */
START_TEST(f30_a_transaction_is_one)
{
    struct site s = behind(3);
    for (int round = 0; round < 10; round++) {
        evpq_lease *a = site_lease(&s), *b = site_lease(&s);
        lease_text(a, "begin");
        lease_text(b, "begin");
        char of_a[20], of_b[20];
        snprintf(of_a, sizeof of_a, "%s", lease_text(a, "select pg_backend_pid()"));
        snprintf(of_b, sizeof of_b, "%s", lease_text(b, "select pg_backend_pid()"));
        ck_assert_str_ne(of_a, of_b);
        ck_assert_str_eq(lease_text(a, "select pg_backend_pid()"), of_a);
        ck_assert_str_eq(lease_text(b, "select pg_backend_pid()"), of_b);
        lease_text(a, "commit");
        evpq_lease_release(b); /* rolled back */
        evpq_lease_release(a);
    }
    ck_assert(site_quiet(&s, 10));
    ck_assert_int_eq(server_count("select count(*) from pg_stat_activity"
                                  " where state like 'idle in transaction%'"),
                     0);
    site_close(&s);
}
END_TEST

/* LISTEN goes past PgBouncer, NOTIFY through it. */
START_TEST(f30_a_listener_beside_it)
{
    struct site s = behind(2);
    evpq_listener *listener =
        evpq_listener_open(s.loop, server_conninfo(SERVER_UNIX, NULL), NULL, NULL);
    evpq_subscription *jobs = evpq_listener_subscribe(listener, "jobs", NULL, NULL);
    evpq_future *ready = evpq_subscription_ready(jobs);
    ck_await_ok(ready);
    evpq_future_unref(ready);
    for (int i = 0; i < 100; i++)
        evpq_future_unref(evpq_notify(s.pool, "jobs", strf("%d", i)));
    for (int i = 0; i < 100; i++) {
        evpq_future *f = evpq_subscription_next(jobs);
        ck_await_ok(f);
        ck_assert_ptr_nonnull(evpq_future_notification(f));
        ck_assert_int_eq(evpq_notification_event(evpq_future_notification(f)), EVPQ_EVENT_NOTIFY);
        evpq_future_unref(f);
    }
    evpq_subscription_unref(jobs);
    evpq_listener_unref(listener);
    site_close(&s);
}
END_TEST

/* F25: records of 16 kB, and less room than that in libpq's buffer. What OpenSSL has of the last of
 * them is announced by no socket. (PostgreSQL ends an answer with a record that always fits.) */
START_TEST(f25_what_openssl_holds_is_read)
{
    if (!server_has_tls())
        return;
    struct site s = site_open(strf("host=%s port=%s user=%s dbname=%s sslmode=require",
                                   getenv("PGBOUNCER_HOST"), getenv("PGBOUNCER_PORT"),
                                   getenv("PGUSER"), getenv("PGDATABASE")),
                              &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    for (int rows = 1; rows <= 16; rows++) {
        for (int size = 4500; size < 7000; size += 250) {
            evpq_future *f =
                evpq_pool_query(s.pool, "select repeat('t', $1) from generate_series(1, $2)",
                                EVPQ_ARGS(size, rows));
            bool came = RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 20);
            ck_assert_msg(came, "%d rows of %d bytes do not arrive", rows, size);
            ck_future_ok(f);
            evpq_future_unref(f);
        }
    }
    site_close(&s);
}
END_TEST

static int start_behind(const char *program)
{
    const char *top = getenv("top_srcdir");
    char script[4096];
    snprintf(script, sizeof script, "%s/tests/with-pgbouncer", top ? top : ".");
    execl(script, script, "--tls", getenv("CK_TAP_LOG_FILE_NAME") ? "--tap" : "--pool=20", "--",
          program, (char *)NULL);
    perror(script);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    (void)argc;
    if (!getenv("PGBOUNCER_PORT"))
        return start_behind(argv[0]);
    struct check *c = check_begin("PgBouncer");
    CHECK_ADD_LOOP(c, f30_basics, 2);
    CHECK_ADD_LOOP(c, f49_basics, 2);
    CHECK_ADD(c, f49_no_text_stands_for_another);
    CHECK_ADD(c, f49_what_comes_in_pieces_reaches_one_session);
    CHECK_ADD(c, f49_nothing_of_a_strangers_is_discarded);
    CHECK_ADD(c, f30_a_crowd_of_the_same);
    CHECK_ADD(c, f30_canceled_and_used_again);
    CHECK_ADD(c, f30_a_transaction_is_one);
    CHECK_ADD(c, f30_a_listener_beside_it);
    CHECK_ADD(c, f25_what_openssl_holds_is_read);
    return check_end(c);
}
