/* faults.c - what goes wrong, one thing after the other. Runs in a task; everything is asked of the
 * server without blocking, or done by a process that is waited for so. */
#include "torture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t stopped;           /* a process that SIGSTOP holds */
static pid_t pooler;            /* between the proxy and the server, or 0 */
static bool pooler_is_ours;     /* we have started it again */
static bool standby_is_missing; /* a synchronous standby is waited for that is not there */

/* ---- processes ---- */

/* A line of shell, in a process that keeps none of our sockets. */
static pid_t spawn(const char *line)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    execl("/bin/bash", "bash", "-c",
          "for ((fd = 3; fd < 256; fd++)); do eval \"exec $fd>&-\"; done; eval \"$1\"", "bash",
          line, (char *)NULL);
    _exit(127);
}

static void control(const char *what)
{
    char line[64];
    snprintf(line, sizeof line, "exec \"$EVPQ_PG_CTL\" %s >&2", what);
    pid_t pid = spawn(line);
    for (int status; waitpid(pid, &status, WNOHANG) == 0;)
        pause_for(0.02);
}

/* ---- the server, asked directly ---- */

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

#define A_BACKEND                                                                    \
 " from pg_stat_activity where backend_type = 'client backend' and application_name" \
 " <> 'torture-admin' order by random() limit 1"

static void let_standby_be_missing(bool missing)
{
    if (ask(missing ? "alter system set synchronous_standby_names = 'missing'"
                    : "alter system set synchronous_standby_names = ''") < 0)
        (void)0; /* it returns no row */
    ask("select pg_reload_conf()::int");
    standby_is_missing = missing;
}

/* ---- faults ---- */

static double a_while(void)
{
    return 0.02 + below(600) / 1e3;
}

static void cut(void)
{
    proxy_cut(t.proxy);
}

static void reset(void)
{
    proxy_reset(t.proxy);
}

/* At a byte of either direction. */
static void trip(enum proxy_act act)
{
    enum proxy_dir dir = act == PROXY_SWALLOW || below(2) ? PROXY_TO_SERVER : PROXY_TO_CLIENT;
    proxy_arm_after(t.proxy, dir, below(4000), act);
    pause_for(a_while());
    proxy_disarm(t.proxy);
    if (act == PROXY_STALL)
        proxy_cut(t.proxy);
}

static void cut_at_a_byte(void)
{
    trip(PROXY_CUT);
}

static void reset_at_a_byte(void)
{
    trip(PROXY_RESET);
}

static void stall_at_a_byte(void)
{
    trip(PROXY_STALL);
}

static void swallow_an_answer(void)
{
    trip(PROXY_SWALLOW);
}

static void refuse(void)
{
    proxy_door(t.proxy, PROXY_REFUSE);
    proxy_cut(t.proxy);
    pause_for(a_while());
    proxy_door(t.proxy, PROXY_OPEN);
}

static void kill_a_backend(void)
{
    long pid = ask("select pid" A_BACKEND);
    if (pid > 1)
        kill((pid_t)pid, SIGKILL);
    wait_until_up();
}

static void hold(long pid)
{
    if (pid <= 1)
        return;
    stopped = (pid_t)pid;
    kill(stopped, SIGSTOP);
    pause_for(a_while() * 3);
    kill(stopped, SIGCONT);
    stopped = 0;
}

static void hang_a_backend(void)
{
    hold(ask("select pid" A_BACKEND));
}

static void terminate_a_backend(void)
{
    ask("select pg_terminate_backend(pid)::int" A_BACKEND);
}

static void terminate_all(void)
{
    ask("select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type ="
        " 'client backend' and application_name <> 'torture-admin'");
}

static void cancel_a_statement(void)
{
    ask("select pg_cancel_backend(pid)::int" A_BACKEND);
}

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

/* ---- of a pooler ---- */

static void hang_the_pooler(void)
{
    hold(pooler);
}

/* A child, where it has some: pgpool begins another in its place. */
static pid_t a_child_of_the_pooler(void)
{
    char path[64];
    int pids[256], n = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pooler, (int)pooler);
    FILE *file = fopen(path, "r");
    while (file && n < 256 && fscanf(file, "%d", &pids[n]) == 1)
        n++;
    if (file)
        fclose(file);
    return n ? (pid_t)pids[below((unsigned)n)] : 0;
}

static void kill_the_pooler(void)
{
    const char *command = getenv("PGBOUNCER_COMMAND");
    pid_t child = a_child_of_the_pooler();
    if (child) {
        kill(child, SIGKILL);
    } else if (command) {
        char line[1024];
        kill(pooler, SIGKILL);
        if (pooler_is_ours)
            waitpid(pooler, NULL, 0);
        pause_for(a_while() / 4);
        snprintf(line, sizeof line, "exec %s >&2", command);
        pooler = spawn(line);
        pooler_is_ours = true;
    }
}

/* ---- all of them ---- */

static struct {
    const char *name;
    void (*cause)(void);
    bool of_pooler;
    int often, times;
} faults[] = {
    {"cut", cut, false, 2, 0},
    {"reset", reset, false, 2, 0},
    {"cut at a byte", cut_at_a_byte, false, 5, 0},
    {"reset at a byte", reset_at_a_byte, false, 5, 0},
    {"stall at a byte", stall_at_a_byte, false, 5, 0},
    {"answer swallowed", swallow_an_answer, false, 5, 0},
    {"refused", refuse, false, 1, 0},
    {"SIGKILL of a backend", kill_a_backend, false, 3, 0},
    {"SIGSTOP of a backend", hang_a_backend, false, 4, 0},
    {"backend terminated", terminate_a_backend, false, 5, 0},
    {"all terminated", terminate_all, false, 2, 0},
    {"statement canceled", cancel_a_statement, false, 4, 0},
    {"immediate stop", crash, false, 2, 0},
    {"restart", restart, false, 1, 0},
    {"pooler hangs", hang_the_pooler, true, 4, 0},
    {"pooler killed", kill_the_pooler, true, 4, 0},
};

enum { KINDS = sizeof faults / sizeof faults[0] };

static void find_pooler(void)
{
    const char *pid = getenv("PGBOUNCER_PID") ? getenv("PGBOUNCER_PID") : getenv("PGPOOL_PID");
    static bool looked;
    if (!looked && pid)
        pooler = (pid_t)atoi(pid);
    looked = true;
}

void faults_cause(void)
{
    find_pooler();
    if (below(2))
        let_standby_be_missing(!standby_is_missing);
    int sum = 0, at;
    for (int i = 0; i < KINDS; i++)
        sum += faults[i].of_pooler && !pooler ? 0 : faults[i].often;
    at = (int)below((unsigned)sum);
    for (int i = 0; i < KINDS; i++) {
        at -= faults[i].of_pooler && !pooler ? 0 : faults[i].often;
        if (at < 0) {
            if (t.trace)
                fprintf(stderr, "# fault %d: %s\n", t.faults, faults[i].name);
            faults[i].cause();
            faults[i].times++;
            break;
        }
    }
    t.faults++;
}

void faults_end(void)
{
    if (stopped)
        kill(stopped, SIGCONT);
    proxy_door(t.proxy, PROXY_OPEN);
    proxy_disarm(t.proxy);
    let_standby_be_missing(false);
    proxy_cut(t.proxy);
}

void faults_print(void)
{
    if (pooler_is_ours)
        kill(pooler, SIGKILL);
    printf("# faults:");
    for (int i = 0; i < KINDS; i++)
        printf("%s %s %d", i ? "," : "", faults[i].name, faults[i].times);
    putchar('\n');
}
