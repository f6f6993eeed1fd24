/* tests/cpp/tasks.cpp - what awaits: results and errors, stopping, and the end of a task. */
#include "tests/cpp/tap.hpp"

#include <stdexcept>
#include <thread>

TEST(an_error_is_thrown)
{
    try {
        co_await pool.query("select 1 from no_such_table where x = $1", 1);
        CHECK(!"reached");
    } catch (const evpq::error &e) {
        CHECK(e.status() == EVPQ_SERVER && e.outcome() == EVPQ_OUTCOME_REJECTED);
        CHECK(e.sqlstate() == "42P01" && e.message().find("no_such_table") != e.message().npos);
        CHECK(e.position() == 15 && e.sql().starts_with("select 1 from"));
        CHECK(e.severity() == "ERROR" && e.hint().empty() && e.table().empty());
        evpq::error copy = e;
        CHECK(copy.what() == e.what() && copy.c_error() == e.c_error());
    }
    try {
        co_await pool.query("create temp table t (a int constraint positive check (a > 0)); ");
        auto lease = co_await pool.acquire();
        co_await lease.query("create temp table t (a int constraint positive check (a > 0))");
        co_await lease.query("insert into t values (-1)");
        CHECK(!"reached");
    } catch (const evpq::error &e) {
        CHECK(e.constraint() == "positive" && e.table() == "t" && !e.detail().empty());
        CHECK(!e.schema().empty() && e.column().empty() && e.datatype().empty());
        CHECK(e.context().empty() && e.rows() == 0);
    }
}

TEST(an_error_is_returned)
{
    auto r = co_await pool.query("select 1/0").try_();
    CHECK(!r && r.error().sqlstate() == "22012");
    auto good = co_await pool.query("select 1").try_();
    CHECK(good && (*good)[0].as<int>() == 1 && good->size() == 1);
    CHECK(tap::fails(evpq::pool::try_open(loop, "no such = option"), EVPQ_INVALID));
    CHECK_THROWS(EVPQ_INVALID, evpq::pool(loop, "no such = option"));
}

static evpq::task<int> seven(evpq::pool pool)
{
    co_return (co_await pool.query("select 7"))[0].as<int>();
}

static evpq::task<int> broken(evpq::pool pool)
{
    int n = co_await seven(pool);
    throw std::out_of_range("broken at " + std::to_string(n));
}

TEST(tasks_await_tasks)
{
    CHECK(co_await seven(pool) == 7);
    try {
        co_await broken(pool);
        CHECK(!"reached");
    } catch (const std::out_of_range &e) {
        CHECK(e.what() == std::string("broken at 7"));
    }
    CHECK((co_await seven(pool).try_()).value() == 7);
    auto wrong = [](evpq::pool p) -> evpq::task<> { co_await p.query("oops"); };
    CHECK((co_await wrong(pool).try_()).error().sqlstate() == "42601");
    CHECK((co_await evpq::spawn(loop, seven(pool))) == 7);
    try {
        co_await evpq::spawn(loop, broken(pool)).timeout(60s);
        CHECK(!"reached");
    } catch (const std::out_of_range &e) { /* the exception itself, through C futures */
        CHECK(e.what() == std::string("broken at 7"));
    }
    CHECK((co_await evpq::spawn(loop, wrong(pool)).try_()).error().sqlstate() == "42601");
}

static evpq::task<int> count_down(evpq::loop loop, int n)
{
    if (n == 0)
        co_return 0;
    co_return 1 + co_await count_down(loop, n - 1);
}

TEST(deep_and_long_chains)
{
    CHECK(co_await count_down(loop, 2000) == 2000);
    for (int i = 0; i < 20000; i++)
        co_await evpq::ready(loop);
    for (int i = 0; i < 1000; i++)
        co_await evpq::sleep(loop, 0s);
}

TEST(a_task_is_lazy)
{
    bool ran = false;
    auto note = [](bool *it) -> evpq::task<> {
        *it = true;
        co_return;
    };
    {
        auto dropped = note(&ran);
        co_await evpq::sleep(loop, 0s);
    }
    CHECK(!ran);
    auto f = evpq::spawn(loop, note(&ran));
    CHECK(!ran); /* from the loop, not within the call */
    co_await f;
    CHECK(ran);
}

/* Tells of its end, and of how its wait has ended. */
struct ending {
    int *ended;
    ~ending()
    {
        ++*ended;
    }
};

static evpq::task<> sleeper(evpq::pool pool, int *ended, evpq_status *status)
{
    ending at_end{ended};
    auto r = co_await pool.query("select pg_sleep(100)").try_();
    co_await pool.query("select 'cleaned up'"); /* it is canceled once */
    *status = r ? EVPQ_OK : r.error().status();
    r.value();
}

TEST(a_stop_token_cancels)
{
    std::stop_source stop;
    int ended = 0;
    evpq_status status = EVPQ_PENDING;
    auto f = evpq::spawn(loop, sleeper(pool, &ended, &status), stop.get_token());
    co_await pool.query("select 1");
    CHECK(!f.settled() && ended == 0);
    stop.request_stop();
    CHECK(ended == 0); /* asking only queues */
    auto r = co_await f.try_();
    CHECK(tap::fails(r, EVPQ_CANCELED) && ended == 1 && status == EVPQ_CANCELED);

    /* Asked before it has begun. */
    auto never = evpq::spawn(loop, sleeper(pool, &ended, &status), stop.get_token());
    CHECK(tap::fails(co_await never.try_(), EVPQ_CANCELED) && ended == 1);

    /* Of a single future. */
    std::stop_source other;
    auto slow = pool.query("select pg_sleep(100)").stop_on(other.get_token());
    other.request_stop();
    CHECK(tap::fails(co_await slow.try_(), EVPQ_CANCELED));
}

