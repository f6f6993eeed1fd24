/* request.c - a statement and its parameters in one block:
 * values[n] | types[n] lengths[n] formats[n] (those that are needed) | sql | each value. */
#include "words/request.h"

#include "words/args.h"
#include "words/error.h"

#include <string.h>

/* The protocol counts parameters in sixteen bits. */
enum { MOST_PARAMETERS = 65535 };

/* Which of the optional arrays the parameters need. */
struct needs {
    bool types, formats;
};

static struct needs needs_of(evpq_args args)
{
    struct needs needs = {false, false};
    for (size_t i = 0; i < args.n; i++) {
        needs.types |= args.v[i].type != 0;
        needs.formats |= arg_is_binary(&args.v[i]);
    }
    return needs;
}

static evpq_error *check_list(const char *sql, evpq_args args)
{
    if (!sql)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "the SQL is a NULL pointer");
    if (args.n > MOST_PARAMETERS)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "%zu parameters are too many: the protocol allows %d", args.n,
                         MOST_PARAMETERS);
    if (args.n && !args.v)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "the list of %zu parameters is a NULL pointer", args.n);
    if (args.result_format != 0 && args.result_format != 1)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "result format %d is neither text (0) nor binary (1)", args.result_format);
    return NULL;
}

evpq_error *request_measure(const char *sql, evpq_args args, size_t *ret_size)
{
    evpq_error *error = check_list(sql, args);
    if (error)
        return error;
    size_t sql_length = strlen(sql);
    if (sql_length > ARGS_MOST_BYTES)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "the SQL has %zu bytes, and the server takes at most %d", sql_length,
                         ARGS_MOST_BYTES);
    /* Beside its value a parameter takes a length and a format on the wire. Each term is below 2^30
     * and the sum is checked as it grows, so that it cannot wrap, not even in 32 bits. */
    size_t values = 0, sent = 0;
    for (size_t i = 0; i < args.n; i++) {
        error = arg_check(&args.v[i], i + 1);
        if (error)
            return error;
        size_t room = arg_room(&args.v[i]);
        values += room;
        sent += room + 6;
        if (sent > ARGS_MOST_BYTES)
            return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                             "the parameters up to $%zu have %zu bytes together, and the server "
                             "takes at most %d",
                             i + 1, sent, ARGS_MOST_BYTES);
    }
    struct needs needs = needs_of(args);
    size_t arrays =
        sizeof(char *) + needs.types * sizeof(uint32_t) + needs.formats * 2 * sizeof(int);
    *ret_size = args.n * arrays + sql_length + 1 + values;
    return NULL;
}

/* Hands out `size` bytes of the block. */
static void *carve(char **room, size_t size)
{
    void *part = *room;
    *room += size;
    return part;
}

void request_write(struct request *r, void *room, const char *sql, evpq_args args)
{
    size_t n = args.n, sql_length = strlen(sql);
    struct needs needs = needs_of(args);
    char *rest = room;
    const char **values = carve(&rest, n * sizeof *values);
    uint32_t *types = needs.types ? carve(&rest, n * sizeof *types) : NULL;
    int *lengths = needs.formats ? carve(&rest, n * sizeof *lengths) : NULL;
    int *formats = needs.formats ? carve(&rest, n * sizeof *formats) : NULL;

    *r = (struct request){
        .sql = memcpy(carve(&rest, sql_length + 1), sql, sql_length + 1),
        .sql_length = sql_length,
        .n = (int)n,
        .result_format = args.result_format,
        .types = types,
        .values = values,
        .lengths = lengths,
        .formats = formats,
    };
    for (size_t i = 0; i < n; i++) {
        const evpq_arg *arg = &args.v[i];
        bool null = arg->kind == EVPQ_ARG_NULL;
        size_t length = null ? 0 : arg_write(arg, rest);
        values[i] = null ? NULL : rest;
        if (types)
            types[i] = arg->type;
        if (lengths)
            lengths[i] = (int)length;
        if (formats)
            formats[i] = arg_is_binary(arg);
        rest += null ? 0 : length + 1;
    }
}
