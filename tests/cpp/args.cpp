/* tests/cpp/args.cpp - values there and back by their C++ types. */
#include "tests/cpp/tap.hpp"

#include <cstring>

template <class T>
static evpq::task<bool> there_and_back(evpq::pool pool, const char *type, T value)
{
    std::string sql = std::string("select $1::") + type;
    evpq::result text = co_await pool.query(sql, value);
    evpq::result binary = co_await pool.query(sql, evpq::args(value).binary());
    co_return text[0].as<T>() == value &&binary[0].as<T>() == value;
}

TEST(numbers_texts_and_bytes)
{
    CHECK(co_await there_and_back(pool, "bool", true));
    CHECK(co_await there_and_back<std::int16_t>(pool, "int2", -7));
    CHECK(co_await there_and_back(pool, "int4", INT32_MIN));
    CHECK(co_await there_and_back(pool, "int8", INT64_MAX));
    CHECK(co_await there_and_back<std::uint32_t>(pool, "oid", 4000000000));
    CHECK(co_await there_and_back(pool, "float4", 0.1f));
    CHECK(co_await there_and_back(pool, "float8", 0.1));
    CHECK(co_await there_and_back<std::string>(pool, "text", "Grüße"));
    CHECK(co_await there_and_back<std::string>(pool, "text", ""));
    std::vector<std::byte> bytes{std::byte{0}, std::byte{0xff}, std::byte{'x'}};
    CHECK(co_await there_and_back(pool, "bytea", bytes));
    CHECK(co_await there_and_back(pool, "bytea", std::vector<std::byte>()));
}

TEST(null_is_an_empty_optional)
{
    using maybe = std::optional<int>;
    CHECK(co_await there_and_back(pool, "int4", maybe()));
    CHECK(co_await there_and_back(pool, "int4", maybe(3)));
    CHECK(co_await there_and_back(pool, "text", std::optional<std::string>()));
    auto r =
        co_await pool.query("select $1::int, $2::text, $3::text, $4::text", nullptr, std::nullopt,
                            static_cast<const char *>(nullptr), std::string_view());
    CHECK(r[0][0].is_null() && r[0][1].is_null() && r[0][2].is_null() && !r[0][3].is_null());
    CHECK(r[0][1].as<const char *>() == nullptr);
    CHECK_THROWS(EVPQ_TYPE, r[0][0].as<int>());
    CHECK_THROWS(EVPQ_TYPE, r[0][1].as<std::string_view>());
    CHECK_THROWS(EVPQ_TYPE, r[0][1].as<std::vector<int>>());
    CHECK(std::strstr(r[0][1].try_as<std::string>().error().what(), "row 0, column 1 (text)"));
}

TEST(times_and_addresses)
{
    using namespace std::chrono;
    CHECK(co_await there_and_back(pool, "date", sys_days(2026y / November / 30)));
    CHECK(co_await there_and_back(pool, "date", sys_days(1900y / January / 1)));
    CHECK(co_await there_and_back(pool, "timestamptz",
                                  time_point_cast<microseconds>(system_clock::now())));
    CHECK(co_await there_and_back(pool, "timestamp", local_time<microseconds>(1234567us)));
    evpq::uuid id;
    id.bytes[15] = 7;
    CHECK(co_await there_and_back(pool, "uuid", id));

    evpq::macaddr card;
    card.bytes[5] = 9;
    CHECK(co_await there_and_back(pool, "macaddr", card));
    evpq::macaddr8 longer;
    longer.bytes[7] = 9;
    CHECK(co_await there_and_back(pool, "macaddr8", longer));
    CHECK(co_await there_and_back(pool, "time", microseconds(1h + 1us)));
    evpq::timetz there;
    there.time = 1h;
    there.east = 3600s;
    CHECK(co_await there_and_back(pool, "timetz", there));

    evpq_interval some{1, 2, 3};
    evpq_inet home{EVPQ_INET4, 32, 0, {127, 0, 0, 1}};
    auto r = co_await pool.query("select $1::interval, $2::inet", some, home);
    auto [interval, inet] = r[0].as<evpq_interval, evpq_inet>();
    CHECK(interval.months == 1 && interval.days == 2 && interval.microseconds == 3);
    CHECK(inet.family == EVPQ_INET4 && inet.address[3] == 1);
    r = co_await pool.query("select 12.34::numeric");
    CHECK(r[0][0].scaled(2) == 1234);
    CHECK(!r[0][0].try_scaled(1));
}

