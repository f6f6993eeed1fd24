/* sql.c - the first word of a statement, INTO in a SELECT, and the target of a COPY. */
#include "words/sql.h"

#include "words/sql_into.h"
#include "words/sql_token.h"

#include <string.h>

/* FROM or TO, outside parentheses, followed by STDIN or STDOUT. The grammar takes either word after
 * either (copy_file_name in gram.y). */
static enum sql_copy copy_direction(const char *p)
{
    static const char *const client[] = {"stdin", "stdout", NULL};
    int depth = 0;
    enum sql_copy before = SQL_COPY_NOT;
    for (p = sql_skip_blank(p); *p; p = sql_skip_blank(p)) {
        const char *start = p, *end = sql_skip_token(p, false);
        p = end;
        if (before && sql_is_one_of(start, client))
            return before;
        before = SQL_COPY_NOT;
        if (depth == 0 && sql_is_word(start, "from"))
            before = SQL_COPY_IN;
        else if (depth == 0 && sql_is_word(start, "to"))
            before = SQL_COPY_OUT;
        depth += (*start == '(') - (*start == ')');
    }
    return SQL_COPY_NOT;
}

enum sql_kind sql_kind(const char *sql)
{
    static const char *const queries[] = {"select", "values", "table", NULL};
    static const char *const changes[] = {"insert", "update", "delete", "merge", NULL};
    const char *p = sql_skip_to_word(sql);
    if (!*p)
        return SQL_EMPTY;
    while (*p == '(')
        p = sql_skip_blank(p + 1);
    if (sql_is_one_of(p, queries))
        return sql_is_select_into(p) ? SQL_SESSION : SQL_SELECT;
    if (sql_is_one_of(p, changes))
        return SQL_DML;
    if (sql_is_word(p, "with"))
        return sql_is_select_into(p) ? SQL_SESSION : SQL_DML;
    if (sql_is_word(p, "copy") && copy_direction(p + strlen("copy")))
        return SQL_COPY_STREAM;
    return SQL_SESSION;
}

/* Not inlined: few texts are new. What is not run again and again is not kept: it may have a password
 * in it (ALTER ROLE). */
__attribute__((noinline)) static enum sql_kind get_to_know(struct sql_known *known, const char *sql,
                                                           size_t length)
{
    enum sql_kind kind = sql_kind(sql);
    if (length > SQL_MEMO_LONGEST || !sql_is_preparable(kind))
        return kind;
    known->kind = kind;
    known->length = length;
    memcpy(known->text, sql, length);
    return kind;
}

/* A text has its place by its length, and the last to come has it. A place that was never used
 * knows the empty text, and what it is. */
enum sql_kind sql_memo_kind(struct sql_memo *m, const char *sql, size_t length)
{
    struct sql_known *known = &m->known[length % SQL_MEMO_TEXTS];
    if (length == known->length && !memcmp(known->text, sql, length))
        return known->kind;
    return get_to_know(known, sql, length);
}

bool sql_is_about_transactions(const char *sql)
{
    static const char *const words[] = {"begin", "start",     "commit",  "end", "rollback",
                                        "abort", "savepoint", "release", NULL};
    const char *p = sql_skip_to_word(sql);
    if (sql_is_word(p, "prepare"))
        return sql_is_word(sql_skip_blank(p + strlen("prepare")), "transaction");
    return sql_is_one_of(p, words);
}

/* Whether the word stands anywhere outside quotes. */
static bool has_word(const char *p, const char *word)
{
    for (p = sql_skip_blank(p); *p; p = sql_skip_blank(sql_skip_token(p, false)))
        if (sql_is_word(p, word))
            return true;
    return false;
}

/* DDL of which the server commits a part, or which it undoes by hand (PostgreSQL documentation of
 * CREATE INDEX, REINDEX, VACUUM, CREATE DATABASE, CREATE SUBSCRIPTION). */
static bool commits_in_parts(const char *p)
{
    static const char *const always[] = {"call", "vacuum", "cluster", "reindex", NULL};
    static const char *const ddl[] = {"create", "drop", "alter", NULL};
    static const char *const objects[] = {"database", "subscription", "tablespace", "system", NULL};
    if (sql_is_one_of(p, always))
        return true;
    if (sql_is_word(p, "do")) /* in every language by a call of that name, or through a procedure */
        return strcasestr(p, "commit") || strcasestr(p, "call");
    if (!sql_is_one_of(p, ddl))
        return false;
    return sql_is_one_of(sql_skip_blank(sql_skip_word(p)), objects) || has_word(p, "concurrently");
}

enum sql_scope sql_scope(const char *sql)
{
    static const char *const begins[] = {"begin", "start", NULL};
    static const char *const ends[] = {"commit", "end", "rollback", "abort", NULL};
    const char *p = sql_skip_to_word(sql);
    if (sql_is_one_of(p, begins))
        return SQL_BEGINS;
    if (sql_is_one_of(p, ends))
        return SQL_ENDS;
    if (sql_is_word(p, "prepare") && sql_is_word(sql_skip_blank(sql_skip_word(p)), "transaction"))
        return SQL_ENDS;
    return commits_in_parts(p) ? SQL_COMMITS : SQL_WITHIN;
}

bool sql_stays_in_block(const char *sql)
{
    static const char *const noise[] = {"work", "transaction", NULL};
    const char *p = sql_skip_blank(sql_skip_word(sql_skip_to_word(sql)));
    if (sql_is_one_of(p, noise))
        p = sql_skip_blank(sql_skip_word(p));
    return sql_is_word(p, "to") ||
           (sql_is_word(p, "and") && sql_is_word(sql_skip_blank(sql_skip_word(p)), "chain"));
}

enum sql_copy sql_copy(const char *sql)
{
    const char *p = sql_skip_blank(sql);
    return sql_is_word(p, "copy") ? copy_direction(p + strlen("copy")) : SQL_COPY_NOT;
}

/* Whether nothing follows the first statement, whose length is *ret_length. */
static bool ends_there(const char *sql, bool escapes, size_t *ret_length)
{
    const char *p = sql_skip_blank(sql), *end = sql;
    while (*p && *p != ';') {
        end = sql_skip_token(p, escapes);
        p = sql_skip_blank(end);
    }
    *ret_length = (size_t)(end - sql);
    while (*p == ';')
        p = sql_skip_blank(p + 1);
    return !*p;
}

bool sql_is_single(const char *sql, size_t *ret_length)
{
    size_t escaped;
    return !sql_has_doubtful_backslash(sql) && ends_there(sql, true, &escaped) &&
           ends_there(sql, false, ret_length) && escaped == *ret_length;
}
