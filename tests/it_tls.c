/* it_tls.c - encrypted connections: names and certificates, records larger than a read, cancel
 * requests, and the ways libpq goes from one kind of connection to another. */
#include "support/basics.h"
#include "support/names.h"
#include "support/proxy.h"
#include "support/server.h"
#include "support/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const evpq_pool_opts one = {.size = sizeof one, .max_size = 1};

static const char *is_encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

/* To a host by name, with this sslmode and more of the same. */
static const char *by_name(const char *host, int port, const char *ssl)
{
    return strf("host=%s port=%d user=%s dbname=%s %s", host, port, getenv("PGUSER"),
                getenv("PGDATABASE"), ssl);
}

static const char *verified(void)
{
    return strf("sslmode=verify-full sslrootcert='%s'", getenv("EVPQ_TLS_CA"));
}

static void ck_refused(const char *conninfo, const char *says)
{
    struct site s = site_open(conninfo, &one);
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_status(f, EVPQ_CONNECT);
    ck_assert_msg(strstr(evpq_error_message(evpq_future_error(f)), says) != NULL, "\"%s\": %s",
                  says, check_future_text(f));
    evpq_future_unref(f);
    site_close(&s);
}

/* Writes a setting of the server's and waits for it to hold. */
static void set_server(const char *name, const char *value)
{
    server_exec(strf("alter system set %s = '%s'", name, value));
    server_exec("select pg_reload_conf()");
    while (
        strcmp(server_text(strf("select setting from pg_settings where name = '%s'", name)), value))
        ;
}

/* ---- who is there? ---- */

/* F21: the address was looked up by us; the name still reaches libpq, which verifies it. */
START_TEST(f21_the_name_is_verified_though_the_address_was_looked_up)
{
    names_set(&(struct name){.host = "localhost", .delay = 0.1, .addresses = "127.0.0.1"});
    struct site s = site_open(by_name("localhost", server_port(), verified()), &one);
    watch_begin();
    ck_assert_str_eq(site_text(&s, is_encrypted), "t");
    ck_assert_msg(watch_end() == 0, "%s", watch_first());
    ck_assert_int_eq(names_calls("localhost"), 1);
    site_close(&s);

    names_set(&(struct name){.host = "other.test", .addresses = "127.0.0.1"});
    ck_refused(by_name("other.test", server_port(), verified()), "other.test");
}
END_TEST

START_TEST(an_unknown_authority_is_refused)
{
    char path[] = "/tmp/evpq-ca-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_refused(by_name("localhost", server_port(),
                       strf("hostaddr=127.0.0.1 sslmode=verify-full sslrootcert='%s'", path)),
               "certificate");
    remove(path);
}
END_TEST

/* ---- F25 ---- */

/* Records are up to 16 kB and libpq reads less at a time: what OpenSSL holds, no socket
 * announces. */
START_TEST(f25_results_of_every_size_arrive)
{
    struct proxy *p = _i ? server_proxy() : NULL;
    struct site s = site_open(_i ? server_conninfo_port(SERVER_TLS, proxy_port(p), NULL)
                                 : server_conninfo(SERVER_TLS, NULL),
                              &one);
    if (p)
        proxy_delay(p, PROXY_TO_CLIENT, 1);
    for (int size = 1; size < 200 * 1000; size += size < 60000 ? 997 : 9973) {
        evpq_future *f = evpq_pool_query(s.pool, "select repeat('t', $1)", EVPQ_ARGS(size));
        bool came = RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 20);
        ck_assert_msg(came, "%d bytes do not arrive", size);
        ck_future_ok(f);
        ck_assert_uint_eq(evpq_result_length(evpq_future_result(f), 0, 0), (size_t)size);
        evpq_future_unref(f);
    }
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* The loop has nothing else to wake it: no timer hides a read that was left out. */
START_TEST(f25_the_loop_does_not_sleep_on_what_is_there)
{
    struct site s = site_open(server_conninfo(SERVER_TLS, NULL), &one);
    for (int size = 8000; size < 50000; size += 331) {
        evpq_future *f[3];
        for (int i = 0; i < 3; i++)
            f[i] = evpq_pool_query(s.pool, "select repeat('t', $1)", EVPQ_ARGS(size + i));
        for (int i = 0; i < 3; i++) {
            ck_await_ok(f[i]);
            ck_assert_uint_eq(evpq_result_length(evpq_future_result(f[i]), 0, 0),
                              (size_t)(size + i));
            evpq_future_unref(f[i]);
        }
    }
    site_close(&s);
}
END_TEST

