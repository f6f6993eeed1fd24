/* tests/cpp/stops.cpp - stops that are handed on, and what cleans up meanwhile. */
#include "tests/cpp/tap.hpp"

#include <functional>
#include <stdexcept>
#include <thread>

/* Cleans up for a while once its wait has been canceled. */
static evpq::task<> cleans_up(evpq::loop loop, int *cleaned)
{
    auto r = co_await evpq::sleep(loop, 100s).try_();
    co_await evpq::sleep(loop, 20ms);
    ++*cleaned;
    r.value();
}

TEST(a_stop_is_handed_on_and_waited_for)
{
    int cleaned = 0;
    auto joins = [](evpq::loop l, int *n) -> evpq::task<> {
        evpq::group g(l);
        (void)g.spawn(cleans_up(l, n));
        (void)g.spawn(cleans_up(l, n));
        co_await g.join();
    };
    auto spawns = [](evpq::loop l, int *n) -> evpq::task<> {
        co_await evpq::spawn(l, cleans_up(l, n));
    };
    std::stop_source stop;
    auto a = evpq::spawn(loop, joins(loop, &cleaned), stop.get_token());
    auto b = evpq::spawn(loop, spawns(loop, &cleaned), stop.get_token());
    co_await evpq::sleep(loop, 1ms);
    stop.request_stop();
    CHECK(tap::fails(co_await a.try_(), EVPQ_CANCELED) && cleaned >= 2);
    CHECK(tap::fails(co_await b.try_(), EVPQ_CANCELED) && cleaned == 3);
}

/* A task may be made in one thread, and run in another: a stop from the latter is heard at once. */
TEST(it_is_the_thread_that_runs_a_task_which_counts)
{
    std::stop_source stop;
    int cleaned = 0;
    evpq_status status = EVPQ_PENDING;
    evpq::loop own;
    auto f = evpq::spawn(own, cleans_up(own, &cleaned), stop.get_token());
    auto ask = [&](evpq::loop l) -> evpq::task<> {
        co_await evpq::sleep(l, 10ms);
        stop.request_stop();
        auto r = co_await f.timeout(5s).try_();
        status = r ? EVPQ_OK : r.error().status();
        l.stop();
    };
    (void)evpq::spawn(own, ask(own));
    std::thread other([&] { own.run(); });
    other.join();
    CHECK(status == EVPQ_CANCELED && cleaned == 1);
    co_return;
}

/* ---- transact ---- */

static evpq::task<> run(evpq::pool pool, evpq::txn_opts opts,
                        std::function<evpq::task<>(evpq::transaction &)> fn)
{
    co_await pool.transact(opts, std::move(fn));
}

static evpq::task<std::int64_t> rows(evpq::pool pool)
{
    co_return (co_await pool.query("select count(*) from cpp_stopped"))[0].as<std::int64_t>();
}

static evpq::task<> make_table(evpq::pool pool)
{
    co_await pool.query("drop table if exists cpp_stopped");
    co_await pool.query("create table cpp_stopped (a int)");
}

TEST(transact_waits_for_a_task_that_cleans_up)
{
    co_await make_table(pool);
    int cleaned = 0;
    bool waits = false;
    auto fn = [&](evpq::transaction &t) -> evpq::task<> {
        co_await t.query("insert into cpp_stopped values (1)");
        auto lease = t.lease();
        waits = true;
        auto r = co_await evpq::sleep(loop, 100s).try_();
        co_await t.query("insert into cpp_stopped values (2)"); /* in the transaction still */
        co_await lease.query("insert into cpp_stopped values (3)");
        co_await evpq::sleep(loop, 20ms);
        cleaned++;
        r.value();
    };
    std::stop_source stop;
    auto f = evpq::spawn(loop, run(pool, {}, fn), stop.get_token());
    while (!waits)
        co_await evpq::sleep(loop, 1ms);
    stop.request_stop();
    CHECK(tap::fails(co_await f.try_(), EVPQ_CANCELED) && cleaned == 1);
    co_await pool.drain();
    CHECK(co_await rows(pool) == 0);
}

