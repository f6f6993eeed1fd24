/* arg_kind.h - what the kinds of arguments have in common. */
#ifndef VALUES_ARG_KIND_H
#define VALUES_ARG_KIND_H

#include "values/value_number.h"

#include <evpq/args.h>
#include <string.h>

/* An integer, a floating point number or a bool. */
static inline bool arg_is_scalar(const evpq_arg *arg)
{
    return arg->kind > EVPQ_ARG_NULL && arg->kind < EVPQ_ARG_TEXT;
}

/* An array, of whatever kind, a composite or a range. */
static inline bool arg_is_nested(const evpq_arg *arg)
{
    return arg->kind >= EVPQ_ARG_INT4S && arg->kind <= EVPQ_ARG_RANGE;
}

/* A scalar in text form, which is how it is sent as a parameter; NUMBER_ROOM is enough. Returns its
 * length, not counting the zero byte behind it. */
static inline size_t arg_write_scalar(const evpq_arg *arg, char *room)
{
    switch (arg->kind) {
    case EVPQ_ARG_INT:
        return number_write_int(arg->value.integer, room);
    case EVPQ_ARG_UINT:
        return number_write_uint(arg->value.natural, room);
    case EVPQ_ARG_FLOAT:
        return number_write_float4((float)arg->value.real, room);
    case EVPQ_ARG_DOUBLE:
        return number_write_float8(arg->value.real, room);
    default: /* the words, which boolean and json both read */
        strcpy(room, arg->value.boolean ? "true" : "false");
        return arg->value.boolean ? 4 : 5;
    }
}

#endif
