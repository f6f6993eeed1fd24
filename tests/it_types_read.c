/* it_types_read.c - what a real server sends for times, addresses, arrays, records and ranges: text
 * and binary must be read as the same value, and written as the server writes it. */
#include "libpq/result.h"

#include "support/check.h"
#include "support/server.h"

#include <evpq/nested.h>
#include <evpq/scan.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <string.h>

static PGconn *conn;

static void run(const char *sql)
{
    PGresult *pg = PQexec(conn, sql);
    ck_assert_msg(PQresultStatus(pg) == PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(conn));
    PQclear(pg);
}

static void start(void)
{
    conn = PQconnectdb(server_conninfo(SERVER_UNIX, NULL));
    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    run("set datestyle = iso; set intervalstyle = postgres; set timezone = 'UTC'");
    run("create type pg_temp.mood as enum ('sad', 'ok', 'so, \"so\"')");
    run("create type pg_temp.pair as (id int4, name text)");
    run("create type pg_temp.floats as range (subtype = float8)");
}

static void stop(void)
{
    PQfinish(conn);
}

static evpq_result *query(const char *expression, int format)
{
    const char *sql = strf("select %s", expression);
    PGresult *pg = PQexecParams(conn, sql, 0, NULL, NULL, NULL, NULL, format);
    ck_assert_msg(PQresultStatus(pg) == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(conn));
    evpq_result *r = result_wrap(pg, NULL);
    ck_assert_ptr_nonnull(r);
    return r;
}

static void done(evpq_result *r, const char *expression)
{
    const evpq_error *fault = evpq_result_fault(r);
    ck_assert_msg(!fault, "%s: %s", expression, evpq_error_message(fault));
    evpq_result_unref(r);
}

/* ---- binary, written as the server writes it ---- */

static const char *const written[] = {
    "time '00:00:00'",
    "time '24:00:00'",
    "time '23:59:59.999999'",
    "time '04:05:06.7'",
    "timetz '00:00:00+00'",
    "timetz '24:00:00-15:59:59'",
    "timetz '04:05:06.789+05:30'",
    "timetz '04:05:06-00:30'",
    "interval '0'",
    "interval '1 year'",
    "interval '-1 year'",
    "interval '1 year 2 mons 3 days 04:05:06.789'",
    "interval '1 year 2 mons -3 days 04:05:06.789'",
    "interval '-1 mon 3 days'",
    "interval '-1 mons 1 day -00:00:01'",
    "interval '-178956970 years -8 mons'",
    "interval '178956970 years 7 mons 2147483647 days 2562047788:00:54.775806'",
    "interval '-2147483648 days'",
    "interval '-2562047788:00:54.775807' - interval '00:00:00.000001'",
    "interval '-00:00:00.000001'",
    "interval '1 day'",
    "interval '25 hours'",
    "inet '192.168.0.1'",
    "inet '192.168.0.1/24'",
    "inet '0.0.0.0/0'",
    "cidr '10.0.0.0/8'",
    "cidr '10.1.2.3'",
    "inet '::'",
    "inet '::1'",
    "inet '::2/127'",
    "inet '::ffff:1.2.3.4'",
    "inet '::1:2'",
    "inet 'fe80::1/64'",
    "inet '1:2:3:4:5:6:7:8'",
    "cidr '2001:db8::/32'",
    "cidr '::/0'",
    "macaddr '08:00:2b:01:02:0f'",
    "macaddr8 '08:00:2b:01:02:03:04:ff'",
    "xid '4294967295'",
    "'sad'::pg_temp.mood",
    "'so, \"so\"'::pg_temp.mood",

    "'{}'::int4[]",
    "'{1,NULL,-2147483648}'::int4[]",
    "'{{1,2,3},{4,5,NULL}}'::int8[]",
    "'{{{1},{2}},{{3},{4}},{{5},{6}}}'::int2[]",
    "'[0:1]={7,8}'::int4[]",
    "'[-2:-1][0:0]={{1},{2}}'::int4[]",
    "'[2147483646:2147483646]={1}'::int4[]",
    ("array['', 'null', 'NULL', 'nullx', 'a b', 'a,b', '{}', '\"', '\\', E'\\n', E'\\v', 'x;y', "
     "NULL, 'ü']"),
    "array[true, false, null]",
    "array['NaN', '-Infinity', '-0', '1e300', 0.1]::float8[]",
    "array[1.50, -0.001, 'NaN', 1e40]::numeric[]",
    "array['\\x00ff', '', '\\xdeadbeef']::bytea[]",
    "array['0044-03-15 BC', 'infinity', '2000-01-01']::date[]",
    "array['0044-03-15 01:02:03 BC', 'infinity']::timestamp[]",
    "array['2000-01-01 01:02:03.5+00', '-infinity']::timestamptz[]",
    "array['1 day', '00:00:01']::interval[]",
    "array['10.0.0.0/8', '::1']::inet[]",
    "array['{\"a\": [1, 2]}', 'null']::jsonb[]",
    "array['{\"a\":1}']::json[]",
    "array['00112233-4455-6677-8899-aabbccddeeff']::uuid[]",
    "array['sad', 'so, \"so\"']::pg_temp.mood[]",
    "'{}'::pg_temp.mood[]",
    "array[row(1, 'a b'), row(null, 'c\"d\\e')]::pg_temp.pair[]",
    "array[int4range(1, 5), 'empty', int4range(null, 3)]",

    "row()",
    "row(1)",
    "row(null)",
    "row(1, null, '', 'a b', 'a,b', '(', '\"', '\\', 'null', true, 1.5, now() is null)",
    "row(row(row(1, 'x y'), '\"'), array['a b', 'c\"', null])",
    "row(1, 'o''hara \"x\"')::pg_temp.pair",
    "row(date '0044-03-15 BC', timestamp '2000-01-01 00:00:00', '\\xff'::bytea)",

    "int4range(1, 5)",
    "int4range(1, 5, '[]')",
    "int4range(null, 5)",
    "int4range(null, null)",
    "'empty'::int8range",
    "int8range(-9223372036854775808, 9223372036854775807)",
    "numrange(1.5, 2.50, '[]')",
    "numrange('-Infinity', 'NaN', '(]')",
    "daterange('2000-01-01', 'infinity')",
    "daterange('0044-03-15 BC', null)",
    "tsrange('2000-01-01 00:00', '2000-01-02 01:02:03.5', '()')",
    "tstzrange('2000-01-01 00:00+00', null, '[)')",
    "'{}'::int4multirange",
    "'{[1,3), [5,8), [10,)}'::int4multirange",
    "'{[2000-01-01,2000-02-01)}'::datemultirange",
    "'{[\"2000-01-01 00:00\",\"2000-01-02 00:00\")}'::tsmultirange",
};
enum { WRITTEN = sizeof written / sizeof *written };

