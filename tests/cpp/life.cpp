/* tests/cpp/life.cpp - what goes while something still points at it. */
#include "tests/cpp/tap.hpp"

#include <functional>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

/* Views and tasks of what goes with the statement do not compile. */
static_assert(!std::is_constructible_v<evpq::result_view, evpq::result>);
static_assert(!std::is_assignable_v<evpq::result_view &, evpq::result>);
static_assert(!std::is_constructible_v<evpq::lease_view, evpq::lease>);
static_assert(!std::is_assignable_v<evpq::lease_view &, evpq::lease>);
template <class C>
concept writes = requires(C c)
{
    static_cast<C &&>(c).row(1);
    static_cast<C &&>(c).write("text");
};
static_assert(writes<evpq::copy_in &> && !writes<evpq::copy_in>);

struct ending {
    int *ended;
    ~ending()
    {
        ++*ended;
    }
};

static evpq::task<int> after(evpq::loop loop, evpq::seconds time, int *ended)
{
    ending at_end{ended};
    co_await evpq::sleep(loop, time);
    co_return 7;
}

/* ---- tasks ---- */

TEST(what_awaits_a_task_owns_it)
{
    int ended = 0;
    std::optional<evpq::task<int>> kept = after(loop, 10ms, &ended);
    auto on = [](std::optional<evpq::task<int>> *t) -> evpq::task<int> {
        co_return co_await *std::move(*t);
    };
    auto f = evpq::spawn(loop, on(&kept));
    co_await evpq::sleep(loop, 0s);
    kept.reset();
    CHECK(ended == 0);
    auto r = co_await f.timeout(5s).try_();
    CHECK(r && *r == 7 && ended == 1);
}

TEST(a_task_is_awaited_once)
{
    int ended = 0;
    auto once = after(loop, 0s, &ended);
    CHECK(co_await std::move(once) == 7);
    CHECK_THROWS(EVPQ_INVALID, co_await std::move(once));
    auto moved = after(loop, 0s, &ended);
    auto to = std::move(moved);
    CHECK(tap::fails(co_await std::move(moved).try_(), EVPQ_INVALID));
    CHECK_THROWS(EVPQ_INVALID, evpq::spawn(loop, std::move(moved)));
    CHECK(co_await std::move(to) == 7 && ended == 2);
}

TEST(assigning_ends_what_it_was)
{
    evpq::loop l = loop;
    auto held = [](std::shared_ptr<int> x) -> evpq::task<> {
        ++*x;
        co_return;
    };
    auto first = std::make_shared<int>(), second = std::make_shared<int>();
    auto task = held(first), other = held(second);
    CHECK(first.use_count() == 2);
    task = std::move(other);
    CHECK(first.use_count() == 1 && second.use_count() == 2);
    co_await std::move(task);
    CHECK(*first == 0 && *second == 1);

    evpq::promise<int> a(l), b(l);
    auto dropped = a.get_future(), kept = b.get_future();
    a = std::move(b);
    CHECK(dropped.status() == EVPQ_CANCELED);
    CHECK(a.set(1));
    CHECK(co_await kept == 1);

    evpq::lease one = co_await pool.acquire(), two = co_await pool.acquire();
    CHECK(pool.stats().leased == 2);
    one = std::move(two);
    for (int i = 0; pool.stats().leased > 1 && i < 5000; i++)
        co_await evpq::sleep(loop, 1ms);
    CHECK(pool.stats().leased == 1);
    co_await one.query("select 1");

    co_await pool.query("drop table if exists cpp_assigned");
    co_await pool.query("create table cpp_assigned (a int)");
    evpq::transaction x = co_await pool.begin(), y = co_await pool.begin();
    co_await x.query("lock table cpp_assigned");
    x = std::move(y);
    co_await x.query("set local lock_timeout = '20s'");
    co_await x.query("lock table cpp_assigned"); /* the first has been rolled back */
    co_await x.commit();
}

