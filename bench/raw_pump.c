/* raw_pump.c - many small queries over a few connections in pipeline mode, each connection refilled
 * once what had come in on it has been read: the workloads point, latency, update, fanout,
 * head-of-line, queue. */
#include "bench/raw.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum sync { SYNC_EACH, SYNC_SEND, SYNC_BATCH };

struct line {
    PGconn *pg;
    long queries; /* sent and not answered */
    long answers; /* that libpq still owes: of queries and of Syncs */
    long first;   /* index of the oldest, in `asked` */
    long *asked;  /* a ring of the queries' numbers, kept where they are timed */
    bool unsynced, wants_write;
};

/* A query that waits its turn (workload queue). */
struct waiting {
    struct waiting *next;
    int id;
};

static const struct options *options;
static struct line *lines;
static struct waiting *queue, **queue_end = &queue;
static enum sync sync_mode;
static int epoll, parameters;
static long depth, due, sent,
    done;            /* queries that may be sent by now, and were, and were answered */
static double *came; /* when each query came to be due, where that is timed */
static bool counts_rows, sleepers;
static uint64_t checksum;

/* ---- sending ---- */

static void push(struct line *l)
{
    if (sync_mode == SYNC_BATCH && l->unsynced) {
        if (!PQpipelineSync(l->pg))
            die("%s", PQerrorMessage(l->pg));
        l->answers++;
    }
    l->unsynced = false;
    int left = PQflush(l->pg);
    if (left < 0)
        die("%s", PQerrorMessage(l->pg));
    if ((left > 0) == l->wants_write)
        return;
    l->wants_write = left > 0;
    struct epoll_event e = {.events = EPOLLIN | (left ? EPOLLOUT : 0), .data.ptr = l};
    epoll_ctl(epoll, EPOLL_CTL_MOD, PQsocket(l->pg), &e);
}

static bool is_sleeper(long index)
{
    return sleepers && index % SLEEPER_EVERY == SLEEPER_EVERY - 1;
}

static int take_id(void)
{
    struct waiting *w = queue;
    if (!w)
        return next_id();
    int id = w->id;
    queue = w->next;
    if (!queue)
        queue_end = &queue;
    free(w);
    return id;
}

static void send_query(struct line *l, bool sleeper)
{
    static uint32_t binary[2];
    static char text[2][12];
    static const char *const binaries[] = {(char *)&binary[0], (char *)&binary[1]};
    static const char *const texts[] = {text[0], text[1]};
    static const int lengths[] = {4, 4}, formats[2][2] = {{0, 0}, {1, 1}};
    bool in_text = options->params[0] == 't';
    int id = sleeper || !parameters ? 0 : take_id();

    if (in_text) {
        snprintf(text[0], sizeof text[0], "%d", id);
        strcpy(text[1], "1");
    } else {
        binary[0] = htonl((uint32_t)id);
        binary[1] = htonl(1);
    }
    if (!PQsendQueryPrepared(l->pg, sleeper ? "sleeper" : "query", sleeper ? 0 : parameters,
                             in_text ? texts : binaries, lengths, formats[!in_text], 1))
        die("%s", PQerrorMessage(l->pg));
}

static void ask(struct line *l)
{
    long index = sent++;
    if (came) {
        if (!options->rate)
            came[index] = clock_now();
        l->asked[(l->first + l->queries) % depth] = index;
    }
    send_query(l, is_sleeper(index));
    l->queries++;
    l->answers++;
    l->unsynced = true;
    if (sync_mode == SYNC_BATCH)
        return;
    if (!(sync_mode == SYNC_SEND ? newer.send_sync(l->pg) : PQpipelineSync(l->pg)))
        die("%s", PQerrorMessage(l->pg));
    l->answers++;
}

static void refill(struct line *l)
{
    while (l->queries < depth && sent < due)
        ask(l);
    push(l);
}

static struct line *idlest(void)
{
    struct line *best = lines;
    for (struct line *l = lines; l < lines + options->connections; l++)
        if (l->queries < best->queries)
            best = l;
    return best;
}

static void distribute(void)
{
    for (struct line *l; sent < due && (l = idlest())->queries < depth;)
        ask(l);
    for (struct line *l = lines; l < lines + options->connections; l++)
        if (l->unsynced)
            push(l);
}

/* ---- receiving ---- */

static uint32_t number_at(const PGresult *r, int column)
{
    uint32_t value;
    memcpy(&value, PQgetvalue(r, 0, column), sizeof value);
    return ntohl(value);
}

static void read_answer(struct line *l, const PGresult *r, ExecStatusType status)
{
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        die("%s", PQresultErrorMessage(r));
    bool sleeper = false;
    if (came) {
        long index = l->asked[l->first];
        l->first = (l->first + 1) % depth;
        sleeper = is_sleeper(index);
        if (!sleeper)
            latency_add(clock_now() - came[index]);
    }
    if (counts_rows)
        checksum += (uint64_t)PQntuples(r);
    else if (status == PGRES_TUPLES_OK && !sleeper)
        checksum += number_at(r, 0) + number_at(r, 1);
    l->queries--;
    done++;
}

static void receive(struct line *l)
{
    if (!PQconsumeInput(l->pg))
        die("%s", PQerrorMessage(l->pg));
    while (l->answers && !PQisBusy(l->pg)) {
        PGresult *r = PQgetResult(l->pg);
        if (!r)
            continue; /* between two answers */
        ExecStatusType status = PQresultStatus(r);
        if (status != PGRES_PIPELINE_SYNC)
            read_answer(l, r, status);
        PQclear(r);
        l->answers--;
    }
    refill(l);
}

