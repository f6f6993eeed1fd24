/* refuse.c - see refuse.h.
 *
 * Statements run on any connection and side by side, so one that opens or ends a transaction would
 * do so for whatever happens to come next there, and a setting would be that of whatever comes
 * next. A script that relies on it must not be run in part. With one job all share a session. */
#include "refuse.h"

#include <string.h>
#include <strings.h>

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

/* Its data may hold the line that ends those of the other formats. */
static bool copies_binary(const struct statement *st)
{
    static const char quoted[] = "'binary'";
    size_t length = sizeof quoted - 1;

    for (size_t i = 0; i + length <= st->length; i++)
        if (strncasecmp(st->text + i, quoted, length) == 0)
            return true;
    return st->binary;
}

static const char *refuse_copy(const struct statement *st, bool from_argument)
{
    if (st->copies_in && copies_binary(st))
        return "COPY FROM STDIN in binary cannot be used: where its data end cannot be told (use psql or "
               "copypipe)";
    if (st->copies_in && from_argument && !st->data_ended)
        return "COPY FROM STDIN has no data in an argument: put both into a file, the data from the next "
               "line on, up to a line with \\.";
    return NULL;
}

const char *refuse(const struct statement *st, bool one_session, bool from_argument)
{
    if (controls_transaction(st))
        return "transaction control cannot be used: every statement here commits by itself, on any "
               "connection (to run several as one, put them into a DO block or a function, or use psql)";
    if (is(st, "listen", NULL) || is(st, "unlisten", NULL))
        return "LISTEN cannot be used: notifications are not shown here (use psql)";
    if (st->of_session && !one_session)
        return "what is for the rest of a session (SET, PREPARE, temporary tables and the like) cannot be "
               "used with several jobs, which have a session each: use -j 1, or --set NAME=VALUE for "
               "settings of all of them";
    return refuse_copy(st, from_argument);
}
