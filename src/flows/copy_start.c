/* copy_start.c - how a COPY begins: the statement is checked, a connection is waited for, and the
 * operation is put on its pipeline.
 *
 * A connection of the pool is given back as soon as the operation is on it. The pool gives it to
 * the next user when the pipeline is at rest. */
#include "base/mem.h"
#include "flows/copy_impl.h"
#include "flows/copy_rows.h"
#include "pool/lease.h"
#include "values/args.h"
#include "words/error.h"
#include "words/sql.h"

#include <string.h>

/* ---- life ---- */

static void free_copy(struct copy_op *k)
{
    evpq_copy *c = copy_of_op(k);
    evpq_pool *pool = c->pool;
    evpq_error_unref(c->fault);
    bytes_free(&c->chunk);
    copy_rows_free(c->rows);
    mem_free(c);
    pool_unref(pool);
}

static evpq_error *take_bytes(struct copy_op *k, const char *bytes, size_t n)
{
    evpq_copy *c = copy_of_op(k);
    if (!c->chunk.room && !bytes_grow(&c->chunk, COPY_CHUNK + COPY_CHUNK / 8))
        return evpq_error_ref(error_nomem());
    if (!bytes_put(&c->chunk, bytes, n))
        return evpq_error_ref(error_nomem());
    copy_op_set_full(k, c->chunk.length >= COPY_CHUNK);
    return NULL;
}

static const struct copy_op_owner raw = {
    .changed = copy_serve, .message = take_bytes, .free = free_copy};
static const struct copy_op_owner rows_in = {
    .answered = copy_rows_in_known, .changed = copy_serve, .free = free_copy};
static const struct copy_op_owner rows_out = {.answered = copy_rows_out_known,
                                              .changed = copy_serve,
                                              .message = copy_rows_message,
                                              .free = free_copy};

/* ---- a connection ---- */

static void submit(evpq_copy *c, evpq_lease *lease)
{
    c->pool->done.queries++;
    copy_op_start(&c->op, lease_conn(lease));
}

static void leased(struct lease_wait *w, evpq_lease *lease, evpq_error *why)
{
    evpq_copy *c = container_of(w, evpq_copy, wait);
    if (lease)
        submit(c, lease);
    else
        copy_op_fail(&c->op, error_about(why, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, c->op.sql));
    evpq_error_unref(why);
    evpq_lease_release(lease);
    copy_op_unref(&c->op);
}

static evpq_copy *on_pool(evpq_copy *c)
{
    if (!c || c->op.state == COPY_OVER)
        return c;
    copy_op_ref(&c->op);
    lease_wait_start(&c->wait, c->pool);
    return c;
}

static evpq_copy *on_lease(evpq_copy *c, evpq_lease *lease)
{
    if (!c || c->op.state == COPY_OVER)
        return c;
    evpq_error *refusal = lease_refusal(lease, c->op.sql);
    if (refusal) {
        copy_op_fail(&c->op, refusal);
        return c;
    }
    submit(c, lease);
    return c;
}

static evpq_copy *copy_new(evpq_pool *pool, const struct copy_op_owner *owner, bool in)
{
    evpq_copy *c = mem_zalloc(sizeof *c);
    if (!c)
        return NULL;
    copy_op_init(&c->op, owner, in);
    c->pool = pool;
    pool_ref(pool);
    list_init(&c->steps);
    lease_wait_init(&c->wait, LEASE_FOR_COPY, leased);
    return c;
}

/* ---- the statement ---- */

