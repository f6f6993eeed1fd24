/* main.c - a web server in front of a pool: opens both, waits to be told to end, lets everybody
 * finish, and goes. */
#include "../common/cli.h"
#include "opts.h"
#include "routes.h"
#include "server.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Seconds that a query may take to stop on the server, before its connection is cut. */
#define CLOSE_SECONDS 2.0

struct ending {
    ev_signal term, interrupt;
    evpq_future *asked;
};

/* From here on the next signal does what it does to any program. */
static void on_signal(struct ev_loop *ev, ev_signal *w, int events)
{
    struct ending *ending = w->data;
    ev_signal_stop(ev, &ending->term);
    ev_signal_stop(ev, &ending->interrupt);
    evpq_future_set_value(ending->asked, NULL, NULL);
}

/* Done when SIGTERM or SIGINT has come. `ending` is borrowed until then. */
static evpq_future *ending_asked(evpq_loop *loop, struct ending *ending)
{
    struct ev_loop *ev = evpq_loop_ev(loop);
    ev_signal_init(&ending->term, on_signal, SIGTERM);
    ev_signal_init(&ending->interrupt, on_signal, SIGINT);
    ending->term.data = ending->interrupt.data = ending;
    ev_signal_start(ev, &ending->term);
    ev_signal_start(ev, &ending->interrupt);
    ending->asked = evpq_future_new(loop, NULL, NULL);
    return ending->asked;
}

/* `f` is taken. */
static void wait_for(evpq_future *f)
{
    evpq_await(f);
    evpq_future_unref(f);
}

/* The server starts without a database too, and is well as soon as there is one. */
static void on_connected(evpq_future *connected, void *arg)
{
    const evpq_error *error = evpq_future_error(connected);
    if (evpq_error_status(error) == EVPQ_CONNECT)
        fprintf(stderr, "web: no database yet: %s\n", evpq_error_message(error));
}

static void tell_if_not_connected(evpq_pool *pool)
{
    evpq_future *connected = evpq_pool_connect(pool);
    evpq_future_on_done(connected, on_connected, NULL);
    evpq_future_unref(connected);
}

static evpq_pool *open_pool(evpq_loop *loop, const struct opts *o)
{
    evpq_pool_opts opts = {
        .size = sizeof opts,
        .min_size = o->pool,
        .max_size = o->pool,
        .max_waiting = o->max_waiting,
    };
    evpq_error *error = NULL;
    evpq_pool *pool = evpq_pool_open(loop, o->conninfo, &opts, &error);
    if (!pool)
        fprintf(stderr, "web: --conninfo: %s\n", cli_mask(evpq_error_message(error), o->conninfo));
    evpq_error_unref(error);
    return pool;
}

/* As many descriptors as clients and connections want, where the system lets us. */
static void raise_limit(const struct opts *o)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)(o->max_clients + o->pool + 64);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
        return;
    files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static struct server *open_server(evpq_loop *loop, evpq_pool *pool, const struct opts *o)
{
    struct server_opts opts = {
        .address = o->address,
        .port = o->port,
        .max_requests = o->max_requests,
        .max_clients = o->max_clients,
        .client_timeout = o->client_timeout,
        .deadline = o->deadline,
        .routes = routes,
        .app = pool,
    };
    struct server *server = server_open(loop, &opts);
    if (!server) {
        fprintf(stderr, "web: cannot listen on %s, port %s: %s\n", o->address, o->port,
                strerror(errno));
        return NULL;
    }
    bool ipv6 = strchr(o->address, ':');
    printf("listening on http://%s%s%s:%d\n", ipv6 ? "[" : "", o->address, ipv6 ? "]" : "",
           server_port(server));
    fflush(stdout);
    return server;
}

int main(int argc, char **argv)
{
    struct opts opts;
    struct ending ending;
    int status = 1;
    cli_guard_streams();
    if (!opts_read(&opts, argc, argv, &status))
        return status;
    signal(SIGPIPE, SIG_IGN);
    srandom((unsigned)time(NULL));
    raise_limit(&opts);

    evpq_loop *loop = evpq_loop_new(EV_DEFAULT);
    evpq_pool *pool = open_pool(loop, &opts);
    struct server *server = pool ? open_server(loop, pool, &opts) : NULL;
    if (server) {
        tell_if_not_connected(pool);
        wait_for(ending_asked(loop, &ending));
        wait_for(server_drain(server));
        server_close(server);
        status = 0;
    }
    if (pool)
        wait_for(evpq_pool_close(pool, CLOSE_SECONDS));
    evpq_pool_unref(pool);
    evpq_loop_unref(loop);
    return status;
}
