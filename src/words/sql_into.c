/* sql_into.c - SELECT INTO.
 *
 * It makes a table, perhaps a temporary one that hides another of that name from whoever comes next in
 * the session. INTO is a reserved word: outside quotes it stands in an INSERT, in a MERGE, in a
 * SELECT INTO, or as a label behind AS. INSERT and MERGE are not reserved. */
#include "words/sql_into.h"

#include "words/sql_token.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Whether "int" stands before an "o" that is written like this one. */
static bool has_into_with(const char *p, const char *end, char o)
{
    for (p += 3; p < end && (p = memchr(p, o, (size_t)(end - p))); p++)
        if (sql_fold(p[-1]) == 't' && sql_fold(p[-2]) == 'n' && sql_fold(p[-3]) == 'i')
            return true;
    return false;
}

/* Whether the letters stand anywhere in the text: rules out nearly all, at the speed of memchr. */
static bool has_into(const char *p)
{
    size_t length = strlen(p);
    return length > 3 && (has_into_with(p, p + length, 'o') || has_into_with(p, p + length, 'O'));
}

/* Where a text is: what is before, and in which parentheses a SELECT has been. */
struct reading {
    int depth;
    uint64_t selected; /* a bit for each depth */
    bool opened;       /* the last was a parenthesis, so that a statement may begin ... */
    bool closed;       /* ... or the last CTE has ended, and the statement itself may begin */
};

/* INSERT and MERGE are names too: of a column, or of a label without AS. Where a statement begins
 * they are not. */
static bool may_begin(const struct reading *r)
{
    return r->opened || (r->closed && r->depth < 64 && !(r->selected & (uint64_t)1 << r->depth));
}

static void read_on(struct reading *r, const char *p)
{
    static const char *const selects[] = {"select", "values", "table", NULL};
    r->opened = *p == '(';
    r->closed = *p == ')';
    r->depth += r->opened;
    r->depth -= r->closed && r->depth;
    uint64_t bit = r->depth < 64 ? (uint64_t)1 << r->depth : 0;
    if (r->opened)
        r->selected &= ~bit;
    else if (sql_is_one_of(p, selects))
        r->selected |= bit;
}

/* Whether INTO stands where it is neither INSERT INTO nor MERGE INTO. Where it is not sure: yes. */
static bool makes_table(const char *p, bool escapes)
{
    static const char *const takers[] = {"insert", "merge", NULL};
    struct reading r = {.opened = false};
    bool taken = false;
    for (p = sql_skip_blank(p); *p; p = sql_skip_blank(p)) {
        const char *end = sql_skip_token(p, escapes);
        if (!taken && sql_is_word(p, "into"))
            return true;
        taken = sql_is_one_of(p, takers) && may_begin(&r);
        read_on(&r, p);
        p = end;
    }
    return false;
}

bool sql_is_select_into(const char *sql)
{
    return has_into(sql) && (sql_has_doubtful_backslash(sql) || makes_table(sql, false) ||
                             (strchr(sql, '\\') && makes_table(sql, true)));
}
