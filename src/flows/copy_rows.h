/* copy_rows.h - what the files about rows of COPY's binary form share: copy_rows.c, copy_rows_in.c
 * for rows to the server, copy_rows_out.c for rows from it.
 *
 * The form is in PostgreSQL's documentation under COPY, "Binary Format". */
#ifndef FLOWS_COPY_ROWS_H
#define FLOWS_COPY_ROWS_H

#include "flows/copy_impl.h"
#include "values/encode.h"

/* Before the first row stand the signature, flags, and the length of an extension. Behind the last,
 * in the place of the number of columns, stands an end mark. */
enum { COPY_SIGNATURE = 11, COPY_HEAD = COPY_SIGNATURE + 4 + 4 };
static const char copy_signature[COPY_SIGNATURE] = "PGCOPY\n\377\r\n";
static const uint16_t copy_end_mark = UINT16_MAX;

struct copy_column {
    uint32_t type;
    const char *name; /* in `answer` */
};

struct copy_rows {
    void *question; /* the memory of copy.question */
    evpq_result *answer;
    size_t n; /* columns */

    /* to the server */
    struct copy_column *columns;
    struct likeness *likenesses; /* of the columns' types, and of their elements' */
    struct encode_rules rules;
    size_t taken;

    /* from it */
    char *query; /* without its semicolon */
    bool begun, ended;
    size_t last_data, last_spans; /* bytes, of the result before */
    size_t n_came;                /* rows, in: */
    struct bytes data;            /* messages, one after the other */
    struct bytes spans;           /* struct span, in data: as many to a row as there are columns */
};

bool copy_rows_new(evpq_copy *c);

/* What is to be asked first; copied. An error is given. */
evpq_error *copy_rows_set_question(evpq_copy *c, const char *sql, evpq_args args);

/* Given: EVPQ_NOMEM, and EVPQ_INVALID. */
evpq_error *copy_no_memory(void);
evpq_error *copy_refused(const char *sql, const char *message, const char *hint);

bool copy_put_text(struct bytes *b, const char *text);

#endif
