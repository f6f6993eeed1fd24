/* it_unknown_types.c - values of types that the library does not know, handed in as texts: each
 * arrives as what it says, or is refused (F55). */
#include "support/pools.h"

#include <evpq/copy.h>
#include <evpq/stream.h>
#include <evpq/txn.h>
#include <stdlib.h>
#include <string.h>

/* A type of 8 bytes, so that any text of 8 letters would be a number in its binary form. */
static const char make_types[] =
    "drop schema if exists f55 cascade; create schema f55; set search_path = f55, public;"
    "create type myint; create function myint_in(cstring) returns myint immutable strict language "
    "internal as 'int8in'; create function myint_out(myint) returns cstring immutable strict "
    "language internal as 'int8out'; create function myint_recv(internal) returns myint immutable "
    "strict language internal as 'int8recv'; create function myint_send(myint) returns bytea "
    "immutable strict language internal as 'int8send'; create type myint (input = myint_in, output "
    "= myint_out, receive = myint_recv, send = myint_send, like = int8);"
    /* the same, but that a text means another number than int8 reads */
    "create type odd; create function odd_in(cstring) returns odd immutable strict language "
    "internal as 'cash_in'; create function odd_out(odd) returns cstring immutable strict language "
    "internal as 'cash_out'; create function odd_recv(internal) returns odd immutable strict "
    "language internal as 'int8recv'; create function odd_send(odd) returns bytea immutable strict "
    "language internal as 'int8send'; create type odd (input = odd_in, output = odd_out, receive = "
    "odd_recv, send = odd_send, like = int8);"
    "create cast (myint as int8) without function as implicit; create type mood as enum ('sad', 'ok, \"so\" \\so'); create domain shy as mood;"
    "create type pair as (a int4, b myint, c text); create type span as range (subtype = myint);"
    "create type spans as (s span, m mood[]);";

static uint32_t oid(const char *type)
{
    return (uint32_t)ask(strf("select '%s'::regtype::oid::int8", type));
}

static void begin(void)
{
    open_pool(.max_size = 2, .prepare = EVPQ_PREPARE_OFF); /* the table is made anew each time */
    server_exec(make_types);
}

static void end(void)
{
    server_exec("drop schema f55 cascade");
    pools_end();
}

/* ---- COPY ---- */

/* What is stored of a text in a column of that type; NULL: the row was refused with EVPQ_TYPE. */
static const char *copied(const char *type, evpq_arg arg)
{
    evpq_status status;
    server_exec(strf("drop table if exists f55.t; create table f55.t(v %s)", type));
    evpq_copy *copy = evpq_pool_copy_rows_in(pool, "f55.t", NULL, 0);
    while ((status = evpq_copy_row(copy, EVPQ_ARGS(arg))) == EVPQ_QUEUE_FULL)
        ck_done(evpq_copy_drain(copy));
    if (status != EVPQ_OK) {
        const evpq_error *e = evpq_copy_error(copy);
        ck_assert_str_eq(evpq_status_name(status), "EVPQ_TYPE");
        ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_NOT_SENT);
        ck_assert_msg(strstr(evpq_error_message(e), "column v"), "%s", evpq_error_message(e));
        ck_assert_str_eq(evpq_error_column(e), "v");
    }
    ck_done(evpq_copy_finish(copy));
    return status == EVPQ_OK ? server_text("select v::text from f55.t") : NULL;
}

static void ck_copied(const char *type, const char *text, const char *wanted)
{
    const char *stored = copied(type, evpq_text(text));
    ck_assert_msg(stored && !strcmp(stored, wanted), "%s <- %s: %s", type, text,
                  stored ? stored : "refused");
}

START_TEST(f55_copy_writes_a_text_as_what_it_says_or_not_at_all)
{
    static const char *const refused[][2] = {
        {"f55.odd", "12345678"},
        {"f55.pair", "(1,2,x)"},
        {"f55.span", "[1,2)"},
        {"f55.mood[]", "{sad}"},
        {"point", "(1,2)"},
        {"int4[]", "{1,2}"},
        {"int4range", "[1,2)"},
        {"money", "12345678"},
        {"bit(8)", "10101010"},
        {"xid8", "12345678"},
        {"pg_lsn", "0/12"},
        {"regclass", "pg_class"},
        {"f55.myint[]", "{1, 2}"},
        {"tsvector", "a b"},
        {"int4multirange", "{[1,2)}"},
        {"xml", "<?xml version='1.0' encoding='latin1'?><a/>"}};
    begin();
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *stored = copied(refused[i][0], evpq_text(refused[i][1]));
        ck_assert_msg(!stored, "%s <- %s: %s", refused[i][0], refused[i][1], stored);
    }
    ck_copied("f55.myint", "12345678", "12345678");
    ck_copied("f55.mood", "sad", "sad");
    ck_copied("f55.shy", "sad", "sad");
    ck_copied("name", "12345678", "12345678");
    ck_copied("\"char\"", "x", "x");
    ck_copied("xml", "<a/>", "<a/>");
    end();
}
END_TEST

