/* task.c - straight-line code that waits twice, for three roles at the same time. */
#include <evpq/evpq.h>
#include <stdbool.h>
#include <stdio.h>

struct job {
    evpq_pool *pool;
    const char *role;
};

/* Each evpq_await sets this task aside, and the others go on. */
static evpq_future *count_relations(evpq_task *self, void *arg)
{
    (void)self;
    struct job *job = arg;
    evpq_future *f = evpq_pool_read(
        job->pool, "select oid from pg_catalog.pg_roles where rolname = $1", EVPQ_ARGS(job->role));
    if (evpq_await(f) != EVPQ_OK)
        return f; /* the task fails as the query did */
    uint32_t role = evpq_result_oid(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);

    f = evpq_pool_read(
        job->pool, "select pg_catalog.count(*) from pg_catalog.pg_class where relowner = $1::oid",
        EVPQ_ARGS(role));
    if (evpq_await(f) == EVPQ_OK)
        printf("%s: %s relations\n", job->role, evpq_result_text(evpq_future_result(f), 0, 0));
    return f;
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    struct job jobs[] = {
        {pool, "pg_monitor"}, {pool, "pg_read_all_data"}, {pool, "pg_signal_backend"}};

    /* Tasks that end together: the first failure stops the rest. One deadline for all they do. */
    evpq_group_opts opts = {.size = sizeof opts, .deadline = 10};
    evpq_group *group = evpq_group_open(loop, &opts);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        evpq_future_unref(evpq_group_spawn(group, count_relations, &jobs[i], NULL));
    evpq_future *all = evpq_group_join(group);
    bool ok = evpq_await(all) == EVPQ_OK;
    if (!ok)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(all)));
    evpq_future_unref(all);

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return !ok;
}
