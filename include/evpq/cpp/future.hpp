/* evpq/cpp/future.hpp - futures that know what they give.
 *
 * A future<T> shares an evpq_future: copies are references to the same answer. In a coroutine
 * `co_await f` gives the T or throws; `co_await f.try_()` gives an expected<T>. The coroutine goes
 * on from the loop, never from within a call of evpq. A coroutine that is destroyed while it waits
 * cancels what it waits for, for all who wait for that (shield() keeps it from harm). One that
 * awaits only what has settled is never set aside: co_await sleep(loop, 0s) lets others run.
 * Elsewhere f.await() runs the loop, as evpq_await does. Thread: the loop's. */
#ifndef EVPQ_CPP_FUTURE_HPP
#define EVPQ_CPP_FUTURE_HPP

#include <evpq/cpp/result.hpp>
#include <evpq/cpp/wait.hpp>

namespace evpq
{

namespace detail
{

/* ---- what a future gives ---- */

/* The failure that an evpq_error stands for, where it was one of this program's: the exception that
 * ended a task. */
struct origin {
#if EVPQ_CPP_EXCEPTIONS
    std::exception_ptr exception;
#endif
    std::optional<error> failure; /* where that is an evpq::error, or derived from it */
};

/* How a C future tells of it. */
inline error error_of(const origin &from) noexcept
{
    if (from.failure)
        return *from.failure;
#if EVPQ_CPP_EXCEPTIONS
    try {
        std::rethrow_exception(from.exception);
    } catch (const std::exception &e) {
        try {
            return error(EVPQ_INVALID, e.what());
        } catch (...) {
        }
    } catch (...) {
    }
#endif
    return error(EVPQ_INVALID);
}

} // namespace detail

template <class T> class future;

/* What futures of all types can do. */
class any_future
{
  public:
    bool settled() const noexcept { return status() != EVPQ_PENDING; }
    evpq_status status() const noexcept { return evpq_future_status(f_.get()); }

    /* Fails it with EVPQ_CANCELED now, and stops what is behind it. */
    void cancel() const noexcept { evpq_future_cancel(f_.get()); }

    /* Runs the loop until it has settled (in a task of task.h: sets that aside). */
    evpq_status wait() const noexcept { return evpq_await(f_.get()); }

    /* Borrowed while this is there. */
    evpq_future *get() const noexcept { return f_.get(); }

    detail::beside *beside() const noexcept { return beside_.get(); }
    std::shared_ptr<detail::beside> share_beside() const noexcept { return beside_; }

    /* Why it has failed; an exception of the program's is EVPQ_INVALID with its text. */
    error failure() const noexcept
    {
        const evpq_error *e = evpq_future_error(get());
        const detail::origin *from = origin();
        if (from)
            return detail::error_of(*from);
        return e ? error(e) : error(status());
    }

  protected:
    any_future() noexcept = default;
    any_future(evpq_future *f, std::shared_ptr<detail::beside> beside) noexcept
        : f_(f), beside_(std::move(beside))
    {
    }

    /* Why it has failed. An exception of the program's that is no evpq::error is thrown on. */
    error why() const
    {
#if EVPQ_CPP_EXCEPTIONS
        const detail::origin *from = origin();
        if (from && from->exception && !from->failure)
            std::rethrow_exception(from->exception);
#endif
        return failure();
    }

    /* Throws on what a task has thrown, as it was. */
    void throw_on() const
    {
#if EVPQ_CPP_EXCEPTIONS
        const detail::origin *from = origin();
        if (from && from->exception)
            std::rethrow_exception(from->exception);
#endif
    }

  private:
    const detail::origin *origin() const noexcept
    {
        const evpq_error *e = evpq_future_error(get());
        return e && beside_ ? beside_->origin_of(e) : nullptr;
    }

