/* sql_token.h - reading an SQL text token by token: blanks, comments, quotations, words.
 *
 * Each sql_skip_ function takes the first character of a thing and returns what follows it, which is
 * the end of the text when the thing is not finished. */
#ifndef WORDS_SQL_TOKEN_H
#define WORDS_SQL_TOKEN_H

#include <stdbool.h>

/* In ASCII, whatever the locale: A to Z become lower case, and nothing else becomes a letter, or
 * zero. */
static inline char sql_fold(char c)
{
    return (char)(c | 0x20);
}

/* White space and comments, if there are any. */
const char *sql_skip_blank(const char *p);

/* A word, a number, a quotation, or else one character. `escapes`: in plain quotes a backslash does, as where standard_conforming_strings is off. It does
 * in E'' in any case; B'', X'', N'' and U&'' are plain. */
const char *sql_skip_token(const char *p, bool escapes);

/* A word, if there is one. */
const char *sql_skip_word(const char *p);

/* The first word, or the parenthesis before it. Blanks and semicolons are skipped. */
const char *sql_skip_to_word(const char *p);

/* Whether this word, given in lower case letters, stands at p. */
bool sql_is_word(const char *p, const char *word);

/* Whether one of these words does; NULL ends the list. */
bool sql_is_one_of(const char *p, const char *const *words);

/* Whether a backslash may be the second byte of a letter: in SJIS, BIG5, GBK, UHC and GB18030 it
 * is, behind a byte of 0x80 or more, and in UTF-8 it never is. Which the server reads is not known
 * here. No quote, semicolon or dollar sign is such a second byte. */
bool sql_has_doubtful_backslash(const char *sql);

#endif
