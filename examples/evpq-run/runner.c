/* runner.c - see runner.h. A job is a place for one statement at a time: it takes an item, sends
 * it, waits, perhaps pauses and sends it again, and is free when the item has ended. */
#include "runner.h"

#include "outcome.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bad items that may be dealt with in one turn of the loop. */
#define TURN_MAX 256

struct job {
    struct runner *runner;
    struct item *item; /* NULL: free */
    evpq_future *wait; /* the answer, or the pause before the next one; owned */
    struct sending sending;
    evpq_error *failure; /* while pausing: of the last attempt; owned */
    int attempts;
    double began; /* the attempt */
};

struct runner {
    struct runner_options options;
    struct runner_parts parts;
    struct job *jobs;
    struct session session;
    int busy;
    struct outcome outcome;
    evpq_future *finished;
    bool all_read;
    bool unreachable; /* the server stays away: what is left is rejected untried */
    enum stop stop;
    double started;
    ev_io input;
    ev_timer tick, soon;
    unsigned short seed[3];
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct ev_loop *ev_of(const struct runner *r)
{
    return evpq_loop_ev(r->parts.loop);
}

/* ---- telling ---- */

static void draw(struct runner *r)
{
    struct progress_now p = {
        .started = r->outcome.stats.started,
        .ended = r->outcome.stats.done + r->outcome.stats.failed,
        .failed = r->outcome.stats.failed,
        .in_flight = r->busy,
        .consumed = source_consumed(r->parts.source),
        .total = source_total(r->parts.source),
        .all_read = r->all_read,
        .stopping = r->stop != STOP_NOT,
        .elapsed = runner_elapsed(r),
    };

    progress_draw(r->parts.progress, &p);
}

/* ---- an item's end ---- */

/* Where nothing can be written, nothing more is to be run. */
static void heed_outputs(struct runner *r)
{
    if (r->parts.sink->out->error)
        runner_stop(r, STOP_OUTPUT);
    if (r->outcome.rejects_broken)
        runner_stop(r, STOP_REJECTS);
}

static void end_failed(struct runner *r, struct item *item, const struct failure *f)
{
    outcome_failed(&r->outcome, item, f);
    heed_outputs(r);
    if (r->options.fail_fast)
        runner_stop(r, STOP_FAILURE);
}

/* ---- jobs ---- */

static void fill(struct runner *r);
static void send(struct job *job);

static struct item *free_job(struct job *job)
{
    struct item *item = job->item;