START_TEST(a_large_value_both_ways)
{
    enum { SIZE = 8 << 20 };
    char *text = malloc(SIZE + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'v', SIZE);
    text[SIZE] = '\0';
    struct site s = site_open(server_conninfo(SERVER_TLS, NULL), &one);
    evpq_lease *lease = site_lease(&s);
    evpq_future *f[3];
    for (int i = 0; i < 3; i++)
        f[i] = evpq_lease_query(lease, "select $1::text", EVPQ_ARGS(text));
    for (int i = 0; i < 3; i++) {
        ck_await_ok(f[i]);
        ck_assert_str_eq(evpq_result_text(evpq_future_result(f[i]), 0, 0), text);
        evpq_future_unref(f[i]);
    }
    evpq_lease_release(lease);
    site_close(&s);
    free(text);
}
END_TEST

/* ---- F3 and F26, encrypted ---- */

START_TEST(f03_a_cancel_request_hits_nobody_else)
{
    struct site s = site_open(server_conninfo(SERVER_TLS, "application_name=f03-tls"), &one);
    evpq_future_unref(site_query(&s, "select 1"));
    watch_begin();
    for (int round = 0; round < 60; round++) {
        evpq_future *victim = evpq_pool_query(s.pool, "select pg_sleep(60)", EVPQ_ARGS());
        site_run(&s, (double)(round % 5) / 2000);
        evpq_future_cancel(victim);
        evpq_future_unref(victim);
        evpq_future *f = evpq_pool_query(s.pool, "select $1::int", EVPQ_ARGS(round));
        ck_await_ok(f);
        ck_assert_int_eq(evpq_result_int4(evpq_future_result(f), 0, 0), round);
        evpq_future_unref(f);
    }
    ck_assert_msg(watch_end() == 0, "%s", watch_first());
    ck_assert_uint_gt(site_stats(&s).cancels, 20);
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    ck_assert_int_eq(server_backends("f03-tls"), 1);
    site_close(&s);
}
END_TEST

/* ---- F23: from one kind of connection to another ---- */

/* A server without TLS says no, on the same socket. */
START_TEST(f23_prefer_goes_on_without_tls)
{
    set_server("ssl", "off");
    struct site s = site_open(by_name("127.0.0.1", server_port(), "sslmode=prefer"), &one);
    ck_assert_str_eq(site_text(&s, is_encrypted), "f");
    site_close(&s);
    ck_refused(by_name("127.0.0.1", server_port(), "sslmode=require"), "SSL");
    set_server("ssl", "on");
    s = site_open(by_name("127.0.0.1", server_port(), "sslmode=prefer"), &one);
    ck_assert_str_eq(site_text(&s, is_encrypted), "t");
    site_close(&s);
}
END_TEST

/* A handshake that fails: libpq hangs up and dials again, without; the new socket often has the old
 * one's number. */
START_TEST(f23_prefer_goes_on_after_a_failed_handshake)
{
    set_server("ssl_max_protocol_version", "TLSv1.2");
    struct site s = site_open(
        by_name("127.0.0.1", server_port(), "sslmode=prefer ssl_min_protocol_version=TLSv1.3"),
        &one);
    ck_assert_str_eq(site_text(&s, is_encrypted), "f");
    site_close(&s);
    set_server("ssl_max_protocol_version", "");
}
END_TEST

/* The rules of who may come how, from pg_hba.conf's first line on; the old ones are put back by
 * rules_undo. */
static char *rules_path, *rules_old;

static void rules_first(const char *line)
{
    rules_path = strdup(server_text("show hba_file"));
    FILE *file = fopen(rules_path, "r");
    ck_assert_ptr_nonnull(file);
    rules_old = calloc(1, 10000);
    ck_assert_uint_gt(fread(rules_old, 1, 9999, file), 0);
    fclose(file);
    file = fopen(rules_path, "w");
    fprintf(file, "%s\n%s", line, rules_old);
    fclose(file);
    server_exec("select pg_reload_conf()");
}

