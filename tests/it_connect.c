/* it_connect.c - from a connection string to a connection: names, addresses that lead nowhere,
 * servers that refuse, and what is said about it. */
#include "support/fake.h"
#include "support/names.h"
#include "support/proxy.h"
#include "support/server.h"
#include "support/site.h"
#include "support/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *with_hosts(const char *hosts, const char *ports)
{
    return strf("host=%s port=%s user=%s dbname=%s sslmode=disable", hosts, ports, getenv("PGUSER"),
                getenv("PGDATABASE"));
}

static struct site site(const char *conninfo, double connect_timeout)
{
    return site_open(conninfo, &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                                 .max_size = 1,
                                                 .connect_timeout = connect_timeout});
}

/* A port of 127.0.0.1 where nobody listens. */
static int dead_port(void)
{
    struct proxy *p = proxy_start("127.0.0.1", 1);
    int port = proxy_port(p);
    proxy_stop(p);
    return port;
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1000; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Connects, and fails with what is asked for; every part of `says` (separated by |) stands in the
 * message. */
static void ck_refused(const char *conninfo, double connect_timeout, const char *sqlstate,
                       const char *says)
{
    struct site s = site(conninfo, connect_timeout);
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_status(f, EVPQ_CONNECT);
    ck_failed(f, EVPQ_CONNECT, sqlstate, EVPQ_OUTCOME_NOT_SENT);
    const char *message = evpq_error_message(evpq_future_error(f));
    char parts[500], *rest = parts;
    ck_assert_uint_lt(strlen(says), sizeof parts);
    strcpy(parts, says);
    for (char *part; (part = strsep(&rest, "|"));)
        ck_assert_msg(strstr(message, part) != NULL, "\"%s\" is not in \"%s\"", part, message);
    ck_assert_msg(!strchr(message, '\n'), "more than a line: %s", message);
    ck_assert_msg(!strstr(message, "LOCATION"), "%s", message);
    for (const char *try = message; (try = strstr(try + 1, "connection to server"));)
        ck_assert_msg(try[-1] == ' ' && try[-2] == ';', "f71, two attempts run together: %s",
                      message);
    ck_assert_msg(!sqlstate[0] || !strstr(message, sqlstate), "%s", message);
    evpq_future_unref(f);
    ck_assert_uint_ge(site_stats(&s).connect_failures, 1);
    site_close(&s);
}

/* ---- it works ---- */

START_TEST(a_connection_is_the_one_that_was_asked_for)
{
    struct site s = site(server_conninfo((enum server_path)_i, "application_name=mine"), 0);
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_ok(f);
    evpq_future_unref(f);
    ck_assert_int_eq(server_backends("mine"), 1);
    evpq_lease *lease = site_lease(&s);
    ck_assert_str_eq(lease_text(lease, "select pg_backend_pid()"),
                     strf("%d", evpq_lease_backend_pid(lease)));
    ck_assert_str_eq(lease_text(lease, "show application_name"), "mine");
    evpq_lease_release(lease);
    site_close(&s);
    ck_assert(server_wait_backends("mine", 0, 10));

    s = site(server_conninfo(SERVER_UNIX, NULL), 0);
    ck_assert_str_eq(site_text(&s, "show application_name"), "evpq");
    site_close(&s);
}
END_TEST

START_TEST(a_password_is_sent)
{
    struct site s =
        site(strf("host=127.0.0.1 port=%d dbname=%s sslmode=disable user=%s password='%s'",
                  server_port(), getenv("PGDATABASE"), getenv("EVPQ_PW_USER"),
                  getenv("EVPQ_PW_PASSWORD")),
             0);
    ck_assert_str_eq(site_text(&s, "select current_user"), getenv("EVPQ_PW_USER"));
    site_close(&s);
}
END_TEST

/* F21 */
START_TEST(f21_a_slow_name_does_not_hold_the_loop)
{
    names_set(&(struct name){.host = "slow.test", .delay = 0.8, .addresses = "127.0.0.1"});
    struct site s = site(with_hosts("slow.test", strf("%d", server_port())), 0);
    struct drift d;
    watch_begin();
    drift_start(s.ev, &d);
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_ok(f);
    double drift = drift_stop(s.ev, &d);
    ck_assert_msg(watch_end() == 0, "%s on the loop's thread", watch_first());
    ck_assert_msg(drift < 0.4, "the loop was away for %g s", drift);
    ck_assert_int_eq(names_calls("slow.test"), 1);
    evpq_future_unref(f);
    site_close(&s);
}
END_TEST

/* A look-up has the same limit as an address; and the pool need not wait for it to close. */
START_TEST(f21_a_look_up_has_a_limit)
{
    names_set(&(struct name){.host = "slower.test", .delay = 1.5, .addresses = "127.0.0.1"});
    const char *conninfo = with_hosts("slower.test,127.0.0.1", strf("%d", server_port()));
    if (_i == 0) { /* the next host is tried */
        struct site s = site(conninfo, 0.2);
        ck_assert_str_eq(site_text(&s, "select 1"), "1");
        site_close(&s);
    } else {
        struct site s = site(conninfo, 0);
        evpq_future *f = evpq_pool_connect(s.pool);
        run_for(s.ev, 0.05);
        double began = site_time();
        evpq_future *closed = evpq_pool_close(s.pool, 0);
        ck_await_ok(closed);
        ck_assert(site_time() - began < 1);
        ck_assert_int_ne(evpq_future_status(f), EVPQ_PENDING);
        evpq_future_unref(closed);
        evpq_future_unref(f);
        site_close(&s);
    }
}
END_TEST

/* ---- F22: addresses that lead nowhere ---- */

/* Listens on an address with the server's port and answers nothing: silently, or not even the SYN.
 * Ends with the test. */
static void make_hole(const char *address, bool deaf)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server_port())};
    inet_pton(AF_INET, address, &a.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_msg(bind(fd, (struct sockaddr *)&a, sizeof a) == 0, "bind: %s", strerror(errno));
    ck_assert_int_eq(listen(fd, deaf ? 0 : 100), 0);
    for (int i = 0; deaf && i < 4; i++) { /* a full backlog drops what comes */
        int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(filler, (struct sockaddr *)&a, sizeof a);
    }
}