/* The simple protocol would run several statements, and also one that is no COPY. */
static evpq_error *check_text(const char *sql, bool in)
{
    size_t length;
    if (!sql)
        return copy_refused(NULL, "the SQL is a NULL pointer", NULL);
    if (strlen(sql) > ARGS_MOST_BYTES)
        return copy_refused(NULL, "the SQL has a gigabyte or more, which the server does not take",
                            NULL);
    if (!sql_is_single(sql, &length))
        return copy_refused(sql, "the SQL is more than one statement",
                            "ask for each on its own; a COPY takes one, with nothing behind it");
    if (sql_copy(sql) == (in ? SQL_COPY_IN : SQL_COPY_OUT))
        return NULL;
    return in ? copy_refused(
                    sql, "the SQL is not COPY ... FROM STDIN",
                    "use evpq_pool_copy_out for COPY ... TO STDOUT, and evpq_pool_query for "
                    "other statements")
              : copy_refused(
                    sql, "the SQL is not COPY ... TO STDOUT",
                    "use evpq_pool_copy_in for COPY ... FROM STDIN, and evpq_pool_query for "
                    "other statements");
}

static evpq_error *check_pool(const evpq_pool *pool)
{
    return pool_check(pool) ? evpq_error_ref(loop_refusal(pool->loop)) : NULL;
}

/* If there is an error (taken), the COPY fails from the start. */
static evpq_copy *ready(evpq_copy *c, evpq_error *error)
{
    if (error && c)
        copy_op_fail(&c->op, error);
    else
        evpq_error_unref(error);
    return c;
}

static evpq_copy *new_raw(evpq_pool *pool, const char *sql, bool in)
{
    evpq_copy *c = pool ? copy_new(pool, &raw, in) : NULL;
    if (!c)
        return NULL;
    evpq_error *error = check_pool(pool);
    if (!error)
        error = check_text(sql, in);
    if (!error && !(c->op.sql = mem_strdup(sql)))
        error = evpq_error_ref(error_nomem());
    return ready(c, error);
}

static evpq_copy *new_rows_in(evpq_pool *pool, const char *table, const char *const *columns,
                              size_t n)
{
    evpq_copy *c = pool ? copy_new(pool, &rows_in, true) : NULL;
    if (!c)
        return NULL;
    evpq_error *error = check_pool(pool);
    return ready(c, error ? error : copy_rows_ask_table(c, table, columns, n));
}

static evpq_copy *new_rows_out(evpq_pool *pool, const char *query)
{
    evpq_copy *c = pool ? copy_new(pool, &rows_out, false) : NULL;
    if (!c)
        return NULL;
    evpq_error *error = check_pool(pool);
    return ready(c, error ? error : copy_rows_ask_query(c, query));
}

static evpq_pool *pool_of_lease(const evpq_lease *lease)
{
    return lease ? lease_pool(lease) : NULL;
}

/* ---- the public face ---- */

evpq_copy *evpq_pool_copy_in(evpq_pool *pool, const char *sql)
{
    return on_pool(new_raw(pool, sql, true));
}

evpq_copy *evpq_lease_copy_in(evpq_lease *lease, const char *sql)
{
    return on_lease(new_raw(pool_of_lease(lease), sql, true), lease);
}

evpq_copy *evpq_pool_copy_out(evpq_pool *pool, const char *sql)
{
    return on_pool(new_raw(pool, sql, false));
}

evpq_copy *evpq_lease_copy_out(evpq_lease *lease, const char *sql)
{
    return on_lease(new_raw(pool_of_lease(lease), sql, false), lease);
}

evpq_copy *evpq_pool_copy_rows_in(evpq_pool *pool, const char *table, const char *const *columns,
                                  size_t n)
{
    return on_pool(new_rows_in(pool, table, columns, n));
}

evpq_copy *evpq_lease_copy_rows_in(evpq_lease *lease, const char *table, const char *const *columns,
                                   size_t n)
{
    return on_lease(new_rows_in(pool_of_lease(lease), table, columns, n), lease);
}

evpq_copy *evpq_pool_copy_rows_out(evpq_pool *pool, const char *query)
{
    return on_pool(new_rows_out(pool, query));
}

evpq_copy *evpq_lease_copy_rows_out(evpq_lease *lease, const char *query)
{
    return on_lease(new_rows_out(pool_of_lease(lease), query), lease);
}
