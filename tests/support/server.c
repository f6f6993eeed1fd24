/*
 * The throwaway server from a test's side: see server.h.
 */
#include "support/server.h"

#include <check.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "support/proxy.h"
#include "support/watch.h"

static const double patience = 30;

const char *strf(const char *format, ...)
{
    enum { PLACES = 16, ROOM = 2048 };
    static _Thread_local char ring[PLACES][ROOM];
    static _Thread_local unsigned turn;
    char *text = ring[turn++ % PLACES];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, ROOM, format, args);
    va_end(args);
    ck_assert_msg(n >= 0 && n < ROOM, "strf: %d characters are too many", n);
    return text;
}

static const char *need(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value && value[0], "%s is not set: run this behind tests/with-postgres", name);
    return value;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

/* ---- looking inside ---- */

bool server_is_pooled(void)
{
    return getenv("EVPQ_TEST_SERVER_HOST") != NULL;
}

/* Past a pooler, where there is one: what it hides is to be seen. */
static const char *admin_conninfo(void)
{
    const char *more = "application_name=evpq-admin";

    if (!server_is_pooled())
        return server_conninfo(SERVER_UNIX, more);
    return strf("host='%s' port=%s user=%s dbname=%s %s", need("EVPQ_TEST_SERVER_HOST"),
                need("EVPQ_TEST_SERVER_PORT"), need("PGUSER"), need("PGDATABASE"), more);
}

static PGconn *admin_open(void)
{
    const char *conninfo = admin_conninfo();
    double until = now() + patience;

    for (;;) {
        PGconn *conn = PQconnectdb(conninfo);

        if (PQstatus(conn) == CONNECTION_OK)
            return conn;
        ck_assert_msg(now() < until, "%s", PQerrorMessage(conn));
        PQfinish(conn);
        pause_briefly();
    }
}

/* The connection of the calling thread. A process that was forked has its own, and leaves its parent's alone, but for
 * the one that is lent. */
static _Thread_local struct {
    PGconn *conn;
    pid_t pid;
    PGconn *parents; /* kept, so that its memory is not taken for lost */
} admin;

/* Made before Check forks a process for each test, and theirs in turn: connecting costs more than most tests do
 * otherwise. In memory that they share. Nothing can be asserted before a test runs: where it fails, each connects. */
static struct lent {
    pid_t owner;  /* uses it no more */
    pid_t holder; /* the last that took it */
    bool in_use;  /* an answer is due: a test that ends so leaves it to nobody */
} * lent;

