/* sql.c - see sql.h. */
#include "sim/sql.h"

#include "sim/world.h"

#include <string.h>

enum {
    BOOL = 16,
    NAME = 19,
    INT8 = 20,
    INT4 = 23,
    TEXT = 25,
    OID = 26,
    TEXTS = 1009,
    REGCLASS = 2205
};

static const struct {
    const char *text, *name;
    bool begins; /* the text is what it begins with */
} known[] = {
    [INSERT] = {SQL_INSERT, "insert", false},
    [DELETE] = {SQL_DELETE, "delete", false},
    [SEE] = {SQL_SEE, "see", false},
    [ECHO] = {SQL_ECHO, "echo", false},
    [SLOW] = {SQL_SLOW, "slow", false},
    [FAIL] = {SQL_FAIL, "fail", false},
    [INSERT_DEFERRED] = {SQL_DEFERRED, "deferred", false},
    [INTO] = {SQL_INTO, "into", false},
    [ROWS] = {SQL_SERIES, "rows", false},
    [COPY_IN] = {SQL_COPY_IN, "copy in", false},
    [COPY_OUT] = {SQL_COPY_OUT, "copy out", false},
    [NUMBERS] = {SQL_NUMBERS, "numbers", false},
    [CREATE] = {SQL_CREATE, "create", false},
    [PATH] = {SQL_PATH, "set", false},
    [FORGET] = {SQL_FORGET, "deallocate all", false},
    [DISCARD] = {SQL_DISCARD, "discard all", false},
    [BEGIN] = {"BEGIN", "BEGIN", true},
    [COMMIT] = {"COMMIT", "COMMIT", false},
    [ROLLBACK] = {"ROLLBACK", "ROLLBACK", false},
    [LISTEN] = {"LISTEN \"", "LISTEN", true},
    [UNLISTEN] = {"UNLISTEN \"", "UNLISTEN", true},
    [NOTIFY] = {"select pg_catalog.pg_notify($1, $2)", "notify", false},
    [SAVEPOINT] = {"SAVEPOINT ", "SAVEPOINT", true},
    [RELEASE] = {"RELEASE SAVEPOINT ", "RELEASE", true},
    [ROLLBACK_TO] = {"ROLLBACK TO SAVEPOINT ", "ROLLBACK TO", true},
    [DISCARD_ALL] = {"DISCARD ALL", "DISCARD ALL", false},
    [DEALLOCATE] = {"DEALLOCATE ", "DEALLOCATE", true},
    [NOTHING] = {"", "nothing", false},
    [WHO] = {"select pg_catalog.pg_backend_pid(), ", "who", true},
    [TOGETHER] = {"select pg_catalog.current_setting(", "together", true},
    [GUARD] = {"select pg_catalog.set_config('transaction_read_only', 'on', true)", "guard", false},
    [COLUMNS] = {"with recursive wanted(", "columns", true},
    [COPY_ROWS_IN] = {"copy public.tokens (token) from stdin (format binary)", "copy rows in",
                      false},
    [COPY_ROWS_HIDDEN] = {"copy hidden.tokens (token) from stdin (format binary)",
                          "copy rows in to what hides", false},
    [COPY_ROWS_OUT] = {"copy (" SQL_NUMBERS "\n) to stdout (format binary)", "copy rows out",
                       false},
    [SPOILED] = {"executemany was called off", "no statement", false},
    [TYPES] = {"select name, t.oid, t.typarray from ", "types", true},
    [XACT] = {"select pg_catalog.pg_current_xact_id_if_assigned()", "which transaction", true},
    [XACT_STATUS] = {"select case when s.same and ", "status of a transaction", true},
};
enum { KNOWN = sizeof known / sizeof *known };

/* But for a comment. */
static bool is_over(const char *sql)
{
    return !*sql || !strncmp(sql, " /*", 3);
}

enum statement statement_of(const char *sql)
{
    for (int i = 0; i < KNOWN; i++)
        if (!strncmp(sql, known[i].text, strlen(known[i].text)) &&
            (known[i].begins || is_over(sql + strlen(known[i].text))))
            return (enum statement)i;
    violation("the server does not know the text \"%s\"", sql);
}