START_TEST(f22_the_second_address_is_tried_after_the_timeout)
{
    make_hole("127.0.0.2", _i % 2);
    make_hole("127.0.0.3", _i % 2);
    const char *conninfo;
    if (_i < 2) { /* three addresses of a name */
        names_set(
            &(struct name){.host = "holes.test", .addresses = "127.0.0.2,127.0.0.3,127.0.0.1"});
        conninfo = with_hosts("holes.test", strf("%d", server_port()));
    } else { /* three hosts */
        conninfo = with_hosts("127.0.0.2,127.0.0.3,127.0.0.1", strf("%d", server_port()));
    }
    struct site s = site(conninfo, 0.5);
    double began = site_time();
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_ok(f);
    ck_assert(site_time() - began >= 0.99); /* each address has a timer of its own */
    evpq_future_unref(f);
    ck_assert_uint_eq(site_stats(&s).connect_failures, 0);
    site_close(&s);
}
END_TEST

START_TEST(f22_connect_timeout_of_the_string_is_heard)
{
    make_hole("127.0.0.2", true);
    names_set(&(struct name){.host = "hole.test", .addresses = "127.0.0.2,127.0.0.1"});
    double began = site_time();
    struct site s =
        site(strf("%s connect_timeout=1", with_hosts("hole.test", strf("%d", server_port()))), 0);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert(site_time() - began >= 0.99);
    site_close(&s);
}
END_TEST

