/* it_types.c - what a real server sends for the edges of every type: text and binary must be read
 * as the same value, and as the one expected. */
#include "libpq/result.h"

#include "support/check.h"
#include "support/server.h"
#include "values/request.h"

#include <float.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static PGconn *conn;

static void connect_to(const char *settings)
{
    conn = PQconnectdb(server_conninfo(SERVER_UNIX, NULL));
    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    PGresult *pg = PQexec(conn, settings);
    ck_assert_msg(PQresultStatus(pg) == PGRES_COMMAND_OK, "%s", PQerrorMessage(conn));
    PQclear(pg);
}

/* Runs a request as the verbs will: measured, written, handed to libpq array by array. */
static evpq_result *query(const char *sql, evpq_args args)
{
    struct request r;
    struct request_size size;
    ck_assert_ptr_null(request_measure(sql, &args, &size));
    void *room = malloc(size.block);
    ck_assert_ptr_nonnull(room);
    request_write(&r, room, sql, &args, &size);
    PGresult *pg =
        PQexecParams(conn, r.sql, r.n, r.types, r.values, r.lengths, r.formats, r.result_format);
    free(room);
    ck_assert_msg(PQresultStatus(pg) == PGRES_TUPLES_OK || PQresultStatus(pg) == PGRES_COMMAND_OK,
                  "%s: %s", sql, PQerrorMessage(conn));
    return result_wrap(pg, NULL);
}

/* One value in each format. */
struct pair {
    evpq_result *text, *binary;
};

static struct pair both(const char *expression)
{
    const char *sql = strf("select %s", expression);
    return (struct pair){query(sql, EVPQ_ARGS()), query(sql, evpq_binary(EVPQ_ARGS()))};
}

/* Neither reading has left a fault; both are gone. */
static void done(struct pair p, const char *expression)
{
    const evpq_result *each[] = {p.text, p.binary};
    for (int i = 0; i < 2; i++)
        ck_assert_msg(!evpq_result_fault(each[i]), "%s: %s", expression,
                      evpq_error_message(evpq_result_fault(each[i])));
    evpq_result_unref(p.text);
    evpq_result_unref(p.binary);
}

START_TEST(whole_numbers)
{
    static const struct {
        const char *expression;
        int64_t value;
    } rows[] = {
        {"'-32768'::int2", INT16_MIN},
        {"'32767'::int2", INT16_MAX},
        {"'-2147483648'::int4", INT32_MIN},
        {"2147483647", INT32_MAX},
        {"'-9223372036854775808'::int8", INT64_MIN},
        {"9223372036854775807", INT64_MAX},
        {"4294967295::oid", UINT32_MAX},
        {"0::oid", 0},
        {"sum(i) from generate_series(1, 3::int8) i", 6},
        {"9223372036854775807::numeric", INT64_MAX},
        {"-9223372036854775808::numeric(30, 4)", INT64_MIN},
        {"10000::numeric", 10000},
        {"count(*) from pg_class where false", 0},
    };
    connect_to("set datestyle = iso");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p = both(rows[i].expression);
        ck_assert_int_eq(evpq_result_int8(p.text, 0, 0), rows[i].value);
        ck_assert_int_eq(evpq_result_int8(p.binary, 0, 0), rows[i].value);
        done(p, rows[i].expression);
    }
    PQfinish(conn);
}
END_TEST