START_TEST(f55_copy_writes_the_elements_of_arrays_so_too)
{
    const evpq_arg moods[] = {evpq_text("sad"), evpq_null(), evpq_text("ok, \"so\" \\so")};
    const evpq_arg numbers[] = {evpq_text("12345678"), evpq_null()};
    begin();
    const char *stored = copied("f55.mood[]", evpq_array_of(oid("f55.mood"), moods, 3));
    ck_assert_pstr_eq(stored, "{sad,NULL,\"ok, \\\"so\\\" \\\\so\"}");
    stored = copied("f55.myint[]", evpq_array_of(oid("f55.myint"), numbers, 2));
    ck_assert_pstr_eq(stored, "{12345678,NULL}");
    ck_assert_ptr_null(copied("f55.odd[]", evpq_array_of(oid("f55.odd"), numbers, 2)));
    ck_assert_ptr_null(copied("money[]", evpq_array_of(790, numbers, 2)));
    end();
}
END_TEST

/* ---- reading ---- */

/* Both as one answer and from a stream; NULL where it is a fault. */
static const char *read_as(const char *value, int format)
{
    const evpq_args args = {.result_format = format};
    const char *sql = strf("select %s", value);
    evpq_future *f = evpq_pool_query(pool, sql, args);
    evpq_stream *s = evpq_pool_stream(pool, sql, args, NULL);
    evpq_future *next = evpq_stream_next(s);
    ck_await_ok(f);
    ck_await_ok(next);
    const evpq_result *whole = evpq_future_result(f), *part = evpq_future_result(next);
    const char *text = evpq_result_text(whole, 0, 0);
    ck_assert_pstr_eq(evpq_result_text(part, 0, 0), text);
    ck_assert(!text == !!evpq_result_fault(whole));
    ck_assert(!text == !!evpq_result_fault(part));
    text = text ? strf("%s", text) : NULL;
    evpq_future_unref(f);
    evpq_future_unref(next);
    evpq_stream_close(s);
    return text;
}

START_TEST(f55_a_number_of_a_type_of_the_programs_own_is_no_text)
{
    static const char *const numbers[] = {"3544952156018063160", "-1", "7"};
    begin();
    server_exec("create type f55.small; create function f55.small_in(cstring) returns f55.small "
                "immutable strict language internal as 'int4in'; create function "
                "f55.small_out(f55.small) returns cstring immutable strict language internal as "
                "'int4out'; create function f55.small_send(f55.small) returns bytea immutable "
                "strict language internal as 'int4send'; create type f55.small (input = "
                "f55.small_in, output = f55.small_out, send = f55.small_send, like = int4);"
                "create type f55.state as enum ('open', 'approved')");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *value = strf("'%s'::f55.myint", numbers[i]);
        ck_assert_pstr_eq(read_as(value, 0), numbers[i]);
        ck_assert_pstr_eq(read_as(value, 1), NULL);
    }
    ck_assert_pstr_eq(read_as("'-1'::f55.small", 1), NULL);
    ck_assert_pstr_eq(read_as("'7'::f55.small", 1), NULL);
    ck_assert_pstr_eq(read_as("'pg_type'::regclass::oid::regrole", 1), NULL);
    for (int format = 0; format < 2; format++) {
        ck_assert_pstr_eq(read_as("'open'::f55.state", format), "open");
        ck_assert_pstr_eq(read_as("'approved'::f55.state", format), "approved");
        ck_assert_pstr_eq(read_as("'ok, \"so\" \\so'::f55.shy", format), "ok, \"so\" \\so");
        ck_assert_pstr_eq(read_as("array['open'::f55.state]", format), "{open}");
    }
    end();
}
END_TEST

/* ---- parameters ---- */

enum verb { QUERY, LEASE, BATCH, MANY, VERBS };

