/* transaction.c - a lease has its connection to itself: the place for BEGIN ... COMMIT. */
#include <evpq/evpq.h>
#include <stdbool.h>
#include <stdio.h>

/* Waits for `f` (taken). */
static bool done(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    if (status != EVPQ_OK)
        printf("  %s\n", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    return status == EVPQ_OK;
}

static bool run(evpq_lease *lease, const char *sql)
{
    return done(evpq_lease_query(lease, sql, EVPQ_ARGS()));
}

static bool add(evpq_lease *lease, const char *name, int amount)
{
    return done(evpq_lease_query(lease, "update account set credit = credit + $2 where name = $1",
                                 EVPQ_ARGS(name, amount)));
}

static bool set_up(evpq_lease *lease)
{
    return run(lease, "create temp table account (name text, credit int check (credit >= 0))") &&
           run(lease, "insert into account values ('ann', 100), ('bob', 0)");
}

/* Both updates or neither. */
static bool pay(evpq_lease *lease, int amount)
{
    bool ok = run(lease, "begin") && add(lease, "ann", -amount) && add(lease, "bob", amount) &&
              run(lease, "commit");
    if (!ok)
        run(lease, "rollback");
    printf("paying %d: %s\n", amount, ok ? "done" : "not done");
    return ok;
}

static void tell_credit(evpq_lease *lease)
{
    evpq_future *f =
        evpq_lease_query(lease, "select name, credit from account order by name", EVPQ_ARGS());
    evpq_await(f);
    const evpq_result *r = evpq_future_result(f);
    for (int row = 0; row < evpq_result_rows(r); row++)
        printf("%s has %d\n", evpq_result_text(r, row, 0), (int)evpq_result_int4(r, row, 1));
    evpq_future_unref(f);
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    evpq_future *f = evpq_pool_acquire(pool);
    evpq_await(f);
    evpq_lease *lease = evpq_future_lease(f); /* given; NULL when it failed */
    bool as_it_should = false;
    if (!lease)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);

    if (lease && set_up(lease)) {
        as_it_should = pay(lease, 70) && !pay(lease, 70);
        tell_credit(lease);
    }
    evpq_lease_release(lease); /* the connection is reset, and goes to the next in line */

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return !as_it_should;
}
