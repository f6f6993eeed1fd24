/* evpq/cpp/args.hpp - the parameters of a statement, each by its C++ type.
 *
 *     pool.query("insert into t values ($1, $2, $3)", 42, "bob", std::nullopt)
 *
 *     integers, float, double, bool     as in C (args.h): the server infers the type
 *     const char *, std::string, std::string_view      text; a null const char * is SQL NULL
 *     std::nullptr_t, std::nullopt, an empty optional   SQL NULL
 *     std::optional<T>                  as T
 *     ranges of std::byte               bytea
 *     uuid, macaddr, macaddr8, evpq_interval, evpq_inet      the types of these names
 *     sys_days, system_clock's times    date, timestamptz; max() is infinity, min() -infinity
 *     local_time                        timestamp, likewise
 *     std::chrono::microseconds         time: since midnight
 *     timetz                            timetz
 *     contiguous ranges                 arrays: of signed integers, float, double, bool, texts, uuid,
 *                                       sys_days, timestamps, and of optionals of these
 *     evpq_arg                          itself: what evpq_json() and its like make
 *     a type of yours                   what your to_arg(const X &) returns, found by its namespace;
 *                                       it has to be for X itself, and no template
 *
 * All is borrowed until the call that takes the arguments has returned: it copies them. */
#ifndef EVPQ_CPP_ARGS_HPP
#define EVPQ_CPP_ARGS_HPP

#include <array>
#include <evpq/cpp/base.hpp>
#include <iterator>
#include <ranges>
#include <span>
#include <tuple>
#include <vector>

namespace evpq
{

/* A uuid's 16 bytes, in the order in which they are written. */
struct uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend bool operator==(const uuid &, const uuid &) = default;
};

/* A macaddr's 6 bytes, a macaddr8's 8. */
struct macaddr {
    std::array<std::uint8_t, 6> bytes{};
    friend bool operator==(const macaddr &, const macaddr &) = default;
};
struct macaddr8 {
    std::array<std::uint8_t, 8> bytes{};
    friend bool operator==(const macaddr8 &, const macaddr8 &) = default;
};

/* A time since midnight, in a zone that is so far ahead of UTC. */
struct timetz {
    std::chrono::microseconds time{};
    std::chrono::seconds east{};
    friend bool operator==(const timetz &, const timetz &) = default;
};

