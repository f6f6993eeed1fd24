/* evpq/cpp/ask.hpp - statements for many rows, as pools, leases and transactions take them. */
#ifndef EVPQ_CPP_ASK_HPP
#define EVPQ_CPP_ASK_HPP

#include <evpq/cpp/combine.hpp>

namespace evpq
{

using stream_opts = detail::options<evpq_stream_opts>;
using txn_opts = detail::options<evpq_txn_opts>;

/* A statement with its parameters, for batches; it borrows both. */
template <class List> class statement
{
  public:
    statement(const char *sql, List list) : sql_(sql), list_(std::move(list)) {}
    operator evpq_statement() const noexcept
    {
        evpq_statement s;
        s.sql = sql_;
        s.args = list_;
        return s;
    }

  private:
    const char *sql_;
    List list_;
};

template <class... T> auto sql(const char *text, const T &...x)
{
    return statement(text, evpq::args(x...));
}

namespace detail
{

template <class T> inline constexpr bool is_tuple = false;
template <class... T> inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B> inline constexpr bool is_tuple<std::pair<A, B>> = true;

/* Rows of arguments from a range of tuples or pairs, or of single values. Borrows them where the
 * range has them; those that it makes as it goes are kept. */
template <class Rows>
requires std::ranges::forward_range<const Rows>
class many_args
{
    using row_type = std::ranges::range_value_t<const Rows>;
    using reference = std::ranges::range_reference_t<const Rows>;
    static constexpr bool has_them = std::is_lvalue_reference_v<reference> &&
                                     std::is_same_v<std::remove_cvref_t<reference>, row_type>;

    /* (A std::vector<bool> would have no bool to refer to.) */
    struct kept {
        row_type row;
    };

    static auto list_of_row(const row_type &row)
    {
        if constexpr (is_tuple<row_type>)
            return std::apply([](const auto &...x) { return evpq::args(x...); }, row);
        else
            return evpq::args(row);
    }
    using list = decltype(list_of_row(std::declval<const row_type &>()));

  public:
    explicit many_args(const Rows &rows)
    {
        auto n = static_cast<std::size_t>(std::ranges::distance(rows));
        lists_.reserve(n);
        rows_.reserve(n);
        if constexpr (has_them) {
            for (const row_type &row : rows)
                lists_.push_back(list_of_row(row));
        } else {
            made_.reserve(n);
            for (auto &&row : rows)
                made_.push_back(kept{row_type(std::forward<decltype(row)>(row))});
            for (const kept &one : made_)
                lists_.push_back(list_of_row(one.row));
        }
        for (const list &one : lists_)
            rows_.push_back(one);
    }
    const evpq_args *data() const noexcept { return rows_.data(); }
    std::size_t size() const noexcept { return rows_.size(); }

  private:
    std::vector<kept> made_;
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
