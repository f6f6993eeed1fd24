/* overflow.c - see overflow.h. The handler runs on a stack of its own, as there is no other left;
 * it writes its line, puts back the handler that was there before, and returns to the same fault,
 * which is then that one's. */
#include "tasks/overflow.h"

#if EVPQ_DEBUG

# include <signal.h>
# include <stdbool.h>
# include <string.h>
# include <unistd.h>

static _Thread_local const struct overflow_watch *watch;
static _Thread_local bool armed;
static _Thread_local char spare_stack[16 * 1024];
static struct sigaction before;

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    const char *at = info->si_addr;
    if (watch && at >= watch->guard && at < watch->guard + watch->size) {
        say("evpq: the stack of task \"");
        say(watch->name);
        say("\" has overflowed: give it a larger one (evpq_task_opts.stack_size)\n");
    }
    sigaction(sig, &before, NULL);
}

static void arm(void)
{
    stack_t spare = {.ss_sp = spare_stack, .ss_size = sizeof spare_stack}, other;
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction current;
    armed = true;
    if (!sigaltstack(NULL, &other) && (other.ss_flags & SS_DISABLE))
        sigaltstack(&spare, NULL);
    sigemptyset(&action.sa_mask);
    if (!sigaction(SIGSEGV, NULL, &current) && current.sa_sigaction != on_fault)
        sigaction(SIGSEGV, &action, &before);
}

void overflow_watch(struct overflow_watch *w, const char *name, const char *guard, size_t size)
{
    if (!armed)
        arm();
    *w = (struct overflow_watch){.name = name, .guard = guard, .size = size, .outer = watch};
    watch = w;
}

void overflow_unwatch(const struct overflow_watch *w)
{
    watch = w->outer;
}

#endif
