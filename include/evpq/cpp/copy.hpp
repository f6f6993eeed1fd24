/* evpq/cpp/copy.hpp - COPY, both ways.
 *
 *     evpq::copy_in c = pool.copy_rows_in("measurement");
 *     for (const point &p : points)
 *         co_await c.row(p.at, p.value);
 *     evpq::result done = co_await c.finish();
 *
 * Both are move-only; destroyed before their end, the COPY is stopped: all of its rows, or none. */
#ifndef EVPQ_CPP_COPY_HPP
#define EVPQ_CPP_COPY_HPP

#include <evpq/cpp/ask.hpp>
#include <evpq/cpp/task.hpp>

namespace evpq
{

class copy_in
{
  public:
    /* Takes `c`. */
    explicit copy_in(evpq_copy *c) noexcept : c_(c) {}

    /* Taken, and copied. EVPQ_QUEUE_FULL: there is no room; await drain(), and try again. */
    expected<void> try_write(std::span<const std::byte> bytes) const
    {
        return taken(evpq_copy_write(get(), bytes.data(), bytes.size()));
    }
    expected<void> try_write(std::string_view text) const
    {
        return taken(evpq_copy_write(get(), text.data(), text.size()));
    }
    template <class... T> expected<void> try_row(const T &...x) const
    {
        return taken(
            detail::with_args([this](evpq_args a) { return evpq_copy_row(get(), a); }, x...));
    }

    /* Done when there is room. */
    future<void> drain() const noexcept { return detail::done_of(evpq_copy_drain(get())); }

#if EVPQ_CPP_EXCEPTIONS
    /* The same, and wait for room. This, and what `text` and views among the values show, is
     * borrowed until the task has ended: a copy_in that goes with the statement writes nothing. */
    task<> write(std::string_view text) const &
    {
        expected<void> went = try_write(text);
        while (no_room(went)) {
            co_await drain();
            went = try_write(text);
        }
        went.value();
    }
    task<> write(std::string_view text) const && = delete;
    template <class... T> task<> row(T... x) const &
    {
        expected<void> went = try_row(x...);
        while (no_room(went)) {
            co_await drain();
            went = try_row(x...);
        }
        went.value();
    }
    template <class... T> task<> row(T... x) const && = delete;
#endif

    /* There is no more: done with the COPY's result, whose affected() are the rows. */
    [[nodiscard]] future<result> finish() noexcept
    {
        return detail::result_of(evpq_copy_finish(c_.release()));
    }

    /* The server is told why, and undoes it. */
    void abort(const char *why = nullptr) noexcept
    {
        (void)evpq_copy_abort(c_.release(), why);
    }

    void close() noexcept
    {
        c_.reset();
    }
    evpq_copy *get() const noexcept
    {
        return c_.get();
    }

  private:
    static bool no_room(const expected<void> &went) noexcept
    {
        return !went && went.error().status() == EVPQ_QUEUE_FULL;
    }

    expected<void> taken(evpq_status status) const
    {
        if (status == EVPQ_OK)
            return {};
        const evpq_error *why = evpq_copy_error(get());
        if (!why && status == EVPQ_QUEUE_FULL)
            return error(status, detail::literal{"there is no room: await drain()"});
        return why ? error(why) : error(status);
    }

    detail::owned<evpq_copy, evpq_copy_close> c_;
};

/* A piece of what comes out: bytes, or rows of a query. It keeps them. */
class copied
{
  public:
    explicit copied(evpq_future *f) noexcept : f_(evpq_future_ref(f)) {}

    std::span<const std::byte> bytes() const noexcept
    {
        std::size_t n = 0;
        const void *at = evpq_future_bytes(f_.get(), &n);
        return {static_cast<const std::byte *>(at), n};
    }
    std::string_view text() const noexcept
    {
        return {reinterpret_cast<const char *>(bytes().data()), bytes().size()};
    }
    result_view rows() const noexcept { return result_view(evpq_future_result(f_.get())); }

    /* No bytes, no rows: then rows().affected() is how many there were. */
    bool at_end() const noexcept { return bytes().empty() && rows().empty(); }

  private:
    detail::future_ref f_;
};

class copy_out
{
  public:
    /* Takes `c`. */
    explicit copy_out(evpq_copy *c) noexcept : c_(c) {}

    [[nodiscard]] future<copied> read() const noexcept { return {evpq_copy_read(get()), give}; }
    void close() noexcept { c_.reset(); }
    evpq_copy *get() const noexcept { return c_.get(); }

  private:
    static expected<copied> give(const any_future &f) { return copied(f.get()); }

    detail::owned<evpq_copy, evpq_copy_close> c_;
};

namespace detail
{

/* Calls f(names, n) with the names of columns; none: all of the table's. */
template <class F> evpq_copy *with_columns(const std::vector<std::string> &columns, F f)
{
    std::vector<const char *> names;
    for (const std::string &name : columns)
        names.push_back(name.c_str());
    return f(names.empty() ? nullptr : names.data(), names.size());
}

} // namespace detail

} // namespace evpq

#endif
