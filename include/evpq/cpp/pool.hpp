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
     * Stopped or destroyed, it rolls back. */
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

/* What evpq_transact calls: it is there until that is over, and every try of it. */
template <class F> class tries final : public held, public running_owner
{
    using task_type = std::invoke_result_t<F &, transaction &>;
    using V = started_value<typename task_type::value_type>;

  public:
    explicit tries(evpq_loop *loop, F fn) : loop_(loop), fn_(std::move(fn)), txn_(nullptr) {}

    /* The program's call. It waits for all: evpq_task_cancel on it stops in order. */
    evpq_future *run(evpq_pool *pool, const txn_opts &opts)
    {
        evpq_future *f = evpq_transact(pool, &opts, call, this);
        hold();
        if (evpq_future_on_done(f, over, this) != EVPQ_OK)
            let_go(); /* it has failed already */
        return f;
    }

    /* No try uses what fn refers to, from now on. */
    void give_up() noexcept
    {
        given_up_ = true;
        if (now_)
            now_->give_up(error(EVPQ_CANCELED));
    }

    /* How the last try has ended; none: there was no connection for one. */
    const std::optional<future<V>> &last() const noexcept { return last_; }

    void canceled() noexcept override {}

  private:
    static evpq_future *call(evpq_txn *txn, void *arg) noexcept
    {
        return static_cast<tries *>(arg)->begin(txn);
    }

    evpq_future *begin(evpq_txn *txn) noexcept
    {
        if (given_up_)
            return evpq_future_failed(loop_, EVPQ_CANCELED, "canceled");
        txn_ = transaction::lend(txn);
#if EVPQ_CPP_EXCEPTIONS
        try {
            return start_try();
        } catch (const std::exception &e) { /* fn itself, and no task of it */
            return evpq_future_failed(loop_, EVPQ_INVALID, "%s", e.what());
        } catch (...) {
            return evpq_future_failed(loop_, EVPQ_INVALID, "an exception");
        }
#else
        return start_try();
#endif
    }

    evpq_future *start_try()
    {
        auto *started = start(loop_, this, fn_(txn_), {});
        hold();
        now_ = started;
        last_ = started->get_future();
        started->begin_later(loop_);
        return evpq_future_ref(last_->get());
    }

    /* Here the future that evpq_transact was given has settled, and nobody that waits for it has
     * been told: the transaction is still there, and soon not. */
    void was_canceled() noexcept override
    {
        txn_.take_back();
    }

    void ended(running *, const origin *) noexcept override
    {
        now_ = nullptr;
        txn_.take_back();
        let_go();
    }

    static void over(evpq_future *, void *arg) noexcept
    {
        static_cast<tries *>(arg)->let_go();
    }

    evpq_loop *loop_;
    F fn_;
    transaction txn_;
    running *now_ = nullptr;
    std::optional<future<V>> last_;
    bool given_up_ = false;
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
    } all{new tries<F>(on.on().get(), std::move(fn))};

    future<void> done = done_of(all.t->run(on.get(), opts));
    expected<void> went = co_await done.try_();
    const auto &last = all.t->last();
    if (!went) /* with what ended the last try, where that is why */
        went = future<void>(evpq_future_ref(done.get()), read_nothing,
                            last ? last->share_beside() : nullptr)
                   .try_value();
    if constexpr (!is_expected<T>) {
        went.value();
        co_return last->value();
    } else if (went) {
        co_return last->try_value();
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