TEST(arrays)
{
    /* (Not written in the calls: GCC 12 cannot compile a braced list in what is awaited.) */
    std::vector<int> three{1, 2, 3};
    std::vector<std::int64_t> least{INT64_MIN};
    std::vector<std::int16_t> small{-1, 1};
    std::vector<double> real{0.5, -0.25};
    std::vector<std::string> texts{"a", "", "c,{}\""};
    std::vector<std::optional<std::string>> some_texts{"a", std::nullopt};
    std::vector<std::optional<int>> some{1, {}, 3};
    CHECK(co_await there_and_back(pool, "int4[]", three));
    CHECK(co_await there_and_back(pool, "int4[]", std::vector<int>()));
    CHECK(co_await there_and_back(pool, "int8[]", least));
    CHECK(co_await there_and_back(pool, "int2[]", small));
    CHECK(co_await there_and_back(pool, "float8[]", real));
    CHECK(co_await there_and_back(pool, "text[]", texts));
    CHECK(co_await there_and_back(pool, "text[]", some_texts));
    CHECK(co_await there_and_back(pool, "int4[]", some));
    CHECK(co_await there_and_back(pool, "uuid[]", std::vector<evpq::uuid>(2)));
    CHECK(co_await there_and_back(pool, "int4[]", std::optional<std::vector<int>>()));

    std::array<bool, 2> flags{true, false};
    std::array<const char *, 2> names{"x", nullptr};
    std::array<std::int32_t, 2> ids{7, 8};
    std::span<const int> one = std::span(ids).first(1);
    auto r = co_await pool.query("select $1::bool[], $2::text[], $3::int[], $4::int[]", flags,
                                 names, ids, one);
    CHECK(r[0][0].as<std::vector<bool>>() == std::vector<bool>{true, false});
    CHECK(r[0][1].as<std::vector<std::optional<std::string>>>()[1] == std::nullopt);
    CHECK(r[0][2].array().size() == 2 && r[0][3].array().size() == 1);
    CHECK(r[0][2].array().shape().dimensions == 1);
}

TEST(times_that_do_not_fit)
{
    using namespace std::chrono;
    using system_days = sys_days;
    auto r = co_await pool.query("select $1::timestamptz::text, $2::timestamptz::text, "
                                 "$3::timestamp::text, $4::date::text, $5::date::text",
                                 sys_time<seconds>::max(), sys_time<microseconds>::min(),
                                 local_time<milliseconds>::max(), system_days::max(),
                                 system_days::min());
    auto [a, b, c, d, e] =
        r[0].as<std::string, std::string, std::string, std::string, std::string>();
    CHECK(a == "infinity" && b == "-infinity" && c == "infinity");
    CHECK(d == "infinity" && e == "-infinity");

    /* Cut to 64 or 32 bits, each would be a time like another. */
    sys_time<seconds> far(seconds(INT64_MAX / 2));
    system_days farther(days(INT64_C(1) << 32));
    evpq::timetz zone;
    zone.east = seconds(INT64_C(1) << 32);
    auto wrong = co_await pool.query("select $1::timestamptz", far).try_();
    CHECK(!wrong && wrong.error().sqlstate() == "22008");
    std::vector<sys_time<seconds>> some{far};
    CHECK(!co_await pool.query("select $1::timestamptz[]", some).try_());
    CHECK(!co_await pool
               .query("select $1::timestamptz", -far.time_since_epoch() + sys_time<seconds>())
               .try_());
    CHECK(!co_await pool.query("select $1::timestamp", local_time<seconds>(far.time_since_epoch()))
               .try_());
    CHECK(tap::fails(co_await pool.query("select $1::date", farther).try_(), EVPQ_SERVER));
    CHECK(tap::fails(co_await pool.query("select $1::timetz", zone).try_(), EVPQ_SERVER));
}

TEST(a_text_for_c_has_no_zero_byte)
{
    const std::string cut("select 1\0 + 1", 13), good("public");
    CHECK_THROWS(EVPQ_INVALID, pool.query(cut));
    CHECK_THROWS(EVPQ_INVALID, pool.notify(cut));
    CHECK_THROWS(EVPQ_INVALID, pool.copy_rows_in(cut));
    CHECK(tap::fails(evpq::pool::try_open(loop, cut), EVPQ_INVALID));
    CHECK(tap::fails(evpq::listener::try_open(loop, cut), EVPQ_INVALID));
    CHECK(tap::fails(evpq::quote_identifier(cut), EVPQ_INVALID));
    CHECK(tap::fails(evpq::quote_qualified(good, cut), EVPQ_INVALID));
    CHECK(tap::fails(evpq::quote_literal(cut), EVPQ_INVALID));
    CHECK((co_await pool.query(std::string("select 2")))[0].as<int>() == 2);
}

