/* glib.c - evpq in GLib's main loop, with a timer of the program's beside it. */
#include <evpq/adapters/glib.h>
#include <evpq/evpq.h>
#include <stdio.h>

struct app {
    GMainLoop *main;
    int ticks;
    evpq_glib *attached;
    evpq_pool *pool;
    int failures;
};

static gboolean on_tick(gpointer data)
{
    ((struct app *)data)->ticks++;
    return G_SOURCE_CONTINUE;
}

/* The last connection is closed. */
static void on_closed(evpq_future *f, void *arg)
{
    struct app *app = arg;
    (void)f;
    app->attached = evpq_glib_detach(app->attached);
    g_main_loop_quit(app->main);
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
    struct app app = {.main = g_main_loop_new(NULL, FALSE)};
    guint clock = g_timeout_add(20, on_tick, &app);

    evpq_loop *loop = evpq_loop_new_embedded();
    app.attached = evpq_glib_attach(NULL, loop);
    app.pool = evpq_pool_open(loop, "", NULL, NULL);
    if (!app.attached || !app.pool) {
        fputs("no memory, no descriptors, or PG* variables that are no good\n", stderr);
        return 1;
    }
    evpq_future *f =
        evpq_pool_query(app.pool, "select 6 * $1::int, pg_catalog.pg_sleep(0.3)", EVPQ_ARGS(7));
    evpq_future_on_done(f, on_answer, &app);
    evpq_future_unref(f);

    g_main_loop_run(app.main);
    g_source_remove(clock);
    g_main_loop_unref(app.main);
    printf("the timer %s meanwhile\n", app.ticks > 0 ? "ticked" : "stood still");
    evpq_pool_unref(app.pool);
    evpq_loop_unref(loop);
    return app.failures;
}
