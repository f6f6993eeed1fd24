/* sql.h - what kind of statement a text is.
 *
 * Known by its first word, and for a SELECT by the word INTO: enough to choose a connection, not a
 * parser. Where it is not sure it takes the text for SQL_SESSION, which costs time alone. */
#ifndef WORDS_SQL_H
#define WORDS_SQL_H

#include <stdbool.h>
#include <stddef.h>

enum sql_kind {
    SQL_EMPTY,       /* nothing but blanks, comments and semicolons */
    SQL_SELECT,      /* SELECT, VALUES, TABLE */
    SQL_DML,         /* INSERT, UPDATE, DELETE, MERGE, and whatever begins with WITH */
    SQL_COPY_STREAM, /* COPY FROM STDIN or TO STDOUT, which speaks another protocol while it runs */
    SQL_SESSION,     /* anything else, SELECT INTO included: may begin a transaction, or change what
                        a name means in its session */
};

enum sql_kind sql_kind(const char *sql);

/* Texts and their kinds: a program runs the same few again and again. Begin with a zeroed one. */
enum { SQL_MEMO_TEXTS = 16, SQL_MEMO_LONGEST = 240 };
struct sql_memo {
    struct sql_known {
        enum sql_kind kind;
        size_t length;
        char text[SQL_MEMO_LONGEST];
    } known[SQL_MEMO_TEXTS];
};

/* Like sql_kind, for a text of that many bytes. Reads it only when it is not known. */
enum sql_kind sql_memo_kind(struct sql_memo *m, const char *sql, size_t length);

/* Whether a statement of this kind may be prepared, and share a connection with others. */
static inline bool sql_is_preparable(enum sql_kind kind)
{
    return kind == SQL_SELECT || kind == SQL_DML;
}

/* What a statement does to the transaction that it finds. */
enum sql_scope {
    SQL_WITHIN,  /* outside a transaction block the server commits it, or rolls it back, whole */
    SQL_BEGINS,  /* BEGIN, START TRANSACTION */
    SQL_ENDS,    /* COMMIT, END, ROLLBACK, ABORT, PREPARE TRANSACTION; also ROLLBACK TO */
    SQL_COMMITS, /* outside a block it may commit a part of its work before it fails: CALL, a DO that
                    commits, VACUUM, anything CONCURRENTLY, and their like */
};
enum sql_scope sql_scope(const char *sql);

/* Of SQL_ENDS: whether a block is open behind it all the same, when it was carried out: ROLLBACK TO,
 * AND CHAIN. */
bool sql_stays_in_block(const char *sql);

/* Whether it begins or ends a transaction or savepoint: BEGIN, START, COMMIT, END, ROLLBACK, ABORT,
 * SAVEPOINT, RELEASE, PREPARE TRANSACTION. */
bool sql_is_about_transactions(const char *sql);

/* Where the data of a COPY go, if the statement begins with that word: from the client, to it, or
 * neither (a file or program on the server). */
enum sql_copy { SQL_COPY_NOT, SQL_COPY_IN, SQL_COPY_OUT };
enum sql_copy sql_copy(const char *sql);

/* Whether it is one statement at most, however the server reads a backslash within quotes or behind a
 * byte of 0x80 or more, which may be half a letter: nothing
 * follows it but blanks, comments and semicolons, without which it has *ret_length bytes. This one
 * can be trusted: what it is not sure of is false. */
bool sql_is_single(const char *sql, size_t *ret_length);

#endif
