/* evpq/cpp/codec.hpp - types that the library does not know, names in SQL, and the version.
 *
 * Encoders and decoders are C's (codec.h): they must not throw. */
#ifndef EVPQ_CPP_CODEC_HPP
#define EVPQ_CPP_CODEC_HPP

#include <evpq/cpp/pool.hpp>

namespace evpq
{

using codec = detail::options<evpq_codec>;

/* Codecs, and the types that they are for. Copies are the same. */
class types
{
  public:
    types() : t_(detail::given(evpq_types_new(), EVPQ_NOMEM)) {}

    /* Copied. EVPQ_INVALID where its name or oid is there already. */
    evpq_status add(const evpq_codec &one) const noexcept { return evpq_types_add(t_.get(), &one); }
    future<void> resolve(const pool &from) const noexcept
    {
        return detail::done_of(evpq_types_resolve(t_.get(), from.get()));
    }
    std::uint32_t oid(const char *name, std::uint32_t *ret_array = nullptr) const noexcept
    {
        return evpq_types_oid(t_.get(), name, ret_array);
    }

    /* A parameter, written by the codec of that name; all three are borrowed until
     * the call that takes it has returned. */
    evpq_arg coded(const char *name, const void *value) const noexcept
    {
        return evpq_coded(t_.get(), name, value);
    }
    /* A value, read by the codec of its column's type into `to`. */
    template <class T> expected<void> decode(const value &from, T &to) const
    {
        detail::cell c = from.cell();
        evpq_result_fault_clear(c.r);
        (void)evpq_result_decoded(t_.get(), c.r, c.row, c.column, &to);
        if (std::optional<error> why = detail::take_fault(c.r))
            return *std::move(why);
        return {};
    }
    evpq_types *get() const noexcept { return t_.get(); }

  private:
    detail::counted<evpq_types, evpq_types_ref, evpq_types_unref> t_;
};

/* ---- names and texts in SQL (quote.h) ---- */

namespace detail
{

template <class F> expected<std::string> quoted(F quote)
{
    std::size_t n = quote(nullptr, std::size_t{0});
    if (n == 0)
        return error(EVPQ_INVALID, "what is to be quoted is empty, or is not UTF-8");
    std::string text(n, '\0');
    (void)quote(text.data(), n + 1);
    return text;
}

} // namespace detail

inline expected<std::string> quote_identifier(detail::c_text name)
{
    if (!name.whole())
        return detail::c_text::cut();
    return detail::quoted([&](char *room, std::size_t size) {
        return evpq_quote_identifier(name.get(), room, size);
    });
}

/* The name alone where `schema` is a null pointer. */
inline expected<std::string> quote_qualified(detail::c_text schema, detail::c_text name)
{
    if (!schema.whole() || !name.whole())
        return detail::c_text::cut();
    return detail::quoted([&](char *room, std::size_t size) {
        return evpq_quote_qualified(schema.get(), name.get(), room, size);
    });
}

inline expected<std::string> quote_literal(detail::c_text text)
{
    if (!text.whole())
        return detail::c_text::cut();
    return detail::quoted(
        [&](char *room, std::size_t size) { return evpq_quote_literal(text.get(), room, size); });
}

/* ---- words ---- */

inline std::string_view name_of(evpq_status status) noexcept
{
    return evpq_status_name(status);
}
inline std::string_view text_of(evpq_status status) noexcept
{
    return evpq_status_text(status);
}

/* Of the library that is loaded. */
inline int version() noexcept
{
    return evpq_version();
}

} // namespace evpq

#endif
