/* args.c - one parameter. */
#include "values/args.h"

#include "values/arg_kind.h"
#include "values/encode.h"
#include "values/encode_nested_text.h"
#include "values/value_number.h"
#include "words/error.h"

#include <string.h>

/* As the program wrote it: most are. */
static inline bool is_given(const evpq_arg *arg)
{
    return arg->kind == EVPQ_ARG_TEXT || arg->kind == EVPQ_ARG_BINARY;
}

static evpq_error *check_bytes(const evpq_arg *arg, size_t number)
{
    if (!arg->value.data)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "parameter $%zu is a NULL pointer with a length of %zu bytes", number,
                         arg->length);
    if (arg->length > ARGS_MOST_BYTES)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "parameter $%zu has %zu bytes, and the server takes at most %d", number,
                         arg->length, ARGS_MOST_BYTES);
    if (arg->kind == EVPQ_ARG_TEXT && memchr(arg->value.data, '\0', arg->length))
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "parameter $%zu is a text with a zero byte in it, which no PostgreSQL "
                         "text can hold",
                         number);
    return NULL;
}

/* What the library writes in binary: written nowhere, to see that it can be and how long it is. Out
 * of the way of the kinds that are commoner, as write_binary is. */
__attribute__((noinline)) static evpq_error *measure_binary(const evpq_arg *arg, size_t number,
                                                            size_t *ret_room)
{
    bool met_text = false;
    const struct encode_rules rules = {.met_text = &met_text};
    struct bytes count = bytes_counted();
    struct spot spot = {.noun = "parameter $", .number = number, .rules = &rules};
    evpq_error *error = encode_value(&count, arg, arg_type(arg), &spot);
    if (!error && met_text) {
        count = bytes_counted();
        error = encode_nested_text(&count, arg, &spot);
    }
    if (error)
        return error;
    *ret_room = count.length + 1;
    if (count.length <= ARGS_MOST_BYTES)
        return NULL;
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                     "parameter $%zu has %zu bytes, and the server takes at most %d", number,
                     count.length, ARGS_MOST_BYTES);
}

evpq_error *arg_measure(const evpq_arg *arg, size_t number, size_t *ret_room)
{
    if (is_given(arg)) {
        *ret_room = arg->length + 1;
        return check_bytes(arg, number);
    }
    switch (arg->kind) {
    case EVPQ_ARG_NULL:
        *ret_room = 0;
        return NULL;
    case EVPQ_ARG_INT:
    case EVPQ_ARG_UINT:
        *ret_room = INTEGER_ROOM;
        return NULL;
    case EVPQ_ARG_FLOAT:
    case EVPQ_ARG_DOUBLE:
        *ret_room = NUMBER_ROOM;
        return NULL;
    case EVPQ_ARG_BOOL:
        *ret_room = sizeof "false";
        return NULL;
    default:
        if (arg->kind > EVPQ_ARG_BINARY && arg->kind <= EVPQ_ARG_LAST)
            return measure_binary(arg, number, ret_room);
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "parameter $%zu is of unknown kind %d: was it filled in?", number,
                         arg->kind);
    }
}

int arg_format(const evpq_arg *arg)
{
    return arg_is_binary(arg) && !encode_wants_text(arg, arg_type(arg));
}

__attribute__((noinline)) static size_t write_binary(const evpq_arg *arg, char *room)
{
    struct bytes to = bytes_in(room, SIZE_MAX);
    struct spot spot = {.noun = ""};
    evpq_error_unref(arg_format(arg) ? encode_value(&to, arg, arg_type(arg), &spot)
                                     : encode_nested_text(&to, arg, &spot));
    room[to.length] = '\0';
    return to.length;
}

size_t arg_write(const evpq_arg *arg, char *room)
{
    if (is_given(arg)) {
        memcpy(room, arg->value.data, arg->length);
        room[arg->length] = '\0';
        return arg->length;
    }
    return arg_is_scalar(arg) ? arg_write_scalar(arg, room) : write_binary(arg, room);
}
