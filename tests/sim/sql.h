/* sql.h - the texts that the model of the server knows, and no others. */
#ifndef TESTS_SIM_SQL_H
#define TESTS_SIM_SQL_H

#include <stdbool.h>

/* Of the workload; $1 is a token. */
#define SQL_INSERT "insert into tokens values ($1) returning token"
#define SQL_DELETE "delete from tokens where token = $1 returning token"
#define SQL_SEE "select token from tokens where token = $1"
#define SQL_ECHO "select $1::int8"
#define SQL_SLOW "select $1::int8 from pg_sleep(1)"
#define SQL_FAIL "select $1::int8 / 0"
#define SQL_DEFERRED "insert into deferred values ($1)" /* refused when the transaction ends */
#define SQL_SERIES "select token from generate_series($1, $1 + 19) token"
enum { SERIES = 20 }; /* rows */
#define SQL_COPY_IN "copy tokens from stdin"
#define SQL_COPY_OUT "copy (select * from generate_series(1, 20)) to stdout"
#define TYPE_NAME "token_kind" /* which is there after every other change of the schema */
#define TABLE_TOKENS "tokens"  /* the only one, as COPY of rows asks for its columns */
#define TABLE_NONE "nothing"
#define SQL_NUMBERS \
 "select number, filler from numbers" /* 20 of them; each odd one has no filler */
enum { FILLER = 9000 };

#define SQL_BEGIN "BEGIN"

/* What a program does to its session: it has no prepared statements any more, ... */
#define SQL_FORGET "deallocate all"
#define SQL_DISCARD "discard all"
/* ... or the table's name means another one, until DISCARD ALL. */
#define SQL_INTO "select $1::int8 as token into temp tokens"
#define SQL_CREATE "create temp table tokens (token int8)"
#define SQL_PATH "set search_path to elsewhere"

enum statement {
    /* those above */
    INSERT,
    DELETE,
    SEE,
    ECHO,
    SLOW,
    FAIL,
    INSERT_DEFERRED,
    INTO,
    ROWS,
    COPY_IN,
    COPY_OUT,
    NUMBERS,
    CREATE,
    PATH,
    FORGET,
    DISCARD,
    /* the library's own */
    BEGIN,
    COMMIT,
    ROLLBACK,
    LISTEN,
    UNLISTEN,
    NOTIFY,
    SAVEPOINT,
    RELEASE,
    ROLLBACK_TO,
    DISCARD_ALL,
    DEALLOCATE,
    NOTHING,
    WHO, /* pipeline/peer.c asks whether it speaks to the server itself */
    TOGETHER,
    GUARD, /* pipeline/send.c: a group of reads */
    /* flows/copy_rows_in.c, copy_rows_out.c */
    COLUMNS,
    COPY_ROWS_IN,
    COPY_ROWS_HIDDEN, /* to what hides the table */
    COPY_ROWS_OUT,
    SPOILED,     /* flows/executemany_pipeline.c: no statement at all */
    TYPES,       /* flows/types.c */
    XACT,        /* flows/probe.c: which transaction this is, ... */
    XACT_STATUS, /* ... and what became of it */
};

/* What a text is; one that is not known ends the run. */
enum statement statement_of(const char *sql);
const char *statement_name(enum statement s);
/* In a block in which something has failed. */
bool statement_runs_in_failed(enum statement s);
/* Its columns are those of the table. */
bool statement_gives_tokens(enum statement s);
/* A COPY: its data come from the program, or go to it; they are binary. */
bool statement_copies_in(enum statement s);
bool statement_copies_out(enum statement s);
bool statement_copies_binary(enum statement s);
/* The oids of its parameters' types; their number is the result. */
enum { PARAMETERS_MOST = 4 };
int statement_parameters(enum statement s, unsigned types[PARAMETERS_MOST]);
/* What a text says behind the words by which it is known. */
const char *statement_argument(enum statement s, const char *sql);
/* The names of its columns, with the type's oid. */
struct column_of {
    const char *name;
    unsigned type;
};
enum { COLUMNS_MOST = 8 };
int statement_columns(enum statement s, struct column_of columns[COLUMNS_MOST]);

#endif
