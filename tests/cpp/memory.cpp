/* tests/cpp/memory.cpp - operator new, which finds no memory where a test says so. (On its own: compilers that see both
 * new and delete take malloc and free for a mistake.) */
#include "tests/cpp/tap.hpp"

#include <cstdlib>

bool tap::no_memory;

void *operator new(std::size_t n)
{
    void *p = tap::no_memory ? nullptr : std::malloc(n ? n : 1);
    if (!p)
        throw std::bad_alloc();
    return p;
}

void *operator new(std::size_t n, const std::nothrow_t &) noexcept
{
    return tap::no_memory ? nullptr : std::malloc(n ? n : 1);
}

void operator delete(void *p) noexcept
{
    std::free(p);
}

void operator delete(void *p, std::size_t) noexcept
{
    std::free(p);
}

void operator delete(void *p, const std::nothrow_t &) noexcept
{
    std::free(p);
}
