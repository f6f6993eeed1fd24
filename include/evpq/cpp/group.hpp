/* evpq/cpp/group.hpp - tasks that end together, and a program's way into the loop.
 *
 *     evpq::group g(loop);
 *     auto a = g.spawn(first(x)), b = g.spawn(second(x));
 *     co_await g.join();
 *
 * The first that fails (other than by EVPQ_CANCELED) asks the rest to stop; join() is done when all
 * have ended, and fails as that one did. No task outlives its group: those that are left when the
 * group is destroyed are destroyed with it, and what they wait for is canceled. So a task may use
 * what stands above its group. Thread: the loop's. */
#ifndef EVPQ_CPP_GROUP_HPP
#define EVPQ_CPP_GROUP_HPP

#include <evpq/cpp/spawn.hpp>

namespace evpq
{

namespace detail
{

class group_state final : public held, public running_owner, public stoppable
{
  public:
    group_state(const loop &on, std::stop_token token)
        : on_(on), token_(std::move(token)), told_(std::make_shared<told>())
    {
        told_->behind = this;
    }

    const loop &on() const noexcept { return on_; }
    const std::stop_token &token() const noexcept { return token_; }
    bool stopped() const noexcept { return stopped_ || token_.stop_requested(); }

    void add(running *t) noexcept
    {
        t->next = first_;
        t->previous = &first_;
        if (first_)
            first_->previous = &t->next;
        first_ = t;
    }

    /* To ask only queues, but for the destructors of what is dropped (as of a channel's items): they
     * may end tasks, and destroy the group. */
    void stop() noexcept
    {
        stopped_ = true;
        if (std::exchange(asking_, true))
            return;
        hold();
        to_ask_ = std::exchange(first_, nullptr);
        if (to_ask_)
            to_ask_->previous = &to_ask_;
        while (running *t = to_ask_) {
            remove(t);
            add(t);
            t->ask_to_stop();
        }
        asking_ = false;
        settle_when_empty();
        let_go();
    }
    void canceled() noexcept override { stop(); }
    void ask_to_stop() noexcept override { stop(); }

    void ended(running *which, const origin *failure) noexcept override
    {
        hold();
        remove(which);
        if (failure && !failed_ && !is_cancel(*failure)) {
            failed_ = true;
            told_->from = *failure;
            stop();
        }
        settle_when_empty();
        let_go();
    }

    future<void> join()
    {
        if (is_joined() || settled_)
            return done_of(
                evpq_future_failed(on_.get(), EVPQ_INVALID, "the group is joined already"));
        joined_.emplace(on_.get(), this);
        future<void> f{evpq_future_ref(joined_->get()), read_nothing, told_};
        settle_when_empty();
        return f;
    }

    void destroy() noexcept
    {
        stopped_ = true;
        told_->behind = nullptr;
        while (running *t = first_ ? first_ : to_ask_) {
            remove(t);
            t->disown(); /* it may be over, and about to tell */
            t->give_up(error(EVPQ_CANCELED, literal{"its group was destroyed"}));
        }
        if (is_joined())
            (void)joined_->fail(error(EVPQ_CANCELED, literal{"the group was destroyed"}));
        let_go();
    }

  private:
    static bool is_cancel(const origin &from) noexcept
    {
        return from.failure && from.failure->status() == EVPQ_CANCELED;
    }

    bool is_joined() const noexcept
    {
        return joined_ && evpq_future_status(joined_->get()) == EVPQ_PENDING;
    }

    static void remove(running *t) noexcept
    {
        *t->previous = t->next;
        if (t->next)
            t->next->previous = t->previous;
    }

    void settle_when_empty() noexcept
    {
        if (!first_ && !to_ask_ && is_joined())
            settle();
    }

    void settle() noexcept
    {
        settled_ = true;
        if (failed_)
            fail();
        else if (stopped())
            (void)joined_->fail(error(EVPQ_CANCELED));
        else
            (void)joined_->set(nullptr, nullptr);
    }

    void fail() noexcept
    {
        if (joined_->fail(error_of(told_->from)))
            told_->id = error_ref(evpq_error_ref(evpq_future_error(joined_->get())));
    }

    loop on_;
    std::stop_token token_;
    running *first_ = nullptr;
    running *to_ask_ = nullptr; /* those of them that stop() has not come to yet */
    std::optional<outlet> joined_;
    std::shared_ptr<told> told_;
    bool failed_ = false;
    bool settled_ = false; /* by the end of all, not canceled */
    bool stopped_ = false;
    bool asking_ = false; /* in stop() */
};

} // namespace detail

class group
{
  public:
    /* `token` is each task's. */
    explicit group(const loop &on, std::stop_token token = {})
        : state_(new detail::group_state(on, std::move(token)))
    {
    }
    group(const group &) = delete;
    group &operator=(const group &) = delete;
    /* Not while one of its own tasks runs, as by itself: that ends the program, with a message. */
    ~group() { state_->destroy(); }

    /* A task that begins at the loop's next turn; never where the group has been stopped or has
     * failed. */
    template <class T> future<detail::started_value<T>> spawn(task<T> t)
    {
        auto *started = detail::start(state_->on().get(), state_, std::move(t), state_->token());
        state_->add(started);
        future<detail::started_value<T>> f = started->get_future();
        if (state_->stopped())
            started->give_up(error(EVPQ_CANCELED, detail::literal{"its group has been stopped"}));
        else
            started->begin_later();
        return f;
    }

    /* Asks all tasks to stop, and lets no more begin. */
    void stop() noexcept { state_->stop(); }

    /* Done when all have ended; once, and again where it was canceled. Tasks may spawn more
     * meanwhile. Canceling it asks them to stop, and settles it at once; a task that awaits it and is
     * asked to stop hands that on, and waits for their end. */
    [[nodiscard]] future<void> join() { return state_->join(); }

  private:
    detail::group_state *state_;
};

/* Runs `t`, and the loop until it has ended: a program's way in. Not where the loop runs already.
 * What is left of it when the loop cannot go on (EVPQ_DEADLOCK) or is stopped (EVPQ_PENDING) is
 * destroyed. */
template <class T>
expected<detail::started_value<T>> try_run(const loop &on, task<T> t, std::stop_token token = {})
{
    group only(on, std::move(token));
    return only.spawn(std::move(t)).try_await();
}
template <class T>
detail::started_value<T> run(const loop &on, task<T> t, std::stop_token token = {})
{
    return try_run(on, std::move(t), std::move(token)).value();
}

} // namespace evpq

#endif
