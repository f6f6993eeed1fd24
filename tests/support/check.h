/*
 * Conveniences on top of Check: a main program's body, asserts on futures, and running a loop until
 * something holds. A test file is
 *
 *     #include "support/check.h"
 *     START_TEST(f13_deadline_is_absolute) { ... } END_TEST
 *     int main(void)
 *     {
 *         struct check *c = check_begin("pool");
 *         CHECK_ADD(c, f13_deadline_is_absolute);
 *         return check_end(c);
 *     }
 *
 * Each test runs in a process of its own (CK_FORK=no puts them in one), with Check's time limit,
 * CK_DEFAULT_TIMEOUT. Results are TAP where CK_TAP_LOG_FILE_NAME says so, as tests/run does.
 */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H

#include <check.h>
#include <ev.h>
#include <evpq/future.h>
#include <stdbool.h>

/* ---- a program of tests ---- */

struct check;

struct check *check_begin(const char *name);

/* Each test is a test case of its own name, which CK_RUN_CASE=name picks out. */
#define CHECK_ADD(c, test) check_add(c, #test, test, 0, 1)

/* Runs the test once for _i = 0 ... n - 1. */
#define CHECK_ADD_LOOP(c, test, n) check_add(c, #test, test, 0, n)

/* Gives it its own limit in seconds instead of CK_DEFAULT_TIMEOUT. */
#define CHECK_ADD_SLOW(c, test, seconds) check_add(c, #test, test, seconds, 1)

void check_add(struct check *c, const char *name, const TTest *test, double limit, int n);

/* Run them; c is gone afterwards. Returns main's exit status. */
int check_end(struct check *c);

/* For main, where nothing of a program can be tested here: says so in TAP and returns the status.
 */
int check_skip_all(const char *why);

/* How often a test repeats what goes another way each time: n times where EVPQ_TEST_LONG is set, as
 * `make check-long` does; a fifth of that otherwise. */
int check_rounds(int n);

/* Under valgrind, which reports a process that is meant to die of a fault. */
bool check_on_valgrind(void);

/* ---- futures ---- */

/* f has settled so, now. */
#define ck_future_status(f, want)                                           \
 do {                                                                       \
  evpq_future *ck_f = (f);                                                  \
  ck_assert_msg(evpq_future_status(ck_f) == (want), "%s is %s, not %s", #f, \
                check_future_text(ck_f), evpq_status_name(want));           \
 } while (0)
#define ck_future_ok(f) ck_future_status(f, EVPQ_OK)
#define ck_future_pending(f) ck_future_status(f, EVPQ_PENDING)

/* Run the loop until f settles; it has to settle so. f stays the caller's. */
#define ck_await_status(f, want)                                                          \
 do {                                                                                     \
  evpq_future *ck_f = (f);                                                                \
  evpq_status ck_s = evpq_await(ck_f);                                                    \
  ck_assert_msg(ck_s == (want), "awaiting %s gives %s (it is %s), not %s", #f,            \
                evpq_status_name(ck_s), check_future_text(ck_f), evpq_status_name(want)); \
 } while (0)
#define ck_await_ok(f) ck_await_status(f, EVPQ_OK)

/* A future's status, and its error's message and SQLSTATE. Borrowed as strf's of server.h. */
const char *check_future_text(const evpq_future *f);

/* ---- loops ---- */

/*
 * Run the loop a turn at a time until the condition, an expression, holds; it is looked at between
 * turns, at least every 10 ms. False when that takes longer than so many seconds.
 */
#define RUN_UNTIL(loop, condition, seconds)          \
 __extension__({                                     \
struct pump ck_pump;                                     \
bool ck_holds;                                           \
pump_start(&ck_pump, (loop), (seconds));                 \
while (!(ck_holds = (condition)) && pump_turn(&ck_pump)) \
; \
pump_stop(&ck_pump);                                     \
ck_holds;                                                \
 })

/* The same with a function. */
bool run_until(struct ev_loop *loop, bool (*condition)(void *arg), void *arg, double seconds);

/* Run the loop for so many seconds. */
void run_for(struct ev_loop *loop, double seconds);

/* What RUN_UNTIL is made of. */
struct pump {
    struct ev_loop *loop;
    ev_timer tick;
    double until;
};

void pump_start(struct pump *p, struct ev_loop *loop, double seconds);
bool pump_turn(struct pump *p);
void pump_stop(struct pump *p);

#endif
