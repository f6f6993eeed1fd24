/* evpq/cpp/read.hpp - one value of a result by its C++ type, for result.hpp. */
#ifndef EVPQ_CPP_READ_HPP
#define EVPQ_CPP_READ_HPP

#include <evpq/cpp/args.hpp>
#include <tuple>

namespace evpq
{

namespace detail
{

/* A value that is being read: a getter's fault is noticed after it, by whoever asks. */
struct cell {
    const evpq_result *r;
    int row;
    int column;
};

template <class T> inline constexpr bool is_vector = false;
template <class T> inline constexpr bool is_vector<std::vector<T>> = true;

using sys_microseconds = std::chrono::sys_time<std::chrono::microseconds>;
using local_microseconds = std::chrono::local_time<std::chrono::microseconds>;

/* Types that have no value for SQL NULL, though their getter has one. */
template <class T>
inline constexpr bool refuses_null =
    std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view> ||
    std::is_same_v<T, std::span<const std::byte>> || is_vector<T>;

/* Why a value cannot be read as was asked, where no getter says so. */
using misfit = std::optional<error>;

template <class T> T read_number(cell c) noexcept
{
    static_assert(is_real<T> || is_whole<T>, "evpq: no value is read as a number of this type");
    if constexpr (std::is_same_v<T, bool>)
        return evpq_result_bool(c.r, c.row, c.column);
    else if constexpr (std::is_same_v<T, float>)
        return evpq_result_float4(c.r, c.row, c.column);
    else if constexpr (std::is_same_v<T, double>)
        return evpq_result_float8(c.r, c.row, c.column);
    else if constexpr (std::is_signed_v<T> && sizeof(T) == 2)
        return evpq_result_int2(c.r, c.row, c.column);
    else if constexpr (std::is_signed_v<T> && sizeof(T) == 4)
        return evpq_result_int4(c.r, c.row, c.column);
    else if constexpr (std::is_signed_v<T> && sizeof(T) == 8)
        return evpq_result_int8(c.r, c.row, c.column);
    else if constexpr (sizeof(T) == 4)
        return evpq_result_oid(c.r, c.row, c.column);
    else
        static_assert(sizeof(T) == 0, "evpq: no getter gives this number: read std::int64_t");
}

template <class T> T read(cell c, misfit &why);
inline std::string place(cell c);

inline std::span<const std::byte> read_bytes(cell c) noexcept
{
    std::size_t n = 0;
    const void *at = evpq_result_bytes(c.r, c.row, c.column, &n);
    return {static_cast<const std::byte *>(at), n};
}

template <class T> std::vector<T> read_list(cell c, misfit &why)
{
    std::vector<T> list;
    const evpq_result *in = evpq_result_array(c.r, c.row, c.column);
    evpq_shape shape;
    if (in && evpq_result_shape(in, &shape) > 1) {
        if (!why)
            why.emplace(EVPQ_TYPE, detail::place(c) +
                                       " is an array of several dimensions: open it with array()");
        return list;
    }
    misfit inside;
    list.reserve(static_cast<std::size_t>(evpq_result_rows(in)));
    for (int i = 0; i < evpq_result_rows(in); i++)
        list.push_back(detail::read<T>({in, i, 0}, inside));
    if (inside && !why)
        why.emplace(EVPQ_TYPE, detail::place(c) + ", in the array: " + inside->what());
    return list;
}

template <class T> T read_value(cell c)
{
    if constexpr (std::is_same_v<T, uuid>) {
        uuid u;
        (void)evpq_result_uuid(c.r, c.row, c.column, u.bytes.data());
        return u;
    } else if constexpr (std::is_same_v<T, macaddr>) {
        macaddr a;
        (void)evpq_result_macaddr(c.r, c.row, c.column, a.bytes.data());
        return a;
    } else if constexpr (std::is_same_v<T, macaddr8>) {
        macaddr8 a;
        (void)evpq_result_macaddr8(c.r, c.row, c.column, a.bytes.data());
        return a;
    } else if constexpr (std::is_same_v<T, std::chrono::microseconds>) {
        return T(evpq_result_time(c.r, c.row, c.column));
    } else if constexpr (std::is_same_v<T, timetz>) {
        std::int32_t east = 0;
        std::chrono::microseconds time(evpq_result_timetz(c.r, c.row, c.column, &east));
        return timetz{time, std::chrono::seconds(east)};
    } else if constexpr (std::is_same_v<T, evpq_interval>) {
        evpq_interval i;
        (void)evpq_result_interval(c.r, c.row, c.column, &i);
        return i;
    } else if constexpr (std::is_same_v<T, evpq_inet>) {
        evpq_inet i;
        (void)evpq_result_inet(c.r, c.row, c.column, &i);
        return i;
    } else if constexpr (std::is_same_v<T, std::chrono::sys_days>) {
        std::int32_t n = evpq_result_date(c.r, c.row, c.column);
        return n == INT32_MAX ? T::max() : n == INT32_MIN ? T::min() : T(std::chrono::days(n));
    } else if constexpr (std::is_same_v<T, sys_microseconds>) {
        return T(std::chrono::microseconds(evpq_result_timestamptz(c.r, c.row, c.column)));
    } else if constexpr (std::is_same_v<T, local_microseconds>) {
        return T(std::chrono::microseconds(evpq_result_timestamp(c.r, c.row, c.column)));
    } else {
        static_assert(sizeof(T) == 0, "evpq: no value can be read as this type");
    }
}

template <class T> T read_any(cell c, misfit &why)
{
    if constexpr (is_optional<T>) {
        if (evpq_result_is_null(c.r, c.row, c.column))
            return std::nullopt;
        return T(detail::read<typename T::value_type>(c, why));
    } else if constexpr (std::is_same_v<T, std::vector<std::byte>>) {
        std::span<const std::byte> bytes = read_bytes(c);
        return T(bytes.begin(), bytes.end());
    } else if constexpr (is_vector<T>) {
        return read_list<typename T::value_type>(c, why);
    } else if constexpr (std::is_arithmetic_v<T>) {
        return read_number<T>(c);
    } else if constexpr (std::is_same_v<T, const char *>) {
        return evpq_result_text(c.r, c.row, c.column);
    } else if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, std::string>) {
        return T(view_of(evpq_result_text(c.r, c.row, c.column)));
    } else if constexpr (std::is_same_v<T, std::span<const std::byte>>) {
        return read_bytes(c);
    } else {
        return read_value<T>(c);
    }
}

inline std::string place(cell c)
{
    const char *name = evpq_result_column_name(c.r, c.column);
    return "row " + std::to_string(c.row) + ", column " + std::to_string(c.column) +
           (name ? " (" + std::string(name) + ")" : std::string());
}

/* Notes in `why` what has no value here though no getter calls it a fault. */
template <class T> void look_for_null(cell c, misfit &why)
{
    if constexpr (refuses_null<T>) {
        if (!why && evpq_result_is_null(c.r, c.row, c.column) && !evpq_result_fault(c.r))
            why.emplace(EVPQ_TYPE, place(c) + " is SQL NULL: read std::optional, or const char *");
    } else {
        (void)c, (void)why;
    }
}

template <class T> T read(cell c, misfit &why)
{
    look_for_null<T>(c, why);
    return detail::read_any<T>(c, why);
}

/* Takes the fault out of the result, so that the next one is noticed. */
inline std::optional<error> take_fault(const evpq_result *r)
{
    const evpq_error *fault = evpq_result_fault(r);
    if (!fault)
        return std::nullopt;
    error e(fault);
    evpq_result_fault_clear(r);
    return e;
}

template <class T> expected<T> try_read(cell c)
{
    evpq_result_fault_clear(c.r); /* of another call, which has not been asked for */
    misfit why;
    T value = detail::read<T>(c, why);
    if (misfit fault = take_fault(c.r))
        return *std::move(fault);
    if (why)
        return *std::move(why);
    return value;
}

template <class... T>
using row_of =
    std::conditional_t<sizeof...(T) == 1, std::tuple_element_t<0, std::tuple<T..., void>>,
                       std::tuple<T...>>;

template <class... T, std::size_t... I>
std::tuple<T...> read_all(const evpq_result *r, int row, misfit &why, std::index_sequence<I...>)
{
    return std::tuple<T...>{detail::read<T>({r, row, static_cast<int>(I)}, why)...};
}

template <class... T> expected<row_of<T...>> try_read_row(const evpq_result *r, int row)
{
    constexpr auto columns = std::index_sequence_for<T...>();
    if (evpq_result_columns(r) != static_cast<int>(sizeof...(T)))
        return error(EVPQ_TYPE, "the result has " + std::to_string(evpq_result_columns(r)) +
                                    " columns, and " + std::to_string(sizeof...(T)) + " are read");
    evpq_result_fault_clear(r);
    misfit why;
    std::tuple<T...> values = detail::read_all<T...>(r, row, why, columns);
    if (misfit fault = take_fault(r))
        return *std::move(fault);
    if (why)
        return *std::move(why);
    if constexpr (sizeof...(T) == 1)
        return std::get<0>(std::move(values));
    else
        return values;
}

} // namespace detail

} // namespace evpq

#endif
