/* sql.h - what kind of statement a text begins with.
 *
 * By its first word alone: enough to choose a connection, not a parser. Reads no further than that
 * word, save in a COPY. Nothing is trusted to it: where it is wrong, the server's answer puts it
 * right. Called by the pool. */
#ifndef WORDS_SQL_H
#define WORDS_SQL_H

enum sql_kind {
    SQL_EMPTY,       /* nothing but blanks, comments and semicolons */
    SQL_PLANNABLE,   /* SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE, WITH */
    SQL_COPY_STREAM, /* COPY FROM STDIN or TO STDOUT, which speaks another protocol while it runs */
    SQL_SESSION,     /* anything else: may begin a transaction, or leave its mark on the session */
};

enum sql_kind sql_kind(const char *sql);

#endif
