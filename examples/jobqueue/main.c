/* main.c - the command line, the loop and the pool around one command of the job queue. */
#include "../common/cli.h"
#include "app.h"

#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct signals {
    ev_signal term, interrupt;
};

/* Killed at any moment a worker does no harm: its transaction is rolled back, and another does the
 * job. So it is not waited for either. */
static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
    (void)ev, (void)events;
    evpq_task_cancel(((struct app *)w->data)->command);
}

static void watch(struct ev_loop *ev, ev_signal *w, int number, struct app *app)
{
    ev_signal_init(w, on_signal, number);
    w->data = app;
    ev_signal_start(ev, w);
    ev_unref(ev); /* it keeps no run from ending by itself */
}

bool is_passing(const evpq_future *f)
{
    const evpq_error *error = evpq_future_error(f);
    switch (evpq_error_status(error)) {
    case EVPQ_LOST:
    case EVPQ_TIMEOUT:
    case EVPQ_NOMEM:
    case EVPQ_QUEUE_FULL:
        return true;
    case EVPQ_CONNECT:
        return !*evpq_error_sqlstate(error) || !strncmp(evpq_error_sqlstate(error), "5", 1);
    case EVPQ_SERVER: /* out of something, told to stop, or in somebody's way */
        return !strncmp(evpq_error_sqlstate(error), "53", 2) ||
               !strncmp(evpq_error_sqlstate(error), "57", 2) ||
               !strncmp(evpq_error_sqlstate(error), "40", 2);
    default:
        return false;
    }
}

void complain(const struct app *app, const char *who, const evpq_future *f)
{
    const evpq_error *error = evpq_future_error(f);
    if (!app->opts.quiet)
        fprintf(stderr, "jobqueue: %s: %s (%s)\n", who, evpq_error_message(error),
                evpq_status_text(evpq_error_status(error)));
}

/* One more than workers: for what is asked beside them. */
static evpq_pool *open_pool(struct app *app)
{
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = app->opts.workers + 1};
    evpq_error *error = NULL;
    evpq_pool *pool = evpq_pool_open(app->loop, app->opts.conninfo, &opts, &error);
    if (!pool)
        fprintf(stderr, "jobqueue: --conninfo: %s\n",
                cli_mask(evpq_error_message(error), app->opts.conninfo));
    evpq_error_unref(error);
    return pool;
}

static int run(struct app *app)
{
    static evpq_task_fn *const commands[] = {
        [COMMAND_SETUP] = setup,
        [COMMAND_PRODUCE] = produce,
        [COMMAND_WORK] = work,
        [COMMAND_STATUS] = status,
    };
    struct signals signals;
    app->command = evpq_task_spawn(app->loop, commands[app->opts.command], app, NULL);
    watch(evpq_loop_ev(app->loop), &signals.term, SIGTERM, app);
    watch(evpq_loop_ev(app->loop), &signals.interrupt, SIGINT, app);
    evpq_status ended = evpq_await(app->command);
    app->opts.quiet = false;
    if (ended != EVPQ_OK && ended != EVPQ_CANCELED)
        complain(app, "ended", app->command);
    evpq_future_unref(app->command);
    return ended == EVPQ_OK || ended == EVPQ_CANCELED ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct app app = {0};
    int exit_status = 1;
    cli_guard_streams();
    if (!opts_read(&app.opts, argc, argv, &exit_status))
        return exit_status;
    signal(SIGPIPE, SIG_IGN);
    app.loop = evpq_loop_new(NULL);
    app.pool = open_pool(&app);
    if (app.pool) {
        exit_status = run(&app);
        evpq_future *closed = evpq_pool_close(app.pool, 1);
        evpq_await(closed);
        evpq_future_unref(closed);
    }
    evpq_pool_unref(app.pool);
    evpq_loop_unref(app.loop);
    return fflush(stdout) == 0 ? exit_status : 1;
}
