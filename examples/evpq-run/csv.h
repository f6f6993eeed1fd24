/* csv.h - reads comma separated values row by row, as RFC 4180 has them.
 *
 * Fields are parted by `,` and rows by LF or CRLF; a field may stand in double quotes, may then
 * hold commas and line ends, and doubles the quotes within. Nothing at all between two commas is
 * NULL, `""` is the empty string; a blank line is a row of one NULL, as it is to PostgreSQL's COPY.
 * A byte order mark at the very beginning is skipped. Nothing is trimmed. */
#ifndef RUN_CSV_H
#define RUN_CSV_H

#include "window.h"

enum csv_status {
    CSV_OK,
    CSV_BAD,   /* this row is malformed, for the reason given; reading goes on with the next line */
    CSV_FATAL, /* the same, and nothing after it can be read */
    CSV_MORE,  /* add to the window, or set its `finished`, and call again */
    CSV_END,
};

/* All borrowed until the next csv_next. */
struct csv_row {
    const char *raw; /* the row as it stands in the input, without its line end */
    size_t raw_length;
    long line; /* where it begins, counted from 1 */
    size_t count;
    const char *const *fields; /* NUL-terminated; a NULL pointer is NULL */
    const char *why;           /* CSV_BAD, CSV_FATAL */
    long why_line, why_column; /* in characters, counted from 1 */
};

struct csv;

struct csv *csv_new(struct window *in); /* `in` is borrowed for the life of the reader */
enum csv_status csv_next(struct csv *csv, struct csv_row *ret_row);
void csv_free(struct csv *csv);

#endif