    detail::future_ref f_;
    std::shared_ptr<detail::beside> beside_;
};

/* An answer that is not there yet, and becomes a T. */
template <class T> class future : public any_future
{
  public:
    /* How the T is read out of a done future. */
    using reader = expected<T> (*)(const any_future &);
    using value_type = T;

    /* Takes `f`. */
    future(evpq_future *f, reader read, std::shared_ptr<detail::beside> beside = nullptr) noexcept
        : any_future(f, std::move(beside)), read_(read)
    {
    }

    /* What it has come to. EVPQ_PENDING: nothing yet. */
    expected<T> try_value() const
    {
        return status() == EVPQ_OK ? read_(*this) : expected<T>(why());
    }
    T value() const
    {
        throw_on();
        return try_value().value();
    }

    /* wait(), then value(). */
    T await() const
    {
        evpq_status status = wait();
        return settled() ? value() : expected<T>(error(status)).value();
    }
    expected<T> try_await() const
    {
        evpq_status status = wait();
        return settled() ? try_value() : expected<T>(error(status));
    }

    /* ---- in a coroutine ---- */

    class try_waiter : public detail::wait
    {
      public:
        explicit try_waiter(future f) noexcept : wait(f.get(), f.beside()), future_(std::move(f)) {}
        expected<T> await_resume() const
        {
            return failed() == EVPQ_OK ? future_.try_value() : expected<T>(error(failed()));
        }

      protected:
        void throw_on() const { future_.throw_on(); }

      private:
        future future_;
    };

    try_waiter try_() const noexcept { return try_waiter(*this); }

#if EVPQ_CPP_EXCEPTIONS
    class waiter : public try_waiter
    {
      public:
        using try_waiter::try_waiter;
        T await_resume() const
        {
            try_waiter::throw_on();
            return try_waiter::await_resume().value();
        }
    };

    waiter operator co_await() const noexcept
    {
        return waiter(*this);
    }
#endif

    /* ---- other futures of it: each is one more, and this stays ---- */

    /* Fails with EVPQ_TIMEOUT, and cancels this, if it has not settled by then. */
    future timeout(seconds limit) const
    {
        return over(evpq_timeout(evpq_future_ref(get()), limit.count()));
    }
    /* Canceling the new one leaves this running. */
    future shield() const
    {
        return over(evpq_shield(evpq_future_ref(get())));
    }
    /* Canceled when `token` is asked to stop, which has to be in the loop's thread. */
    future stop_on(std::stop_token token) const;

  private:
    struct around; /* a future over one */
    future over(evpq_future *f, std::optional<std::stop_token> token = std::nullopt) const;

    reader read_;
};

template <class T> struct future<T>::around : detail::beside {
    explicit around(const future &of) : inner(of) {}
    const detail::origin *origin_of(const evpq_error *e) const noexcept override
    {
        return inner.beside() ? inner.beside()->origin_of(e) : nullptr;
    }
    static expected<T> read(const any_future &f)
    {
        return static_cast<const around *>(f.beside())->inner.try_value();
    }

    struct cancel_it {
        detail::future_ref f;
        void operator()() const noexcept { evpq_future_cancel(f.get()); }
    };
    future inner;
    std::optional<std::stop_callback<cancel_it>> on_stop;
};

template <class T>
future<T> future<T>::over(evpq_future *f, std::optional<std::stop_token> token) const
{
    auto made = std::make_shared<around>(*this);
    if (token)
        made->on_stop.emplace(*std::move(token),
                              typename around::cancel_it{detail::future_ref(evpq_future_ref(f))});
    return future(f, around::read, std::move(made));
}

template <class T> future<T> future<T>::stop_on(std::stop_token token) const
{
    return over(evpq_future_ref(get()), std::move(token));
}

namespace detail
{

inline expected<void> read_nothing(const any_future &)
{
    return {};
}
inline expected<result> read_result(const any_future &f)
{
    return result(evpq_future_result(f.get()));
}
inline expected<std::int64_t> read_affected(const any_future &f)
{
    return evpq_future_affected(f.get());
}

inline future<void> done_of(evpq_future *f) noexcept
{
    return {f, read_nothing};
}
inline future<result> result_of(evpq_future *f) noexcept
{
    return {f, read_result};
}

/* A value of the program's in a C future. */
template <class T> struct box {
    T value;
    static void free(void *p) noexcept { delete static_cast<box *>(p); }
};

/* Copies it for each who reads, where it can be copied: it is shared. Else the first has it. */
template <class T> expected<T> read_box(const any_future &f)
{
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        auto *in = static_cast<box<T> *>(evpq_future_value(f.get()));
        if constexpr (std::is_copy_constructible_v<T>)
            return in->value;
        else
            return std::move(in->value);
    }
}

} // namespace detail

/* Done after so long. */
inline future<void> sleep(const loop &on, seconds time) noexcept
{
    return detail::done_of(evpq_sleep(on.get(), time.count()));
}

/* A future that has settled already. */
inline future<void> ready(const loop &on) noexcept
{
    return detail::done_of(evpq_future_ok(on.get(), nullptr, nullptr));
}

/* ---- a program's own ---- */

/* The side that settles a future: what is not SQL, behind the same interface. Move-only. One that
 * is dropped unsettled leaves a failure, EVPQ_CANCELED. */
template <class T> class promise
{
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  public:
    /* `on_cancel` (C's, may be NULL) is called as evpq_future_new says. It must not throw. */
    explicit promise(const loop &on, void (*on_cancel)(evpq_future *, void *) noexcept = nullptr,
                     void *arg = nullptr)
        : f_(evpq_future_new(on.get(), on_cancel, arg))
    {
    }
    promise(promise &&) noexcept = default;
    /* What this was is dropped at once. */
    promise &operator=(promise &&other) noexcept
    {
        if (this != &other) {
            drop();
            f_ = std::move(other.f_);
        }
        return *this;
    }
    ~promise() { drop(); }

    future<T> get_future() const noexcept
    {
        return {evpq_future_ref(f_.get()), detail::read_box<T>};
    }

    /* False when it had settled before, as when it was canceled. */
    [[nodiscard]] bool set(stored value = {})
    {
        if constexpr (std::is_void_v<T>)
            return evpq_future_set_value(f_.get(), nullptr, nullptr);
        auto made = std::make_unique<detail::box<stored>>(detail::box<stored>{std::move(value)});
        if (!evpq_future_set_value(f_.get(), made.get(), detail::box<stored>::free))
            return false;
        (void)made.release();
        return true;
    }
    [[nodiscard]] bool fail(const error &e) noexcept
    {
        return evpq_future_set_error(f_.get(), e.status(), "%s", e.what());
    }

  private:
    void drop() noexcept
    {
        if (f_.get())
            (void)fail(error(EVPQ_CANCELED, detail::literal{"the promise was dropped"}));
        f_.reset();
    }

    detail::future_ref f_;
};

} // namespace evpq

#endif