START_TEST(binary_is_written_as_the_server_writes_text)
{
    start();
    evpq_result *text = query(written[_i], 0), *binary = query(written[_i], 1);
    const char *want = evpq_result_text(text, 0, 0), *got = evpq_result_text(binary, 0, 0);
    ck_assert_msg(got != NULL, "%s: %s", written[_i],
                  evpq_error_message(evpq_result_fault(binary)));
    ck_assert_msg(!strcmp(want, got), "%s is \"%s\", not \"%s\"", written[_i], want, got);
    ck_assert_ptr_eq(evpq_result_text(binary, 0, 0), got);
    done(text, written[_i]);
    done(binary, written[_i]);
    stop();
}
END_TEST

/* ---- what is inside, in both formats ---- */

/* The texts of everything in a value, opened by whoever takes it, level by level. */
struct inside {
    char text[4096];
    size_t length;
};

static void put(struct inside *to, const char *text)
{
    to->length += (size_t)snprintf(to->text + to->length, sizeof to->text - to->length, "%s", text);
}

static void list(struct inside *to, const evpq_result *r)
{
    for (int row = 0; row < evpq_result_rows(r); row++)
        for (int column = 0; column < evpq_result_columns(r); column++) {
            const char *text = evpq_result_text(r, row, column);
            put(to, text ? strf("<%s>", text) : "-");
        }
}

