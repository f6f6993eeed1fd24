/* it_types_write.c - what a real server makes of the edges of every kind of argument: it compares
 * each with a literal of its own. */
#include "base/bytes.h"
#include "libpq/result.h"
#include "support/check.h"
#include "support/server.h"
#include "values/encode.h"
#include "values/oids.h"
#include "values/request.h"

#include <float.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static PGconn *conn;

static void run(const char *sql)
{
    PGresult *pg = PQexec(conn, sql);
    ck_assert_msg(PQresultStatus(pg) == PGRES_COMMAND_OK || PQresultStatus(pg) == PGRES_TUPLES_OK,
                  "%s: %s", sql, PQerrorMessage(conn));
    PQclear(pg);
}

static void begin(void)
{
    conn = PQconnectdb(server_conninfo(SERVER_UNIX, NULL));
    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    run("set datestyle = iso; set timezone = 'UTC'");
}

/* Runs a request as the verbs do: measured, written, handed to libpq array by array. */
static PGresult *ask(const char *sql, evpq_args args)
{
    struct request r;
    struct request_size size;
    evpq_error *error = request_measure(sql, &args, &size);
    ck_assert_msg(!error, "%s: %s", sql, evpq_error_message(error));
    void *room = malloc(size.block);
    ck_assert_ptr_nonnull(room);
    request_write(&r, room, sql, &args, &size);
    PGresult *pg =
        PQexecParams(conn, r.sql, r.n, r.types, r.values, r.lengths, r.formats, r.result_format);
    free(room);
    return pg;
}

static uint32_t oid_named(const char *type)
{
    PGresult *pg = ask("select $1::regtype::oid", EVPQ_ARGS(type));
    ck_assert_msg(PQntuples(pg) == 1, "%s: %s", type, PQerrorMessage(conn));
    uint32_t oid = (uint32_t)strtoul(PQgetvalue(pg, 0, 0), NULL, 10);
    PQclear(pg);
    return oid;
}

/* The server finds the argument to be what the expression says; in text too, which tells -0 from 0
 * and 1.0 from 1.00. */
static void is(evpq_arg arg, const char *expression)
{
    PGresult *pg = ask(strf("select $1 is not distinct from %s and $1::text is not distinct from "
                            "(%s)::text, $1::text, (%s)::text",
                            expression, expression, expression),
                       EVPQ_ARGS(arg));
    ck_assert_msg(PQresultStatus(pg) == PGRES_TUPLES_OK, "%s: %s", expression,
                  PQerrorMessage(conn));
    ck_assert_msg(!strcmp(PQgetvalue(pg, 0, 0), "t"), "%s: the server has %.200s for %.200s",
                  expression, PQgetvalue(pg, 0, 1), PQgetvalue(pg, 0, 2));
    PQclear(pg);
}

/* The argument, encoded as the named type, is that. */
static void as(evpq_arg arg, const char *type, const char *expression)
{
    struct bytes b = {.data = NULL};
    uint32_t oid = oid_named(type);
    evpq_error *error = encode_value(&b, &arg, oid, &(struct spot){.noun = "column ", .number = 1});
    ck_assert_msg(!error, "%s: %s", expression, evpq_error_message(error));
    is(evpq_param_binary(oid, b.length ? b.data : "", b.length), expression);
    bytes_free(&b);
}

START_TEST(the_table_of_arrays_and_ranges_is_the_servers)
{
    begin();
    PGresult *pg =
        ask("select oid, typelem from pg_type where typcategory = 'A' and oid < 16384 "
            "and typelem <> 0 and oid not in ('int2vector'::regtype, 'oidvector'::regtype)",
            EVPQ_ARGS());
    int known = 0;
    for (int i = 0; i < PQntuples(pg); i++) {
        uint32_t array = (uint32_t)strtoul(PQgetvalue(pg, i, 0), NULL, 10);
        uint32_t element = (uint32_t)strtoul(PQgetvalue(pg, i, 1), NULL, 10);
        if (!oid_of_element(array) && !oid_of_array(element))
            continue;
        ck_assert_uint_eq(oid_of_element(array), element);
        ck_assert_uint_eq(oid_of_array(element), array);
        known++;
    }
    ck_assert_int_ge(known, 55);
    PQclear(pg);
    pg = ask("select rngtypid, rngsubtype from pg_range", EVPQ_ARGS());
    for (int i = 0; i < PQntuples(pg); i++)
        ck_assert_uint_eq(oid_of_bound((uint32_t)strtoul(PQgetvalue(pg, i, 0), NULL, 10)),
                          strtoul(PQgetvalue(pg, i, 1), NULL, 10));
    PQclear(pg);
    PQfinish(conn);
}
END_TEST

