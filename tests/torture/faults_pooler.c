/* faults_pooler.c - what goes wrong with PgBouncer or pgpool-II, as tests/with-pgbouncer and
 * tests/with-pgpool have started them. */
#include "faults.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static pid_t pooler; /* its first process, or 0 */
static bool is_ours; /* we have started it again */

bool there_is_a_pooler(void)
{
    const char *pid = getenv("PGBOUNCER_PID") ? getenv("PGBOUNCER_PID") : getenv("PGPOOL_PID");
    static bool looked;
    if (!looked && pid)
        pooler = (pid_t)atoi(pid);
    looked = true;
    return pooler != 0;
}

/* A child, where it has some: pgpool-II has one for each client, and begins another in its place. */
static pid_t a_child(void)
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

static void hang_it(void)
{
    pid_t child = a_child();
    hold(child ? child : pooler);
}

static void start_again(const char *command)
{
    char line[1024];
    kill(pooler, SIGKILL);
    if (is_ours)
        waitpid(pooler, NULL, 0);
    pause_for(a_while() / 4);
    snprintf(line, sizeof line, "exec %s >&2", command);
    pooler = shell_spawn(line);
    is_ours = true;
}

static void kill_it(void)
{
    const char *command = getenv("PGBOUNCER_COMMAND");
    pid_t child = a_child();
    if (child)
        kill(child, SIGKILL);
    else if (command)
        start_again(command);
}

/* PgBouncer is told to. pgpool-II has one process after the other hung instead. */
static void tell_it(const char *what)
{
    char line[512];
    if (!getenv("PGBOUNCER_PORT")) {
        hang_it();
        return;
    }
    snprintf(line, sizeof line,
             "console() { timeout 1 \"$EVPQ_PSQL\" -wXAtq -h \"$PGBOUNCER_HOST\" -p"
             " \"$PGBOUNCER_PORT\" -d pgbouncer -c \"$1\"; } >/dev/null 2>&1;"
             " console '%s %s'; sleep 0.%u; console 'RESUME %s'",
             what, getenv("PGDATABASE"), 1 + below(8), getenv("PGDATABASE"));
    shell_run(line);
}

static void pause_it(void)
{
    tell_it("PAUSE");
}

static void drop_all(void)
{
    tell_it("KILL");
}

void pooler_heal(void)
{
    if (is_ours)
        kill(pooler, SIGKILL);
}

struct fault pooler_faults[] = {
    {"pooler hangs", hang_it, 4, 0},
    {"pooler killed", kill_it, 4, 0},
    {"pooler paused", pause_it, 2, 0},
    {"pooler drops all", drop_all, 2, 0},
    {0},
};
