/* split.h - cuts SQL text into statements where psql would.
 *
 * A statement ends at a `;` outside quotes, comments, parentheses and the BEGIN ... END body of a
 * CREATE FUNCTION or PROCEDURE; the rules are those of psql's scanner (PostgreSQL source,
 * src/fe_utils/psqlscan.l) with standard_conforming_strings on. psql's backslash commands and
 * variables are not SQL and not known.
 *
 * The text of a statement runs from its first word (or block comment: planner hints live there) to
 * its last, without `;`, and without the white space and `--` comments around it. Pieces between
 * two `;` that hold no word are skipped.
 *
 * The lines after a COPY ... FROM STDIN are its data, up to one that is \. or to the end. */
#ifndef RUN_SPLIT_H
#define RUN_SPLIT_H

#include "window.h"

enum split_status {
    SPLIT_OK,
    SPLIT_BAD,   /* this statement cannot be sent, for the reason given; the next one can be read */
    SPLIT_FATAL, /* the same, and nothing after it can be read */
    SPLIT_MORE,  /* add to the window, or set its `finished`, and call again */
    SPLIT_END,
};

struct statement {
    const char *text; /* borrowed until the next split_next; no NUL at its end */
    size_t length;
    long line;          /* of the first word, counted from 1 */
    int params;         /* the highest n of any $n, 0: none */
    char words[2][16];  /* the first two words in lower case, cut to what fits */
    bool copies_in;     /* COPY ... FROM STDIN, or STDOUT, which the server takes for the same */
    bool copies_out;    /* COPY ... TO STDOUT, or STDIN */
    bool binary;        /* COPY in binary */
    bool of_session;    /* SET and whatever else is for the rest of the session */
    bool calls_session; /* it calls a function that may be: set_config, pg_advisory_lock */
    const char *data;   /* of COPY ... FROM STDIN: borrowed as `text` is */
    size_t data_length;
    bool data_ended; /* by \. rather than by the end of the input */
    const char *why; /* SPLIT_BAD, SPLIT_FATAL: borrowed as `text` is */
    long why_line;   /* where it went wrong */
};

struct split;

struct split *split_new(struct window *in); /* `in` is borrowed for the life of the splitter */
enum split_status split_next(struct split *s, struct statement *ret_statement);
void split_free(struct split *s);

#endif
