/* child.h - a part of a test in a forked child, where its asserts hold too. */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include "support/check.h"

#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child ends. */
static void (*const child_ends[])(int) = {_exit, exit};
static const int CHILD_ENDS = sizeof child_ends / sizeof *child_ends;

/* Waits for the end of a child, which has to be a good one. */
static inline void child_wait(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "a child ended by signal %d", WTERMSIG(status));
    ck_assert_msg(!WEXITSTATUS(status), "a child ended with status %d", WEXITSTATUS(status));
}

/* Forks a child that does body() and ends, and waits for it. */
static inline void child_run(void (*body)(void), void (*end)(int))
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
        body();
        end(0);
    }
    child_wait(child);
}

#endif
