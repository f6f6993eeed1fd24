/* epoll.c - evpq in a loop around epoll_wait, with a timer of the program's beside it. */
#include <evpq/adapters/epoll.h>
#include <evpq/evpq.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct app {
    evpq_pool *pool;
    bool ends;
    int failures;
};

/* The last connection is closed. */
static void on_closed(evpq_future *f, void *arg)
{
    (void)f;
    ((struct app *)arg)->ends = true;
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
    int set = epoll_create1(EPOLL_CLOEXEC), clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct timespec often = {.tv_nsec = 20000000};
    timerfd_settime(clock, 0, &(struct itimerspec){often, often}, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = clock};
    epoll_ctl(set, EPOLL_CTL_ADD, clock, &event);

    evpq_loop *loop = evpq_loop_new_embedded();
    bool attached = evpq_epoll_attach(set, loop, (epoll_data_t){.fd = evpq_loop_fd(loop)});
    app.pool = evpq_pool_open(loop, "", NULL, NULL);
    if (!attached || !app.pool) {
        fputs("no memory, no descriptors, or PG* variables that are no good\n", stderr);
        return 1;
    }
    evpq_future *f =
        evpq_pool_query(app.pool, "select 6 * $1::int, pg_catalog.pg_sleep(0.3)", EVPQ_ARGS(7));
    evpq_future_on_done(f, on_answer, &app);
    evpq_future_unref(f);

    uint64_t ticks, ticked = 0;
    while (!app.ends) {
        if (epoll_wait(set, &event, 1, -1) != 1) /* a signal */
            continue;
        if (event.data.fd != clock)
            evpq_loop_turn(loop);
        else if (read(clock, &ticks, sizeof ticks) == sizeof ticks)
            ticked += ticks;
    }
    printf("the timer %s meanwhile\n", ticked ? "ticked" : "stood still");
    evpq_epoll_detach(set, loop);
    close(set);
    close(clock);
    evpq_pool_unref(app.pool);
    evpq_loop_unref(loop);
    return app.failures;
}