static void rules_undo(void)
{
    FILE *file = fopen(rules_path, "w");
    fputs(rules_old, file);
    fclose(file);
    free(rules_path);
    free(rules_old);
    server_exec("select pg_reload_conf()");
}

/* The server refuses one kind (after a look at its rules) and takes the other: over the same hosts,
 * once more. */
START_TEST(f23_a_refused_kind_is_followed_by_the_other)
{
    bool allow = _i;
    rules_first(strf("%s all way 127.0.0.1/32 reject", allow ? "hostnossl" : "hostssl"));
    server_role("way", NULL);
    const char *conninfo = strf("host=127.0.0.1 port=%d user=way dbname=%s sslmode=%s",
                                server_port(), getenv("PGDATABASE"), allow ? "allow" : "prefer");
    struct site s = site_open(conninfo, &one);
    for (int tries = 0; tries < 50; tries++) { /* the server may not have read its rules yet */
        const char *encrypted = site_text(&s, is_encrypted);
        site_close(&s);
        s = site_open(conninfo, &one);
        if (!strcmp(encrypted, allow ? "t" : "f"))
            break;
        ck_assert_int_lt(tries, 49);
        run_for(s.ev, 0.02);
    }
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(site_text(&s, is_encrypted), allow ? "t" : "f");
        site_close(&s);
        s = site_open(conninfo, &one);
    }
    site_close(&s);
    server_exec("drop role way");
    rules_undo();
}
END_TEST

START_TEST(f23_dead_hosts_come_first)
{
    struct proxy *p = proxy_start("127.0.0.1", 1);
    int dead = proxy_port(p);
    proxy_stop(p);
    p = server_proxy();
    proxy_arm_after(p, PROXY_TO_CLIENT, 200, PROXY_RESET); /* in the midst of the handshake */
    struct site s =
        site_open(strf("host=localhost,localhost,localhost hostaddr=127.0.0.1,127.0.0.1,"
                       "127.0.0.1 port=%d,%d,%d user=%s dbname=%s %s",
                       dead, proxy_port(p), server_port(), getenv("PGUSER"), getenv("PGDATABASE"),
                       verified()),
                  &one);
    ck_assert_str_eq(site_text(&s, is_encrypted), "t");
    ck_assert_int_eq(proxy_stats(p).fired, 1);
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* Cut anywhere in the handshake or the first answer: a clean failure, and the next try succeeds. */
START_TEST(a_session_cut_anywhere)
{
    struct proxy *p = server_proxy();
    for (int bytes = 1; bytes < 5000; bytes += 97) {
        proxy_arm_after(p, PROXY_TO_CLIENT, (uint64_t)bytes, bytes % 2 ? PROXY_CUT : PROXY_RESET);
        struct site s = site_open(server_conninfo_port(SERVER_TLS, proxy_port(p), NULL), &one);
        evpq_future *f = evpq_pool_query(s.pool, "select repeat('c', 3000)", EVPQ_ARGS());
        evpq_status status = evpq_await(f);
        ck_assert_msg(status == EVPQ_OK || status == EVPQ_LOST, "%s", check_future_text(f));
        evpq_future_unref(f);
        proxy_disarm(p);
        ck_assert_str_eq(site_text(&s, "select 'well'"), "well");
        site_close(&s);
    }
    proxy_stop(p);
}
END_TEST

int main(void)
{
    if (!server_has_tls())
        return check_skip_all("the server has no TLS: openssl was not found");
    struct check *c = check_begin("TLS");
    CHECK_ADD(c, f21_the_name_is_verified_though_the_address_was_looked_up);
    CHECK_ADD(c, an_unknown_authority_is_refused);
    CHECK_ADD_LOOP(c, f25_results_of_every_size_arrive, 2);
    CHECK_ADD(c, f25_the_loop_does_not_sleep_on_what_is_there);
    CHECK_ADD(c, a_large_value_both_ways);
    CHECK_ADD(c, f03_a_cancel_request_hits_nobody_else);
    CHECK_ADD(c, f23_prefer_goes_on_without_tls);
    CHECK_ADD(c, f23_prefer_goes_on_after_a_failed_handshake);
    CHECK_ADD_LOOP(c, f23_a_refused_kind_is_followed_by_the_other, 2);
    CHECK_ADD(c, f23_dead_hosts_come_first);
    CHECK_ADD(c, a_session_cut_anywhere);
    return check_end(c);
}
