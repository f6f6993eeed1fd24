/* evpq/cpp/txn.hpp - leases and transactions.
 *
 *     evpq::transaction t = co_await pool.begin();
 *     co_await t.query("update account set credit = credit - $2 where id = $1", from, amount);
 *     co_await t.query("update account set credit = credit + $2 where id = $1", to, amount);
 *     co_await t.commit();
 *
 * A transaction that is destroyed before its end, as by an exception, is rolled back; a lease is
 * released. Thread: the loop's. */
#ifndef EVPQ_CPP_TXN_HPP
#define EVPQ_CPP_TXN_HPP

#include <evpq/cpp/copy.hpp>
#include <evpq/cpp/stream.hpp>

namespace evpq
{

class lease;
class transaction;

namespace detail
{

/* The transaction that evpq_transact lends, for all that shows it: NULL, and so EVPQ_INVALID to C,
 * once it has been taken back. */
struct loan {
    evpq_txn *txn = nullptr;
    evpq_lease *lease = nullptr;
    void take_back() noexcept { *this = loan(); }
};
using loan_ref = std::shared_ptr<loan>;

} // namespace detail

/* ---- on a connection of one's own ---- */

/* A lease that is borrowed: a transaction's, or a hook's. */
class lease_view
{
  public:
    explicit lease_view(evpq_lease *l) noexcept : l_(l) {}
    /* For transactions: that of `of` (may be NULL: then `l`). */
    lease_view(evpq_lease *l, detail::loan_ref of) noexcept
        : l_(l), of_(l ? std::move(of) : nullptr)
    {
        if (of_)
            of_->lease = l;
    }
    lease_view(const lease_view &) noexcept = default;
    lease_view &operator=(const lease_view &) noexcept = default;
    /* A lease that goes with the statement cannot be borrowed. */
    lease_view(const lease &&) = delete;
    lease_view &operator=(const lease &&) = delete;

    template <class... T> future<result> query(detail::c_text sql, const T &...x) const
    {
        return detail::result_of(detail::with_args(
            [&](evpq_args a) { return evpq_lease_query(get(), sql.get(), a); }, x...));
    }
    template <class... List> future<std::vector<result>> batch(const statement<List> &...s) const
    {
        return detail::batch_of(detail::with_statements(
            [this](auto v, auto n) { return evpq_lease_batch(get(), v, n); }, s...));
    }
    /* The rows that were affected in all. */
    template <class Rows>
    future<std::int64_t> executemany(detail::c_text sql, const Rows &rows) const
    {
        detail::many_args<Rows> many(rows);
        return detail::affected_of(
            evpq_lease_executemany(get(), sql.get(), many.data(), many.size()));
    }
    template <class... T> evpq::stream stream(detail::c_text sql, const T &...x) const
    {
        return stream_with(stream_opts(), sql, x...);
    }
    template <class... T>
    evpq::stream stream_with(const stream_opts &opts, detail::c_text sql, const T &...x) const
    {
        return evpq::stream(detail::with_args(
            [&](evpq_args a) { return evpq_lease_stream(get(), sql.get(), a, &opts); }, x...));
    }
    copy_in copy_in_from(detail::c_text sql) const
    {
        return copy_in(evpq_lease_copy_in(get(), sql.get()));
    }
    copy_in copy_rows_in(detail::c_text table, const std::vector<std::string> &columns = {}) const
    {
        return copy_in(detail::with_columns(columns, [&](auto names, auto n) {
            return evpq_lease_copy_rows_in(get(), table.get(), names, n);
        }));
    }
    copy_out copy_out_to(detail::c_text sql) const
    {
        return copy_out(evpq_lease_copy_out(get(), sql.get()));
    }
    copy_out copy_rows_out(detail::c_text query) const
    {
        return copy_out(evpq_lease_copy_rows_out(get(), query.get()));
    }
    [[nodiscard]] inline future<transaction> begin(const txn_opts &opts = {}) const;

    int backend_pid() const noexcept { return evpq_lease_backend_pid(get()); }
    /* `fn` is C's, and must not throw. */
    evpq_status on_notice(evpq_notice_fn *fn, void *arg) const noexcept
    {
        return evpq_lease_on_notice(get(), fn, arg);
    }
    evpq_lease *get() const noexcept { return of_ ? of_->lease : l_; }

  protected:
    evpq_lease *l_;

