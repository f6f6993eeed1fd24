/* tests/cpp/txns.cpp - leases and transactions. */
#include "tests/cpp/tap.hpp"

#include <stdexcept>

static evpq::task<> make_table(evpq::pool pool, const char *name)
{
    std::string table = evpq::quote_identifier(name).value();
    co_await pool.query("drop table if exists " + table);
    co_await pool.query("create table " + table + " (a int primary key, b text)");
}

static evpq::task<std::int64_t> rows_of(evpq::pool pool, const char *name)
{
    std::string table = evpq::quote_identifier(name).value();
    co_return (co_await pool.query("select count(*) from " + table))[0].as<std::int64_t>();
}

TEST(leases)
{
    int pid = 0;
    {
        evpq::lease lease = co_await pool.acquire();
        pid = lease.backend_pid();
        auto r = co_await lease.query("select pg_backend_pid()");
        CHECK(pid > 0 && r[0].as<int>() == pid);
        evpq::lease moved = std::move(lease);
        co_await moved.query("set application_name = 'leased'");
        CHECK(tap::fails(co_await lease.query("select 1").try_(), EVPQ_INVALID));

        static std::string heard;
        heard.clear();
        auto hear = [](const evpq_error *notice, void *) noexcept {
            heard = evpq_error_message(notice);
        };
        CHECK(moved.on_notice(hear, nullptr) == EVPQ_OK);
        co_await moved.query("do $$ begin raise notice 'hear me'; end $$");
        CHECK(heard == "hear me");
    }
    auto f = pool.acquire();
    {
        evpq::lease first = co_await f;
        CHECK(tap::fails(co_await f.try_(), EVPQ_INVALID)); /* taken out once */
        first.release();
    }
    co_await pool.drain();
    CHECK(pool.stats().leased == 0 && pool.stats().leases >= 2);
    CHECK(pool.resize(0, 2) == EVPQ_OK && pool.resize(3, 2) == EVPQ_INVALID);
    co_await pool.connect();
}

TEST(transactions_commit_and_roll_back)
{
    co_await make_table(pool, "cpp_txn");
    {
        evpq::transaction t = co_await pool.begin();
        co_await t.query("insert into cpp_txn values (1, 'one')");
        co_await t.commit();
    }
    try {
        evpq::transaction t = co_await pool.begin();
        co_await t.query("insert into cpp_txn values (2, 'two')");
        throw std::runtime_error("no more");
    } catch (const std::runtime_error &) { /* t was rolled back */
    }
    CHECK(co_await rows_of(pool, "cpp_txn") == 1);

    evpq::txn_opts opts;
    opts.read_only = true;
    evpq::lease lease = co_await pool.acquire();
    evpq::transaction t = co_await lease.begin(opts);
    auto r = co_await t.query("insert into cpp_txn values (3, 'three')").try_();
    CHECK(!r && r.error().sqlstate() == "25006");
    co_await t.rollback();
    CHECK(tap::fails(co_await t.commit().try_(), EVPQ_INVALID)); /* it has ended */
}

TEST(savepoints)
{
    co_await make_table(pool, "cpp_save");
    evpq::transaction t = co_await pool.begin();
    co_await t.query("insert into cpp_save values (1, 'one')");
    {
        evpq::transaction inner = t.savepoint();
        CHECK(tap::fails(t.try_savepoint(), EVPQ_INVALID));
        auto r = co_await inner.query("insert into cpp_save values (1, 'again')").try_();
        CHECK(!r && r.error().sqlstate() == "23505");
    } /* rolled back */
    evpq::transaction inner = t.savepoint();
    co_await inner.query("insert into cpp_save values (2, 'two')");
    co_await inner.commit();
    auto in = t.lease();
    CHECK((co_await in.query("select count(*) from cpp_save"))[0].as<int>() == 2);
    co_await t.commit();
    CHECK(co_await rows_of(pool, "cpp_save") == 2);
}

TEST(transact_commits)
{
    co_await make_table(pool, "cpp_act");
    int n = co_await pool.transact([](evpq::transaction &t) -> evpq::task<int> {
        co_await t.query("insert into cpp_act values (1, 'one')");
        co_return (co_await t.query("select 41 + 1"))[0].as<int>();
    });
    CHECK(n == 42);
    co_await pool.transact([](evpq::transaction &t) -> evpq::task<> {
        co_await t.query("insert into cpp_act values (2, 'two')");
        CHECK(tap::fails(co_await t.commit().try_(), EVPQ_INVALID)); /* not this one's */
    });
    CHECK(co_await rows_of(pool, "cpp_act") == 2);
}

