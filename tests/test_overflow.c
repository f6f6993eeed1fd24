/* test_overflow.c - a build with --enable-debug names the task that has used up its stack. The
 * tasks are built here as such a build has them. */
#include "tasks/task.h"

#include "support/check.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile char sink;

static int use_up(int kilobytes)
{
    volatile char room[1024];
    room[0] = (char)kilobytes;
    sink = room[0];
    return kilobytes ? use_up(kilobytes - 1) + room[0] : 0;
}

static evpq_future *fall(evpq_task *self, void *arg)
{
    use_up(1 << 20);
    return NULL;
}

static evpq_future *touch(evpq_task *self, void *arg)
{
    *(volatile char *)arg = 1;
    return NULL;
}

static evpq_future *nest(evpq_task *self, void *arg)
{
    evpq_future_unref(
        evpq_task_spawn(evpq_task_loop(self), fall, NULL,
                        &(evpq_task_opts){.size = sizeof(evpq_task_opts), .name = "inner"}));
    evpq_loop_run(evpq_task_loop(self));
    return NULL;
}

/* What a process says that runs the task "outer" and dies of it. */
static const char *last_words(evpq_task_fn *fn, void *arg, int *ret_status)
{
    static char text[4096];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGSEGV, SIG_DFL); /* no sanitizer's report */
        evpq_loop *loop = evpq_loop_new(NULL);
        evpq_await(evpq_task_spawn(
            loop, fn, arg, &(evpq_task_opts){.size = sizeof(evpq_task_opts), .name = "outer"}));
        _exit(0);
    }
    close(ends[1]);
    size_t n = 0;
    for (ssize_t got; (got = read(ends[0], text + n, sizeof text - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, ret_status, 0), child);
    return text;
}

START_TEST(the_task_is_named)
{
    if (check_on_valgrind())
        return;
    int status;
    const char *text = last_words(_i ? nest : fall, NULL, &status);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_msg(strstr(text, _i ? "stack of task \"inner\"" : "stack of task \"outer\""), "%s",
                  text);
    ck_assert_ptr_nonnull(strstr(text, "stack_size"));
}
END_TEST

START_TEST(another_fault_is_not_taken_for_an_overflow)
{
    if (check_on_valgrind())
        return;
    int status;
    const char *text = last_words(touch, (void *)16, &status);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
    struct check *c = check_begin("overflow");
    CHECK_ADD_LOOP(c, the_task_is_named, 2);
    CHECK_ADD(c, another_fault_is_not_taken_for_an_overflow);
    return check_end(c);
}
