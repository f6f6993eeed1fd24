/* pq.c - libpq, wrapped thin.
 *
 * The one file that knows which version of libpq it is built for. Where the library has a call that
 * the header at hand does not declare (a newer libpq under an older header), it is declared
 * here. */
#include "libpq/pq.h"

#include "base/mem.h"
#include "config.h"
#include "words/error.h"

#include <ctype.h>
#include <dlfcn.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if HAVE_PQSENDPIPELINESYNC && !HAVE_DECL_PQSENDPIPELINESYNC
extern int PQsendPipelineSync(PGconn *conn);
#endif
#if HAVE_PQSENDCLOSEPREPARED && !HAVE_DECL_PQSENDCLOSEPREPARED
extern int PQsendClosePrepared(PGconn *conn, const char *name);
#endif
#if HAVE_PQCANCELSTART && !HAVE_DECL_PQCANCELSTART
typedef struct pg_cancel_conn PGcancelConn;
extern PGcancelConn *PQcancelCreate(PGconn *conn);
extern int PQcancelStart(PGcancelConn *conn);
extern PostgresPollingStatusType PQcancelPoll(PGcancelConn *conn);
extern int PQcancelSocket(const PGcancelConn *conn);
extern void PQcancelFinish(PGcancelConn *conn);
#endif

/* ---- libpq's prose ---- */

static bool is_sqlstate(const char *p)
{
    for (int i = 0; i < 5; i++)
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z')))
            return false;
    return p[5] == ':' && p[6] == ' ';
}

/* Connections are set to PQERRORS_VERBOSE, the only way to learn why the server refused one:
 * "FATAL:  28P01: password
 * ...". Makes one line of it: codes are taken out (the first into `sqlstate`), LOCATION lines left
 * out. */
