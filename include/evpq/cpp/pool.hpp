/* evpq/cpp/pool.hpp - pools.
 *
 *     evpq::pool_opts opts;
 *     opts.max_size = 4;
 *     evpq::pool pool(loop, "", opts);
 *     evpq::result r = co_await pool.query("select name from customer where id = $1", 42);
 *
 * The SQL and all arguments are copied by the call. Hooks and notice functions in the options are
 * C's: they must not throw. Thread: the loop's. */
#ifndef EVPQ_CPP_POOL_HPP
#define EVPQ_CPP_POOL_HPP

#include <evpq/cpp/group.hpp>
#include <evpq/cpp/txn.hpp>

namespace evpq
{

using pool_opts = detail::options<evpq_pool_opts>;
using pool_stats = detail::options<evpq_pool_stats>;

/* Copies are the same pool; it closes when the last is gone. */
class pool
{
  public:
    pool(const loop &on, detail::c_text conninfo, const pool_opts &opts = {})
        : pool(try_open(on, conninfo, opts).value())
    {
    }
    static expected<pool> try_open(const loop &on, detail::c_text conninfo,
                                   const pool_opts &opts = {})
    {
        if (!conninfo.whole())
            return detail::c_text::cut();
        evpq_error *why = nullptr;
        evpq_pool *p = evpq_pool_open(on.get(), conninfo.get(), &opts, &why);
        if (p)
            return pool(on, p);
        detail::error_ref held(why);
        return error(why);
    }

    /* Closes at once to new calls; what runs has so long to end. Negative: as long as it takes. */
    future<void> close(seconds limit = seconds(-1)) const noexcept
    {
        return detail::done_of(evpq_pool_close(get(), limit.count()));
    }
    future<void> drain() const noexcept { return detail::done_of(evpq_pool_drain(get())); }
    future<void> connect() const noexcept { return detail::done_of(evpq_pool_connect(get())); }
    [[nodiscard]] evpq_status resize(int min_size, int max_size) const noexcept
    {
        return evpq_pool_resize(get(), min_size, max_size);
    }
    pool_stats stats() const noexcept
    {
        pool_stats stats;
        (void)evpq_pool_get_stats(get(), &stats);
        return stats;
    }

    /* ---- statements ---- */

    template <class... T> future<result> query(detail::c_text sql, const T &...x) const
    {
        return detail::result_of(detail::with_args(
            [&](evpq_args a) { return evpq_pool_query(get(), sql.get(), a); }, x...));
    }
    /* One that only reads. */
    template <class... T> future<result> read(detail::c_text sql, const T &...x) const
    {
        return detail::result_of(detail::with_args(
            [&](evpq_args a) { return evpq_pool_read(get(), sql.get(), a); }, x...));
    }
    template <class... List> future<std::vector<result>> batch(const statement<List> &...s) const
    {
        return detail::batch_of(detail::with_statements(
            [this](auto v, auto n) { return evpq_pool_batch(get(), v, n); }, s...));
    }
    template <class Rows>
    future<std::int64_t> executemany(detail::c_text sql, const Rows &rows) const
    {
        detail::many_args<Rows> many(rows);
        return detail::affected_of(evpq_executemany(get(), sql.get(), many.data(), many.size()));
    }
    future<void> notify(detail::c_text channel, detail::c_text payload = "") const
    {
        return detail::done_of(evpq_notify(get(), channel.get(), payload.get()));
    }

    /* ---- rows by the many ---- */

    template <class... T> evpq::stream stream(detail::c_text sql, const T &...x) const
    {
        return stream_with(stream_opts(), sql, x...);
    }
    template <class... T>
    evpq::stream stream_with(const stream_opts &opts, detail::c_text sql, const T &...x) const
    {
        return evpq::stream(detail::with_args(
            [&](evpq_args a) { return evpq_pool_stream(get(), sql.get(), a, &opts); }, x...));
    }
    /* COPY ... FROM STDIN, rows into a table; COPY ... TO STDOUT, rows of a query. */
    copy_in copy_in_from(detail::c_text sql) const
    {
        return copy_in(evpq_pool_copy_in(get(), sql.get()));
    }
    copy_in copy_rows_in(detail::c_text table, const std::vector<std::string> &columns = {}) const
    {
        return copy_in(detail::with_columns(columns, [&](auto names, auto n) {
            return evpq_pool_copy_rows_in(get(), table.get(), names, n);
        }));
    }
    copy_out copy_out_to(detail::c_text sql) const
    {
        return copy_out(evpq_pool_copy_out(get(), sql.get()));
    }
    copy_out copy_rows_out(detail::c_text query) const
    {
        return copy_out(evpq_pool_copy_rows_out(get(), query.get()));
    }

    /* ---- a connection of one's own, a transaction ---- */

    [[nodiscard]] future<lease> acquire() const noexcept
    {
        return {evpq_pool_acquire(get()), lease::read};
    }
    [[nodiscard]] future<transaction> begin(const txn_opts &opts = {}) const noexcept
    {
        return {evpq_pool_begin(get(), &opts), transaction::read};
    }

    /* evpq_transact: fn(transaction &) returns a task, which runs in a transaction; that commits
     * when the task is done, and rolls back when it ends by an exception (or returns an error),
     * which then is what this fails with. It is run again, from fn on, where evpq_transact would.
     *
     * Asked to stop, it hands that on to the task of fn, waits for its end, and then rolls back, or
     * commits where the task was done. Out of time (opts.timeout), it rolls back while that task
     * cleans up, and waits for its end. Destroyed, it destroys the task at once, and rolls back. The
     * transaction is EVPQ_INVALID when it was rolled back, and so is its lease(). */
    template <class F> auto transact(F fn) const { return transact(txn_opts(), std::move(fn)); }
    template <class F> auto transact(txn_opts opts, F fn) const;