    job->item = NULL;
    job->wait = evpq_future_unref(job->wait);
    job->failure = evpq_error_unref(job->failure);
    job->runner->busy--;
    return item;
}

static void fail_job(struct job *job, const evpq_error *error)
{
    struct failure f = failure_of(error);
    struct runner *r = job->runner;
    evpq_error *kept = evpq_error_ref(error);

    end_failed(r, free_job(job), &f);
    evpq_error_unref(kept);
}

/* A statement that found no server in all the time it was given: those after it would not either,
 * and each would take as long to find out. */
static bool found_no_server(const struct job *job, const evpq_error *error)
{
    evpq_pool_stats stats = {.size = sizeof stats};

    evpq_pool_get_stats(job->runner->parts.pool, &stats);
    return stats.idle + stats.busy + stats.leased == 0 &&
           failure_found_no_server(error, job->runner->options.timeout > 0);
}

static void on_pause_over(evpq_future *f, void *arg)
{
    struct job *job = arg;

    if (evpq_future_status(f) == EVPQ_OK && job->runner->stop == STOP_NOT) {
        job->runner->outcome.stats.retries++;
        send(job);
        return;
    }
    fail_job(job, job->failure);
    fill(job->runner);
}

static void wait_for(struct job *job, evpq_future *f, evpq_done_fn *fn)
{
    evpq_future_unref(job->wait);
    job->wait = f;
    if (evpq_future_on_done(f, fn, job) == EVPQ_OK)
        return;
    fputs("evpq-run: out of memory\n", stderr);
    exit(1);
}

static void pause_job(struct job *job, const evpq_error *error)
{
    struct runner *r = job->runner;

    evpq_error_unref(job->failure);
    job->failure = evpq_error_ref(error);
    wait_for(job, evpq_sleep(r->parts.loop, failure_pause(job->attempts, erand48(r->seed))),
             on_pause_over);
}

/* Where the session that statements have set up is lost, none after them may run in another. */
static void heed_session(struct runner *r)
{
    if (!session_check(&r->session))
        runner_stop(r, STOP_SESSION);
}

static void on_answer(evpq_future *f, void *arg)
{
    struct job *job = arg;
    struct runner *r = job->runner;
    const evpq_error *error = evpq_future_error(f);

    heed_session(r);
    if (!error || evpq_error_outcome(error) != EVPQ_OUTCOME_NOT_SENT)
        stats_attempt(&r->outcome.stats, now() - job->began);
    if (!error) {
        evpq_future *kept = evpq_future_ref(f);
        struct item *item = free_job(job);

        outcome_done(&r->outcome, item, evpq_future_result(f), &job->sending.copied);
        evpq_future_unref(kept);
        heed_outputs(r);
    } else if (r->stop == STOP_NOT && job->attempts <= r->options.retries &&
               failure_may_pass(error, r->options.retry_unknown)) {
        pause_job(job, error);
        return;
    } else {
        if (found_no_server(job, error) && !r->unreachable) {
            r->unreachable = true;
            progress_say(r->parts.progress,
                         "the server cannot be reached; what is left is not tried any more");
        }
        fail_job(job, error);
    }
    fill(r);
}

static void send(struct job *job)
{
    struct runner *r = job->runner;

    job->failure = evpq_error_unref(job->failure);
    job->attempts++;
    job->began = now();
    sending_begin(&job->sending, &r->session, job->item, r->options.timeout);
    wait_for(job, evpq_future_ref(job->sending.answer), on_answer);
}

static void begin_item(struct runner *r, struct item *item)
{
    struct job *job = r->jobs;

    while (job->item)
        job++;
    job->item = item;
    job->attempts = 0;
    r->busy++;
    send(job);
}

/* ---- notices ---- */

/* Of several that run the same text it may be any. */
static const struct item *item_of(const struct runner *r, const char *sql)
{
    const struct item *found = NULL;

    for (int i = 0; i < r->options.jobs; i++) {
        const struct item *item = r->jobs[i].item;

        if (!item || (sql ? strcmp(item->sql, sql) != 0 : r->busy > 1))
            continue;
        if (found)
            return NULL;
        found = item;
    }
    return found;
}

void runner_notice(struct runner *r, const evpq_error *notice)
{
    const struct item *item = r ? item_of(r, evpq_error_sql(notice)) : NULL;
    const char *severity = evpq_error_severity(notice), *detail = evpq_error_detail(notice);
    struct buf text = {0};

    if (item) {
        item_place(item, &text);
        buf_text(&text, ": ");
    }
    buf_format(&text, "%s: %s", severity ? severity : "NOTICE", evpq_error_message(notice));
    if (detail)
        buf_format(&text, "; %s", detail);
    progress_say(r->parts.progress, "%s", buf_string(&text));
    buf_free(&text);
}

/* ---- reading ---- */

static void take_item(struct runner *r, struct item *item)
{
    r->outcome.stats.started++;
    if (item->bad || r->unreachable) {
        struct failure f = item->bad ? failure_of_input(item->bad) : failure_of_absence();

        end_failed(r, item, &f);
    } else {
        begin_item(r, item);
    }
}

static bool may_start(const struct runner *r)
{
    return r->stop == STOP_NOT && !r->all_read && r->busy < r->options.jobs &&
           sink_has_room(r->parts.sink, r->outcome.stats.started + 1);
}

static void stop_watching(struct runner *r)
{
    ev_io_stop(ev_of(r), &r->input);
    ev_timer_stop(ev_of(r), &r->tick);
    ev_timer_stop(ev_of(r), &r->soon);
}

static void finish_if_done(struct runner *r)
{
    if (r->busy > 0 || (r->stop == STOP_NOT && !r->all_read))
        return;
    stop_watching(r);
    session_close(&r->session); /* else the pool waits for it when it is closed */
    evpq_future_set_value(r->finished, NULL, NULL);
}

/* False when there is nothing to read at this moment. */
static bool read_one(struct runner *r)
{
    struct item *item = NULL;

    switch (source_next(r->parts.source, &item)) {
    case SOURCE_ITEM:
        take_item(r, item);
        return true;
    case SOURCE_WAIT:
        ev_io_stop(ev_of(r), &r->input);
        ev_io_set(&r->input, source_fd(r->parts.source), EV_READ);
        ev_io_start(ev_of(r), &r->input);
        return false;
    case SOURCE_END:
        r->all_read = true;
        return false;
    case SOURCE_FAILED:
        progress_say(r->parts.progress, "%s", source_why(r->parts.source));
        runner_stop(r, STOP_INPUT);
        return false;
    }
    return false;
}

static void fill_soon(struct runner *r)
{
    if (ev_is_active(&r->soon))
        return;
    ev_timer_set(&r->soon, 0, 0);
    ev_timer_start(ev_of(r), &r->soon);
}

static void fill(struct runner *r)
{
    int turns = 0;

    ev_io_stop(ev_of(r), &r->input);
    while (may_start(r)) {
        if (turns++ == TURN_MAX) {
            fill_soon(r);
            return;
        }
        if (!read_one(r))
            break;
    }
    finish_if_done(r);
}

static void on_input(struct ev_loop *ev, ev_io *w, int events)
{
    (void)ev;
    (void)events;
    fill(w->data);
}

static void on_soon(struct ev_loop *ev, ev_timer *w, int events)
{
    (void)ev;
    (void)events;
    fill(w->data);
}

static void on_tick(struct ev_loop *ev, ev_timer *w, int events)
{
    struct runner *r = w->data;

    (void)ev;
    (void)events;
    out_flush(r->parts.sink->out);
    heed_outputs(r);
    draw(r);
}

/* ---- life ---- */

struct runner *runner_new(const struct runner_options *options, const struct runner_parts *parts)
{
    struct runner *r = alloc(sizeof *r);

