/* executemany.c - see executemany_pipeline.h: its future, and who asks for it. */
#include "flows/executemany_pipeline.h"

#include "base/mem.h"
#include "flows/txn.h"
#include "words/error.h"

#include <limits.h>

/* ---- the future ---- */

int64_t evpq_future_affected(const evpq_future *f)
{
    const struct executemany *m = future_value(f, &total_class);
    const evpq_result *r = evpq_future_result(f);
    return m ? m->affected : r ? evpq_result_affected(r) : -1;
}

static void executemany_cancel(evpq_future *f)
{
    struct executemany *m = executemany_of(f);
    evpq_outcome outcome = EVPQ_OUTCOME_NOT_SENT;
    evpq_future_ref(f);
    borrower_stop(&m->borrower);
    if (m->conn) {
        enum conn_abandoned how = conn_abandon(m->conn, &m->op);
        if (how <= CONN_NOT_UNDONE)
            executemany_leave(m);
        if (how != CONN_NOT_SENT)
            outcome = EVPQ_OUTCOME_UNKNOWN;
    }
    future_settle_canceled(f, outcome);
    evpq_future_unref(f);
}

static void executemany_free(evpq_future *f)
{
    struct executemany *m = executemany_of(f);
    borrower_free(&m->borrower);
    verdict_free(&m->verdict);
    mem_free(m->copies);
    mem_free(m);
}

static const char *executemany_detail(const evpq_future *f)
{
    return executemany_of(f)->first.sql;
}

static void executemany_why(const evpq_future *f, struct why *why)
{
    const struct executemany *m = executemany_of(f);
    if (op_was_sent(&m->op))
        why_say(why, "%zu of %zu rows are answered; ", m->answered, m->n);
    borrower_why(&m->borrower, m->conn, &m->op, why);
}

static const struct future_class executemany_class = {.name = "executemany",
                                                      .detail = executemany_detail,
                                                      .cancel = executemany_cancel,
                                                      .free = executemany_free,
                                                      .why = executemany_why};

/* ---- asking ---- */

static evpq_error *check_text(const char *sql)
{
    if (sql && sql_kind(sql) == SQL_COPY_STREAM)
        return error_build(&(struct error_fields){
            .status = EVPQ_INVALID,
            .outcome = EVPQ_OUTCOME_NOT_SENT,
            .message = "COPY from stdin or to stdout takes no rows of arguments",
            .sql = sql,
        });
    return txn_refuses_text(sql);
}

/* Whether the same prepared statement can take both. */
static bool agree(const evpq_args *a, const evpq_args *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].type != b->v[i].type)
            return false;
    return true;
}

/* The room for the copies of all, in *ret_room. Given: why they cannot be sent; NULL: they can. */
static evpq_error *measure(const char *sql, const evpq_args *rows, size_t n, size_t *ret_room)
{
    struct request_size size;
    evpq_error *error = check_text(sql);
    if (error)
        return error;
    if (!n || !rows || n > INT_MAX / 2)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "no rows of arguments, or too many of them");
    error = request_measure(sql, &rows[0], &size);
    *ret_room = error ? 0 : request_block_aligned(&size);
    for (size_t i = 0; i < n && !error; i++) {
        error = request_measure("", &rows[i], &size);
        if (!error && !agree(&rows[0], &rows[i]))
            error = error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                              "row %zu differs from the first in the number of its parameters, or "
                              "in a type it declares",
                              i + 1);
        if (!error)
            *ret_room += request_block_aligned(&size);
    }
    return error;
}

static void copy(struct request *r, char **room, const char *sql, const evpq_args *args)
{
    struct request_size size;
    request_measure(sql, args, &size);
    request_write(r, *room, sql, args, &size);
    *room += request_block_aligned(&size);
}

/* If it cannot be sent it has failed from the start, and *ret_executemany is NULL. */
static evpq_future *executemany_new(evpq_loop *loop, const char *sql, const evpq_args *rows,
                                    size_t n, struct executemany **ret_executemany)
{
    size_t room = 0;
    *ret_executemany = NULL;
    evpq_error *error = measure(sql, rows, n, &room);
    if (error)
        return future_failed(loop, error);
    struct executemany *m = mem_alloc(sizeof *m + n * sizeof *m->rows);
    void *copies = m ? mem_alloc(room) : NULL;
    if (!copies) {
        mem_free(m);
        return future_constant(EVPQ_NOMEM);
    }
    *m = (struct executemany){
        .n = n, .copies = copies, .preparable = sql_is_preparable(sql_kind(sql))};
    future_init(&m->future, &executemany_class, loop);
    borrower_init(&m->borrower);
    m->op = (struct op){.class = &executemany_op_class,
                        .size = EXECUTEMANY_PIECE,
                        .wire = OP_BARRIER,
                        .slow = true,
                        .keeps_block = true};
    list_init(&m->op.node);
    char *rest = copies;
    copy(&m->first, &rest, sql, &rows[0]);
    m->op.sql = m->first.sql;
    for (size_t i = 0; i < n; i++)
        copy(&m->rows[i], &rest, "", &rows[i]);
    *ret_executemany = m;
    return &m->future;
}

evpq_future *evpq_executemany(evpq_pool *pool, const char *sql, const evpq_args *rows, size_t n)
{
    struct executemany *m;
    if (pool_check(pool))
        return pool_refused(pool);
    evpq_future *f = executemany_new(pool->loop, sql, rows, n, &m);
    if (!m)
        return f;
    borrower_start(&m->borrower, pool, f, &executemany_work);
    return pool_limit(pool, f, pool->opts.query_timeout);
}

evpq_future *evpq_lease_executemany(evpq_lease *lease, const char *sql, const evpq_args *rows,
                                    size_t n)
{
    struct executemany *m;
    if (!lease || pool_check(lease_pool(lease)))
        return pool_refused(lease ? lease_pool(lease) : NULL);
    evpq_future *f = executemany_new(lease_pool(lease)->loop, sql, rows, n, &m);
    return m ? borrow_now(lease, f, &executemany_work) : f;
}

evpq_future *evpq_txn_executemany(evpq_txn *txn, const char *sql, const evpq_args *rows, size_t n)
{
    struct executemany *m;
    if (txn_check(txn))
        return txn_refused(txn);
    evpq_future *f = executemany_new(txn->session->pool->loop, sql, rows, n, &m);
    if (!m)
        return f;
    m->verdict.role = ROLE_WITHIN;
    return txn_run(txn, f, &executemany_work);
}