START_TEST(f22_nothing_but_holes_says_so)
{
    make_hole("127.0.0.2", true);
    make_hole("127.0.0.3", false);
    names_set(&(struct name){.host = "holes.test", .addresses = "127.0.0.2,127.0.0.3"});
    ck_refused(with_hosts("holes.test", strf("%d", server_port())), 0.1, "",
               "holes.test (127.0.0.2): no connection within 0.1 s|"
               "holes.test (127.0.0.3): no connection within 0.1 s");
}
END_TEST

/* ---- F23: the socket changes under the watcher ---- */

START_TEST(f23_dead_hosts_come_first)
{
    int dead = dead_port();
    struct site s;
    if (_i == 0) {
        s = site(with_hosts("127.0.0.1,127.0.0.1,127.0.0.1,127.0.0.1",
                            strf("%d,%d,%d,%d", dead, dead, dead, server_port())),
                 0);
    } else if (_i == 1) { /* addresses of one name; 127.0.0.2 refuses */
        names_set(
            &(struct name){.host = "some.test", .addresses = "127.0.0.2,127.0.0.3,127.0.0.1"});
        s = site(with_hosts("some.test", strf("%d", server_port())), 0);
    } else if (_i == 2) { /* a name that is none, a folder without socket, then the right one */
        names_set(&(struct name){.host = "none.test", .error = EAI_NONAME});
        s = site(
            with_hosts(strf("none.test,/nowhere,%s", getenv("PGHOST")), strf("%d", server_port())),
            0);
    } else { /* hosts with addresses of their own */
        s = site(strf("%s hostaddr=127.0.0.2,127.0.0.1",
                      with_hosts("one.test,two.test", strf("%d", server_port()))),
                 0);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert_uint_eq(site_stats(&s).connect_failures, 0);
    site_close(&s);
}
END_TEST

/* The other hosts have addresses, and it has none. */
START_TEST(f60_a_socket_stands_in_a_list_beside_addresses)
{
    const char *folder = getenv("PGHOST");
    const char *first = with_hosts(strf("%s,127.0.0.1", folder), strf("%d", server_port()));
    const char *second =
        with_hosts(strf("127.0.0.1,%s", folder), strf("%d,%d", dead_port(), server_port()));
    struct site s = site(
        _i ? strf("%s hostaddr=127.0.0.1,", second) : strf("%s hostaddr=,127.0.0.1", first), 0);
    ck_assert_str_eq(site_text(&s, "select inet_client_addr() is null"), "t");
    ck_assert_uint_eq(site_stats(&s).connect_failures, 0);
    site_close(&s);
}
END_TEST

/* A server that accepts and hangs up before the one that serves. */
START_TEST(f23_a_server_hangs_up_first)
{
    struct proxy *p = server_proxy();
    proxy_target(p, "127.0.0.1", dead_port());
    struct site s =
        site(with_hosts("127.0.0.1,127.0.0.1", strf("%d,%d", proxy_port(p), server_port())), 0);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    site_close(&s);
    proxy_stop(p);
}
END_TEST

/* Behind a primary that would do. */
START_TEST(a_standby_is_preferred)
{
    fake_add(&fake.hello, 'R', "\0\0\0\0", 4);
    FAKE_ADD(&fake.hello, 'S', "in_hot_standby\0on");
    fake_add_ready(&fake.hello);
    fake_start();
    struct site s =
        site(strf("%s target_session_attrs=prefer-standby",
                  with_hosts("127.0.0.1,127.0.0.1", strf("%d,%d", server_port(), fake.port))),
             0);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert_int_eq(fake.connections, 1);
    site_close(&s);
    fake_stop();
}
END_TEST

START_TEST(a_standby_is_only_preferred)
{
    const char *hosts =
        with_hosts("127.0.0.1,127.0.0.1", strf("%d,%d", dead_port(), server_port()));
    struct site s = site(strf("%s target_session_attrs=prefer-standby", hosts), 0);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    site_close(&s);
    s = site(strf("%s target_session_attrs=read-write", hosts), 0);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    site_close(&s);
    ck_refused(strf("%s target_session_attrs=standby", hosts), 0, "", "standby");
}
END_TEST

/* ---- it does not work, and this is why ---- */

START_TEST(what_is_wrong_is_said)
{
    const char *db = getenv("PGDATABASE"), *user = getenv("EVPQ_PW_USER");
    int port = server_port();
    ck_refused(strf("host=127.0.0.1 port=%d dbname=%s user=%s password=wrong", port, db, user), 0,
               "28P01", strf("password authentication failed for user \"%s\"", user));
    ck_refused(strf("host=127.0.0.1 port=%d dbname=%s user=%s passfile=/nowhere", port, db, user),
               0, "28P01", "no password supplied");
    ck_refused(strf("host=127.0.0.1 port=%d dbname=nodb user=%s", port, getenv("PGUSER")), 0,
               "3D000", "database \"nodb\" does not exist");
    ck_refused(strf("host='%s' port=%d dbname=%s user=nobody_known", getenv("PGHOST"), port, db), 0,
               "28000", "role \"nobody_known\" does not exist");
    int dead = dead_port();
    ck_refused(with_hosts("127.0.0.1", strf("%d", dead)), 0, "", strf("%d|refused", dead));
    ck_refused(with_hosts("/nowhere", "5432"), 0, "", "/nowhere|No such file");
}
END_TEST

START_TEST(what_is_wrong_with_each_host_is_said)
{
    int dead = dead_port(), other = dead_port();
    names_set(&(struct name){.host = "none.test", .error = EAI_NONAME});
    ck_refused(
        with_hosts("127.0.0.1,none.test,/nowhere,127.0.0.1", strf("%d,5432,5432,%d", dead, other)),
        0, "", strf("%d|could not look up host \"none.test\"|/nowhere|%d|refused", dead, other));
}
END_TEST

START_TEST(too_many_connections)
{
    server_exec("create role few login connection limit 1");
    const char *conninfo = strf("host='%s' port=%d user=few dbname=%s", getenv("PGHOST"),
                                server_port(), getenv("PGDATABASE"));
    struct site s = site_open(conninfo, &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                                          .max_size = 3,
                                                          .backoff_min = 0.01,
                                                          .backoff_max = 0.02});
    evpq_lease *lease = site_lease(&s);
    evpq_future *f = evpq_pool_acquire(s.pool);
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).connect_failures > 2, 10));
    ck_future_pending(
        f); /* the pool is not broken by it: whoever waits is served by the one there is */
    ck_refused(conninfo, 0, "53300", "too many connections for role \"few\"");
    evpq_lease_release(lease);
    ck_await_ok(f);
    evpq_future_unref(f);
    site_close(&s);
    server_exec("drop role few");
}
END_TEST

