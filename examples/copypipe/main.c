/* main.c - the program `copypipe`: the rows of a table on one server into a table on another.
 *
 * One task takes the bytes that a COPY gives and hands them to another, and waits where either side
 * is slow: so both go at the speed of the slower. A second task asks the source now and then how
 * far it is. */
#include "../common/cli.h"
#include "bar.h"
#include "opts.h"
#include "plan.h"

#include <evpq/evpq.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    struct opts opts;
    evpq_loop *loop;
    evpq_pool *from, *to;
    struct plan plan;
    evpq_copy *out, *in;
    struct bar bar;
    int64_t rows;
};

/* NULL, or what has failed. */
static evpq_future *start(struct run *r)
{
    evpq_future *f = plan_make(&r->plan, &r->opts, r->from, r->to);
    if (f)
        return f;
    r->bar.of_rows = r->plan.rows;
    r->out = evpq_lease_copy_out(r->plan.from, r->plan.out);
    r->in = evpq_lease_copy_in(r->plan.to, r->plan.in);
    return NULL;
}

/* ---- moving ---- */

/* Until there is room again. */
static evpq_future *write_and_wait(struct run *r, const void *bytes, size_t n)
{
    evpq_copy_write(r->in, bytes, n); /* what is wrong with it, drain says too */
    r->bar.bytes += (int64_t)n;
    bar_draw(&r->bar);
    return evpq_copy_drain(r->in);
}

/* A task. What has failed says so; neither side is then changed. */
static evpq_future *move(evpq_task *self, void *arg)
{
    (void)self;
    struct run *r = arg;
    size_t n;
    evpq_future *f = start(r);
    if (f)
        return f;
    for (;;) {
        f = evpq_copy_read(r->out);
        if (evpq_await(f) != EVPQ_OK)
            break;
        const void *bytes = evpq_future_bytes(f, &n);
        if (!bytes) { /* all has been read */
            evpq_future_unref(f);
            f = evpq_copy_finish(r->in);
            r->in = NULL;
            if (evpq_await(f) == EVPQ_OK)
                r->rows = evpq_result_affected(evpq_future_result(f));
            break;
        }
        evpq_future *room = write_and_wait(r, bytes, n);
        evpq_future_unref(f);
        f = room;
        if (evpq_await(f) != EVPQ_OK)
            break;
        evpq_future_unref(f);
    }
    evpq_copy_abort(r->in, "the source could not be read");
    evpq_copy_close(r->out);
    return f;
}

/* Of the COPY that runs beside this, under the same name. */
static const char how_far[] =
    "select pg_catalog.max(p.tuples_processed)::pg_catalog.float8"
    " from pg_catalog.pg_stat_progress_copy p join pg_catalog.pg_stat_activity a"
    " on a.pid operator(pg_catalog.=) p.pid where p.command operator(pg_catalog.=) 'COPY TO'"
    " and a.usename operator(pg_catalog.=) current_user and a.application_name"
    " operator(pg_catalog.=) pg_catalog.current_setting('application_name')";

/* A task that the end of the other ends. */
static evpq_future *look(evpq_task *self, void *arg)
{
    (void)self;
    struct run *r = arg;
    for (;;) {
        evpq_future *f = evpq_sleep(r->loop, 0.25);
        evpq_status status = evpq_await(f);
        evpq_future_unref(f);
        if (status != EVPQ_OK)
            return NULL;
        f = evpq_pool_query(r->from, how_far, EVPQ_ARGS());
        const evpq_result *at = evpq_await(f) == EVPQ_OK ? evpq_future_result(f) : NULL;
        if (at && !evpq_result_is_null(at, 0, 0))
            r->bar.rows = evpq_result_float8(at, 0, 0);
        evpq_future_unref(f);
        bar_draw(&r->bar);
    }
}

/* ---- the program ---- */

/* Ends the program where the connection string is wrong. */
static evpq_pool *open_pool(evpq_loop *loop, const char *conninfo)
{
    evpq_error *error = NULL;
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 2};
    evpq_pool *pool = evpq_pool_open(loop, conninfo, &opts, &error);
    if (pool)
        return pool;
    fprintf(stderr, "copypipe: %s\n", cli_mask(evpq_error_message(error), conninfo));
    exit(2);
}

static void close_pool(evpq_pool *pool)
{
    evpq_future *closed = evpq_pool_close(pool, 5);
    evpq_await(closed);
    evpq_future_unref(closed);
    evpq_pool_unref(pool);
}

static void say(const struct run *r, const evpq_error *error)
{
    char size[24];
    if (!error) {
        if (!r->opts.quiet)
            fprintf(stderr, "%" PRId64 " rows, %s, %.1f s\n", r->rows,
                    bar_size(size, sizeof size, (double)r->bar.bytes), bar_seconds(&r->bar));
        return;
    }
    fprintf(stderr, "copypipe: %s\n", evpq_error_message(error));
    if (evpq_error_context(error))
        fprintf(stderr, "copypipe: %s\n", evpq_error_context(error));
    if (evpq_error_hint(error))
        fprintf(stderr, "copypipe: %s\n", evpq_error_hint(error));
}

int main(int argc, char **argv)
{
    char name[32];
    cli_guard_streams();
    snprintf(name, sizeof name, "copypipe %ld", (long)getpid());
    setenv("PGAPPNAME", name, 1);
    struct run r = {.opts = opts_read(argc, argv), .loop = evpq_loop_new(NULL)};
    r.plan.loop = r.loop;
    r.from = open_pool(r.loop, r.opts.from);
    r.to = open_pool(r.loop, r.opts.to);
    bar_begin(&r.bar, r.opts.quiet);
    evpq_future *moved = evpq_task_spawn(r.loop, move, &r, NULL);
    evpq_future *watched = r.bar.on ? evpq_task_spawn(r.loop, look, &r, NULL) : NULL;
    evpq_status status = evpq_await(moved);
    evpq_task_cancel(watched);
    if (watched)
        evpq_await(watched);
    bar_end(&r.bar);
    say(&r, evpq_future_error(moved));
    evpq_future_unref(watched);
    evpq_future_unref(moved);
    plan_free(&r.plan);
    close_pool(r.from);
    close_pool(r.to);
    evpq_loop_unref(r.loop);
    return status == EVPQ_OK ? 0 : 1;
}
