/* evpq/cpp/sync.hpp - semaphores and channels. Thread: the loop's. */
#ifndef EVPQ_CPP_SYNC_HPP
#define EVPQ_CPP_SYNC_HPP

#include <evpq/cpp/future.hpp>

namespace evpq
{

/* A permit that is out; free again when the last copy is gone. */
class permit
{
  public:
    explicit permit(evpq_future *f) noexcept : f_(evpq_future_ref(f)) {}
    void release() noexcept { f_.reset(); }

  private:
    detail::future_ref f_;
};

/* Copies are the same semaphore. */
class semaphore
{
  public:
    semaphore(const loop &on, std::size_t permits)
        : s_(detail::given(evpq_semaphore_new(on.get(), permits),
                           permits ? EVPQ_NOMEM : EVPQ_INVALID))
    {
    }

    /* The future and the permit each hold it: let go of both. */
    [[nodiscard]] future<permit> acquire() const noexcept
    {
        return {evpq_semaphore_acquire(s_.get()), read};
    }
    std::size_t free() const noexcept { return evpq_semaphore_free(s_.get()); }

  private:
    static expected<permit> read(const any_future &f) { return permit(f.get()); }

    detail::counted<evpq_semaphore, evpq_semaphore_ref, evpq_semaphore_unref> s_;
};

/* A bounded queue of T. Copies are the same channel. */
template <class T> class channel
{
  public:
    /* Room for so many; 0: each send waits for its receive. */
    channel(const loop &on, std::size_t capacity)
        : c_(detail::given(evpq_channel_new(on.get(), capacity, drop), EVPQ_NOMEM))
    {
    }

    future<void> send(T item) const
    {
        return detail::done_of(evpq_channel_send(c_.get(), new T(std::move(item))));
    }
    /* The oldest item, once out of each future; EVPQ_CLOSED when it is closed and empty. */
    [[nodiscard]] future<T> receive() const noexcept
    {
        return {evpq_channel_receive(c_.get()), read};
    }
    void close() const noexcept { evpq_channel_close(c_.get()); }
    std::size_t size() const noexcept { return evpq_channel_count(c_.get()); }

  private:
    static void drop(void *item) noexcept { delete static_cast<T *>(item); }
    static expected<T> read(const any_future &f)
    {
        std::unique_ptr<T> item(static_cast<T *>(evpq_channel_item(f.get())));
        if (!item)
            return error(EVPQ_INVALID, "the item was taken out of this future already");
        return std::move(*item);
    }

    detail::counted<evpq_channel, evpq_channel_ref, evpq_channel_unref> c_;
};

} // namespace evpq

#endif
