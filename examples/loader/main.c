/* main.c - the program `loader`: takes batch after batch as a training loop would, looks at each,
 * and remembers where to go on. */
#include "loader.h"

#include "../common/cli.h"
#include "opts.h"
#include "progress.h"
#include "tally.h"

#include <errno.h>
#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Seconds between two writes of the state. */
#define STATE_EVERY 1.0

struct run {
    struct opts opts;
    evpq_loop *loop;
    struct loader *loader;
    struct ArrowSchema schema;
    int64_t unique; /* the column, or -1 */
    struct tally tally;
    struct progress progress;
    struct loader_state state; /* behind the last batch that was used */
    uint64_t epoch, batches;   /* at hand; used in all */
    double saved;
    evpq_future *waiting; /* for a batch, which a signal calls off */
    ev_signal term, interrupt;
    bool stopped, failed;
};

/* ---- failures ---- */

static void fail(struct run *r, const char *text)
{
    fprintf(stderr, "%sloader: %s\n", r->progress.shown ? "\n" : "", text);
    r->failed = true;
}

/* `f` is taken. */
static bool went_well(struct run *r, evpq_future *f)
{
    bool good = evpq_await(f) == EVPQ_OK;
    const evpq_error *error = evpq_future_error(f);
    if (!good)
        fail(r, evpq_error_message(error));
    if (!good && evpq_error_hint(error))
        fprintf(stderr, "loader: %s\n", evpq_error_hint(error));
    evpq_future_unref(f);
    return good;
}

/* ---- the state ---- */

static bool read_state(const char *path, struct loader_state *ret)
{
    char line[512] = "";
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "loader: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = fgets(line, sizeof line, file) && loader_state_parse(line, ret);
    fclose(file);
    if (!good)
        fprintf(stderr, "loader: %s: not a state that --state has written\n", path);
    return good;
}

/* Whoever reads it finds the one before or this one, and never half of it. */
static void save_state(struct run *r)
{
    char line[512], path[4096];
    if (!r->opts.state)
        return;
    int n = snprintf(path, sizeof path, "%s.new", r->opts.state);
    FILE *file = n < (int)sizeof path ? fopen(path, "w") : NULL;
    loader_state_print(&r->state, line, sizeof line);
    bool good = file && fprintf(file, "%s\n", line) > 0;
    if (file && fclose(file) != 0)
        good = false;
    if (!good || rename(path, r->opts.state) != 0) {
        fprintf(stderr, "loader: %s: %s\n", r->opts.state, strerror(errno));
        r->failed = r->stopped = true;
    }
    r->saved = progress_time();
}

/* ---- batches ---- */

static void end_epoch(struct run *r)
{
    if (r->tally.distinct != r->tally.rows && r->unique >= 0)
        r->failed = true;
    progress_epoch(&r->progress, &r->opts, &r->tally, r->epoch);
    tally_clear(&r->tally);
}

static void use(struct run *r, const struct loader_batch *batch)
{
    if (batch->at.epoch != r->epoch) {
        end_epoch(r);
        r->epoch = batch->at.epoch;
    }
    tally_count(&r->tally, &batch->array);
    if (r->opts.check && !tally_check(&r->tally, &r->schema, &batch->array))
        fail(r, "out of memory");
    if (r->unique >= 0 && !tally_unique(&r->tally, &r->schema, &batch->array, r->unique))
        fail(r, "--unique: a value is NULL, negative, or too large to be counted");
    r->state = batch->next;
    r->batches++;
    if (r->failed || (r->opts.batches && r->batches >= r->opts.batches))
        r->stopped = true;
    if (progress_time() - r->saved >= STATE_EVERY)
        save_state(r);
    if (!r->opts.quiet)
        progress_show(&r->progress, &r->tally, &batch->next);
}

static void take_batches(struct run *r)
{
    while (!r->stopped) {
        evpq_future *f = r->waiting = loader_next(r->loader);
        evpq_await(f);
        struct loader_batch *batch = loader_take(f);
        r->waiting = NULL;
        evpq_future_unref(f);
        if (!batch)
            break;
        use(r, batch);
        loader_batch_free(batch);
    }
    if (r->tally.batches)
        end_epoch(r);
}

