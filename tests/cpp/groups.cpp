/* tests/cpp/groups.cpp - groups, combinators, semaphores and channels. */
#include "tests/cpp/tap.hpp"

#include <stdexcept>

static evpq::task<int> number(evpq::pool pool, int n)
{
    co_return (co_await pool.query("select $1::int", n))[0].as<int>();
}

struct ending {
    int *ended;
    ~ending()
    {
        ++*ended;
    }
};

static evpq::task<> wait_long(evpq::pool pool, int *ended)
{
    ending at_end{ended};
    co_await pool.query("select pg_sleep(100)");
}

static evpq::task<> fail_soon(evpq::loop loop)
{
    co_await evpq::sleep(loop, 10ms);
    throw std::domain_error("the first");
}

TEST(a_group_waits_for_all)
{
    evpq::group g(loop);
    auto a = g.spawn(number(pool, 1)), b = g.spawn(number(pool, 2));
    co_await g.join();
    CHECK(a.settled() && b.settled() && a.value() + b.value() == 3);
    CHECK_THROWS(EVPQ_INVALID, co_await g.join());
}

TEST(the_first_failure_stops_the_rest)
{
    int ended = 0;
    evpq::group g(loop);
    (void)g.spawn(wait_long(pool, &ended));
    (void)g.spawn(wait_long(pool, &ended));
    (void)g.spawn(fail_soon(loop));
    try {
        co_await g.join();
        CHECK(!"reached");
    } catch (const std::domain_error &e) {
        CHECK(e.what() == std::string("the first"));
    }
    CHECK(ended == 2);
    auto late = g.spawn(number(pool, 1));
    CHECK(tap::fails(co_await late.try_(), EVPQ_CANCELED));
}

TEST(a_group_is_stopped)
{
    int ended = 0;
    std::stop_source stop;
    evpq::group by_token(loop, stop.get_token());
    (void)by_token.spawn(wait_long(pool, &ended));
    evpq::group by_call(loop);
    (void)by_call.spawn(wait_long(pool, &ended));
    evpq::group by_deadline(loop);
    (void)by_deadline.spawn(wait_long(pool, &ended));
    co_await pool.query("select 1");
    stop.request_stop();
    by_call.stop();
    CHECK(tap::fails(co_await by_token.join().try_(), EVPQ_CANCELED));
    CHECK(tap::fails(co_await by_call.join().try_(), EVPQ_CANCELED));
    CHECK(ended == 2);
    CHECK(tap::fails(co_await by_deadline.join().timeout(10ms).try_(), EVPQ_TIMEOUT));
    evpq::group empty(loop);
    co_await empty.join();
}

TEST(an_exception_leaves_no_task_behind)
{
    int ended = 0;
    try {
        int here = 5; /* what a task uses stands above its group */
        evpq::group g(loop);
        (void)g.spawn(wait_long(pool, &ended));
        co_await pool.query("select 1");
        throw here;
    } catch (int n) {
        CHECK(n == 5 && ended == 1);
    }
}

TEST(run_destroys_what_cannot_end)
{
    int ended = 0;
    auto never = [](evpq::loop l, int *end) -> evpq::task<> {
        ending at_end{end};
        evpq::semaphore none(l, 1);
        auto one = co_await none.acquire();
        co_await none.acquire();
    };
    /* A loop of its own, below this one, which stands meanwhile. */
    evpq::loop other;
    CHECK(tap::fails(evpq::try_run(other, never(other, &ended)), EVPQ_DEADLOCK) && ended == 1);
    CHECK(evpq::run(other, [](evpq::loop l) -> evpq::task<int> {
              co_await evpq::sleep(l, 1ms);
              co_return 4;
          }(other)) == 4);
    other.run();
    co_return;
}

