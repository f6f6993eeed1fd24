/* evpq/args.h - the parameters $1, $2, ... of a statement.
 *
 *     evpq_pool_query(pool, "select $1 + $2", EVPQ_ARGS(42, 3.5))
 *     evpq_pool_query(pool, "insert into t values ($1, $2, $3, $4)",
 *                     EVPQ_ARGS("bob", evpq_null(), evpq_bytes(p, n), evpq_param(oid, "[1,2]")))
 *
 * Everything is borrowed for the time of the call that takes the arguments and copied by it.
 *
 * Types: integers, floating point numbers, booleans and strings travel without a declared type, so the server
 * infers each from its place in the statement, as it does for a quoted literal (PostgreSQL documentation, libpq,
 * PQexecParams: "the server infers a data type for the parameter symbol in the same way it would do for an
 * untyped literal string"). evpq_bytes declares bytea; evpq_param declares whatever you say. */
#ifndef EVPQ_ARGS_H
#define EVPQ_ARGS_H

#include <evpq/version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One parameter. Make it with the functions below; the fields are not for reading. */
typedef struct evpq_arg {
    int kind;
    uint32_t type; /* an oid; 0: inferred by the server */
    size_t length;
    union {
        int64_t integer;
        uint64_t natural;
        double real;
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