namespace detail
{

template <class T> inline constexpr bool is_optional = false;
template <class T> inline constexpr bool is_optional<std::optional<T>> = true;
template <class T> inline constexpr bool is_local_time = false;
template <class D>
inline constexpr bool is_local_time<std::chrono::time_point<std::chrono::local_t, D>> = true;
template <class T> inline constexpr bool is_system_time = false;
template <class D>
inline constexpr bool is_system_time<std::chrono::time_point<std::chrono::system_clock, D>> = true;

template <class T>
inline constexpr bool is_letter =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

template <class T>
concept text_like = std::convertible_to<const T &, std::string_view>;

/* Becomes a T and nothing that a T would become: so a to_arg() is found that is for a T itself. */
template <class T> struct exactly {
    template <class U>
    requires std::same_as<U, T>
    operator const U &() const noexcept;
};
template <class T>
concept has_to_arg = requires(const T &x, const exactly<T> &same)
{
    {
        to_arg(x)
        } -> std::same_as<evpq_arg>;
    to_arg(same);
};

/* Floating point that PostgreSQL has, and integers that C's calls take. */
template <class T>
inline constexpr bool is_real = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
inline constexpr bool is_whole = std::is_integral_v<T> && !is_letter<T> && sizeof(T) <= 8;

/* PostgreSQL's pg_type.dat: the type of an array's elements. 0: no array can be made of T. */
template <class T> constexpr std::uint32_t element_type()
{
    if constexpr (is_optional<T>)
        return element_type<typename T::value_type>();
    else if constexpr (std::is_same_v<T, bool>)
        return 16;
    else if constexpr (is_whole<T> && std::is_signed_v<T>)
        return sizeof(T) == 8 ? 20 : sizeof(T) == 4 ? 23 : 21;
    else if constexpr (std::is_same_v<T, float>)
        return 700;
    else if constexpr (std::is_same_v<T, double>)
        return 701;
    else if constexpr (text_like<T>)
        return 25;
    else if constexpr (std::is_same_v<T, uuid>)
        return 2950;
    else if constexpr (std::is_same_v<T, std::chrono::sys_days>)
        return 1082;
    else if constexpr (is_system_time<T>)
        return 1184;
    else if constexpr (is_local_time<T>)
        return 1114;
    else
        return 0;
}

template <class T>
concept list_like =
    std::ranges::contiguous_range<const T> && std::ranges::sized_range<const T> && !text_like<T> &&
    !has_to_arg<T>;
template <class T> using element_of = std::remove_cv_t<std::ranges::range_value_t<const T>>;

/* Whether the library takes the C array as it is. */
template <class E> constexpr int plain_list()
{
    if constexpr (std::is_same_v<E, bool>)
        return EVPQ_ARG_BOOLS;
    else if constexpr (std::is_same_v<E, double>)
        return EVPQ_ARG_FLOAT8S;
    else if constexpr (std::is_same_v<E, const char *>)
        return EVPQ_ARG_TEXTS;
    else if constexpr (std::is_same_v<E, uuid>)
        return EVPQ_ARG_UUIDS;
    else if constexpr (is_whole<E> && std::is_signed_v<E>)
        return sizeof(E) == 8 ? EVPQ_ARG_INT8S : sizeof(E) == 4 ? EVPQ_ARG_INT4S : 0;
    else
        return 0;
}

/* Whether a list's elements have to be made one by one, and kept beside the parameters. */
template <class T> constexpr bool needs_elements()
{
    if constexpr (is_optional<T>)
        return needs_elements<typename T::value_type>();
    else if constexpr (list_like<T>)
        return !std::is_same_v<element_of<T>, std::byte> && plain_list<element_of<T>>() == 0;
    else
        return false;
}

using elements = std::vector<evpq_arg>;

template <class T> evpq_arg arg_of(const T &x, elements *room);

template <class T> evpq_arg plain_list_of(const T &list)
{
    using E = element_of<T>;
    const auto *at = std::ranges::data(list);
    std::size_t n = std::ranges::size(list);
    if constexpr (plain_list<E>() == EVPQ_ARG_BOOLS)
        return evpq_bools(at, n);
    else if constexpr (plain_list<E>() == EVPQ_ARG_FLOAT8S)
        return evpq_float8s(at, n);
    else if constexpr (plain_list<E>() == EVPQ_ARG_TEXTS)
        return evpq_texts(at, n);
    else if constexpr (plain_list<E>() == EVPQ_ARG_UUIDS)
        return evpq_uuids(at, n);
    else if constexpr (plain_list<E>() == EVPQ_ARG_INT4S)
        return evpq_list(EVPQ_ARG_INT4S, 1007, at, n);
    else
        return evpq_list(EVPQ_ARG_INT8S, 1016, at, n);
}

template <class T> evpq_arg list_of(const T &list, elements *room)
{
    using E = element_of<T>;
    if constexpr (std::is_same_v<E, std::byte>) {
        const void *at = std::ranges::data(list);
        return evpq_bytes(at ? at : "", std::ranges::size(list));
    } else if constexpr (plain_list<E>() != 0) {
        return detail::plain_list_of(list);
    } else {
        static_assert(element_type<E>() != 0, "evpq: no array can be made of this element type");
        static_assert(!needs_elements<E>(), "evpq: an array within an array: use evpq_shaped()");
        room->clear();
        room->reserve(std::ranges::size(list));
        for (const auto &x : list)
            room->push_back(detail::arg_of(x, nullptr));
        return evpq_array_of(element_type<E>(), room->data(), room->size());
    }
}

template <class T> evpq_arg number_of(T x)
{
    static_assert(!is_letter<T>, "evpq: a char may be a letter or a number: say which");
    static_assert(is_real<T> || is_whole<T>, "evpq: PostgreSQL has no number of this type");
    if constexpr (std::is_same_v<T, bool>)
        return evpq_bool(x);
    else if constexpr (std::is_same_v<T, float>)
        return evpq_float(x);
    else if constexpr (std::is_same_v<T, double>)
        return evpq_double(x);
    else if constexpr (std::is_signed_v<T>)
        return evpq_int(x);
    else
        return evpq_uint(x);
}

template <class T> evpq_arg text_of(const T &x)
{
    if constexpr (std::is_convertible_v<const T &, const char *>) {
        return evpq_text(x);
    } else {
        std::string_view text = x;
        return evpq_textn(text.data() ? text.data() : "", text.size());
    }
}

/* A time's microseconds since its epoch are more than 64 bits hold: none of PostgreSQL's, either. */
template <class Time> bool is_beyond(const Time &x)
{
    using real = std::chrono::duration<long double, std::micro>;
    return x != Time::max() &&
           real(x.time_since_epoch()) >= real(static_cast<long double>(INT64_MAX));
}

/* C's count of them: max() is infinity, and min() -infinity. One before all that it can count becomes
 * the smallest, which the server refuses. */
template <class Time> std::int64_t stamp_of(const Time &x)
{
    using std::chrono::microseconds;
    using real = std::chrono::duration<long double, std::micro>;
    if (x == Time::max())
        return INT64_MAX;
    if (x == Time::min() || real(x.time_since_epoch()) <= real(static_cast<long double>(INT64_MIN)))
        return x == Time::min() ? INT64_MIN : INT64_MIN + 1;
    return std::chrono::floor<microseconds>(x.time_since_epoch()).count();
}

/* A text of the type `type` that the server refuses as out of its range. */
inline evpq_arg beyond(std::uint32_t type) noexcept
{
    return evpq_param(type, "294277-01-01");
}

/* C's count of days, likewise; the largest, too, is refused. */
inline std::int32_t date_of(std::chrono::sys_days x) noexcept
{
    if (x == std::chrono::sys_days::max())
        return INT32_MAX;
    if (x == std::chrono::sys_days::min())
        return INT32_MIN;
    std::int64_t n = x.time_since_epoch().count();
    return static_cast<std::int32_t>(n >= INT32_MAX   ? INT32_MAX - 1
                                     : n <= INT32_MIN ? INT32_MIN + 1
                                                      : n);
}

/* A zone that is too far away to be one stays so, and the server refuses it. */
inline std::int32_t zone_of(std::chrono::seconds east) noexcept
{
    std::int64_t n = east.count();
    return static_cast<std::int32_t>(n > INT32_MAX ? INT32_MAX : n < -INT32_MAX ? -INT32_MAX : n);
}

template <class T> evpq_arg arg_of(const T &x, elements *room)
{
    using std::chrono::microseconds;
    if constexpr (std::is_same_v<T, evpq_arg>)
        return x;
    else if constexpr (has_to_arg<T>)
        return to_arg(x);
    else if constexpr (std::is_same_v<T, std::nullptr_t> || std::is_same_v<T, std::nullopt_t>)
        return evpq_null();
    else if constexpr (is_optional<T>)
        return x ? detail::arg_of(*x, room) : evpq_null();
    else if constexpr (std::is_arithmetic_v<T>)
        return detail::number_of(x);
    else if constexpr (text_like<T>)
        return detail::text_of(x);
    else if constexpr (std::is_same_v<T, uuid>)
        return evpq_uuid(x.bytes.data());
    else if constexpr (std::is_same_v<T, macaddr>)
        return evpq_macaddr(x.bytes.data());
    else if constexpr (std::is_same_v<T, macaddr8>)
        return evpq_param_binary(774, x.bytes.data(), x.bytes.size());
    else if constexpr (std::is_same_v<T, microseconds>)
        return evpq_time(x.count());
    else if constexpr (std::is_same_v<T, timetz>)
        return evpq_timetz(x.time.count(), detail::zone_of(x.east));
    else if constexpr (std::is_same_v<T, evpq_interval>)
        return evpq_interval_of(&x);
    else if constexpr (std::is_same_v<T, evpq_inet>)
        return evpq_inet_of(&x);
    else if constexpr (std::is_same_v<T, std::chrono::sys_days>)
        return evpq_date(detail::date_of(x));
    else if constexpr (is_system_time<T>)
        return is_beyond(x) ? beyond(1184) : evpq_timestamptz(detail::stamp_of(x));
    else if constexpr (is_local_time<T>)
        return is_beyond(x) ? beyond(1114) : evpq_timestamp(detail::stamp_of(x));
    else if constexpr (list_like<T>)
        return detail::list_of(x, room);
    else
        static_assert(list_like<T>,
                      "evpq: no parameter can be made of this type: give it a to_arg()");
}

} // namespace detail

