/* it_syscalls.c - what a query asks of the kernel and of the allocator once all is warm: no more than
 * sending it and reading its answer.
 *
 * The calls of this process, libpq's and libev's with ours, pass through here and are counted.
 * Most queries are asked in batches, the next when the last of one is answered, so that what goes
 * in one write is the same on each machine; and the library's clock is held while they run, so that
 * no hiccup makes a statement count as slow. */
#undef _FORTIFY_SOURCE

#include "config.h"

#include "support/clock.h"
#include "support/oom.h"
#include "support/server.h"
#include "support/site.h"

#include "base/recycle.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

enum { CONNECTIONS = 8, DEPTH = 32, QUERIES = 2048 };

static struct counts {
    long turns; /* epoll_wait */
    long epoll_ctl, timerfd, sends;
    long reads, misses; /* recv that got something, and that did not */
    long clock;         /* the library's alone */
    long memory;        /* the library's alone: malloc and its family */
} now;

/* ---- what is counted ---- */

#define INTERPOSE __attribute__((visibility("default")))

/* The function of this name that ours stands in front of. */
static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

INTERPOSE int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
    static int (*next)(int, struct epoll_event *, int, int);
    if (!next)
        *(void **)&next = real("epoll_wait");
    now.turns++;
    return next(epoll, events, room, timeout);
}

INTERPOSE int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    static int (*next)(int, int, int, struct epoll_event *);
    if (!next)
        *(void **)&next = real("epoll_ctl");
    now.epoll_ctl++;
    return next(epoll, what, fd, event);
}

INTERPOSE int timerfd_create(clockid_t clock, int flags)
{
    static int (*next)(clockid_t, int);
    if (!next)
        *(void **)&next = real("timerfd_create");
    now.timerfd++;
    return next(clock, flags);
}

INTERPOSE int timerfd_settime(int fd, int flags, const struct itimerspec *new,
                              struct itimerspec *old)
{
    static int (*next)(int, int, const struct itimerspec *, struct itimerspec *);
    if (!next)
        *(void **)&next = real("timerfd_settime");
    now.timerfd++;
    return next(fd, flags, new, old);
}

INTERPOSE ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    if (!next)
        *(void **)&next = real("send");
    now.sends++;
    return next(fd, bytes, n, flags);
}

INTERPOSE ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, void *, size_t, int);
    if (!next)
        *(void **)&next = real("recv");
    ssize_t got = next(fd, bytes, n, flags);
    *(got > 0 ? &now.reads : &now.misses) += 1;
    return got;
}

/* ---- the queries; nothing of Check is called while they run: it allocates ---- */

typedef evpq_future *call(evpq_pool *pool, const char *sql, evpq_args args);

static struct site s;
static call *how;
static evpq_future *asked[2 * CONNECTIONS * DEPTH]; /* kept until all are answered, so that the most
                                                   that is in use at once is the same each time */
static int batch, left_of_batch, left, wrong;
static bool one_by_one; /* each answer asks for the next, whatever else is in flight */

static void answered(evpq_future *f, void *arg);

static void ask_one(evpq_future **place)
{
    *place = how(s.pool, "select $1::int", evpq_binary(EVPQ_ARGS(left--)));
    wrong += evpq_future_on_done(*place, answered, place) != EVPQ_OK;
}

static void ask(void)
{
    left_of_batch = batch;
    for (int i = 0; i < batch; i++)
        ask_one(&asked[i]);
}

static void end_batch(void)
{
    for (int i = 0; i < batch; i++)
        evpq_future_unref(asked[i]);
    if (left)
        ask();
    else
        evpq_loop_stop(s.loop);
}

static void answered(evpq_future *f, void *arg)
{
    wrong += evpq_future_status(f) != EVPQ_OK || evpq_result_rows(evpq_future_result(f)) != 1;
    if (one_by_one && left) {
        ask_one(arg);
        evpq_future_unref(f);
    } else if (!--left_of_batch) {
        end_batch();
    }
}

static struct counts run(int queries)
{
    left = queries;
    oom_fail_at(0);
    now = (struct counts){.clock = -clock_looks()};
    ask();
    evpq_loop_run(s.loop);
    now.clock += clock_looks();
    now.memory = oom_count();
    oom_end();
    ck_assert_int_eq(wrong, 0);
    return now;
}

/* What QUERIES of them cost, `in_flight` at a time, when as many have gone before. `again`: there
 * are always as many. */
static struct counts warm_cost(call *by, int in_flight, bool again)
{
    evpq_pool_opts opts = {.size = sizeof opts,
                           .min_size = CONNECTIONS,
                           .max_size = CONNECTIONS,
                           .pipeline_depth = DEPTH};
    clock_hold();
    how = by;
    s = site_open(server_conninfo(SERVER_UNIX, NULL), &opts);
    ck_assert_uint_eq(ev_backend(s.ev), EVBACKEND_EPOLL);
    evpq_future *connected = evpq_pool_connect(s.pool);
    ck_await_ok(connected);
    evpq_future_unref(connected);
    ck_assert_int_gt(now.epoll_ctl, 0);

