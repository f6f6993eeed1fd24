/* sql.c - the first word of a statement, INTO in a SELECT, and the target of a COPY. */
#include "words/sql.h"

#include <stddef.h>
#include <stdint.h>
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

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *p)
{
    while (is_digit(*p))
        p++;
    return p;
}

/* With its exponent: up to PostgreSQL 14 a word may follow at once, as in 1e5into. */
static const char *skip_number(const char *p)
{
    p = skip_digits(p);
    if (*p == '.')
        p = skip_digits(p + 1);
    if (fold(*p) != 'e')
        return p;
    const char *exponent = p + 1;
    if (*exponent == '+' || *exponent == '-')
        exponent++;
    return is_digit(*exponent) ? skip_digits(exponent) : p;
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
    if (is_digit(*p))
        return skip_number(p);
    return *p == '$' ? skip_dollar(p) : p + 1;
}

/* Whether a backslash may be the second byte of a letter: in SJIS, BIG5, GBK, UHC and GB18030 it
 * is, behind a byte of 0x80 or more, and in UTF-8 it never is. Which the server reads is not known
 * here. No quote, semicolon or dollar sign is such a second byte. */
static bool has_doubtful_backslash(const char *sql)
{
    for (const char *p = sql; (p = strchr(p, '\\')); p++)
        if (p > sql && (unsigned char)p[-1] >= 0x80)
            return true;
    return false;
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

/* ---- SELECT INTO ----
 * Makes a table, perhaps a temporary one that hides another of that name from whoever comes next in
 * the session. INTO is a reserved word: outside quotes it stands in an INSERT, in a MERGE, in a
 * SELECT INTO, or as a label behind AS. INSERT and MERGE are not reserved. */

/* Whether "int" stands before an "o" that is written like this one. */
static bool has_into_with(const char *p, const char *end, char o)
{
    for (p += 3; p < end && (p = memchr(p, o, (size_t)(end - p))); p++)
        if (fold(p[-1]) == 't' && fold(p[-2]) == 'n' && fold(p[-3]) == 'i')
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
    else if (is_one_of(p, selects))
        r->selected |= bit;
}

/* Whether INTO stands where it is neither INSERT INTO nor MERGE INTO. Where it is not sure: yes. */
static bool makes_table(const char *p, bool escapes)
{
    static const char *const takers[] = {"insert", "merge", NULL};
    struct reading r = {.opened = false};
    bool taken = false;
    for (p = skip_blank(p); *p; p = skip_blank(p)) {
        const char *end = skip_token(p, escapes);
        if (!taken && is_word(p, "into"))
            return true;
        taken = is_one_of(p, takers) && may_begin(&r);
        read_on(&r, p);
        p = end;
    }
    return false;
}

/* However the server reads a backslash within quotes. */
static bool is_select_into(const char *p)
{
    return has_into(p) && (has_doubtful_backslash(p) || makes_table(p, false) ||
                           (strchr(p, '\\') && makes_table(p, true)));
}

enum sql_kind sql_kind(const char *sql)
{
    static const char *const queries[] = {"select", "values", "table", NULL};
    static const char *const changes[] = {"insert", "update", "delete", "merge", NULL};
    const char *p = skip_to_word(sql);
    if (!*p)
        return SQL_EMPTY;
    while (*p == '(')
        p = skip_blank(p + 1);
    if (is_one_of(p, queries))
        return is_select_into(p) ? SQL_SESSION : SQL_SELECT;
    if (is_one_of(p, changes))
        return SQL_DML;
    if (is_word(p, "with"))
        return is_select_into(p) ? SQL_SESSION : SQL_DML;
    if (is_word(p, "copy") && copy_direction(p + strlen("copy")))
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
    const char *p = skip_to_word(sql);
    if (is_word(p, "prepare"))
        return is_word(skip_blank(p + strlen("prepare")), "transaction");
    return is_one_of(p, words);
}

/* Whether the word stands anywhere outside quotes. */
static bool has_word(const char *p, const char *word)
{
    for (p = skip_blank(p); *p; p = skip_blank(skip_token(p, false)))
        if (is_word(p, word))
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
    if (is_one_of(p, always))
        return true;
    if (is_word(p, "do")) /* in every language by a call of that name, or through a procedure */
        return strcasestr(p, "commit") || strcasestr(p, "call");
    if (!is_one_of(p, ddl))
        return false;
    return is_one_of(skip_blank(skip_word(p)), objects) || has_word(p, "concurrently");
}

enum sql_scope sql_scope(const char *sql)
{
    static const char *const begins[] = {"begin", "start", NULL};
    static const char *const ends[] = {"commit", "end", "rollback", "abort", NULL};
    const char *p = skip_to_word(sql);
    if (is_one_of(p, begins))
        return SQL_BEGINS;
    if (is_one_of(p, ends))
        return SQL_ENDS;
    if (is_word(p, "prepare") && is_word(skip_blank(skip_word(p)), "transaction"))
        return SQL_ENDS;
    return commits_in_parts(p) ? SQL_COMMITS : SQL_WITHIN;
}

bool sql_stays_in_block(const char *sql)
{
    static const char *const noise[] = {"work", "transaction", NULL};
    const char *p = skip_blank(skip_word(skip_to_word(sql)));
    if (is_one_of(p, noise))
        p = skip_blank(skip_word(p));
    return is_word(p, "to") || (is_word(p, "and") && is_word(skip_blank(skip_word(p)), "chain"));
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
    return !has_doubtful_backslash(sql) && ends_there(sql, true, &escaped) &&
           ends_there(sql, false, ret_length) && escaped == *ret_length;
}
