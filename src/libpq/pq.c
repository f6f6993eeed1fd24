/* pq.c - libpq, wrapped thin.
 *
 * What differs between versions of libpq is told apart here and in pq_cancel.c. Where the library
 * has a call that the header at hand does not declare (a newer libpq under an older header), it is
 * declared there. */
#include "libpq/pq.h"

#include "config.h"
#include "values/value_number.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if HAVE_PQSENDPIPELINESYNC && !HAVE_DECL_PQSENDPIPELINESYNC
extern int PQsendPipelineSync(PGconn *conn);
#endif
#if HAVE_PQSENDCLOSEPREPARED && !HAVE_DECL_PQSENDCLOSEPREPARED
extern int PQsendClosePrepared(PGconn *conn, const char *name);
#endif
#if HAVE_PQSETCHUNKEDROWSMODE && !HAVE_DECL_PQSETCHUNKEDROWSMODE
extern int PQsetChunkedRowsMode(PGconn *conn, int chunkSize);
#endif
enum { TUPLES_CHUNK = PGRES_PIPELINE_ABORTED + 1 }; /* since libpq 17 */

/* ---- notices ---- */

static void drop_notice(void *arg, const PGresult *r)
{
    (void)arg, (void)r;
}

static void receive_notice(void *arg, const PGresult *r)
{
    struct pq_listener *listener = arg;
    listener->notice(listener, pq_notice_error(r), pq_is_fatal(r));
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

enum pq_poll pq_poll_of(int polling)
{
    switch (polling) {
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

enum pq_poll pq_connect_poll(struct pg_conn *c)
{
    return PQstatus(c) == CONNECTION_BAD ? PQ_POLL_FAILED : pq_poll_of(PQconnectPoll(c));
}

bool pq_may_compute(const struct pg_conn *c)
{
    const char *password = PQpass(c);
    return PQstatus(c) == CONNECTION_AWAITING_RESPONSE && password && *password;
}

bool pq_is_encrypted(struct pg_conn *c)
{
    return PQsslInUse(c) || PQgssEncInUse(c);
}

bool pq_is_whole(const struct pg_conn *c)
{
    return PQstatus(c) == CONNECTION_OK;
}

bool pq_enter_pipeline(struct pg_conn *c)
{
    return !PQsetnonblocking(c, 1) && PQenterPipelineMode(c);
}

bool pq_leave_pipeline(struct pg_conn *c)
{
    return PQexitPipelineMode(c);
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

bool pq_send_describe(struct pg_conn *c, const char *name)
{
    return PQsendDescribePrepared(c, name);
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

bool pq_sync_flushes(void)
{
#if HAVE_PQSENDPIPELINESYNC
    return false;
#else
    return true;
#endif
}

bool pq_send_simple(struct pg_conn *c, const char *sql)
{
    return PQsendQuery(c, sql);
}

bool pq_ask_rows(struct pg_conn *c, int rows)
{
#if HAVE_PQSETCHUNKEDROWSMODE
    return PQsetChunkedRowsMode(c, rows);
#else
    (void)rows;
    return PQsetSingleRowMode(c);
#endif
}

bool pq_gives_chunks(void)
{
#if HAVE_PQSETCHUNKEDROWSMODE
    return true;
#else
    return false;
#endif
}

int pq_flush(struct pg_conn *c)
{
    return PQflush(c);
}

/* ---- receiving ---- */

bool pq_consume(struct pg_conn *c)
{
    return PQconsumeInput(c);
}

bool pq_notified(struct pg_conn *c, struct pq_notification *n)
{
    if (n->handle)
        PQfreemem(n->handle);
    PGnotify *next = PQnotifies(c);
    *n = (struct pq_notification){.handle = next};
    if (!next)
        return false;
    n->channel = next->relname;
    n->payload = next->extra;
    n->pid = next->be_pid;
    return true;
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
    switch ((int)PQresultStatus(r)) {
    case PGRES_SINGLE_TUPLE:
    case TUPLES_CHUNK:
        *ret_result = r;
        return PQ_ROWS;
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
    case PGRES_COPY_BOTH:
        PQclear(r);
        return PQ_COPY_IN;
    case PGRES_COPY_OUT:
        PQclear(r);
        return PQ_COPY_OUT;
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

int pq_int_value(const struct pg_result *r)
{
    int64_t value = 0;
    if (!PQntuples(r) || !PQnfields(r))
        return 0;
    const char *text = PQgetvalue(r, 0, 0);
    return number_read_int(text, strlen(text), &value) == VALUE_FITS ? (int)value : 0;
}

int64_t pq_affected(const struct pg_result *r)
{
    const char *tuples = PQcmdTuples((PGresult *)(uintptr_t)r);
    int64_t affected;
    return number_read_int(tuples, strlen(tuples), &affected) == VALUE_FITS ? affected : -1;
}

void pq_clear(struct pg_result *r)
{
    PQclear(r);
}

size_t pq_result_size(const struct pg_result *r)
{
    return PQresultMemorySize(r);
}

size_t pq_largest_row(const struct pg_result *r)
{
    size_t largest = 0;
    for (int row = 0; row < PQntuples(r); row++) {
        size_t size = 0;
        for (int column = 0; column < PQnfields(r); column++)
            size += (size_t)PQgetlength(r, row, column);
        largest = size > largest ? size : largest;
    }
    return largest;
}

bool pq_rows_have_tag(const struct pg_result *r)
{
    return *PQcmdStatus((PGresult *)(uintptr_t)r) != '\0';
}

/* ---- COPY ---- */

bool pq_copy_put(struct pg_conn *c, const char *bytes, size_t length)
{
    return PQputCopyData(c, bytes, (int)length) == 1;
}

bool pq_copy_end(struct pg_conn *c, const char *why)
{
    return PQputCopyEnd(c, why) == 1;
}

int pq_copy_get(struct pg_conn *c, char **ret_buffer)
{
    int n = PQgetCopyData(c, ret_buffer, 1);
    return n < 0 ? -1 : n;
}

void pq_copy_free(char *buffer)
{
    PQfreemem(buffer);
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
