/* test_outcome.c - F51, F52, F59: what is said to have become of a statement (ops/verdict): the table row by
 * row, and what a program is told when a server, or something before it, answers so. */
#include "ops/verdict.h"

#include "support/fake.h"
#include "support/proxy.h"
#include "support/server.h"
#include "support/site.h"

#include <string.h>

/* ---- the table ---- */

#define I PQ_TXN_IDLE
#define T PQ_TXN_OPEN
#define E PQ_TXN_FAILED
#define U PQ_TXN_UNKNOWN

#define CAME(what, from, to, ...)                                                                 \
 {                                                                                                \
  .sent = true, .synced = true, .came = CAME_##what, .before = (from), .after = (to), __VA_ARGS__ \
 }
#define PART .role = ROLE_WITHIN
#define COMMIT .role = ROLE_COMMIT

static const struct {
    struct evidence evidence;
    enum fate fate;
} rows[] = {
    {{.sent = false}, FATE_NOT_SENT},
    {{.sent = false, .came = CAME_ERROR, .synced = true}, FATE_NOT_SENT},
    {{.sent = true}, FATE_UNKNOWN},
    {{.sent = true, .came = CAME_RESULT}, FATE_UNKNOWN},
    {{.sent = true, .came = CAME_ERROR}, FATE_UNKNOWN},
    {{.sent = true, .came = CAME_ABORTED, PART}, FATE_UNKNOWN},
    {{.sent = true, .came = CAME_ERROR, PART}, FATE_REJECTED},
    {{.sent = true, .came = CAME_ERROR, PART, .doubt = true}, FATE_UNKNOWN},
    {{.sent = true, .came = CAME_ERROR, COMMIT}, FATE_UNKNOWN},
    {CAME(NOTHING, I, I), FATE_UNKNOWN},

    {CAME(ERROR, I, I), FATE_REJECTED},
    {CAME(ERROR, I, U), FATE_REJECTED},
    {CAME(ERROR, I, E), FATE_REJECTED},
    {CAME(ERROR, T, E), FATE_REJECTED},
    {CAME(ERROR, T, I), FATE_REJECTED},
    {CAME(ERROR, I, I, .doubt = true), FATE_UNKNOWN},
    {CAME(ERROR, T, E, .doubt = true), FATE_UNKNOWN},
    {CAME(ERROR, I, T), FATE_UNKNOWN},
    {CAME(ERROR, T, T), FATE_UNKNOWN},
    {CAME(ERROR, I, I, .scope = SQL_COMMITS), FATE_UNKNOWN},
    {CAME(ERROR, T, E, .scope = SQL_COMMITS), FATE_REJECTED},
    {CAME(ERROR, I, I, .split = true), FATE_UNKNOWN},
    {CAME(ERROR, I, E, .split = true), FATE_UNKNOWN},
    {CAME(ABORTED, U, U, .split = true), FATE_UNKNOWN},
    {CAME(ERROR, T, E, .split = true), FATE_REJECTED},
    {CAME(ERROR, I, E, .split = true, .began = true), FATE_REJECTED},
    {CAME(RESULT, I, I, .split = true), FATE_DONE},
    {CAME(ERROR, I, E, .scope = SQL_COMMITS, .began = true), FATE_REJECTED},
    {CAME(ERROR, I, E, .scope = SQL_COMMITS, PART), FATE_REJECTED},
    {CAME(ABORTED, I, I), FATE_REJECTED},
    {CAME(ABORTED, I, I, .doubt = true), FATE_UNKNOWN},

    {CAME(RESULT, I, I), FATE_DONE},
    {CAME(RESULT, I, U), FATE_DONE},
    {CAME(RESULT, U, U), FATE_DONE},
    {CAME(RESULT, T, T), FATE_DONE},
    {CAME(RESULT, E, E, .scope = SQL_ENDS), FATE_DONE},
    {CAME(RESULT, T, I, .scope = SQL_ENDS), FATE_DONE},
    {CAME(RESULT, E, I, .scope = SQL_ENDS), FATE_DONE},
    {CAME(RESULT, I, T, .scope = SQL_BEGINS), FATE_DONE},
    {CAME(RESULT, I, T, .began = true), FATE_DONE},
    {CAME(RESULT, U, T), FATE_UNKNOWN},
    {CAME(RESULT, U, E), FATE_UNKNOWN},
    {CAME(RESULT, U, T, .scope = SQL_BEGINS), FATE_DONE},
    {CAME(RESULT, T, I), FATE_UNKNOWN},
    {CAME(RESULT, I, T), FATE_LEFT_OPEN},
    {CAME(RESULT, I, E), FATE_LEFT_OPEN},

    {CAME(RESULT, T, T, PART), FATE_DONE},
    {CAME(RESULT, I, T, PART, .began = true), FATE_DONE},
    {CAME(RESULT, I, I, PART), FATE_UNKNOWN},
    {CAME(RESULT, I, I, PART, .scope = SQL_ENDS), FATE_DONE},
    {CAME(RESULT, T, I, COMMIT), FATE_DONE},
    {CAME(RESULT, I, I, COMMIT, .began = true), FATE_DONE},
    {CAME(RESULT, I, I, COMMIT, .scope = SQL_ENDS), FATE_UNKNOWN},
    {CAME(RESULT, T, T, COMMIT, .scope = SQL_ENDS), FATE_UNKNOWN},
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(f52_each_row_of_the_table)
{
    ck_assert_int_eq(fate_of(&rows[_i].evidence), rows[_i].fate);
}
END_TEST

/* ---- what a program is told ---- */

/* What stands for a result of two columns is left out: a command's tag is enough. */

#define SERVERS "Rsome_function\0"

static const struct {
    const char *what, *sql;
    const char *error;
    size_t error_size;
    bool tag;
    char ready; /* 0: hangs up instead */
    evpq_status status;
    const char *sqlstate;
    evpq_outcome outcome;
    const char *rollback; /* the answer to ROLLBACK; NULL: hangs up */
} said[] = {
    {"an error of the server's", "insert", FIELDS("SERROR\0VERROR\0C40001\0Mm\0" SERVERS), false,
     'I', EVPQ_SERVER, "40001", EVPQ_OUTCOME_REJECTED, NULL},
    {"an error in the data", "insert", FIELDS("SERROR\0C23505\0Mm\0"), false, 'I', EVPQ_SERVER,
     "23505", EVPQ_OUTCOME_REJECTED, NULL},
    {"the same, and the link is lost", "insert", FIELDS("SERROR\0VERROR\0C40001\0Mm\0" SERVERS),
     false, 0, EVPQ_SERVER, "40001", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"FATAL by a pooler", "insert", FIELDS("SFATAL\0C08P01\0Mserver conn crashed?\0"), false, 0,
     EVPQ_LOST, "08P01", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"FATAL by a pooler, ready again", "insert", FIELDS("SFATAL\0C40001\0Mm\0"), false, 'I',
     EVPQ_LOST, "40001", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"PANIC", "insert", FIELDS("SPANIC\0VPANIC\0CXX000\0Mm\0" SERVERS), false, 0, EVPQ_LOST,
     "XX000", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"an error by a pooler", "insert", FIELDS("SERROR\0C08P01\0Mm\0"), false, 'I', EVPQ_SERVER,
     "08P01", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"a conflict by a pooler", "insert", FIELDS("SERROR\0C40001\0Mm\0"), false, 'I', EVPQ_SERVER,
     "40001", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"an internal error by a pooler", "insert", FIELDS("SERROR\0CXX000\0Mm\0"), false, 'I',
     EVPQ_SERVER, "XX000", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"no word of the statement", "insert", FIELDS("SERROR\0VERROR\0C40003\0Mm\0" SERVERS), false,
     'I', EVPQ_SERVER, "40003", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"a foreign server's loss", "insert", FIELDS("SERROR\0VERROR\0C08006\0Mm\0" SERVERS), false,
     'I', EVPQ_SERVER, "08006", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"a shutdown that is no FATAL", "insert", FIELDS("SERROR\0VERROR\0C57P01\0Mm\0" SERVERS), false,
     'I', EVPQ_SERVER, "57P01", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"canceled", "insert", FIELDS("SERROR\0VERROR\0C57014\0Mm\0" SERVERS), false, 'I', EVPQ_SERVER,
     "57014", EVPQ_OUTCOME_REJECTED, NULL},
    {"an error in a block that stays open", "insert",
     FIELDS("SERROR\0VERROR\0C23505\0Mm\0" SERVERS), false, 'T', EVPQ_SERVER, "23505",
     EVPQ_OUTCOME_UNKNOWN, NULL},
    {"an error in a block that has failed", "insert",
     FIELDS("SERROR\0VERROR\0C23505\0Mm\0" SERVERS), false, 'E', EVPQ_SERVER, "23505",
     EVPQ_OUTCOME_REJECTED, NULL},
    {"a procedure", "call p()", FIELDS("SERROR\0VERROR\0C23505\0Mm\0" SERVERS), false, 'I',
     EVPQ_SERVER, "23505", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"a block that commits", "do $$ begin insert; commit; raise; end $$",
     FIELDS("SERROR\0VERROR\0CP0001\0Mm\0" SERVERS), false, 'I', EVPQ_SERVER, "P0001",
     EVPQ_OUTCOME_UNKNOWN, NULL},
    {"a block that does not", "do $$ begin raise; end $$",
     FIELDS("SERROR\0VERROR\0CP0001\0Mm\0" SERVERS), false, 'I', EVPQ_SERVER, "P0001",
     EVPQ_OUTCOME_REJECTED, NULL},
    {"an index that stays invalid", "create unique index concurrently i on t (a)",
     FIELDS("SERROR\0VERROR\0C23505\0Mm\0" SERVERS), false, 'I', EVPQ_SERVER, "23505",
     EVPQ_OUTCOME_UNKNOWN, NULL},
    {"done", "insert", NULL, 0, true, 'I', EVPQ_OK, "", EVPQ_OUTCOME_NOT_SENT, NULL},
    {"done, and the link is lost", "insert", NULL, 0, true, 0, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN,
     NULL},
    {"nothing", "insert", NULL, 0, false, 0, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN, NULL},
    {"F51: left open, rolled back", "insert", NULL, 0, true, 'T', EVPQ_SERVER, "25000",
     EVPQ_OUTCOME_REJECTED, "ROLLBACK"},
    {"F51: left open, and the link is lost", "insert", NULL, 0, true, 'T', EVPQ_SERVER, "25000",
     EVPQ_OUTCOME_UNKNOWN, NULL},
};
enum { SAID = sizeof said / sizeof *said };

static void script(int i)
{
    struct fake_bytes *b = fake_next_answer();
    if (said[i].tag || said[i].error) {
        fake_add(b, '1', NULL, 0);
        fake_add(b, '2', NULL, 0);
        fake_add(b, 'n', NULL, 0);
    }
    if (said[i].tag)
        FAKE_ADD(b, 'C', "INSERT 0 1");
    if (said[i].error)
        fake_add(b, 'E', said[i].error, said[i].error_size);
    if (said[i].ready)
        fake_add_status(b, said[i].ready);
    else
        fake.hangs_up[fake.answers - 1] = true;
    if (said[i].ready != 'T')
        return;
    b = fake_next_answer();
    if (!said[i].rollback) {
        fake.hangs_up[fake.answers - 1] = true;
        return;
    }
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'n', NULL, 0);
    FAKE_ADD(b, 'C', "ROLLBACK");
    fake_add_ready(b);
}

