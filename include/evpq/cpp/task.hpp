/* evpq/cpp/task.hpp - task<T>: a coroutine that awaits futures and other tasks.
 *
 * It is lazy: it begins when it is awaited, or from the loop when it was handed to run(), spawn()
 * or a group. So a task that is dropped has done nothing. When it has waited and ends, what awaits
 * it goes on in its place (symmetric transfer). A task that is destroyed while it waits cancels what
 * it waits for; its locals are destroyed as on a return.
 *
 * Stopping: run(), spawn() and group take a std::stop_token. Asked to stop, in the loop's thread,
 * a task's wait of the moment fails with EVPQ_CANCELED, once; asked from another thread, its next
 * one does. So a task may clean up, and wait for that. A wait for a group, a spawned task or
 * transact() hands the stop on, and lasts until they have ended.
 *
 * An exception ends the task and comes out of its co_await. Without exceptions a task returns an
 * expected<T>. Thread: the loop's. */
#ifndef EVPQ_CPP_TASK_HPP
#define EVPQ_CPP_TASK_HPP

#include <evpq/cpp/future.hpp>

namespace evpq
{

template <class T> class task;

namespace detail
{

class promise_base : public with_context
{
  public:
    std::suspend_always initial_suspend() const noexcept { return {}; }

    struct at_end {
        bool await_ready() const noexcept { return false; }
        template <class Promise>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept
        {
            promise_base &promise = self.promise();
            if (promise.awaits && !promise.starting)
                return promise.awaits;
            if (promise.owner && !resumption::note_end(promise.context, promise.owner))
                promise.owner->task_ends(); /* resumed by an awaitable of the program's */
            return std::noop_coroutine();
        }
        void await_resume() const noexcept {}
    };
    at_end final_suspend() const noexcept { return {}; }

    void unhandled_exception() noexcept
    {
#if EVPQ_CPP_EXCEPTIONS
        exception = std::current_exception();
#else
        std::terminate();
#endif
    }

    std::coroutine_handle<> awaits; /* what goes on when this has ended */
    task_owner *owner = nullptr;
    bool starting = false; /* by what awaits it, which is still on the stack */
#if EVPQ_CPP_EXCEPTIONS
    std::exception_ptr exception;
#endif
};

template <class T> class task_promise : public promise_base
{
  public:
    task<T> get_return_object() noexcept;
    template <class U = T>
    requires std::convertible_to<U &&, T>
    void return_value(U &&value) { value_.emplace(std::forward<U>(value)); }
    T take() { return std::move(*value_); }

  private:
    std::optional<T> value_;
};

template <> class task_promise<void> : public promise_base
{
  public:
    task<void> get_return_object() noexcept;
    void return_void() const noexcept {}
    void take() const noexcept {}
};

} // namespace detail

template <class T = void> class [[nodiscard]] task
{
  public:
    using promise_type = detail::task_promise<T>;
    using handle = std::coroutine_handle<promise_type>;
    using value_type = T;

    explicit task(handle h) noexcept : handle_(h) {}
    task(task &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    /* What this was is destroyed at once. */
    task &operator=(task &&other) noexcept
    {
        if (this != &other) {
            destroy(handle_);
            handle_ = std::exchange(other.handle_, nullptr);
        }
        return *this;
    }
    ~task() { destroy(handle_); }

    /* It has the task, which goes with what awaits it. */
    class waiter
    {
      public:
        explicit waiter(handle h) noexcept : child_(h) {}
        waiter(const waiter &) = delete;
        waiter &operator=(const waiter &) = delete;
        ~waiter() { destroy(child_); }
        bool await_ready() const noexcept { return !child_; }
        /* A task that ends before it waits goes back by returning: a loop over such tasks needs no
         * more stack, whether or not the compiler makes a transfer a tail call. */
        template <class Promise>
        bool await_suspend(std::coroutine_handle<Promise> parent) const noexcept
        {
            promise_type &promise = child_.promise();
            promise.awaits = parent;
            if constexpr (std::is_base_of_v<detail::with_context, Promise>)
                promise.context = parent.promise().context;
            promise.starting = true;
            child_.resume();
            promise.starting = false;
            return !child_.done();
        }
        T await_resume() const { return task::result_of(child_); }

      private:
        handle child_;
    };

    /* Awaited once: it runs, and gives what it returns. A task that was moved from or awaited before
     * is EVPQ_INVALID. */
    waiter operator co_await() &&noexcept { return waiter(std::exchange(handle_, nullptr)); }

#if EVPQ_CPP_EXCEPTIONS
    class try_waiter : public waiter
    {
      public:
        using waiter::waiter;
        typename detail::expecting<T>::type await_resume() const
        {
            try {
                if constexpr (std::is_void_v<T>)
                    return waiter::await_resume(), expected<void>();
                else
                    return waiter::await_resume();
            } catch (const error &e) {
                return e;
            }
        }
    };

    /* The same, with an evpq::error returned and not thrown. Other exceptions are thrown on. */
    try_waiter try_() &&noexcept
    {
        return try_waiter(std::exchange(handle_, nullptr));
    }
#endif

    /* For what starts tasks. */
    handle get() const noexcept
    {
        return handle_;
    }
    static T result_of(handle h)
    {
        if (!h) {
            error why(EVPQ_INVALID,
                      detail::literal{"the task was moved from, or has been awaited"});
            if constexpr (detail::is_expected<T>)
                return why;
            else
                detail::raise(why);
        }
#if EVPQ_CPP_EXCEPTIONS
        if (h.promise().exception)
            std::rethrow_exception(h.promise().exception);
#endif
        return h.promise().take();
    }

  private:
    static void destroy(handle h) noexcept
    {
        if (h)
            h.destroy();
    }

    handle handle_;
};

namespace detail
{

template <class T> task<T> task_promise<T>::get_return_object() noexcept
{
    return task<T>(std::coroutine_handle<task_promise>::from_promise(*this));
}

inline task<void> task_promise<void>::get_return_object() noexcept
{
    return task<void>(std::coroutine_handle<task_promise>::from_promise(*this));
}

} // namespace detail

} // namespace evpq

#endif
