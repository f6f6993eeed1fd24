/* sd-event.c - evpq in systemd's event loop, with a timer of the program's beside it. */
#include <evpq/adapters/sd-event.h>
#include <evpq/evpq.h>
#include <stdio.h>
#include <time.h>

struct app {
    sd_event *event;
    int ticks;
    evpq_sd_event *attached;
    evpq_pool *pool;
    int failures;
};

static int on_tick(sd_event_source *clock, uint64_t at, void *data)
{
    (void)at;
    ((struct app *)data)->ticks++;
    sd_event_source_set_time_relative(clock, 20000);
    return sd_event_source_set_enabled(clock, SD_EVENT_ONESHOT);
}

/* The last connection is closed. */
static void on_closed(evpq_future *f, void *arg)
{
    struct app *app = arg;
    (void)f;
    app->attached = evpq_sd_event_detach(app->attached);
    sd_event_exit(app->event, 0);
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
    struct app app = {0};
    sd_event_default(&app.event);
    sd_event_add_time_relative(app.event, NULL, CLOCK_MONOTONIC, 20000, 0, on_tick, &app);

    evpq_loop *loop = evpq_loop_new_embedded();
    app.attached = evpq_sd_event_attach(app.event, loop);
    app.pool = evpq_pool_open(loop, "", NULL, NULL);
    if (!app.attached || !app.pool) {
        fputs("no memory, no descriptors, or PG* variables that are no good\n", stderr);
        return 1;
    }
    evpq_future *f =
        evpq_pool_query(app.pool, "select 6 * $1::int, pg_catalog.pg_sleep(0.3)", EVPQ_ARGS(7));
    evpq_future_on_done(f, on_answer, &app);
    evpq_future_unref(f);

    sd_event_loop(app.event);
    sd_event_unref(app.event);
    printf("the timer %s meanwhile\n", app.ticks > 0 ? "ticked" : "stood still");
    evpq_pool_unref(app.pool);
    evpq_loop_unref(loop);
    return app.failures;
}
