/* evpq/cpp/base.hpp - what all of evpq.hpp rests on: error, expected, and holders of C objects.
 *
 * Exceptions: with them a failure is thrown as evpq::error; without them (-fno-exceptions) what would
 * throw ends the program, and failures are in an expected. One program is built one way throughout. */
#ifndef EVPQ_CPP_BASE_HPP
#define EVPQ_CPP_BASE_HPP

#if !defined(__cplusplus) || __cplusplus < 202002L
# error "evpq.hpp needs C++20"
#endif

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <evpq/evpq.h>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#if defined(__cpp_exceptions)
# define EVPQ_CPP_EXCEPTIONS 1
#else
# define EVPQ_CPP_EXCEPTIONS 0
#endif

namespace evpq
{

/* Times, as everywhere in evpq: 250ms, 2s, or seconds(0.25). */
using seconds = std::chrono::duration<double>;

namespace detail
{

/* A counted C object: copies share it. */
template <class T, auto Ref, auto Unref> class counted
{
  public:
    counted() noexcept = default;
    /* Takes the reference. */
    explicit counted(T *p) noexcept : p_(p) {}
    counted(const counted &other) noexcept : p_(other.p_ ? Ref(other.p_) : nullptr) {}
    counted(counted &&other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
    counted &operator=(counted other) noexcept
    {
        std::swap(p_, other.p_);
        return *this;
    }
    ~counted() { reset(); }

    T *get() const noexcept { return p_; }
    void reset() noexcept
    {
        if (p_)
            (void)Unref(std::exchange(p_, nullptr));
    }

  private:
    T *p_ = nullptr;
};

/* A C object that is owned once. */
template <class T, auto End> class owned
{
  public:
    owned() noexcept = default;
    explicit owned(T *p) noexcept : p_(p) {}
    owned(owned &&other) noexcept : p_(other.release()) {}
    owned &operator=(owned &&other) noexcept
    {
        if (this != &other) {
            reset();
            p_ = other.release();
        }
        return *this;
    }
    ~owned() { reset(); }

    T *get() const noexcept { return p_; }
    T *release() noexcept { return std::exchange(p_, nullptr); }
    void reset() noexcept
    {
        if (p_)
            (void)End(release());
    }

  private:
    T *p_ = nullptr;
};

inline evpq_error *ref_error(evpq_error *e) noexcept
{
    return evpq_error_ref(e);
}
using error_ref = counted<evpq_error, ref_error, evpq_error_unref>;

inline std::string_view view_of(const char *text) noexcept
{
    return text ? std::string_view(text) : std::string_view();
}

/* A text that lives as long as the program: it is not copied. */
struct literal {
    const char *text;
};

} // namespace detail

/* ---- error ---- */

/* A failure, thrown or in an expected. Copies share what they say, and copying never throws. Texts
 * live as long as any copy. Thread: the loop's. */
class error : public std::exception
{
  public:
    /* What a C call says: one reference more to `e`. */
    explicit error(const evpq_error *e) noexcept
        : error_(e ? evpq_error_ref(e) : nullptr), status_(evpq_error_status(e))
    {
    }
    /* A failure of the program's own, or of this header's. */
    explicit error(evpq_status status) noexcept : status_(status) {}
    error(evpq_status status, std::string message)
        : text_(std::make_shared<const std::string>(std::move(message))), status_(status)
    {
    }

    error(evpq_status status, evpq::detail::literal message) noexcept
        : literal_(message.text), status_(status)
    {
    }

    const char *what() const noexcept override
    {
        if (literal_)
            return literal_;
        if (text_)
            return text_->c_str();
        return error_.get() ? evpq_error_message(error_.get()) : evpq_status_text(status_);
    }
    std::string_view message() const noexcept { return what(); }

    evpq_status status() const noexcept { return status_; }
    evpq_outcome outcome() const noexcept
    {
        return error_.get() ? evpq_error_outcome(error_.get()) : EVPQ_OUTCOME_NOT_SENT;
    }
    /* "" where no server spoke. */
    std::string_view sqlstate() const noexcept { return evpq_error_sqlstate(error_.get()); }

    /* The fields of the server's answer; empty where it sent none. */
    std::string_view severity() const noexcept { return field(evpq_error_severity); }
    std::string_view detail() const noexcept { return field(evpq_error_detail); }
    std::string_view hint() const noexcept { return field(evpq_error_hint); }
    std::string_view context() const noexcept { return field(evpq_error_context); }
    std::string_view schema() const noexcept { return field(evpq_error_schema); }
    std::string_view table() const noexcept { return field(evpq_error_table); }
    std::string_view column() const noexcept { return field(evpq_error_column); }
    std::string_view datatype() const noexcept { return field(evpq_error_datatype); }
    std::string_view constraint() const noexcept { return field(evpq_error_constraint); }
    std::string_view sql() const noexcept { return field(evpq_error_sql); }
    int position() const noexcept { return evpq_error_position(error_.get()); }
    std::int64_t rows() const noexcept { return evpq_error_rows(error_.get()); }