/* Stores $1 in f55.t(v) by a verb, and gives what is there then. Its error in *ret_status. */
static const char *sent(enum verb verb, const char *type, evpq_arg arg, int format,
                        evpq_status *ret_status)
{
    const evpq_args args = {.n = 1, .v = &arg, .result_format = format};
    const char *sql = "insert into f55.t values ($1) returning 1";
    evpq_lease *lease = NULL;
    evpq_future *f = NULL;
    server_exec(strf("drop table if exists f55.t; create table f55.t(v %s)", type));
    switch (verb) {
    case QUERY:
        f = evpq_pool_query(pool, sql, args);
        break;
    case LEASE:
        lease = lease_get();
        f = evpq_lease_query(lease, sql, args);
        break;
    case BATCH:
        f = evpq_pool_batch(pool, &(evpq_statement){sql, args}, 1);
        break;
    default:
        f = evpq_executemany(pool, sql, &args, 1);
        break;
    }
    *ret_status = evpq_await(f);
    const char *stored = *ret_status == EVPQ_OK
                             ? server_text("select v::text from f55.t")
                             : strf("%s", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    evpq_lease_release(lease);
    return stored;
}

static void ck_sent(const char *type, evpq_arg arg, const char *wanted)
{
    evpq_status status;
    for (enum verb verb = 0; verb < VERBS; verb++)
        for (int format = 0; format < 2; format++) {
            const char *stored = sent(verb, type, arg, format, &status);
            ck_assert_msg(status == EVPQ_OK && !strcmp(stored, wanted),
                          "%s by verb %d, format %d: %s, not %s", type, verb, format, stored,
                          wanted);
        }
}

START_TEST(f55_parameters_with_such_texts_in_them_go_as_text)
{
    const evpq_arg eight = evpq_text("12345678"), low = evpq_text("1");
    const evpq_arg moods[] = {evpq_text("sad"), evpq_null(), evpq_text("ok, \"so\" \\so")};
    const evpq_arg numbers[] = {eight, evpq_null(), evpq_text("-7"), low};
    const evpq_shape square = {2, {2, 2}, {0, 1}};
    begin();
    const uint32_t myint = oid("f55.myint"), span = oid("f55.span"), mood = oid("f55.mood");
    const uint32_t types[] = {23, myint, 25};
    const evpq_arg fields[] = {evpq_int(5), eight, evpq_text("a \"b\", \\c")};
    const evpq_arg pair = evpq_record_of(oid("f55.pair"), types, fields, 3);
    const evpq_arg pairs[] = {pair, evpq_null()};
    const evpq_arg bounds[] = {evpq_param(myint, "1"), evpq_param(myint, "12345678")};
    const evpq_arg of = evpq_range_of(span, &bounds[0], &bounds[1], EVPQ_RANGE_LOWER_INC);
    const uint32_t nested_types[] = {span, oid("f55.mood[]")};
    const evpq_arg nested[] = {of, evpq_array_of(mood, moods, 3)};

    ck_sent("f55.myint", eight, "12345678");
    ck_sent("f55.odd", eight, "$12,345,678.00");
    ck_sent("f55.myint[]", evpq_array_of(myint, numbers, 4), "{12345678,NULL,-7,1}");
    ck_sent("f55.odd[]", evpq_array_of(oid("f55.odd"), &eight, 1), "{\"$12,345,678.00\"}");
    ck_sent("f55.myint[]", evpq_shaped(evpq_array_of(myint, numbers, 4), &square),
            "[0:1][1:2]={{12345678,NULL},{-7,1}}");
    ck_sent("f55.mood[]", evpq_array_of(mood, moods, 3), "{sad,NULL,\"ok, \\\"so\\\" \\\\so\"}");
    ck_sent("money[]", evpq_array_of(790, &eight, 1), "{\"$12,345,678.00\"}");
    ck_sent("f55.pair", pair, "(5,12345678,\"a \"\"b\"\", \\\\c\")");
    ck_sent("f55.pair[]", evpq_array_of(oid("f55.pair"), pairs, 2),
            "{\"(5,12345678,\\\"a \\\"\\\"b\\\"\\\", \\\\\\\\c\\\")\",NULL}");
    ck_sent("f55.span", of, "[1,12345678)");
    ck_sent("f55.span", evpq_range_of(span, NULL, &bounds[1], EVPQ_RANGE_UPPER_INC), "(,12345678]");
    ck_sent("f55.spans", evpq_record_of(oid("f55.spans"), nested_types, nested, 2),
            "(\"[1,12345678)\",\"{sad,NULL,\"\"ok, \\\\\"\"so\\\\\"\" \\\\\\\\so\"\"}\")");
    end();
}
END_TEST

START_TEST(f55_what_has_no_text_form_or_an_unsure_letter_is_refused)
{
    evpq_status status;
    begin();
    const uint32_t types[] = {17, oid("f55.myint"), 25};
    static char large[4096];
    const evpq_arg fields[] = {evpq_bytes(large, sizeof large), evpq_text("12345678"), evpq_null()};
    sent(QUERY, "f55.pair", evpq_record_of(oid("f55.pair"), types, fields, 3), 0, &status);
    ck_assert_str_eq(evpq_status_name(status), "EVPQ_TYPE");
    /* In SJIS the first two bytes would be one letter, and the quote behind them an end. */
    const evpq_arg letter = evpq_text("\x83\\");
    sent(QUERY, "f55.mood[]", evpq_array_of(oid("f55.mood"), &letter, 1), 0, &status);
    ck_assert_str_eq(evpq_status_name(status), "EVPQ_TYPE");
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("unknown_types");
    CHECK_ADD(c, f55_copy_writes_a_text_as_what_it_says_or_not_at_all);
    CHECK_ADD(c, f55_a_number_of_a_type_of_the_programs_own_is_no_text);
    CHECK_ADD(c, f55_copy_writes_the_elements_of_arrays_so_too);
    CHECK_ADD(c, f55_parameters_with_such_texts_in_them_go_as_text);
    CHECK_ADD(c, f55_what_has_no_text_form_or_an_unsure_letter_is_refused);
    return check_end(c);
}
