/* blocking.c - straight-line code as with PQexecParams, then with the same queries overlapped. */
#include <evpq/evpq.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Waits for a query (taken). The result is given. For a program that cannot go on without it. */
static evpq_result *finish(evpq_future *f)
{
    if (evpq_await(f) != EVPQ_OK) {
        const evpq_error *e = evpq_future_error(f);
        fprintf(stderr, "%s: %s\n", evpq_error_sql(e), evpq_error_message(e));
        exit(1);
    }
    evpq_result *r = evpq_result_ref(evpq_future_result(f));
    evpq_future_unref(f);
    return r;
}

static int64_t take_number(evpq_result *r)
{
    int64_t n = evpq_result_int8(r, 0, 0);
    evpq_result_unref(r);
    return n;
}

static evpq_future *count(evpq_pool *pool, const char *kind)
{
    return evpq_pool_query(
        pool, "select pg_catalog.count(*) from pg_catalog.pg_class where relkind = $1::\"char\"",
        EVPQ_ARGS(kind));
}

/* One after the other: each line waits, as PQexecParams does. */
static int64_t in_sequence(evpq_pool *pool)
{
    int64_t tables = take_number(finish(count(pool, "r")));
    int64_t indexes = take_number(finish(count(pool, "i")));
    return tables + indexes;
}

/* Asking moved up, waiting left where it was: the queries overlap. */
static int64_t overlapped(evpq_pool *pool)
{
    evpq_future *tables = count(pool, "r");
    evpq_future *indexes = count(pool, "i");
    return take_number(finish(tables)) + take_number(finish(indexes));
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_error *error = NULL;
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, &error);
    if (!pool) {
        fprintf(stderr, "%s\n", evpq_error_message(error));
        return 1;
    }
    int64_t one = in_sequence(pool), other = overlapped(pool);
    printf("%" PRId64 " tables and indexes%s\n", one, one == other ? ", both ways" : "");

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return one != other;
}