    /* Borrowed while this is there; NULL where it is not from a C call. */
    const evpq_error *c_error() const noexcept { return error_.get(); }

  private:
    std::string_view field(const char *(*read)(const evpq_error *)) const noexcept
    {
        return detail::view_of(read(error_.get()));
    }

    evpq::detail::error_ref error_;
    std::shared_ptr<const std::string> text_;
    const char *literal_ = nullptr;
    evpq_status status_;
};

namespace detail
{

[[noreturn]] inline void raise(const error &e)
{
#if EVPQ_CPP_EXCEPTIONS
    throw e;
#else
    (void)e;
    std::terminate();
#endif
}

} // namespace detail

/* ---- expected ---- */

/* A value, or why there is none: the part of C++23's std::expected<T, evpq::error> that is used
 * here. It is not that class even where there is one, so that files built as C++20 and as C++23
 * fit together. */
template <class T> class [[nodiscard]] expected
{
    using stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  public:
    using value_type = T;

    expected() requires std::is_void_v<T> {}
    expected(const stored &value) requires(!std::is_void_v<T> &&
                                           std::is_copy_constructible_v<stored>)
        : v_(std::in_place_index<0>, value)
    {
    }
    expected(stored &&value) requires(!std::is_void_v<T>)
        : v_(std::in_place_index<0>, std::move(value))
    {
    }
    expected(evpq::error e) noexcept : v_(std::in_place_index<1>, std::move(e)) {}

    bool has_value() const noexcept { return v_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /* The value; throws the error where there is none (without exceptions: std::terminate). */
    std::add_lvalue_reference_t<T> value() &
    {
        check();
        return **this;
    }
    std::add_lvalue_reference_t<const T> value() const &
    {
        check();
        return **this;
    }
    T value() &&
    {
        check();
        if constexpr (!std::is_void_v<T>)
            return std::move(*std::get_if<0>(&v_));
    }

    /* The value, which has to be there. */
    std::add_lvalue_reference_t<T> operator*() noexcept
    {
        if constexpr (!std::is_void_v<T>)
            return *std::get_if<0>(&v_);
    }
    std::add_lvalue_reference_t<const T> operator*() const noexcept
    {
        if constexpr (!std::is_void_v<T>)
            return *std::get_if<0>(&v_);
    }
    stored *operator->() noexcept { return std::get_if<0>(&v_); }
    const stored *operator->() const noexcept { return std::get_if<0>(&v_); }

    /* The error, which has to be there. */
    const evpq::error &error() const noexcept { return *std::get_if<1>(&v_); }

  private:
    void check() const
    {
        if (!has_value())
            detail::raise(error());
    }

    std::variant<stored, evpq::error> v_;
};

namespace detail
{

template <class T> inline constexpr bool is_expected = false;
template <class T> inline constexpr bool is_expected<expected<T>> = true;

/* expected<T> for T, and for expected<T>. */
template <class T> struct expecting {
    using type = expected<T>;
    using value = T;
};
template <class T> struct expecting<expected<T>> {
    using type = expected<T>;
    using value = T;
};

/* A C object that a call was to give. */
template <class T> T *given(T *p, evpq_status why)
{
    if (!p)
        raise(error(why));
    return p;
}

/* The same, with the error that the call gave. */
template <class T> T *given(T *p, evpq_error *why)
{
    if (p)
        return p;
    error e(why);
    (void)evpq_error_unref(why);
    raise(e);
}

inline void check(evpq_status status)
{
    if (status != EVPQ_OK)
        raise(error(status));
}

/* Options of a C call: all zero but the size. */
template <class C> struct options : C {
    options() noexcept : C{} { this->size = sizeof(C); }
};

/* A text that ends with a zero byte, as C wants it: borrowed for the call. C would take a
 * std::string with a zero byte within for a shorter text: it is refused. */
class c_text
{
  public:
    c_text(const char *text) noexcept : text_(text) {}
    c_text(const std::string &text) noexcept
        : text_(text.c_str()), whole_(text.find('\0') == std::string::npos)
    {
    }
    /* EVPQ_INVALID: there is a zero byte within. */
    const char *get() const
    {
        if (!whole_)
            raise(cut());
        return text_;
    }
    bool whole() const noexcept { return whole_; }
    static error cut() noexcept
    {
        return error(EVPQ_INVALID, literal{"a text has a zero byte within"});
    }

  private:
    const char *text_;
    bool whole_ = true;
};

} // namespace detail

} // namespace evpq

#endif