static const struct {
    const char *expression;
    char kind; /* array, record or range */
    const char *inside;
} opened[] = {
    {"'{}'::int4[]", 'a', ""},
    {"'{1,NULL,3}'::int4[]", 'a', "<1>-<3>"},
    {"'{{1,2},{3,4}}'::int4[]", 'a', "<1><2><3><4>"},
    {"'[0:1]={7,8}'::int4[]", 'a', "<7><8>"},
    {"array['', 'NULL', null, 'a\"b\\c', ',', '{}', ' ']", 'a', "<><NULL>-<a\"b\\c><,><{}>< >"},
    {"array['0.10', '-5']::numeric[]", 'a', "<0.10><-5>"},
    {"array['sad', 'so, \"so\"']::pg_temp.mood[]", 'a', "<sad><so, \"so\">"},
    {"array['(1,2),(0,0)', '(3,4),(1,1)']::box[]::text[]", 'a', "<(1,2),(0,0)><(3,4),(1,1)>"},
    {"row(null)", 'r', "-"},
    {"row(1, null, '', 'a b', 'q\"\\', true)", 'r', "<1>-<><a b><q\"\\><t>"},
    {"row(1, 'o''hara')::pg_temp.pair", 'r', "<1><o'hara>"},
    {"row(array[1,2], row('x y', 'z'))", 'r', "<{1,2}><(\"x y\",z)>"},
    {"int4range(1, 5)", 'g', "<1><5>"},
    {"int4range(null, 5)", 'g', "-<5>"},
    {"'empty'::int4range", 'g', "--"},
    {"numrange(1.5, null, '()')", 'g', "<1.5>-"},
    {"tsrange('2000-01-01 00:00', '2000-01-02 00:00', '[]')", 'g',
     "<2000-01-01 00:00:00><2000-01-02 00:00:00>"},
    {"'{[1,3),[5,)}'::int8multirange", 'g', "<1><3><5>-"},
    {"'{}'::int8multirange", 'g', ""},
    {"'[0.5,1e300)'::pg_temp.floats", 'g', "<0.5><1e+300>"},
};
enum { OPENED = sizeof opened / sizeof *opened };

static const evpq_result *open_any(const evpq_result *r, char kind)
{
    enum { FLOAT8 = 701 };
    return kind == 'a'   ? evpq_result_array(r, 0, 0)
           : kind == 'r' ? evpq_result_record(r, 0, 0)
                         : evpq_result_range(r, 0, 0, FLOAT8);
}

START_TEST(what_is_inside_is_the_same_in_both_formats)
{
    start();
    for (int format = 0; format < 2; format++) {
        struct inside inside = {.length = 0};
        evpq_result *r = query(opened[_i].expression, format);
        const evpq_result *open = open_any(r, opened[_i].kind);
        ck_assert_msg(open != NULL, "%s in format %d: %s", opened[_i].expression, format,
                      evpq_error_message(evpq_result_fault(r)));
        ck_assert_ptr_eq(open_any(r, opened[_i].kind), open);
        list(&inside, open);
        ck_assert_msg(!strcmp(inside.text, opened[_i].inside), "%s in format %d holds %s",
                      opened[_i].expression, format, inside.text);
        done(r, opened[_i].expression);
    }
    stop();
}
END_TEST

START_TEST(elements_are_read_by_any_getter)
{
    start();
    for (int format = 0; format < 2; format++) {
        evpq_result *r = query("'[5:6][0:2]={{1,NULL,3},{4,5,6}}'::int4[], null::int4[],"
                               "array['2000-01-02']::date[], array['1 day']::interval[]",
                               format);
        const evpq_result *a = evpq_result_array(r, 0, 0);
        evpq_shape shape;
        ck_assert_int_eq(evpq_result_shape(a, &shape), 2);
        ck_assert_int_eq(shape.dimensions, 2);
        ck_assert_int_eq(shape.length[0], 2);
        ck_assert_int_eq(shape.length[1], 3);
        ck_assert_int_eq(shape.first[0], 5);
        ck_assert_int_eq(shape.first[1], 0);
        ck_assert_int_eq(evpq_result_rows(a), 6);
        ck_assert_int_eq(evpq_result_columns(a), 1);
        ck_assert_uint_eq(evpq_result_column_type(a, 0), 23);
        ck_assert_int_eq(evpq_result_int4(a, 3, 0), 4);
        ck_assert(evpq_result_is_null(a, 1, 0));
        ck_assert_ptr_null(evpq_result_array(r, 0, 1));
        ck_assert_int_eq(evpq_result_rows(evpq_result_array(r, 0, 1)), 0);
        ck_assert_int_eq(evpq_result_date(evpq_result_array(r, 0, 2), 0, 0), 10958);
        evpq_interval i;
        ck_assert(evpq_result_interval(evpq_result_array(r, 0, 3), 0, 0, &i));
        ck_assert_int_eq(i.days, 1);
        done(r, "elements");
    }
    stop();
}
END_TEST

