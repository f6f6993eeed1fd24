/* evpq/cpp/stream.hpp - the rows of a statement as they come.
 *
 *     evpq::stream s = pool.stream("select id from customer");
 *     while (std::optional<evpq::result> rows = co_await s.next())
 *         for (auto id : rows->as<int>())
 *             ...
 */
#ifndef EVPQ_CPP_STREAM_HPP
#define EVPQ_CPP_STREAM_HPP

#include <evpq/cpp/ask.hpp>

namespace evpq
{

/* Move-only. Destroyed before its end, its statement is canceled. */
class stream
{
  public:
    /* Takes `s`. */
    explicit stream(evpq_stream *s) noexcept : s_(s) {}

    /* The next rows, one or more; nothing: there are no more. */
    [[nodiscard]] future<std::optional<result>> next() const noexcept
    {
        return {evpq_stream_next(get()), read};
    }

    /* Rows delivered so far. */
    std::int64_t rows() const noexcept { return evpq_stream_rows(get()); }

    /* After the end: columns, command and affected(). Borrowed while this is there. */
    result_view summary() const noexcept { return result_view(evpq_stream_summary(get())); }

    void close() noexcept { s_.reset(); }
    evpq_stream *get() const noexcept { return s_.get(); }

  private:
    static expected<std::optional<result>> read(const any_future &f)
    {
        const evpq_result *r = evpq_future_result(f.get());
        return r ? std::optional<result>(result(r)) : std::nullopt;
    }

    detail::owned<evpq_stream, evpq_stream_close> s_;
};

} // namespace evpq

#endif
