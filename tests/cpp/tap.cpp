/* tests/cpp/tap.cpp - runs the tests: all, or those that CK_RUN_CASE names. */
#include "tests/cpp/tap.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace
{

struct entry {
    const char *name;
    tap::body run;
};

std::vector<entry> &tests()
{
    static std::vector<entry> all;
    return all;
}

int failures;

void run(const entry &test)
{
    evpq::loop loop;
    evpq::pool_opts opts;
    opts.max_size = 4;
    evpq::pool pool(loop, "", opts);
    try {
        evpq::run(loop, test.run(loop, pool));
    } catch (const evpq::error &e) {
        std::printf("# %s: %s\n", evpq_status_name(e.status()), e.what());
        failures++;
    } catch (const std::exception &e) {
        std::printf("# %s\n", e.what());
        failures++;
    }
    /* What was stopped leaves nothing running: else this does not return. */
    (void)pool.close();
    loop.run();
    evpq::pool_stats stats = pool.stats();
    tap::check(stats.busy + stats.leased + stats.waiting == 0, "nothing runs", __FILE__, __LINE__);
}

} // namespace

tap::test::test(const char *name, body run)
{
    tests().push_back({name, run});
}

bool tap::check(bool good, const char *what, const char *file, int line)
{
    if (!good) {
        std::printf("# %s:%d: %s\n", file, line, what);
        failures++;
    }
    return good;
}

int main()
{
    const char *only = std::getenv("CK_RUN_CASE");
    int number = 0, bad = 0;
    for (const entry &test : tests()) {
        if (only && *only && std::strcmp(only, test.name) != 0)
            continue;
        failures = 0;
        alarm(120); /* a test that hangs ends the program: TAP without a plan */
        run(test);
        std::printf("%s %d - %s\n", failures ? "not ok" : "ok", ++number, test.name);
        std::fflush(stdout);
        bad += failures != 0;
    }
    std::printf("1..%d\n", number);
    return bad != 0;
}
