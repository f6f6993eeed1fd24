/* test_pq.c - servers that say odd things: errors without the fields that every error has, messages
 * that are none, last words. The server is a script in a thread. */
#include "libpq/pq.h"

#include "support/fake.h"
#include "support/server.h"
#include "support/site.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct site site(const char *conninfo)
{
    return site_open(conninfo, &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
}

static evpq_future *ask(struct site *s)
{
    evpq_future *f = evpq_pool_query(s->pool, "select 1", EVPQ_ARGS());
    ck_assert_msg(RUN_UNTIL(s->ev, evpq_future_status(f) != EVPQ_PENDING, 10), "no end comes");
    return f;
}

/* ---- errors ---- */

START_TEST(every_field_of_an_error)
{
    fake_hello();
    FAKE_ADD(
        fake_next_answer(), 'E',
        "SERREUR\0VERROR\0C23505\0Mthe message\0Dthe detail\0Hthe hint\0P7\0Wthe context\0sthe schema\0"
        "tthe table\0cthe column\0dthe type\0nthe constraint\0Ffile.c\0L42\0Rroutine\0");
    fake_add_ready(&fake.answer[0]);
    struct site s = site(fake_start());
    evpq_future *f = ask(&s);
    ck_failed(f, EVPQ_SERVER, "23505", EVPQ_OUTCOME_REJECTED);
    const evpq_error *e = evpq_future_error(f);
    ck_assert_str_eq(evpq_error_severity(e), "ERREUR");
    ck_assert_str_eq(evpq_error_message(e), "the message");
    ck_assert_str_eq(evpq_error_detail(e), "the detail");
    ck_assert_str_eq(evpq_error_hint(e), "the hint");
    ck_assert_int_eq(evpq_error_position(e), 7);
    ck_assert_str_eq(evpq_error_context(e), "the context");
    ck_assert_str_eq(evpq_error_schema(e), "the schema");
    ck_assert_str_eq(evpq_error_table(e), "the table");
    ck_assert_str_eq(evpq_error_column(e), "the column");
    ck_assert_str_eq(evpq_error_datatype(e), "the type");
    ck_assert_str_eq(evpq_error_constraint(e), "the constraint");
    ck_assert_str_eq(evpq_error_sql(e), "select 1");
    evpq_future_unref(f);
    site_close(&s);
    fake_stop();
}
END_TEST

/* F41 */
START_TEST(f41_an_error_without_its_usual_fields)
{
    static const struct {
        const char *fields;
        size_t n;
        evpq_status status;
        const char *sqlstate, *message;
    } odd[] = {
        {FIELDS("SERROR\0Mno code\0"), EVPQ_SERVER, "", "no code"},
        {FIELDS("SERROR\0C\0Mempty code\0"), EVPQ_SERVER, "", "empty code"},
        {FIELDS("SERROR\0"), EVPQ_SERVER, "", NULL},
        {FIELDS("Monly words\0"), EVPQ_LOST, "", "only words"},
        {FIELDS(""), EVPQ_LOST, "", NULL},
        {FIELDS("?what is this\0SERROR\0C22000\0Mand a field unknown\0"), EVPQ_SERVER, "22000",
         "and a field unknown"},
        {FIELDS("SERROR\0C22000\0Mp\0Pnot a number\0"), EVPQ_SERVER, "22000", "p"},
    };
    fake_hello();
    fake_add(fake_next_answer(), 'E', odd[_i].fields, odd[_i].n);
    fake_add_ready(&fake.answer[0]);
    struct site s = site(fake_start());
    evpq_future *f = ask(&s);
    ck_future_status(f, odd[_i].status);
    ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f)), odd[_i].sqlstate);
    ck_assert_ptr_nonnull(evpq_error_message(evpq_future_error(f)));
    if (odd[_i].message)
        ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), odd[_i].message));
    ck_assert_int_eq(evpq_error_position(evpq_future_error(f)), 0);
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&s, "select 1"), "1"); /* the connection is none the worse */
    ck_assert_uint_eq(site_stats(&s).connects, 1);
    site_close(&s);
    fake_stop();
}
END_TEST

