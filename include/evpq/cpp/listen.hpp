/* evpq/cpp/listen.hpp - LISTEN and NOTIFY.
 *
 *     evpq::listener listener(loop, "");
 *     evpq::subscription jobs = listener.subscribe("jobs");
 *     evpq::notification n = co_await jobs.next();
 *     if (n.event() == EVPQ_EVENT_NOTIFY)
 *         ... n.payload() ...
 *
 * A catch-up function in the options is C's: it must not throw. Thread: the loop's. */
#ifndef EVPQ_CPP_LISTEN_HPP
#define EVPQ_CPP_LISTEN_HPP

#include <evpq/cpp/future.hpp>

namespace evpq
{

using listener_opts = detail::options<evpq_listener_opts>;
using subscription_opts = detail::options<evpq_subscription_opts>;

/* One event; it keeps what it shows. */
class notification
{
  public:
    /* Of a future that is done with one. */
    explicit notification(evpq_future *f) noexcept
        : f_(evpq_future_ref(f)), n_(evpq_future_notification(f))
    {
    }
    notification(const notification &) noexcept = default;
    /* What was moved from shows nothing. */
    notification(notification &&other) noexcept
        : f_(std::move(other.f_)), n_(std::exchange(other.n_, nullptr))
    {
    }
    notification &operator=(notification other) noexcept
    {
        std::swap(f_, other.f_);
        std::swap(n_, other.n_);
        return *this;
    }
    ~notification() = default;

    evpq_event event() const noexcept { return evpq_notification_event(n_); }
    std::uint64_t epoch() const noexcept { return evpq_notification_epoch(n_); }
    std::string_view channel() const noexcept { return evpq_notification_channel(n_); }
    std::string_view payload() const noexcept { return evpq_notification_payload(n_); }
    int backend_pid() const noexcept { return evpq_notification_backend_pid(n_); }
    bool reconnected() const noexcept { return evpq_notification_reconnected(n_); }
    std::uint64_t dropped() const noexcept { return evpq_notification_dropped(n_); }
    /* Of a CATCH_UP: what catch_up's future gave; it throws as that failed. */
    result caught_up() const
    {
        const evpq_future *f = evpq_notification_caught_up(n_);
        if (f && evpq_future_error(f))
            detail::raise(error(evpq_future_error(f)));
        return f ? result(evpq_future_result(f)) : result();
    }

  private:
    detail::future_ref f_;
    const evpq_notification *n_;
};

/* Copies are the same reader: each event goes to one of them. */
class subscription
{
  public:
    /* Takes `s`. */
    explicit subscription(evpq_subscription *s) noexcept : s_(s) {}

    /* Done when LISTEN is in force. */
    future<void> ready() const noexcept { return detail::done_of(evpq_subscription_ready(get())); }
    [[nodiscard]] future<notification> next() const noexcept
    {
        return {evpq_subscription_next(get()), read};
    }
    evpq_subscription *get() const noexcept { return s_.get(); }

  private:
    static expected<notification> read(const any_future &f) { return notification(f.get()); }

    detail::counted<evpq_subscription, evpq_subscription_ref, evpq_subscription_unref> s_;
};

/* Copies are the same listener; it closes when the last is gone. */
class listener
{
  public:
    listener(const loop &on, detail::c_text conninfo, const listener_opts &opts = {})
        : listener(try_open(on, conninfo, opts).value())
    {
    }
    static expected<listener> try_open(const loop &on, detail::c_text conninfo,
                                       const listener_opts &opts = {})
    {
        if (!conninfo.whole())
            return detail::c_text::cut();
        evpq_error *why = nullptr;
        evpq_listener *l = evpq_listener_open(on.get(), conninfo.get(), &opts, &why);
        if (l)
            return listener(l);
        detail::error_ref held(why);
        return error(why);
    }

    expected<subscription> try_subscribe(detail::c_text channel,
                                         const subscription_opts &opts = {}) const
    {
        if (!channel.whole())
            return detail::c_text::cut();
        evpq_error *why = nullptr;
        evpq_subscription *s = evpq_listener_subscribe(get(), channel.get(), &opts, &why);
        if (s)
            return subscription(s);
        detail::error_ref held(why);
        return error(why);
    }
    subscription subscribe(detail::c_text channel, const subscription_opts &opts = {}) const
    {
        return try_subscribe(channel, opts).value();
    }

    template <class... T> future<result> query(detail::c_text sql, const T &...x) const
    {
        return detail::result_of(detail::with_args(
            [&](evpq_args a) { return evpq_listener_query(get(), sql.get(), a); }, x...));
    }
    future<void> close() const noexcept { return detail::done_of(evpq_listener_close(get())); }
    int backend_pid() const noexcept { return evpq_listener_backend_pid(get()); }
    evpq_listener *get() const noexcept { return l_.get(); }

  private:
    explicit listener(evpq_listener *l) noexcept : l_(l) {}

    detail::counted<evpq_listener, evpq_listener_ref, evpq_listener_unref> l_;
};

} // namespace evpq

#endif
