/* evpq/cpp/result.hpp - rows, and typed reading of them.
 *
 *     for (auto row : r) {
 *         auto [id, name] = row.as<int, std::optional<std::string_view>>();
 *         ...
 *     }
 *     for (auto [id, name] : r.as<int, std::string_view>())
 *     std::int64_t n = r[0]["count"].as<std::int64_t>();
 *
 * Read as: bool, std::int16_t, std::int32_t, std::int64_t, std::uint32_t (an oid), float, double;
 * std::string, std::string_view and const char * (the text of any type); std::span<const std::byte>
 * and std::vector<std::byte> (bytea); uuid, macaddr, macaddr8, evpq_interval, evpq_inet; sys_days
 * (date), sys_time<microseconds> (timestamptz), local_time<microseconds> (timestamp), microseconds
 * (time), timetz; std::vector<T> (an array); and std::optional<T> where SQL NULL may come. What
 * cannot be read so is an error with EVPQ_TYPE: as() throws it, try_as() returns it.
 *
 * A view (string_view, span, const char *) is borrowed until the last copy of the result goes.
 * Thread: the loop's. */
#ifndef EVPQ_CPP_RESULT_HPP
#define EVPQ_CPP_RESULT_HPP

#include <evpq/cpp/read.hpp>
#include <iterator>

namespace evpq
{

class result;
class result_view;

/* One value; borrows the result. */
class value
{
  public:
    explicit value(detail::cell cell) noexcept : cell_(cell) {}

    bool is_null() const noexcept { return evpq_result_is_null(cell_.r, cell_.row, cell_.column); }
    template <class T> expected<T> try_as() const { return detail::try_read<T>(cell_); }
    template <class T> T as() const { return try_as<T>().value(); }

    /* value * 10^scale, where that is whole. */
    expected<std::int64_t> try_scaled(int scale) const
    {
        evpq_result_fault_clear(cell_.r);
        std::int64_t n = evpq_result_scaled(cell_.r, cell_.row, cell_.column, scale);
        if (std::optional<error> why = detail::take_fault(cell_.r))
            return *std::move(why);
        return n;
    }
    std::int64_t scaled(int scale) const { return try_scaled(scale).value(); }

    /* What the server sent, in the column's format. */
    std::span<const std::byte> raw() const noexcept
    {
        std::size_t n = 0;
        const void *at = evpq_result_raw(cell_.r, cell_.row, cell_.column, &n);
        return {static_cast<const std::byte *>(at), n};
    }
    std::size_t length() const noexcept
    {
        return evpq_result_length(cell_.r, cell_.row, cell_.column);
    }

    /* What is inside (nested.h); empty for SQL NULL, and for what cannot be opened. That is a fault
     * (evpq_result_fault), which the next value that is read by its type clears. */
    inline result_view array() const noexcept;
    inline result_view record() const noexcept;
    inline result_view range(std::uint32_t bound_type = 0) const noexcept;

    /* For the getters of result.h that are not above. */
    detail::cell cell() const noexcept { return cell_; }

  private:
    detail::cell cell_;
};

/* One row; borrows the result. */
class row
{
  public:
    row(const evpq_result *r, int n) noexcept : r_(r), row_(n) {}

    value operator[](int column) const noexcept { return value({r_, row_, column}); }
    value operator[](const char *name) const noexcept
    {
        return value({r_, row_, evpq_result_column_index(r_, name)});
    }
    int size() const noexcept { return evpq_result_columns(r_); }
    int index() const noexcept { return row_; }

    /* All columns, as many as there are types: one is itself, several are a tuple. */
    template <class... T> expected<detail::row_of<T...>> try_as() const
    {
        return detail::try_read_row<T...>(r_, row_);
    }
    template <class... T> detail::row_of<T...> as() const { return try_as<T...>().value(); }

    /* EVPQ_SCAN: all columns into variables. False, and none is touched, where one does not fit. */
    template <class... T> [[nodiscard]] bool scan(T &...x) const
    {
        expected<std::tuple<T...>> all = [&]() -> expected<std::tuple<T...>> {
            if constexpr (sizeof...(T) == 1) {
                auto one = try_as<T...>();
                if (!one)
                    return one.error();
                return std::tuple<T...>(*std::move(one));
            } else {
                return try_as<T...>();
            }
        }();
        if (all)
            std::tie(x...) = *std::move(all);
        return all.has_value();
    }

