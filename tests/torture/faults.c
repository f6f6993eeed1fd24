/* faults.c - one thing after the other goes wrong. Runs in a task; everything is asked of the
 * server without blocking, or done by a process that is waited for so. */
#include "faults.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

static pid_t stopped; /* a process that SIGSTOP holds */

double a_while(void)
{
    return 0.02 + below(600) / 1e3;
}

/* ---- processes ---- */

/* A process that was forked only would hold the proxy's port until it comes to run. */
pid_t shell_spawn(const char *line)
{
    static char shell[] = "bash", option[] = "-c";
    static char close_all[] =
        "for ((fd = 3; fd < 256; fd++)); do eval \"exec $fd>&-\"; done; eval \"$1\"";
    char *const argv[] = {shell, option, close_all, shell, (char *)line, NULL};
    pid_t pid;
    return posix_spawnp(&pid, shell, NULL, NULL, argv, environ) ? 0 : pid;
}

void shell_run(const char *line)
{
    pid_t pid = shell_spawn(line);
    for (int status; pid && waitpid(pid, &status, WNOHANG) == 0;)
        pause_for(0.02);
}

void hold(long pid)
{
    if (pid <= 1)
        return;
    stopped = (pid_t)pid;
    kill(stopped, SIGSTOP);
    pause_for(a_while() * 4); /* query_timeout is 2 s */
    let_go();
}

void let_go(void)
{
    if (stopped)
        kill(stopped, SIGCONT);
    stopped = 0;
}

/* ---- all of them ---- */

enum { LISTS = 3 };
static struct fault *const lists[LISTS] = {line_faults, server_faults, pooler_faults};

static int count_lists(void)
{
    return there_is_a_pooler() ? LISTS : LISTS - 1;
}

static struct fault *choose(void)
{
    int sum = 0, n = count_lists();
    for (int i = 0; i < n; i++)
        for (struct fault *f = lists[i]; f->name; f++)
            sum += f->often;
    int at = (int)below((unsigned)sum);
    for (int i = 0; i < n; i++)
        for (struct fault *f = lists[i]; f->name; f++)
            if ((at -= f->often) < 0)
                return f;
    return lists[0];
}

void faults_cause(void)
{
    server_maybe_lose_standby();
    struct fault *fault = choose();
    if (t.trace)
        fprintf(stderr, "# fault %d: %s\n", t.faults, fault->name);
    fault->cause();
    fault->times++;
    t.faults++;
}

void faults_end(void)
{
    line_heal();
    server_heal();
    proxy_cut(t.proxy);
}

void faults_print(void)
{
    pooler_heal();
    printf("# faults:");
    for (int i = 0; i < count_lists(); i++)
        for (const struct fault *f = lists[i]; f->name; f++)
            printf("%s %s %d", i || f != lists[0] ? "," : "", f->name, f->times);
    putchar('\n');
}
