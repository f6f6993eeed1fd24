/* callbacks.c - evpq as a guest on a libev loop that the program runs, with a timer beside it. */
#include <ev.h>
#include <evpq/evpq.h>
#include <stdio.h>

struct app {
    struct ev_loop *ev;
    ev_timer clock;
    int ticks;
    evpq_pool *pool;
    int failures;
};

static void on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
    struct app *app = w->data;
    (void)ev, (void)events;
    app->ticks++;
}

/* With the pool let go of, which closes it, and the timer stopped, nothing keeps ev_run. */
static void stop(struct app *app)
{
    app->pool = evpq_pool_unref(app->pool);
    ev_timer_stop(app->ev, &app->clock);
}

/* Called by the loop, and never from inside evpq_pool_query. */
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
    stop(app);
}

int main(void)
{
    struct app app = {.ev = EV_DEFAULT};
    ev_timer_init(&app.clock, on_tick, 0.02, 0.02);
    app.clock.data = &app;
    ev_timer_start(app.ev, &app.clock);

    evpq_loop *loop = evpq_loop_new(app.ev);
    evpq_error *error = NULL;
    app.pool = evpq_pool_open(loop, "", NULL, &error);
    if (!app.pool) {
        fprintf(stderr, "%s\n", evpq_error_message(error));
        evpq_error_unref(error);
        evpq_loop_unref(loop);
        return 1;
    }
    evpq_future *f =
        evpq_pool_query(app.pool, "select 6 * $1::int, pg_catalog.pg_sleep(0.3)", EVPQ_ARGS(7));
    evpq_future_on_done(f, on_answer, &app);
    evpq_future_unref(f); /* it runs on, and its callback keeps it until called */

    ev_run(app.ev, 0);
    printf("the timer %s meanwhile\n", app.ticks > 0 ? "ticked" : "stood still");
    evpq_loop_unref(loop);
    return app.failures;
}
