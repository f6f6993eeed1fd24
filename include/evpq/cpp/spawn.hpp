/* evpq/cpp/spawn.hpp - tasks that run by themselves, and the futures that they settle.
 *
 * An exception that ends such a task comes out where its future is awaited; to C, and through what
 * C makes of the future, it is a failure with EVPQ_INVALID and the exception's text. */
#ifndef EVPQ_CPP_SPAWN_HPP
#define EVPQ_CPP_SPAWN_HPP

#include <cstdio>
#include <evpq/cpp/task.hpp>

namespace evpq
{

namespace detail
{

/* Freed by whoever holds it last: C callbacks may come after the end of what they are about. */
class held
{
  public:
    held() noexcept = default;
    held(const held &) = delete;
    held &operator=(const held &) = delete;
    void hold() noexcept { holders_++; }
    void let_go() noexcept
    {
        if (--holders_ == 0)
            delete this;
    }
    /* Its future was canceled. */
    virtual void canceled() noexcept = 0;

  protected:
    virtual ~held() = default;

  private:
    int holders_ = 1;
};

/* The future of something held, which is held until it is certain that nobody cancels that. */
class outlet
{
  public:
    outlet(evpq_loop *loop, held *whose) noexcept
        : f_(evpq_future_new(loop, on_cancel, whose)), whose_(whose)
    {
        if (evpq_future_status(f_.get()) == EVPQ_PENDING)
            whose->hold();
    }

    evpq_future *get() const noexcept { return f_.get(); }

    /* False when it had settled, and the value is still the caller's. */
    bool set(void *value, void (*free_value)(void *)) const noexcept
    {
        return settled(evpq_future_set_value(f_.get(), value, free_value));
    }
    bool fail(const error &e) const noexcept
    {
        evpq_status status = e.status();
        if (status == EVPQ_OK || status == EVPQ_PENDING)
            status = EVPQ_INVALID;
        return settled(evpq_future_set_error(f_.get(), status, "%s", e.what()));
    }

  private:
    bool settled(bool now) const noexcept
    {
        if (now)
            whose_->let_go();
        return now;
    }

    static void on_cancel(evpq_future *, void *arg) noexcept
    {
        held *whose = static_cast<held *>(arg);
        whose->canceled();
        whose->let_go();
    }

    future_ref f_;
    held *whose_;
};

/* What can be asked to stop, and ends in its own time. */
struct stoppable {
    virtual void ask_to_stop() noexcept = 0;

  protected:
    ~stoppable() = default;
};

/* Where the failure of a task comes from, beside its future. */
struct told : beside {
    bool ask_to_stop() noexcept override
    {
        stoppable *whose = behind;
        if (whose)
            whose->ask_to_stop(); /* may end it, and this */
        return whose;
    }
    const origin *origin_of(const evpq_error *e) const noexcept override
    {
        return e && e == id.get() ? &from : nullptr;
    }
    origin from;
    error_ref id;
    stoppable *behind = nullptr; /* until it has ended */
};

class running;

/* Who is told of the end of a task it has started. */
struct running_owner {
    virtual void ended(running *which, const origin *failure) noexcept = 0;
    /* Its future was; called before those who wait for that. */
    virtual void was_canceled() noexcept {}

  protected:
    ~running_owner() = default;
};

/* A task that was started. */
class running : public held, public task_owner, public stoppable
{
  public:
    running(evpq_loop *loop, running_owner *owner)
        : told_(std::make_shared<told>()), loop_(loop), owner_(owner), out_(loop, this)
    {
        told_->behind = this;
    }

    /* Begins from the loop, later. */
    void begin_later() noexcept
    {
        if (!later(begin))
            give_up(error(EVPQ_NOMEM));
    }

    /* Not here: the frame is in use until this has returned. (Without memory it has to be.) */
    void task_ends() noexcept override
    {
        if (!later(end))
            task_ended();
    }

    /* Destroys the coroutine, at once. Its future fails with `e`. A coroutine that runs cannot be
     * destroyed: that ends the program. */
    void give_up(const error &e) noexcept
    {
        if (!over_ && resumption::runs(&context_)) {
            std::fputs("evpq: a task has destroyed its own group, or what else it runs in\n",
                       stderr);
            std::terminate();
        }
        origin from;
        from.failure = e;
        fail_as(std::move(from));
    }

    /* Its owner goes, and is not told of the end. */
    void disown() noexcept { owner_ = nullptr; }

    void ask_to_stop() noexcept override { context_.ask(); }
    void canceled() noexcept override
    {
        if (owner_ && !over_)
            owner_->was_canceled();
        ask_to_stop();
    }
    void stop_with(std::stop_token token)
    {
        if (token.stop_possible())
            on_stop_.emplace(std::move(token), asking{&context_});
    }
    evpq_future *get() const noexcept { return out_.get(); }
    std::shared_ptr<told> where_from() const noexcept { return told_; }

    running *next = nullptr, **previous = nullptr; /* of its owner's */

  protected:
    struct asking {
        class context *context;
        void operator()() const noexcept { context->ask(); }
    };

    virtual std::coroutine_handle<> coroutine() const noexcept = 0;
    virtual void destroy() noexcept = 0;

