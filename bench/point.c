/* point.c - point selects through a pool: N queries, so many in flight, on so many connections.
 *
 *     point [connections [in-flight [queries]]]
 *
 * Wants a table world(id int primary key, randomnumber int) with 10,000 rows. Prints one line: queries a second, and the
 * client's CPU time for each, in microseconds. The connection comes from PG* variables. */
#include <evpq/evpq.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static evpq_pool *pool;
static int left, under_way;
static long failed;
static uint64_t sum;
static unsigned random_state = 12345;

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static double cpu_now(double *ret_system)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    *ret_system = (double) r.ru_stime.tv_sec + (double) r.ru_stime.tv_usec * 1e-6;
    return (double) r.ru_utime.tv_sec + (double) r.ru_utime.tv_usec * 1e-6;
}

static void answered(evpq_future *f, void *loop);

static void ask(evpq_loop *loop)
{
    random_state = random_state * 1664525u + 1013904223u;
    int id = (int) ((random_state >> 8) % 10000 + 1);
    evpq_future *f =
        evpq_pool_query(pool, "select id, randomnumber from world where id = $1", evpq_binary(EVPQ_ARGS(id)));
    evpq_future_on_done(f, answered, loop);
    evpq_future_unref(f);
    under_way++;
}

static void answered(evpq_future *f, void *loop)
{
    const evpq_result *r = evpq_future_result(f);
    if (r)
        sum += (uint64_t) evpq_result_int8(r, 0, 0) + (uint64_t) evpq_result_int8(r, 0, 1);
    else if (!failed++)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    under_way--;
    if (left > 0) {
        left--;
        ask(loop);
    } else if (!under_way) {
        evpq_loop_stop(loop);
    }
}

int main(int argc, char **argv)
{
    int connections = argc > 1 ? atoi(argv[1]) : 8;
    int in_flight = argc > 2 ? atoi(argv[2]) : 1000;
    int queries = argc > 3 ? atoi(argv[3]) : 200000;
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_error *error = NULL;
    pool = evpq_pool_open(loop, "",
                          &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                            .min_size = connections,
                                            .max_size = connections,
                                            .pipeline_depth = (in_flight + connections - 1) / connections},
                          &error);
    if (!pool) {
        fprintf(stderr, "%s\n", evpq_error_message(error));
        return 1;
    }
    evpq_future *up = evpq_pool_connect(pool);
    if (evpq_await(up) != EVPQ_OK) {
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(up)));
        return 1;
    }
    evpq_future_unref(up);

    double system0, system1, wall0 = clock_now(), user0 = cpu_now(&system0);
    left = queries - in_flight;
    for (int i = 0; i < in_flight; i++)
        ask(loop);
    evpq_loop_run(loop);
    double wall = clock_now() - wall0, user = cpu_now(&system1) - user0, sys = system1 - system0;
    printf("evpq point: %.0f queries/s, %.2f us CPU each (%.2f user + %.2f system), %ld failed, sum %llu\n",
           queries / wall, (user + sys) / queries * 1e6, user / queries * 1e6, sys / queries * 1e6, failed,
           (unsigned long long) sum);

    evpq_future *closed = evpq_pool_close(pool, 5);
    evpq_await(closed);
    evpq_future_unref(closed);
    evpq_pool_unref(pool);
    evpq_loop_unref(loop);
    return failed != 0;
}