START_TEST(bad_settings_are_said)
{
    ck_refused(server_conninfo(SERVER_UNIX, "options='-c no_such=1'"), 0, "42704", "no_such");
    ck_refused(server_conninfo(SERVER_TCP, "client_encoding=klingon"), 0, "22023", "klingon");
}
END_TEST

/* ---- cut off anywhere ---- */

START_TEST(a_handshake_cut_anywhere_is_a_clean_failure)
{
    struct proxy *p = server_proxy();
    struct site first = site(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), 0);
    evpq_future_unref(
        site_query(&first, "select 1")); /* OpenSSL keeps what it reads at random from */
    site_close(&first);
    int failed = 0, before = open_descriptors();
    for (int bytes = 1; bytes < 400; bytes += 7) {
        proxy_arm_after(p, bytes % 2 ? PROXY_TO_CLIENT : PROXY_TO_SERVER, (uint64_t)bytes / 2 + 1,
                        bytes % 3 ? PROXY_CUT : PROXY_RESET);
        struct site s = site(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), 0);
        evpq_future *f = evpq_pool_connect(s.pool);
        if (evpq_await(f) != EVPQ_OK) {
            ck_failed(f, EVPQ_CONNECT, "", EVPQ_OUTCOME_NOT_SENT);
            ck_assert_str_ne(evpq_error_message(evpq_future_error(f)), "");
            failed++;
        }
        evpq_future_unref(f);
        proxy_disarm(p);
        site_close(&s);
    }
    ck_assert_int_gt(failed, 20);
    ck_assert(proxy_wait_fired(p, failed, 10));
    proxy_stop(p); /* which has descriptors, too */
    ck_assert_int_lt(open_descriptors(), before);
}
END_TEST