const char *statement_name(enum statement s)
{
    return known[s].name;
}

bool statement_runs_in_failed(enum statement s)
{
    return s == COMMIT || s == ROLLBACK || s == ROLLBACK_TO || s == NOTHING;
}

bool statement_gives_tokens(enum statement s)
{
    return s == INSERT || s == DELETE || s == SEE || s == ROWS;
}

bool statement_copies_in(enum statement s)
{
    return s == COPY_IN || s == COPY_ROWS_IN || s == COPY_ROWS_HIDDEN;
}

bool statement_copies_out(enum statement s)
{
    return s == COPY_OUT || s == COPY_ROWS_OUT;
}

bool statement_copies_binary(enum statement s)
{
    return s == COPY_ROWS_IN || s == COPY_ROWS_HIDDEN || s == COPY_ROWS_OUT;
}

const char *statement_argument(enum statement s, const char *sql)
{
    return known[s].begins ? sql + strlen(known[s].text) : "";
}

static int give_types(unsigned to[PARAMETERS_MOST], int n, unsigned first, unsigned others)
{
    to[0] = first;
    for (int i = 1; i < n; i++)
        to[i] = others;
    return n;
}

int statement_parameters(enum statement s, unsigned types[PARAMETERS_MOST])
{
    switch (s) {
    case INSERT:
    case DELETE:
    case SEE:
    case ECHO:
    case SLOW:
    case FAIL:
    case INSERT_DEFERRED:
    case INTO:
    case ROWS:
        return give_types(types, 1, INT8, 0);
    case NOTIFY:
        return give_types(types, 2, TEXT, TEXT);
    case COLUMNS:
        return give_types(types, 2, REGCLASS, TEXTS);
    case TYPES:
        return give_types(types, 1, TEXTS, 0);
    case XACT_STATUS:
        return give_types(types, 4, TEXT, TEXT);
    default:
        return 0;
    }
}

int statement_columns(enum statement s, struct column_of columns[COLUMNS_MOST])
{
    static const struct column_of of_table[COLUMNS_MOST] = {
        {"name", NAME},        {"type", OID}, {"quote_ident", TEXT}, {"format", TEXT},
        {"format_type", TEXT}, {"case", OID}, {"oid", OID},          {"case", OID}};
    static const struct column_of of_types[] = {{"name", TEXT}, {"oid", OID}, {"typarray", OID}};
    static const struct column_of of_xact[] = {{"pg_current_xact_id_if_assigned", TEXT},
                                               {"concat", TEXT},
                                               {"concat", TEXT},
                                               {"lsn", TEXT}};
    static const struct column_of of_status[] = {
        {"case", TEXT}, {"same", BOOL}, {"whole", BOOL}, {"standby", BOOL}};
    switch (s) {
    case INSERT:
    case DELETE:
    case SEE:
    case ROWS:
        columns[0] = (struct column_of){"token", INT8};
        return 1;
    case ECHO:
    case SLOW:
    case FAIL:
        columns[0] = (struct column_of){"int8", INT8};
        return 1;
    case WHO:
        columns[0] = (struct column_of){"pg_backend_pid", INT4};
        columns[1] = (struct column_of){"set_config", TEXT};
        return 2;
    case NOTIFY:
        columns[0] = (struct column_of){"pg_notify", TEXT};
        return 1;
    case NUMBERS:
        columns[0] = (struct column_of){"number", INT4};
        columns[1] = (struct column_of){"filler", TEXT};
        return 2;
    case COLUMNS:
        memcpy(columns, of_table, sizeof of_table);
        return COLUMNS_MOST;
    case TYPES:
        memcpy(columns, of_types, sizeof of_types);
        return 3;
    case XACT:
        memcpy(columns, of_xact, sizeof of_xact);
        return 4;
    case XACT_STATUS:
        memcpy(columns, of_status, sizeof of_status);
        return 4;
    case TOGETHER:
    case GUARD:
        columns[0] = (struct column_of){"current_setting", TEXT};
        return 1;
    default:
        return 0;
    }
}
