/* misuse.c - see misuse.h. */
#include "sim/misuse.h"

#include "sim/asks.h"
#include "sim/memory.h"
#include "sim/sql.h"

#include <limits.h>
#include <math.h>

/* What it is called on; NULL is as wrong as the rest. */
static evpq_lease *lease;
static evpq_txn *txn;

static void check(evpq_status status, const evpq_error *error, const char *what)
{
    bool scarce = status == EVPQ_NOMEM && memory_has_failed();
    bool lost = status == EVPQ_LOST && (lease || txn);
    if (!scarce && !lost && status != EVPQ_INVALID)
        violation("%s is wrong, and is %s", what, evpq_status_name(status));
    if (error && evpq_error_outcome(error) != EVPQ_OUTCOME_NOT_SENT)
        violation("%s is wrong, and may have been sent", what);
}

static void refused(evpq_future *f, const char *what)
{
    if (evpq_future_status(f) == EVPQ_PENDING) { /* a limit of the pool is around it */
        oracle_note(VERB_WRONG, f, 0, 0, SIM_NEVER, NULL);
        return;
    }
    if (evpq_future_status(f) == EVPQ_OK || !evpq_future_error(f))
        violation("%s is wrong, and is %s", what, evpq_status_name(evpq_future_status(f)));
    check(evpq_future_status(f), evpq_future_error(f), what);
    evpq_future_unref(f);
}

static void refused_write(evpq_status status, const evpq_copy *copy, const char *what)
{
    check(status, evpq_copy_error(copy), what);
}

/* ---- of nothing ---- */

static void nothing_to_call_on(void)
{
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement one = {.sql = SQL_ECHO};
    refused(evpq_pool_query(NULL, SQL_ECHO, none), "query of no pool");
    refused(evpq_pool_read(NULL, SQL_ECHO, none), "read of no pool");
    refused(evpq_pool_acquire(NULL), "acquire of no pool");
    refused(evpq_pool_batch(NULL, &one, 1), "batch of no pool");
    refused(evpq_executemany(NULL, SQL_ECHO, &none, 1), "executemany of no pool");
    refused(evpq_pool_begin(NULL, NULL), "begin of no pool");
    refused(evpq_pool_drain(NULL), "drain of no pool");
    refused(evpq_pool_connect(NULL), "connect of no pool");
    refused(evpq_pool_close(NULL, 0), "close of no pool");
    refused(evpq_lease_query(NULL, SQL_ECHO, none), "query of no lease");
    refused(evpq_lease_batch(NULL, &one, 1), "batch of no lease");
    refused(evpq_lease_executemany(NULL, SQL_ECHO, &none, 1), "executemany of no lease");
    refused(evpq_lease_begin(NULL, NULL), "begin of no lease");
    refused(evpq_txn_query(NULL, SQL_ECHO, none), "query of no transaction");
    refused(evpq_txn_batch(NULL, &one, 1), "batch of no transaction");
    refused(evpq_txn_executemany(NULL, SQL_ECHO, &none, 1), "executemany of no transaction");
    refused(evpq_txn_commit(NULL), "commit of no transaction");
    refused(evpq_txn_rollback(NULL), "rollback of no transaction");
    refused(evpq_stream_next(NULL), "next of no stream");
    refused(evpq_copy_drain(NULL), "drain of no COPY");
    refused(evpq_copy_finish(NULL), "finish of no COPY");
    refused(evpq_copy_read(NULL), "read of no COPY");
    refused_write(evpq_copy_write(NULL, "", 0), NULL, "write to no COPY");
    check(evpq_copy_row(NULL, none), NULL, "row to no COPY");
    check(evpq_lease_on_notice(NULL, NULL, NULL), NULL, "on_notice of no lease");
    check(evpq_pool_resize(NULL, 0, 1), NULL, "resize of no pool");
    check(evpq_pool_get_stats(NULL, NULL), NULL, "statistics of no pool");
}

/* What there is none of does nothing, or is nothing. */
static void nothing_at_all(void)
{
    evpq_lease_release(NULL);
    evpq_pool_unref(NULL);
    bool none = !evpq_stream_close(NULL) && !evpq_copy_close(NULL) && !evpq_copy_abort(NULL, "") &&
                !evpq_stream_summary(NULL) && !evpq_stream_rows(NULL) && !evpq_txn_lease(NULL) &&
                !evpq_txn_savepoint(NULL) && !evpq_lease_backend_pid(NULL) && !evpq_pool_ref(NULL);
    if (!none)
        violation("something came of NULL");
}

/* ---- statements ---- */

static evpq_future *batch(const evpq_statement *v, size_t n)
{
    return txn     ? evpq_txn_batch(txn, v, n)
           : lease ? evpq_lease_batch(lease, v, n)
                   : evpq_pool_batch(program.pool, v, n);
}

static evpq_future *many(const char *sql, const evpq_args *rows, size_t n)
{
    return txn     ? evpq_txn_executemany(txn, sql, rows, n)
           : lease ? evpq_lease_executemany(lease, sql, rows, n)
                   : evpq_executemany(program.pool, sql, rows, n);
}

