/* tests/cpp/without_exceptions.cpp - what a program without exceptions has: it is only compiled. */
#include <evpq/evpq.hpp>

evpq::task<evpq::expected<int>> count(evpq::pool pool);
evpq::task<evpq::expected<int>> count(evpq::pool pool)
{
    auto rows = co_await pool.query("select count(*)::int from t where id = $1", 5).try_();
    if (!rows)
        co_return rows.error();
    co_return (*rows)[0].try_as<int>();
}

evpq::task<evpq::expected<void>> pay(evpq::pool pool);
evpq::task<evpq::expected<void>> pay(evpq::pool pool)
{
    co_return co_await pool.transact([](evpq::transaction &t) -> evpq::task<evpq::expected<void>> {
        auto paid = co_await t.query("update t set n = n - 1").try_();
        if (!paid)
            co_return paid.error();
        co_return evpq::expected<void>();
    });
}

evpq::task<evpq::expected<void>> load(evpq::pool pool, std::string_view text);
evpq::task<evpq::expected<void>> load(evpq::pool pool, std::string_view text)
{
    evpq::copy_in copy = pool.copy_in_from("copy t from stdin");
    for (;;) {
        auto taken = copy.try_write(text);
        if (taken)
            break;
        if (taken.error().status() != EVPQ_QUEUE_FULL)
            co_return taken.error();
        if (auto room = co_await copy.drain().try_(); !room)
            co_return room.error();
    }
    auto done = co_await copy.finish().try_();
    co_return done ? evpq::expected<void>() : evpq::expected<void>(done.error());
}

int main()
{
    evpq::loop loop;
    evpq::expected<evpq::pool> pool = evpq::pool::try_open(loop, "");
    if (!pool)
        return 1;
    evpq::expected<int> n = evpq::try_run(loop, count(*pool));
    bool paid = evpq::try_run(loop, pay(*pool)).has_value();
    bool loaded = evpq::try_run(loop, load(*pool, "1\t2\n")).has_value();
    return n && paid && loaded ? *n : 1;
}
