/* coroutines.cpp - what co_await costs: the same query, one after another, by a task of C and by a
 * coroutine, which take turns. Prints medians of the rounds: microseconds a query by the clock, and
 * by the program's own CPU time.
 *
 *     bench/coroutines [QUERIES [ROUNDS]]        PGHOST, PGUSER, ... say where */
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <evpq/evpq.hpp>

namespace
{

constexpr const char *sql = "select $1::int";

struct took {
    double real, cpu;
};

double now(clockid_t clock)
{
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct stopwatch {
    double real = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    took read() const
    {
        return {now(CLOCK_MONOTONIC) - real, now(CLOCK_PROCESS_CPUTIME_ID) - cpu};
    }
};

[[noreturn]] void die(const char *why)
{
    std::fprintf(stderr, "coroutines: %s\n", why);
    std::exit(1);
}

struct job {
    evpq_pool *pool;
    int queries;
};

evpq_future *by_task(evpq_task *, void *arg) noexcept
{
    const job *j = static_cast<job *>(arg);
    for (int i = 0; i < j->queries; i++) {
        evpq_arg number = evpq_int(i);
        evpq_args args{1, &number, 0};
        evpq_future *f = evpq_pool_query(j->pool, sql, args);
        if (evpq_await(f) != EVPQ_OK || evpq_result_int4(evpq_future_result(f), 0, 0) != i)
            die("a query of the task's has failed");
        (void)evpq_future_unref(f);
    }
    return nullptr;
}

took run_task(const evpq::loop &loop, const evpq::pool &pool, int queries)
{
    job j{pool.get(), queries};
    stopwatch watch;
    evpq_future *f = evpq_task_spawn(loop.get(), by_task, &j, nullptr);
    if (evpq_await(f) != EVPQ_OK)
        die("the task has failed");
    (void)evpq_future_unref(f);
    return watch.read();
}

evpq::task<> by_coroutine(evpq::pool pool, int queries)
{
    for (int i = 0; i < queries; i++) {
        evpq::result r = co_await pool.query(sql, i);
        if (r[0].as<int>() != i)
            die("a query of the coroutine's has failed");
    }
}

took run_coroutine(const evpq::loop &loop, const evpq::pool &pool, int queries)
{
    stopwatch watch;
    evpq::run(loop, by_coroutine(pool, queries));
    return watch.read();
}

double median(std::vector<double> v)
{
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
}

void tell(const char *what, const std::vector<took> &task, const std::vector<took> &coroutine,
          double took::*which, int queries)
{
    std::vector<double> a, b, ratio;
    for (std::size_t i = 0; i < task.size(); i++) {
        a.push_back(task[i].*which / queries * 1e6);
        b.push_back(coroutine[i].*which / queries * 1e6);
        ratio.push_back(coroutine[i].*which / (task[i].*which));
    }
    std::printf("%-12s task %8.2f us   coroutine %8.2f us   %.3f x\n", what, median(a), median(b),
                median(ratio));
}

} // namespace

int main(int argc, char **argv)
{
    int queries = argc > 1 ? std::atoi(argv[1]) : 5000;
    int rounds = argc > 2 ? std::atoi(argv[2]) : 9;
    if (queries < 1 || rounds < 1)
        die("usage: coroutines [QUERIES [ROUNDS]]");
    evpq::loop loop;
    try {
        evpq::pool_opts opts;
        opts.max_size = 1;
        evpq::pool pool(loop, "", opts);
        std::vector<took> task, coroutine;
        run_task(loop, pool, queries / 10 + 1);
        for (int i = 0; i < rounds; i++) {
            task.push_back(run_task(loop, pool, queries));
            coroutine.push_back(run_coroutine(loop, pool, queries));
        }
        tell("a query", task, coroutine, &took::real, queries);
        tell("CPU of it", task, coroutine, &took::cpu, queries);
    } catch (const evpq::error &e) {
        die(e.what());
    }
    loop.run();
}
