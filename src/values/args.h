/* args.h - one parameter: whether the server can be sent it, and how it is written. */
#ifndef VALUES_ARGS_H
#define VALUES_ARGS_H

#include "values/oids.h"

#include <evpq/args.h>
#include <evpq/error.h>

/* What a message to the server may carry: PostgreSQL's MaxAllocSize (utils/memutils.h), which
 * bounds what it reads at once, less room for the head and the names that go with it. */
enum { ARGS_MOST_BYTES = 0x3fffffff - 1024 };

/* NULL when all is well, with the most bytes that arg_write will write in *ret_room (0 for SQL
 * NULL); or EVPQ_INVALID, given. `number` counts from 1, as in $1. */
evpq_error *arg_measure(const evpq_arg *arg, size_t number, size_t *ret_room);

/* False: it goes as text for certain. */
static inline bool arg_is_binary(const evpq_arg *arg)
{
    return arg->kind >= EVPQ_ARG_BINARY;
}

/* 0 text, 1 binary: how arg_write writes it. */
int arg_format(const evpq_arg *arg);

/* The oid to declare; 0 where the server is to infer the type. */
static inline uint32_t arg_type(const evpq_arg *arg)
{
    return arg->kind == EVPQ_ARG_ARRAY ? oid_of_array(arg->type) : arg->type;
}

/* For an argument that has passed arg_measure, and is not NULL: writes the value and a zero byte.
 * Returns the number of bytes, not counting that zero. */
size_t arg_write(const evpq_arg *arg, char *room);

#endif