TEST(a_stop_of_another_thread_waits_for_the_next_wait)
{
    std::stop_source stop;
    bool began = false;
    auto turns = [&](evpq::loop l) -> evpq::task<int> {
        began = true;
        for (int i = 0;; i++)
            if (!co_await evpq::sleep(l, 1ms).try_())
                co_return i;
    };
    auto f = evpq::spawn(loop, turns(loop), stop.get_token());
    while (!began)
        co_await evpq::sleep(loop, 0s);
    std::thread other([&] { stop.request_stop(); });
    int n = co_await f;
    CHECK(n >= 0);
    other.join();
}

TEST(canceling_a_spawned_task_stops_it)
{
    int ended = 0;
    evpq_status status = EVPQ_PENDING;
    auto f = evpq::spawn(loop, sleeper(pool, &ended, &status));
    co_await pool.query("select 1");
    f.cancel();
    CHECK(f.status() == EVPQ_CANCELED && ended == 0);
    while (!ended)
        co_await evpq::sleep(loop, 1ms);
    CHECK(status == EVPQ_CANCELED);
}

TEST(destroyed_while_it_waits)
{
    int ended = 0;
    evpq_status status = EVPQ_PENDING;
    auto lease = co_await pool.acquire();
    co_await lease.query("select pg_advisory_lock(62001)");
    auto slow = pool.query("select pg_sleep(100)");
    auto kept = pool.query("select pg_advisory_xact_lock(62001)::text, 5");
    auto on = [](evpq::future<evpq::result> f, int *end) -> evpq::task<> {
        ending at_end{end};
        co_await f;
    };
    {
        evpq::group g(loop);
        (void)g.spawn(on(slow, &ended));
        (void)g.spawn(on(kept.shield(), &ended));
        (void)g.spawn(sleeper(pool, &ended, &status));
        co_await lease.query("select 1");
        CHECK(ended == 0);
    }
    CHECK(ended == 3 && status == EVPQ_PENDING);
    CHECK(slow.status() == EVPQ_CANCELED);
    co_await lease.query("select pg_advisory_unlock(62001)");
    CHECK((co_await kept)[0].as<std::string, int>() == std::tuple("", 5));
}

TEST(deadlines_and_shields)
{
    auto late = co_await pool.query("select pg_sleep(100)").timeout(20ms).try_();
    CHECK(tap::fails(late, EVPQ_TIMEOUT));
    auto f = pool.query("select 1");
    CHECK((co_await f.timeout(60s))[0].as<int>() == 1);
    auto shielded = f.shield();
    shielded.cancel();
    CHECK((co_await f)[0].as<int>() == 1);
}

TEST(futures_of_the_program)
{
    evpq::promise<std::string> p(loop);
    auto f = p.get_future();
    CHECK(p.set("here") && !p.set("again") && !p.fail(evpq::error(EVPQ_LOST)));
    CHECK(co_await f == "here");
    CHECK(co_await f == "here"); /* it is shared */
    evpq::promise<std::unique_ptr<int>> once(loop);
    CHECK(once.set(std::make_unique<int>(3)));
    CHECK(*co_await once.get_future() == 3);
    evpq::promise<void> failing(loop);
    CHECK(failing.fail(evpq::error(EVPQ_CLOSED, "100% shut")));
    auto r = co_await failing.get_future().try_();
    CHECK(tap::fails(r, EVPQ_CLOSED) && r.error().message() == "100% shut");
    auto dropped = evpq::promise<int>(loop).get_future();
    CHECK(tap::fails(co_await dropped.try_(), EVPQ_CANCELED));

    static int canceled;
    canceled = 0;
    evpq::promise<int> asked(
        loop, [](evpq_future *, void *n) noexcept { ++*static_cast<int *>(n); }, &canceled);
    asked.get_future().cancel();
    co_await evpq::sleep(loop, 0s);
    CHECK(canceled == 1);
}

TEST(a_loop_in_another)
{
    auto inner = evpq::loop::embedded();
    CHECK(inner.fd() >= 0 && inner.timeout() < 0 && !inner.ev());
    auto f = evpq::sleep(inner, 1ms);
    CHECK(inner.timeout() >= 0);
    for (int turns = 0; evpq_future_status(f.get()) == EVPQ_PENDING && turns < 1000; turns++) {
        co_await evpq::sleep(loop, 1ms); /* as its host would wait */
        inner.turn();
    }
    CHECK(evpq_future_status(f.get()) == EVPQ_OK);
    CHECK(loop.fd() < 0);
}

TEST(from_outside_of_coroutines)
{
    /* Within the loop evpq_await cannot wait. */
    CHECK(tap::fails(pool.query("select 1").try_await(), EVPQ_DEADLOCK));
    co_return;
}

/* On the stack of a task of C's, futures of C++ are awaited as at the top level. */
static evpq_future *in_c(evpq_task *, void *arg) noexcept
{
    auto *pool = static_cast<evpq::pool *>(arg);
    auto r = pool->query("select 5").try_await();
    if (!r || (*r)[0].try_as<int>().value() != 5)
        return nullptr;
    return evpq_future_ref(pool->query("select 6").get());
}

TEST(in_tasks_of_c)
{
    evpq_future *task = evpq_task_spawn(loop.get(), in_c, &pool, nullptr);
    CHECK((co_await evpq::detail::result_of(task))[0].as<int>() == 6);
}
