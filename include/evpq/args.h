/* evpq/args.h - the parameters $1, $2, ... of a statement.
 *
 *     evpq_pool_query(pool, "select name from customer where id = $1", EVPQ_ARGS(42))
 *     evpq_pool_query(pool, "insert into t values ($1, $2, $3, $4)",
 *                     EVPQ_ARGS("bob", evpq_null(), evpq_bytes(p, n), evpq_param(oid, "[1,2]")))
 *
 * Every pointer is borrowed until the call that takes the arguments has returned: it copies them.
 *
 * Integers, floating point numbers, booleans and strings travel as text without a declared type, so
 * that the server infers each from its place in the statement, as it does for a quoted literal
 * (PostgreSQL documentation, libpq, PQexecParams). Where the place does not tell, as in
 * "select $1 + $2", say it in the SQL: "select $1::int + $2::int". All other makers declare the
 * type that they are named after, and evpq_param and evpq_param_binary whatever you say.
 *
 * Nothing here can fail. What the server could not be sent (a gigabyte, a zero byte within a text,
 * more than 65535 parameters) is refused with EVPQ_INVALID by the call that takes the arguments,
 * and with EVPQ_TYPE what does not fit the type it is declared as. A text is never taken for the
 * binary form of a type that the library does not know: an array, composite or range with such a
 * text in it is sent in text form as a whole. */
#ifndef EVPQ_ARGS_H
#define EVPQ_ARGS_H

#include <evpq/types.h>
#include <evpq/version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an evpq_arg holds. For the functions below; a zeroed evpq_arg is SQL NULL. */
enum evpq_arg_kind {
    EVPQ_ARG_NULL,
    EVPQ_ARG_INT,
    EVPQ_ARG_UINT,
    EVPQ_ARG_FLOAT,
    EVPQ_ARG_DOUBLE,
    EVPQ_ARG_BOOL,
    EVPQ_ARG_TEXT,   /* value.data, length: text format */
    EVPQ_ARG_BINARY, /* value.data, length: the type's own binary format */
    /* From here on the library writes the binary format. */
    EVPQ_ARG_DATE,
    EVPQ_ARG_TIME,
    EVPQ_ARG_TIMETZ, /* value.pair: microseconds, seconds east */
    EVPQ_ARG_TIMESTAMP,
    EVPQ_ARG_TIMESTAMPTZ,
    EVPQ_ARG_INTERVAL, /* value.data */
    EVPQ_ARG_INET,     /* value.data */
    EVPQ_ARG_SCALED,   /* value.pair: digits, scale */
    EVPQ_ARG_INT4S,    /* value.list, length: C arrays */
    EVPQ_ARG_INT8S,
    EVPQ_ARG_FLOAT8S,
    EVPQ_ARG_BOOLS,
    EVPQ_ARG_TEXTS,
    EVPQ_ARG_UUIDS,
    EVPQ_ARG_ARRAY,  /* value.list, length: evpq_args; type is that of the elements */
    EVPQ_ARG_RECORD, /* value.list, length: evpq_args and their oids */
    EVPQ_ARG_RANGE,  /* value.list: the bounds; length: flags */
    EVPQ_ARG_CODED,  /* value.list: a codec of codec.h, and what it encodes; length: of that */
    EVPQ_ARG_LAST = EVPQ_ARG_CODED,
};

/* One parameter. Make it with the functions below; the fields are not for reading. */
typedef struct evpq_arg {
    int kind;
    uint32_t type; /* an oid; 0: inferred by the server */
    size_t length;
    union {
        int64_t integer;
        uint64_t natural;
        double real; /* a float too, which it holds exactly */
        bool boolean;
        const void *data;
        struct {
            int64_t number;
            int32_t with;
        } pair;
        struct {
            const void *items;
            const void *with; /* or NULL */
        } list;
    } value;
} evpq_arg;

/* A parameter list. Fill `n` and `v` by hand where the number is known only at run time. */
typedef struct evpq_args {
    size_t n;
    const evpq_arg *v;
    int result_format; /* 0 text, 1 binary: how the server is to send the columns */
} evpq_args;

/* ---- one parameter ---- */

static inline evpq_arg evpq_null(void)
{
    evpq_arg a;
    a.kind = EVPQ_ARG_NULL;
    a.type = 0;
    a.length = 0;
    a.value.list.items = NULL;
    a.value.list.with = NULL;
    return a;
}

static inline evpq_arg evpq_int(int64_t value)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_INT;
    a.value.integer = value;
    return a;
}

static inline evpq_arg evpq_uint(uint64_t value)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_UINT;
    a.value.natural = value;
    return a;
}

/* The shortest decimal that reads back as the same float: 0.1f is sent as 0.1. */
static inline evpq_arg evpq_float(float value)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_FLOAT;
    a.value.real = (double)value;
    return a;
}

/* The shortest decimal that reads back as the same double; NaN, Infinity and -Infinity as
 * PostgreSQL spells them, whatever the locale. */
