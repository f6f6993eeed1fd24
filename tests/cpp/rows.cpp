/* tests/cpp/rows.cpp - results as ranges, streams, COPY, listeners. */
#include "tests/cpp/tap.hpp"

#include <algorithm>

static_assert(std::ranges::random_access_range<decltype(evpq::result().as<int>())>);
static_assert(std::ranges::random_access_range<evpq::result>);
static_assert(!std::is_copy_constructible_v<evpq::lease>);
static_assert(!std::is_copy_constructible_v<evpq::transaction>);
static_assert(!std::is_copy_constructible_v<evpq::stream>);
static_assert(!std::is_copy_constructible_v<evpq::copy_in>);
static_assert(!std::is_copy_constructible_v<evpq::copy_out>);
static_assert(!std::is_copy_constructible_v<evpq::task<>>);
static_assert(std::is_nothrow_copy_constructible_v<evpq::error>);

TEST(results_are_ranges)
{
    auto r = co_await pool.query("select n, 'row ' || n as name from generate_series(1, 5) n");
    CHECK(r.size() == 5 && r.columns() == 2 && !r.empty());
    int n = 0;
    for (auto [id, name] : r.as<int, std::string_view>())
        CHECK(id == ++n && name == "row " + std::to_string(id));
    CHECK(n == 5);
    n = 0;
    for (auto row : r)
        CHECK(row.size() == 2 && row.index() == n && row["n"].as<int>() == ++n);
    auto names = r.as<int, std::string>();
    CHECK(std::ranges::count_if(names, [](const auto &t) { return std::get<0>(t) > 3; }) == 2);
    CHECK(names.end() - names.begin() == 5 && std::get<0>(names.begin()[4]) == 5);

    CHECK(r.command() == "SELECT 5" && r.affected() == 5 && r.column_name(1) == "name");
    CHECK(r.column_name(2).empty() && r.column_index("name") == 1 && r.column_index("x") == -1);
    CHECK(r.column_type(0) == 23 && r.column_format(0) == 0);
    CHECK(r[0][0].length() == 1 && r[0][0].raw().size() == 1);
    evpq::result shared = r;
    r = evpq::result();
    CHECK(r.empty() && shared[4]["n"].as<int>() == 5);
}

TEST(what_does_not_fit_is_an_error)
{
    auto r = co_await pool.query("select 70000, 'text', 1.5::float8");
    CHECK_THROWS(EVPQ_TYPE, r[0][0].as<std::int16_t>());
    CHECK_THROWS(EVPQ_TYPE, r[0][1].as<int>());
    CHECK_THROWS(EVPQ_TYPE, r[0]["nowhere"].as<int>());
    CHECK_THROWS(EVPQ_TYPE, r[1][0].as<int>());
    CHECK_THROWS(EVPQ_TYPE, r[0].as<int>());
    CHECK_THROWS(EVPQ_TYPE, r[0].as<int, int, double>());
    CHECK(r[0].as<int, std::string, double>() == std::tuple(70000, "text", 1.5));
    CHECK(r[0][0].as<int>() == 70000); /* no fault is left behind */
    CHECK(!evpq_result_fault(r.get()));
}

TEST(arrays_that_do_not_fit)
{
    auto r = co_await pool.query("select array[1, null, 3], array[[1, 2], [3, 4]], "
                                 "array['a', null], array[1, 2]");
    using ints = std::vector<int>;
    using maybes = std::vector<std::optional<int>>;
    CHECK_THROWS(EVPQ_TYPE, r[0][0].as<ints>());
    CHECK_THROWS(EVPQ_TYPE, r[0][1].as<ints>());
    CHECK_THROWS(EVPQ_TYPE, r[0][2].as<std::vector<std::string>>());
    CHECK_THROWS(EVPQ_TYPE, r[0].as<ints, ints, std::vector<std::string>, ints>());
    CHECK(r[0][0].as<maybes>() == maybes{1, std::nullopt, 3});
    CHECK(r[0][3].as<ints>() == ints{1, 2});
}

