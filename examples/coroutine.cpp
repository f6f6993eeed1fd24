/* coroutine.cpp - C++20: three roles asked at the same time, and money moved in a transaction. */
#include <cstdio>
#include <evpq/evpq.hpp>

/* Each co_await sets this task aside, and the others go on. */
static evpq::task<> count_relations(evpq::pool pool, std::string role)
{
    auto roles = co_await pool.read("select oid from pg_catalog.pg_roles where rolname = $1", role);
    auto oid = roles[0].as<std::uint32_t>();
    auto r = co_await pool.read("select relname, relpages from pg_catalog.pg_class "
                                "where relowner = $1::oid order by 1 limit 3",
                                oid);
    std::printf("%s: %d relations\n", role.c_str(), r.size());
    for (auto [name, pages] : r.as<std::string, int>())
        std::printf("  %s, %d pages\n", name.c_str(), pages);
}

/* Committed when it ends; rolled back, and thrown on, when it throws. */
static evpq::task<int> pay(evpq::transaction &t)
{
    co_await t.query("create temp table account (id int, credit int check (credit >= 0))");
    co_await t.query("insert into account values (1, 100), (2, 0)");
    co_await t.query("update account set credit = credit - $2 where id = $1", 1, 70);
    auto r = co_await t.query("update account set credit = credit + $2 where id = $1 "
                              "returning credit",
                              2, 70);
    co_return r[0].as<int>();
}

static evpq::task<> everything(evpq::loop loop, evpq::pool pool)
{
    evpq::group group(loop); /* the first failure stops the rest; none outlives this block */
    for (const char *role : {"pg_monitor", "pg_read_all_data", "pg_signal_backend"})
        group.spawn(count_relations(pool, role));
    co_await group.join();
    std::printf("bob has %d\n", co_await pool.transact(pay));

    auto wrong = co_await pool.query("select 1/0").try_(); /* returned, not thrown */
    std::printf("%s\n", wrong ? "?" : wrong.error().what());
}

int main()
{
    evpq::loop loop;
    try {
        evpq::pool pool(loop, ""); /* PGHOST, PGUSER, ... say where */
        evpq::run(loop, everything(loop, pool));
    } catch (const evpq::error &e) {
        std::fprintf(stderr, "%s: %s\n", evpq_status_name(e.status()), e.what());
        return 1;
    }
    loop.run(); /* returns when the pool has closed its connections */
}