START_TEST(a_record_holds_arrays_of_records)
{
    start();
    for (int format = 0; format < 2; format++) {
        evpq_result *r =
            query("row(7, array[row(1, 'a \"b'), row(2, null)]::pg_temp.pair[])", format);
        const evpq_result *record = evpq_result_record(r, 0, 0);
        const evpq_result *pairs = evpq_result_array(record, 0, 1);
        ck_assert_int_eq(evpq_result_int4(record, 0, 0), 7);
        ck_assert_str_eq(evpq_result_column_name(record, 1), "f2");
        ck_assert_int_eq(evpq_result_rows(pairs), 2);
        const evpq_result *first = evpq_result_record(pairs, 0, 0);
        ck_assert_int_eq(evpq_result_int8(first, 0, 0), 1);
        ck_assert_str_eq(evpq_result_text(first, 0, 1), "a \"b");
        const evpq_result *second = evpq_result_record(pairs, 1, 0);
        ck_assert_int_eq(evpq_result_int2(second, 0, 0), 2);
        ck_assert(evpq_result_is_null(second, 0, 1));
        /* A reference to what is inside keeps the whole. */
        evpq_result *kept = evpq_result_ref(first);
        evpq_result_unref(r);
        ck_assert_str_eq(evpq_result_text(kept, 0, 1), "a \"b");
        ck_assert_ptr_null(evpq_result_fault(kept));
        evpq_result_unref(kept);
    }
    stop();
}
END_TEST

START_TEST(ranges_say_what_their_bounds_are)
{
    start();
    enum {
        EMPTY = EVPQ_RANGE_EMPTY,
        LI = EVPQ_RANGE_LOWER_INC,
        UI = EVPQ_RANGE_UPPER_INC,
        LN = EVPQ_RANGE_LOWER_INF,
        UN = EVPQ_RANGE_UPPER_INF
    };
    static const struct {
        const char *expression;
        unsigned flags;
    } rows[] = {
        {"int4range(1, 5)", LI},
        {"numrange(1, 5, '[]')", LI | UI},
        {"numrange(1, 5, '()')", 0},
        {"numrange(1, 5, '(]')", UI},
        {"int4range(null, 5)", LN},
        {"int4range(1, null)", LI | UN},
        {"int4range(null, null)", LN | UN},
        {"'empty'::int4range", EMPTY},
        {"'{[1,5),[7,)}'::int4multirange", LI},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int format = 0; format < 2; format++) {
            evpq_result *r = query(rows[i].expression, format);
            const evpq_result *range = evpq_result_range(r, 0, 0, 0);
            ck_assert_msg(evpq_result_range_flags(range, 0) == rows[i].flags,
                          "%s in format %d has flags %u", rows[i].expression, format,
                          evpq_result_range_flags(range, 0));
            if (evpq_result_rows(range) == 2)
                ck_assert_uint_eq(evpq_result_range_flags(range, 1), LI | UN);
            done(r, rows[i].expression);
        }
    stop();
}
END_TEST

/* ---- scalars ---- */