TEST(a_fault_of_a_call_before_is_not_this_values)
{
    auto r = co_await pool.query("select 'text', 5");
    (void)evpq_result_int4(r.get(), 0, 0);
    CHECK(evpq_result_fault(r.get()));
    CHECK(r[0][1].as<int>() == 5);
    (void)evpq_result_int4(r.get(), 0, 0);
    CHECK(r[0].as<std::string, int>() == std::tuple("text", 5));
    (void)evpq_result_int4(r.get(), 0, 0);
    CHECK(r[0][1].scaled(1) == 50);
}

TEST(what_is_inside)
{
    auto r = co_await pool.query("select row(1, 'a'), int4range(1, 5), array[[1, 2], [3, 4]]");
    auto record = r[0][0].record();
    CHECK(record.columns() == 2 && record[0][1].as<std::string_view>() == "a");
    auto range = r[0][1].range();
    CHECK(range[0].as<int, int>() == std::tuple(1, 5));
    CHECK(range.range_flags() == EVPQ_RANGE_LOWER_INC);
    auto array = r[0][2].array();
    CHECK(array.size() == 4 && array.shape().dimensions == 2 && array[3].as<int>() == 4);
}

TEST(streams)
{
    evpq::stream s = pool.stream("select generate_series(1, $1::int)", 1000);
    std::int64_t sum = 0;
    while (std::optional<evpq::result> rows = co_await s.next())
        for (auto n : rows->as<int>())
            sum += n;
    CHECK(sum == 500500 && s.rows() == 1000 && s.summary().affected() == 1000);

    evpq::stream_opts opts;
    opts.rows = 10;
    auto lease = co_await pool.acquire();
    {
        auto part = lease.stream_with(opts, "select generate_series(1, 100000000)");
        auto rows = co_await part.next();
        CHECK(rows && rows->size() == 10);
    } /* closed: canceled on the server */
    CHECK((co_await lease.query("select 1"))[0].as<int>() == 1);
    auto wrong = pool.stream("select 1/(3 - n) from generate_series(1, 5) n");
    auto r = co_await wrong.next().try_();
    while (r && *r)
        r = co_await wrong.next().try_();
    CHECK(!r && r.error().sqlstate() == "22012");
    auto closed = pool.stream_with(opts, "select 1");
    closed.close();
    CHECK(tap::fails(co_await closed.next().try_(), EVPQ_INVALID));
}

TEST(copy_rows)
{
    auto lease = co_await pool.acquire();
    co_await lease.query("create temp table c (a int, b text, c float8)");
    auto in = lease.copy_rows_in("c", {"a", "b"});
    for (int i = 0; i < 20000; i++)
        co_await in.row(i, std::optional<std::string>(i % 2 ? "odd" : "even"));
    auto r = in.try_row("no number", "x");
    CHECK(!r && r.error().status() == EVPQ_TYPE &&
          r.error().message().find("20001") != std::string_view::npos);
    CHECK((co_await in.finish()).affected() == 20000);

    auto out = lease.copy_rows_out("select a, b from c order by a");
    std::int64_t sum = 0;
    for (;;) {
        evpq::copied piece = co_await out.read();
        if (piece.at_end()) {
            CHECK(piece.rows().affected() == 20000);
            break;
        }
        for (auto [a, b] : piece.rows().as<int, std::string_view>())
            sum += b == "odd" ? a : 0;
    }
    CHECK(sum == 100000000);
}

TEST(copy_says_that_it_is_full)
{
    auto lease = co_await pool.acquire();
    co_await lease.query("create temp table full_up (a text)");
    auto in = lease.copy_rows_in("full_up");
    co_await in.drain();
    const std::string text(60000, 'x');
    evpq::expected<void> r;
    int n = 0;
    while ((r = in.try_row(text)) && n < 10000)
        n++;
    CHECK(tap::fails(r, EVPQ_QUEUE_FULL) && n > 0);
    co_await in.drain();
    CHECK(in.try_row(text).has_value());
    CHECK((co_await in.finish()).affected() == n + 1);
    CHECK(tap::fails(in.try_row(text), EVPQ_INVALID));
}

