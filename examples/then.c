/* then.c - a query that needs another's answer, and the two as one future. */
#include <evpq/evpq.h>
#include <stdio.h>

struct search {
    evpq_loop *loop;
    evpq_pool *pool;
};

/* The second step. What it returns is what the chain becomes. */
static evpq_future *count_relations(evpq_future *owner, void *arg)
{
    struct search *search = arg;
    const evpq_result *r = evpq_future_result(owner);
    if (!r)
        return evpq_future_ref(owner); /* the failure, passed on */
    if (!evpq_result_rows(r))
        return evpq_future_failed(search->loop, EVPQ_INVALID, "there is no such role");
    return evpq_pool_query(
        search->pool,
        "select pg_catalog.count(*) from pg_catalog.pg_class where relowner = $1::oid",
        EVPQ_ARGS(evpq_result_oid(r, 0, 0)));
}

static evpq_future *relations_of(struct search *search, const char *role)
{
    evpq_future *owner = evpq_pool_query(
        search->pool, "select oid from pg_catalog.pg_roles where rolname = $1", EVPQ_ARGS(role));
    return evpq_timeout(evpq_then(owner, count_relations, search), 10); /* for both steps */
}

/* Waits for `f` (taken). */
static void tell(const char *role, evpq_future *f)
{
    if (evpq_await(f) == EVPQ_OK)
        printf("%s: %s relations\n", role, evpq_result_text(evpq_future_result(f), 0, 0));
    else
        printf("%s: %s\n", role, evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
}

int main(void)
{
    struct search search = {.loop = evpq_loop_new(NULL)};
    search.pool = evpq_pool_open(search.loop, "", NULL, NULL);

    /* Both chains are under way together. */
    evpq_future *monitors = relations_of(&search, "pg_monitor");
    evpq_future *nobody = relations_of(&search, "no one");
    tell("pg_monitor", monitors);
    tell("no one", nobody);

    evpq_pool_unref(search.pool);
    evpq_loop_run(search.loop);
    evpq_loop_unref(search.loop);
    return 0;
}
