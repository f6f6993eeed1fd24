/* libevent.c - evpq in libevent's loop, with a timer of the program's beside it. */
#include <evpq/adapters/libevent.h>
#include <evpq/evpq.h>
#include <stdio.h>

struct app {
    struct event_base *base;
    struct event *clock;
    int ticks;
    evpq_libevent *attached;
    evpq_pool *pool;
    int failures;
};

static void on_tick(evutil_socket_t fd, short events, void *data)
{
    (void)fd, (void)events;
    ((struct app *)data)->ticks++;
}

/* The last connection is closed. Without the timer and the adapter nothing keeps
 * event_base_dispatch. */
static void on_closed(evpq_future *f, void *arg)
{
    struct app *app = arg;
    (void)f;
    event_del(app->clock);
    app->attached = evpq_libevent_detach(app->attached);
}

static void on_answer(evpq_future *f, void *arg)
{
    struct app *app = arg;
    const evpq_result *r = evpq_future_result(f); /* borrowed: valid while `f` is */
    if (r) {
        printf("the answer: %s\n", evpq_result_text(r, 0, 0));
    } else {
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
        app->failures++;
    }
    evpq_future *closed = evpq_pool_close(app->pool, -1);
    evpq_future_on_done(closed, on_closed, app);
    evpq_future_unref(closed);
}

int main(void)
{
    struct app app = {.base = event_base_new()};
    app.clock = event_new(app.base, -1, EV_PERSIST, on_tick, &app);
    event_add(app.clock, &(struct timeval){.tv_usec = 20000});

    evpq_loop *loop = evpq_loop_new_embedded();
    app.attached = evpq_libevent_attach(app.base, loop);
    app.pool = evpq_pool_open(loop, "", NULL, NULL);
    if (!app.attached || !app.pool) {
        fputs("no memory, no descriptors, or PG* variables that are no good\n", stderr);
        return 1;
    }
    evpq_future *f =
        evpq_pool_query(app.pool, "select 6 * $1::int, pg_catalog.pg_sleep(0.3)", EVPQ_ARGS(7));
    evpq_future_on_done(f, on_answer, &app);
    evpq_future_unref(f);

    event_base_dispatch(app.base);
    event_free(app.clock);
    event_base_free(app.base);
    printf("the timer %s meanwhile\n", app.ticks > 0 ? "ticked" : "stood still");
    evpq_pool_unref(app.pool);
    evpq_loop_unref(loop);
    return app.failures;
}
