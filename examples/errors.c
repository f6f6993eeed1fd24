/* errors.c - what an error tells: a status, what the server said, what became of the SQL. */
#include <evpq/evpq.h>
#include <stdio.h>

/* What a program may do next. */
static const char *advice(const evpq_error *e)
{
    switch (evpq_error_outcome(e)) {
    case EVPQ_OUTCOME_NOT_SENT:
        return "the server has not seen it: run it again whenever you like";
    case EVPQ_OUTCOME_REJECTED:
        return "it had no effect: run it again once the cause is gone";
    default:
        return "it may have had its effect: look before running it again";
    }
}

static void show(const evpq_error *e)
{
    printf("%s: %s\n", evpq_status_name(evpq_error_status(e)), evpq_error_message(e));
    if (evpq_error_sqlstate(e)[0])
        printf("    sqlstate %s\n", evpq_error_sqlstate(e));
    if (evpq_error_position(e))
        printf("    at character %d of: %s\n", evpq_error_position(e), evpq_error_sql(e));
    if (evpq_error_constraint(e))
        printf("    constraint %s of type %s\n", evpq_error_constraint(e), evpq_error_datatype(e));
    if (evpq_error_detail(e))
        printf("    %s\n", evpq_error_detail(e));
    printf("    %s\n", advice(e));
}

static evpq_future *ask(evpq_pool *pool, const char *sql)
{
    return evpq_pool_query(pool, sql, EVPQ_ARGS());
}

/* Waits for `f` (taken), which is to fail. */
static int expect(evpq_future *f, evpq_status wanted)
{
    evpq_status status = evpq_await(f);
    if (status == EVPQ_OK)
        printf("it went well, against expectation\n");
    else
        show(evpq_future_error(f));
    evpq_future_unref(f);
    return status != wanted;
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    int wrong = 0;

    wrong += expect(ask(pool, "select 1 frm pg_class"), EVPQ_SERVER);
    wrong += expect(ask(pool, "select 'maybe'::information_schema.yes_or_no"), EVPQ_SERVER);
    wrong += expect(ask(pool, "copy pg_class from stdin"), EVPQ_INVALID);
    wrong += expect(evpq_timeout(ask(pool, "select pg_catalog.pg_sleep(600)"), 0.2), EVPQ_TIMEOUT);
    wrong +=
        expect(ask(pool, "select pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())"),
               EVPQ_LOST);

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return wrong;
}
