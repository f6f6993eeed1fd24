/* sql.h - what kind of statement a text begins with.
 *
 * By its first word alone: enough to choose a connection, not a parser. Reads no further than that
 * word, save in a COPY. Nothing is trusted to it: where it is wrong, the server's answer puts it
 * right. */
#ifndef WORDS_SQL_H
#define WORDS_SQL_H

#include <stdbool.h>
#include <stddef.h>

enum sql_kind {
    SQL_EMPTY,       /* nothing but blanks, comments and semicolons */
    SQL_PLANNABLE,   /* SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE, WITH */
    SQL_COPY_STREAM, /* COPY FROM STDIN or TO STDOUT, which speaks another protocol while it runs */
    SQL_SESSION,     /* anything else: may begin a transaction, or leave its mark on the session */
};

enum sql_kind sql_kind(const char *sql);

/* Whether it begins or ends a transaction or savepoint: BEGIN, START, COMMIT, END, ROLLBACK, ABORT,
 * SAVEPOINT, RELEASE, PREPARE TRANSACTION. */
bool sql_is_about_transactions(const char *sql);

/* Where the data of a COPY go, if the statement begins with that word: from the client, to it, or
 * neither (a file or program on the server). */
enum sql_copy { SQL_COPY_NOT, SQL_COPY_IN, SQL_COPY_OUT };
enum sql_copy sql_copy(const char *sql);

/* Whether it is one statement at most, however the server reads a backslash within quotes: nothing
 * follows it but blanks, comments and semicolons, without which it has *ret_length bytes. This one
 * can be trusted: what it is not sure of is false. */
bool sql_is_single(const char *sql, size_t *ret_length);

#endif
