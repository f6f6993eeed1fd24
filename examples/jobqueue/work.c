/* work.c - those who work: tasks that each take a job, do it, and sleep when there is none.
 *
 * A worker sleeps on a subscription of its own. It subscribed before it looked for jobs the last
 * time, so none can be added unnoticed; and that a connection was lost meanwhile is an event like
 * any other: a reason to look. What nobody notifies is that a worker died and left its job behind:
 * for that it looks once in --poll seconds. */
#include "app.h"

#include <stdlib.h>

struct worker {
    struct app *app;
    evpq_listener *listener;
    int number;
    evpq_subscription *woken;
    bool found;
};

/* What a real queue would do here is its own business, as long as all that lasts of it is done in
 * this transaction. */
static evpq_future *do_job(evpq_txn *txn, struct worker *w, int64_t id, const char *payload)
{
    if (w->app->opts.busy > 0) {
        evpq_future *f = evpq_sleep(w->app->loop, w->app->opts.busy);
        if (evpq_await(f) != EVPQ_OK)
            return f;
        evpq_future_unref(f);
    }
    evpq_future_unref(
        evpq_txn_query(txn, "insert into jobqueue.done (job, payload, worker) values ($1, $2, $3)",
                       EVPQ_ARGS(id, payload, w->number)));
    return evpq_txn_query(txn, "delete from jobqueue.job where id operator(pg_catalog.=) $1",
                          EVPQ_ARGS(id));
}

/* The row's lock makes the job ours; others skip it, and get it when we are no more. */
static evpq_future *do_next(evpq_txn *txn, void *arg)
{
    struct worker *w = arg;
    evpq_future *f = evpq_txn_query(txn,
                                    "select id, payload from jobqueue.job"
                                    " order by id limit 1 for update skip locked",
                                    EVPQ_ARGS());
    if (evpq_await(f) != EVPQ_OK)
        return f;
    const evpq_result *r = evpq_future_result(f);
    w->found = evpq_result_rows(r) > 0;
    if (!w->found)
        return f;
    evpq_future *done = do_job(txn, w, evpq_result_int8(r, 0, 0), evpq_result_text(r, 0, 1));
    evpq_future_unref(f);
    return done;
}

/* Whether a transaction that ended in the dark was carried out does not matter: either the job is
 * gone, or somebody finds it. */
static evpq_future *work_off(struct worker *w)
{
    for (;;) {
        evpq_future *f = evpq_transact(w->app->pool, NULL, do_next, w);
        if (evpq_await(f) != EVPQ_OK || !w->found)
            return f;
        evpq_future_unref(f);
    }
}

/* Until something is notified, or may have been; or it is time to look anyway. */
static evpq_future *sleep_well(struct worker *w, double seconds)
{
    evpq_future *f = evpq_timeout(evpq_subscription_next(w->woken), seconds);
    evpq_await(f);
    evpq_future_notification(f); /* it is enough to know that there was one */
    return f;
}

/* Jobs that others are at may come back. */
static evpq_future *look_whether_empty(struct worker *w, bool *ret_empty)
{
    evpq_future *f = evpq_pool_read(w->app->pool, "select from jobqueue.job limit 1", EVPQ_ARGS());
    *ret_empty = evpq_await(f) == EVPQ_OK && !evpq_result_rows(evpq_future_result(f));
    return f;
}

/* All there is, and whether that was all. */
static evpq_future *work_once(struct worker *w, bool *ret_over)
{
    evpq_future *f = work_off(w);
    *ret_over = false;
    if (evpq_future_status(f) != EVPQ_OK || !w->app->opts.until_empty)
        return f;
    evpq_future_unref(f);
    return look_whether_empty(w, ret_over);
}

static evpq_future *work_on(struct worker *w)
{
    for (;;) {
        bool over;
        evpq_future *f = work_once(w, &over);
        bool well = evpq_future_status(f) == EVPQ_OK;
        if (over || !(well || is_passing(f)))
            return f;
        if (!well)
            complain(w->app, "work", f);
        evpq_future_unref(f);
        f = sleep_well(w, well ? w->app->opts.poll : 0.1);
        if (evpq_future_status(f) != EVPQ_OK && !is_passing(f))
            return f;
        evpq_future_unref(f);
    }
}

/* Begins when it listens, or when it has waited for that as long as it would sleep. */
static evpq_future *worker(evpq_task *self, void *arg)
{
    struct worker *w = arg;
    evpq_error *error = NULL;
    (void)self;
    w->woken = evpq_listener_subscribe(w->listener, CHANNEL, NULL, &error);
    if (!w->woken) {
        evpq_future *failed = evpq_future_failed(w->app->loop, evpq_error_status(error), "%s",
                                                 evpq_error_message(error));
        evpq_error_unref(error);
        return failed;
    }
    evpq_future *f = evpq_timeout(evpq_subscription_ready(w->woken), w->app->opts.poll);
    evpq_await(f);
    if (evpq_future_status(f) == EVPQ_OK || is_passing(f)) {
        evpq_future_unref(f);
        f = work_on(w);
    }
    evpq_subscription_unref(w->woken);
    return f;
}

/* For a worker one notification is as good as many. */
static evpq_listener *open_listener(struct app *app, evpq_error **ret_error)
{
    evpq_listener_opts opts = {.size = sizeof opts, .buffer = 1, .backoff_max = 1};
    return evpq_listener_open(app->loop, app->opts.listen_conninfo, &opts, ret_error);
}

static evpq_future *employ(struct app *app, evpq_listener *listener, struct worker *workers)
{
    evpq_group *group = evpq_group_open(app->loop, NULL);
    for (int i = 0; i < app->opts.workers; i++) {
        workers[i] = (struct worker){.app = app, .listener = listener, .number = i + 1};
        evpq_future_unref(evpq_group_spawn(group, worker, &workers[i], NULL));
    }
    evpq_future *all = evpq_group_join(group);
    evpq_await(all);
    return all;
}

evpq_future *work(evpq_task *self, void *arg)
{
    struct app *app = arg;
    evpq_error *error = NULL;
    (void)self;
    struct worker *workers = calloc((size_t)app->opts.workers, sizeof *workers);
    evpq_listener *listener = workers ? open_listener(app, &error) : NULL;
    evpq_future *f = listener ? employ(app, listener, workers)
                              : evpq_future_failed(app->loop, EVPQ_INVALID, "--listen-conninfo: %s",
                                                   error ? evpq_error_message(error) : "no memory");
    evpq_listener_unref(listener);
    evpq_error_unref(error);
    free(workers);
    return f;
}
