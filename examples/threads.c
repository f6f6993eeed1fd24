/* threads.c - a loop and a pool in each of several threads: they share nothing and need no lock. */
#include <evpq/evpq.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 3, QUERIES = 100 };

struct worker {
    pthread_t thread;
    int64_t sum;
};

static void on_answer(evpq_future *f, void *arg)
{
    struct worker *worker = arg;
    if (evpq_future_status(f) == EVPQ_OK)
        worker->sum += evpq_result_int8(evpq_future_result(f), 0, 0);
    else
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
}

/* Everything of evpq that a thread has is made, used and let go of in it. */
static void *work(void *arg)
{
    evpq_pool_opts opts = {.size = sizeof opts, .max_size = 2};
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", &opts, NULL);
    for (int i = 1; i <= QUERIES; i++) {
        evpq_future *f = evpq_pool_query(pool, "select $1::int8", EVPQ_ARGS(i));
        evpq_future_on_done(f, on_answer, arg);
        evpq_future_unref(f);
    }
    evpq_pool_unref(pool); /* closes it: what has been asked of it is still done */
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return NULL;
}

int main(void)
{
    struct worker workers[THREADS] = {0};
    int64_t sum = 0;
    int started = 0;
    while (started < THREADS &&
           !pthread_create(&workers[started].thread, NULL, work, &workers[started]))
        started++;
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].sum;
    }
    printf("%d threads, %d answers each, sum %" PRId64 "\n", started, QUERIES, sum);
    return sum != THREADS * QUERIES * (QUERIES + 1) / 2;
}
