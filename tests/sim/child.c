/* child.c - see child.h.
 *
 * A real fork: the child has a copy of the whole simulated world, which goes with it. */
#include "sim/child.h"

#include "sim/asks.h"
#include "sim/flows.h"
#include "sim/holdings.h"
#include "sim/memory.h"
#include "sim/net.h"
#include "sim/sql.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void refused(evpq_future *f, const char *what)
{
    evpq_status status = evpq_future_status(f);
    const evpq_error *error = evpq_future_error(f);
    if (status != EVPQ_FORKED || !error || evpq_error_outcome(error) != EVPQ_OUTCOME_NOT_SENT)
        violation("a child asks for a %s, which is %s", what, evpq_status_name(status));
    evpq_future_unref(f);
}

static evpq_future *work(evpq_txn *of, void *arg)
{
    (void)of, (void)arg;
    violation("a child runs a transaction of its parent's pool");
}

static void use_pool(evpq_pool *pool)
{
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement one = {.sql = SQL_FORGET};
    refused(evpq_pool_query(pool, SQL_FORGET, none), "query");
    refused(evpq_pool_read(pool, SQL_FORGET, none), "read");
    refused(evpq_pool_acquire(pool), "acquire");
    refused(evpq_pool_begin(pool, NULL), "begin");
    refused(evpq_pool_batch(pool, &one, 1), "batch");
    refused(evpq_executemany(pool, SQL_FORGET, &none, 1), "executemany");
    refused(evpq_transact(pool, NULL, work, NULL), "transaction");
    refused(evpq_pool_drain(pool), "drain");
    refused(evpq_pool_connect(pool), "connect");
    refused(evpq_pool_close(pool, 0), "close");
    if (evpq_pool_resize(pool, 0, 1) != EVPQ_FORKED)
        violation("a child resizes its parent's pool");
}

static void use_flows_of(evpq_pool *pool)
{
    evpq_stream *stream = evpq_pool_stream(pool, SQL_SERIES, EVPQ_ARGS(1), NULL);
    refused(evpq_stream_next(stream), "stream");
    evpq_stream_close(stream);
    refused(evpq_copy_finish(evpq_pool_copy_in(pool, SQL_COPY_IN)), "COPY");
    refused(evpq_copy_finish(evpq_pool_copy_rows_in(pool, TABLE_TOKENS, NULL, 0)), "COPY of rows");
    evpq_copy *out = evpq_pool_copy_out(pool, SQL_COPY_OUT);
    refused(evpq_copy_read(out), "COPY out");
    evpq_copy_close(out);
    out = evpq_pool_copy_rows_out(pool, SQL_NUMBERS);
    refused(evpq_copy_read(out), "COPY of rows out");
    evpq_copy_close(out);
}

static void use_lease(evpq_lease *lease)
{
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement one = {.sql = SQL_FORGET};
    refused(evpq_lease_query(lease, SQL_FORGET, none), "query of a lease");
    refused(evpq_lease_batch(lease, &one, 1), "batch of a lease");
    refused(evpq_lease_executemany(lease, SQL_FORGET, &none, 1), "executemany of a lease");
    refused(evpq_lease_begin(lease, NULL), "begin of a lease");
    if (evpq_lease_on_notice(lease, NULL, NULL) != EVPQ_FORKED)
        violation("a child hears the notices of its parent's lease");
    evpq_lease_release(lease);
}

static void use_transaction(evpq_txn *txn, bool commits)
{
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement one = {.sql = SQL_FORGET};
    refused(evpq_txn_query(txn, SQL_FORGET, none), "query of a transaction");
    refused(evpq_txn_batch(txn, &one, 1), "batch of a transaction");
    refused(evpq_txn_executemany(txn, SQL_FORGET, &none, 1), "executemany of a transaction");
    if (evpq_txn_savepoint(txn) || evpq_txn_lease(txn))
        violation("a child has a savepoint, or the lease, of its parent's transaction");
    refused(commits ? evpq_txn_commit(txn) : evpq_txn_rollback(txn), "end of a transaction");
}

static void use_all(void)
{
    struct lease *lease = free_lease();
    struct txn *txn = open_txn();
    memory_is_scarce(false);
    net_is_the_parents();
    use_pool(program.pool);
    use_flows_of(program.pool);
    flows_of_child(refused);
    if (txn)
        use_transaction(txn->is, chance_one_in(2));
    if (lease)
        use_lease(lease->is);
    evpq_pool_unref(program.pool);
}

/* LeakSanitizer's, where it is: what was refused to a child, and what it has of its parent, is not freed
 * there. */
void __lsan_disable(void) __attribute__((weak));

void child_live(void)
{
    int status = -1;
    trace("fork");
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        if (__lsan_disable)
            __lsan_disable();
        use_all();
        fflush(NULL);
        exit(0); /* and what measures coverage has its turn */
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status)
        violation("a child has ended with %d", status);
}
