/* sql.c - the first word of a statement, and the target of a COPY. */
#include "words/sql.h"

#include <stddef.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* In ASCII, whatever the locale: A to Z become lower case, and nothing else becomes a letter, or
 * zero. */
static char fold(char c)
{
    return (char)(c | 0x20);
}

static bool starts_word(char c)
{
    return (fold(c) >= 'a' && fold(c) <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool continues_word(char c)
{
    return starts_word(c) || (c >= '0' && c <= '9') || c == '$';
}

/* ---- skipping ----
 * Each takes the first character of a thing and returns what follows it, which is the end of the
 * text when the thing is not finished. */

static const char *skip_comment(const char *p)
{
    int depth = 0;
    while (*p) {
        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;
        } else if (p[0] == '*' && p[1] == '/') {
            p += 2;
            if (--depth == 0)
                return p;
        } else {
            p++;
        }
    }
    return p;
}

static const char *skip_blank(const char *p)
{
    for (;;) {
        if (is_blank(*p))
            p++;
        else if (p[0] == '-' && p[1] == '-')
            p += strcspn(p, "\r\n");
        else if (p[0] == '/' && p[1] == '*')
            p = skip_comment(p);
        else
            return p;
    }
}

/* A doubled quote within ends it and begins another: the same to whoever only skips it. */
static const char *skip_quoted(const char *p, bool escapes)
{
    char quote = *p++;
    while (*p && *p != quote)
        p += escapes && *p == '\\' && p[1] ? 2 : 1;
    return *p ? p + 1 : p;
}

/* $tag$ ... $tag$, or a lone dollar sign. */
static const char *skip_dollar(const char *p)
{
    const char *tag = p++;
    if (starts_word(*p))
        while (continues_word(*p) && *p != '$')
            p++;
    if (*p != '$')
        return p;
    size_t length = (size_t)(++p - tag);
    for (; (p = strchr(p, '$')); p++)
        if (!strncmp(p, tag, length))
            return p + length;
    return tag + strlen(tag);
}

static const char *skip_word(const char *p)
{
    while (continues_word(*p))
        p++;
    return p;
}

/* `escapes`: in plain quotes a backslash does, as where standard_conforming_strings is off. It does
 * in E'' in any case; B'', X'', N'' and U&'' are plain. */
static const char *skip_token(const char *p, bool escapes)
{
    const char *start = p;
    if (starts_word(*p)) {
        p = skip_word(p);
        bool is_e = fold(*start) == 'e' && p == start + 1;
        return *p == '\'' ? skip_quoted(p, escapes || is_e) : p;
    }
    if (*p == '\'')
        return skip_quoted(p, escapes);
    if (*p == '"')
        return skip_quoted(p, false);
    return *p == '$' ? skip_dollar(p) : p + 1;
}

/* ---- words ---- */

/* Whether this word, given in lower case letters, stands at p. */
static bool is_word(const char *p, const char *word)
{
    for (; fold(*p) == *word; p++, word++) /* not so at the end of the word */
        ;
    return !*word && !continues_word(*p);
}

static bool is_one_of(const char *p, const char *const *words)
{
    for (; *words; words++)
        if (is_word(p, *words))
            return true;
    return false;
}

/* FROM or TO, outside parentheses, followed by STDIN or STDOUT. The grammar takes either word after
 * either (copy_file_name in gram.y). */
static enum sql_copy copy_direction(const char *p)
{
    static const char *const client[] = {"stdin", "stdout", NULL};
    int depth = 0;
    enum sql_copy before = SQL_COPY_NOT;
    for (p = skip_blank(p); *p; p = skip_blank(p)) {
        const char *start = p, *end = skip_token(p, false);
        p = end;
        if (before && is_one_of(start, client))
            return before;
        before = SQL_COPY_NOT;
        if (depth == 0 && is_word(start, "from"))
            before = SQL_COPY_IN;
        else if (depth == 0 && is_word(start, "to"))
            before = SQL_COPY_OUT;
        depth += (*start == '(') - (*start == ')');
    }
    return SQL_COPY_NOT;
}

/* The first word, or the parenthesis before it. */
static const char *skip_to_word(const char *p)
{
    if (starts_word(*p))
        return p;
    for (p = skip_blank(p); *p == ';'; p = skip_blank(p + 1))
        ;
    return p;
}

enum sql_kind sql_kind(const char *sql)
{
    static const char *const plannable[] = {"select", "insert", "update", "delete", "with",
                                            "values", "table",  "merge",  NULL};
    const char *p = skip_to_word(sql);
    if (!*p)
        return SQL_EMPTY;
    while (*p == '(')
        p = skip_blank(p + 1);
    if (is_one_of(p, plannable))
        return SQL_PLANNABLE;
    if (is_word(p, "copy") && copy_direction(p + strlen("copy")))
        return SQL_COPY_STREAM;
    return SQL_SESSION;
}

bool sql_is_about_transactions(const char *sql)
{
    static const char *const words[] = {"begin", "start",     "commit",  "end", "rollback",
                                        "abort", "savepoint", "release", NULL};
    const char *p = skip_to_word(sql);
    if (is_word(p, "prepare"))
        return is_word(skip_blank(p + strlen("prepare")), "transaction");
    return is_one_of(p, words);
}

enum sql_copy sql_copy(const char *sql)
{
    const char *p = skip_blank(sql);
    return is_word(p, "copy") ? copy_direction(p + strlen("copy")) : SQL_COPY_NOT;
}

/* Whether nothing follows the first statement, whose length is *ret_length. */
static bool ends_there(const char *sql, bool escapes, size_t *ret_length)
{
    const char *p = skip_blank(sql), *end = sql;
    while (*p && *p != ';') {
        end = skip_token(p, escapes);
        p = skip_blank(end);
    }
    *ret_length = (size_t)(end - sql);
    while (*p == ';')
        p = skip_blank(p + 1);
    return !*p;
}

bool sql_is_single(const char *sql, size_t *ret_length)
{
    size_t escaped;
    return ends_there(sql, true, &escaped) && ends_there(sql, false, ret_length) &&
           escaped == *ret_length;
}