/* ---- the whole ---- */

static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
    struct run *r = w->data;
    r->stopped = true;
    if (r->waiting)
        evpq_future_cancel(r->waiting);
}

static void watch_signals(struct run *r)
{
    struct ev_loop *ev = evpq_loop_ev(r->loop);
    ev_signal_init(&r->term, on_signal, SIGTERM);
    ev_signal_init(&r->interrupt, on_signal, SIGINT);
    r->term.data = r->interrupt.data = r;
    ev_signal_start(ev, &r->term);
    ev_signal_start(ev, &r->interrupt);
}

static void unwatch_signals(struct run *r)
{
    ev_signal_stop(evpq_loop_ev(r->loop), &r->term);
    ev_signal_stop(evpq_loop_ev(r->loop), &r->interrupt);
}

/* False when the loader has failed, which its end tells, or the columns are not what was said. */
static bool begin(struct run *r)
{
    if (evpq_await(loader_ready(r->loader)) != EVPQ_OK)
        return false;
    if (loader_schema(r->loader, &r->schema) != EVPQ_OK) {
        fail(r, "out of memory");
        return false;
    }
    if (r->opts.unique && (r->unique = tally_find(&r->schema, r->opts.unique)) < 0) {
        fail(r, "--unique: there is no column of integers of this name");
        return false;
    }
    return true;
}

static void say_stats(const struct run *r, evpq_pool *pool, uint64_t retries, double seconds)
{
    evpq_pool_stats stats = {.size = sizeof stats};
    evpq_pool_get_stats(pool, &stats);
    printf("%" PRIu64 " batches, %.1f batches/s; %" PRIu64 " connections made, %" PRIu64
           " lost, %" PRIu64 " ranges read again; peak %.1f MiB\n",
           r->batches, (double)r->batches / seconds, stats.connects, stats.lost, retries,
           progress_peak());
}

static void load(struct run *r, evpq_pool *pool)
{
    double begun = r->progress.begun = r->saved = progress_time();
    r->loader = loader_open(r->loop, pool, &r->opts.loader);
    if (!r->loader) {
        fail(r, "out of memory");
        return;
    }
    watch_signals(r);
    if (begin(r))
        take_batches(r);
    if (!r->failed && r->batches)
        save_state(r);
    double seconds = progress_time() - begun;
    uint64_t retries = loader_retries(r->loader);
    unwatch_signals(r);
    went_well(r, loader_close(r->loader));
    if (r->opts.stats)
        say_stats(r, pool, retries, seconds);
    if (r->schema.release)
        r->schema.release(&r->schema);
    tally_free(&r->tally);
}

int main(int argc, char **argv)
{
    struct run r = {.unique = -1};
    evpq_error *error = NULL;
    int status;
    cli_guard_streams();
    if (!opts_read(&r.opts, argc, argv, &status))
        return status;
    if (r.opts.resume && !read_state(r.opts.resume, &r.state))
        return 2;
    if (r.opts.resume)
        r.opts.loader.resume = &r.state;
    r.epoch = r.state.epoch;
    signal(SIGPIPE, SIG_IGN);

    evpq_pool_opts pool_opts = {.size = sizeof pool_opts, .max_size = r.opts.loader.connections};
    r.loop = evpq_loop_new(EV_DEFAULT);
    evpq_pool *pool = evpq_pool_open(r.loop, r.opts.conninfo, &pool_opts, &error);
    if (pool && went_well(&r, evpq_pool_connect(pool)))
        load(&r, pool);
    if (!pool)
        fail(&r, cli_mask(evpq_error_message(error), r.opts.conninfo));
    evpq_error_unref(error);
    if (pool)
        went_well(&r, evpq_pool_close(pool, 2));
    evpq_pool_unref(pool);
    evpq_loop_unref(r.loop);
    return r.failed;
}
