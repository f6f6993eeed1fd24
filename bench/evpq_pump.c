/* evpq_pump.c - many small queries through a pool, each answer asking the next question: the
 * workloads point, latency, update, fanout, head-of-line, queue. */
#include "bench/evpq.h"

#include <arpa/inet.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const struct options *options;
static evpq_loop *loop;
static evpq_pool *pool;
static const char *sql;
static int parameters;
static long due, sent, done; /* queries that may be asked by now, and were, and were answered */
static double *came;         /* when each query came to be due, where that is timed */
static bool counts_rows, sleepers;
static evpq_future *(*call)(evpq_pool *, const char *, evpq_args); /* how they are asked */
static uint64_t checksum;

static evpq_future *query(int id, int amount)
{
    if (options->params[0] == 't')
        return call(pool, sql,
                    evpq_binary(parameters == 2   ? EVPQ_ARGS(id, amount)
                                : parameters == 1 ? EVPQ_ARGS(id)
                                                  : EVPQ_ARGS()));
    uint32_t wire[] = {htonl((uint32_t)id), htonl((uint32_t)amount)};
    evpq_arg v[] = {evpq_param_binary(INT4_OID, &wire[0], sizeof wire[0]),
                    evpq_param_binary(INT4_OID, &wire[1], sizeof wire[1])};
    return call(pool, sql, (evpq_args){(size_t)parameters, v, 1});
}

static void answered(evpq_future *f, void *arg);
static void sleeper_answered(evpq_future *f, void *arg);

static void ask(void)
{
    long index = sent++;
    bool sleeper = sleepers && index % SLEEPER_EVERY == SLEEPER_EVERY - 1;
    if (came)
        came[index] = clock_now();
    evpq_future *f = sleeper ? evpq_pool_query(pool, SQL_SLEEPER, evpq_binary(EVPQ_ARGS()))
                             : query(parameters ? next_id() : 0, 1);
    if (evpq_future_on_done(f, sleeper ? sleeper_answered : answered, came ? &came[index] : NULL) !=
        EVPQ_OK)
        die("no callback");
    evpq_future_unref(f);
}

static void go_on(void)
{
    done++;
    while (sent < due && sent - done < options->in_flight)
        ask();
    if (done == due)
        evpq_loop_stop(loop);
}

static void answered(evpq_future *f, void *arg)
{
    const evpq_result *r = ours_result(f);
    if (came)
        latency_add(clock_now() - *(double *)arg);
    if (counts_rows)
        checksum += (uint64_t)evpq_result_rows(r);
    else if (parameters == 1)
        checksum += (uint64_t)evpq_result_int4(r, 0, 0) + (uint64_t)evpq_result_int4(r, 0, 1);
    go_on();
}

static void sleeper_answered(evpq_future *f, void *arg)
{
    ours_result(f);
    go_on();
}

/* ---- queries that come when their time has come, whatever has become of those before ---- */

static void burst(struct ev_loop *ev, ev_io *watcher, int revents)
{
    uint64_t ticks;
    if (read(watcher->fd, &ticks, sizeof ticks) != sizeof ticks)
        return;
    for (long left = (long)ticks * options->burst; left && sent < options->n; left--)
        ask();
    if (sent == options->n)
        ev_io_stop(ev, watcher);
}

static void run_bursts(void)
{
    double pause = (double)options->burst / (double)options->rate;
    struct timespec t = {(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)};
    struct itimerspec every = {t, t};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    ev_io watcher;

    due = options->n;
    if (timer < 0 || timerfd_settime(timer, 0, &every, NULL))
        die("no timer");
    ev_io_init(&watcher, burst, timer, EV_READ);
    ev_io_start(evpq_loop_ev(loop), &watcher);
    evpq_loop_run(loop);
    close(timer);
}

/* ---- before and after ---- */

/* So many at once that each connection has its share: afterwards the statement is prepared on them
 * all. */
static void warm_up(const char *statement)
{
    evpq_future **all = calloc((size_t)options->connections, sizeof *all);
    if (!all)
        die("out of memory");
    for (long i = 0; i < options->connections; i++)
        all[i] = statement == sql ? query(1, 0)
                                  : evpq_pool_query(pool, statement, evpq_binary(EVPQ_ARGS()));
    ours_await(evpq_all(all, (size_t)options->connections));
    free(all);
}

static void run_queue(void)
{
    size_t before = heap_in_use(), used = 0;
    for (long i = 0; i < options->repeat; i++) {
        for (due += options->n; sent < due;)
            ask();
        if (!i)
            used = heap_in_use() - before;
        evpq_loop_run(loop);
    }
    measure_note("bytes_per_waiting", (double)used / (double)options->n);
    measure_note("bytes_of_query", (double)(strlen(sql) + 1 + sizeof(uint32_t)));
}

static void run(void)
{
    due = options->n;
    while (sent < due && sent < options->in_flight)
        ask();
    evpq_loop_run(loop);
}

static uint64_t tally_sum(void)
{
    evpq_future *f = evpq_pool_query(pool, SQL_TALLY_SUM, EVPQ_ARGS());
    evpq_await(f);
    uint64_t sum = (uint64_t)evpq_result_int8(ours_result(f), 0, 0);
    evpq_future_unref(f);
    return sum;
}

static void choose_call(bool writes)
{
    bool reads = strcmp(options->call, "read") == 0;
    if (!reads && strcmp(options->call, "query") != 0)
        die("call=%s is neither query nor read", options->call);
    if (reads && writes)
        die("%s writes: call=read is not for it", options->workload);
    call = reads ? evpq_pool_read : evpq_pool_query;
    measure_note_text("call", options->call);
}

void ours_pump(const struct options *o)
{
    bool update = strcmp(o->workload, "update") == 0, fanout = strcmp(o->workload, "fanout") == 0;
    bool queued = strcmp(o->workload, "queue") == 0;

    options = o;
    choose_call(update);
    sql = fanout ? SQL_FANOUT : update ? SQL_UPDATE : SQL_POINT;
    parameters = fanout ? 0 : update ? 2 : 1;
    counts_rows = fanout;
    sleepers = o->rate && o->sleepers;
    if (o->rate || o->in_flight == 1) {
        came = calloc((size_t)o->n, sizeof *came);
        latency_room(o->n);
    }
    loop = evpq_loop_new(NULL);
    pool = ours_open(loop, o);
    if (update) {
        ours_await(evpq_pool_query(pool, SQL_TALLY_EMPTY, EVPQ_ARGS()));
        ours_await(evpq_pool_query(pool, SQL_TALLY_FILL, EVPQ_ARGS()));
    }
    warm_up(sql);
    warm_up(sql);
    if (sleepers)
        warm_up(SQL_SLEEPER);

    measure_start();
    if (queued)
        run_queue();
    else if (o->rate)
        run_bursts();
    else
        run();
    measure_stop();
    if (update)
        checksum = tally_sum();
    ours_close(pool, loop);
    free(came);
    ours_print(o, done, checksum);
}
