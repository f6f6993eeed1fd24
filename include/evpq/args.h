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
 * "select $1 + $2", say it in the SQL: "select $1::int + $2::int". evpq_bytes declares bytea,
 * evpq_param and evpq_param_binary whatever you say.
 *
 * Nothing here can fail. What the server could not be sent (a gigabyte, a zero byte within a text,
 * more than 65535 parameters) is refused with EVPQ_INVALID by the call that takes the arguments. */
#ifndef EVPQ_ARGS_H
#define EVPQ_ARGS_H

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
    memset(&a, 0, sizeof a);
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