START_TEST(times)
{
    start();
    static const struct {
        const char *expression;
        int64_t value;
    } rows[] = {
        {"time '00:00:00'", 0},
        {"time '24:00:00'", INT64_C(86400000000)},
        {"time '23:59:59.999999'", INT64_C(86399999999)},
        {"time '01:02:03.5'", INT64_C(3723500000)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int format = 0; format < 2; format++) {
            evpq_result *r = query(rows[i].expression, format);
            ck_assert_int_eq(evpq_result_time(r, 0, 0), rows[i].value);
            done(r, rows[i].expression);
        }
    static const struct {
        const char *expression;
        int64_t value;
        int32_t offset;
    } zoned[] = {
        {"timetz '00:00:00+00'", 0, 0},
        {"timetz '24:00:00-15:59:59'", INT64_C(86400000000), -57599},
        {"timetz '01:02:03.5+05:30'", INT64_C(3723500000), 19800},
    };
    for (size_t i = 0; i < sizeof zoned / sizeof *zoned; i++)
        for (int format = 0; format < 2; format++) {
            evpq_result *r = query(zoned[i].expression, format);
            int32_t offset = 77;
            ck_assert_int_eq(evpq_result_timetz(r, 0, 0, &offset), zoned[i].value);
            ck_assert_int_eq(offset, zoned[i].offset);
            done(r, zoned[i].expression);
        }
    stop();
}
END_TEST

START_TEST(intervals)
{
    start();
    static const struct {
        const char *expression;
        evpq_interval value;
    } rows[] = {
        {"interval '0'", {0, 0, 0}},
        {"interval '1 year 2 mons -3 days 04:05:06.789'", {14, -3, INT64_C(14706789000)}},
        {"interval '-1 mon 3 days -00:00:00.000001'", {-1, 3, -1}},
        {"interval '-178956970 years -8 mons'", {INT32_MIN, 0, 0}},
        {"interval '178956970 years 7 mons'", {INT32_MAX, 0, 0}},
        {"interval '-2147483648 days'", {0, INT32_MIN, 0}},
        {"interval '2562047788:00:54.775807'", {0, 0, INT64_MAX}},
        {"interval '-2562047788:00:54.775807' - interval '00:00:00.000001'", {0, 0, INT64_MIN}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int format = 0; format < 2; format++) {
            evpq_result *r = query(rows[i].expression, format);
            evpq_interval got;
            ck_assert_msg(evpq_result_interval(r, 0, 0, &got), "%s: %s", rows[i].expression,
                          evpq_error_message(evpq_result_fault(r)));
            ck_assert_int_eq(got.months, rows[i].value.months);
            ck_assert_int_eq(got.days, rows[i].value.days);
            ck_assert_int_eq(got.microseconds, rows[i].value.microseconds);
            done(r, rows[i].expression);
        }
    run("set intervalstyle = iso_8601");
    evpq_interval none;
    evpq_result *r = query("interval '1 day'", 0);
    ck_assert(!evpq_result_interval(r, 0, 0, &none));
    ck_assert_int_eq(none.days, 0);
    ck_assert_ptr_nonnull(evpq_result_fault(r));
    evpq_result_unref(r);
    stop();
}
END_TEST

START_TEST(infinite_intervals)
{
    start();
    for (int format = 0; format < 2 && PQserverVersion(conn) >= 170000; format++) {
        evpq_result *r = query("interval 'infinity', interval '-infinity'", format);
        evpq_interval most, least;
        ck_assert(evpq_result_interval(r, 0, 0, &most) && evpq_result_interval(r, 0, 1, &least));
        ck_assert(most.months == INT32_MAX && most.days == INT32_MAX);
        ck_assert_int_eq(most.microseconds, INT64_MAX);
        ck_assert(least.months == INT32_MIN && least.days == INT32_MIN);
        ck_assert_int_eq(least.microseconds, INT64_MIN);
        ck_assert_str_eq(evpq_result_text(r, 0, 0), "infinity");
        ck_assert_str_eq(evpq_result_text(r, 0, 1), "-infinity");
        done(r, "infinity");
    }
    stop();
}
END_TEST

START_TEST(addresses)
{
    start();
    for (int format = 0; format < 2; format++) {
        evpq_result *r = query("inet '192.168.0.1/24', cidr '2001:db8::/32', inet '::1',"
                               "macaddr '08:00:2b:01:02:0f', macaddr8 '08:00:2b:01:02:03:04:ff'",
                               format);
        evpq_inet a;
        uint8_t mac[8];
        ck_assert(evpq_result_inet(r, 0, 0, &a));
        ck_assert_uint_eq(a.family, EVPQ_INET4);
        ck_assert_uint_eq(a.bits, 24);
        ck_assert_uint_eq(a.is_cidr, 0);
        ck_assert_mem_eq(a.address, "\300\250\0\1\0\0\0\0\0\0\0\0\0\0\0", 16);
        ck_assert(evpq_result_inet(r, 0, 1, &a));
        ck_assert_uint_eq(a.family, EVPQ_INET6);
        ck_assert_uint_eq(a.bits, 32);
        ck_assert_uint_eq(a.is_cidr, 1);
        ck_assert_mem_eq(a.address, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 16);
        ck_assert(evpq_result_inet(r, 0, 2, &a));
        ck_assert_uint_eq(a.bits, 128);
        ck_assert(evpq_result_macaddr(r, 0, 3, mac));
        ck_assert_mem_eq(mac, "\x08\0\x2b\1\2\x0f", 6);
        ck_assert(evpq_result_macaddr8(r, 0, 4, mac));
        ck_assert_mem_eq(mac, "\x08\0\x2b\1\2\3\4\xff", 8);
        done(r, "addresses");
    }
    stop();
}
END_TEST

START_TEST(scaled_numbers)
{
    start();
    static const struct {
        const char *expression;
        int scale;
        int64_t value;
    } rows[] = {
        {"12.34::numeric", 2, 1234},
        {"12.3400::numeric", 2, 1234},
        {"-0.05::numeric", 2, -5},
        {"92233720368547758.07::numeric", 2, INT64_MAX},
        {"-92233720368547758.08::numeric", 2, INT64_MIN},
        {"12300::numeric", -2, 123},
        {"7::int4", 3, 7000},
        {"1e-20::numeric", 20, 1},
        {"1e100::numeric", -100, 1},
        {"0::numeric", 100000, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int format = 0; format < 2; format++) {
            evpq_result *r = query(rows[i].expression, format);
            ck_assert_int_eq(evpq_result_scaled(r, 0, 0, rows[i].scale), rows[i].value);
            done(r, rows[i].expression);
        }
    static const struct {
        const char *expression;
        int scale;
    } bad[] = {
        {"12.345::numeric", 2},    {"92233720368547758.08::numeric", 2},
        {"'NaN'::numeric", 2},     {"12345::numeric", -2},
        {"1::numeric", INT32_MAX}, {"1.0::float8", 2},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int format = 0; format < 2; format++) {
            evpq_result *r = query(bad[i].expression, format);
            ck_assert_int_eq(evpq_result_scaled(r, 0, 0, bad[i].scale), 0);
            ck_assert_msg(evpq_result_fault(r) != NULL, "%s", bad[i].expression);
            evpq_result_unref(r);
        }
    stop();
}
END_TEST

START_TEST(what_is_large)
{
    start();
    static const char *const large[] = {
        "array[repeat('9', 100000)::numeric, ('0.' || repeat('1', 16000))::numeric]",
        "array[repeat('\"\\ ', 40000)]",
        "(select array_agg(i) from generate_series(1, 50000) i)",
        "row(repeat('(\"', 50000), (select array_agg(i::text) from generate_series(1, 9999) i))",
    };
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        evpq_result *text = query(large[i], 0), *binary = query(large[i], 1);
        const char *want = evpq_result_text(text, 0, 0), *got = evpq_result_text(binary, 0, 0);
        ck_assert_msg(got && !strcmp(want, got), "%s", large[i]);
        if (*want == '{')
            ck_assert_int_eq(evpq_result_rows(evpq_result_array(text, 0, 0)),
                             evpq_result_rows(evpq_result_array(binary, 0, 0)));
        done(text, large[i]);
        done(binary, large[i]);
    }
    stop();
}
END_TEST

/* ---- a row into variables ---- */

START_TEST(a_row_is_scanned)
{
    start();
    for (int format = 0; format < 2; format++) {
        evpq_result *r = query("true, 1::int2, 2::int4, 3::int8, 4::oid, 1.5::float4, 2.5::float8,"
                               "'x', null::text, null::int4, interval '1 day', inet '::1'",
                               format);
        bool yes, no_text, no_int, no_long;
        int16_t int2;
        int32_t int4, maybe = 77;
        int64_t int8;
        uint32_t oid;
        float float4;
        double float8;
        const char *text, *none;
        evpq_interval interval;
        evpq_inet inet;
        ck_assert(EVPQ_SCAN(r, 0, &yes, &int2, &int4, EVPQ_MAYBE(&no_long, &int8), &oid, &float4,
                            &float8, EVPQ_MAYBE(&no_text, &text), &none,
                            EVPQ_MAYBE(&no_int, &maybe), &interval, &inet));
        ck_assert(yes && int2 == 1 && int4 == 2 && int8 == 3 && oid == 4);
        ck_assert(float4 == 1.5f && float8 == 2.5 && interval.days == 1 && inet.bits == 128);
        ck_assert_str_eq(text, "x");
        ck_assert_ptr_null(none);
        ck_assert(!no_text && !no_long && no_int && maybe == 0);
        done(r, "scan");
    }
    stop();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("types_read");
    CHECK_ADD_LOOP(c, binary_is_written_as_the_server_writes_text, WRITTEN);
    CHECK_ADD_LOOP(c, what_is_inside_is_the_same_in_both_formats, OPENED);
    CHECK_ADD(c, elements_are_read_by_any_getter);
    CHECK_ADD(c, a_record_holds_arrays_of_records);
    CHECK_ADD(c, ranges_say_what_their_bounds_are);
    CHECK_ADD(c, times);
    CHECK_ADD(c, intervals);
    CHECK_ADD(c, infinite_intervals);
    CHECK_ADD(c, addresses);
    CHECK_ADD(c, scaled_numbers);
    CHECK_ADD(c, what_is_large);
    CHECK_ADD(c, a_row_is_scanned);
    return check_end(c);
}