START_TEST(f41_an_error_that_is_very_long)
{
    static char fields[150 * 1000] = "SERROR\0C22000\0M";
    fake_hello();
    memset(fields + 15, 'm', sizeof fields - 17);
    fake_add(fake_next_answer(), 'E', fields, sizeof fields);
    fake_add_ready(&fake.answer[0]);
    struct site s = site(fake_start());
    evpq_future *f = ask(&s);
    ck_failed(f, EVPQ_SERVER, "22000", EVPQ_OUTCOME_REJECTED);
    ck_assert_uint_eq(strlen(evpq_error_message(evpq_future_error(f))), sizeof fields - 17);
    evpq_future_unref(f);
    site_close(&s);
    fake_stop();
}
END_TEST

/* F41, without a server: what libpq makes up itself. */
START_TEST(f41_a_result_of_libpqs_own)
{
    PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_FATAL_ERROR);
    evpq_error *e = pq_result_error(r, "select 1");
    ck_assert_int_eq(evpq_error_status(e), EVPQ_LOST);
    ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_str_eq(evpq_error_sqlstate(e), "");
    ck_assert_ptr_nonnull(evpq_error_message(e));
    ck_assert_int_eq(pq_stale(r), PQ_STALE_NO);
    evpq_error_unref(e);
    pq_clear(r);
}
END_TEST

START_TEST(last_words_are_what_is_told)
{
    fake_hello();
    if (_i == 0) { /* as the answer */
        FAKE_ADD(fake_next_answer(), 'E', "SFATAL\0VFATAL\0C57P01\0Mgoing down\0");
        fake.hangs_up[0] = true;
    } else { /* before the answer, which has gone missing */
        FAKE_ADD(fake_next_answer(), 'N', "SNOTICE\0VNOTICE\0C00000\0Mby the way\0");
        FAKE_ADD(&fake.answer[0], 'E', "SFATAL\0VFATAL\0C57P01\0Mgoing down\0");
        fake.hangs_up[0] = true;
    }
    struct site s = site(fake_start());
    evpq_future *f = ask(&s);
    ck_failed(f, EVPQ_LOST, "57P01", EVPQ_OUTCOME_UNKNOWN);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(f)), "going down");
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert_uint_eq(site_stats(&s).lost, 1);
    site_close(&s);
    fake_stop();
}
END_TEST

/* An idle connection is told that the server goes: it is not used again. */
START_TEST(last_words_to_an_idle_connection)
{
    fake_hello();
    fake_add_one(fake_next_answer());
    FAKE_ADD(&fake.answer[0], 'E', "SFATAL\0VFATAL\0C57P01\0Mgoing down\0");
    fake.hangs_up[0] = _i;
    struct site s = site(fake_start());
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert(RUN_UNTIL(s.ev, site_stats(&s).lost == 1, 10));
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert_uint_eq(site_stats(&s).connects, 2);
    site_close(&s);
    fake_stop();
}
END_TEST

static void take_notice(const evpq_error *notice, void *arg)
{
    char *seen = arg;
    strcat(seen, evpq_error_message(notice));
    strcat(seen, "/");
    strcat(seen, evpq_error_sqlstate(notice));
    strcat(seen, ";");
}

START_TEST(f41_notices_without_fields)
{
    char seen[200] = "";
    fake_hello();
    FAKE_ADD(fake_next_answer(), 'N', "SNOTICE\0Mno code\0");
    FAKE_ADD(&fake.answer[0], 'N', "SNOTICE\0C01000\0Mcode\0");
    FAKE_ADD(&fake.answer[0], 'N', "");
    fake_add_one(&fake.answer[0]);
    struct site s = site_open(fake_start(), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                                              .max_size = 1,
                                                              .on_notice = take_notice,
                                                              .notice_arg = seen});
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    site_close(&s);
    fake_stop();
    ck_assert_ptr_eq(strstr(seen, "no code/;code/01000;"), seen);
}
END_TEST

/* ---- what is no answer ---- */

