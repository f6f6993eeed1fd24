/* uv.c - evpq in libuv's loop, with a timer of the program's beside it. */
#include <evpq/adapters/uv.h>
#include <evpq/evpq.h>
#include <stdio.h>

struct app {
    uv_loop_t *uv;
    uv_timer_t clock;
    int ticks;
    evpq_uv *attached;
    evpq_pool *pool;
    int failures;
};

static void on_tick(uv_timer_t *clock)
{
    ((struct app *)clock->data)->ticks++;
}

/* The last connection is closed. Without the timer and the adapter nothing keeps uv_run. */
static void on_closed(evpq_future *f, void *arg)
{
    struct app *app = arg;
    (void)f;
    uv_close((uv_handle_t *)&app->clock, NULL);
    app->attached = evpq_uv_detach(app->attached);
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
    struct app app = {.uv = uv_default_loop()};
    uv_timer_init(app.uv, &app.clock);
    app.clock.data = &app;
    uv_timer_start(&app.clock, on_tick, 20, 20);

    evpq_loop *loop = evpq_loop_new_embedded();
    app.attached = evpq_uv_attach(app.uv, loop);
    app.pool = evpq_pool_open(loop, "", NULL, NULL);
    if (!app.attached || !app.pool) {
        fputs("no memory, no descriptors, or PG* variables that are no good\n", stderr);
        return 1;
    }
    evpq_future *f =
        evpq_pool_query(app.pool, "select 6 * $1::int, pg_catalog.pg_sleep(0.3)", EVPQ_ARGS(7));
    evpq_future_on_done(f, on_answer, &app);
    evpq_future_unref(f);

    uv_run(app.uv, UV_RUN_DEFAULT);
    printf("the timer %s meanwhile\n", app.ticks > 0 ? "ticked" : "stood still");
    evpq_pool_unref(app.pool);
    evpq_loop_unref(loop);
    return app.failures;
}
