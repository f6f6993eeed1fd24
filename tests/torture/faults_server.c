/* faults_server.c - what goes wrong with the server, its processes and its settings. */
#include "faults.h"

#include <signal.h>
#include <stdio.h>

static bool standby_is_missing; /* a synchronous standby is waited for that is not there */

static void control(const char *what)
{
    char line[64];
    snprintf(line, sizeof line, "exec \"$EVPQ_PG_CTL\" %s >&2", what);
    shell_run(line);
}

/* ---- asked directly ---- */

/* The first value, or -1. */
static long ask(const char *sql)
{
    evpq_future *f = evpq_timeout(evpq_pool_query(t.admin, sql, EVPQ_ARGS()), 3);
    long value = -1;
    if (evpq_await(f) == EVPQ_OK && evpq_result_rows(evpq_future_result(f)) == 1)
        value = (long)evpq_result_int8(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    return value;
}

static void wait_until_up(void)
{
    for (int i = 0; i < 300 && ask("select 1") != 1; i++)
        pause_for(0.1);
}

static void set(const char *name, const char *value)
{
    char sql[128];
    snprintf(sql, sizeof sql, "alter system set %s = '%s'", name, value);
    ask(sql); /* it returns no row */
    ask("select pg_reload_conf()::int");
}

void server_maybe_lose_standby(void)
{
    if (below(2))
        return;
    standby_is_missing = !standby_is_missing;
    set("synchronous_standby_names", standby_is_missing ? "missing" : "");
}

/* ---- a process of it, or all that serve us ---- */

#define OURS                                                                         \
 " from pg_stat_activity where backend_type = 'client backend' and application_name" \
 " <> 'torture-admin'"
#define ONE_OF_OURS OURS " order by random() limit 1"
/* One that is at work, if there is such a one. */
#define A_BUSY_ONE OURS " order by state = 'idle', random() limit 1"

static void kill_a_backend(void)
{
    long pid = ask(below(2) ? "select pid" A_BUSY_ONE : "select pid" ONE_OF_OURS);
    if (pid > 1)
        kill((pid_t)pid, SIGKILL);
    wait_until_up();
}

static void hang_a_backend(void)
{
    hold(ask("select pid" A_BUSY_ONE));
}

static void terminate_a_backend(void)
{
    ask("select pg_terminate_backend(pid)::int" A_BUSY_ONE);
}

static void terminate_all(void)
{
    ask("select count(pg_terminate_backend(pid))" OURS);
}

static void cancel_a_statement(void)
{
    ask("select pg_cancel_backend(pid)::int" A_BUSY_ONE);
}

static void cancel_all(void)
{
    ask("select count(pg_cancel_backend(pid))" OURS);
}

/* ---- all of it ---- */

/* It recovers from its log. */
static void crash(void)
{
    control("immediate-stop");
    pause_for(a_while() / 2);
    control("start");
    wait_until_up();
}

static void restart(void)
{
    control("restart");
    wait_until_up();
}

/* ---- limits ---- */

static const char *const limits[] = {"statement_timeout", "lock_timeout",
                                     "idle_in_transaction_session_timeout"};
enum { LIMITS = sizeof limits / sizeof *limits };

/* Of its own, which it enforces at any time. */
static void limit(const char *name)
{
    char value[16];
    snprintf(value, sizeof value, "%ums", 1 + below(30));
    set(name, value);
    pause_for(a_while());
    set(name, "0");
}

static void limit_statements(void)
{
    limit(limits[0]);
}

static void limit_idleness(void)
{
    limit(limits[2]);
}

/* Nobody can insert, and some are told so. */
static void lock_the_table(void)
{
    bool limited = below(2);
    if (limited)
        set(limits[1], "20ms");
    ask("do $$ begin set local lock_timeout = '1s'; lock table token in exclusive mode;"
        " perform pg_sleep(random()); end $$");
    if (limited)
        set(limits[1], "0");
}

void server_heal(void)
{
    let_go();
    standby_is_missing = false;
    set("synchronous_standby_names", "");
    for (int i = 0; i < LIMITS; i++)
        set(limits[i], "0");
}

struct fault server_faults[] = {
    {"SIGKILL of a backend", kill_a_backend, 3, 0},
    {"SIGSTOP of a backend", hang_a_backend, 4, 0},
    {"backend terminated", terminate_a_backend, 4, 0},
    {"all terminated", terminate_all, 2, 0},
    {"statement canceled", cancel_a_statement, 4, 0},
    {"all canceled", cancel_all, 2, 0},
    {"immediate stop", crash, 2, 0},
    {"restart", restart, 1, 0},
    {"statement_timeout", limit_statements, 2, 0},
    {"idle_in_transaction_session_timeout", limit_idleness, 2, 0},
    {"table locked", lock_the_table, 2, 0},
    {0},
};