static void tidy(const char *text, char *to, size_t room, char sqlstate[6])
{
    size_t n = 0;
    bool line_start = true;
    sqlstate[0] = '\0';
    for (const char *p = text; *p && n + 3 < room;) {
        if (line_start && !strncmp(p, "LOCATION:", 9)) {
            p += strcspn(p, "\n");
            p += *p == '\n';
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

/* The untranslated severity, from servers that send it (9.6 and later). */
bool pq_is_fatal(const struct pg_result *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity && (!strcmp(severity, "FATAL") || !strcmp(severity, "PANIC"));
}

static void drop_notice(void *arg, const PGresult *r)
{
    (void)arg, (void)r;
}

static void receive_notice(void *arg, const PGresult *r)
{
    struct pq_listener *listener = arg;
    evpq_error *notice = error_from(r, EVPQ_SERVER, EVPQ_OUTCOME_UNKNOWN, NULL);
    listener->notice(listener, notice, pq_is_fatal(r));
}

void pq_listen(struct pg_conn *c, struct pq_listener *listener)
{
    PQsetNoticeReceiver(c, receive_notice, listener);
}

/* ---- connecting ---- */

struct pg_conn *pq_connect(const char *const *keywords, const char *const *values)
{
    PGconn *c = PQconnectStartParams(keywords, values, 1);
    if (!c)
        return NULL;
    PQsetNoticeReceiver(c, drop_notice, NULL);
    PQsetErrorVerbosity(c, PQERRORS_VERBOSE);
    return c;
}

enum pq_poll pq_connect_poll(struct pg_conn *c)
{
    if (PQstatus(c) == CONNECTION_BAD)
        return PQ_POLL_FAILED;
    switch (PQconnectPoll(c)) {
    case PGRES_POLLING_OK:
        return PQ_POLL_DONE;
    case PGRES_POLLING_READING:
        return PQ_POLL_READ;
    case PGRES_POLLING_WRITING:
        return PQ_POLL_WRITE;
    default:
        return PQ_POLL_FAILED;
    }
}

bool pq_is_whole(const struct pg_conn *c)
{
    return PQstatus(c) == CONNECTION_OK;
}

bool pq_enter_pipeline(struct pg_conn *c)
{
    return !PQsetnonblocking(c, 1) && PQenterPipelineMode(c);
}

void pq_finish(struct pg_conn *c)
{
    PQfinish(c);
}

int pq_socket(const struct pg_conn *c)
{
    return PQsocket(c);
}

int pq_backend_pid(const struct pg_conn *c)
{
    return PQbackendPID(c);
}

/* ---- sending ---- */

bool pq_send_request(struct pg_conn *c, const struct request *r)
{
    return PQsendQueryParams(c, r->sql, r->n, r->types, r->values, r->lengths, r->formats,
                             r->result_format);
}

bool pq_send_prepare(struct pg_conn *c, const char *name, const struct request *r)
{
    return PQsendPrepare(c, name, r->sql, r->n, r->types);
}

bool pq_send_prepared(struct pg_conn *c, const char *name, const struct request *r)
{
    return PQsendQueryPrepared(c, name, r->n, r->values, r->lengths, r->formats, r->result_format);
}

bool pq_send_command(struct pg_conn *c, const char *sql)
{
    return PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, 0);
}

bool pq_send_prepare_command(struct pg_conn *c, const char *name, const char *sql)
{
    return PQsendPrepare(c, name, sql, 0, NULL);
}

bool pq_send_prepared_command(struct pg_conn *c, const char *name)
{
    return PQsendQueryPrepared(c, name, 0, NULL, NULL, NULL, 0);
}

bool pq_send_deallocate(struct pg_conn *c, const char *name)
{
#if HAVE_PQSENDCLOSEPREPARED
    return PQsendClosePrepared(c, name);
#else
    char sql[64];
    snprintf(sql, sizeof sql, "DEALLOCATE %s", name);
    return pq_send_command(c, sql);
#endif
}

bool pq_send_sync(struct pg_conn *c)
{
#if HAVE_PQSENDPIPELINESYNC
    return PQsendPipelineSync(c);
#else
    return PQpipelineSync(c);
#endif
}

int pq_flush(struct pg_conn *c)
{
    return PQflush(c);
}

/* ---- receiving ---- */

bool pq_consume(struct pg_conn *c)
{
    bool alive = PQconsumeInput(c);
    for (PGnotify *n; (n = PQnotifies(c));)
        PQfreemem(n); /* nobody can have asked for it: LISTEN is undone with the lease */
    return alive;
}

struct pq_tls pq_tls(struct pg_conn *c)
{
    struct pq_tls tls = {.session = PQsslInUse(c) ? PQsslStruct(c, "OpenSSL") : NULL};
    if (!tls.session)
        return tls;
    /* SSL_pending of the very OpenSSL that this libpq is linked with, which need not be the
     * program's. */
    Dl_info libpq;
    void *object = NULL;
    void *entry = (void *)(uintptr_t)PQsslStruct;
    if (dladdr(entry, &libpq) && libpq.dli_fname)
        object = dlopen(libpq.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    void *symbol = dlsym(object ? object : RTLD_DEFAULT, "SSL_pending");
    if (object)
        dlclose(object);
    memcpy(&tls.pending, &symbol, sizeof symbol);
    return tls;
}

enum pq_kind pq_next(struct pg_conn *c, struct pg_result **ret_result)
{
    *ret_result = NULL;
    if (PQisBusy(c)) /* PQgetResult would wait otherwise */
        return PQ_NOTHING;
    PGresult *r = PQgetResult(c);
    if (!r)
        return PQ_END;
    switch (PQresultStatus(r)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        *ret_result = r;
        return PQ_RESULT;
    case PGRES_PIPELINE_SYNC:
        PQclear(r);
        return PQ_SYNC;
    case PGRES_PIPELINE_ABORTED:
        PQclear(r);
        return PQ_ABORTED;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        PQclear(r);
        return PQ_COPYING;
    default:
        if (!pq_is_whole(c) && !PQresultErrorField(r, PG_DIAG_SEVERITY)) {
            PQclear(r); /* made up for want of an answer: what ended the link is told by
                           pq_lost_error */
            return PQ_NOTHING;
        }
        *ret_result = r;
        return PQ_ERROR;
    }
}

enum pq_mark pq_mark(const struct pg_result *r)
{
    const char *tag =
        PQresultStatus(r) == PGRES_COMMAND_OK ? PQcmdStatus((PGresult *)(uintptr_t)r) : "";
    if (!strncmp(tag, "SELECT ", 7))
        return PQ_MARK_TABLE;
    if (!strcmp(tag, "DISCARD ALL") || !strcmp(tag, "DEALLOCATE ALL"))
        return PQ_MARK_NO_STATEMENTS;
    return PQ_MARK_NONE;
}

void pq_clear(struct pg_result *r)
{
    PQclear(r);
}

evpq_error *pq_result_error(const struct pg_result *r, const char *sql)
{
    if (pq_is_fatal(r)) /* the server hangs up; in rare cases it has committed before (a wait for a
                           standby cut short) */
        return error_from(r, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, sql);
    if (PQresultErrorField(r, PG_DIAG_SEVERITY))
        return error_from(r, EVPQ_SERVER, EVPQ_OUTCOME_REJECTED, sql);
    /* No server speaks: libpq could not make sense of, or had no memory for, an answer that
     * came. */
    bool memory = is_about_memory(PQresultErrorMessage(r));
    return error_from(r, memory ? EVPQ_NOMEM : EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, sql);
}

enum pq_stale pq_stale(const struct pg_result *r)
{
    const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *function = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
    if (!sqlstate || !function)
        return PQ_STALE_NO;
    if (!strcmp(sqlstate, "26000") && !strcmp(function, "FetchPreparedStatement"))
        return PQ_STALE_GONE;
    if (!strcmp(sqlstate, "0A000") && !strcmp(function, "RevalidateCachedQuery"))
        return PQ_STALE_PLAN;
    return PQ_STALE_NO;
}

enum pq_transaction pq_transaction(const struct pg_conn *c)
{
    switch (PQtransactionStatus(c)) {
    case PQTRANS_IDLE:
        return PQ_TXN_IDLE;
    case PQTRANS_INTRANS:
        return PQ_TXN_OPEN;
    case PQTRANS_INERROR:
        return PQ_TXN_FAILED;
    default:
        return PQ_TXN_UNKNOWN;
    }
}

/* ---- canceling ---- */

#if HAVE_PQCANCELSTART

struct pq_cancel *pq_cancel_new(struct pg_conn *c)
{
    return (struct pq_cancel *)(void *)PQcancelCreate(c);
}

static PGcancelConn *cancel_conn(const struct pq_cancel *k)
{
    return (PGcancelConn *)(uintptr_t)k;
}

void pq_cancel_free(struct pq_cancel *k)
{
    PQcancelFinish(cancel_conn(k));
}

bool pq_cancel_is_async(void)
{
    return true;
}

bool pq_cancel_start(struct pq_cancel *k)
{
    return PQcancelStart(cancel_conn(k));
}

enum pq_poll pq_cancel_poll(struct pq_cancel *k)
{
    switch (PQcancelPoll(cancel_conn(k))) {
    case PGRES_POLLING_OK:
        return PQ_POLL_DONE;
    case PGRES_POLLING_READING:
        return PQ_POLL_READ;
    case PGRES_POLLING_WRITING:
        return PQ_POLL_WRITE;
    default:
        return PQ_POLL_FAILED;
    }
}

int pq_cancel_socket(const struct pq_cancel *k)
{
    return PQcancelSocket(cancel_conn(k));
}

bool pq_cancel_now(struct pq_cancel *k)
{
    (void)k;
    return false;
}

#else

struct pq_cancel *pq_cancel_new(struct pg_conn *c)
{
    return (struct pq_cancel *)(void *)PQgetCancel(c);
}

void pq_cancel_free(struct pq_cancel *k)
{
    PQfreeCancel((PGcancel *)(void *)k);
}

bool pq_cancel_is_async(void)
{
    return false;
}

bool pq_cancel_start(struct pq_cancel *k)
{
    (void)k;
    return false;
}

enum pq_poll pq_cancel_poll(struct pq_cancel *k)
{
    (void)k;
    return PQ_POLL_FAILED;
}

int pq_cancel_socket(const struct pq_cancel *k)
{
    (void)k;
    return -1;
}

bool pq_cancel_now(struct pq_cancel *k)
{
    char why[256];
    return PQcancel((PGcancel *)(void *)k, why, sizeof why);
}

#endif
