/* request.c - a statement and its parameters in one block:
 * values[n] | types[n] lengths[n] formats[n] (those that are needed) | sql | each value. */
#include "words/request.h"

#include "words/args.h"
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

static const uint32_t *write_types(uint32_t *types, const evpq_args *args)
{
    for (size_t i = 0; i < args->n; i++)
        types[i] = arg_type(&args->v[i]);
    return types;
}

static const int *write_formats(int *formats, const evpq_args *args)
{
    for (size_t i = 0; i < args->n; i++)
        formats[i] = arg_format(&args->v[i]);
    return formats;
}

/* One after the other. Returns where they end. */
static char *write_values(const char **values, char *room, const evpq_args *args)
{
    for (size_t i = 0; i < args->n; i++) {
        const evpq_arg *arg = &args->v[i];
        values[i] = NULL;
        if (arg->kind == EVPQ_ARG_NULL)
            continue;
        values[i] = room;
        room += arg_write(arg, room) + 1;
    }
    return room;
}

/* As far as the zero byte before the next one. */
static void write_lengths(int *lengths, const char *const *values, size_t n, const char *end)
{
    while (n--) {
        lengths[n] = values[n] ? (int)(end - values[n] - 1) : 0;
        end = values[n] ? values[n] : end;
    }
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
    if (size->types)
        r->types = write_types(carve(&rest, n * sizeof *r->types), args);
    int *lengths = NULL;
    if (size->formats) {
        r->lengths = lengths = carve(&rest, n * sizeof *r->lengths);
        r->formats = write_formats(carve(&rest, n * sizeof *r->formats), args);
    }
    r->sql = memcpy(carve(&rest, size->sql + 1), sql, size->sql + 1);
    const char *end = write_values(values, rest, args);
    if (lengths)
        write_lengths(lengths, values, n, end);
}