/* A range that makes its rows as it goes. */
struct counted_rows {
    struct iterator {
        using iterator_concept = std::forward_iterator_tag;
        using value_type = std::tuple<int, std::string>;
        using difference_type = std::ptrdiff_t;
        int n = 0;
        value_type operator*() const
        {
            return {n, "a text that is too long to be kept within, of row " + std::to_string(n)};
        }
        iterator &operator++()
        {
            n++;
            return *this;
        }
        iterator operator++(int)
        {
            return {n++};
        }
        friend bool operator==(iterator a, iterator b)
        {
            return a.n == b.n;
        }
    };
    iterator begin() const
    {
        return {0};
    }
    iterator end() const
    {
        return {3};
    }
};

TEST(rows_that_a_range_makes_are_kept)
{
    auto lease = co_await pool.acquire();
    co_await lease.query("create temp table made (a int, b text)");
    CHECK(co_await lease.executemany("insert into made values ($1, $2)", counted_rows()) == 3);
    auto r = co_await lease.query("select count(*) from made where b like '%, of row ' || a");
    CHECK(r[0].as<std::int64_t>() == 3);
    std::vector<bool> flags{true, false, true};
    co_await lease.query("create temp table flags (f bool)");
    CHECK(co_await lease.executemany("insert into flags values ($1)", flags) == 3);
    r = co_await lease.query("select count(*) from flags where f");
    CHECK(r[0].as<std::int64_t>() == 2);
}

/* A type of the program's. */
namespace money
{
struct cents {
    std::int64_t n;
};
evpq_arg to_arg(const cents &c)
{
    return evpq_scaled(c.n, 2);
}
/* Becomes one, and has no to_arg() of its own. */
struct price {
    operator cents() const
    {
        return {1};
    }
};
} // namespace money
static_assert(evpq::detail::has_to_arg<money::cents>);
static_assert(!evpq::detail::has_to_arg<money::price>);

static bool write_double(const void *value, evpq_sink *to, void *) noexcept
{
    unsigned char bytes[4];
    std::uint32_t n = static_cast<std::uint32_t>(*static_cast<const int *>(value)) * 2;
    for (int i = 0; i < 4; i++)
        bytes[i] = static_cast<unsigned char>(n >> (24 - 8 * i));
    return evpq_append(to, bytes, 4);
}

static bool read_double(const void *bytes, std::size_t n, int format, void *ret, void *) noexcept
{
    *static_cast<int *>(ret) = std::atoi(static_cast<const char *>(bytes));
    return format == 0 && n > 0;
}

TEST(types_of_the_program)
{
    auto r = co_await pool.query("select $1, $2::jsonb -> 'a'", money::cents{1250},
                                 evpq_jsonb("{\"a\": 1}"));
    CHECK(r[0][0].as<std::string_view>() == "12.50" && r[0][1].as<std::string_view>() == "1");

    evpq::types types;
    evpq::codec twice;
    twice.name = "int4";
    twice.encode = write_double;
    twice.decode = read_double;
    CHECK(types.add(twice) == EVPQ_OK && types.add(twice) == EVPQ_INVALID);
    co_await types.resolve(pool);
    CHECK(types.oid("int4") == 23);
    int seven = 7, got = 0;
    r = co_await pool.query("select $1, 'x'", types.coded("int4", &seven));
    CHECK(types.decode(r[0][0], got) && got == 14);
    CHECK(tap::fails(types.decode(r[0][1], got), EVPQ_TYPE));
}

TEST(lists_for_the_c_calls)
{
    std::string text = "long enough not to be within the string itself";
    evpq_future *f = evpq_pool_query(pool.get(), "select $1::text, $2::int", evpq::args(text, 5));
    auto r = co_await evpq::detail::result_of(f);
    auto [t, n] = r[0].as<std::string, int>();
    CHECK(t == text && n == 5);
    std::string scanned;
    int number = 0;
    CHECK(evpq::scan(r, 0, scanned, number) && scanned == text && number == 5);
    CHECK(!r[0].scan(number, scanned) && number == 5);
    CHECK(!r[0].scan(scanned));
}

TEST(names_in_sql)
{
    CHECK(evpq::quote_identifier("Or\"der").value() == "\"Or\"\"der\"");
    CHECK(evpq::quote_qualified("public", "t").value() == "\"public\".\"t\"");
    CHECK(evpq::quote_literal("it's").value() == "'it''s'");
    CHECK(tap::fails(evpq::quote_identifier(""), EVPQ_INVALID));
    CHECK(evpq::name_of(EVPQ_TIMEOUT) == "EVPQ_TIMEOUT" && !evpq::text_of(EVPQ_TIMEOUT).empty());
    CHECK(evpq::version() == EVPQ_VERSION_NUMBER);
    co_return;
}