TEST(what_is_done_all_the_same_is_committed)
{
    co_await make_table(pool);
    bool waits = false;
    auto fn = [&](evpq::transaction &t) -> evpq::task<> {
        co_await t.query("insert into cpp_stopped values (1)");
        waits = true;
        (void)co_await evpq::sleep(loop, 100s).try_();
    };
    std::stop_source stop;
    auto f = evpq::spawn(loop, run(pool, {}, fn), stop.get_token());
    while (!waits)
        co_await evpq::sleep(loop, 1ms);
    stop.request_stop();
    co_await f;
    CHECK(co_await rows(pool) == 1);
}

TEST(transact_that_is_stopped_is_not_tried_again)
{
    int tries = 0;
    evpq::txn_opts opts;
    opts.backoff_min = opts.backoff_max = 0.001;
    auto fn = [&](evpq::transaction &t) -> evpq::task<> {
        tries++;
        (void)co_await evpq::sleep(loop, 100s).try_();
        co_await t.query("do $$ begin raise exception 'busy' using errcode = '40001'; end $$");
    };
    std::stop_source stop;
    auto f = evpq::spawn(loop, run(pool, opts, fn), stop.get_token());
    while (!tries)
        co_await evpq::sleep(loop, 1ms);
    co_await evpq::sleep(loop, 1ms);
    stop.request_stop();
    auto r = co_await f.timeout(10s).try_();
    CHECK(!r && r.error().sqlstate() == "40001" && tries == 1);
}

/* It was rolled back: what shows it knows. */
TEST(a_transaction_out_of_time_is_taken_back)
{
    co_await make_table(pool);
    int cleaned = 0;
    auto fn = [&](evpq::transaction &t) -> evpq::task<> {
        auto moved = std::move(t);
        auto inner = moved.savepoint();
        co_await inner.query("insert into cpp_stopped values (1)");
        auto outside = moved.lease(), inside = inner.lease();
        auto r = co_await evpq::sleep(loop, 100s).try_();
        co_await evpq::sleep(loop, 20ms);
        CHECK(!moved.get() && !outside.get() && !inside.get());
        CHECK(tap::fails(co_await moved.query("select 1").try_(), EVPQ_INVALID));
        CHECK(tap::fails(co_await inner.query("select 1").try_(), EVPQ_INVALID));
        CHECK(tap::fails(co_await outside.query("select 1").try_(), EVPQ_INVALID));
        CHECK(tap::fails(co_await inside.query("select 1").try_(), EVPQ_INVALID));
        CHECK(outside.backend_pid() <= 0 && tap::fails(moved.try_savepoint(), EVPQ_INVALID));
        cleaned++;
        r.value();
    };
    evpq::txn_opts opts;
    opts.timeout = 1; /* enough on a busy machine */
    auto r = co_await pool.transact(opts, fn).try_();
    CHECK(tap::fails(r, EVPQ_TIMEOUT) && cleaned == 1);
    co_await pool.drain();
    CHECK(co_await rows(pool) == 0);

    /* A stop while it waits for that end. */
    std::stop_source stop;
    auto f = evpq::spawn(loop, run(pool, opts, fn), stop.get_token());
    co_await evpq::sleep(loop, 1010ms);
    stop.request_stop();
    CHECK(!co_await f.try_());
    CHECK(cleaned == 2);

    /* One that is destroyed meanwhile. */
    {
        evpq::group g(loop);
        (void)g.spawn(run(pool, opts, fn));
        co_await evpq::sleep(loop, 1010ms);
    }
    co_await evpq::sleep(loop, 30ms);
    CHECK(cleaned == 2 || cleaned == 3); /* the machine may have been slow */
}
