/* script.h - the answers that a test has written down, in their order, and how often each has
 * served. */
#ifndef TESTING_SCRIPT_H
#define TESTING_SCRIPT_H

#include "testing/bytes.h"

#include <evpq/testing.h>

enum { COLUMNS_MOST = 256 };

struct column {
    const char *name; /* of a line: its own */
    uint32_t type;
};

/* One answer: a copy. It stays until the script is freed. */
struct line {
    struct line *next;
    evpq_test_answer is; /* its texts are ours; columns and cells are below */
    struct column *columns;
    size_t n_columns;
    char **cells; /* row by row */
    long served;
};

struct script {
    struct line *first, **last;
    struct bytes refused; /* lines of text: what made no sense */
};

void script_init(struct script *s);
void script_free(struct script *s);

/* False and *ret_error (NULL: nobody asks) for what makes no sense, which is kept for
 * script_complain. */
bool script_add(struct script *s, const evpq_test_answer *answer, char **ret_error);

/* The line for a statement, which it serves; NULL: there is none. */
const struct line *script_take(struct script *s, const char *sql);

/* What was expected and did not come, and what was refused, a line of text each. */
void script_complain(const struct script *s, struct bytes *to);

/* Printed to the end of some bytes, without a zero. */
void bytes_print(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