START_TEST(floating_point)
{
    static const struct {
        const char *expression;
        double value;
    } rows[] = {
        {"'-0'::float8", -0.0},
        {"0.1::float8", 0.1},
        {"'1.7976931348623157e308'::float8", DBL_MAX},
        {"'5e-324'::float8", DBL_TRUE_MIN},
        {"'2.2250738585072014e-308'::float8", DBL_MIN},
        {"1e15::float8", 1e15},
        {"1234567890123456::float8", 1234567890123456.0},
        {"0.0001::float8", 0.0001},
        {"0.00001::float8", 0.00001},
        {"'infinity'::float8", (double)INFINITY},
        {"'-infinity'::float8", -(double)INFINITY},
        {"'nan'::float8", (double)NAN},
        {"0.1::float4", (double)0.1f},
        {"'-0'::float4", -0.0},
        {"'3.4028235e38'::float4", (double)FLT_MAX},
        {"'1e-45'::float4", (double)FLT_TRUE_MIN},
        {"1000000::float4", 1000000},
        {"'nan'::float4", (double)NAN},
        {"'-infinity'::float4", -(double)INFINITY},
        {"0.1::numeric", 0.1},
        {"1e-30::numeric", 1e-30},
        {"1e300::numeric", 1e300},
        {"-12345678901234567890.123456789::numeric", -12345678901234567890.123456789},
        {"'nan'::numeric", (double)NAN},
        {"'-infinity'::numeric", -(double)INFINITY},
        {"1::int2", 1},
    };
    connect_to("set datestyle = iso");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair p = both(rows[i].expression);
        double values[] = {evpq_result_float8(p.text, 0, 0), evpq_result_float8(p.binary, 0, 0)};
        for (int k = 0; k < 2; k++) {
            if (isnan(rows[i].value))
                ck_assert_msg(isnan(values[k]), "%s", rows[i].expression);
            else
                ck_assert_msg(values[k] == rows[i].value &&
                                  !signbit(values[k]) == !signbit(rows[i].value),
                              "%s is %a in format %d", rows[i].expression, values[k], k);
        }
        done(p, rows[i].expression);
    }
    PQfinish(conn);
}
END_TEST

/* Text of binary is what the server itself writes. */
START_TEST(text)
{
    static const char *const expressions[] = {
        "true",
        "false",
        "'-32768'::int2",
        "-2147483648",
        "'-9223372036854775808'::int8",
        "4294967295::oid",
        "0.1::float4",
        "1.5e-7::float4",
        "123456.7::float4",
        "1000000::float4",
        "16777216::float4",
        "'-0'::float4",
        "pi()",
        "1e15::float8",
        "123456789012345.6::float8",
        "'-0'::float8",
        "1e-5::float8",
        "'5e-324'::float8",
        "'-infinity'::float8",
        "'nan'::float8",
        "0::numeric",
        "0.000::numeric",
        "-0.5::numeric",
        "100000000::numeric",
        "12345.67890::numeric",
        "1e-20::numeric",
        "1e100::numeric",
        "0.00010002::numeric",
        "(10::numeric ^ 1000) / 7",
        "'nan'::numeric",
        "'infinity'::numeric",
        "'text'",
        "''",
        "'varchar'::varchar",
        "'pad'::char(5)",
        "'c'::\"char\"",
        "'name'::name",
        "'{\"a\": [1, null]}'::jsonb",
        "'{\"a\" : 1}'::json",
        "'\\x00ff7f'::bytea",
        "'\\x'::bytea",
        "'00112233-4455-6677-8899-AABBCCDDEEFF'::uuid",
        "'infinity'::date",
        "'-infinity'::date",
        "'4714-11-24 BC'::date",
        "'5874897-12-31'::date",
        "'0001-01-01'::date - 1",
        "'2024-02-29'::date",
        "'infinity'::timestamp",
        "'2024-02-29 12:34:56.120000'::timestamp",
        "'4714-11-24 00:00:00 BC'::timestamp",
        "'294276-12-31 23:59:59.999999'::timestamp",
        "'-infinity'::timestamptz",
        "'2024-02-29 12:34:56.000001+03'::timestamptz",
        "'4714-11-24 00:00:00+00 BC'::timestamptz",
        "'294276-12-31 23:59:59.999999+00'::timestamptz",
        "null::int4",
    };
    connect_to("set timezone = 'UTC'; set datestyle = iso");
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        struct pair p = both(expressions[i]);
        const char *from_text = evpq_result_text(p.text, 0, 0);
        const char *from_binary = evpq_result_text(p.binary, 0, 0);
        ck_assert_msg(
            from_text && from_binary ? !strcmp(from_text, from_binary) : from_text == from_binary,
            "%s is \"%s\" in text, \"%s\" in binary", expressions[i], from_text, from_binary);
        done(p, expressions[i]);
    }
    PQfinish(conn);
}
END_TEST