    r->options = *options;
    r->parts = *parts;
    r->outcome = (struct outcome){.format = parts->format,
                                  .sink = parts->sink,
                                  .rejects = parts->rejects,
                                  .source = parts->source,
                                  .progress = parts->progress};
    r->jobs = alloc((size_t)options->jobs * sizeof *r->jobs);
    for (int i = 0; i < options->jobs; i++)
        r->jobs[i].runner = r;
    r->session =
        (struct session){.loop = parts->loop, .pool = parts->pool, .single = options->jobs == 1};
    r->finished = evpq_future_new(parts->loop, NULL, NULL);
    r->started = now();
    r->seed[0] = (unsigned short)(long)(r->started * 1e6);
    ev_init(&r->input, on_input);
    ev_init(&r->soon, on_soon);
    ev_timer_init(&r->tick, on_tick, PROGRESS_INTERVAL, PROGRESS_INTERVAL);
    r->input.data = r->soon.data = r->tick.data = r;
    return r;
}

evpq_future *runner_start(struct runner *r)
{
    r->started = now();
    ev_timer_start(ev_of(r), &r->tick);
    fill(r);
    return evpq_future_ref(r->finished);
}

void runner_stop(struct runner *r, enum stop why)
{
    if (r->stop != STOP_NOT && why != STOP_INTERRUPT)
        return;
    if (r->stop == STOP_NOT)
        r->stop = why;
    for (int i = 0; i < r->options.jobs; i++) {
        struct job *job = &r->jobs[i];

        if (job->item && job->failure)
            evpq_future_cancel(job->wait);
        else if (job->item && why == STOP_INTERRUPT)
            sending_cancel(&job->sending);
    }
    fill_soon(r);
}

enum stop runner_stopped(const struct runner *r)
{
    return r->stop;
}

const struct stats *runner_stats(const struct runner *r)
{
    return &r->outcome.stats;
}

double runner_elapsed(const struct runner *r)
{
    return now() - r->started;
}

void runner_free(struct runner *r)
{
    stop_watching(r);
    evpq_future_unref(r->finished);
    for (int i = 0; i < r->options.jobs; i++) {
        evpq_future_unref(r->jobs[i].sending.answer);
        buf_free(&r->jobs[i].sending.copied);
    }
    session_close(&r->session);
    free(r->jobs);
    free(r);
}
