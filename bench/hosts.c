/* hosts.c - host-bench [ROUNDS [QUERIES]]: queries one after another on one connection, each asked for in
 * the callback of the one before, with evpq in each kind of loop there is (tests/hosts); and on libev
 * itself, to compare. PG* variables say where the server is.
 *
 * In each round each loop has its turn, in an order that moves on, and the ratios are of one round: what
 * else the machine does meanwhile is about the same for all. */
#include "hosts/hosts.h"
#include "bench/common.h"

#include <evpq/evpq.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_HOSTS = 8, TOO_LONG = 600 /* seconds */ };

struct place {
    const struct host *host;
    void *h;
    evpq_loop *loop;
    evpq_pool *pool;
    long left, failures;
    double *latency, *cpu; /* of a query, in each round, in microseconds */
};

static void ask(struct place *p);

static void on_answer(evpq_future *f, void *arg)
{
    struct place *p = arg;
    p->failures += evpq_future_status(f) != EVPQ_OK;
    if (--p->left > 0)
        ask(p);
    else
        p->host->stop(p->h);
}

static void ask(struct place *p)
{
    evpq_future *f = evpq_pool_query(p->pool, "select $1::int", EVPQ_ARGS((int)p->left));
    if (evpq_future_on_done(f, on_answer, p) != EVPQ_OK)
        die("out of memory");
    evpq_future_unref(f);
}

static void begin(struct place *p, const struct host *host, long rounds)
{
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 1};
    *p = (struct place){.host = host, .loop = host->loop_new()};
    p->h = host->begin(p->loop);
    p->pool = evpq_pool_open(p->loop, "", &opts, NULL);
    p->latency = calloc((size_t)rounds, sizeof *p->latency);
    p->cpu = calloc((size_t)rounds, sizeof *p->cpu);
    if (!p->pool || !p->latency || !p->cpu)
        die("%s: no pool, or no memory", host->name);
}

static void end(struct place *p)
{
    evpq_pool_unref(p->pool);
    p->host->end(p->h);
    evpq_loop_run(p->loop);
    evpq_loop_unref(p->loop);
    free(p->latency);
    free(p->cpu);
}

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void do_round(struct place *p, long round, long queries)
{
    double start = clock_now(), cpu = cpu_now();
    p->left = queries;
    ask(p);
    p->host->run(p->h, TOO_LONG);
    if (p->left || p->failures)
        die("%s: %ld queries not answered, %ld failed", p->host->name, p->left, p->failures);
    p->latency[round] = (clock_now() - start) / (double)queries * 1e6;
    p->cpu[round] = (cpu_now() - cpu) / (double)queries * 1e6;
}

/* The median of what `of` has in each round for each that `by` has. */
static double ratio(const double *of, const double *by, long rounds)
{
    double *ratios = calloc((size_t)rounds, sizeof *ratios);
    if (!ratios)
        die("out of memory");
    for (long i = 0; i < rounds; i++)
        ratios[i] = of[i] / by[i];
    double middle = median(ratios, rounds);
    free(ratios);
    return middle;
}

static void print(struct place *places, long rounds)
{
    double latency[MOST_HOSTS], cpu[MOST_HOSTS];
    for (int i = 0; i < n_hosts; i++) {
        latency[i] = ratio(places[i].latency, places[0].latency, rounds);
        cpu[i] = ratio(places[i].cpu, places[0].cpu, rounds);
    }
    printf("%-10s %12s %8s %12s %8s\n", "loop", "a query, us", "to libev", "CPU each, us",
           "to libev");
    for (int i = 0; i < n_hosts; i++)
        printf("%-10s %12.1f %7.3fx %12.1f %7.3fx\n", places[i].host->name,
               median(places[i].latency, rounds), latency[i], median(places[i].cpu, rounds),
               cpu[i]);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 21, queries = argc > 2 ? atol(argv[2]) : 500;
    static struct place places[MOST_HOSTS];
    if (rounds < 1 || queries < 1 || n_hosts > MOST_HOSTS)
        die("usage: host-bench [ROUNDS [QUERIES]]");
    for (int i = 0; i < n_hosts; i++) {
        begin(&places[i], hosts[i], rounds);
        do_round(&places[i], 0, queries); /* connects, and is overwritten */
    }
    for (long round = 0; round < rounds; round++)
        for (int i = 0; i < n_hosts; i++)
            do_round(&places[(i + round) % n_hosts], round, queries);
    print(places, rounds);
    for (int i = 0; i < n_hosts; i++)
        end(&places[i]);
    return 0;
}