static evpq_future *query(const char *sql, evpq_args args)
{
    return txn     ? evpq_txn_query(txn, sql, args)
           : lease ? evpq_lease_query(lease, sql, args)
                   : evpq_pool_query(program.pool, sql, args);
}

static void statements(void)
{
    const evpq_args none = EVPQ_ARGS(), missing = {.n = 1};
    refused(query(NULL, none), "a query without a text");
    refused(query(SQL_COPY_IN, none), "COPY as a query");
    refused(query(SQL_ECHO, missing), "a query without its arguments");
    if (txn)
        refused(evpq_txn_query(txn, "commit", none), "COMMIT as a statement of a transaction");
}

static void batches(void)
{
    const evpq_statement begin[] = {{.sql = SQL_ECHO}, {.sql = SQL_BEGIN}};
    const evpq_statement none[] = {{.sql = NULL}}, copy[] = {{.sql = SQL_COPY_IN}};
    refused(batch(begin, 0), "an empty batch");
    refused(batch(NULL, 1), "a batch of NULL");
    refused(batch(begin, INT_MAX), "too large a batch");
    refused(batch(begin, 2), "BEGIN in a batch");
    refused(batch(none, 1), "a statement without a text");
    refused(batch(copy, 1), "COPY in a batch");
}

static void manies(void)
{
    const evpq_args one = EVPQ_ARGS(1), two = EVPQ_ARGS(1, 2),
                    text = EVPQ_ARGS(evpq_param(20, "1"));
    const evpq_args numbers[] = {one, two}, types[] = {one, text};
    refused(many(SQL_ECHO, &one, 0), "an executemany of no rows");
    refused(many(SQL_ECHO, NULL, 1), "an executemany of NULL");
    refused(many(SQL_ECHO, &one, INT_MAX), "too large an executemany");
    refused(many(SQL_COPY_IN, &one, 1), "an executemany of COPY");
    refused(many(NULL, &one, 1), "an executemany without a text");
    refused(many(SQL_ECHO, numbers, 2), "rows of different numbers");
    refused(many(SQL_ECHO, types, 2), "rows of different types");
}

/* ---- transactions ---- */

static evpq_future *work(evpq_txn *of, void *arg)
{
    (void)of, (void)arg;
    violation("what is refused is run");
}

