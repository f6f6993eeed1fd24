/* evpq/cpp/ask.hpp - statements for many rows, as pools, leases and transactions take them. */
#ifndef EVPQ_CPP_ASK_HPP
#define EVPQ_CPP_ASK_HPP

#include <evpq/cpp/combine.hpp>

namespace evpq
{

using stream_opts = detail::options<evpq_stream_opts>;
using txn_opts = detail::options<evpq_txn_opts>;

namespace detail
{

template <class T> inline constexpr bool is_tuple = false;
template <class... T> inline constexpr bool is_tuple<std::tuple<T...>> = true;

/* Rows of arguments from a range of tuples, or of single values. Borrows them. */
template <std::ranges::input_range Rows> class many_args
{
    using row_type = std::ranges::range_value_t<Rows>;

    static auto list_of_row(const row_type &row)
    {
        if constexpr (is_tuple<row_type>)
            return std::apply([](const auto &...x) { return args(x...); }, row);
        else
            return args(row);
    }
    using list = decltype(list_of_row(std::declval<const row_type &>()));

  public:
    explicit many_args(const Rows &rows)
    {
        lists_.reserve(static_cast<std::size_t>(std::ranges::distance(rows)));
        for (const row_type &row : rows)
            lists_.push_back(list_of_row(row));
        for (const list &one : lists_)
            rows_.push_back(one);
    }
    const evpq_args *data() const noexcept { return rows_.data(); }
    std::size_t size() const noexcept { return rows_.size(); }

  private:
    std::vector<list> lists_;
    std::vector<evpq_args> rows_;
};

/* The results of a batch, in order. */
inline expected<std::vector<result>> read_batch(const any_future &f)
{
    std::vector<result> results;
    results.reserve(evpq_future_count(f.get()));
    for (std::size_t i = 0; i < evpq_future_count(f.get()); i++)
        results.emplace_back(evpq_future_result(evpq_future_at(f.get(), i)));
    return results;
}

inline future<std::vector<result>> batch_of(evpq_future *f) noexcept
{
    return {f, read_batch};
}
inline future<std::int64_t> affected_of(evpq_future *f) noexcept
{
    return {f, read_affected};
}

/* Calls f(statements, n) with what sql() has made. */
template <class F, class... List> evpq_future *with_statements(F f, const statement<List> &...s)
{
    const evpq_statement v[] = {s...};
    return f(v, sizeof...(s));
}

} // namespace detail

} // namespace evpq

#endif
