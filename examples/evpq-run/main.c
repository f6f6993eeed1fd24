/* main.c - evpq-run: runs many SQL statements at once. Opens what the options name, in an order in
 * which nothing is lost when something cannot be opened, runs, and tells what came of it. */
#include "../common/cli.h"
#include "opts.h"
#include "runner.h"
#include "signals.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALL_GOOD, SOME_FAILED, WRONG_USAGE, NO_CONNECTION };

/* How many statements may wait for one before them, with --order input: some per job, bounded. */
#define WINDOW_PER_JOB 64

/* How long what was canceled may take to end on the server, before the connections are cut. */
#define CLOSE_SECONDS 2.0

/* Everything that is opened, in the order of opening. */
struct run {
    struct opts opts;
    struct source *source;
    struct out out;
    struct rejects rejects;
    struct sink sink;
    struct progress progress;
    evpq_loop *loop;
    ev_io interrupt;
    evpq_pool *pool;
    evpq_future *connecting; /* while it is what a signal ends */
    struct runner *runner;
    bool interrupted;
};

static int complain(int status, const char *format, const char *what)
{
    fputs("evpq-run: ", stderr);
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    return status;
}

static int complain_of_file(const char *path)
{
    fprintf(stderr, "evpq-run: %s: cannot write: %s\n", path, strerror(errno));
    return WRONG_USAGE;
}

static void on_signal(struct ev_loop *ev, ev_io *w, int events)
{
    struct run *run = w->data;

    (void)events;
    ev_io_stop(ev, w);
    run->interrupted = true;
    if (run->runner)
        runner_stop(run->runner, STOP_INTERRUPT);
    else if (run->connecting)
        evpq_future_cancel(run->connecting);
}

/* ---- opening ---- */

static int open_files(struct run *run)
{
    const struct opts *o = &run->opts;
    struct source_options from = {
        .files = o->files,
        .file_count = o->file_count,
        .sql = o->sql,
        .sql_count = o->sql_count,
        .params = o->params,
        .header = o->header,
        .one_session = o->jobs == 1,
    };
    char *why = NULL;

    run->source = source_open(&from, &why);
    if (run->source && !out_open(&run->out, o->output, 0666))
        return complain_of_file(o->output);
    if (run->source && source_reads(run->source, run->out.fd))
        return complain(WRONG_USAGE, "%s: cannot be input and output at once", o->output);
    if (run->source && (!o->rejects || rejects_open(&run->rejects, o->rejects, o->params != NULL,
                                                    run->source, &run->out, &why)))
        return ALL_GOOD;
    complain(WRONG_USAGE, "%s", why);
    free(why);
    return WRONG_USAGE;
}

static int open_loop(struct run *run)
{
    int fd = signals_open();

    run->loop = evpq_loop_new(NULL);
    if (fd < 0 || !run->loop)
        return complain(SOME_FAILED, "cannot set up an event loop: %s", strerror(errno));
    ev_io_init(&run->interrupt, on_signal, fd, EV_READ);
    run->interrupt.data = run;
    ev_io_start(evpq_loop_ev(run->loop), &run->interrupt);
    return ALL_GOOD;
}

static void on_notice(const evpq_error *notice, void *arg)
{
    struct run *run = arg;

    if (run->runner)
        runner_notice(run->runner, notice);
    else
        progress_say(&run->progress, "%s: %s", evpq_error_severity(notice),
                     evpq_error_message(notice));
}

/* --set: on each new connection, and again after a reset. */
static evpq_future *make_settings(evpq_lease *lease, void *arg)
{
    const struct opts *o = &((struct run *)arg)->opts;
    evpq_future **all = alloc(o->set_count * sizeof *all), *f;

    for (size_t i = 0; i < o->set_count; i++) {
        const char *value = strchr(o->sets[i], '=');
        char *name = dup_bytes(o->sets[i], (size_t)(value - o->sets[i]));

        all[i] = evpq_lease_query(lease, "select pg_catalog.set_config($1, $2, false)",
                                  EVPQ_ARGS(name, value + 1));
        free(name);
    }
    f = evpq_all(all, o->set_count);
    free(all);
    return f;
}