  private:
    const evpq_result *r_;
    int row_;
};

namespace detail
{

/* Random access to what Make(result, row) gives. */
template <class V, V (*Make)(const evpq_result *, int)> class rows
{
  public:
    class iterator
    {
      public:
        using iterator_concept = std::random_access_iterator_tag;
        using iterator_category = std::input_iterator_tag;
        using value_type = V;
        using difference_type = int;
        using pointer = void;
        using reference = V;

        iterator() noexcept = default;
        iterator(const evpq_result *r, int row) noexcept : r_(r), row_(row) {}
        V operator*() const { return Make(r_, row_); }
        V operator[](int n) const { return Make(r_, row_ + n); }
        iterator &operator++() noexcept { return *this += 1; }
        iterator &operator--() noexcept { return *this += -1; }
        iterator operator++(int) noexcept { return {r_, row_++}; }
        iterator operator--(int) noexcept { return {r_, row_--}; }
        iterator &operator+=(int n) noexcept
        {
            row_ += n;
            return *this;
        }
        iterator &operator-=(int n) noexcept { return *this += -n; }
        friend iterator operator+(iterator i, int n) noexcept { return i += n; }
        friend iterator operator+(int n, iterator i) noexcept { return i += n; }
        friend iterator operator-(iterator i, int n) noexcept { return i -= n; }
        friend int operator-(iterator a, iterator b) noexcept { return a.row_ - b.row_; }
        friend bool operator==(iterator a, iterator b) noexcept { return a.row_ == b.row_; }
        friend auto operator<=>(iterator a, iterator b) noexcept { return a.row_ <=> b.row_; }

      private:
        const evpq_result *r_ = nullptr;
        int row_ = 0;
    };

    explicit rows(const evpq_result *r) noexcept : r_(r) {}
    iterator begin() const noexcept { return {r_, 0}; }
    iterator end() const noexcept { return {r_, evpq_result_rows(r_)}; }
    int size() const noexcept { return evpq_result_rows(r_); }

  private:
    const evpq_result *r_;
};

inline row make_row(const evpq_result *r, int n) noexcept
{
    return {r, n};
}
template <class... T> row_of<T...> make_typed(const evpq_result *r, int n)
{
    return row(r, n).as<T...>();
}

} // namespace detail

/* The rows of a result, borrowed. */
class result_view
{
  public:
    result_view() noexcept = default;
    explicit result_view(const evpq_result *r) noexcept : r_(r) {}
    result_view(const result_view &) noexcept = default;
    result_view &operator=(const result_view &) noexcept = default;
    /* A result that goes with the statement leaves no rows to view. */
    result_view(const result &&) = delete;
    result_view &operator=(const result &&) = delete;

    int size() const noexcept { return evpq_result_rows(r_); }
    bool empty() const noexcept { return size() == 0; }
    int columns() const noexcept { return evpq_result_columns(r_); }
    row operator[](int n) const noexcept { return {r_, n}; }
    auto begin() const noexcept { return all().begin(); }
    auto end() const noexcept { return all().end(); }

    /* The rows, each read as row::as() reads it when it is come to. */
    template <class... T> auto as() const noexcept
    {
        return detail::rows<detail::row_of<T...>, detail::make_typed<T...>>(r_);
    }

    std::string_view command() const noexcept { return evpq_result_command(r_); }
    std::int64_t affected() const noexcept { return evpq_result_affected(r_); }

    /* Empty, -1, 0 and 0 where there is no such column. */
    std::string_view column_name(int column) const noexcept
    {
        return detail::view_of(evpq_result_column_name(r_, column));
    }
    int column_index(const char *name) const noexcept { return evpq_result_column_index(r_, name); }
    std::uint32_t column_type(int column) const noexcept
    {
        return evpq_result_column_type(r_, column);
    }
    int column_format(int column) const noexcept { return evpq_result_column_format(r_, column); }

    /* Of what value::array() has opened. */
    evpq_shape shape() const noexcept
    {
        evpq_shape shape{};
        (void)evpq_result_shape(r_, &shape);
        return shape;
    }
    /* Of what value::range() has opened: bits of evpq_range_flags. */
    unsigned range_flags(int n = 0) const noexcept { return evpq_result_range_flags(r_, n); }

    /* Borrowed as this is. */
    const evpq_result *get() const noexcept { return r_; }

  protected:
    void swap(result_view &other) noexcept { std::swap(r_, other.r_); }

  private:
    detail::rows<row, detail::make_row> all() const noexcept
    {
        return detail::rows<row, detail::make_row>(r_);
    }

    const evpq_result *r_ = nullptr;
};

inline result_view value::array() const noexcept
{
    return result_view(evpq_result_array(cell_.r, cell_.row, cell_.column));
}

inline result_view value::record() const noexcept
{
    return result_view(evpq_result_record(cell_.r, cell_.row, cell_.column));
}

inline result_view value::range(std::uint32_t bound_type) const noexcept
{
    return result_view(evpq_result_range(cell_.r, cell_.row, cell_.column, bound_type));
}

namespace detail
{
template <class Rows, class Whole> class kept_rows;
}

/* What a statement gave. Copies share it; one that was moved from is empty. */
class result : public result_view
{
  public:
    result() noexcept = default;
    /* One reference more to `r`. */
    explicit result(const evpq_result *r) noexcept
        : result_view(r), kept_(r ? evpq_result_ref(r) : nullptr)
    {
    }
    result(const result &) noexcept = default;
    result(result &&other) noexcept { swap(other); }
    result &operator=(result other) noexcept
    {
        swap(other);
        return *this;
    }
    ~result() = default;

    void swap(result &other) noexcept
    {
        result_view::swap(other);
        std::swap(kept_, other.kept_);
    }

    /* As that of a view; of a result that goes, the rows keep it. */
    template <class... T> auto as() const &noexcept { return result_view::as<T...>(); }
    template <class... T> auto as() &&noexcept;

  private:
    static evpq_result *ref(evpq_result *r) noexcept { return evpq_result_ref(r); }
    detail::counted<evpq_result, ref, evpq_result_unref> kept_;
};

namespace detail
{

/* Rows that keep what they are rows of. */
template <class Rows, class Whole> class kept_rows
{
  public:
    kept_rows(Rows rows, Whole whole) noexcept : rows_(rows), whole_(std::move(whole)) {}
    auto begin() const noexcept { return rows_.begin(); }
    auto end() const noexcept { return rows_.end(); }
    int size() const noexcept { return rows_.size(); }

  private:
    Rows rows_;
    Whole whole_;
};

} // namespace detail

template <class... T> auto result::as() &&noexcept
{
    auto rows = result_view::as<T...>();
    return detail::kept_rows<decltype(rows), result>(rows, std::move(*this));
}

/* EVPQ_SCAN by its C++ name: row n of `r` into variables; false where one did not fit. */
template <class... T> [[nodiscard]] bool scan(const result_view &r, int n, T &...x)
{
    return r[n].scan(x...);
}

} // namespace evpq

#endif
