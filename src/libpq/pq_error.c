/* pq_error.c - what libpq and the server say went wrong, as an evpq_error. */
#include "libpq/pq.h"
#include "words/error.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* ---- libpq's prose ---- */

static bool is_sqlstate(const char *p)
{
    for (int i = 0; i < 5; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z')))
            return false;
    return p[5] == ':' && p[6] == ' ';
}

/* Connections are set to PQERRORS_VERBOSE, the only way to learn why the server refused one
 * ("FATAL:  28P01: ..."). Makes one line of it: codes are taken out (the first into `sqlstate`),
 * LOCATION lines left out. */
static void tidy(const char *text, char *to, size_t room, char sqlstate[6])
{
    size_t n = 0;
    bool line_start = true;
    sqlstate[0] = '\0';
    for (const char *p = text; *p && n + 3 < room;) {
        if (line_start && !strncmp(p, "LOCATION:", 9)) {
            p += strcspn(p, "\n"); /* what follows, of another attempt, is a sentence of its own */
        } else if (*p == '\n') {
            p++;
            line_start = true;
            bool indented = *p == '\t';
            p += strspn(p, "\t");
            if (*p && strncmp(p, "LOCATION:", 9)) {
                if (!indented || !islower((unsigned char)*p)) /* else the sentence goes on */
                    to[n++] = indented ? '.' : ';';
                to[n++] = ' ';
            }
        } else if (p > text + 2 && p[-1] == ' ' && p[-2] == ' ' && p[-3] == ':' && is_sqlstate(p)) {
            if (!sqlstate[0]) {
                memcpy(sqlstate, p, 5);
                sqlstate[5] = '\0';
            }
            p += 7;
        } else {
            to[n++] = *p++;
            line_start = false;
        }
    }
    while (n && strchr("; \n", to[n - 1]))
        n--;
    to[n] = '\0';
}

static evpq_error *link_error(const PGconn *c, evpq_status status, evpq_outcome outcome,
                              const char *if_silent)
{
    char message[1024], sqlstate[6];
    tidy(PQerrorMessage(c), message, sizeof message, sqlstate);
    return error_build(&(struct error_fields){.status = status,
                                              .outcome = outcome,
                                              .message = message[0] ? message : if_silent,
                                              .sqlstate = sqlstate[0] ? sqlstate : NULL});
}

evpq_error *pq_lost_error(const struct pg_conn *c)
{
    return link_error(c, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the connection was lost");
}

static bool is_about_memory(const char *message)
{
    return strstr(message, "out of memory") || strstr(message, "cannot allocate memory");
}

evpq_error *pq_refused_error(const struct pg_conn *c, const char *sql)
{
    evpq_status status = is_about_memory(PQerrorMessage(c)) ? EVPQ_NOMEM : EVPQ_INVALID;
    evpq_error *why = link_error(c, status, EVPQ_OUTCOME_NOT_SENT, "libpq refused the statement");
    evpq_error *error = error_about(why, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, sql);
    evpq_error_unref(why);
    return error;
}

evpq_error *pq_connect_error(const struct pg_conn *c)
{
    evpq_error *e = link_error(c, EVPQ_CONNECT, EVPQ_OUTCOME_NOT_SENT, "the connection failed");
    if (evpq_error_sqlstate(e)[0] || !PQconnectionNeedsPassword(c))
        return e;
    evpq_error *needs = error_build(&(struct error_fields){.status = EVPQ_CONNECT,
                                                           .outcome = EVPQ_OUTCOME_NOT_SENT,
                                                           .message = evpq_error_message(e),
                                                           .sqlstate = "28P01"});
    evpq_error_unref(e);
    return needs;
}

/* ---- what the server says ---- */

static evpq_error *error_from(const PGresult *r, evpq_status status, evpq_outcome outcome,
                              const char *sql)
{
    const char *position = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    char spoken[1024], sqlstate[6];
    if (!primary) /* libpq's own words, or a server's or pooler's without fields */
        tidy(PQresultErrorMessage(r), spoken, sizeof spoken, sqlstate);
    return error_build(&(struct error_fields){
        .status = status,
        .outcome = outcome,
        .position = position ? atoi(position) : 0,
        .message = primary ? primary : spoken,
        .sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE),
        .severity = PQresultErrorField(r, PG_DIAG_SEVERITY),
        .detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL),
        .hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT),
        .context = PQresultErrorField(r, PG_DIAG_CONTEXT),
        .schema = PQresultErrorField(r, PG_DIAG_SCHEMA_NAME),
        .table = PQresultErrorField(r, PG_DIAG_TABLE_NAME),
        .column = PQresultErrorField(r, PG_DIAG_COLUMN_NAME),
        .datatype = PQresultErrorField(r, PG_DIAG_DATATYPE_NAME),
        .constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME),
        .sql = sql,
    });
}

