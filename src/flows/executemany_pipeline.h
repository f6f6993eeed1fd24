/* executemany_pipeline.h - one statement for many rows of arguments: one operation that is sent a piece
 * at a time.
 *
 * It stays open until all rows are handed over, some 64 kB at a time and only while the socket
 * takes them, so that neither side's buffers can fill for good and libpq's stays small. executemany.c is
 * its life, and who asks for it; executemany_pipeline.c what happens on a connection. */
#ifndef FLOWS_EXECUTEMANY_PIPELINE_H
#define FLOWS_EXECUTEMANY_PIPELINE_H

#include "flows/borrow.h"
#include "ops/verdict.h"
#include "values/request.h"

enum { EXECUTEMANY_PIECE = 64 * 1024 };

struct executemany {
    struct evpq_future future;
    struct op op;
    struct conn *conn; /* while on its pipeline */
    struct borrower borrower;
    struct stmt_run run;
    struct verdict verdict;
    const char *name; /* of the prepared statement: "" for the unnamed one */
    bool preparable;
    bool spoiled; /* what cannot be parsed was sent */
    size_t n, sent, answered;
    int64_t affected;
    void *copies;
    struct request first; /* with the text */
    struct request rows[];
};

static inline struct executemany *executemany_of(const evpq_future *f)
{
    return container_of(f, struct executemany, future);
}

/* Of the value that is the block itself, for the number of rows in it. */
extern const struct value_class total_class;

extern const struct op_class executemany_op_class;
extern const struct work executemany_work;

/* The pipeline has given back its operation, or lets go of it. May free the block. */
void executemany_leave(struct executemany *m);

#endif
