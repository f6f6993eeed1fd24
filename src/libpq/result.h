/* result.h - the ways in which an evpq_result comes about; reading it is the public header's
 * business.
 *
 * Each takes what the rows stand in, without copying it, and gives a result: hand it back with
 * evpq_result_unref. NULL when there is no memory; what was taken is freed then too. */
#ifndef LIBPQ_RESULT_H
#define LIBPQ_RESULT_H

#include "values/span.h"

#include <evpq/result.h>
#include <stddef.h>

struct pg_conn;   /* libpq's */
struct pg_result; /* likewise */

struct recycler;

/* One of libpq's results, taken. The block is from, and goes back to, `blocks` (may be NULL). */
evpq_result *result_wrap(struct pg_result *pg, struct recycler *blocks);

/* What a result stands in, freed: so many of libpq's results; what PQgetCopyData gave, and the array
 * of it, which is mem_ memory. */
void results_clear(struct pg_result *const *results, size_t n);
void copy_buffers_free(char **buffers, size_t n);

/* The result (NULL is allowed) came on this connection: its values are in its client_encoding. */
void result_note_encoding(evpq_result *r, const struct pg_conn *c);

/* The rows of `n` results, one after the other, as they come of a statement in single-row or
 * chunked mode: at least one, all of the same columns. Each is taken; the array is borrowed. Its
 * command is "", and affects -1. */
evpq_result *result_join(struct pg_result *const *results, size_t n);

/* One of libpq's results without its rows: the columns, and the command's tag if it has that.
 * Borrowed. NULL without memory. */
evpq_result *result_head(const struct pg_result *pg);

/* Rows of a binary COPY. `spans` point at the fields, row by row, as many to each row as `head` has
 * columns; they lie in `buffers` or in `memory`, where one more byte can be read behind each, as
 * behind what PQgetCopyData gives. */
struct copied {
    size_t n_rows;
    struct span *spans; /* taken: mem_ memory */
    char **buffers;     /* taken: mem_ memory, and each from PQgetCopyData; may be NULL */
    size_t n_buffers;
    void *memory; /* taken: mem_ memory; may be NULL */
};

/* `head` tells the names and types of the columns, whatever its rows and its format: borrowed, but
 * the result keeps a reference. Its command is "", and affects -1. */
evpq_result *result_of_copy(const evpq_result *head, const struct copied *c);

#endif