/* Until so many have been answered. */
static void run(int timer, long goal)
{
    struct epoll_event events[64];
    distribute();
    while (done < goal) {
        int n = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < n; i++) {
            struct line *l = events[i].data.ptr;
            uint64_t ticks;
            if (l && events[i].events & ~(uint32_t)EPOLLOUT) {
                receive(l);
            } else if (l) {
                push(l);
            } else if (read(timer, &ticks, sizeof ticks) == sizeof ticks) {
                for (long left = (long)ticks * options->burst; left && due < options->n; left--)
                    came[due++] = clock_now();
                distribute();
            }
        }
    }
}

/* ---- before and after ---- */

static void open_line(struct line *l, const char *sql)
{
    l->pg = raw_open();
    l->asked = calloc((size_t)depth, sizeof *l->asked);
    PQclear(PQprepare(l->pg, "query", sql, 0, NULL));
    PQclear(PQprepare(l->pg, "sleeper", SQL_SLEEPER, 0, NULL));
    if (!l->asked || PQsetnonblocking(l->pg, 1) || !PQenterPipelineMode(l->pg))
        die("%s", PQerrorMessage(l->pg));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = l};
    epoll_ctl(epoll, EPOLL_CTL_ADD, PQsocket(l->pg), &e);
}

/* Makes a burst of queries due again and again. */
static int start_timer(void)
{
    double pause = (double)options->burst / (double)options->rate;
    struct timespec t = {(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)};
    struct itimerspec every = {t, t};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN};
    if (timer < 0 || timerfd_settime(timer, 0, &every, NULL) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &e))
        die("no timer");
    return timer;
}

static void queue_all(void)
{
    for (long i = 0; i < options->n; i++) {
        struct waiting *w = malloc(sizeof *w);
        if (!w)
            die("out of memory");
        *w = (struct waiting){.id = next_id()};
        *queue_end = w;
        queue_end = &w->next;
    }
}

static void run_queue(void)
{
    size_t before = heap_in_use(), used = 0;
    for (long i = 0; i < options->repeat; i++) {
        queue_all();
        if (!i)
            used = heap_in_use() - before;
        due += options->n;
        run(-1, due);
    }
    measure_note("bytes_per_waiting", (double)used / (double)options->n);
}

static void run_bursts(void)
{
    int timer = start_timer();
    run(timer, options->n);
    close(timer);
}

static void run_at_once(void)
{
    due = options->n;
    run(-1, due);
}

static const char *choose_sync(const char *name)
{
    if (strcmp(name, "auto") == 0)
        name = newer.send_sync ? "send" : "each";
    if (strcmp(name, "send") == 0 && !newer.send_sync)
        die("this libpq has no PQsendPipelineSync");
    if (strcmp(name, "each") != 0 && strcmp(name, "send") != 0 && strcmp(name, "batch") != 0)
        die("sync is each, send, batch or auto, not %s", name);
    sync_mode = name[0] == 'e' ? SYNC_EACH : name[0] == 's' ? SYNC_SEND : SYNC_BATCH;
    return name;
}

static void finish(bool update)
{
    for (struct line *l = lines; l < lines + options->connections; l++) {
        PQfinish(l->pg);
        free(l->asked);
    }
    free(lines);
    free(came);
    close(epoll);
    if (update) {
        PGconn *pg = raw_open();
        checksum = raw_number(pg, SQL_TALLY_SUM);
        PQfinish(pg);
    }
}

static void clear_tally(void)
{
    PGconn *pg = raw_open();
    raw_exec(pg, SQL_TALLY_EMPTY);
    raw_exec(pg, SQL_TALLY_FILL);
    PQfinish(pg);
}

/* What in_flight, depth and connections leave room for on one connection. */
static long depth_of(const struct options *o)
{
    if (o->depth || !o->connections)
        return o->depth;
    return (o->in_flight + o->connections - 1) / o->connections;
}

void raw_pump(const struct options *o)
{
    bool update = strcmp(o->workload, "update") == 0, fanout = strcmp(o->workload, "fanout") == 0;
    bool queued = strcmp(o->workload, "queue") == 0;
    const char *sync = choose_sync(o->sync);

    options = o;
    depth = depth_of(o);
    parameters = fanout ? 0 : update ? 2 : 1;
    counts_rows = fanout;
    sleepers = o->rate && o->sleepers;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    lines = calloc((size_t)o->connections, sizeof *lines);
    if (o->rate || o->in_flight == 1) {
        came = calloc((size_t)o->n, sizeof *came);
        latency_room(o->n);
    }
    if (epoll < 0 || !lines || (o->rate && !came) || depth < 1)
        die("cannot begin with so many connections, queries, or so much depth");
    if (update)
        clear_tally();
    for (long i = 0; i < o->connections; i++)
        open_line(&lines[i], fanout ? SQL_FANOUT : update ? SQL_UPDATE : SQL_POINT);

    measure_start();
    if (queued)
        run_queue();
    else if (o->rate)
        run_bursts();
    else
        run_at_once();
    measure_stop();
    finish(update);
    measure_note("depth", (double)depth);
    measure_print("raw", o, done, PQlibVersion(), sync, checksum);
}