TEST(what_was_moved_from_shows_nothing)
{
    auto r = co_await pool.query("select 5");
    evpq::result to = std::move(r);
    CHECK(r.empty() && r.columns() == 0 && !r.get());
    r = std::move(to);
    CHECK(to.empty() && r[0].as<int>() == 5);

    evpq::listener listener(loop, "");
    auto jobs = listener.subscribe("cpp_life");
    co_await jobs.ready();
    co_await pool.notify("cpp_life", "word");
    evpq::notification n = co_await jobs.next();
    evpq::notification moved = std::move(n);
    CHECK(n.payload().empty() && moved.payload() == "word");

    /* Rows that a result which goes is read into keep it. */
    int sum = 0;
    for (int i : (co_await pool.query("select generate_series(1, 3)")).as<int>())
        sum += i;
    CHECK(sum == 6);
}

/* ---- groups ---- */

/* The frame of a task goes at its end, and what it was given with it. */
TEST(a_group_goes_at_the_end_of_its_task)
{
    int ended = 0;
    auto group = std::make_shared<evpq::group>(loop);
    auto last = [](evpq::loop l, std::shared_ptr<evpq::group>) -> evpq::task<> {
        co_await evpq::sleep(l, 1ms);
    };
    auto other = group->spawn(after(loop, 100s, &ended));
    auto f = group->spawn(last(loop, group));
    group.reset();
    co_await f;
    CHECK(ended == 1 && tap::fails(other.try_value(), EVPQ_CANCELED));
}

/* In a process of its own: it is ended, with a message. */
TEST(a_task_cannot_destroy_what_it_runs_in)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        evpq::loop own;
        auto *group = new evpq::group(own);
        (void)group->spawn([](evpq::group *g) -> evpq::task<> {
            delete g;
            co_return;
        }(group));
        own.run();
        _exit(0);
    }
    close(fds[1]);
    std::string said;
    char piece[512];
    for (ssize_t n; (n = read(fds[0], piece, sizeof piece)) > 0;)
        said.append(piece, static_cast<std::size_t>(n));
    close(fds[0]);
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    CHECK(said.find("a task has destroyed its own group") != said.npos);
    co_return;
}

/* What a stop drops may end others of the group, and the group. */
struct calls {
    std::function<void()> *what;
    ~calls()
    {
        if (what)
            (*what)();
    }
    explicit calls(std::function<void()> *w) : what(w)
    {
    }
    calls(calls &&other) noexcept : what(std::exchange(other.what, nullptr))
    {
    }
};

TEST(a_group_goes_while_it_asks_its_tasks_to_stop)
{
    int ended = 0, asked = 0;
    evpq::channel<calls> full(loop, 0);
    auto group = std::make_unique<evpq::group>(loop);
    std::function<void()> drop = [&] {
        asked++;
        group.reset();
    };
    auto send = [](evpq::channel<calls> c, std::function<void()> *f) -> evpq::task<> {
        co_await c.send(calls(f));
    };
    (void)group->spawn(after(loop, 100s, &ended));
    (void)group->spawn(send(full, &drop));
    (void)group->spawn(after(loop, 100s, &ended));
    co_await evpq::sleep(loop, 1ms);
    group->stop();
    CHECK(asked == 1 && !group && ended == 2);
}

/* ---- awaitables of the program's ---- */

struct event {
    std::vector<std::coroutine_handle<>> waiting;

    struct awaiter {
        event *of;
        bool await_ready() const noexcept
        {
            return false;
        }
        void await_suspend(std::coroutine_handle<> h) const
        {
            of->waiting.push_back(h);
        }
        void await_resume() const noexcept
        {
        }
    };
    awaiter operator co_await() noexcept
    {
        return {this};
    }
    void set()
    {
        for (auto h : std::exchange(waiting, {}))
            h.resume();
    }
};

/* Its frame is in use until the call that resumed it has returned. */
TEST(a_task_that_the_program_resumes_ends_from_the_loop)
{
    event now;
    int ended = 0;
    auto on = [](event *e, int *end) -> evpq::task<int> {
        ending at_end{end};
        co_await *e;
        co_return 3;
    };
    auto f = evpq::spawn(loop, on(&now, &ended));
    co_await evpq::sleep(loop, 1ms);
    now.set();
    CHECK(ended == 1 && !f.settled());
    CHECK(co_await f == 3);
    {
        evpq::group g(loop);
        (void)g.spawn(on(&now, &ended));
        co_await evpq::sleep(loop, 1ms);
        now.set();
    } /* between its end and the loop's turn */
    CHECK(ended == 2);
}