    const loop &on() const noexcept { return on_; }
    evpq_pool *get() const noexcept { return p_.get(); }

  private:
    pool(const loop &on, evpq_pool *p) noexcept : on_(on), p_(p) {}

    loop on_;
    detail::counted<evpq_pool, evpq_pool_ref, evpq_pool_unref> p_;
};

namespace detail
{

/* What evpq_transact calls: it is there until that is over, and every try of it. The future of a
 * try settles when its task has ended, or as evpq_transact gives it up (its timeout; what waits for
 * all of it is destroyed): then the transaction is taken back from a task that still cleans up. */
template <class F> class tries final : public held, public running_owner, public beside
{
    using task_type = std::invoke_result_t<F &, transaction &>;
    using V = started_value<typename task_type::value_type>;

  public:
    tries(const loop &on, F fn)
        : on_(on), fn_(std::move(fn)), loan_(std::make_shared<loan>()), txn_(loan_), end_(on)
    {
    }

    /* The program's call. */
    future<void> run(evpq_pool *pool, const txn_opts &opts)
    {
        future<void> f = waited_for(evpq_transact(pool, &opts, call, this));
        f_ = future_ref(evpq_future_ref(f.get()));
        hold();
        if (evpq_future_on_done(f.get(), over, this) != EVPQ_OK)
            over(f.get(), this);
        return f;
    }

    /* Whether the last try's task runs on when evpq_transact is over; end() is its end. */
    bool runs() const noexcept { return now_; }
    future<void> end() { return waited_for(evpq_future_ref(end_.get_future().get())); }

    /* No try uses what fn refers to, from now on. */
    void give_up() noexcept
    {
        given_up_ = true;
        f_.reset();
        if (now_)
            now_->give_up(error(EVPQ_CANCELED));
    }

    /* How the last try has ended; none: there was no connection for one. */
    const std::optional<future<V>> &last() const noexcept { return last_; }

    /* ---- as what is beside the future of all ---- */

    /* A try that runs stops in its own time, in its transaction, and is not tried again. */
    bool ask_to_stop() noexcept override
    {
        stopped_ = true;
        running *now = now_;
        if (now)
            now->ask_to_stop(); /* may end it, and this */
        return now;
    }
    const origin *origin_of(const evpq_error *e) const noexcept override
    {
        return last_ ? last_->beside()->origin_of(e) : nullptr;
    }

    void canceled() noexcept override {}

  private:
    /* Borrows this; for what goes before it. */
    future<void> waited_for(evpq_future *f) noexcept
    {
        return {f, read_nothing, std::shared_ptr<beside>(std::shared_ptr<beside>(), this)};
    }

    static evpq_future *call(evpq_txn *txn, void *arg) noexcept
    {
        return static_cast<tries *>(arg)->begin(txn);
    }

    evpq_future *begin(evpq_txn *txn) noexcept
    {
        if (given_up_ || stopped_)
            return evpq_future_failed(on_.get(), EVPQ_CANCELED, "canceled");
        loan_->txn = txn;
#if EVPQ_CPP_EXCEPTIONS
        try {
            return start_try();
        } catch (const std::exception &e) { /* fn itself, and no task of it */
            loan_->take_back();
            return evpq_future_failed(on_.get(), EVPQ_INVALID, "%s", e.what());
        } catch (...) {
            loan_->take_back();
            return evpq_future_failed(on_.get(), EVPQ_INVALID, "an exception");
        }
#else
        return start_try();
#endif
    }

    evpq_future *start_try()
    {
        auto *started = start(on_.get(), this, fn_(txn_), {});
        hold();
        now_ = started;
        last_ = started->get_future();
        started->begin_later();
        return evpq_future_ref(last_->get());
    }

    /* Here the future that evpq_transact was given has settled, and nobody that waits for it has
     * been told: the transaction is still there, and soon not. */
    void was_canceled() noexcept override
    {
        loan_->take_back();
    }

    void ended(running *, const origin *failure) noexcept override
    {
        now_ = nullptr;
        loan_->take_back();
        if (!f_.get())
            (void)end_.set();
        else if (failure && stopped_ && evpq_future_status(f_.get()) == EVPQ_PENDING)
            evpq_task_cancel(f_.get()); /* that it is not tried again */
        let_go();
    }

    static void over(evpq_future *, void *arg) noexcept
    {
        tries *self = static_cast<tries *>(arg);
        self->f_.reset();
        self->let_go();
    }

    loop on_;
    F fn_;
    loan_ref loan_;
    transaction txn_;
    promise<void> end_;
    future_ref f_; /* of all, until that is over */
    running *now_ = nullptr;
    std::optional<future<V>> last_;
    bool given_up_ = false;
    bool stopped_ = false;
};

template <class F> std::invoke_result_t<F &, transaction &> transact(pool on, txn_opts opts, F fn)
{
    using T = typename std::invoke_result_t<F &, transaction &>::value_type;
    struct all_tries {
        tries<F> *t;
        ~all_tries()
        {
            t->give_up();
            t->let_go();
        }
    } all{new tries<F>(on.on(), std::move(fn))};

    future<void> done = all.t->run(on.get(), opts);
    expected<void> went = co_await done.try_();
    if (all.t->runs())
        (void)co_await all.t->end().try_();
    if constexpr (!is_expected<T>) {
        (void)went;
        done.value(); /* with what ended the last try, where that is why */
        co_return all.t->last()->value();
    } else if (went) {
        co_return all.t->last()->try_value();
    } else {
        co_return went.error();
    }
}

} // namespace detail

template <class F> auto pool::transact(txn_opts opts, F fn) const
{
    return detail::transact(*this, opts, std::move(fn));
}

} // namespace evpq

#endif