START_TEST(numbers)
{
    begin();
    as(evpq_int(INT16_MIN), "int2", "'-32768'::int2");
    as(evpq_int(INT32_MIN), "int4", "'-2147483648'::int4");
    as(evpq_int(INT64_MIN), "int8", "'-9223372036854775808'::int8");
    as(evpq_uint(UINT32_MAX), "oid", "4294967295::oid");
    as(evpq_oid(UINT32_MAX), "oid", "4294967295::oid");
    as(evpq_text("-7"), "int2", "'-7'::int2");
    as(evpq_int(1), "bool", "true");
    as(evpq_text("off"), "bool", "false");
    as(evpq_bool(true), "bool", "true");
    is(evpq_oid(7), "7::oid");
    as(evpq_double(-0.0), "float8", "'-0'::float8");
    as(evpq_double((double)NAN), "float8", "'nan'::float8");
    as(evpq_double(-(double)INFINITY), "float8", "'-infinity'::float8");
    as(evpq_double(DBL_MAX), "float8", "'1.7976931348623157e308'::float8");
    as(evpq_double(DBL_TRUE_MIN), "float8", "'5e-324'::float8");
    as(evpq_float(FLT_TRUE_MIN), "float4", "'1e-45'::float4");
    as(evpq_double(0.1), "float4", "0.1::float4");
    as(evpq_text("1e23"), "float8", "'1e23'::float8");
    as(evpq_int(7), "float8", "7::float8");
    as(evpq_scaled(125, 2), "float8", "1.25::float8");
    as(evpq_double((double)NAN), "float4", "'nan'::float4");
    PQfinish(conn);
}
END_TEST

static void is_numeric(const char *text)
{
    const evpq_arg arg = evpq_text(text);
    struct bytes b = {.data = NULL};
    ck_assert_ptr_null(
        encode_value(&b, &arg, OID_NUMERIC, &(struct spot){.noun = "column ", .number = 1}));
    PGresult *pg =
        ask("select $1 is not distinct from $2::numeric and $1::text = $2::numeric::text",
            EVPQ_ARGS(evpq_param_binary(OID_NUMERIC, b.data, b.length), text));
    ck_assert_msg(PQntuples(pg) == 1, "%s", PQerrorMessage(conn));
    ck_assert_str_eq(PQgetvalue(pg, 0, 0), "t");
    PQclear(pg);
    bytes_free(&b);
}

START_TEST(numerics)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "0.000",
        "1",
        "10",
        "100",
        "1000",
        "10000",
        "100000",
        "-12345.6789",
        "0.1",
        "0.01",
        "0.001",
        "0.0001",
        "0.00001",
        "0.000010000",
        "1e10",
        "1.5e10",
        "1e-10",
        "12e-1",
        "123456789e-3",
        "99999999999999999999.99999999999999999999",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e1000",
        "1e131071",
        "1e-16383",
        "-1e-16383",
        "000123.4500",
        ".5",
        "5.",
        "+3",
        "1E2",
    };
    begin();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        as(evpq_text(texts[i]), "numeric", strf("'%s'::numeric", texts[i]));
    is(evpq_scaled(INT64_MIN, 0), "'-9223372036854775808'::numeric");
    is(evpq_scaled(INT64_MAX, 18), "9.223372036854775807");
    is(evpq_scaled(1250, 2), "12.50");
    is(evpq_scaled(-5, 6), "-0.000005");
    is(evpq_scaled(0, 3), "0.000");
    is(evpq_scaled(7, -3), "7000::numeric");
    as(evpq_uint(UINT64_MAX), "numeric", "18446744073709551615::numeric");
    as(evpq_double(0.1), "numeric", "0.1");
    as(evpq_double(1e300), "numeric", "1e300::numeric");

    enum { DIGITS = 100000 };
    char *long_one = malloc(DIGITS + 2);
    for (int i = 0; i < DIGITS; i++)
        long_one[i] = (char)('0' + (i * 7 + i / 13 + 1) % 10);
    long_one[DIGITS] = '\0';
    is_numeric(long_one);
    memmove(long_one + DIGITS - 9999, long_one + DIGITS - 10000, 10001);
    long_one[DIGITS - 10000] = '.';
    is_numeric(long_one);
    free(long_one);

    enum { WHOLE = 131072, FRACTION = 16383 }; /* the most that there can be */
    long_one = malloc(WHOLE + FRACTION + 2);
    memset(long_one, '9', WHOLE + FRACTION + 1);
    long_one[WHOLE] = '.';
    long_one[WHOLE + FRACTION + 1] = '\0';
    is_numeric(long_one);
    free(long_one);
    PQfinish(conn);
}
END_TEST

