/* tasks_many.c - very many tasks at once, each with one query after the other, beside the same work
 * by callbacks. Each way has a process of its own each time, so that neither finds memory that the
 * other has used; they take turns. */
#include "bench/tasks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a process found. */
struct found {
    double wall, cpu; /* seconds */
    double growth;    /* bytes: the most memory that was used, above what a warm pool had */
    uint64_t checksum;
};

static const struct options *options;
static evpq_loop *loop;
static evpq_pool *pool;
static uint64_t checksum;
static evpq_future *(*call)(evpq_pool *, const char *, evpq_args);

static evpq_future *ask(void)
{
    return call(pool, SQL_POINT, evpq_binary(EVPQ_ARGS(next_id())));
}

static void add(const evpq_future *f)
{
    const evpq_result *r = ours_result(f);
    checksum += (uint64_t)evpq_result_int4(r, 0, 0) + (uint64_t)evpq_result_int4(r, 0, 1);
}

/* ---- by tasks ---- */

static evpq_future *ask_each(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    for (long i = 0; i < options->each; i++) {
        evpq_future *f = ask();
        evpq_await(f);
        add(f);
        evpq_future_unref(f);
    }
    return NULL;
}

static void by_tasks(void)
{
    evpq_group *group = evpq_group_open(loop, NULL);
    for (long i = 0; i < options->n; i++)
        evpq_future_unref(evpq_group_spawn(group, ask_each, NULL, NULL));
    ours_await(evpq_group_join(group));
}

/* ---- by callbacks: chains, each link of which asks for the next ---- */

struct chain {
    long left;
};

static long chains_left;

static void ask_next(struct chain *c);

static void answered(evpq_future *f, void *arg)
{
    struct chain *c = arg;
    add(f);
    if (--c->left) {
        ask_next(c);
        return;
    }
    free(c);
    if (!--chains_left)
        evpq_loop_stop(loop);
}

static void ask_next(struct chain *c)
{
    evpq_future *f = ask();
    if (evpq_future_on_done(f, answered, c) != EVPQ_OK)
        die("no callback");
    evpq_future_unref(f);
}

static void by_callbacks(void)
{
    chains_left = options->n;
    for (long i = 0; i < options->n; i++) {
        struct chain *c = malloc(sizeof *c);
        if (!c)
            die("out of memory");
        c->left = options->each;
        ask_next(c);
    }
    evpq_loop_run(loop);
}

/* ---- a process for each ---- */

static void warm_up(void)
{
    enum { TIMES = 3 }; /* until the statement is prepared everywhere */
    for (int i = 0; i < TIMES; i++) {
        evpq_future **all = calloc((size_t)options->connections, sizeof *all);
        if (!all)
            die("out of memory");
        for (long k = 0; k < options->connections; k++)
            all[k] = ask();
        ours_await(evpq_all(all, (size_t)options->connections));
        free(all);
    }
}

/* Makes VmHWM count from what is used now (proc(5)). */
static void forget_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "5", 1) != 1)
        die("the peak of memory cannot be reset");
    close(fd);
}

static double cpu_seconds(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static struct found look(void (*run)(void))
{
    loop = evpq_loop_new(NULL);
    pool = ours_open(loop, options);
    warm_up();
    forget_peak();
    long before = memory_kilobytes("VmRSS");
    struct found found = {.wall = clock_now(), .cpu = cpu_seconds()};
    run();
    found.wall = clock_now() - found.wall;
    found.cpu = cpu_seconds() - found.cpu;
    found.growth = (double)(memory_kilobytes("VmHWM") - before) * 1024;
    found.checksum = checksum;
    ours_close(pool, loop);
    return found;
}

static struct found look_in_child(void (*run)(void))
{
    struct found found;
    int ends[2], status;
    if (pipe(ends))
        die("no pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("no process");
    if (!pid) {
        found = look(run);
        exit(write(ends[1], &found, sizeof found) != sizeof found);
    }
    close(ends[1]);
    bool whole = read(ends[0], &found, sizeof found) == sizeof found;
    close(ends[0]);
    if (waitpid(pid, &status, 0) != pid || status || !whole)
        die("a process has failed");
    return found;
}

/* ---- both ways, in turn ---- */

static const struct {
    const char *rate, *cpu, *memory; /* keys of the line */
    void (*run)(void);
} ways[] = {
    {"tasks_rate", "tasks_cpu_us", "task_bytes", by_tasks},
    {"callbacks_rate", "callbacks_cpu_us", "chain_bytes", by_callbacks},
};

void tasks_many(const struct options *o)
{
    double queries = (double)(o->n * o->each);
    double *rate[2], *cpu[2], *memory[2], *ratio = figures_new(o);
    uint64_t sum = 0;

    options = o;
    call = strcmp(o->call, "read") == 0 ? evpq_pool_read : evpq_pool_query;
    for (int way = 0; way < 2; way++) {
        rate[way] = figures_new(o);
        cpu[way] = figures_new(o);
        memory[way] = figures_new(o);
    }
    measure_start();
    for (long round = 0; round < o->repeat; round++) {
        for (long turn = round; turn < round + 2; turn++) {
            int way = (int)(turn % 2);
            struct found found = look_in_child(ways[way].run);
            rate[way][round] = queries / found.wall;
            cpu[way][round] = found.cpu / queries * 1e6;
            memory[way][round] = found.growth / (double)o->n;
            if (sum && sum != found.checksum)
                die("tasks and callbacks have read different values");
            sum = found.checksum;
        }
        ratio[round] = rate[0][round] / rate[1][round];
    }
    measure_stop();
    measure_note("ratio", median(ratio, o->repeat));
    free(ratio);
    for (int way = 0; way < 2; way++) {
        measure_note(ways[way].rate, median(rate[way], o->repeat));
        measure_note(ways[way].cpu, median(cpu[way], o->repeat));
        measure_note(ways[way].memory, median(memory[way], o->repeat));
        free(rate[way]);
        free(cpu[way]);
        free(memory[way]);
    }
    measure_note_text("call", o->call);
    ours_print(o, o->n * o->each, sum);
}
