/* source.h - where the work comes from: SQL from files, standard input or the command line, or one
 * statement and the rows of a CSV file.
 *
 * Work is read lazily, an item at a time, and never blocks on a pipe or terminal: where nothing is
 * there yet the source says so and names the descriptor to watch. Only the part of an input that
 * belongs to the next item is in memory. */
#ifndef RUN_SOURCE_H
#define RUN_SOURCE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One statement to run. Owns its memory; belongs to whom it was given to. */
struct item {
    long number;      /* 1, 2, ... in the order of the input */
    const char *file; /* borrowed from the source, as is a shared `sql` */
    long line;
    const char *sql;
    char *text; /* the statement, or the CSV row, as it stands in the input */
    size_t length;
    char **fields; /* the row's values, NULL for NULL; no row: NULL */
    size_t count;
    int params;                     /* the highest n of any $n in a statement */
    char *bad;                      /* why it cannot be run; NULL when it can */
    long bad_line, bad_column;      /* where that was found; no column: 0 */
    bool copies_in, copies_out;     /* COPY ... FROM STDIN, TO STDOUT */
    bool of_session, calls_session; /* see split.h */
    char *data;                     /* of a COPY ... FROM STDIN */
    size_t data_length;
    bool last; /* bad, and what comes after it in the input will not be read */
};

struct source;

/* What to read. Strings are borrowed for the life of the source; "-" is standard input. */
struct source_options {
    const char *const *files;
    size_t file_count;
    const char *const *sql;
    size_t sql_count;
    const char
        *params;      /* NULL: the SQL is a list of statements; or the CSV file for the only one */
    bool one_session; /* statements run one after the other in the same session */
    bool header;      /* the first row of `params` is names */
};

enum source_status { SOURCE_ITEM, SOURCE_WAIT, SOURCE_END, SOURCE_FAILED };

/* NULL when an input cannot be opened, or `params` is given with other than one statement; then
 * *ret_why says why, given to free(). */
struct source *source_open(const struct source_options *options, char **ret_why);

/* SOURCE_ITEM: *ret_item is given. SOURCE_WAIT: call again when source_fd is readable.
 * SOURCE_FAILED: the input cannot be read on, for the reason source_why tells; nothing more will
 * come. */
enum source_status source_next(struct source *s, struct item **ret_item);
int source_fd(const struct source *s);
const char *source_why(const struct source *s);

/* The header row as it stands in the input, NULL when there is none (yet). Borrowed. */
const char *source_header(const struct source *s);

/* How much there is to read in all, in bytes; -1 when that cannot be known. And how much is behind
 * us. */
int64_t source_total(const struct source *s);
int64_t source_consumed(const struct source *s);

/* The place up to which items were handed out, such as "big.sql:812". Borrowed until the next
 * source call. */
const char *source_place(struct source *s);

/* Whether the file open at `fd` is one of the inputs. */
bool source_reads(const struct source *s, int fd);

void source_close(struct source *s);

/* Where it stands in the input, or where what is bad about it does: "a.sql:12", "rows.csv:3:17". */
void item_place(const struct item *item, struct buf *to);

void item_free(struct item *item);

#endif
