/*
 * The shared test code against a real server: what support/server.h does to it, and what the proxy
 * does to libpq.
 */
#include <libpq-fe.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/proxy.h"
#include "support/server.h"
#include "support/watch.h"

static PGconn *connect_ok(const char *conninfo)
{
    PGconn *conn = PQconnectdb(conninfo);

    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    return conn;
}

static PGconn *connect_by(struct proxy *p, enum server_path path)
{
    return connect_ok(server_conninfo_port(path, proxy_port(p), "application_name=by-proxy"));
}

/* Returns whether the statement succeeded. */
static bool run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

START_TEST(every_path_leads_to_the_server)
{
    enum server_path path = (enum server_path)_i;

    if (path == SERVER_TLS && !server_has_tls())
        return;
    PGconn *conn = connect_ok(server_conninfo(path, "application_name=by-path"));
    ck_assert_int_eq(PQsslInUse(conn), path == SERVER_TLS);
    ck_assert_int_eq(server_backends("by-path"), 1);
    PQfinish(conn);
    ck_assert(server_wait_backends("by-path", 0, 10));
}
END_TEST

START_TEST(the_admin_reads_and_writes)
{
    ck_assert_int_ge(server_version(), 140000);
    server_exec("create table admin(n int); insert into admin values (41), (42)");
    ck_assert_int_eq(server_count("select max(n) from admin"), 42);
    ck_assert_int_eq(server_count("select n from admin where false"), 0);
    ck_assert_str_eq(server_text("select 'a' || n from admin order by n limit 1"), "a41");
    server_exec("drop table admin");
}
END_TEST

START_TEST(the_watch_looks_away_from_the_admin)
{
    watch_begin();
    server_exec("select 1");
    ck_assert_int_eq(watch_end(), 0);

    watch_begin();
    PGconn *conn = connect_ok(server_conninfo(SERVER_UNIX, NULL));
    PQfinish(conn);
    ck_assert_int_gt(watch_end(), 0);
}
END_TEST

START_TEST(backends_can_be_killed)
{
    PGconn *conn = connect_ok(server_conninfo(SERVER_UNIX, "application_name=victim"));

    ck_assert_int_eq(server_kill_backends("victim"), 1);
    ck_assert_int_eq(server_backends("victim"), 0);
    ck_assert(!run(conn, "select 1"));
    PQfinish(conn);

    conn = connect_ok(server_conninfo(SERVER_UNIX, "application_name=victim"));
    server_kill9(PQbackendPID(conn));
    ck_assert(!run(conn, "select pg_sleep(60)"));
    PQfinish(conn);
    ck_assert_int_eq(server_backends("victim"), 0);
    server_wait_up();
}
END_TEST

START_TEST(the_server_stops_and_starts)
{
    server_wait_up();
    PGconn *conn = connect_ok(server_conninfo(SERVER_UNIX, NULL));

    if (_i == 0)
        server_stop();
    else
        server_stop_immediate();
    ck_assert(!server_reachable(server_conninfo(SERVER_UNIX, NULL)));
    server_start();
    ck_assert(!run(conn, "select 1"));
    PQreset(conn);
    ck_assert(run(conn, "select 1"));
    PQfinish(conn);
}
END_TEST

/* F31 */
START_TEST(a_stripped_key_leaves_no_cancel)
{
    struct proxy *p = server_proxy();

    proxy_strip_key(p, true);
    PGconn *conn = connect_by(p, SERVER_TCP);
    ck_assert_int_eq(PQbackendPID(conn), 0);
    ck_assert(run(conn, "select 1"));
    PQfinish(conn);
    proxy_stop(p);
}
END_TEST

