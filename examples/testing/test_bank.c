/* test_bank.c - bank.c, tested without a database: the server says what each test has written down.
 *
 *     cc bank.c test_bank.c $(pkg-config --cflags --libs evpq evpq-test) && ./a.out */
#include "bank.h"

#include <evpq/testing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;

#define CHECK(holds)                                                                   \
 do {                                                                                  \
  if (!(holds))                                                                        \
   failed++, fprintf(stderr, "%s:%d: it is not so: %s\n", __FILE__, __LINE__, #holds); \
 } while (0)

/* What each test has: a server with a script, and a pool on it. */
static evpq_test_server *server;
static evpq_loop *loop;
static evpq_pool *pool;

static void begin(void)
{
    evpq_error *error = NULL;
    char *reason = NULL;
    server = evpq_test_server_start(NULL, &reason);
    loop = evpq_loop_new(NULL);
    if (server && loop)
        pool = evpq_pool_open(loop, evpq_test_server_conninfo(server), NULL, &error);
    if (!pool) {
        fprintf(stderr, "cannot begin: %s\n", reason ? reason : evpq_error_message(error));
        exit(1);
    }
}

/* All that was to come has come, and nothing else. */
static void end(const char *name)
{
    char *complaint = evpq_test_server_complaint(server);
    if (complaint)
        failed++, fprintf(stderr, "%s:\n%s\n", name, complaint);
    free(complaint);
    evpq_future *closed = evpq_pool_close(pool, 1);
    evpq_await(closed);
    evpq_future_unref(closed);
    pool = evpq_pool_unref(pool);
    evpq_loop_run(loop);
    loop = evpq_loop_unref(loop);
    evpq_test_server_stop(server);
    printf("%s\n", name);
}

/* A wrong answer is in the complaint at the end. */
static void says(const char *part, int times, const char *sqlstate, evpq_test_then then)
{
    evpq_test_answer answer = {.size = sizeof answer};
    answer.part = part;
    answer.times = times;
    answer.sqlstate = sqlstate;
    answer.then = then;
    evpq_test_server_answer(server, &answer, NULL);
}

static void pays(void)
{
    begin();
    says("update account", 2, NULL, EVPQ_TEST_THEN_GO_ON);
    evpq_future *f = bank_pay(pool, &(struct payment){1, 2, 500});
    CHECK(evpq_await(f) == EVPQ_OK);
    CHECK(evpq_test_server_count(server, "COMMIT") == 1);
    /* BEGIN came first, then the two statements. */
    CHECK(strcmp(evpq_test_server_parameter(server, 1, 0), "1") == 0);
    CHECK(strcmp(evpq_test_server_parameter(server, 2, 0), "2") == 0);
    CHECK(strcmp(evpq_test_server_parameter(server, 2, 1), "500") == 0);
    evpq_future_unref(f);
    end("pays");
}

static void tries_again_after_a_conflict(void)
{
    begin();
    says("cents - $2", 1, "40001", EVPQ_TEST_THEN_GO_ON);
    says("update account", 2, NULL, EVPQ_TEST_THEN_GO_ON);
    evpq_future *f = bank_pay(pool, &(struct payment){1, 2, 500});
    CHECK(evpq_await(f) == EVPQ_OK);
    CHECK(evpq_test_server_count(server, "BEGIN") == 2);
    CHECK(evpq_test_server_count(server, "COMMIT") == 1);
    evpq_future_unref(f);
    end("tries again after a conflict");
}

static void does_not_pay_twice(void)
{
    begin();
    says("update account", 2, NULL, EVPQ_TEST_THEN_GO_ON);
    says("COMMIT", 1, NULL, EVPQ_TEST_THEN_CUT_BEFORE);
    evpq_future *f = bank_pay(pool, &(struct payment){1, 2, 500});
    CHECK(evpq_await(f) == EVPQ_LOST);
    CHECK(evpq_error_outcome(evpq_future_error(f)) == EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    end("does not pay twice");
}

/* The loop runs meanwhile. */
static void run_until_received(const char *part)
{
    while (!evpq_test_server_count(server, part)) {
        evpq_future *turn = evpq_sleep(loop, 0.001);
        evpq_await(turn);
        evpq_future_unref(turn);
    }
}

/* A time-out costs no time: what never comes is as late after a hundredth of a second, which begins when
 * the server has got the statement, however long that takes. */
static void gives_up_in_time(void)
{
    evpq_test_server_stats stats = {.size = sizeof stats};
    begin();
    says("update account", 1, NULL, EVPQ_TEST_THEN_NEVER);
    evpq_future *f = bank_pay(pool, &(struct payment){1, 2, 500});
    run_until_received("update account");
    f = evpq_timeout(f, 0.01);
    CHECK(evpq_await(f) == EVPQ_TIMEOUT);
    evpq_future_unref(f);
    f = evpq_pool_drain(pool);
    CHECK(evpq_await(f) == EVPQ_OK);
    evpq_future_unref(f);
    CHECK(evpq_test_server_get_stats(server, &stats) && stats.cancels > 0);
    CHECK(evpq_test_server_count(server, "COMMIT") == 0);
    end("gives up in time");
}

int main(void)
{
    pays();
    tries_again_after_a_conflict();
    does_not_pay_twice();
    gives_up_in_time();
    if (!failed)
        printf("all is well\n");
    return failed > 0;
}