/* A parameter list: what EVPQ_ARGS makes in C. It converts to evpq_args, for the calls of the C
 * headers too, and borrows what it was made from. */
template <std::size_t N, std::size_t Lists> class arg_list
{
  public:
    template <class... T> explicit arg_list(const T &...x)
    {
        std::size_t list = 0, i = 0;
        (void)list, (void)i;
        ((args_[i++] = detail::arg_of(x, room_for<T>(list))), ...);
    }
    /* Moved, its parameters stay where they are; a copy's would be those of the first. */
    arg_list(const arg_list &) = delete;
    arg_list &operator=(const arg_list &) = delete;
    arg_list(arg_list &&) noexcept = default;
    arg_list &operator=(arg_list &&) noexcept = default;
    ~arg_list() = default;

    /* The same parameters, with the columns of the answer asked for in binary format. */
    arg_list &&binary() &&
    {
        format_ = 1;
        return std::move(*this);
    }

    operator evpq_args() const noexcept
    {
        evpq_args a;
        a.n = N;
        a.v = args_.data();
        a.result_format = format_;
        return a;
    }

  private:
    template <class T> detail::elements *room_for(std::size_t &list)
    {
        if constexpr (detail::needs_elements<T>())
            return &lists_[list++];
        else
            return nullptr;
    }

    std::array<evpq_arg, N> args_;
    std::array<detail::elements, Lists> lists_;
    int format_ = 0;
};

/* The parameters $1, $2, ...: args(42, "bob"). */
template <class... T> auto args(const T &...x)
{
    constexpr std::size_t lists = (std::size_t{0} + ... + detail::needs_elements<T>());
    return arg_list<sizeof...(T), lists>(x...);
}

namespace detail
{

template <class T> inline constexpr bool is_args = std::is_same_v<T, evpq_args>;
template <std::size_t N, std::size_t L> inline constexpr bool is_args<arg_list<N, L>> = true;

/* Calls f(evpq_args) with what a program has written behind the SQL: values, or a list of them. */
template <class F, class... T> decltype(auto) with_args(F &&f, const T &...x)
{
    if constexpr (sizeof...(T) == 1 && (is_args<T> && ...))
        return f((static_cast<evpq_args>(x), ...));
    else
        return f(static_cast<evpq_args>(evpq::args(x...)));
}

} // namespace detail

} // namespace evpq

#endif
