/* result_refs.c - who holds an evpq_result, and what is freed with the last of them: what is inside
 * its values, and what its rows stand in. */
#include "base/mem.h"
#include "base/recycle.h"
#include "libpq/place.h"
#include "libpq/result.h"

#include <libpq-fe.h>

struct both {
    struct evpq_result result;
    struct notes notes;
};

evpq_result *result_wrap(struct pg_result *pg, struct recycler *blocks)
{
    struct both *both = recycler_take(blocks, sizeof *both);
    if (!both) {
        PQclear(pg);
        return NULL;
    }
    both->result = (struct evpq_result){
        .pg = pg,
        .rows = (unsigned)PQntuples(pg),
        .columns = (unsigned)PQnfields(pg),
        .notes = &both->notes,
        .blocks = recycler_ref(blocks),
    };
    both->notes = (struct notes){.refs = 1};
    return &both->result;
}

void result_note_encoding(evpq_result *r, const struct pg_conn *c)
{
    if (r)
        r->notes->half_letters = !pg_valid_server_encoding_id(PQclientEncoding(c));
}

evpq_result *evpq_result_ref(const evpq_result *r)
{
    if (r)
        result_owner(r)->notes->refs++;
    return (evpq_result *)r;
}

/* ---- the end ---- */

void results_clear(struct pg_result *const *results, size_t n)
{
    for (size_t i = 0; i < n; i++)
        PQclear(results[i]);
}

void copy_buffers_free(char **buffers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        PQfreemem(buffers[i]);
    mem_free(buffers);
}

/* Not inlined, as few results are no PGresult. */
__attribute__((noinline)) static void rowset_free(evpq_result *r)
{
    struct rowset *s = r->rowset;
    results_clear(s->results, s->n_results);
    mem_free(s->results);
    copy_buffers_free(s->buffers, s->n_buffers);
    mem_free(s->own_spans);
    mem_free(s->memory);
    evpq_result_unref(s->head);
    mem_free(r);
}

static void nested_free(evpq_result *r);

/* What is inside a value. */
static void nested_free_one(evpq_result *r)
{
    if (r->notes->cells)
        nested_free(r);
    rowset_free(r);
}

/* The cells of a result, which has some, and the results of what is inside its values. */
__attribute__((noinline)) static void nested_free(evpq_result *r)
{
    struct cells *cells = r->notes->cells;
    for (size_t column = 0; column < r->columns; column++)
        for (size_t slot = SLOT_ARRAY; slot < SLOTS; slot++) {
            struct cell *cell = cells_column(cells, column * SLOTS + slot);
            for (size_t row = 0; cell && row < r->rows; row++)
                if (cell[row].bytes)
                    nested_free_one((evpq_result *)cell[row].bytes);
        }
    cells_free(cells);
}

evpq_result *evpq_result_unref(evpq_result *r)
{
    r = r ? (evpq_result *)result_owner(r) : NULL;
    if (!r || --r->notes->refs)
        return NULL;
    if (r->notes->cells)
        nested_free(r);
    evpq_error_unref(r->notes->fault);
    if (result_is_rowset(r)) {
        rowset_free(r);
        return NULL;
    }
    PQclear(r->pg);
    struct recycler *blocks = r->blocks;
    recycler_give(blocks, r, sizeof(struct both));
    recycler_unref(blocks);
    return NULL;
}
