/*
 * A loop, and one pool on it to be tested against the server, with an eye on it at every turn of
 * the loop. One pool at a time: pools_open() ... pools_end().
 *
 * At every turn, and at pools_look(): never idle and waiting at once; never more connections than
 * max_size (or, after a resize to fewer, than before it); a connection that is idle has nothing in
 * flight, no transaction, nothing to be reset (F9, F48).
 */
#ifndef TESTS_SUPPORT_POOLS_H
#define TESTS_SUPPORT_POOLS_H

#include "support/check.h"
#include "support/server.h"

#include <evpq/evpq.h>

/* Set by pools_open, borrowed until pools_end. A test that lets go of the pool itself sets it to
 * NULL. */
extern evpq_loop *loop;
extern evpq_pool *pool;

/* A pool with these options on a new loop, by the server's socket. */
#define open_pool(...) open_pool_at(server_conninfo(SERVER_UNIX, NULL), __VA_ARGS__)
#define open_pool_at(conninfo, ...) \
 pools_open((conninfo), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), __VA_ARGS__})
void pools_open(const char *conninfo, const evpq_pool_opts *opts);

/* The application_name of the pool's connections, of this test alone. */
const char *pools_app(void);

/* The pool becomes quiet; it is closed, and nothing of it is left, here or on the server. */
void pools_end(void);

/* Checks the rules above now. */
void pools_look(void);

evpq_pool_stats stats(void);
int stats_total(void);

/* Nothing runs, waits, is leased, being closed or connected. */
bool is_quiet(void);
#define ck_quiet()                                                                            \
 ck_assert_msg(RUN_UNTIL(evpq_loop_ev(loop), is_quiet(), 10), "it does not become quiet: %s", \
               stats_text())
const char *stats_text(void);

/* Wait until something holds. */
#define ck_until(condition)                                                                 \
 ck_assert_msg(RUN_UNTIL(evpq_loop_ev(loop), (condition), 10), "never: %s; %s", #condition, \
               stats_text())

/* Wait until the server is at work on this many of the pool's connections. */
#define ck_running(n) ck_until(server_runs() == (n))
long server_runs(void);

/* Each runs one statement to its end; it has to succeed. The first column of the first row. */
long ask(const char *sql);
const char *ask_text(const char *sql);
long ask_on(evpq_lease *lease, const char *sql);
void exec_on(evpq_lease *lease, const char *sql);

/* It fails on the server with this SQLSTATE. */
void fails_on(evpq_lease *lease, const char *sql, const char *sqlstate);

/* Without parameters, not awaited. Given. */
evpq_future *query(const char *sql);
evpq_future *query_on(evpq_lease *lease, const char *sql);

/* A lease, got in the ordinary way. Given: evpq_lease_release. */
evpq_lease *lease_get(void);

/* Whether a transaction is open on it, failed or not. */
bool lease_in_transaction(evpq_lease *lease);

/* f has failed so, and with this outcome. f is let go of. */
#define ck_failed(f, want, want_outcome)                                              \
 do {                                                                                 \
  evpq_future *ck_given = (f);                                                        \
  ck_await_status(ck_given, want);                                                    \
  ck_assert_msg(evpq_error_outcome(evpq_future_error(ck_given)) == (want_outcome),    \
                "%s has outcome %d, not %s", #f,                                      \
                (int)evpq_error_outcome(evpq_future_error(ck_given)), #want_outcome); \
  evpq_future_unref(ck_given);                                                        \
 } while (0)

/* f is done. f is let go of. */
#define ck_done(f)             \
 do {                          \
  evpq_future *ck_given = (f); \
  ck_await_ok(ck_given);       \
  evpq_future_unref(ck_given); \
 } while (0)

#endif