/* Many numbers at once, so that no rule of layout is missed. */
START_TEST(text_of_many_floats_and_numerics)
{
    static const char *const expressions[] = {
        "(i % 1000)::float8 * 10.0 ^ (abs(i) % 40 - 20) / 7",
        "((i % 1000)::float8 * 10.0 ^ (abs(i) % 40 - 20) / 7)::float4",
        "(i * 9973)::numeric * 10::numeric ^ (abs(i) % 40 - 20) / 7",
        "'2000-01-01'::date + i * 1171",
        "'0900-01-01 BC'::timestamp + i * '401 days 17:03:01.000017'::interval",
    };
    connect_to("set timezone = 'UTC'; set datestyle = iso");
    for (size_t k = 0; k < sizeof expressions / sizeof *expressions; k++) {
        const char *sql = strf("select %s from generate_series(-2000, 2000) i", expressions[k]);
        struct pair p = {query(sql, EVPQ_ARGS()), query(sql, evpq_binary(EVPQ_ARGS()))};
        ck_assert_int_eq(evpq_result_rows(p.text), 4001);
        for (int row = 0; row < evpq_result_rows(p.text); row++)
            ck_assert_str_eq(evpq_result_text(p.binary, row, 0), evpq_result_text(p.text, row, 0));
        done(p, sql);
    }
    PQfinish(conn);
}
END_TEST

START_TEST(times_in_any_zone)
{
    static const char *const zones[] = {
        "UTC",         "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Eucla",
        "Pacific/Apia"};
    static const struct {
        const char *expression;
        int64_t value;
    } rows[] = {
        {"'1970-01-01 00:00:00+00'::timestamptz", 0},
        {"'1969-12-31 23:59:59.999999+00'::timestamptz", -1},
        {"'2024-02-29 12:34:56.5+00'::timestamptz", INT64_C(1709210096500000)},
        {"'1850-06-01 00:00:00+00'::timestamptz", INT64_C(-3773779200000000)},
        {"'0001-12-31 23:59:59+00 BC'::timestamptz", INT64_C(-62135596801000000)},
        {"'4713-01-01 00:00:00+00 BC'::timestamptz", INT64_C(-210863520000000000)},
        {"'10000-01-01 00:00:00+00'::timestamptz", INT64_C(253402300800000000)},
        {"'infinity'::timestamptz", INT64_MAX},
        {"'-infinity'::timestamptz", INT64_MIN},
    };
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        connect_to(strf("set datestyle = iso; set timezone = '%s'", zones[z]));
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct pair p = both(rows[i].expression);
            ck_assert_int_eq(evpq_result_timestamptz(p.text, 0, 0), rows[i].value);
            ck_assert_int_eq(evpq_result_timestamptz(p.binary, 0, 0), rows[i].value);
            done(p, rows[i].expression);
        }
        PQfinish(conn);
    }
}
END_TEST

START_TEST(timestamps_and_dates)
{
    static const struct {
        const char *expression;
        int64_t microseconds;
    } stamps[] = {
        {"'1970-01-01 00:00:01.000001'::timestamp", 1000001},
        {"'0044-03-15 12:00:00 BC'::timestamp", INT64_C(-63517780800000000)},
        {"'infinity'::timestamp", INT64_MAX},
    };
    static const struct {
        const char *expression;
        int32_t days;
    } dates[] = {
        {"'1970-01-01'::date", 0},
        {"'2024-02-29'::date", 19782},
        {"'0001-12-31 BC'::date", -719163},
        {"'4714-11-24 BC'::date", -2440588},
        {"'5874897-12-31'::date", 2145042905},
        {"'infinity'::date", INT32_MAX},
        {"'-infinity'::date", INT32_MIN},
    };
    connect_to("set datestyle = iso");
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        struct pair p = both(stamps[i].expression);
        ck_assert_int_eq(evpq_result_timestamp(p.text, 0, 0), stamps[i].microseconds);
        ck_assert_int_eq(evpq_result_timestamp(p.binary, 0, 0), stamps[i].microseconds);
        done(p, stamps[i].expression);
    }
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        struct pair p = both(dates[i].expression);
        ck_assert_int_eq(evpq_result_date(p.text, 0, 0), dates[i].days);
        ck_assert_int_eq(evpq_result_date(p.binary, 0, 0), dates[i].days);
        done(p, dates[i].expression);
    }
    PQfinish(conn);
}
END_TEST

