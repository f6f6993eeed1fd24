/* signals.c - see signals.h. */
#define _GNU_SOURCE
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int wake[2];
static volatile sig_atomic_t count;

/* A terminal that goes sends SIGHUP, and so does the shell in it: the second is no order to drop
 * what the first one has saved. */
static void handle(int number)
{
    int saved = errno;
    ssize_t ignored;

    if (number != SIGHUP && count++ > 0) {
        ignored = write(STDERR_FILENO, "\n", 1);
        (void)ignored;
        _exit(128 + number);
    }
    ignored = write(wake[1], "", 1);
    (void)ignored;
    errno = saved;
}

/* Who was started with SIGHUP ignored (nohup) goes on without the terminal. */
static void catch_hangup(const struct sigaction *action)
{
    struct sigaction now;

    if (sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        sigaction(SIGHUP, action, NULL);
}

int signals_open(void)
{
    struct sigaction action = {.sa_handler = handle};

    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    catch_hangup(&action);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    return wake[0];
}
