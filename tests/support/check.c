/*
 * Conveniences on top of Check: see check.h.
 */
#include "support/check.h"

#if HAVE_VALGRIND
# include <valgrind/valgrind.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/server.h"

struct check {
    Suite *suite;
};

struct check *check_begin(const char *name)
{
    struct check *c = malloc(sizeof *c);

    if (!c)
        abort();
    c->suite = suite_create(name);
    return c;
}

/* Whether EVPQ_TEST_SKIP, a list of names, has it: see tests/through. */
static bool is_left_out(const char *name)
{
    const char *list = getenv("EVPQ_TEST_SKIP");
    size_t n = strlen(name);

    for (const char *at = list; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == n && !memcmp(at, name, n))
            return true;
    return false;
}

void check_add(struct check *c, const char *name, const TTest *test, double limit, int n)
{
    TCase *t;

    if (is_left_out(name))
        return;
    t = tcase_create(name);
    if (limit > 0)
        tcase_set_timeout(t, limit);
    tcase_add_loop_test(t, test, 0, n);
    suite_add_tcase(c->suite, t);
}

int check_end(struct check *c)
{
    SRunner *runner = srunner_create(c->suite);
    const char *tap = getenv("CK_TAP_LOG_FILE_NAME");
    int failed;

    free(c);
    server_lend_admin();
    srunner_run_all(runner, tap && strcmp(tap, "-") == 0 ? CK_SILENT : CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int check_rounds(int n)
{
    return getenv("EVPQ_TEST_LONG") ? n : n / 5;
}

bool check_on_valgrind(void)
{
#if HAVE_VALGRIND
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

int check_skip_all(const char *why)
{
    printf("1..0 # SKIP %s\n", why);
    fprintf(stderr, "*** SKIPPED: %s ***\n", why);
    return getenv("CK_TAP_LOG_FILE_NAME") ? EXIT_SUCCESS : 77;
}

const char *check_future_text(const evpq_future *f)
{
    const evpq_error *error = evpq_future_error(f);

    if (!error)
        return evpq_status_name(evpq_future_status(f));
    return strf("%s (%.500s; SQLSTATE \"%s\")", evpq_status_name(evpq_future_status(f)),
                evpq_error_message(error), evpq_error_sqlstate(error));
}

/* ---- loops ---- */

static const double look = 0.010;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tick(struct ev_loop *loop, ev_timer *w, int events)
{
}

void pump_start(struct pump *p, struct ev_loop *loop, double seconds)
{
    p->loop = loop;
    p->until = now() + seconds;
    ev_timer_init(&p->tick, tick, look, look);
    ev_timer_start(loop, &p->tick);
}

bool pump_turn(struct pump *p)
{
    if (now() >= p->until)
        return false;
    ev_run(p->loop, EVRUN_ONCE);
    return true;
}

void pump_stop(struct pump *p)
{
    ev_timer_stop(p->loop, &p->tick);
}

bool run_until(struct ev_loop *loop, bool (*condition)(void *arg), void *arg, double seconds)
{
    return RUN_UNTIL(loop, condition(arg), seconds);
}

void run_for(struct ev_loop *loop, double seconds)
{
    RUN_UNTIL(loop, false, seconds);
}