START_TEST(f52_what_is_said_is_so)
{
    fake_hello();
    script(_i);
    struct site s =
        site_open(fake_start(), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    evpq_future *f = evpq_pool_query(s.pool, said[_i].sql, EVPQ_ARGS());
    ck_assert_msg(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10), "%s: no end",
                  said[_i].what);
    ck_assert_msg(evpq_future_status(f) == said[_i].status, "%s: %s", said[_i].what,
                  check_future_text(f));
    if (said[_i].status)
        ck_failed(f, said[_i].status, said[_i].sqlstate, said[_i].outcome);
    evpq_future_unref(f);
    site_close(&s);
    fake_stop();
}
END_TEST

/* By every verb that stands alone. */
START_TEST(f51_a_transaction_left_open_is_no_success)
{
    enum { LEFT_OPEN = SAID - 2 };
    const bool lost = _i % 2;
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement one = {.sql = "insert", .args = none};
    evpq_lease *lease = NULL;
    evpq_stream *stream = NULL;
    evpq_future *f;
    fake_hello();
    script(LEFT_OPEN + lost);
    struct site s =
        site_open(fake_start(), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    switch (_i / 2) {
    case 0:
        f = evpq_pool_batch(s.pool, &one, 1);
        break;
    case 1:
        f = evpq_executemany(s.pool, "insert", &none, 1);
        break;
    case 2:
        stream = evpq_pool_stream(s.pool, "insert", none, NULL);
        f = evpq_stream_next(stream);
        break;
    case 3:
        f = evpq_pool_read(s.pool, "insert", none);
        break;
    default:
        lease = site_lease(&s);
        f = evpq_lease_query(lease, "insert", none);
        break;
    }
    ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
    ck_failed(f, EVPQ_SERVER, "25000", lost ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
    evpq_stream_close(stream);
    evpq_lease_release(lease);
    site_close(&s);
    fake_stop();
}
END_TEST

static void script_rollback(void)
{
    struct fake_bytes *b = fake_next_answer();
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'n', NULL, 0);
    FAKE_ADD(b, 'C', "ROLLBACK");
    fake_add_ready(b);
}

static void script_failure(void)
{
    struct fake_bytes *b = fake_next_answer();
    fake_add(b, 'E', FIELDS("SERROR\0VERROR\0C57014\0Mm\0" SERVERS));
    fake_add_status(b, 'E');
}

/* COPY from and to the program. */
START_TEST(f51_a_copy_left_open_is_no_success)
{
    evpq_future *f;
    fake_hello();
    struct fake_bytes *b = fake_next_answer();
    if (_i == 0) {
        fake_add(b, 'G', "\0\0\1\0\0", 5);
        b = fake_next_answer();
    } else {
        fake_add(b, 'H', "\0\0\1\0\0", 5);
        fake_add(b, 'd', "1\n", 2);
        fake_add(b, 'c', NULL, 0);
    }
    FAKE_ADD(b, 'C', "COPY 1");
    fake_add_status(b, 'T');
    script_rollback();
    struct site s =
        site_open(fake_start(), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    evpq_copy *copy = _i == 0 ? evpq_pool_copy_in(s.pool, "copy t from stdin")
                              : evpq_pool_copy_out(s.pool, "copy (insert) to stdout");
    if (_i == 0) {
        ck_assert_int_eq(evpq_copy_write(copy, "1\n", 2), EVPQ_OK);
        f = evpq_copy_finish(copy);
    } else {
        f = evpq_copy_read(copy);
        ck_await_ok(f);
        evpq_future_unref(f);
        f = evpq_copy_read(copy);
    }
    ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
    ck_failed(f, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
    if (_i > 0)
        evpq_copy_close(copy); /* the other was handed back to be finished */
    site_close(&s);
    fake_stop();
}
END_TEST

/* A statement that failed in a transaction that it had not begun leaves the next one alone. */
START_TEST(f51_an_error_leaves_no_transaction_behind)
{
    fake_hello();
    script_failure();
    script_rollback();
    struct site s =
        site_open(fake_start(), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    evpq_lease *lease = site_lease(&s);
    evpq_future *f = evpq_lease_query(lease, "insert", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
    ck_failed(f, EVPQ_SERVER, "57014", EVPQ_OUTCOME_REJECTED);
    evpq_future_unref(f);
    ck_assert_str_eq(lease_text(lease, "select 1"), "1"); /* its answer, not that to ROLLBACK */
    evpq_lease_release(lease);
    site_close(&s);
    fake_stop();
}
END_TEST

/* Nor does one that nobody waited for: ROLLBACK is the fence behind it, again if it was hit. */
START_TEST(f51_what_is_canceled_leaves_no_transaction_behind)
{
    fake_hello();
    for (int i = 0; i <= _i; i++)
        script_failure();
    script_rollback();
    fake_start();
    struct proxy *p = proxy_start("127.0.0.1", fake.port);
    proxy_cancels(p, PROXY_CANCEL_DROP, 0);
    struct site s =
        site_open(strf("host=127.0.0.1 port=%d user=u dbname=d sslmode=disable", proxy_port(p)),
                  &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    evpq_lease *lease = site_lease(&s);
    proxy_stall(p, PROXY_TO_CLIENT, true);
    evpq_future *f = evpq_lease_query(lease, "insert", EVPQ_ARGS());
    site_run(&s, 0.05);
    evpq_future_cancel(f);
    evpq_future_unref(f);
    proxy_stall(p, PROXY_TO_CLIENT, false);
    ck_assert_str_eq(lease_text(lease, "select 1"), "1");
    evpq_lease_release(lease);
    ck_assert_uint_eq(site_stats(&s).lost, 0);
    ck_assert_int_eq(fake.given, fake.answers);
    site_close(&s);
    proxy_stop(p);
    fake_stop();
}
END_TEST

/* One answer too many, from a pooler that has lost count: the next query takes it for its own, and
 * its own comes when nothing is asked any more. */
START_TEST(f59_a_line_out_of_step_dies)
{
    fake_hello();
    struct fake_bytes *b = fake_next_answer();
    fake_add_one(b);
    fake_add_one(b);
    struct site s =
        site_open(fake_start(), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    for (int i = 0; i < 4; i++) {
        evpq_future *f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS());
        ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
        evpq_future_unref(f);
    }
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).lost == 1, 10));
    ck_assert_uint_le(site_stats(&s).connects, 2);
    site_close(&s);
    fake_stop();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("outcome");
    CHECK_ADD_LOOP(c, f52_each_row_of_the_table, ROWS);
    CHECK_ADD_LOOP(c, f52_what_is_said_is_so, SAID);
    CHECK_ADD_LOOP(c, f51_a_transaction_left_open_is_no_success, 10);
    CHECK_ADD_LOOP(c, f51_a_copy_left_open_is_no_success, 2);
    CHECK_ADD(c, f51_an_error_leaves_no_transaction_behind);
    CHECK_ADD_LOOP(c, f51_what_is_canceled_leaves_no_transaction_behind, 2);
    CHECK_ADD(c, f59_a_line_out_of_step_dies);
    return check_end(c);
}
