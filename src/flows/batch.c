/* batch.c - see batch_pipeline.h: its futures, and who asks for it. */
#include "flows/batch_pipeline.h"

#include "base/mem.h"
#include "flows/txn.h"
#include "words/error.h"

#include <limits.h>
#include <stdio.h>

/* ---- memory ---- */

static void batch_unref(struct batch *b)
{
    if (!--b->refs)
        mem_free(b);
}

static void entry_free(evpq_future *f)
{
    batch_unref(container_of(f, struct entry, future)->batch);
}

static void batch_free(evpq_future *f)
{
    struct batch *b = batch_of(f);
    borrower_free(&b->borrower);
    verdict_free(&b->verdict);
    for (size_t i = 0; i < b->n; i++) {
        evpq_result_unref(b->entries[i].result);
        evpq_future_unref(&b->entries[i].future);
    }
    batch_unref(b);
}

/* ---- the futures ---- */

static void batch_cancel(evpq_future *f)
{
    struct batch *b = batch_of(f);
    evpq_outcome outcome = EVPQ_OUTCOME_NOT_SENT;
    evpq_future_ref(f);
    borrower_stop(&b->borrower);
    if (b->conn) {
        enum conn_abandoned how = conn_abandon(b->conn, &b->op);
        if (how <= CONN_NOT_UNDONE)
            batch_leave_pipeline(b);
        if (how != CONN_NOT_SENT)
            outcome = EVPQ_OUTCOME_UNKNOWN;
    }
    batch_settle_failed(b, evpq_error_ref(error_canceled(outcome)), b->n);
    evpq_future_unref(f);
}

static void entry_cancel(evpq_future *f)
{
    struct batch *b = container_of(f, struct entry, future)->batch;
    b->future.ending = true;
    batch_cancel(&b->future);
}

static size_t batch_count(const evpq_future *f)
{
    return container_of(f, struct batch, future)->n;
}

static evpq_future *batch_at(const evpq_future *f, size_t i)
{
    return &container_of(f, struct batch, future)->entries[i].future;
}

static void batch_why(const evpq_future *f, struct why *why)
{
    const struct batch *b = container_of(f, struct batch, future);
    borrower_why(&b->borrower, b->conn, &b->op, why);
}

static void entry_why(const evpq_future *f, struct why *why)
{
    batch_why(&container_of(f, struct entry, future)->batch->future, why);
}

static const struct future_class batch_class = {
    .name = "batch",
    .cancel = batch_cancel,
    .free = batch_free,
    .why = batch_why,
    .count = batch_count,
    .at = batch_at,
};

static const struct future_class entry_class = {.name = "statement of a batch",
                                                .cancel = entry_cancel,
                                                .free = entry_free,
                                                .why = entry_why,
                                                .is_leaf = true};

/* ---- asking ---- */

/* The room for a statement's copy, in *ret_size. Given: why it cannot be in a batch; NULL. */
static evpq_error *measure(const evpq_statement *s, struct request_size *ret_size)
{
    evpq_error *error = request_measure(s->sql, &s->args, ret_size);
    if (error)
        return error;
    if (sql_kind(s->sql) == SQL_COPY_STREAM)
        return error_build(&(struct error_fields){
            .status = EVPQ_INVALID,
            .outcome = EVPQ_OUTCOME_NOT_SENT,
            .message = "COPY from stdin or to stdout cannot be in a batch",
            .sql = s->sql,
        });
    return txn_refuses_text(s->sql);
}

static evpq_error *measure_all(const evpq_statement *v, size_t n, size_t *ret_room)
{
    struct request_size size;
    size_t room = 0;
    if (!n || !v)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "a batch without a statement");
    if (n > (size_t)INT_MAX / 4)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "a batch has %zu statements: divide it, as there may be at most %d", n,
                         INT_MAX / 4);
    for (size_t i = 0; i < n; i++) {
        evpq_error *error = measure(&v[i], &size);
        if (error) {
            char place[64];
            snprintf(place, sizeof place, "statement %zu of %zu", i + 1, n);
            evpq_error *placed = error_in_detail(error, EVPQ_OUTCOME_NOT_SENT, place);
            evpq_error_unref(error);
            return placed;
        }
        room += request_block_aligned(&size);
    }
    *ret_room = room;
    return NULL;
}

static void add_entry(struct batch *b, size_t i, const evpq_statement *s, char **room)
{
    struct request_size size;
    struct entry *e = &b->entries[i];
    request_measure(s->sql, &s->args, &size);
    *e = (struct entry){.batch = b, .preparable = sql_is_preparable(sql_kind(s->sql))};
    future_init(&e->future, &entry_class, b->future.loop);
    request_write(&e->request, *room, s->sql, &s->args, &size);
    *room += request_block_aligned(&size);
}

/* If it cannot be sent it has failed from the start, and *ret_batch is NULL. */
static evpq_future *batch_new(evpq_loop *loop, const evpq_statement *v, size_t n,
                              struct batch **ret_batch)
{
    size_t room = 0;
    evpq_error *error = measure_all(v, n, &room);
    *ret_batch = NULL;
    if (error)
        return future_failed(loop, error);
    size_t size = sizeof(struct batch) + n * sizeof(struct entry);
    struct batch *b = mem_alloc(size + room);
    if (!b)
        return future_constant(EVPQ_NOMEM);
    *b = (struct batch){.n = n, .refs = n + 1};
    future_init(&b->future, &batch_class, loop);
    borrower_init(&b->borrower);
    b->op = (struct op){.class = &batch_op_class,
                        .size = room,
                        .slow = true,
                        .changes_data = true,
                        .keeps_block = true};
    list_init(&b->op.node);
    char *rest = (char *)b + size;
    for (size_t i = 0; i < n; i++)
        add_entry(b, i, &v[i], &rest);
    *ret_batch = b;
    return &b->future;
}

evpq_future *evpq_pool_batch(evpq_pool *pool, const evpq_statement *v, size_t n)
{
    struct batch *b;
    if (pool_check(pool))
        return pool_refused(pool);
    evpq_future *f = batch_new(pool->loop, v, n, &b);
    if (!b)
        return f;
    borrower_start(&b->borrower, pool, f, &batch_work);
    return pool_limit(pool, f, pool->opts.query_timeout);
}

evpq_future *evpq_lease_batch(evpq_lease *lease, const evpq_statement *v, size_t n)
{
    struct batch *b;
    if (!lease || pool_check(lease_pool(lease)))
        return pool_refused(lease ? lease_pool(lease) : NULL);
    evpq_pool *pool = lease_pool(lease);
    evpq_future *f = batch_new(pool->loop, v, n, &b);
    return b ? borrow_now(lease, f, &batch_work) : f;
}

evpq_future *evpq_txn_batch(evpq_txn *txn, const evpq_statement *v, size_t n)
{
    struct batch *b;
    if (txn_check(txn))
        return txn_refused(txn);
    evpq_future *f = batch_new(txn->session->pool->loop, v, n, &b);
    if (!b)
        return f;
    b->verdict.role = ROLE_WITHIN;
    return txn_run(txn, f, &batch_work);
}