START_TEST(nonsense_ends_the_connection)
{
    fake_hello();
    struct fake_bytes *b = fake_next_answer();
    switch (_i) {
    case 0: /* no message of the protocol */
        fake_add(b, '\1', "garbage", 8);
        break;
    case 1: /* a length that cannot be */
        memcpy(b->at, "D\0\0\0\1", b->n = 5);
        break;
    case 2: /* a row longer than its message */
        fake_add(b, '1', NULL, 0);
        fake_add(b, '2', NULL, 0);
        fake_add(b, 'T', "\0\1c\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0", 22);
        fake_add(b, 'D', "\0\1\0\0\377\377\061", 7);
        break;
    case 3: /* not a word */
        break;
    }
    fake_add_ready(b);
    fake.hangs_up[0] = _i == 3;
    if (_i == 3)
        b->n = 0;
    struct site s = site(fake_start());
    evpq_future *f = evpq_timeout(ask(&s), 5);
    ck_await_status(f, EVPQ_LOST);
    ck_failed(f, EVPQ_LOST, "", EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    site_close(&s);
    fake_stop();
}
END_TEST

/* A Sync is answered, the statement is not: that is no success. */
START_TEST(no_result_is_not_a_success)
{
    fake_hello();
    fake_add_ready(fake_next_answer());
    struct site s = site(fake_start());
    evpq_future *f = ask(&s);
    ck_assert_msg(evpq_future_status(f) == EVPQ_LOST, "%s", check_future_text(f));
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(f)), EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    site_close(&s);
    fake_stop();
}
END_TEST

/* ---- connecting ---- */

START_TEST(what_a_server_says_at_the_door)
{
    static const struct {
        const char *fields;
        size_t n;
        const char *sqlstate, *message;
    } said[] = {
        {FIELDS(
             "SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0Fproc.c\0L1\0RInitProcess\0"),
         "53300", "FATAL:  sorry, too many clients already"},
        {FIELDS("SFATAL\0VFATAL\0C57P03\0Mstarting up\0Dbut soon\0Htry again\0Fx.c\0L1\0Ry\0"),
         "57P03", "FATAL:  starting up; DETAIL:  but soon; HINT:  try again"},
        {FIELDS("SFATAL\0Mno code at all\0"), "", "FATAL:  no code at all"},
        {FIELDS("SFATAL\0C08P01\0Mtwo\nlines\0"), "08P01", "FATAL:  two; lines"},
        {FIELDS("SFATAL\0C3D000\0Mdatabase \"a:  XXXXX: b\" does not exist\0"), "3D000",
         "FATAL:  database"},
        {FIELDS(""), "", ""},
    };
    fake_add(&fake.hello, 'E', said[_i].fields, said[_i].n);
    fake.hangs_up_at_once = true;
    struct site s = site(fake_start());
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_status(f, EVPQ_CONNECT);
    ck_failed(f, EVPQ_CONNECT, said[_i].sqlstate, EVPQ_OUTCOME_NOT_SENT);
    const char *message = evpq_error_message(evpq_future_error(f));
    ck_assert_msg(strstr(message, said[_i].message) != NULL, "\"%s\" is not in \"%s\"",
                  said[_i].message, message);
    ck_assert_msg(!strpbrk(message, "\n\t"), "%s", message);
    ck_assert_msg(!strstr(message, "LOCATION"), "%s", message);
    evpq_future_unref(f);
    site_close(&s);
    fake_stop();
}
END_TEST

START_TEST(a_server_that_asks_for_what_cannot_be_done)
{
    static const char *const asked[] = {"\0\0\0\2", "\0\0\0\6", "\0\0\0\143", "\0\0\0\3"};
    fake_add(&fake.hello, 'R', asked[_i], 4);
    fake.hangs_up_at_once = true;
    struct site s = site(fake_start());
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_await_status(f, EVPQ_CONNECT);
    ck_failed(f, EVPQ_CONNECT, _i == 3 ? "28P01" : "", EVPQ_OUTCOME_NOT_SENT); /* 3: a password */
    ck_assert_str_ne(evpq_error_message(evpq_future_error(f)), "");
    evpq_future_unref(f);
    site_close(&s);
    fake_stop();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("pq");
    CHECK_ADD(c, every_field_of_an_error);
    CHECK_ADD_LOOP(c, f41_an_error_without_its_usual_fields, 7);
    CHECK_ADD(c, f41_an_error_that_is_very_long);
    CHECK_ADD(c, f41_a_result_of_libpqs_own);
    CHECK_ADD_LOOP(c, last_words_are_what_is_told, 2);
    CHECK_ADD_LOOP(c, last_words_to_an_idle_connection, 2);
    CHECK_ADD(c, f41_notices_without_fields);
    CHECK_ADD_LOOP(c, nonsense_ends_the_connection, 4);
    CHECK_ADD(c, no_result_is_not_a_success);
    CHECK_ADD_LOOP(c, what_a_server_says_at_the_door, 6);
    CHECK_ADD_LOOP(c, a_server_that_asks_for_what_cannot_be_done, 4);
    return check_end(c);
}
