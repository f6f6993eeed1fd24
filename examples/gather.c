/* gather.c - several futures as one: all, all_settled, any, race, and a deadline over them. */
#include <evpq/evpq.h>
#include <stdio.h>

static evpq_future *say(evpq_pool *pool, const char *word, double seconds)
{
    return evpq_pool_query(pool, "select $1::text, pg_catalog.pg_sleep($2)",
                           EVPQ_ARGS(word, seconds));
}

static evpq_future *fail(evpq_pool *pool)
{
    return evpq_pool_query(pool, "select 1 / 0", EVPQ_ARGS());
}

/* What a query said, or why it did not. */
static const char *said(evpq_future *f)
{
    const evpq_result *r = evpq_future_result(f);
    return r ? evpq_result_text(r, 0, 0) : evpq_error_message(evpq_future_error(f));
}

/* Waits for `f` (taken), and tells what it and its children say. */
static void tell(const char *what, evpq_future *f)
{
    printf("%s: %s\n", what, evpq_status_name(evpq_await(f)));
    for (size_t i = 0; i < evpq_future_count(f); i++)
        printf("    %s\n", said(evpq_future_at(f, i)));
    evpq_future_unref(f);
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);

    /* Done when all are. The first failure would end it, and cancel the others. */
    evpq_future *three[] = {say(pool, "slow", 0.2), say(pool, "quick", 0), say(pool, "so so", 0.1)};
    tell("all", evpq_all(three, 3)); /* which takes them */

    /* A failure is an answer too. */
    evpq_future *mixed[] = {say(pool, "well", 0), fail(pool)};
    tell("all_settled", evpq_all_settled(mixed, 2));

    /* The first success; the others are canceled. */
    evpq_future *mirrors[] = {fail(pool), say(pool, "second mirror", 0.1),
                              say(pool, "third mirror", 30)};
    tell("any", evpq_any(mirrors, 3));

    /* The first to settle, however it does. */
    evpq_future *rivals[] = {say(pool, "late", 30), say(pool, "in time", 0.1)};
    tell("race", evpq_race(rivals, 2));

    /* One deadline, after which both are canceled on the server. */
    evpq_future *slow[] = {say(pool, "never", 30), say(pool, "nor this", 30)};
    tell("timeout", evpq_timeout(evpq_all(slow, 2), 0.2));

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return 0;
}