/* Opens all connections: one too many for the server is better known now than in the middle. A
 * script's statements are not prepared: their literals, 'now' and dates as DateStyle has them, would
 * keep the meaning that they had then. */
static int open_pool(struct run *run)
{
    evpq_pool_opts options = {
        .size = sizeof options,
        .min_size = run->opts.jobs,
        .max_size = run->opts.jobs,
        .after_connect = run->opts.set_count > 0 ? make_settings : NULL,
        .hook_arg = run,
        .prepare = run->opts.params ? EVPQ_PREPARE_AUTO : EVPQ_PREPARE_OFF,
        .on_notice = on_notice,
        .notice_arg = run,
    };
    evpq_error *error = NULL;
    int status = ALL_GOOD;

    setenv("PGAPPNAME", "evpq-run", 0);
    setenv("PGCLIENTENCODING", "UTF8", 0);
    run->pool = evpq_pool_open(run->loop, run->opts.conninfo, &options, &error);
    if (!run->pool) {
        complain(WRONG_USAGE, "-d: %s", cli_mask(evpq_error_message(error), run->opts.conninfo));
        evpq_error_unref(error);
        return WRONG_USAGE;
    }
    run->connecting = evpq_pool_connect(run->pool);
    if (evpq_await(run->connecting) != EVPQ_OK && run->interrupted)
        status = complain(SOME_FAILED, "%s", "interrupted before anything was run");
    else if (evpq_future_error(run->connecting))
        status = complain(NO_CONNECTION, "cannot connect: %s",
                          evpq_error_message(evpq_future_error(run->connecting)));
    run->connecting = evpq_future_unref(run->connecting);
    return status;
}

static bool wants_progress(const struct opts *o)
{
    return o->progress == PROGRESS_ALWAYS ||
           (o->progress == PROGRESS_AUTO && isatty(STDERR_FILENO));
}

static void open_runner(struct run *run)
{
    const struct opts *o = &run->opts;
    struct runner_options options = {
        .jobs = o->jobs,
        .timeout = o->timeout,
        .retries = o->retries,
        .retry_unknown = o->retry_unknown,
        .fail_fast = o->fail_fast,
    };
    struct runner_parts parts = {
        .loop = run->loop,
        .pool = run->pool,
        .source = run->source,
        .format = o->format,
        .sink = &run->sink,
        .rejects = o->rejects ? &run->rejects : NULL,
        .progress = &run->progress,
    };

    sink_open(&run->sink, &run->out, o->in_order ? (size_t)o->jobs * WINDOW_PER_JOB : 0);
    run->progress.fd = wants_progress(o) ? STDERR_FILENO : -1;
    run->runner = runner_new(&options, &parts);
}

/* ---- the end ---- */

static void close_pool(struct run *run)
{
    evpq_future *closed;

    if (!run->pool)
        return;
    closed = evpq_timeout(evpq_pool_close(run->pool, CLOSE_SECONDS), 2 * CLOSE_SECONDS);
    evpq_await(closed);
    evpq_future_unref(closed);
}

static void tell_stop(struct run *run)
{
    static const char *const why[] = {
        [STOP_FAILURE] = "stopped at the first failure (--fail-fast)",
        [STOP_INTERRUPT] = "interrupted",
        [STOP_OUTPUT] = "stopped because the output cannot be written",
        [STOP_REJECTS] = "stopped because the rejects cannot be written",
        [STOP_SESSION] =
            "stopped because the session is lost, and with it what statements had set up in it",
        [STOP_INPUT] = "stopped because the input cannot be read",
    };
    enum stop stop = runner_stopped(run->runner);
    const char *place = source_place(run->source);

    if (stop != STOP_NOT)
        progress_say(&run->progress, "%s; nothing after %s was started", why[stop],
                     *place ? place : "the beginning");
}

static bool close_output(struct run *run)
{
    struct buf why = {0};

    if (out_close(&run->out))
        return true;
    out_explain(&run->out, &why);
    progress_say(&run->progress, "%s", buf_string(&why));
    buf_free(&why);
    return false;
}

