/* test_invariant.c - INVARIANT, checked or not as this build has it, and the form of a state
 * machine. */
#include "base/state.h"

#include "support/check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum lamp_state { LAMP_OFF, LAMP_ON, LAMP_BROKEN };

struct lamp {
    enum lamp_state state;
};

static const unsigned lamp_next[] = {
    [LAMP_OFF] = TO(LAMP_ON) | TO(LAMP_BROKEN),
    [LAMP_ON] = TO(LAMP_OFF) | TO(LAMP_BROKEN),
    [LAMP_BROKEN] = 0,
};

static void lamp_to(struct lamp *l, enum lamp_state state)
{
    TRANSITION(lamp_next, l->state, state);
    l->state = state;
}

static void mend(void)
{
    struct lamp lamp = {LAMP_BROKEN};
    lamp_to(&lamp, LAMP_ON);
    _exit(lamp.state);
}

static void break_one(void)
{
    invariant_broken("lamp.c", 7, "l->bulb");
}

/* What a process says that does body(), and how it ends. */
static const char *last_words(void (*body)(void), int *ret_status)
{
    static char text[1024];
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGABRT, SIG_DFL);
        body();
        _exit(99);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t n; (n = read(ends[0], text + length, sizeof text - 1 - length)) > 0;)
        length += (size_t)n;
    text[length] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(child, ret_status, 0), child);
    return text;
}

START_TEST(a_transition_in_the_table_is_made)
{
    struct lamp lamp = {LAMP_OFF};
    lamp_to(&lamp, LAMP_ON);
    lamp_to(&lamp, LAMP_OFF);
    lamp_to(&lamp, LAMP_BROKEN);
    ck_assert_int_eq(lamp.state, LAMP_BROKEN);
}
END_TEST

START_TEST(another_ends_the_program_in_a_build_with_checks)
{
    int status;
    const char *said = last_words(mend, &status);
    if (EVPQ_CHECKS) {
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        ck_assert_ptr_nonnull(strstr(said, "test_invariant.c:"));
        ck_assert_ptr_nonnull(strstr(said, "lamp_next[l->state] & TO(state)"));
    } else {
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == LAMP_ON);
        ck_assert_str_eq(said, "");
    }
}
END_TEST

#if EVPQ_CHECKS
static char told[64];

static void note(const char *next, unsigned from, unsigned to)
{
    size_t length = strlen(told);
    snprintf(told + length, sizeof told - length, "%s %u %u, ", next, from, to);
}

START_TEST(a_watcher_is_told_of_each_transition)
{
    struct lamp lamp = {LAMP_OFF};
    state_watcher = note;
    lamp_to(&lamp, LAMP_ON);
    lamp_to(&lamp, LAMP_BROKEN);
    state_watcher = NULL;
    ck_assert_str_eq(told, "lamp_next 0 1, lamp_next 1 2, ");
}
END_TEST
#endif

START_TEST(a_condition_is_evaluated_only_where_it_is_checked)
{
    int n = 0;
    INVARIANT(++n);
    ck_assert_int_eq(n, EVPQ_CHECKS);
}
END_TEST

START_TEST(a_broken_one_says_where_and_what)
{
    int status;
    const char *said = last_words(break_one, &status);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert_str_eq(said, "lamp.c:7: evpq: broken invariant: l->bulb\n");
}
END_TEST

int main(void)
{
    struct check *c = check_begin("invariant");
    CHECK_ADD(c, a_transition_in_the_table_is_made);
    CHECK_ADD(c, another_ends_the_program_in_a_build_with_checks);
#if EVPQ_CHECKS
    CHECK_ADD(c, a_watcher_is_told_of_each_transition);
#endif
    CHECK_ADD(c, a_condition_is_evaluated_only_where_it_is_checked);
    CHECK_ADD(c, a_broken_one_says_where_and_what);
    return check_end(c);
}
