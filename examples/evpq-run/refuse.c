/* refuse.c - see refuse.h.
 *
 * Statements run on any connection and side by side, so one that opens or ends a transaction would
 * do so for whatever happens to come next there. A script that relies on it must not be run in
 * part, nor must one whose COPY is followed by data. */
#include "refuse.h"

#include <string.h>

static bool is(const struct statement *st, const char *first, const char *second)
{
    return strcmp(st->words[0], first) == 0 && (!second || strcmp(st->words[1], second) == 0);
}

static bool controls_transaction(const struct statement *st)
{
    static const char *const always[] = {"begin", "end", "abort", "savepoint", "release"};

    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (is(st, always[i], NULL))
            return true;
    if (is(st, "commit", NULL) || is(st, "rollback", NULL))
        return !is(st, st->words[0], "prepared");
    return is(st, "start", "transaction") || is(st, "prepare", "transaction");
}

const char *refuse(const struct statement *st)
{
    if (controls_transaction(st))
        return "transaction control cannot be used: every statement here commits by itself, on any "
               "connection (to run several as one, put them into a DO block or a function, or use psql)";
    if (st->copies_stdin)
        return "COPY FROM STDIN cannot be used: the data after it would be taken for SQL (use psql)";
    return NULL;
}