static inline evpq_arg evpq_double(double value)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_DOUBLE;
    a.value.real = value;
    return a;
}

static inline evpq_arg evpq_bool(bool value)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_BOOL;
    a.value.boolean = value;
    return a;
}

/* `n` bytes of text in the client encoding, without a zero byte. A NULL pointer is SQL NULL here
 * and in all functions below; its `n` must then be 0. */
static inline evpq_arg evpq_textn(const char *text, size_t n)
{
    evpq_arg a = evpq_null();
    if (text || n)
        a.kind = EVPQ_ARG_TEXT;
    a.value.data = text;
    a.length = n;
    return a;
}

static inline evpq_arg evpq_text(const char *text)
{
    return evpq_textn(text, text ? strlen(text) : 0);
}

/* A value in text form of the type with the oid `type` (table pg_type). */
static inline evpq_arg evpq_param(uint32_t type, const char *text)
{
    evpq_arg a = evpq_text(text);
    a.type = type;
    return a;
}

/* A value in the binary form of the type with the oid `type`: what its receive function in
 * pg_type.typreceive reads, integers in network byte order. */
static inline evpq_arg evpq_param_binary(uint32_t type, const void *bytes, size_t n)
{
    evpq_arg a = evpq_null();
    if (bytes || n)
        a.kind = EVPQ_ARG_BINARY;
    a.type = type;
    a.value.data = bytes;
    a.length = n;
    return a;
}

/* A bytea. An empty one needs a pointer too: (NULL, 0) is SQL NULL. */
static inline evpq_arg evpq_bytes(const void *bytes, size_t n)
{
    return evpq_param_binary(17, bytes, n);
}

/* An oid. */
static inline evpq_arg evpq_oid(uint32_t value)
{
    evpq_arg a = evpq_uint(value);
    a.type = 26;
    return a;
}

/* value * 10^-scale as a numeric, with exactly `scale` digits behind the point where that is not
 * negative: (1250, 2) is 12.50. */
static inline evpq_arg evpq_scaled(int64_t value, int scale)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_SCALED;
    a.type = 1700;
    a.value.pair.number = value;
    a.value.pair.with = scale;
    return a;
}

/* JSON text, which the server checks. */
static inline evpq_arg evpq_json(const char *text)
{
    return evpq_param(114, text);
}

static inline evpq_arg evpq_jsonb(const char *text)
{
    return evpq_param(3802, text);
}

/* A uuid's 16 bytes, in the order in which they are written. */
static inline evpq_arg evpq_uuid(const uint8_t uuid[16])
{
    return evpq_param_binary(2950, uuid, uuid ? 16 : 0);
}

/* A macaddr's 6 bytes. */
static inline evpq_arg evpq_macaddr(const uint8_t address[6])
{
    return evpq_param_binary(829, address, address ? 6 : 0);
}

/* An inet, or a cidr where it says so. */
static inline evpq_arg evpq_inet_of(const evpq_inet *address)
{
    evpq_arg a = evpq_null();
    if (address)
        a.kind = EVPQ_ARG_INET;
    a.type = address && address->is_cidr ? 650 : 869;
    a.value.data = address;
    return a;
}

/* ---- dates and times: the counts that the getters of result.h give ---- */

/* Days since 1970-01-01; INT32_MAX is infinity, INT32_MIN -infinity. */
static inline evpq_arg evpq_date(int32_t days)
{
    evpq_arg a = evpq_int(days);
    a.kind = EVPQ_ARG_DATE;
    a.type = 1082;
    return a;
}

/* Microseconds since midnight, up to 24:00:00 itself. */
static inline evpq_arg evpq_time(int64_t microseconds)
{
    evpq_arg a = evpq_int(microseconds);
    a.kind = EVPQ_ARG_TIME;
    a.type = 1083;
    return a;
}

/* The same in a zone that is `east` seconds ahead of UTC: 3600 is +01. */
static inline evpq_arg evpq_timetz(int64_t microseconds, int32_t east)
{
    evpq_arg a = evpq_null();
    a.kind = EVPQ_ARG_TIMETZ;
    a.type = 1266;
    a.value.pair.number = microseconds;
    a.value.pair.with = east;
    return a;
}

/* Microseconds since 1970-01-01 00:00:00 of whichever zone is meant; INT64_MAX is infinity,
 * INT64_MIN -infinity. */
static inline evpq_arg evpq_timestamp(int64_t microseconds)
{
    evpq_arg a = evpq_int(microseconds);
    a.kind = EVPQ_ARG_TIMESTAMP;
    a.type = 1114;
    return a;
}

/* The same since 1970-01-01 00:00:00 UTC. */
static inline evpq_arg evpq_timestamptz(int64_t microseconds)
{
    evpq_arg a = evpq_int(microseconds);
    a.kind = EVPQ_ARG_TIMESTAMPTZ;
    a.type = 1184;
    return a;
}