/* Why they cannot be written was told when it came, unless it comes only now. */
static bool close_rejects(struct run *run)
{
    struct buf before = {0}, why = {0};
    bool good;

    if (!run->opts.rejects)
        return true;
    rejects_explain(&run->rejects, &before);
    good = rejects_close(&run->rejects, source_header(run->source));
    if (!good && before.length == 0) {
        rejects_explain(&run->rejects, &why);
        progress_say(&run->progress, "%s", buf_string(&why));
        buf_clear(&why);
    }
    rejects_missing(&run->rejects, &why);
    if (why.length > 0)
        progress_say(&run->progress, "%s", buf_string(&why));
    buf_free(&before);
    buf_free(&why);
    return good;
}

static void tell_counts(struct run *run, double elapsed, bool rejects_whole)
{
    const struct stats *s = runner_stats(run->runner);
    struct buf text = {0};

    if (run->opts.summary || run->interrupted) {
        stats_summary(s, elapsed, run->opts.jobs, &text);
        out_write(STDERR_FILENO, buf_string(&text), text.length);
    } else if (s->failed > 0) {
        progress_say(&run->progress, "%ld of %ld statements failed", s->failed, s->started);
    }
    if (s->failed > 0 && run->opts.rejects && rejects_whole)
        progress_say(&run->progress, "what failed is in %s", run->opts.rejects);
    buf_free(&text);
}

static int run_all(struct run *run)
{
    evpq_future *finished;
    double elapsed;
    bool output_whole, rejects_whole;

    out_truncate(&run->out);
    if (run->opts.rejects)
        rejects_truncate(&run->rejects);
    open_runner(run);
    finished = runner_start(run->runner);
    evpq_await(finished);
    evpq_future_unref(finished);
    elapsed = runner_elapsed(run->runner);
    progress_wipe(&run->progress);
    output_whole = close_output(run);
    rejects_whole = close_rejects(run);
    tell_stop(run);
    tell_counts(run, elapsed, rejects_whole);
    return output_whole && rejects_whole && runner_stats(run->runner)->failed == 0 &&
                   runner_stopped(run->runner) == STOP_NOT
               ? ALL_GOOD
               : SOME_FAILED;
}

static void release(struct run *run)
{
    if (run->runner)
        runner_free(run->runner);
    evpq_pool_unref(run->pool);
    if (run->loop)
        ev_io_stop(evpq_loop_ev(run->loop), &run->interrupt);
    evpq_loop_unref(run->loop);
    sink_free(&run->sink);
    progress_free(&run->progress);
    rejects_free(&run->rejects);
    out_free(&run->out);
    source_close(run->source);
    opts_free(&run->opts);
}

static int print(void (*what)(FILE *))
{
    what(stdout);
    if (fflush(stdout) == 0)
        return ALL_GOOD;
    return complain(SOME_FAILED, "standard output: %s", strerror(errno));
}

static void print_version(FILE *to)
{
    int v = evpq_version();

    fprintf(to, "evpq-run %d.%d.%d\n", v / 10000, v / 100 % 100, v % 100);
}

int main(int argc, char **argv)
{
    struct run run = {.out.fd = -1, .progress.fd = -1};
    int status = SOME_FAILED;

    cli_guard_streams();
    setlocale(LC_CTYPE, "");
    switch (opts_read(&run.opts, argc, argv, isatty(STDIN_FILENO))) {
    case OPTS_HELP:
        status = print(opts_print_help);
        break;
    case OPTS_VERSION:
        status = print(print_version);
        break;
    case OPTS_WRONG:
        complain(WRONG_USAGE, "%s", buf_string(&run.opts.why));
        status = complain(WRONG_USAGE, "%s", "`evpq-run --help' says what there is");
        break;
    case OPTS_RUN:
        status = open_files(&run);
        if (status == ALL_GOOD)
            status = open_loop(&run);
        if (status == ALL_GOOD)
            status = open_pool(&run);
        if (status == ALL_GOOD)
            status = run_all(&run);
        close_pool(&run);
        break;
    }
    release(&run);
    return status;
}