/* F40 */
START_TEST(a_swallowed_commit_has_committed)
{
    struct proxy *p = server_proxy();
    PGconn *conn = connect_by(p, SERVER_TCP);

    server_exec("create table swallowed(n int)");
    ck_assert(run(conn, "begin"));
    ck_assert(run(conn, "insert into swallowed values (1)"));
    proxy_arm(p, &(struct proxy_trigger){.act = PROXY_SWALLOW, .bytes = "commit"});
    PGresult *result = _i == 0 ? PQexec(conn, "commit")
                               : PQexecParams(conn, "commit", 0, NULL, NULL, NULL, NULL, 0);
    ck_assert_int_eq(PQresultStatus(result), PGRES_FATAL_ERROR);
    PQclear(result);
    ck_assert_int_eq(PQstatus(conn), CONNECTION_BAD);
    PQfinish(conn);
    ck_assert(server_wait_backends("by-proxy", 0, 10));
    ck_assert_int_eq(server_count("select count(*) from swallowed"), 1);
    server_exec("drop table swallowed");
    proxy_stop(p);
}
END_TEST

START_TEST(a_cancel_can_be_dropped)
{
    struct proxy *p = server_proxy();
    PGconn *conn = connect_by(p, SERVER_TCP);
    PGcancel *cancel = PQgetCancel(conn);
    char why[256];

    proxy_cancels(p, _i == 0 ? PROXY_CANCEL_DROP : PROXY_CANCEL_PASS, 0);
    ck_assert(PQsendQuery(conn, "select pg_sleep(0.5)"));
    ck_assert(server_wait_backends("by-proxy", 1, 10));
    while (server_count("select count(*) from pg_stat_activity"
                        " where application_name = 'by-proxy' and state = 'active'") == 0)
        ;
    ck_assert_msg(PQcancel(cancel, why, sizeof why), "%s", why);
    PGresult *result = PQgetResult(conn);
    ck_assert_int_eq(PQresultStatus(result), _i == 0 ? PGRES_TUPLES_OK : PGRES_FATAL_ERROR);
    PQclear(result);
    ck_assert_int_eq(proxy_stats(p).cancels, 1);
    PQfreeCancel(cancel);
    PQfinish(conn);
    proxy_stop(p);
}
END_TEST

START_TEST(libpq_copes_with_split_and_delayed_bytes)
{
    struct proxy *p = server_proxy();
    enum server_path path = _i == 1 && server_has_tls() ? SERVER_TLS : SERVER_TCP;

    proxy_split(p, true);
    proxy_delay(p, PROXY_TO_CLIENT, 5);
    PGconn *conn = connect_by(p, path);
    PGresult *result = PQexec(conn, "select repeat('x', 3000)");
    ck_assert_int_eq(PQresultStatus(result), PGRES_TUPLES_OK);
    ck_assert_int_eq(PQgetlength(result, 0, 0), 3000);
    PQclear(result);
    PQfinish(conn);
    proxy_stop(p);
}
END_TEST

START_TEST(a_proxy_reaches_a_unix_socket)
{
    struct proxy *p = proxy_start(getenv("PGHOST"), server_port());
    PGconn *conn = connect_by(p, SERVER_TCP);

    ck_assert(run(conn, "select 1"));
    proxy_cut(p);
    ck_assert(!run(conn, "select 1"));
    PQfinish(conn);
    proxy_stop(p);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("support on a server");

    CHECK_ADD_LOOP(c, every_path_leads_to_the_server, 3);
    CHECK_ADD(c, the_admin_reads_and_writes);
    CHECK_ADD(c, the_watch_looks_away_from_the_admin);
    CHECK_ADD(c, backends_can_be_killed);
    CHECK_ADD_LOOP(c, the_server_stops_and_starts, 2);
    CHECK_ADD(c, a_stripped_key_leaves_no_cancel);
    CHECK_ADD_LOOP(c, a_swallowed_commit_has_committed, 2);
    CHECK_ADD_LOOP(c, a_cancel_can_be_dropped, 2);
    CHECK_ADD_LOOP(c, libpq_copes_with_split_and_delayed_bytes, 2);
    CHECK_ADD(c, a_proxy_reaches_a_unix_socket);
    return check_end(c);
}
