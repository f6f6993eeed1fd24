/* tests/cpp/failures.cpp - exceptions of the program's, and memory that runs out. */
#include "tests/cpp/tap.hpp"

#include <stdexcept>

/* ---- exceptions ---- */

struct refusal : evpq::error {
    int number;
    explicit refusal(int n) : evpq::error(EVPQ_INVALID, "refused"), number(n)
    {
    }
};

static evpq::task<int> refuse(evpq::loop loop, int n)
{
    co_await evpq::sleep(loop, 0s);
    throw refusal(n);
}

template <class Awaited> static evpq::task<int> number_of(Awaited what)
{
    try {
        co_await std::move(what);
    } catch (const refusal &e) {
        co_return e.number;
    }
    co_return 0;
}

TEST(what_is_derived_from_error_is_thrown_as_it_is)
{
    CHECK(co_await number_of(refuse(loop, 1)) == 1);
    CHECK(co_await number_of(evpq::spawn(loop, refuse(loop, 2))) == 2);
    CHECK(co_await number_of(evpq::spawn(loop, refuse(loop, 3)).timeout(60s)) == 3);
    std::vector<evpq::future<int>> fs{evpq::spawn(loop, refuse(loop, 4))};
    CHECK(co_await number_of(evpq::all(fs)) == 4);
    auto fn = [&](evpq::transaction &) { return refuse(loop, 5); };
    CHECK(co_await number_of(pool.transact(fn)) == 5);
    evpq::group g(loop);
    (void)g.spawn(refuse(loop, 6));
    CHECK(co_await number_of(g.join()) == 6);
    auto r = co_await evpq::spawn(loop, refuse(loop, 7)).try_();
    CHECK(tap::fails(r, EVPQ_INVALID) && r.error().message() == "refused");
}

TEST(all_settled_tells_of_any_exception)
{
    auto breaks = [](evpq::loop l) -> evpq::task<int> {
        co_await evpq::sleep(l, 0s);
        throw std::domain_error("broken");
    };
    auto works = [](evpq::loop l) -> evpq::task<int> {
        co_await evpq::sleep(l, 0s);
        co_return 2;
    };
    std::vector<evpq::future<int>> fs{evpq::spawn(loop, breaks(loop)),
                                      evpq::spawn(loop, works(loop))};
    auto each = co_await evpq::all_settled(fs);
    CHECK(each.size() == 2 && tap::fails(each[0], EVPQ_INVALID) && *each[1] == 2);
    CHECK(each[0].error().message() == "broken");
}

/* ---- memory ---- */

/* A value that finds no memory when it is moved for the third time. */
struct heavy {
    int moves = 0;
    heavy() = default;
    heavy(heavy &&other) : moves(other.moves + 1)
    {
        if (moves == 3)
            throw std::bad_alloc();
    }
};

TEST(a_value_that_finds_no_memory_fails_its_group)
{
    auto makes = [](evpq::loop l) -> evpq::task<heavy> {
        co_await evpq::sleep(l, 0s);
        co_return heavy();
    };
    evpq::group g(loop);
    auto f = g.spawn(makes(loop));
    auto r = co_await g.join().try_();
    CHECK(tap::fails(r, EVPQ_NOMEM) && f.status() == EVPQ_NOMEM);
}

TEST(no_memory_is_needed_to_let_go)
{
    auto sleeps = [](evpq::loop l) -> evpq::task<> { co_await evpq::sleep(l, 100s); };
    std::optional<evpq::promise<int>> promise(loop);
    std::optional<evpq::group> group(loop);
    auto dropped = promise->get_future();
    auto left = group->spawn(sleeps(loop));
    auto joined = group->join();
    co_await evpq::sleep(loop, 0s);
    tap::no_memory = true;
    promise.reset();
    group.reset();
    tap::no_memory = false;
    CHECK(dropped.status() == EVPQ_CANCELED && left.status() == EVPQ_CANCELED);
    CHECK(joined.status() == EVPQ_CANCELED);
}

/* The waits themselves: what cannot be waited for is an error, and no end of the program. */
TEST(a_wait_that_finds_no_memory_fails)
{
    auto f = evpq::sleep(loop, 100s);
    tap::no_memory = true;
    auto r = co_await f.try_();
    tap::no_memory = false;
    CHECK(tap::fails(r, EVPQ_NOMEM));
    f.cancel();
}
