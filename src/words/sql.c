/* sql.c - the first word of a statement, and the target of a COPY. */
#include "words/sql.h"

#include <stdbool.h>
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

/* Whether FROM or TO, outside parentheses, is followed by STDIN or STDOUT. The grammar takes either
 * word after either (copy_file_name in gram.y). */
static bool copies_to_client(const char *p)
{
    static const char *const directions[] = {"from", "to", NULL};
    static const char *const client[] = {"stdin", "stdout", NULL};
    int depth = 0;
    bool directed = false;
    for (p = skip_blank(p); *p; p = skip_blank(p)) {
        const char *start = p;
        bool was_directed = directed;
        directed = false;
        if (starts_word(*p)) {
            p = skip_word(p);
            if (*p == '\'') { /* E'', which escapes; B'', X'', N'' and U&'' do not */
                p = skip_quoted(p, is_word(start, "e"));
                continue;
            }
            if (was_directed && is_one_of(start, client))
                return true;
            directed = depth == 0 && is_one_of(start, directions);
        } else if (*p == '\'' || *p == '"') {
            p = skip_quoted(p, false);
        } else if (*p == '$') {
            p = skip_dollar(p);
        } else {
            depth += (*p == '(') - (*p == ')');
            p++;
        }
    }
    return false;
}

enum sql_kind sql_kind(const char *sql)
{
    static const char *const plannable[] = {"select", "insert", "update", "delete", "with",
                                            "values", "table",  "merge",  NULL};
    const char *p = sql;
    if (!starts_word(*p)) {
        for (p = skip_blank(p); *p == ';'; p = skip_blank(p + 1))
            ;
        if (!*p)
            return SQL_EMPTY;
        while (*p == '(')
            p = skip_blank(p + 1);
    }
    if (is_one_of(p, plannable))
        return SQL_PLANNABLE;
    if (is_word(p, "copy") && copies_to_client(p + strlen("copy")))
        return SQL_COPY_STREAM;
    return SQL_SESSION;
}