void server_lend_admin(void)
{
    if (!getenv("EVPQ_PG_CTL"))
        return;
    lent = mmap(NULL, sizeof *lent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (lent == MAP_FAILED)
        abort();
    lent->owner = getpid();
    admin.pid = getpid();
    admin.conn =
        PQconnectdbParams((const char *[]){"host", "port", "application_name", NULL},
                          (const char *[]){getenv("EVPQ_TEST_SERVER_HOST"),
                                           getenv("EVPQ_TEST_SERVER_PORT"), "evpq-admin", NULL},
                          0);
}

static PGresult *admin_exec(const char *sql)
{
    bool is_lent = lent && lent->holder == getpid();

    if (is_lent)
        lent->in_use = true;
    PGresult *result = PQexec(admin.conn, sql);
    if (is_lent)
        lent->in_use = false;
    return result;
}

/* What the test before has left in the session goes. In a transaction that fails, and the connection is replaced. */
static bool admin_borrow(void)
{
    if (!lent || admin.pid != lent->owner || getpid() == lent->owner || lent->in_use)
        return false;
    if (lent->holder && kill(lent->holder, 0) == 0)
        return false;
    lent->holder = getpid();
    admin.pid = getpid();
    PGresult *result = admin_exec("discard all");
    bool is_clean = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_clean;
}

static void admin_drop(void)
{
    if (admin.conn && admin.pid == getpid())
        PQfinish(admin.conn);
    else if (admin.conn)
        admin.parents = admin.conn;
    admin.conn = NULL;
}

/* It may have been lost since the last look, and libpq have seen nothing of that yet. Of one that it cannot write to it
 * says CONNECTION_OK for as long as there is something to read. */
static bool admin_answers(void)
{
    PGresult *result = admin_exec("");
    bool answers = PQresultStatus(result) == PGRES_EMPTY_QUERY;

    PQclear(result);
    return answers;
}

static PGconn *admin_get(void)
{
    if (admin.conn && (admin.pid == getpid() ? admin_answers() : admin_borrow()))
        return admin.conn;
    admin_drop();
    admin.conn = admin_open();
    admin.pid = getpid();
    return admin.conn;
}

/* A server one of whose processes has died takes its other connections down a moment later: a
 * statement that only looks is then asked again. */
static PGresult *ask(const char *sql, bool again)
{
    double until = now() + patience;

    for (;;) {
        admin_get();
        PGresult *result = admin_exec(sql);

        if (!again || PQstatus(admin.conn) == CONNECTION_OK || now() >= until)
            return result;
        PQclear(result);
        pause_briefly();
    }
}

static const char *run(const char *sql, bool again)
{
    watch_pause();
    PGresult *result = ask(sql, again);
    ExecStatusType status = PQresultStatus(result);
    const char *text = "";

    ck_assert_msg(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql,
                  PQerrorMessage(admin.conn));
    if (PQntuples(result) > 0 && PQnfields(result) > 0)
        text = strf("%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    watch_resume();
    return text;
}

void server_exec(const char *sql)
{
    run(sql, false);
}

long server_count(const char *sql)
{
    return strtol(run(sql, true), NULL, 10);
}

const char *server_text(const char *sql)
{
    return run(sql, true);
}

long server_backends(const char *application_name)
{
    const char *sql = strf("select count(*) from pg_stat_activity"
                           " where backend_type = 'client backend' and application_name = '%s'",
                           application_name);

    return strtol(run(sql, true), NULL, 10);
}

bool server_wait_backends(const char *application_name, long n, double seconds)
{
    double until = now() + seconds;

    while (server_backends(application_name) != n) {
        if (now() >= until)
            return false;
        pause_briefly();
    }
    return true;
}

void server_wait_up(void)
{
    server_backends("nobody");
}

/* The secret is the superuser's own: SCRAM's does not depend on the role. */
void server_role(const char *name, const char *more)
{
    server_exec(strf("do $$ begin execute format('create role %%I login password %%L %s', '%s',"
                     " (select rolpassword from pg_authid where rolname = current_user));"
                     " end $$",
                     more ? more : "", name));
}

int server_version(void)
{
    return (int)server_count("show server_version_num");
}

/* ---- hurting it ---- */

long server_kill_backends(const char *application_name)
{
    const char *sql = strf("select count(pg_terminate_backend(pid)) from pg_stat_activity"
                           " where backend_type = 'client backend' and application_name = '%s'",
                           application_name);
    long n = strtol(run(sql, false), NULL, 10);

    ck_assert_msg(server_wait_backends(application_name, 0, patience), "backends of %s do not end",
                  application_name);
    return n;
}

void server_kill9(int backend_pid)
{
    if (server_is_pooled())
        ck_assert_msg(server_count(strf("select count(*) from pg_stat_activity where pid = %d",
                                        backend_pid)) == 1,
                      "a pooler has made up process %d", backend_pid);
    ck_assert_int_gt(backend_pid, 1);
    watch_pause();
    admin_get();
    ck_assert_msg(kill((pid_t)backend_pid, SIGKILL) == 0, "cannot kill backend %d", backend_pid);
    for (double until = now() + patience; admin_answers();) {
        ck_assert_msg(now() < until, "the server does not notice that a process has died");
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    }
    admin_drop();
    watch_resume();
}

static void ctl(const char *word)
{
    ck_assert_msg(system(strf("'%s' %s >&2", need("EVPQ_PG_CTL"), word)) == 0,
                  "could not %s the server", word);
}

void server_stop(void)
{
    ctl("stop");
}

void server_stop_immediate(void)
{
    ctl("immediate-stop");
}

void server_start(void)
{
    ctl("start");
    server_exec("select 1");
}

void server_restart(void)
{
    ctl("restart");
    server_exec("select 1");
}

/* ---- reaching it ---- */

/* CI has openssl: only a test that is not named there finds none. */
bool server_has_tls(void)
{
    bool has = getenv("EVPQ_TLS_CA") != NULL;

    if (!has && getenv("EVPQ_NEED_POSTGRES"))
        ck_abort_msg("without TLS: tests/run has to name this test, so that its server speaks it");
    return has;
}

int server_port(void)
{
    return atoi(need("PGPORT"));
}

const char *server_conninfo_port(enum server_path path, int port, const char *extra)
{
    const char *rest = strf("port=%d user=%s dbname=%s gssencmode=disable %s", port, need("PGUSER"),
                            need("PGDATABASE"), extra ? extra : "");
    const char *address = need("EVPQ_TEST_TCP_HOST");

    ck_assert_msg(path != SERVER_UNIX, "a port of its own needs TCP");
    if (path == SERVER_TCP)
        return strf("host=%s sslmode=disable %s", address, rest);
    return strf("host=localhost hostaddr=%s sslmode=verify-full sslrootcert='%s' %s", address,
                need("EVPQ_TLS_CA"), rest);
}

const char *server_conninfo(enum server_path path, const char *extra)
{
    if (path != SERVER_UNIX)
        return server_conninfo_port(path, server_port(), extra);
    return strf("host='%s' port=%d user=%s dbname=%s %s", need("PGHOST"), server_port(),
                need("PGUSER"), need("PGDATABASE"), extra ? extra : "");
}

bool server_reachable(const char *conninfo)
{
    PGconn *conn = PQconnectdb(conninfo);
    bool reachable = PQstatus(conn) == CONNECTION_OK;

    PQfinish(conn);
    return reachable;
}

struct proxy *server_proxy(void)
{
    return proxy_start(need("EVPQ_TEST_TCP_HOST"), server_port());
}