START_TEST(times_beyond_what_fits_are_faults_in_both_formats)
{
    connect_to("set datestyle = iso");
    struct pair p = both("'294276-12-31 23:59:59.999999+00'::timestamptz");
    const evpq_result *each[] = {p.text, p.binary};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(evpq_result_timestamptz(each[i], 0, 0), 0);
        ck_assert_ptr_nonnull(evpq_result_fault(each[i]));
        evpq_result_fault_clear(each[i]);
    }
    done(p, "");
    PQfinish(conn);
}
END_TEST

START_TEST(other_date_styles_are_faults_in_text_alone)
{
    static const char *const styles[] = {"sql, dmy", "sql, mdy", "german", "postgres, mdy",
                                         "postgres, dmy"};
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        connect_to(strf("set timezone = 'UTC'; set datestyle = %s", styles[i]));
        struct pair p = both("'2001-02-03'::date, '2001-02-03 04:05:06'::timestamp,"
                             " '2001-02-03 04:05:06+00'::timestamptz");
        ck_assert_int_eq(evpq_result_date(p.text, 0, 0), 0);
        ck_assert_ptr_nonnull(evpq_result_fault(p.text));
        evpq_result_fault_clear(p.text);
        ck_assert_int_eq(evpq_result_timestamp(p.text, 0, 1), 0);
        ck_assert_ptr_nonnull(evpq_result_fault(p.text));
        evpq_result_fault_clear(p.text);
        ck_assert_int_eq(evpq_result_timestamptz(p.text, 0, 2), 0);
        ck_assert_ptr_nonnull(evpq_result_fault(p.text));
        evpq_result_fault_clear(p.text);
        ck_assert_int_eq(evpq_result_date(p.binary, 0, 0), 11356);
        ck_assert_int_eq(evpq_result_timestamp(p.binary, 0, 1), INT64_C(981173106000000));
        ck_assert_int_eq(evpq_result_timestamptz(p.binary, 0, 2), INT64_C(981173106000000));
        done(p, styles[i]);
        PQfinish(conn);
    }
}
END_TEST

START_TEST(bytea_in_both_output_formats)
{
    static const char *const outputs[] = {"hex", "escape"};
    for (int i = 0; i < 2; i++) {
        connect_to(strf("set bytea_output = %s", outputs[i]));
        char all[256];
        for (int k = 0; k < 256; k++)
            all[k] = (char)k;
        evpq_args args = EVPQ_ARGS(evpq_bytes(all, sizeof all), evpq_bytes("", 0));
        evpq_result *each[] = {query("select $1, $2", args),
                               query("select $1, $2", evpq_binary(args))};
        for (int k = 0; k < 2; k++) {
            size_t length = 0;
            const void *bytes = evpq_result_bytes(each[k], 0, 0, &length);
            ck_assert_uint_eq(length, sizeof all);
            ck_assert_mem_eq(bytes, all, sizeof all);
            ck_assert_ptr_nonnull(evpq_result_bytes(each[k], 0, 1, &length));
            ck_assert_uint_eq(length, 0);
            ck_assert_ptr_null(evpq_result_fault(each[k]));
            evpq_result_unref(each[k]);
        }
        PQfinish(conn);
    }
}
END_TEST

START_TEST(uuid)
{
    connect_to("set datestyle = iso");
    struct pair p = both("'00112233-4455-6677-8899-aabbccddeeff'::uuid");
    uint8_t a[16], b[16];
    ck_assert(evpq_result_uuid(p.text, 0, 0, a));
    ck_assert(evpq_result_uuid(p.binary, 0, 0, b));
    for (int i = 0; i < 16; i++)
        ck_assert(a[i] == 0x11 * i && b[i] == 0x11 * i);
    evpq_result *r = query("select $1", EVPQ_ARGS(evpq_param_binary(2950, a, sizeof a)));
    ck_assert_str_eq(evpq_result_text(r, 0, 0), "00112233-4455-6677-8899-aabbccddeeff");
    evpq_result_unref(r);
    done(p, "uuid");
    PQfinish(conn);
}
END_TEST