START_TEST(texts_and_bytes)
{
    static const uint8_t uuid[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
    static const uint8_t mac[] = {8, 0, 0x2b, 1, 2, 0xff};
    static const char *const types[] = {"text", "varchar", "bpchar", "name"};
    begin();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        as(evpq_text("Grüße"), types[i], strf("'Grüße'::%s", types[i]));
        as(evpq_text(""), types[i], strf("''::%s", types[i]));
    }
    as(evpq_int(-7), "text", "'-7'::text");
    as(evpq_text("x"), "\"char\"", "'x'::\"char\"");
    as(evpq_text(""), "\"char\"", "''::\"char\"");
    as(evpq_json("[1, 2]"), "jsonb", "'[1,2]'::jsonb");
    as(evpq_double(1.5), "jsonb", "'1.5'::jsonb");
    is(evpq_jsonb("{\"a\":null}"), "'{\"a\": null}'::jsonb");
    as(evpq_text("\\x00ff"), "bytea", "'\\x00ff'::bytea");
    as(evpq_text("a\\\\b\\000"), "bytea", "'a\\\\b\\000'::bytea");
    is(evpq_bytes("\0\1", 2), "'\\x0001'::bytea");
    is(evpq_uuid(uuid), "'00010203-0405-0607-0809-0a0b0c0d0eff'::uuid");
    as(evpq_text("00010203-0405-0607-0809-0A0B0C0D0EFF"), "uuid",
       "'00010203-0405-0607-0809-0a0b0c0d0eff'::uuid");
    is(evpq_macaddr(mac), "'08:00:2b:01:02:ff'::macaddr");
    is(evpq_uuid(NULL), "null::uuid");
    is(evpq_interval_of(NULL), "null::interval");
    evpq_arg json = evpq_json("{\"b\":  1}");
    PGresult *pg = ask("select $1::text", EVPQ_ARGS(json));
    ck_assert_str_eq(PQgetvalue(pg, 0, 0), "{\"b\":  1}");
    PQclear(pg);
    PQfinish(conn);
}
END_TEST

START_TEST(dates_and_times)
{
    const int64_t day = 86400 * (int64_t)1000000;
    evpq_interval most = {INT32_MAX, INT32_MIN, INT64_MAX}, mixed = {14, -3, 4000001};
    begin();
    is(evpq_date(0), "'1970-01-01'::date");
    is(evpq_date(-1), "'1969-12-31'::date");
    is(evpq_date(INT32_MAX), "'infinity'::date");
    is(evpq_date(INT32_MIN), "'-infinity'::date");
    is(evpq_date(-2440588), "'4714-11-24 BC'::date");
    is(evpq_date(2145042905), "'5874897-12-31'::date");
    as(evpq_text("0044-03-15 BC"), "date", "'0044-03-15 BC'::date");
    as(evpq_text("infinity"), "date", "'infinity'::date");
    is(evpq_time(0), "'00:00'::time");
    is(evpq_time(day), "'24:00'::time");
    is(evpq_time(day - 1), "'23:59:59.999999'::time");
    is(evpq_timetz(3600000001, 3600), "'01:00:00.000001+01'::timetz");
    is(evpq_timetz(0, -(15 * 3600 + 59 * 60 + 59)), "'00:00-15:59:59'::timetz");
    is(evpq_timestamp(0), "'1970-01-01'::timestamp");
    is(evpq_timestamp(-1), "'1969-12-31 23:59:59.999999'::timestamp");
    is(evpq_timestamp(INT64_MAX), "'infinity'::timestamp");
    is(evpq_timestamp(INT64_MIN), "'-infinity'::timestamp");
    is(evpq_timestamptz(-1), "'1969-12-31 23:59:59.999999+00'::timestamptz");
    is(evpq_timestamptz(INT64_MAX - 1), "'294247-01-10 04:00:54.775806+00'::timestamptz");
    as(evpq_text("0001-01-01 00:00:00+01 BC"), "timestamptz",
       "'0001-01-01 00:00:00+01 BC'::timestamptz");
    as(evpq_text("2024-02-29 12:34:56.789"), "timestamp", "'2024-02-29 12:34:56.789'::timestamp");
    as(evpq_text("24:00:00"), "time", "'24:00'::time");
    as(evpq_text("01:02:03.5-08:30"), "timetz", "'01:02:03.5-08:30'::timetz");
    as(evpq_text("1 year -2 mons +3 days -04:05:06.789"), "interval",
       "'1 year -2 mons +3 days -04:05:06.789'::interval");
    is(evpq_interval_of(&mixed), "'1 year 2 months -3 days 4.000001 seconds'::interval");
    is(evpq_interval_of(&most),
       "'2147483647 months -2147483648 days'::interval + '9223372036854.775807 s'::interval");
    PQfinish(conn);
}
END_TEST

