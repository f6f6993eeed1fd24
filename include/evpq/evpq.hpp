/* evpq.hpp - evpq for C++20: the C headers as classes, and coroutines that await their futures.
 *
 * Header only, over the C library: link with what `pkg-config --libs evpq` says. Beside it the C
 * headers can be used as they are; most classes give their C object by get().
 *
 *     evpq::task<> greet(evpq::pool pool)
 *     {
 *         evpq::result r = co_await pool.query("select name from customer where id = $1", 42);
 *         for (auto name : r.as<std::string_view>())
 *             std::cout << name << '\n';
 *     }
 *
 * Ownership: what C counts is shared by copies (loop, pool, future, result, error, listener ...);
 * what C owns once is move-only, and ended when it goes (lease, transaction, stream, copy_in ...).
 * No exception gets into C: the functions given to it are noexcept, and an exception that ends a
 * task comes out where the task, or its future, is awaited.
 *
 * Without exceptions (-fno-exceptions) a program uses the try_ calls, which return an expected<T>:
 * what would throw ends it, and so does memory that runs out.
 *
 * Thread: a loop and all that hangs on it belong to one thread, as in C. The manual is
 * evpq_cpp(7). */
#ifndef EVPQ_EVPQ_HPP
#define EVPQ_EVPQ_HPP

#include <evpq/cpp/args.hpp>
#include <evpq/cpp/ask.hpp>
#include <evpq/cpp/base.hpp>
#include <evpq/cpp/codec.hpp>
#include <evpq/cpp/combine.hpp>
#include <evpq/cpp/copy.hpp>
#include <evpq/cpp/future.hpp>
#include <evpq/cpp/group.hpp>
#include <evpq/cpp/listen.hpp>
#include <evpq/cpp/pool.hpp>
#include <evpq/cpp/read.hpp>
#include <evpq/cpp/result.hpp>
#include <evpq/cpp/spawn.hpp>
#include <evpq/cpp/stream.hpp>
#include <evpq/cpp/sync.hpp>
#include <evpq/cpp/task.hpp>
#include <evpq/cpp/txn.hpp>
#include <evpq/cpp/wait.hpp>

#endif
