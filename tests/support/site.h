/*
 * A building site: a loop of its own with a pool on it, and the few moves that most tests make
 * there. What goes wrong fails the test.
 */
#ifndef TESTS_SUPPORT_SITE_H
#define TESTS_SUPPORT_SITE_H

#include <evpq/evpq.h>

#include "support/check.h"

struct site {
    evpq_loop *loop;
    struct ev_loop *ev; /* its libev loop, borrowed */
    evpq_pool *pool;
};

/* opts may be NULL. Nothing is connected yet. Ends with site_close(). */
struct site site_open(const char *conninfo, const evpq_pool_opts *opts);

/* Closes the pool, waiting for what runs on it, and sees that nothing keeps the loop running then.
 */
void site_close(struct site *s);

/* One statement, which has to succeed. Given: evpq_future_unref(). */
evpq_future *site_query(struct site *s, const char *sql);

/* The first value of its answer, NULL read as "(null)". Borrowed as strf's of server.h. */
const char *site_text(struct site *s, const char *sql);

/* A lease, which has to come. Given: evpq_lease_release(). */
evpq_lease *site_lease(struct site *s);

/* One statement on a lease, which has to succeed; the first value of its answer as above. */
const char *lease_text(evpq_lease *lease, const char *sql);

evpq_pool_stats site_stats(const struct site *s);

/* Runs the loop for so long, which may be less than the ten milliseconds of check.h's run_for(). */
void site_run(struct site *s, double seconds);

/* Runs the loop until connections are all idle and nobody waits; false when that takes longer. */
bool site_quiet(struct site *s, double seconds);

/* Fails unless the future has failed so: status, SQLSTATE ("" for none) and outcome. */
#define ck_failed(f, want_status, want_sqlstate, want_outcome)                       \
 do {                                                                                \
  const evpq_error *ck_e = evpq_future_error(f);                                     \
  ck_future_status(f, want_status);                                                  \
  ck_assert_str_eq(evpq_error_sqlstate(ck_e), (want_sqlstate));                      \
  ck_assert_msg(evpq_error_outcome(ck_e) == (want_outcome), "%s: its outcome is %d", \
                check_future_text(f), (int)evpq_error_outcome(ck_e));                \
 } while (0)

/* Seconds on a clock that never jumps. */
double site_time(void);

/* A seed for this run, from EVPQ_TEST_SEED where that is set; told on standard error. */
unsigned long site_seed(void);

#endif
