/* sql.c - see sql.h. */
#include "sim/sql.h"

#include "sim/world.h"

#include <string.h>

enum { INT4 = 23, INT8 = 20, TEXT = 25 };

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
};
enum { KNOWN = sizeof known / sizeof *known };

enum statement statement_of(const char *sql)
{
    for (int i = 0; i < KNOWN; i++)
        if (known[i].begins ? !strncmp(sql, known[i].text, strlen(known[i].text))
                            : !strcmp(sql, known[i].text))
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

const char *statement_argument(enum statement s, const char *sql)
{
    return known[s].begins ? sql + strlen(known[s].text) : "";
}

int statement_columns(enum statement s, struct column_of columns[2])
{
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
    case TOGETHER:
    case GUARD:
        columns[0] = (struct column_of){"current_setting", TEXT};
        return 1;
    default:
        return 0;
    }
}