/* ---- what an error says of the connection, the statement, the plan ---- */

static bool has_sqlstate(const PGresult *r, const char *sqlstate)
{
    const char *is = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return is && !strcmp(is, sqlstate);
}

static bool comes_from(const PGresult *r, const char *function)
{
    const char *is = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
    return is && !strcmp(is, function);
}

/* Whether its SQLSTATE begins as one of these; the list ends with NULL. */
static bool is_of_class(const PGresult *r, const char *const *classes)
{
    const char *is = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    for (; is && *classes; classes++)
        if (!strncmp(is, *classes, strlen(*classes)))
            return true;
    return false;
}

/* The untranslated severity, from servers that send it (9.6 and later); poolers send the other
 * alone, in English. */
bool pq_is_fatal(const struct pg_result *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (!severity)
        severity = PQresultErrorField(r, PG_DIAG_SEVERITY);
    return severity && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC"));
}

/* A server process names the function that raised the error (elog.c, send_message_to_frontend);
 * PgBouncer, Odyssey and their like have none to name. What they say is about connections and
 * resources; an error in the data or the text of a statement is the word of whoever has read it.
 * Connection exceptions, and the codes that say so, leave open what became of work elsewhere
 * (PostgreSQL documentation, "PostgreSQL Error Codes"). */
enum pq_word pq_word(const struct pg_result *r)
{
    static const char *const open[] = {"08",    "40003", "57P01", "57P02",
                                       "57P03", "57P04", "57P05", NULL};
    if (pq_is_fatal(r))
        return PQ_WORD_LAST;
    static const char *const statements[] = {"0A", "21", "22", "23", "25", "42", "44", "P0", NULL};
    if (is_of_class(r, open))
        return PQ_WORD_DOUBT;
    bool signed_by_server = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
    return signed_by_server || is_of_class(r, statements) ? PQ_WORD_SERVER : PQ_WORD_DOUBT;
}

const char *pq_sqlstate(const struct pg_result *r)
{
    const char *is = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return is ? is : "";
}

bool pq_is_in_failed_transaction(const struct pg_result *r)
{
    return has_sqlstate(r, "25P02");
}

bool pq_is_prepared_already(const struct pg_result *r)
{
    return has_sqlstate(r, "42P05") && comes_from(r, "StorePreparedStatement");
}

/* The functions are named because a program's own code may raise the same codes. */
enum pq_stale pq_stale(const struct pg_result *r)
{
    /* What no schema's change explains. */
    static const char *const sound[] = {"08", "2201", "23", "25",    "28",  "2D", "40", "42501",
                                        "53", "54",   "55", "57014", "57P", "58", "P0", NULL};
    if (has_sqlstate(r, "26000") && comes_from(r, "FetchPreparedStatement"))
        return PQ_STALE_GONE;
    if (has_sqlstate(r, "0A000") && comes_from(r, "RevalidateCachedQuery"))
        return PQ_STALE_PLAN;
    if (pq_word(r) != PQ_WORD_SERVER || is_of_class(r, sound))
        return PQ_STALE_NO;
    return PQ_STALE_SUSPECT;
}

evpq_error *pq_notice_error(const struct pg_result *r)
{
    return error_from(r, EVPQ_SERVER, EVPQ_OUTCOME_UNKNOWN, NULL);
}

evpq_error *pq_result_error(const struct pg_result *r, const char *sql)
{
    if (pq_is_fatal(r))
        return error_from(r, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, sql);
    if (PQresultErrorField(r, PG_DIAG_SEVERITY))
        return error_from(r, EVPQ_SERVER, EVPQ_OUTCOME_UNKNOWN, sql);
    /* No server speaks: libpq could not make sense of, or had no memory for, an answer that
     * came. */
    bool memory = is_about_memory(PQresultErrorMessage(r));
    return error_from(r, memory ? EVPQ_NOMEM : EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, sql);
}
