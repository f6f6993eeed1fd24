/* journal.h - the statements that were received, each with its parameters. An entry stays as it is
 * until the journal is freed: what a caller was given remains valid. */
#ifndef TESTING_JOURNAL_H
#define TESTING_JOURNAL_H

#include "testing/bytes.h"

#include <stdbool.h>

struct entry {
    char *sql;
    int n;
    char **parameters; /* NULL: null */
    bool unscripted;
};

struct journal {
    struct entry **entries;
    size_t n, room, unscripted;
};

/* Copies all. The entry is the journal's. */
struct entry *journal_add(struct journal *j, const char *sql, int n, char *const *parameters);
size_t journal_count(const struct journal *j, const char *part);

/* "select $1 ($1 = '5', $2 is null)", to the end of some bytes, without a zero. */
void entry_print(const struct entry *e, struct bytes *to);

void journal_complain(const struct journal *j, struct bytes *to);
void journal_free(struct journal *j);

#endif
