/* evpq/cpp/wait.hpp - the loop, and how a coroutine waits for a future of C's and is stopped.
 *
 * A coroutine goes on from the loop, never from within a call of evpq. Thread: the loop's. */
#ifndef EVPQ_CPP_WAIT_HPP
#define EVPQ_CPP_WAIT_HPP

#include <atomic>
#include <coroutine>
#include <evpq/cpp/base.hpp>
#include <stop_token>
#include <thread>

namespace evpq
{

/* ---- loop ---- */

/* Copies are the same loop. */
class loop
{
  public:
    /* On the libev loop `ev` (borrowed as by evpq_loop_new), or one of its own. */
    explicit loop(struct ev_loop *ev = nullptr)
        : loop_(detail::given(evpq_loop_new(ev), EVPQ_NOMEM))
    {
    }

    /* For a program whose own loop is of another kind: evpq_loop_new_embedded. */
    static loop embedded()
    {
        return loop(ref(detail::given(evpq_loop_new_embedded(), EVPQ_NOMEM)));
    }
    int fd() const noexcept { return evpq_loop_fd(get()); }
    bool turn() const noexcept { return evpq_loop_turn(get()); }
    double timeout() const noexcept { return evpq_loop_timeout(get()); }

    /* Until nothing keeps it alive, or stop(). */
    void run() const noexcept { evpq_loop_run(get()); }
    void stop() const noexcept { evpq_loop_stop(get()); }
    struct ev_loop *ev() const noexcept { return evpq_loop_ev(get()); }
    evpq_loop *get() const noexcept { return loop_.get(); }

  private:
    using ref = detail::counted<evpq_loop, evpq_loop_ref, evpq_loop_unref>;
    explicit loop(ref taken) noexcept : loop_(std::move(taken)) {}

    ref loop_;
};

namespace detail
{

/* What a future has beside the C future: where its errors come from, what it was made of. */
struct origin;
struct beside {
    virtual ~beside() = default;
    virtual const origin *origin_of(const evpq_error *) const noexcept { return nullptr; }
    /* Asks what is behind to stop, where the future settles when that has ended. */
    virtual bool ask_to_stop() noexcept { return false; }
};

using future_ref = counted<evpq_future, evpq_future_ref, evpq_future_unref>;

/* ---- stopping ---- */

class wait;

/* What a task and all that it awaits have in common: whether they are to stop. Asked to, the wait
 * of the moment is canceled, or the next one that is pending; once, so that code that cleans up may
 * wait again. */
class context
{
  public:
    /* From another thread it only leaves word: the next wait is then the one that is canceled. */
    void ask() noexcept;

    bool asked() const noexcept { return asked_.load(std::memory_order_relaxed); }

    /* Tasks run in this thread: only there may a wait be canceled. */
    void here() noexcept { thread_.store(std::this_thread::get_id(), std::memory_order_relaxed); }

    /* The stop that is due, at most once. */
    bool take_stop() noexcept { return asked() && !std::exchange(taken_, true); }

    wait *waiting = nullptr;

  private:
    std::atomic<bool> asked_ = false;
    bool taken_ = false;
    std::atomic<std::thread::id> thread_ = std::this_thread::get_id();
};

/* Promises of tasks have one; other coroutines wait without. */
struct with_context {
    class context *context = nullptr;
};

/* ---- resuming ---- */

/* What is told when a task that nobody awaits has ended. */
struct task_owner {
    virtual void task_ended() noexcept = 0;
    /* The same, while the coroutine is still on the stack. */
    virtual void task_ends() noexcept = 0;

  protected:
    ~task_owner() = default;
};

/* A resumption that is on the stack. The end of its task is noted here and told when the coroutine
 * has been left: clang before 17 writes to a frame after what its await_suspend has destroyed. */
class resumption
{
  public:
    static void of(std::coroutine_handle<> coroutine, const context *whose) noexcept
    {
        task_owner *ended = nullptr;
        {
            resumption here(whose);
            coroutine.resume();
            ended = here.ended_;
        }
        if (ended)
            ended->task_ended();
    }
    /* False where the innermost one is another task's. */
    static bool note_end(const context *whose, task_owner *owner) noexcept
    {
        if (!innermost || innermost->whose_ != whose)
            return false;
        innermost->ended_ = owner;
        return true;
    }
    static bool runs(const context *whose) noexcept
    {
        for (const resumption *r = innermost; r; r = r->outer_)
            if (r->whose_ == whose)
                return true;
        return false;
    }

