/* copy_impl.h - a COPY as the files of this floor see it: copy_start.c how it gets its statement and a
 * connection, copy.c what it is asked for and the futures that wait, copy_rows.c rows in binary
 * form. */
#ifndef FLOWS_COPY_IMPL_H
#define FLOWS_COPY_IMPL_H

#include "flows/lease_wait.h"
#include "ops/copy_op.h"
#include "pool/pool.h"

#include <evpq/copy.h>

struct copy_rows;

enum {
    COPY_CHUNK = 64 * 1024,          /* what evpq_copy_read gives, about */
    COPY_MOST_WAITING = 1024 * 1024, /* with so much, evpq_copy_write takes no more */
};

struct evpq_copy {
    struct copy_op op;
    evpq_pool *pool;
    struct lease_wait wait; /* holds a reference while it waits */
    struct list steps;      /* futures that wait */
    evpq_error *fault;      /* why something was not taken */
    struct bytes chunk;     /* raw, from the server: what has come */
    struct copy_rows *rows; /* NULL: raw */
};

static inline evpq_copy *copy_of_op(struct copy_op *k)
{
    return container_of(k, evpq_copy, op);
}

/* Settles each future that can be settled now. Whether there was one. */
bool copy_serve(struct copy_op *k);

/* ---- rows ---- */

/* Prepares the question for the columns of a table, or of a query. What is wrong is given. */
evpq_error *copy_rows_ask_table(evpq_copy *c, const char *table, const char *const *columns,
                                size_t n);
evpq_error *copy_rows_ask_query(evpq_copy *c, const char *query);

/* Of struct copy_op_owner. */
char *copy_rows_in_known(struct copy_op *k, const evpq_result *answer, evpq_error **ret_error);
char *copy_rows_out_known(struct copy_op *k, const evpq_result *answer, evpq_error **ret_error);
evpq_error *copy_rows_message(struct copy_op *k, const char *bytes, size_t n);

/* To the server: appends one row, or what ends them. What is wrong is given, and nothing is
 * appended then. */
evpq_error *copy_rows_put(evpq_copy *c, const evpq_args *args);
evpq_error *copy_rows_end(evpq_copy *c);

/* From the server: whether rows have come, and those; given, NULL without memory. */
bool copy_rows_has(const evpq_copy *c);
evpq_result *copy_rows_take(evpq_copy *c);

void copy_rows_free(struct copy_rows *rows);

#endif