    /* The task is over: its frame goes, then its future settles, then its owner is told. */
    template <class Settle> void over(const origin *failure, Settle settle) noexcept
    {
        if (std::exchange(over_, true))
            return;
        told_->behind = nullptr;
        on_stop_.reset();
        destroy();
        settle();
        if (owner_)
            owner_->ended(this, failure);
        let_go();
    }

    void fail_as(origin from) noexcept
    {
        if (over_)
            return;
        std::shared_ptr<told> told = told_;
        told->from = std::move(from);
        over(&told->from, [&] {
            if (out_.fail(error_of(told->from)))
                told->id = error_ref(evpq_error_ref(evpq_future_error(out_.get())));
        });
    }

    class context context_;
    std::shared_ptr<told> told_;

  private:
    /* Calls fn(..., this) from the loop. False: there was no memory. */
    bool later(evpq_done_fn *fn) noexcept
    {
        future_ref now(evpq_future_ok(loop_, nullptr, nullptr));
        hold();
        bool queued = evpq_future_on_done(now.get(), fn, this) == EVPQ_OK;
        if (!queued)
            let_go();
        return queued;
    }

    static void end(evpq_future *, void *arg) noexcept
    {
        running *self = static_cast<running *>(arg);
        if (!self->over_)
            self->task_ended();
        self->let_go();
    }

    static void begin(evpq_future *, void *arg) noexcept
    {
        running *self = static_cast<running *>(arg);
        if (self->context_.asked())
            self->give_up(error(EVPQ_CANCELED, literal{"canceled before it began"}));
        else if (!self->over_) {
            self->context_.here();
            resumption::of(self->coroutine(), &self->context_);
        }
        self->let_go();
    }

    evpq_loop *loop_;
    running_owner *owner_;
    bool over_ = false;
    std::optional<std::stop_callback<asking>> on_stop_;

  protected:
    outlet out_;
};

/* What the future of a started task gives: an expected that it returns is how it went. */
template <class T> using started_value = typename expecting<T>::value;

template <class T> class running_task final : public running
{
    using V = started_value<T>;

  public:
    running_task(evpq_loop *loop, running_owner *owner, task<T> t)
        : running(loop, owner), task_(std::move(t))
    {
        handle().promise().context = &context_;
        handle().promise().owner = this;
    }

    future<V> get_future() const { return {evpq_future_ref(get()), read_box<V>, where_from()}; }

  private:
    using promise_handle = typename task<T>::handle;
    promise_handle handle() const noexcept { return task_->get(); }
    std::coroutine_handle<> coroutine() const noexcept override { return handle(); }
    void destroy() noexcept override { task_.reset(); }

    void task_ended() noexcept override
    {
#if EVPQ_CPP_EXCEPTIONS
        if (handle().promise().exception) {
            fail_as(origin_of(handle().promise().exception));
            return;
        }
        try {
            settle();
        } catch (const std::bad_alloc &) { /* of the value */
            give_up(error(EVPQ_NOMEM));
        } catch (...) {
            fail_as(origin_of(std::current_exception()));
        }
#else
        settle();
#endif
    }

#if EVPQ_CPP_EXCEPTIONS
    static origin origin_of(std::exception_ptr exception) noexcept
    {
        origin from;
        try {
            std::rethrow_exception(exception);
        } catch (const error &e) {
            from.failure = e;
        } catch (...) {
        }
        from.exception = std::move(exception);
        return from;
    }
#endif

    void settle()
    {
        if constexpr (std::is_void_v<T>) {
            over(nullptr, [this] { (void)out_.set(nullptr, nullptr); });
        } else if constexpr (is_expected<T>) {
            T value = handle().promise().take();
            if (!value) {
                origin from;
                from.failure = value.error();
                fail_as(std::move(from));
            } else if constexpr (std::is_void_v<V>) {
                over(nullptr, [this] { (void)out_.set(nullptr, nullptr); });
            } else {
                settle_with<V>(std::move(*value));
            }
        } else {
            settle_with<V>(handle().promise().take());
        }
    }

    template <class U> void settle_with(U value)
    {
        auto made = std::make_unique<box<U>>(box<U>{std::move(value)});
        over(nullptr, [&] {
            if (out_.set(made.get(), box<U>::free))
                (void)made.release();
        });
    }

    std::optional<task<T>> task_;
};

template <class T>
running_task<T> *start(evpq_loop *loop, running_owner *owner, task<T> t, std::stop_token token)
{
    if (!t.get())
        raise(error(EVPQ_INVALID, literal{"the task was moved from, or has been awaited"}));
    auto *made = new running_task<T>(loop, owner, std::move(t));
    made->stop_with(std::move(token));
    return made;
}

} // namespace detail

/* Runs `t` by itself; it begins at the loop's next turn. Letting go of the future does not stop it;
 * canceling the future asks it to stop, and settles the future at once. What the task uses has to
 * last until it has ended: where that is the caller's, use a group. */
template <class T>
future<detail::started_value<T>> spawn(const loop &on, task<T> t, std::stop_token token = {})
{
    auto *started = detail::start(on.get(), nullptr, std::move(t), std::move(token));
    future<detail::started_value<T>> f = started->get_future();
    started->begin_later();
    return f;
}

} // namespace evpq

#endif