  private:
    explicit resumption(const context *whose) noexcept
        : whose_(whose), outer_(std::exchange(innermost, this))
    {
    }
    ~resumption() { innermost = outer_; }

    const context *whose_;
    resumption *outer_;
    task_owner *ended_ = nullptr;
    static inline thread_local resumption *innermost = nullptr;
};

/* ---- waiting ---- */

/* Stands between evpq_future_on_done, which cannot be taken back, and a coroutine, which may be
 * destroyed before it is called. */
struct wake_up {
    wait *whose; /* NULL: nobody any more */
    std::coroutine_handle<> coroutine;
};

/* A coroutine's wait for a future, in its frame. */
class wait
{
  public:
    /* `behind` (may be NULL) is borrowed. */
    explicit wait(evpq_future *f, beside *behind = nullptr) noexcept
        : f_(evpq_future_ref(f)), behind_(behind)
    {
    }
    wait(const wait &) = delete;
    wait &operator=(const wait &) = delete;
    ~wait()
    {
        if (wake_up_) {
            wake_up_->whose = nullptr;
            no_longer();
            evpq_task_cancel(f_);
        }
        (void)evpq_future_unref(f_);
    }

    bool await_ready() const noexcept { return evpq_future_status(f_) != EVPQ_PENDING; }

    template <class Promise> bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept
    {
        if constexpr (std::is_base_of_v<with_context, Promise>)
            context_ = coroutine.promise().context;
        if (context_)
            context_->here();
        if (context_ && context_->take_stop()) {
            cancel();
            if (evpq_future_status(f_) != EVPQ_PENDING)
                return false;
        }
        return watch(coroutine);
    }

    /* As the stop of a task does: a task or group stops in its own time, and is waited for. This may
     * be gone when it returns. */
    void cancel() noexcept
    {
        future_ref kept(evpq_future_ref(f_));
        if (!behind_ || !behind_->ask_to_stop())
            evpq_task_cancel(kept.get());
    }

  protected:
    /* Why it could not be waited for; EVPQ_OK: it has settled. */
    evpq_status failed() const noexcept { return failed_; }

  private:
    bool watch(std::coroutine_handle<> coroutine) noexcept
    {
        wake_up_ = new (std::nothrow) wake_up{this, coroutine};
        failed_ = wake_up_ ? evpq_future_on_done(f_, woken, wake_up_) : EVPQ_NOMEM;
        if (failed_ != EVPQ_OK) {
            delete std::exchange(wake_up_, nullptr);
            return false;
        }
        if (context_)
            context_->waiting = this;
        return true;
    }

    void no_longer() noexcept
    {
        wake_up_ = nullptr;
        if (context_)
            context_->waiting = nullptr;
    }

    static void woken(evpq_future *, void *arg) noexcept
    {
        std::unique_ptr<wake_up> up(static_cast<wake_up *>(arg));
        if (!up->whose)
            return;
        up->whose->no_longer();
        std::coroutine_handle<> coroutine = up->coroutine;
        class context *context = up->whose->context_;
        up.reset();
        if (context)
            context->here();
        resumption::of(coroutine, context);
    }

    evpq_future *f_;
    beside *behind_;
    wake_up *wake_up_ = nullptr;
    class context *context_ = nullptr;
    evpq_status failed_ = EVPQ_OK;
};

inline void context::ask() noexcept
{
    asked_.store(true, std::memory_order_relaxed);
    if (std::this_thread::get_id() == thread_.load(std::memory_order_relaxed) && waiting &&
        take_stop())
        waiting->cancel();
}

} // namespace detail

} // namespace evpq

#endif
