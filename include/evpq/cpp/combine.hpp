/* evpq/cpp/combine.hpp - futures made of futures. Each keeps its members. Thread: the loop's. */
#ifndef EVPQ_CPP_COMBINE_HPP
#define EVPQ_CPP_COMBINE_HPP

#include <evpq/cpp/future.hpp>
#include <vector>

namespace evpq
{

namespace detail
{

template <class T> struct parts : beside {
    explicit parts(std::vector<future<T>> of) : members(std::move(of)) {}
    const origin *origin_of(const evpq_error *e) const noexcept override
    {
        for (const future<T> &f : members)
            if (const origin *from = f.beside() ? f.beside()->origin_of(e) : nullptr)
                return from;
        return nullptr;
    }
    /* For evpq_all and its like, which take them. */
    std::vector<evpq_future *> references() const
    {
        std::vector<evpq_future *> fs;
        fs.reserve(members.size());
        for (const future<T> &f : members)
            fs.push_back(evpq_future_ref(f.get()));
        return fs;
    }
    static const parts &of(const any_future &f) { return *static_cast<const parts *>(f.beside()); }
    std::vector<future<T>> members;
};

template <class T> using list_of_all = std::conditional_t<std::is_void_v<T>, void, std::vector<T>>;

template <class T> expected<std::vector<T>> read_list_of_all(const any_future &f)
{
    std::vector<T> values;
    values.reserve(parts<T>::of(f).members.size());
    for (const future<T> &member : parts<T>::of(f).members) {
        expected<T> value = member.try_value();
        if (!value)
            return value.error();
        values.push_back(std::move(*value));
    }
    return values;
}

template <class T> expected<std::vector<expected<T>>> read_all_settled(const any_future &f)
{
    std::vector<expected<T>> values;
    for (const future<T> &member : parts<T>::of(f).members)
        values.push_back(member.status() == EVPQ_OK ? member.try_value()
                                                    : expected<T>(member.failure()));
    return values;
}

/* The member that was done first, or one that was done at the same time. */
template <class T> expected<T> read_first(const any_future &f)
{
    for (const future<T> &member : parts<T>::of(f).members)
        if (member.status() == EVPQ_OK)
            return member.try_value();
    return error(EVPQ_INVALID);
}

/* The member that a place of as_completed turned out to be. */
template <class T> expected<T> read_completed(const any_future &f)
{
    for (const future<T> &member : parts<T>::of(f).members)
        if (member.get() == evpq_future_at(f.get(), 0))
            return member.try_value();
    return error(EVPQ_INVALID);
}

/* Futures of several types. */
template <class... T> struct several : beside {
    explicit several(const future<T> &...f) : members(f...) {}
    const origin *origin_of(const evpq_error *e) const noexcept override
    {
        const origin *from = nullptr;
        auto look = [&](const any_future &f) {
            if (!from && f.beside())
                from = f.beside()->origin_of(e);
        };
        std::apply([&](const auto &...f) { (look(f), ...); }, members);
        return from;
    }
    static expected<std::tuple<T...>> read(const any_future &f)
    {
        const auto &members = static_cast<const several *>(f.beside())->members;
        std::tuple<expected<T>...> values =
            std::apply([](const auto &...m) { return std::tuple(m.try_value()...); }, members);
        std::optional<error> why;
        auto look = [&](const auto &value) {
            if (!why && !value)
                why = value.error();
        };
        std::apply([&](const auto &...value) { (look(value), ...); }, values);
        if (why)
            return *std::move(why);
        return std::apply([](auto &...value) { return std::tuple<T...>(std::move(*value)...); },
                          values);
    }
    std::tuple<future<T>...> members;
};

} // namespace detail

/* Done when all are; fails as the first that fails, and cancels the rest. */
template <class T> [[nodiscard]] future<detail::list_of_all<T>> all(std::vector<future<T>> fs)
{
    auto made = std::make_shared<detail::parts<T>>(std::move(fs));
    auto refs = made->references();
    evpq_future *f = evpq_all(refs.data(), refs.size());
    if constexpr (std::is_void_v<T>)
        return {f, detail::read_nothing, std::move(made)};
    else
        return {f, detail::read_list_of_all<T>, std::move(made)};
}

/* The same for futures of several types: a tuple, for `auto [a, b] = co_await all(fa, fb)`. */
template <class... T>
requires(sizeof...(T) > 1 &&
         !(std::is_void_v<T> || ...)) future<std::tuple<T...>> all(const future<T> &...fs)
{
    auto made = std::make_shared<detail::several<T...>>(fs...);
    evpq_future *refs[] = {evpq_future_ref(fs.get())...};
    return {evpq_all(refs, sizeof...(T)), detail::several<T...>::read, std::move(made)};
}

/* Done when all have settled; each says how it went: any_future::failure() where it has failed. */
template <class T>
[[nodiscard]] future<std::vector<expected<T>>> all_settled(std::vector<future<T>> fs)
{
    auto made = std::make_shared<detail::parts<T>>(std::move(fs));
    auto refs = made->references();
    return {evpq_all_settled(refs.data(), refs.size()), detail::read_all_settled<T>,
            std::move(made)};
}

/* The first success; fails as the last one when all fail. The rest are canceled. */
template <class T> [[nodiscard]] future<T> any(std::vector<future<T>> fs)
{
    auto made = std::make_shared<detail::parts<T>>(std::move(fs));
    auto refs = made->references();
    return {evpq_any(refs.data(), refs.size()), detail::read_first<T>, std::move(made)};
}

/* The first to settle, however. The rest are canceled. */
template <class T> [[nodiscard]] future<T> race(std::vector<future<T>> fs)
{
    auto made = std::make_shared<detail::parts<T>>(std::move(fs));
    auto refs = made->references();
    return {evpq_race(refs.data(), refs.size()), detail::read_first<T>, std::move(made)};
}

/* The same answers in the order in which they come. */
template <class T> [[nodiscard]] std::vector<future<T>> as_completed(std::vector<future<T>> fs)
{
    auto made = std::make_shared<detail::parts<T>>(std::move(fs));
    auto refs = made->references();
    (void)evpq_as_completed(refs.data(), refs.size(), refs.data());
    std::vector<future<T>> places;
    places.reserve(refs.size());
    for (evpq_future *f : refs)
        places.emplace_back(f, detail::read_completed<T>, made);
    return places;
}

} // namespace evpq

#endif