START_TEST(addresses)
{
    evpq_inet host = {EVPQ_INET4, 32, 0, {192, 0, 2, 1}}, net = {EVPQ_INET4, 8, 0, {10, 1, 2, 3}};
    evpq_inet cidr = {EVPQ_INET4, 8, 1, {10}}, six = {EVPQ_INET6, 64, 0, {0x20, 1, 0xd, 0xb8}};
    evpq_inet six_cidr = {EVPQ_INET6, 0, 1, {0}};
    six.address[15] = 1;
    begin();
    is(evpq_inet_of(&host), "'192.0.2.1'::inet");
    is(evpq_inet_of(&net), "'10.1.2.3/8'::inet");
    is(evpq_inet_of(&cidr), "'10.0.0.0/8'::cidr");
    is(evpq_inet_of(&six), "'2001:db8::1/64'::inet");
    is(evpq_inet_of(&six_cidr), "'::/0'::cidr");
    is(evpq_inet_of(NULL), "null::inet");
    as(evpq_text("192.0.2.1/24"), "inet", "'192.0.2.1/24'::inet");
    as(evpq_text("2001:db8::/32"), "cidr", "'2001:db8::/32'::cidr");
    as(evpq_text("08:00:2b:01:02:ff"), "macaddr", "'08:00:2b:01:02:ff'::macaddr");
    PQfinish(conn);
}
END_TEST

START_TEST(arrays)
{
    const int32_t fours[] = {INT32_MIN, 0, INT32_MAX};
    const int64_t eights[] = {INT64_MIN, INT64_MAX};
    const double doubles[] = {-0.0, (double)NAN, (double)INFINITY, 1e-300};
    const bool bools[] = {true, false};
    const char *const texts[] = {"a", NULL, "", "NULL", "q\"u,o{t}e\\"};
    const uint8_t uuids[32] = {1, [31] = 2};
    const evpq_arg mixed[] = {evpq_text("1.50"), evpq_null(),      evpq_scaled(-25, 1),
                              evpq_int(7),       evpq_text("NaN"), evpq_int(0)};
    evpq_shape shape = {2, {2, 3}, {-1, 5}}, six = {6, {1, 1, 1, 1, 2, 1}, {1, 1, 1, 1, 1, 1}};
    begin();
    is(evpq_int4s(fours, 3), "array[-2147483648, 0, 2147483647]");
    is(evpq_int4s(fours, 0), "'{}'::int4[]");
    is(evpq_int4s(NULL, 0), "'{}'::int4[]");
    is(evpq_int8s(eights, 2), "array[-9223372036854775808, 9223372036854775807]::int8[]");
    is(evpq_float8s(doubles, 4), "'{-0,nan,infinity,1e-300}'::float8[]");
    is(evpq_bools(bools, 2), "array[true, false]");
    is(evpq_texts(texts, 5), "array['a', null, '', 'NULL', 'q\"u,o{t}e\\']");
    is(evpq_uuids(uuids, 2), "'{01000000-0000-0000-0000-000000000000,"
                             "00000000-0000-0000-0000-000000000002}'::uuid[]");
    is(evpq_array_of(1700, mixed, 6), "array[1.50, null, -2.5, 7, 'NaN', 0]::numeric[]");
    is(evpq_array_of(1700, NULL, 0), "'{}'::numeric[]");
    is(evpq_shaped(evpq_array_of(1700, mixed, 6), &shape),
       "'[-1:0][5:7]={{1.50,null,-2.5},{7,NaN,0}}'::numeric[]");
    is(evpq_shaped(evpq_int8s(eights, 2), &six),
       "'{{{{{{-9223372036854775808},{9223372036854775807}}}}}}'::int8[]");
    as(evpq_int4s(fours, 3), "int8[]", "array[-2147483648, 0, 2147483647]::int8[]");
    as(evpq_texts(texts, 3), "varchar[]", "array['a', null, '']::varchar[]");
    PQfinish(conn);
}
END_TEST