static inline evpq_arg evpq_interval_of(const evpq_interval *interval)
{
    evpq_arg a = evpq_null();
    if (interval)
        a.kind = EVPQ_ARG_INTERVAL;
    a.type = 1186;
    a.value.data = interval;
    return a;
}

/* ---- arrays ----
 * "where id = any($1)" takes a list of any length in one statement text, which the server need plan
 * only once. The elements are borrowed as everything is, and so is what they lead to. A list of 0
 * elements is an empty array, with or without a pointer; the array that is NULL is evpq_null(). */

static inline evpq_arg evpq_list(int kind, uint32_t type, const void *items, size_t n)
{
    evpq_arg a = evpq_null();
    a.kind = kind;
    a.type = type;
    a.length = n;
    a.value.list.items = items;
    a.value.list.with = NULL;
    return a;
}

static inline evpq_arg evpq_int4s(const int32_t *values, size_t n)
{
    return evpq_list(EVPQ_ARG_INT4S, 1007, values, n);
}

static inline evpq_arg evpq_int8s(const int64_t *values, size_t n)
{
    return evpq_list(EVPQ_ARG_INT8S, 1016, values, n);
}

static inline evpq_arg evpq_float8s(const double *values, size_t n)
{
    return evpq_list(EVPQ_ARG_FLOAT8S, 1022, values, n);
}

static inline evpq_arg evpq_bools(const bool *values, size_t n)
{
    return evpq_list(EVPQ_ARG_BOOLS, 1000, values, n);
}

/* Each a text; a NULL among them is SQL NULL. */
static inline evpq_arg evpq_texts(const char *const *values, size_t n)
{
    return evpq_list(EVPQ_ARG_TEXTS, 1009, values, n);
}

/* 16 bytes each, one after the other. */
static inline evpq_arg evpq_uuids(const void *uuids, size_t n)
{
    return evpq_list(EVPQ_ARG_UUIDS, 2951, uuids, n);
}

/* An array of elements of the type with the oid `type`, made as parameters are; each may be
 * evpq_null(). What is not an array of one of PostgreSQL's own types gets its type from its place
 * in the statement, as in "$1::mood[]". */
static inline evpq_arg evpq_array_of(uint32_t type, const evpq_arg *elements, size_t n)
{
    return evpq_list(EVPQ_ARG_ARRAY, type, elements, n);
}

/* The same array with these dimensions, instead of one that counts from 1. The elements are in the
 * order in which they are written, the last dimension running fastest, and as many as the lengths
 * multiply to. */
static inline evpq_arg evpq_shaped(evpq_arg array, const evpq_shape *shape)
{
    array.value.list.with = shape;
    return array;
}

/* ---- composites and ranges ---- */

/* A value of the composite type with the oid `type`: as many fields as it has columns, `types[i]`
 * being the oid of the i-th. Where `types` is NULL each field declares its own. */
static inline evpq_arg evpq_record_of(uint32_t type, const uint32_t *types, const evpq_arg *fields,
                                      size_t n)
{
    evpq_arg a = evpq_list(EVPQ_ARG_RECORD, type, fields, n);
    a.value.list.with = types;
    return a;
}

/* A value of the range type with the oid `type`. A bound that is NULL is infinite; `flags` are
 * those of enum evpq_range_flags: EVPQ_RANGE_LOWER_INC is [lower, upper). Those that say something
 * else than the bounds do (EVPQ_RANGE_EMPTY or EVPQ_RANGE_LOWER_INF with a lower bound) are
 * EVPQ_INVALID. A bound of a range that is not PostgreSQL's own declares its own type. */
static inline evpq_arg evpq_range_of(uint32_t type, const evpq_arg *lower, const evpq_arg *upper,
                                     unsigned flags)
{
    evpq_arg a = evpq_list(EVPQ_ARG_RANGE, type, lower, flags);
    a.value.list.with = upper;
    return a;
}

static inline evpq_arg evpq_same(evpq_arg a)
{
    return a;
}

/* ---- a list of parameters ---- */

/* The same parameters, with the columns of the answer asked for in binary format. The getters of
 * result.h read both formats alike; binary is cheaper for large numbers of numeric columns and
 * bytea. */
static inline evpq_args evpq_binary(evpq_args args)
{
    args.result_format = 1;
    return args;
}

#ifdef __cplusplus
}
#endif

/* EVPQ_ARGS(...), in C alone: up to 48 values (none is fine) as an evpq_args. Each is evaluated
 * once and becomes a parameter by its C type: bool, every integer type, float, double, a string
 * (NULL of type char * is SQL NULL) or an evpq_arg. A plain `char` is refused by the compiler,
 * since it may be meant as a letter or as a number; so are long double, other pointers, and a bare
 * NULL: write evpq_null(). The words true and false are ints before C23 and sent as 1 and 0, which
 * a boolean place reads all the same; a bool variable is sent as true or false. The list lives
 * until the end of the block that the macro stands in.
 *
 * EVPQ_ARG(x): one value as an evpq_arg. */
#ifndef __cplusplus
# include <evpq/args-list.h>
#endif

#endif