/* Each C type goes to the server and comes back as itself. */
START_TEST(arguments_come_back)
{
    connect_to("set datestyle = iso");
    evpq_args args = EVPQ_ARGS(INT64_MIN, UINT64_MAX, 0.1f, 1.0 / 3, true, false, "it's",
                               evpq_null(), (double)NAN, -(double)INFINITY, DBL_TRUE_MIN, -0.0,
                               evpq_param(3802, "[1]"), (bool)true);
    const char *sql = "select $1::int8, $2::numeric, $3::float4, $4::float8, $5::bool, $6::bool,"
                      " $7::text, $8::int4, $9::float8, $10::float8, $11::float8, $12::float8, $13,"
                      " $14::text::json";
    evpq_result *each[] = {query(sql, args), query(sql, evpq_binary(args))};
    for (int i = 0; i < 2; i++) {
        const evpq_result *r = each[i];
        ck_assert_int_eq(evpq_result_int8(r, 0, 0), INT64_MIN);
        ck_assert_str_eq(evpq_result_text(r, 0, 1), "18446744073709551615");
        ck_assert(evpq_result_float4(r, 0, 2) == 0.1f);
        ck_assert(evpq_result_float8(r, 0, 3) == 1.0 / 3);
        ck_assert(evpq_result_bool(r, 0, 4));
        ck_assert(!evpq_result_bool(r, 0, 5));
        ck_assert_str_eq(evpq_result_text(r, 0, 6), "it's");
        ck_assert(evpq_result_is_null(r, 0, 7));
        ck_assert(isnan(evpq_result_float8(r, 0, 8)));
        ck_assert(evpq_result_float8(r, 0, 9) == -(double)INFINITY);
        ck_assert(evpq_result_float8(r, 0, 10) == DBL_TRUE_MIN);
        ck_assert(signbit(evpq_result_float8(r, 0, 11)));
        ck_assert_str_eq(evpq_result_text(r, 0, 12), "[1]");
        ck_assert_str_eq(evpq_result_text(r, 0, 13), "true");
        ck_assert_ptr_null(evpq_result_fault(r));
        evpq_result_unref(each[i]);
    }
    PQfinish(conn);
}
END_TEST

START_TEST(tags_and_counts)
{
    static const struct {
        const char *sql, *command;
        int64_t affected;
    } rows[] = {
        {"create temp table t (a int)", "CREATE TABLE", -1},
        {"insert into t select generate_series(1, 10)", "INSERT 0 10", 10},
        {"update t set a = a + 1 where a > 7", "UPDATE 3", 3},
        {"select * from t", "SELECT 10", 10},
        {"select * from t where false", "SELECT 0", 0},
        {"delete from t", "DELETE 10", 10},
        {"set work_mem = '4MB'", "SET", -1},
    };
    connect_to("set datestyle = iso");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evpq_result *r = query(rows[i].sql, EVPQ_ARGS());
        ck_assert_str_eq(evpq_result_command(r), rows[i].command);
        ck_assert_int_eq(evpq_result_affected(r), rows[i].affected);
        evpq_result_unref(r);
    }
    PQfinish(conn);
}
END_TEST

START_TEST(a_domain_reads_as_what_it_is_made_of)
{
    connect_to("set datestyle = iso");
    evpq_result_unref(query("create domain pg_temp.small as int4 check (value < 10)", EVPQ_ARGS()));
    struct pair p = both("7::pg_temp.small");
    ck_assert_int_eq(evpq_result_int4(p.text, 0, 0), 7);
    ck_assert_int_eq(evpq_result_int4(p.binary, 0, 0), 7);
    done(p, "domain");
    PQfinish(conn);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("types");
    CHECK_ADD(c, whole_numbers);
    CHECK_ADD(c, floating_point);
    CHECK_ADD(c, text);
    CHECK_ADD(c, text_of_many_floats_and_numerics);
    CHECK_ADD(c, times_in_any_zone);
    CHECK_ADD(c, timestamps_and_dates);
    CHECK_ADD(c, times_beyond_what_fits_are_faults_in_both_formats);
    CHECK_ADD(c, other_date_styles_are_faults_in_text_alone);
    CHECK_ADD(c, bytea_in_both_output_formats);
    CHECK_ADD(c, uuid);
    CHECK_ADD(c, arguments_come_back);
    CHECK_ADD(c, tags_and_counts);
    CHECK_ADD(c, a_domain_reads_as_what_it_is_made_of);
    return check_end(c);
}
