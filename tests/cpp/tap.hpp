/* tests/cpp/tap.hpp - tests in C++ that print TAP: each a task, on a loop and a pool of its own. */
#ifndef TESTS_CPP_TAP_HPP
#define TESTS_CPP_TAP_HPP

#include <evpq/evpq.hpp>

using namespace std::chrono_literals;

namespace tap
{

using body = evpq::task<> (*)(evpq::loop loop, evpq::pool pool);

struct test {
    test(const char *name, body run);
};

/* Notes a check of the test that runs, which goes on. */
bool check(bool good, const char *what, const char *file, int line);

/* While this is set, new finds no memory. */
extern bool no_memory;

/* Whether `try_` fails so. */
template <class T> bool fails(const evpq::expected<T> &what, evpq_status status)
{
    return !what && what.error().status() == status;
}

} // namespace tap

/* TEST(name) { ... co_return; } with `loop` and `pool`. */
#define TEST(name)                                           \
 static evpq::task<> name(evpq::loop loop, evpq::pool pool); \
 static const tap::test name##_test(#name, name);            \
 static evpq::task<> name([[maybe_unused]] evpq::loop loop, [[maybe_unused]] evpq::pool pool)

#define CHECK(...) tap::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

/* That an expression fails with a status, as an exception. */
#define CHECK_THROWS(status_, ...)                                       \
 try {                                                                   \
  (void)(__VA_ARGS__);                                                   \
  tap::check(false, #__VA_ARGS__ " does not throw", __FILE__, __LINE__); \
 } catch (const evpq::error &e_) {                                       \
  tap::check(e_.status() == (status_), e_.what(), __FILE__, __LINE__);   \
 }

#endif
