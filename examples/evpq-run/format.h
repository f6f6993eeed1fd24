/* format.h - one statement's outcome as text: table, csv, json or none.
 *
 * A format turns an answer or a failure into a piece, in memory; the sink writes pieces one after
 * the other, so the outputs of two statements never mix. Formats see an answer through struct
 * answer and know nothing of where it came from. */
#ifndef RUN_FORMAT_H
#define RUN_FORMAT_H

#include "buf.h"
#include "failure.h"

#include <stdint.h>

struct column {
    const char *name;
    uint32_t type; /* an oid of pg_type */
};

/* Everything is borrowed for the time of the call. */
struct answer {
    long number;      /* which statement of the input */
    const char *file; /* and where it stands */
    long line;
    const char *command; /* the server's word for what it did, such as "INSERT 0 1" */
    const struct column *columns;
    int column_count, row_count;
    const struct buf *copied; /* what COPY ... TO STDOUT gave; NULL: it was no such statement */
    /* A value's text and length; NULL for NULL. */
    const char *(*cell)(const void *from, int row, int column, size_t *ret_length);
    const void *from;
};

/* `head` is written only where it differs from the last one written: CSV's line of column names. */
struct piece {
    struct buf head, body;
};

struct format {
    const char *name;
    void (*answer)(struct piece *to, const struct answer *answer);
    /* NULL: failures leave no trace in this format. `where` is an answer without columns. */
    void (*failure)(struct piece *to, const struct answer *where, const struct failure *failure);
};

/* By name; NULL when there is none such. */
const struct format *format_find(const char *name);

extern const struct format format_table, format_csv, format_json, format_none;

void piece_free(struct piece *piece);

/* Whether values of this type are numbers. */
bool type_is_number(uint32_t type);

#endif
