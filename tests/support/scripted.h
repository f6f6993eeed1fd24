/* scripted.h - a scripted server of libevpq-test, for the tests of it. */
#ifndef TESTS_SUPPORT_SCRIPTED_H
#define TESTS_SUPPORT_SCRIPTED_H

#include "support/site.h"

#include <evpq/testing.h>
#include <stdlib.h>

static evpq_test_server *server;
static struct site site; /* with a pool that leads to it; or none */

/* With nobody to ask it anything. */
static inline void alone(const evpq_test_server_opts *o)
{
    char *error = NULL;
    site.pool = NULL;
    server = evpq_test_server_start(o, &error);
    ck_assert_msg(server != NULL, "%s", error);
}

/* All was as scripted. */
static inline void end(void)
{
    char *complaint = evpq_test_server_complaint(server);
    ck_assert_msg(!complaint, "%s", complaint);
    if (site.pool)
        site_close(&site);
    evpq_test_server_stop(server);
}

/* Something was not. */
static inline void complains(const char *want)
{
    char *complaint = evpq_test_server_complaint(server);
    ck_assert_pstr_eq(complaint, want);
    free(complaint);
    if (site.pool)
        site_close(&site);
    evpq_test_server_stop(server);
}

#define ANSWER(...)                                                       \
 do {                                                                     \
  evpq_test_answer ck_answer = {.size = sizeof ck_answer, __VA_ARGS__};   \
  char *ck_error = NULL;                                                  \
  bool ck_added = evpq_test_server_answer(server, &ck_answer, &ck_error); \
  ck_assert_msg(ck_added, "%s", ck_error);                                \
 } while (0)
#define CELLS(...)              \
 .cells = (const char *const[]) \
 {                              \
  __VA_ARGS__                   \
 }

#endif
