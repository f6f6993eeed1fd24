/* copy_rows_out.c - rows from the server: the query is described, and what comes is put into
 * results.
 *
 * The server sends each row in a message of its own, the first behind the head ("Message Flow",
 * "COPY Operations", in PostgreSQL's documentation). Values stay where a message was put; spans
 * point at them. */
#include "base/mem.h"
#include "flows/copy_rows.h"
#include "libpq/result.h"
#include "values/args.h"
#include "words/error.h"
#include "words/sql.h"

#include <string.h>

/* ---- the columns ---- */

evpq_error *copy_rows_ask_query(evpq_copy *c, const char *query)
{
    size_t length;
    if (!query)
        return copy_refused(NULL, "the query is a NULL pointer", NULL);
    if (strlen(query) > ARGS_MOST_BYTES)
        return copy_refused(
            NULL, "the query has a gigabyte or more, which the server does not take", NULL);
    if (!sql_is_single(query, &length) || !length)
        return copy_refused(query, "the query is not one statement", NULL);
    if (!copy_rows_new(c))
        return copy_no_memory();
    c->op.describes = true;
    c->rows->query = mem_alloc(length + 1);
    if (!c->rows->query)
        return copy_no_memory();
    memcpy(c->rows->query, query, length);
    c->rows->query[length] = '\0';
    return copy_rows_set_question(c, c->rows->query, (evpq_args){.n = 0});
}

/* The server has parsed the query as one statement, so nothing in it can close the parenthesis. It
 * may end with a comment: the newline ends that. */
char *copy_rows_out_known(struct copy_op *k, const evpq_result *answer, evpq_error **ret_error)
{
    struct copy_rows *rows = copy_of_op(k)->rows;
    struct bytes sql = {.data = NULL};
    rows->answer = evpq_result_ref(answer);
    rows->n = (size_t)evpq_result_columns(answer);
    if (!rows->n) {
        *ret_error = copy_refused(rows->query, "the statement gives no columns",
                                  "use evpq_pool_query for what is not a query");
        return NULL;
    }
    if (copy_put_text(&sql, "copy (") && copy_put_text(&sql, rows->query) &&
        copy_put_text(&sql, "\n) to stdout (format binary)") && bytes_put1(&sql, '\0'))
        return sql.data;
    bytes_free(&sql);
    *ret_error = copy_no_memory();
    return NULL;
}

/* ---- rows ---- */

/* Of a result. With its spans it stays below what the C library gives back to the system, and asks
 * for again the next time (M_TRIM_THRESHOLD, 128 kB). */
enum { MOST_DATA = 32 * 1024, LEAST_ROOM = 8 * 1024 };

static uint32_t get(const char *p, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | (uint8_t)p[i];
    return value;
}

/* What is left of a message. */
struct rest {
    const char *p;
    size_t n;
};

static const char *take(struct rest *rest, size_t n)
{
    const char *p = rest->p;
    if (n > rest->n)
        return NULL;
    rest->p += n;
    rest->n -= n;
    return p;
}

/* False: not what is understood here. */
static bool take_head(struct rest *rest)
{
    const char *head = take(rest, COPY_HEAD);
    if (!head || memcmp(head, copy_signature, sizeof copy_signature))
        return false;
    uint32_t flags = get(head + COPY_SIGNATURE, 4), extension = get(head + COPY_SIGNATURE + 4, 4);
    return !(flags >> 16) &&
           take(rest, extension); /* a reader that does not know these flags must stop */
}

static bool take_value(struct rest *rest, struct span *span)
{
    const char *head = take(rest, 4);
    if (!head)
        return false;
    span->length = (int)get(head, 4);
    span->bytes = NULL;
    if (span->length == -1)
        return true;
    span->bytes = span->length < 0 ? NULL : take(rest, (size_t)span->length);
    return span->bytes != NULL;
}

/* Has room for the spans. */
static bool take_row(struct copy_rows *rows, struct rest *rest)
{
    struct span *spans = (struct span *)(void *)(rows->spans.data + rows->spans.length);
    for (size_t i = 0; i < rows->n; i++)
        if (!take_value(rest, &spans[i]))
            return false;
    rows->spans.length += rows->n * sizeof *spans;
    rows->n_came++;
    return true;
}

static evpq_error *malformed(const struct copy_op *k)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_TYPE,
        .outcome = EVPQ_OUTCOME_UNKNOWN,
        .message = "the server sent what is not a row of binary COPY",
        .sql = k->sql,
    });
}

static evpq_error *take_all(const struct copy_op *k, struct copy_rows *rows, struct rest rest)
{
    if (!rows->begun && !take_head(&rest))
        return malformed(k);
    rows->begun = true;
    while (rest.n) {
        const char *count = take(&rest, 2);
        if (!count || rows->ended)
            return malformed(k);
        if (get(count, 2) == copy_end_mark) {
            rows->ended = true;
            continue;
        }
        if (!bytes_grow(&rows->spans, rows->n * sizeof(struct span)))
            return copy_no_memory();
        if (get(count, 2) != rows->n || !take_row(rows, &rest))
            return malformed(k);
    }
    return NULL;
}

/* Spans follow the data that they point at. */
static bool move_data(struct copy_rows *rows, size_t room)
{
    char *data = mem_alloc(room);
    if (!data)
        return false;
    if (rows->data.length)
        memcpy(data, rows->data.data, rows->data.length);
    struct span *spans = (struct span *)(void *)rows->spans.data;
    for (size_t i = 0; i < rows->spans.length / sizeof *spans; i++)
        if (spans[i].bytes)
            spans[i].bytes = data + (spans[i].bytes - rows->data.data);
    mem_free(rows->data.data);
    rows->data.data = data;
    rows->data.room = room;
    return true;
}

/* For as much as came the last time, and some more. */
static bool begin_result(struct copy_rows *rows)
{
    size_t usual = rows->last_data > LEAST_ROOM ? rows->last_data : LEAST_ROOM;
    return bytes_grow(&rows->spans, rows->last_spans + rows->n * sizeof(struct span)) &&
           move_data(rows, usual + usual / 4);
}

/* One more than `n`, which may be read behind the last. */
static bool make_room(struct copy_rows *rows, size_t n)
{
    size_t need = rows->data.length + n + 1;
    if (!rows->data.room && !begin_result(rows))
        return false;
    return need <= rows->data.room || move_data(rows, need + need / 2);
}

evpq_error *copy_rows_message(struct copy_op *k, const char *bytes, size_t n)
{
    struct copy_rows *rows = copy_of_op(k)->rows;
    if (!make_room(rows, n))
        return copy_no_memory();
    size_t start = rows->data.length;
    bytes_put(&rows->data, bytes, n);
    evpq_error *error = take_all(k, rows, (struct rest){rows->data.data + start, n});
    copy_op_set_full(k, rows->n_came && rows->data.length >= MOST_DATA);
    return error;
}

bool copy_rows_has(const evpq_copy *c)
{
    return c->rows->n_came > 0;
}

evpq_result *copy_rows_take(evpq_copy *c)
{
    struct copy_rows *rows = c->rows;
    const struct copied copied = {
        .n_rows = rows->n_came,
        .spans = (struct span *)(void *)rows->spans.data,
        .memory = rows->data.data,
    };
    rows->last_data = rows->data.length;
    rows->last_spans = rows->spans.length;
    rows->n_came = 0;
    rows->data = rows->spans = (struct bytes){.data = NULL};
    return result_of_copy(rows->answer, &copied);
}
