/* trapped.c - for tests/it_traps: each call of the library that sends SQL of its own. The
 * connection string is the argument. Prints what has failed, and ends with 1 then. */
#include <evpq/evpq.h>
#include <stdio.h>

static evpq_loop *loop;
static evpq_pool *pool;
static const char *conninfo;
static int failures;

static void done(const char *what, evpq_future *f)
{
    if (evpq_await(f) != EVPQ_OK) {
        const evpq_error *error = evpq_future_error(f);
        printf("%s: %s\n", what, error ? evpq_error_message(error) : "failed");
        failures++;
    }
    evpq_future_unref(f);
}

static void query(const char *sql)
{
    done(sql, evpq_pool_query(pool, sql, EVPQ_ARGS()));
}

/* ---- types and rows ---- */

static bool decode(const void *bytes, size_t n, int format, void *ret_value, void *arg)
{
    (void)bytes, (void)n, (void)format, (void)ret_value, (void)arg;
    return true;
}

static void resolve(void)
{
    evpq_types *types = evpq_types_new();
    const evpq_codec codec = {.size = sizeof codec, .name = "public.trapped", .decode = decode};
    if (evpq_types_add(types, &codec) != EVPQ_OK)
        printf("evpq_types_add: the codec was refused\n"), failures++;
    done("evpq_types_resolve", evpq_types_resolve(types, pool));
    evpq_types_unref(types);
}

static void copy_rows(const char *what, const char *const *columns, size_t n)
{
    evpq_copy *in = evpq_pool_copy_rows_in(pool, "public.trapped", columns, n);
    done("evpq_copy_drain",
         evpq_copy_drain(in)); /* until the types are known, a row may not be taken */
    if (evpq_copy_row(in, EVPQ_ARGS(1, "one")) != EVPQ_OK)
        printf("%s: the row was refused\n", what), failures++;
    done(what, evpq_copy_finish(in));
}

static void copies(void)
{
    static const char *const columns[] = {"id", "name"};
    copy_rows("evpq_pool_copy_rows_in", NULL, 0);
    copy_rows("evpq_pool_copy_rows_in, columns", columns, 2);
    evpq_copy *out = evpq_pool_copy_rows_out(pool, "select id, name from public.trapped");
    for (bool more = true; more;) {
        evpq_future *f = evpq_copy_read(out);
        more = evpq_await(f) == EVPQ_OK && evpq_result_rows(evpq_future_result(f)) > 0;
        evpq_future_unref(f);
    }
    if (evpq_copy_error(out))
        printf("evpq_pool_copy_rows_out: %s\n", evpq_error_message(evpq_copy_error(out))),
            failures++;
    evpq_copy_close(out);
}

/* ---- transactions, reads, batches ---- */

static evpq_future *insert(evpq_txn *txn, void *arg)
{
    (void)arg;
    evpq_txn *savepoint = evpq_txn_savepoint(txn);
    done("in a savepoint",
         evpq_txn_query(savepoint, "insert into public.trapped values (2, 'two')", EVPQ_ARGS()));
    done("evpq_txn_rollback", evpq_txn_rollback(savepoint));
    return evpq_txn_query(txn, "insert into public.trapped values (3, 'three')", EVPQ_ARGS());
}

/* The first COMMIT ends its own server process, so that the truth about it is asked for. */
static void lose_a_commit(void)
{
    const evpq_txn_opts opts = {.size = sizeof opts, .probe = true};
    query("create sequence public.commits");
    query("create function public.trapped_lost() returns pg_catalog.trigger language plpgsql as $$"
          " begin if pg_catalog.nextval('public.commits') operator(pg_catalog.=) 1::pg_catalog.int8"
          " then perform pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); end if;"
          " return null; end $$");
    query("create constraint trigger lost after insert on public.trapped deferrable initially"
          " deferred for each row execute function public.trapped_lost()");
    evpq_future *f = evpq_transact(pool, &opts, insert, NULL);
    evpq_await(f); /* what becomes of it is not this test's */
    evpq_future_unref(f);
    query("drop trigger lost on public.trapped");
    query("drop function public.trapped_lost()");
    query("drop sequence public.commits");
}

static void transactions(void)
{
    const evpq_txn_opts opts = {.size = sizeof opts, .probe = true};
    done("evpq_transact", evpq_transact(pool, &opts, insert, NULL));
    lose_a_commit();
    evpq_future *reads[2] = {evpq_pool_read(pool, "select 1", EVPQ_ARGS()),
                             evpq_pool_read(pool, "select 2", EVPQ_ARGS())};
    done("evpq_pool_read", reads[0]);
    done("evpq_pool_read", reads[1]);
    const evpq_statement batch[] = {{"select 1", EVPQ_ARGS()}, {"select 2", EVPQ_ARGS()}};
    done("evpq_pool_batch", evpq_pool_batch(pool, batch, 2));
    done("evpq_executemany", evpq_executemany(pool, "insert into public.trapped values ($1, 'x')",
                                              (evpq_args[]){EVPQ_ARGS(5), EVPQ_ARGS(6)}, 2));
}

/* A session that is dirty is cleaned before somebody else has it. */
static void leases(void)
{
    evpq_future *f = evpq_pool_acquire(pool);
    evpq_await(f);
    evpq_lease *lease = evpq_future_lease(f);
    evpq_future_unref(f);
    done("evpq_lease_query", evpq_lease_query(lease, "set work_mem = '1MB'", EVPQ_ARGS()));
    evpq_future *slow = evpq_lease_query(lease, "select pg_catalog.pg_sleep(60)", EVPQ_ARGS());
    evpq_future_cancel(slow);
    evpq_future_unref(slow);
    evpq_lease_release(lease);
    query("select 1");
}

/* ---- listening ---- */

static void listening(void)
{
    const evpq_listener_opts opts = {.size = sizeof opts, .keepalive = 0.05};
    evpq_error *error = NULL;
    evpq_listener *listener = evpq_listener_open(loop, conninfo, &opts, &error);
    evpq_subscription *s = evpq_listener_subscribe(listener, "trapped", NULL, &error);
    done("evpq_subscription_ready", evpq_subscription_ready(s));
    done("evpq_notify", evpq_notify(pool, "trapped", "hello"));
    done("evpq_subscription_next", evpq_timeout(evpq_subscription_next(s), 10));
    done("evpq_sleep", evpq_sleep(loop, 0.2)); /* keepalives go out meanwhile */
    evpq_subscription_unref(s);
    done("evpq_listener_close", evpq_listener_close(listener));
    evpq_listener_unref(listener);
    evpq_error_unref(error);
}

int main(int argc, char **argv)
{
    conninfo = argc > 1 ? argv[1] : "";
    loop = evpq_loop_new(NULL);
    pool = evpq_pool_open(loop, conninfo,
                          &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 2}, NULL);
    query("create table public.trapped (id pg_catalog.int4, name pg_catalog.text)");
    resolve();
    copies();
    transactions();
    leases();
    listening();
    query("drop table public.trapped");
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return failures > 0;
}
