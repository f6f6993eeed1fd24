/* sql_token.c - see sql_token.h. */
#include "words/sql_token.h"

#include "base/ascii.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool starts_word(char c)
{
    return (sql_fold(c) >= 'a' && sql_fold(c) <= 'z') || c == '_' || (unsigned char)c >= 0x80;
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

const char *sql_skip_blank(const char *p)
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

const char *sql_skip_word(const char *p)
{
    while (continues_word(*p))
        p++;
    return p;
}

static const char *skip_digits(const char *p)
{
    while (ascii_is_digit(*p))
        p++;
    return p;
}

/* With its exponent: up to PostgreSQL 14 a word may follow at once, as in 1e5into. */
static const char *skip_number(const char *p)
{
    p = skip_digits(p);
    if (*p == '.')
        p = skip_digits(p + 1);
    if (sql_fold(*p) != 'e')
        return p;
    const char *exponent = p + 1;
    if (*exponent == '+' || *exponent == '-')
        exponent++;
    return ascii_is_digit(*exponent) ? skip_digits(exponent) : p;
}

const char *sql_skip_token(const char *p, bool escapes)
{
    const char *start = p;
    if (starts_word(*p)) {
        p = sql_skip_word(p);
        bool is_e = sql_fold(*start) == 'e' && p == start + 1;
        return *p == '\'' ? skip_quoted(p, escapes || is_e) : p;
    }
    if (*p == '\'')
        return skip_quoted(p, escapes);
    if (*p == '"')
        return skip_quoted(p, false);
    if (ascii_is_digit(*p))
        return skip_number(p);
    return *p == '$' ? skip_dollar(p) : p + 1;
}

bool sql_has_doubtful_backslash(const char *sql)
{
    for (const char *p = sql; (p = strchr(p, '\\')); p++)
        if (p > sql && (unsigned char)p[-1] >= 0x80)
            return true;
    return false;
}

/* ---- words ---- */

bool sql_is_word(const char *p, const char *word)
{
    for (; sql_fold(*p) == *word; p++, word++) /* not so at the end of the word */
        ;
    return !*word && !continues_word(*p);
}

bool sql_is_one_of(const char *p, const char *const *words)
{
    for (; *words; words++)
        if (sql_is_word(p, *words))
            return true;
    return false;
}

const char *sql_skip_to_word(const char *p)
{
    if (starts_word(*p))
        return p;
    for (p = sql_skip_blank(p); *p == ';'; p = sql_skip_blank(p + 1))
        ;
    return p;
}
