/* rowset.c - results put together from rows that arrived apart. */
#include "libpq/rowset.h"

#include "base/mem.h"
#include "libpq/place.h"
#include "libpq/result.h"

#include <libpq-fe.h>
#include <limits.h>

/* In one block with its columns and, mostly, its spans. */
struct whole {
    struct evpq_result result;
    struct notes notes;
    struct rowset rowset;
};

static bool block_size(size_t rows, size_t columns, bool with_spans, size_t *ret_size)
{
    size_t spans = 0, size;
    if (rows > INT_MAX || columns > INT_MAX)
        return false;
    if (__builtin_mul_overflow(columns, sizeof(struct column), &size) ||
        __builtin_add_overflow(size, sizeof(struct whole), &size))
        return false;
    if (with_spans && (__builtin_mul_overflow(rows, columns, &spans) ||
                       __builtin_mul_overflow(spans, sizeof(struct span), &spans)))
        return false;
    return !__builtin_add_overflow(size, spans, ret_size);
}

evpq_result *rowset_new(size_t rows, size_t columns, struct column **ret_columns,
                        struct span **ret_spans)
{
    size_t size;
    struct whole *w = block_size(rows, columns, ret_spans != NULL, &size) ? mem_alloc(size) : NULL;
    if (!w)
        return NULL;
    *ret_columns = (struct column *)(w + 1);
    w->rowset = (struct rowset){.columns = *ret_columns};
    if (ret_spans)
        w->rowset.spans = *ret_spans = (struct span *)(*ret_columns + columns);
    w->result = (struct evpq_result){
        .rows = (unsigned)rows,
        .columns = (unsigned)columns,
        .notes = &w->notes,
        .rowset = &w->rowset,
    };
    w->notes = (struct notes){.refs = 1};
    return &w->result;
}

/* ---- gathered rows ---- */

static struct span *buffer_row(const PGresult *pg, struct span *to)
{
    int rows = PQntuples(pg), columns = PQnfields(pg);
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++, to++) {
            to->bytes = PQgetvalue(pg, row, column);
            to->length = PQgetlength(pg, row, column);
            if (!to->length && PQgetisnull(pg, row, column))
                to->length = -1;
        }
    return to;
}

/* False where the results differ in their number of columns. */
static bool count_rows(struct pg_result *const *results, size_t n, size_t *ret_rows)
{
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) {
        if (PQnfields(results[i]) != PQnfields(results[0]))
            return false;
        rows += (size_t)PQntuples(results[i]);
    }
    *ret_rows = rows;
    return n > 0;
}

evpq_result *result_join(struct pg_result *const *results, size_t n)
{
    struct column *columns;
    struct span *spans;
    size_t rows;
    evpq_result *r = NULL;
    struct pg_result **own = mem_dup(results, n * sizeof(struct pg_result *));
    if (own && count_rows(results, n, &rows))
        r = rowset_new(rows, (size_t)PQnfields(results[0]), &columns, &spans);
    if (!r) {
        mem_free(own);
        results_clear(results, n);
        return NULL;
    }
    r->rowset->results = own;
    r->rowset->n_results = n;
    for (unsigned i = 0; i < r->columns; i++)
        columns[i] = (struct column){
            .name = PQfname(results[0], (int)i),
            .type = PQftype(results[0], (int)i),
            .binary = PQfformat(results[0], (int)i) != 0,
        };
    for (size_t i = 0; i < n; i++)
        spans = buffer_row(results[i], spans);
    return r;
}

evpq_result *result_head(const struct pg_result *pg)
{
    PGresult *head = PQcopyResult(pg, PG_COPYRES_ATTRS);
    return head ? result_wrap(head, NULL) : NULL;
}

/* ---- rows of a COPY ---- */

evpq_result *result_of_copy(const evpq_result *head, const struct copied *c)
{
    struct column *columns;
    evpq_result *r = rowset_new(c->n_rows, (size_t)evpq_result_columns(head), &columns, NULL);
    if (!r) {
        copy_buffers_free(c->buffers, c->n_buffers);
        mem_free(c->memory);
        mem_free(c->spans);
        return NULL;
    }
    struct rowset *s = r->rowset;
    s->head = evpq_result_ref(head);
    r->notes->half_letters = head->notes->half_letters;
    s->buffers = c->buffers;
    s->n_buffers = c->n_buffers;
    s->memory = c->memory;
    s->spans = s->own_spans = c->spans;
    for (unsigned i = 0; i < r->columns; i++)
        columns[i] = (struct column){
            .name = evpq_result_column_name(head, (int)i),
            .type = evpq_result_column_type(head, (int)i),
            .binary = true,
        };
    return r;
}