    batch = CONNECTIONS; /* one on each: after two, it is prepared on all of them */
    one_by_one = false;
    struct counts cold = run(3 * CONNECTIONS);
    ck_assert_int_gt(cold.memory, 0);
    batch = in_flight;
    one_by_one = again;
    run(QUERIES);
    struct counts warm = run(QUERIES);
    clock_release();
    site_close(&s);
    return warm;
}

/* Whether a block that was given back is used again: not where a sanitizer watches them. */
static bool recycles(void)
{
    struct recycler *r = recycler_new();
    recycler_give(r, recycler_take(r, 1), 1);
    oom_fail_at(0);
    void *block = recycler_take(r, 1);
    bool reused = !oom_count();
    oom_end();
    recycler_give(r, block, 1);
    recycler_unref(r);
    return reused;
}

/* The time is asked for once each time that a socket is turned to, for reading or for sending, and
 * once for each query that has to wait. */
static void ck_thrifty(const struct counts *c, long sent, long waited)
{
    ck_assert_int_eq(c->epoll_ctl, 0);
    ck_assert_int_eq(c->timerfd, 0);
    ck_assert_int_le(c->misses, CONNECTIONS);           /* a look at each before the first batch */
    ck_assert_int_le(c->turns, c->reads + CONNECTIONS); /* now and then a timer of the pool's */
    ck_assert_int_le(c->clock, c->reads + sent + waited + CONNECTIONS);
    if (recycles())
        ck_assert_int_eq(c->memory, 0);
}

START_TEST(one_in_flight_is_sent_and_read)
{
    struct counts c = warm_cost(_i ? evpq_pool_read : evpq_pool_query, 1, false);
    ck_thrifty(&c, QUERIES, 0);
    ck_assert_int_eq(c.sends, QUERIES);
    ck_assert_int_eq(c.reads, QUERIES);
}
END_TEST

/* An older libpq writes at each Sync. */
START_TEST(many_in_flight_are_sent_together)
{
    struct counts c = warm_cost(evpq_pool_query, CONNECTIONS * DEPTH, false);
    ck_thrifty(&c, QUERIES / DEPTH, 0);
    ck_assert_int_le(c.sends, HAVE_PQSENDPIPELINESYNC ? QUERIES / DEPTH : QUERIES);
    ck_assert_int_le(c.reads, QUERIES);
}
END_TEST

START_TEST(reads_in_flight_are_sent_and_answered_together)
{
    struct counts c = warm_cost(evpq_pool_read, CONNECTIONS * DEPTH, false);
    ck_thrifty(&c, QUERIES / DEPTH, 0);
    ck_assert_int_eq(c.sends, QUERIES / DEPTH);
    ck_assert_int_eq(c.reads, QUERIES / DEPTH);
}
END_TEST

/* What the answers of one read ask for is sent at once, on the line that was read. */
START_TEST(what_answers_ask_for_is_sent_with_each_read)
{
    struct counts c = warm_cost(_i ? evpq_pool_read : evpq_pool_query, CONNECTIONS * DEPTH, true);
    ck_thrifty(&c, c.reads + CONNECTIONS, 0);
    if (_i || HAVE_PQSENDPIPELINESYNC) {
        ck_assert_int_le(c.sends, c.reads + CONNECTIONS);
        ck_assert_int_le(c.sends, (c.turns + 1) * CONNECTIONS);
    }
    ck_assert_int_le(c.sends, QUERIES);
    ck_assert_int_le(c.reads, QUERIES);
}
END_TEST

/* Half of them, for the other half to make room. */
START_TEST(what_has_to_wait_costs_one_look_at_the_clock)
{
    struct counts c = warm_cost(evpq_pool_query, 2 * CONNECTIONS * DEPTH, false);
    ck_thrifty(&c, c.reads + CONNECTIONS * QUERIES / batch, QUERIES / 2);
    ck_assert_int_le(c.sends, QUERIES);
    ck_assert_int_le(c.reads, QUERIES);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("thrift");
    CHECK_ADD_LOOP(c, one_in_flight_is_sent_and_read, 2);
    CHECK_ADD(c, many_in_flight_are_sent_together);
    CHECK_ADD(c, reads_in_flight_are_sent_and_answered_together);
    CHECK_ADD_LOOP(c, what_answers_ask_for_is_sent_with_each_read, 2);
    CHECK_ADD(c, what_has_to_wait_costs_one_look_at_the_clock);
    return check_end(c);
}