START_TEST(any_takes_a_list_of_any_length)
{
    const int32_t ids[] = {2, 3, 5, 100};
    begin();
    for (size_t n = 0; n <= 4; n++) {
        PGresult *pg = ask("select count(*) from generate_series(1, 10) i where i = any($1)",
                           EVPQ_ARGS(evpq_int4s(ids, n)));
        ck_assert_int_eq(atoi(PQgetvalue(pg, 0, 0)), (int)(n < 3 ? n : 3));
        PQclear(pg);
    }
    PQfinish(conn);
}
END_TEST

START_TEST(arrays_of_types_that_the_server_alone_knows)
{
    const evpq_arg moods[] = {evpq_text("sad"), evpq_null(), evpq_text("so so")};
    begin();
    run("create type pg_temp.mood as enum ('sad', 'so so')");
    PGresult *pg = ask("select $1::pg_temp.mood[] is not distinct from "
                       "array['sad', null, 'so so']::pg_temp.mood[]",
                       EVPQ_ARGS(evpq_array_of(oid_named("pg_temp.mood"), moods, 3)));
    ck_assert_msg(PQntuples(pg) == 1, "%s", PQerrorMessage(conn));
    ck_assert_str_eq(PQgetvalue(pg, 0, 0), "t");
    PQclear(pg);
    PQfinish(conn);
}
END_TEST

START_TEST(composites_and_ranges)
{
    begin();
    run("create type pg_temp.part as (id int4, name text, at timestamptz, tags text[])");
    const char *const tags[] = {"x", NULL};
    const uint32_t types[] = {OID_INT4, OID_TEXT, OID_TIMESTAMPTZ, 1009};
    const evpq_arg fields[] = {evpq_int(7), evpq_text("bolt, \"M8\""), evpq_null(),
                               evpq_texts(tags, 2)};
    uint32_t part = oid_named("pg_temp.part");
    is(evpq_record_of(part, types, fields, 4),
       "row(7, 'bolt, \"M8\"', null, array['x', null])::pg_temp.part");
    const evpq_arg parts[] = {evpq_record_of(part, types, fields, 4), evpq_null()};
    as(evpq_array_of(part, parts, 2), "pg_temp.part[]",
       "array[row(7, 'bolt, \"M8\"', null, array['x', null]), null]::pg_temp.part[]");

    const evpq_arg one = evpq_int(1), ten = evpq_int(10), half = evpq_text("0.5");
    const evpq_arg date = evpq_date(0), late = evpq_date(INT32_MAX);
    is(evpq_range_of(3904, &one, &ten, EVPQ_RANGE_LOWER_INC), "'[1,10)'::int4range");
    is(evpq_range_of(3926, &one, &ten, EVPQ_RANGE_UPPER_INC), "'(1,10]'::int8range");
    is(evpq_range_of(3906, &half, NULL, 0), "'(0.5,)'::numrange");
    is(evpq_range_of(3906, NULL, &half, EVPQ_RANGE_LOWER_INC | EVPQ_RANGE_UPPER_INC),
       "'(,0.5]'::numrange");
    is(evpq_range_of(3912, NULL, NULL, 0), "'(,)'::daterange");
    is(evpq_range_of(3912, &date, &late, EVPQ_RANGE_LOWER_INC),
       "'[1970-01-01,infinity)'::daterange");
    is(evpq_range_of(3912, NULL, NULL, EVPQ_RANGE_EMPTY), "'empty'::daterange");
    run("create type pg_temp.span as range (subtype = float8)");
    const evpq_arg low = evpq_param_binary(OID_FLOAT8, "\0\0\0\0\0\0\0\0", 8);
    is(evpq_range_of(oid_named("pg_temp.span"), &low, NULL, EVPQ_RANGE_LOWER_INC),
       "'[0,)'::pg_temp.span");
    PQfinish(conn);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("types_write");
    CHECK_ADD(c, the_table_of_arrays_and_ranges_is_the_servers);
    CHECK_ADD(c, numbers);
    CHECK_ADD(c, numerics);
    CHECK_ADD(c, texts_and_bytes);
    CHECK_ADD(c, dates_and_times);
    CHECK_ADD(c, addresses);
    CHECK_ADD(c, arrays);
    CHECK_ADD(c, any_takes_a_list_of_any_length);
    CHECK_ADD(c, arrays_of_types_that_the_server_alone_knows);
    CHECK_ADD(c, composites_and_ranges);
    return check_end(c);
}
