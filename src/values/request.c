/* request.c - a statement and its parameters in one block:
 * values[n] | types[n] lengths[n] formats[n] (those that are needed) | sql | each value. */
#include "values/request.h"

#include "values/args.h"
#include "words/error.h"

#include <string.h>

/* The protocol counts parameters in sixteen bits. */
enum { MOST_PARAMETERS = 65535 };

static evpq_error *check_list(const char *sql, const evpq_args *args)
{
    if (!sql)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "the SQL is a NULL pointer");
    if (args->n > MOST_PARAMETERS)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "%zu parameters are too many: the protocol allows %d", args->n,
                         MOST_PARAMETERS);
    if (args->n && !args->v)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "the list of %zu parameters is a NULL pointer", args->n);
    if (args->result_format != 0 && args->result_format != 1)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "result format %d is neither text (0) nor binary (1)",
                         args->result_format);
    return NULL;
}

evpq_error *request_measure(const char *sql, const evpq_args *args, struct request_size *ret_size)
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
    size_t values = 0;
    uint32_t types = 0;
    bool binary = false;
    for (size_t n = 1; n <= args->n; n++) {
        const evpq_arg *arg = &args->v[n - 1];
        size_t room;
        error = arg_measure(arg, n, &room);
        if (error)
            return error;
        values += room;
        if (values + 6 * n > ARGS_MOST_BYTES)
            return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                             "the parameters up to $%zu have %zu bytes together, and the server "
                             "takes at most %d",
                             n, values + 6 * n, ARGS_MOST_BYTES);
        types |= arg->type;
        binary |= arg_is_binary(arg);
    }
    size_t arrays =
        sizeof(char *) + (types ? sizeof(uint32_t) : 0) + (binary ? 2 * sizeof(int) : 0);
    *ret_size = (struct request_size){
        .block = args->n * arrays + sql_length + 1 + values,
        .sql = sql_length,
        .types = types != 0,
        .formats = binary,
    };
    return NULL;
}

/* Hands out `size` bytes of the block. */
static void *carve(char **room, size_t size)
{
    void *part = *room;
    *room += size;
    return part;
}

void request_write(struct request *r, void *room, const char *sql, const evpq_args *args,
                   const struct request_size *size)
{
    size_t n = args->n;
    char *rest = room;
    const char **values = carve(&rest, n * sizeof *values);
    *r = (struct request){
        .values = values,
        .sql_length = (uint32_t)size->sql,
        .n = (uint16_t)n,
        .result_format = (uint8_t)args->result_format,
    };
    uint32_t *types = NULL;
    if (size->types)
        r->types = types = carve(&rest, n * sizeof *types);
    int *lengths = NULL, *formats = NULL;
    if (size->formats) {
        r->lengths = lengths = carve(&rest, n * sizeof *lengths);
        r->formats = formats = carve(&rest, n * sizeof *formats);
    }
    r->sql = memcpy(carve(&rest, size->sql + 1), sql, size->sql + 1);
    for (size_t i = 0; i < n; i++) {
        const evpq_arg *arg = &args->v[i];
        bool null = arg->kind == EVPQ_ARG_NULL;
        size_t length = null ? 0 : arg_write(arg, rest);
        values[i] = null ? NULL : rest;
        rest += null ? 0 : length + 1;
        if (types)
            types[i] = arg_type(arg);
        if (formats) {
            lengths[i] = (int)length;
            formats[i] = arg_format(arg);
        }
    }
}