START_TEST(a_handshake_that_stalls_anywhere_times_out)
{
    struct proxy *p = server_proxy();
    for (int bytes = 1; bytes < 300; bytes += 45) {
        proxy_arm_after(p, PROXY_TO_CLIENT, (uint64_t)bytes, PROXY_STALL);
        ck_refused(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL), 0.05, "",
                   "no connection within 0.05 s");
        proxy_disarm(p);
        proxy_cut(p); /* what comes late must not set off the next one */
    }
    proxy_stop(p);
}
END_TEST

/* Closing in the midst of a look-up, a connect, a handshake leaves nothing. */
START_TEST(a_pool_is_closed_while_it_connects)
{
    struct proxy *p = server_proxy();
    names_set(&(struct name){.host = "late.test", .delay = 0.1, .addresses = "127.0.0.1"});
    struct site first = site(with_hosts("late.test", strf("%d", server_port())), 0);
    ck_assert_str_eq(site_text(&first, "select 1"), "1");
    site_close(&first);
    int before = open_descriptors();
    for (int i = 0; i < 40; i++) {
        proxy_delay(p, PROXY_TO_CLIENT, 3);
        struct site s = site(i % 10 == 0 ? with_hosts("late.test", strf("%d", server_port()))
                                         : server_conninfo_port(SERVER_TCP, proxy_port(p), NULL),
                             0);
        evpq_future *f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS());
        if (i % 2)
            site_run(&s, 0.0005 * i);
        else
            for (int turns = i / 4; turns > 0; turns--)
                ev_run(s.ev, EVRUN_NOWAIT);
        evpq_future *closed = evpq_pool_close(s.pool, 0);
        ck_await_ok(closed);
        ck_assert_int_ne(evpq_future_status(f), EVPQ_PENDING);
        evpq_future_unref(closed);
        evpq_future_unref(f);
        site_close(&s);
    }
    usleep(200 * 1000); /* threads that look up come back to loops that are gone */
    proxy_stop(p);
    ck_assert_int_lt(open_descriptors(), before);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("connect");
    CHECK_ADD_LOOP(c, a_connection_is_the_one_that_was_asked_for, 2);
    CHECK_ADD(c, a_password_is_sent);
    CHECK_ADD(c, f21_a_slow_name_does_not_hold_the_loop);
    CHECK_ADD_LOOP(c, f21_a_look_up_has_a_limit, 2);
    CHECK_ADD_LOOP(c, f22_the_second_address_is_tried_after_the_timeout, 4);
    CHECK_ADD(c, f22_connect_timeout_of_the_string_is_heard);
    CHECK_ADD(c, f22_nothing_but_holes_says_so);
    CHECK_ADD_LOOP(c, f23_dead_hosts_come_first, 4);
    CHECK_ADD_LOOP(c, f60_a_socket_stands_in_a_list_beside_addresses, 2);
    CHECK_ADD(c, f23_a_server_hangs_up_first);
    CHECK_ADD(c, a_standby_is_preferred);
    CHECK_ADD(c, a_standby_is_only_preferred);
    CHECK_ADD(c, what_is_wrong_is_said);
    CHECK_ADD(c, what_is_wrong_with_each_host_is_said);
    CHECK_ADD(c, too_many_connections);
    CHECK_ADD(c, bad_settings_are_said);
    CHECK_ADD(c, a_handshake_cut_anywhere_is_a_clean_failure);
    CHECK_ADD(c, a_handshake_that_stalls_anywhere_times_out);
    CHECK_ADD(c, a_pool_is_closed_while_it_connects);
    return check_end(c);
}