TEST(an_exception_in_transact_rolls_back)
{
    co_await make_table(pool, "cpp_throw");
    int tries = 0;
    auto fails = [&](evpq::transaction &t) -> evpq::task<int> {
        tries++;
        co_await t.query("insert into cpp_throw values (1, 'one')");
        throw std::length_error("too long");
    };
    try {
        co_await pool.transact(fails);
        CHECK(!"reached");
    } catch (const std::length_error &e) {
        CHECK(e.what() == std::string("too long"));
    }
    CHECK(tries == 1);
    CHECK(co_await rows_of(pool, "cpp_throw") == 0);

    /* Before there is a task at all. */
    auto at_once = [](evpq::transaction &) -> evpq::task<> { throw std::logic_error("at once"); };
    auto r = co_await pool.transact(at_once).try_();
    CHECK(tap::fails(r, EVPQ_INVALID) && r.error().message() == "at once");

    /* The server's error, with all that it says. */
    auto e = co_await pool
                 .transact([](evpq::transaction &t) -> evpq::task<> {
                     co_await t.query("insert into cpp_throw values (1, 'one')");
                     co_await t.query("insert into cpp_throw values (1, 'one')");
                 })
                 .try_();
    CHECK(!e && e.error().sqlstate() == "23505" && e.error().constraint() == "cpp_throw_pkey");
    CHECK(co_await rows_of(pool, "cpp_throw") == 0);
}

TEST(transact_tries_again)
{
    int tries = 0;
    evpq::txn_opts opts;
    opts.backoff_min = 0.001;
    int n = co_await pool.transact(opts, [&](evpq::transaction &t) -> evpq::task<int> {
        if (++tries < 3)
            co_await t.query("do $$ begin raise exception 'busy' using errcode = '40001'; end $$");
        co_return tries;
    });
    CHECK(n == 3 && tries == 3);
    opts.tries = 2;
    auto r = co_await pool
                 .transact(opts,
                           [](evpq::transaction &t) -> evpq::task<> {
                               co_await t.query("do $$ begin raise exception 'busy' "
                                                "using errcode = '40001'; end $$");
                           })
                 .try_();
    CHECK(!r && r.error().sqlstate() == "40001");
}

struct ending {
    int *ended;
    ~ending()
    {
        ++*ended;
    }
};

TEST(transact_is_stopped_or_destroyed)
{
    co_await make_table(pool, "cpp_stop");
    int ended = 0, after = 0;
    bool gone = false;
    auto slow = [&](evpq::transaction &t) -> evpq::task<> {
        ending at_end{&ended};
        co_await t.query("insert into cpp_stop values (1, 'one')");
        auto r = co_await t.query("select pg_sleep(100)").try_();
        CHECK(tap::fails(r, EVPQ_CANCELED));
        /* Stopped, it is in a failed transaction; out of time, the transaction is gone by now. */
        CHECK(tap::fails(co_await t.query("select 1").try_(), gone ? EVPQ_INVALID : EVPQ_SERVER));
        after++;
        r.value();
    };
    auto run = [](evpq::pool p, auto fn) -> evpq::task<> { co_await p.transact(fn); };
    std::stop_source stop;
    auto f = evpq::spawn(loop, run(pool, slow), stop.get_token());
    co_await evpq::sleep(loop, 50ms);
    stop.request_stop();
    CHECK(tap::fails(co_await f.try_(), EVPQ_CANCELED) && ended == 1 && after == 1);
    {
        evpq::group g(loop);
        (void)g.spawn(run(pool, slow));
        co_await evpq::sleep(loop, 50ms);
        CHECK(ended == 1);
    }
    CHECK(ended == 2 && after == 1); /* at once: what it uses is gone with this block */

    evpq::txn_opts opts;
    opts.timeout = 1;
    gone = true;
    auto r = co_await pool.transact(opts, slow).try_();
    CHECK(tap::fails(r, EVPQ_TIMEOUT) && ended == 3 && after == 2);
    co_await pool.drain();
    CHECK(co_await rows_of(pool, "cpp_stop") == 0);
}

TEST(batches_and_many_rows)
{
    co_await make_table(pool, "cpp_batch");
    auto rs = co_await pool.batch(evpq::sql("insert into cpp_batch values ($1, $2)", 1, "one"),
                                  evpq::sql("select count(*) from cpp_batch"));
    CHECK(rs.size() == 2 && rs[0].affected() == 1 && rs[1][0].as<int>() == 1);
    auto wrong = co_await pool
                     .batch(evpq::sql("insert into cpp_batch values (2, '')"),
                            evpq::sql("insert into cpp_batch values (1, '')"))
                     .try_();
    CHECK(!wrong && wrong.error().sqlstate() == "23505");
    CHECK(co_await rows_of(pool, "cpp_batch") == 1);

    std::vector<std::tuple<int, std::optional<std::string>>> rows{{2, "two"}, {3, {}}, {4, "four"}};
    CHECK(co_await pool.executemany("insert into cpp_batch values ($1, $2)", rows) == 3);
    std::vector<int> ids{2, 3};
    auto lease = co_await pool.acquire();
    CHECK(co_await lease.executemany("delete from cpp_batch where a = $1", ids) == 2);
    CHECK((co_await lease.batch(evpq::sql("select 1"))).size() == 1);
    auto t = co_await lease.begin();
    CHECK(co_await t.executemany("delete from cpp_batch where a = $1", ids) == 0);
    CHECK((co_await t.batch(evpq::sql("select 1"), evpq::sql("select 2")))[1][0].as<int>() == 2);
    co_await t.commit();
    CHECK(co_await rows_of(pool, "cpp_batch") == 2);
}