TEST(copy_text)
{
    co_await pool.query("drop table if exists cpp_copy");
    co_await pool.query("create table cpp_copy (a int, b text)");
    auto in = pool.copy_in_from("copy cpp_copy from stdin (format csv)");
    co_await in.write("1,one\n2,");
    const char rest[] = "two\n";
    while (tap::fails(in.try_write(std::as_bytes(std::span(rest, 4))), EVPQ_QUEUE_FULL))
        co_await in.drain();
    CHECK((co_await in.finish()).affected() == 2);

    auto out = pool.copy_out_to("copy (select * from cpp_copy order by a) to stdout (format csv)");
    std::string text;
    for (;;) {
        auto piece = co_await out.read();
        if (piece.at_end())
            break;
        text += piece.text();
    }
    CHECK(text == "1,one\n2,two\n");

    auto whole = pool.copy_rows_in("cpp_copy");
    co_await whole.row(3, "three");
    whole.abort("changed my mind");
    {
        auto dropped = pool.copy_rows_in("cpp_copy");
        co_await dropped.row(4, "four");
    }
    auto closed = pool.copy_rows_out("select 1");
    closed.close();
    auto lease = co_await pool.acquire();
    auto raw = lease.copy_in_from("copy cpp_copy from stdin");
    co_await raw.drain();
    raw.close();
    auto back = lease.copy_out_to("copy cpp_copy to stdout");
    CHECK((co_await back.read()).text() == "1\tone\n2\ttwo\n");
    auto nowhere = pool.copy_rows_in("no_such_table");
    CHECK(tap::fails(co_await nowhere.drain().try_(), EVPQ_SERVER));
}

TEST(listeners)
{
    evpq::listener listener(loop, "");
    evpq::subscription jobs = listener.subscribe("cpp jobs");
    co_await jobs.ready();
    CHECK((co_await listener.query("select 1"))[0].as<int>() == 1);
    co_await pool.notify("cpp jobs", "first");
    evpq::notification n = co_await jobs.next();
    CHECK(n.event() == EVPQ_EVENT_NOTIFY && n.payload() == "first" && n.channel() == "cpp jobs");
    CHECK(n.epoch() == 1 && n.backend_pid() > 0 && n.backend_pid() != listener.backend_pid());
    CHECK(!n.reconnected() && n.dropped() == 0);

    /* One that nobody has asked for comes again. */
    co_await pool.notify("cpp jobs", "second");
    {
        (void)co_await jobs.next().timeout(60s).try_();
    }
    auto gone = co_await jobs.next().timeout(20ms).try_();
    CHECK(tap::fails(gone, EVPQ_TIMEOUT)); /* co_await has taken it */

    evpq::subscription_opts opts;
    opts.catch_up = [](evpq_subscription *, void *arg) noexcept -> evpq_future * {
        return evpq_listener_query(static_cast<evpq_listener *>(arg), "select 'caught up'",
                                   evpq::args());
    };
    opts.catch_up_arg = listener.get();
    auto other = listener.subscribe("cpp others", opts);
    auto event = co_await other.next();
    CHECK(event.event() == EVPQ_EVENT_CATCH_UP);
    CHECK(event.caught_up()[0].as<std::string_view>() == "caught up");

    CHECK(tap::fails(listener.try_subscribe(""), EVPQ_INVALID));
    CHECK_THROWS(EVPQ_INVALID, evpq::listener(loop, "no such = option"));
    co_await listener.close();
    CHECK(tap::fails(co_await jobs.next().try_(), EVPQ_CLOSED));
}