  private:
    detail::loan_ref of_;
};

/* Move-only; released when it goes. */
class lease : public lease_view
{
  public:
    /* Takes `l`. */
    explicit lease(evpq_lease *l) noexcept : lease_view(l) {}
    lease(lease &&other) noexcept : lease_view(std::exchange(other.l_, nullptr)) {}
    /* What this was is released at once. */
    lease &operator=(lease &&other) noexcept
    {
        if (this != &other) {
            release();
            l_ = std::exchange(other.l_, nullptr);
        }
        return *this;
    }
    ~lease() { release(); }
    void release() noexcept { l_ = evpq_lease_release(l_); }

    static expected<lease> read(const any_future &f)
    {
        evpq_lease *l = evpq_future_lease(f.get());
        if (!l)
            return error(EVPQ_INVALID, "the lease was taken out of this future already");
        return lease(l);
    }
};

/* ---- transactions ---- */

/* A transaction, or a savepoint in one. Move-only. */
class transaction
{
  public:
    /* Takes `t`. */
    explicit transaction(evpq_txn *t) noexcept : t_(t) {}
    /* One that somebody else ends: `loan` tells how long it is there. */
    explicit transaction(detail::loan_ref loan) noexcept : loan_(std::move(loan)), lent_(true) {}
    transaction(transaction &&other) noexcept
        : t_(std::exchange(other.t_, nullptr)), loan_(std::move(other.loan_)),
          lent_(std::exchange(other.lent_, false))
    {
    }
    /* What this was is rolled back at once. */
    transaction &operator=(transaction &&other) noexcept
    {
        if (this != &other) {
            end();
            t_ = std::exchange(other.t_, nullptr);
            loan_ = std::move(other.loan_);
            lent_ = std::exchange(other.lent_, false);
        }
        return *this;
    }
    ~transaction() { end(); }

    template <class... T> future<result> query(detail::c_text sql, const T &...x) const
    {
        return detail::result_of(detail::with_args(
            [&](evpq_args a) { return evpq_txn_query(get(), sql.get(), a); }, x...));
    }
    template <class... List> future<std::vector<result>> batch(const statement<List> &...s) const
    {
        return detail::batch_of(detail::with_statements(
            [this](auto v, auto n) { return evpq_txn_batch(get(), v, n); }, s...));
    }
    template <class Rows>
    future<std::int64_t> executemany(detail::c_text sql, const Rows &rows) const
    {
        detail::many_args<Rows> many(rows);
        return detail::affected_of(
            evpq_txn_executemany(get(), sql.get(), many.data(), many.size()));
    }

    /* A savepoint: a transaction within this one, which outlives it. */
    expected<transaction> try_savepoint() const
    {
        evpq_txn *inner = evpq_txn_savepoint(get());
        if (!inner)
            return error(EVPQ_INVALID, "no savepoint: the transaction has ended, or has one open");
        transaction made(inner);
        made.loan_ = loan_;
        return made;
    }
    transaction savepoint() const { return try_savepoint().value(); }

    /* For streams and COPY in this transaction; borrowed until it ends. (Of one that transact() has
     * begun it knows the end, and is EVPQ_INVALID then.) */
    lease_view lease() const noexcept { return lease_view(evpq_txn_lease(get()), loan_); }

    /* The end. Where transact() lent it, that ends it: both are EVPQ_INVALID then. */
    [[nodiscard]] future<void> commit() noexcept
    {
        return detail::done_of(evpq_txn_commit(let_go()));
    }
    future<void> rollback() noexcept { return detail::done_of(evpq_txn_rollback(let_go())); }

    evpq_txn *get() const noexcept { return lent_ ? loan_->txn : t_; }

    static expected<transaction> read(const any_future &f)
    {
        evpq_txn *t = evpq_future_txn(f.get());
        if (!t)
            return error(EVPQ_INVALID, "the transaction was taken out of this future already");
        return transaction(t);
    }

  private:
    void end() noexcept
    {
        if (t_)
            (void)rollback();
    }
    evpq_txn *let_go() noexcept { return std::exchange(t_, nullptr); }

    evpq_txn *t_ = nullptr; /* its own */
    detail::loan_ref loan_; /* that it is, or that it is a savepoint in */
    bool lent_ = false;
};

inline future<transaction> lease_view::begin(const txn_opts &opts) const
{
    return {evpq_lease_begin(get(), &opts), transaction::read};
}

} // namespace evpq

#endif
