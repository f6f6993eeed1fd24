/* request.h - the one owned copy of a statement and its parameters, in the arrays that libpq takes.
 *
 * Everything lies in one block that the caller provides (with whatever of its own before it), so
 * that a query costs one allocation. Immutable once written; what crosses threads is this and
 * nothing else. */
#ifndef VALUES_REQUEST_H
#define VALUES_REQUEST_H

#include <evpq/args.h>
#include <evpq/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All pointers lead into the block. types, lengths and formats are NULL where libpq needs none: no
 * type declared, all parameters text. */
struct request {
    const char *sql;
    const uint32_t *types;     /* oids, 0 where the server infers */
    const char *const *values; /* zero-terminated; NULL is SQL NULL */
    const int *lengths;
    const int *formats;
    uint32_t sql_length;
    uint16_t n;
    uint8_t result_format;
};

/* What request_measure has found out for request_write. */
struct request_size {
    size_t block; /* bytes that request_write takes */
    size_t sql;   /* its length */
    bool types, formats;
};

/* The same where another request follows it in the same memory. */
static inline size_t request_block_aligned(const struct request_size *size)
{
    return (size->block + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
}

/* Checks what the server could not be sent (F41), before any size is cast. NULL when all is well,
 * with *ret_size set; otherwise an EVPQ_INVALID error, given. */
evpq_error *request_measure(const char *sql, const evpq_args *args, struct request_size *ret_size);

/* Copies what request_measure found good into `room`, which has the size it said and the alignment
 * of a pointer, and outlives `r`. */
void request_write(struct request *r, void *room, const char *sql, const evpq_args *args,
                   const struct request_size *size);

#endif