static void transactions(void)
{
    static const evpq_txn_opts wrong[] = {
        {.size = sizeof *wrong, .tries = -1},
        {.size = sizeof *wrong, .timeout = NAN},
        {.size = sizeof *wrong, .backoff_min = -1},
        {.size = sizeof *wrong, .backoff_max = NAN},
        {.size = sizeof *wrong, .backoff_min = 2, .backoff_max = 1},
        {.size = sizeof *wrong, .isolation = (evpq_isolation)99},
        {.size = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(evpq_transact(program.pool, &wrong[i], work, NULL), "a transaction's option");
    refused(evpq_transact(program.pool, NULL, NULL, NULL), "a transaction without a function");
    refused(evpq_transact(NULL, NULL, work, NULL), "a transaction of no pool");
    refused(evpq_pool_begin(program.pool, &wrong[5]), "an isolation");
    if (lease)
        refused(evpq_lease_begin(lease, &wrong[5]), "an isolation of a lease");
}

/* ---- streams and COPY ---- */

static void streams(void)
{
    static const evpq_stream_opts rows = {.size = sizeof rows, .rows = -1}, size = {.size = 1};
    const evpq_args none = EVPQ_ARGS();
    evpq_stream *wrong[] = {
        evpq_pool_stream(program.pool, SQL_SERIES, none, &rows),
        evpq_pool_stream(program.pool, SQL_SERIES, none, &size),
        evpq_pool_stream(program.pool, NULL, none, NULL),
        evpq_pool_stream(program.pool, SQL_COPY_OUT, none, NULL),
        lease ? evpq_lease_stream(lease, NULL, none, NULL) : NULL,
        evpq_pool_stream(NULL, SQL_SERIES, none, NULL),
        evpq_lease_stream(NULL, SQL_SERIES, none, NULL),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        refused(evpq_stream_next(wrong[i]), "a stream");
        evpq_stream_close(wrong[i]);
    }
}

static void copies_to_server(void)
{
    static const char *const names[] = {NULL};
    evpq_copy *wrong[] = {
        evpq_pool_copy_in(program.pool, NULL),
        evpq_pool_copy_in(program.pool, SQL_ECHO),
        evpq_pool_copy_in(program.pool, SQL_COPY_OUT),
        evpq_pool_copy_in(program.pool, SQL_COPY_IN "; " SQL_FORGET),
        evpq_pool_copy_rows_in(program.pool, NULL, NULL, 0),
        evpq_pool_copy_rows_in(program.pool, TABLE_TOKENS, names, 0),
        evpq_pool_copy_rows_in(program.pool, TABLE_TOKENS, NULL, 1),
        evpq_pool_copy_rows_in(program.pool, TABLE_TOKENS, names, 1),
        evpq_pool_copy_in(NULL, SQL_COPY_IN),
        evpq_lease_copy_in(lease, NULL),
        evpq_lease_copy_rows_in(lease, NULL, NULL, 0),
        evpq_pool_copy_rows_in(NULL, TABLE_TOKENS, NULL, 0),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(evpq_copy_finish(wrong[i]), "a COPY to the server");
}

static void copies_from_server(void)
{
    evpq_copy *wrong[] = {
        evpq_pool_copy_out(program.pool, NULL),
        evpq_pool_copy_out(program.pool, SQL_COPY_IN),
        evpq_pool_copy_out(program.pool, SQL_ECHO),
        evpq_pool_copy_rows_out(program.pool, NULL),
        evpq_pool_copy_rows_out(program.pool, ""),
        evpq_pool_copy_rows_out(program.pool, SQL_NUMBERS "; " SQL_FORGET),
        evpq_pool_copy_out(NULL, SQL_COPY_OUT),
        evpq_lease_copy_out(lease, NULL),
        evpq_lease_copy_rows_out(lease, NULL),
        evpq_pool_copy_rows_out(NULL, SQL_NUMBERS),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        refused(evpq_copy_read(wrong[i]), "a COPY from the server");
        evpq_copy_close(wrong[i]);
    }
}

/* Of the other direction, or of the other form. The COPY itself is right, and given up. */
static void other_ends_of_copies(void)
{
    evpq_copy *bytes = evpq_pool_copy_in(program.pool, SQL_COPY_IN);
    evpq_copy *rows = evpq_pool_copy_rows_in(program.pool, TABLE_TOKENS, NULL, 0);
    evpq_copy *out = evpq_pool_copy_out(program.pool, SQL_COPY_OUT);
    bool there = !evpq_copy_error(bytes) && !evpq_copy_error(rows) && !evpq_copy_error(out);
    if (there) { /* else they tell that */
        refused_write(evpq_copy_row(bytes, EVPQ_ARGS(1)), bytes, "a row among bytes");
        refused_write(evpq_copy_write(bytes, NULL, 1), bytes, "a write of NULL");
        refused_write(evpq_copy_write(bytes, "", SIZE_MAX), bytes, "too large a write");
        refused_write(evpq_copy_write(rows, "", 1), rows, "bytes among rows");
        refused_write(evpq_copy_write(out, "", 1), out, "a write to what is to be read");
        refused(evpq_copy_read(bytes), "a read of what is to be written");
        refused(evpq_copy_drain(out), "a drain of what is to be read");
    }
    evpq_copy_close(bytes);
    evpq_copy_close(rows);
    evpq_copy_close(out);
}

/* ---- pools ---- */

static void pools(void)
{
    static const evpq_pool_opts wrong[] = {
        {.size = 1},
        {.size = sizeof *wrong, .min_size = -1},
        {.size = sizeof *wrong, .max_size = -1},
        {.size = sizeof *wrong, .min_size = 2, .max_size = 1},
        {.size = sizeof *wrong, .max_size = INT_MAX},
        {.size = sizeof *wrong, .max_waiting = -1},
        {.size = sizeof *wrong, .pipeline_depth = -1},
        {.size = sizeof *wrong, .prepared_max = -1},
        {.size = sizeof *wrong, .connect_timeout = -1},
        {.size = sizeof *wrong, .cancel_timeout = -1},
        {.size = sizeof *wrong, .backoff_min = -1},
        {.size = sizeof *wrong, .backoff_min = 2, .backoff_max = 1},
        {.size = sizeof *wrong, .lifetime_jitter = -1},
        {.size = sizeof *wrong, .max_lifetime = 1, .lifetime_jitter = 2},
        {.size = sizeof *wrong, .reset = (evpq_reset)99},
        {.size = sizeof *wrong, .prepare = (evpq_prepare)99},
        {.size = sizeof *wrong, .query_timeout = NAN},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        evpq_error *error = NULL;
        if (evpq_pool_open(program.loop, "", &wrong[i], &error) || !error)
            violation("the wrong options %zu make a pool, or say nothing", i);
        check(evpq_error_status(error), error, "an option of a pool");
        evpq_error_unref(error);
    }
    check(evpq_pool_resize(program.pool, 2, 1), NULL, "a resize");
    refused(evpq_pool_close(program.pool, NAN), "a close within NAN");
}

void misuse(evpq_lease *on, evpq_txn *in)
{
    static void (*const kinds[])(void) = {nothing_to_call_on,
                                          nothing_at_all,
                                          statements,
                                          batches,
                                          manies,
                                          transactions,
                                          streams,
                                          copies_to_server,
                                          copies_from_server,
                                          other_ends_of_copies,
                                          pools};
    trace("misuse");
    lease = on;
    txn = in;
    kinds[chance_below(sizeof kinds / sizeof *kinds)]();
}