TEST(all_of_them)
{
    std::vector<evpq::future<evpq::result>> fs;
    for (int i = 0; i < 20; i++)
        fs.push_back(pool.read("select $1::int", i));
    int sum = 0;
    for (const auto &r : co_await evpq::all(fs))
        sum += r[0].as<int>();
    CHECK(sum == 190);
    auto [a, b] = co_await evpq::all(pool.query("select 1"), evpq::spawn(loop, number(pool, 2)));
    CHECK(a[0].as<int>() == 1 && b == 2);
    CHECK(tap::fails(co_await evpq::all(std::vector<evpq::future<evpq::result>>()).try_(),
                     EVPQ_INVALID));

    /* An exception of the program's comes through. */
    auto slow = pool.query("select pg_sleep(100)");
    std::vector<evpq::future<void>> mixed{evpq::spawn(loop, fail_soon(loop)),
                                          evpq::sleep(loop, 100s)};
    try {
        co_await evpq::all(mixed);
        CHECK(!"reached");
    } catch (const std::domain_error &) {
        CHECK(mixed[1].status() == EVPQ_CANCELED);
    }
    slow.cancel();
}

TEST(settled_any_and_race)
{
    std::vector<evpq::future<evpq::result>> fs{pool.query("select 1/0"), pool.query("select 5")};
    auto each = co_await evpq::all_settled(fs);
    CHECK(!each[0] && each[0].error().sqlstate() == "22012" && (*each[1])[0].as<int>() == 5);
    CHECK((co_await evpq::any(fs))[0].as<int>() == 5);
    CHECK(tap::fails(co_await evpq::race(fs).try_(), EVPQ_SERVER));
    std::vector<evpq::future<evpq::result>> slow{pool.query("select pg_sleep(100)"),
                                                 pool.query("select 6")};
    CHECK((co_await evpq::race(slow))[0].as<int>() == 6);
    CHECK(slow[0].status() == EVPQ_CANCELED);
}

TEST(in_the_order_of_their_end)
{
    evpq::promise<int> a(loop), b(loop);
    std::vector<evpq::future<int>> fs{a.get_future(), b.get_future()};
    std::vector<evpq::future<int>> places = evpq::as_completed(fs);
    (void)b.set(1);
    CHECK(co_await places[0] == 1 && !places[1].settled());
    (void)a.set(2);
    CHECK(co_await places[1] == 2);
}

TEST(semaphores_bound)
{
    evpq::semaphore two(loop, 2);
    int at_once = 0, most = 0;
    auto work = [](evpq::loop l, evpq::semaphore s, int *now, int *max) -> evpq::task<> {
        evpq::permit permit = co_await s.acquire();
        *max = std::max(*max, ++*now);
        co_await evpq::sleep(l, 1ms);
        --*now;
    };
    evpq::group g(loop);
    for (int i = 0; i < 6; i++)
        (void)g.spawn(work(loop, two, &at_once, &most));
    co_await g.join();
    CHECK(most == 2 && two.free() == 2);
    CHECK_THROWS(EVPQ_INVALID, evpq::semaphore(loop, 0));
}

TEST(channels_carry)
{
    evpq::channel<std::string> c(loop, 1);
    auto fill = [](evpq::channel<std::string> to) -> evpq::task<> {
        for (int i = 0; i < 5; i++)
            co_await to.send("item " + std::to_string(i));
        to.close();
    };
    evpq::group g(loop);
    (void)g.spawn(fill(c));
    int n = 0;
    for (;;) {
        auto item = co_await c.receive().try_();
        if (!item) {
            CHECK(item.error().status() == EVPQ_CLOSED);
            break;
        }
        CHECK(*item == "item " + std::to_string(n++));
    }
    CHECK(n == 5 && c.size() == 0);
    co_await g.join();
    auto refused = co_await c.send("late").try_();
    CHECK(tap::fails(refused, EVPQ_CLOSED));
    evpq::channel<int> left(loop, 3);
    co_await left.send(1);
    CHECK(left.size() == 1);
}
