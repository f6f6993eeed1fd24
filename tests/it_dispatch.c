/* it_dispatch.c - which line a query rides on, and how much rides there, by the pool's own books. The
 * library's clock is held, so that no hiccup makes a statement slow or a line overdue. */
#include "support/clock.h"
#include "support/pools.h"
#include "support/proxy.h"

#include "pool/pool.h"
#include "words/error.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 128, MOST = 4 * DEPTH + 1, SHARED_BYTES = 256 * 1024 };

static const char sql[] = "select $1::int, length($2::text)";

/* ---- the books ---- */

static struct conn *line_of(const evpq_future *f)
{
    return container_of(f, struct query, future)->conn;
}

static int depth_of(const struct conn *c)
{
    return pipeline_depth(&c->pipeline);
}

/* The line that was answered last is one to ride on, if it is remembered at all. */
static void look(void)
{
    bool found = false;
    if (!pool || !pool->warm)
        return;
    list_each(node, &pool->conns[POOL_CONN_SHARED])
        found |= container_of(node, struct pool_conn, node) == pool->warm;
    ck_assert_msg(found, "the warm line is none that is shared");
}

/* Between the fullest line and the emptiest, of those that run anything. */
static int spread(void)
{
    int least = MOST, most = 0;
    look();
    list_each(node, &pool->conns[POOL_CONN_SHARED]) {
        int depth = depth_of(&container_of(node, struct pool_conn, node)->conn);
        least = depth < least ? depth : least;
        most = depth > most ? depth : most;
    }
    return most - least;
}

/* ---- the queries ---- */

static struct asked {
    evpq_future *f;
    struct conn *pipeline; /* when it was asked for */
    int calls;
    evpq_status status;
} asked[MOST];
static int n_asked;

static char *text; /* their second parameter */

/* What the next answers are used for; called after each was checked. */
static void (*then)(struct asked *a);

static void answered(evpq_future *f, void *arg)
{
    struct asked *a = arg;
    int i = (int)(a - asked);
    a->calls++;
    a->status = evpq_future_status(f);
    if (a->status == EVPQ_OK) {
        const evpq_result *r = evpq_future_result(f);
        ck_assert_int_eq(evpq_result_int4(r, 0, 0), i);
        ck_assert_uint_eq((size_t)evpq_result_int8(r, 0, 1), strlen(text));
    }
    look();
    if (then)
        then(a);
}

static struct asked *ask_one(void)
{
    struct asked *a = &asked[n_asked];
    ck_assert_int_lt(n_asked, MOST);
    *a = (struct asked){.status = EVPQ_PENDING};
    a->f = evpq_pool_query(pool, sql, EVPQ_ARGS(n_asked, text));
    a->pipeline = line_of(a->f);
    n_asked++;
    ck_assert_int_eq(evpq_future_on_done(a->f, answered, a), EVPQ_OK);
    look();
    return a;
}

static void ask_for(int n)
{
    while (n--)
        ask_one();
}

static bool all_answered(void)
{
    look();
    for (int i = 0; i < n_asked; i++)
        if (!asked[i].calls)
            return false;
    return true;
}

/* Each was told once. Returns how many were not answered. */
static int ck_all_answered(void)
{
    int failures = 0;
    ck_until(all_answered());
    for (int i = 0; i < n_asked; i++) {
        ck_assert_int_eq(asked[i].calls, 1);
        failures += asked[i].status != EVPQ_OK;
        evpq_future_unref(asked[i].f);
    }
    n_asked = 0;
    then = NULL;
    return failures;
}

/* A pool of so many open connections, each of which knows the statement to be quick. */
static void open_lanes_at(const char *conninfo, int n, size_t length)
{
    text = calloc(1, length + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', length);
    n_asked = 0;
    then = NULL;
    clock_hold();
    open_pool_at(conninfo, .min_size = n, .max_size = n, .pipeline_depth = DEPTH);
    ck_done(evpq_pool_connect(pool));
    for (int round = 0; round < 2; round++) {
        ask_for(n); /* one on each */
        ck_assert_int_eq(ck_all_answered(), 0);
    }
    ck_quiet();
    ck_assert_int_eq(stats().idle, n);
    ck_assert_ptr_null(pool->warm);
}

static void open_lanes(int n)
{
    open_lanes_at(server_conninfo(SERVER_UNIX, NULL), n, 10);
}

static void end_lanes(void)
{
    pools_end();
    clock_release();
    free(text);
}

/* ---- how much ---- */

static size_t most_bytes;
static int most_depth;

static void note_load(struct asked *a)
{
    (void)a;
    list_each(node, &pool->conns[POOL_CONN_SHARED]) {
        const struct conn *c = &container_of(node, struct pool_conn, node)->conn;
        most_bytes = c->pipeline.bytes > most_bytes ? c->pipeline.bytes : most_bytes;
        most_depth = depth_of(c) > most_depth ? depth_of(c) : most_depth;
    }
}

/* As many as depth allows of small ones, but of large ones no more than fill the buffers on the
 * way. */
START_TEST(f27_bytes_in_flight_are_bounded)
{
    enum { QUERIES = 2 * DEPTH };
    size_t length = _i ? 100 * 1000 : 10;
    open_lanes_at(server_conninfo(_i == 2 ? SERVER_TCP : SERVER_UNIX, NULL), 1, length);
    then = note_load;
    most_bytes = 0;
    most_depth = 0;
    for (int i = 0; i < QUERIES; i++)
        note_load(ask_one());
    ck_assert_int_eq(stats().waiting, QUERIES - most_depth);
    size_t one = container_of(asked[0].f, struct query, future)->op.size;
    ck_assert_uint_ge(one, length);
    ck_assert_int_eq(ck_all_answered(), 0);
    ck_assert_uint_eq(most_bytes, (size_t)most_depth * one);
    ck_assert_uint_lt(most_bytes, SHARED_BYTES + one);
    if (_i)
        ck_assert_uint_ge(most_bytes, SHARED_BYTES); /* it is used, too */
    else
        ck_assert_int_eq(most_depth, DEPTH);
    end_lanes();
}
END_TEST

/* ---- which ---- */

START_TEST(a_burst_is_spread_evenly)
{
    int n = _i + 2;
    open_lanes(n);
    for (int burst = 1; burst < 3 * n; burst++) {
        for (int i = 0; i < burst; i++) {
            ask_one();
            ck_assert_int_eq(pool->count[POOL_CONN_SHARED], i < n ? i + 1 : n); /* the idle first */
            ck_assert_int_le(spread(), 1);
        }
        ck_assert_int_eq(ck_all_answered(), 0);
        ck_quiet();
        ck_assert_ptr_null(pool->warm);
    }
    ask_for(n * DEPTH);
    ck_assert_int_eq(spread(), 0);
    ck_assert_int_eq(stats().waiting, 0);
    ck_assert_ptr_null(ask_one()->pipeline); /* all are full */
    ck_assert_int_eq(stats().waiting, 1);
    ck_assert_int_eq(ck_all_answered(), 0);
    end_lanes();
}
END_TEST

enum { ON_EACH = 10 };

static int rounds;

/* What was answered leaves room on its line, and what it asks for goes there. */
static void ask_again(struct asked *a)
{
    if (rounds-- <= 0)
        return;
    ck_assert_ptr_eq(pool->warm, a->pipeline);
    ck_assert_int_eq(depth_of(a->pipeline), ON_EACH - 1);
    ck_assert_int_eq(spread(), 1);
    ck_assert_ptr_eq(ask_one()->pipeline, a->pipeline);
    ck_assert_int_eq(spread(), 0);
}

START_TEST(the_line_that_was_answered_is_filled_again)
{
    int n = _i + 2;
    open_lanes(n);
    then = ask_again;
    rounds = 20 * ON_EACH;
    ask_for(n * ON_EACH);
    ck_assert_int_eq(spread(), 0);
    ck_assert_int_eq(ck_all_answered(), 0);
    end_lanes();
}
END_TEST

/* And when it asks for more than there is room for, all take their share. */
static void ask_for_many(struct asked *a)
{
    if (rounds-- <= 0)
        return;
    ck_assert_ptr_eq(ask_one()->pipeline, a->pipeline);
    for (int i = 1; i <= 20; i++) {
        ask_one();
        ck_assert_int_le(spread(), 1);
    }
}

START_TEST(a_burst_from_a_callback_is_spread_evenly)
{
    int n = _i % 3 + 2;
    open_lanes(n);
    then = ask_for_many;
    rounds = 1;
    ask_for(n * ON_EACH + _i / 3); /* whichever line's turn it is then */
    ck_assert_int_eq(ck_all_answered(), 0);
    end_lanes();
}
END_TEST

/* ---- the one that was answered last ---- */

START_TEST(a_leased_line_takes_no_riders)
{
    open_lanes(1);
    ask_for(ON_EACH);
    ck_assert_int_eq(ck_all_answered(), 0);
    evpq_lease *lease = lease_get();
    exec_on(lease, "begin");
    ck_assert_ptr_null(ask_one()->pipeline);
    ck_assert_int_eq(stats().waiting, 1);
    exec_on(lease, "commit");
    ck_assert_int_eq(asked[0].calls, 0);
    evpq_lease_release(lease);
    ck_assert_int_eq(ck_all_answered(), 0);
    end_lanes();
}
END_TEST

/* All that is on the line that was answered. */
static void cancel_neighbours(struct asked *a)
{
    if (rounds-- <= 0)
        return;
    ck_assert_ptr_eq(pool->warm, a->pipeline);
    for (int i = 0; i < n_asked; i++)
        if (asked[i].pipeline == a->pipeline)
            evpq_future_cancel(asked[i].f);
    for (int i = 0; i < ON_EACH; i++)
        ck_assert_ptr_ne(ask_one()->pipeline, a->pipeline);
}

START_TEST(a_canceled_line_takes_no_riders)
{
    int n = _i + 1;
    open_lanes(n);
    then = cancel_neighbours;
    rounds = 1;
    ask_for(n * ON_EACH);
    ck_assert_int_eq(ck_all_answered(), ON_EACH - 1);
    ck_quiet();
    ck_assert_uint_eq(stats().lost, 0);
    end_lanes();
}
END_TEST

/* What was not sent behind it goes another way at once. */
START_TEST(who_was_not_sent_leaves_a_canceled_line)
{
    struct proxy *proxy = server_proxy();
    open_lanes_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), 1, 10);
    proxy_stall(proxy, PROXY_TO_SERVER, true);
    struct asked *sent = ask_one();
    ck_until(sent->pipeline->pipeline.n_sent == 1);
    struct asked *behind = ask_one();
    ck_assert_ptr_eq(behind->pipeline, sent->pipeline);
    evpq_future_cancel(sent->f);
    ck_assert_ptr_null(line_of(behind->f));
    ck_assert_int_eq(stats().waiting, 1);
    proxy_stall(proxy, PROXY_TO_SERVER, false);
    ck_assert_int_eq(ck_all_answered(), 1);
    ck_assert_uint_eq(stats().lost, 0);
    end_lanes();
    proxy_stop(proxy);
}
END_TEST

static void lose_line(struct asked *a)
{
    if (rounds-- <= 0)
        return;
    ck_assert_ptr_eq(pool->warm, a->pipeline);
    conn_kill(a->pipeline, error_nomem());
    ck_assert_ptr_null(pool->warm);
    for (int i = 0; i < ON_EACH; i++)
        ck_assert_ptr_ne(ask_one()->pipeline, a->pipeline);
}

START_TEST(a_lost_line_takes_no_riders)
{
    int n = _i + 1;
    open_lanes(n);
    then = lose_line;
    rounds = 1;
    ask_for(n * ON_EACH);
    ck_assert_int_eq(ck_all_answered(), ON_EACH - 1);
    ck_assert_uint_eq(stats().lost, 1);
    end_lanes();
}
END_TEST

/* As the loop finds out later, when others ride behind already. */
static void kill_line(struct asked *a)
{
    if (rounds-- <= 0)
        return;
    server_exec(strf("select pg_terminate_backend(%d, 30000)", conn_backend_pid(a->pipeline)));
    ask_for(3 * ON_EACH);
}

START_TEST(riders_of_a_line_that_dies_are_told_once)
{
    int n = _i + 1;
    open_lanes(n);
    then = kill_line;
    rounds = 1;
    ask_for(n * ON_EACH);
    ck_assert_int_le(ck_all_answered(), 4 * ON_EACH);
    ck_until(stats().lost == 1);
    look();
    ask_for(n * ON_EACH);
    ck_assert_int_eq(ck_all_answered(), 0);
    end_lanes();
}
END_TEST

/* F13: those whose line is lost before they were sent stand in the queue in the order in which they
 * were asked for, and nobody longer than who came later. */
START_TEST(f13_after_a_lost_line_nobody_overstays)
{
    open_lanes(1);
    ask_for(3);
    evpq_future *lease = evpq_pool_acquire(pool);
    struct conn *pipeline = asked[0].pipeline;
    ck_assert_int_eq(depth_of(pipeline), 3);
    conn_kill(pipeline, error_nomem());
    ck_assert_int_eq(stats().waiting, 4);
    struct queue_place *last = NULL;
    int n = 0;
    list_each(node, &pool->waiting) {
        struct queue_place *place = container_of(node, struct queue_place, node);
        ck_assert(!last || (last->ticket < place->ticket && last->deadline <= place->deadline));
        ck_assert_int_eq(place->for_lease, n++ == 3);
        last = place;
    }
    ck_assert_int_eq(ck_all_answered(), 0);
    ck_done(lease);
    end_lanes();
}
END_TEST

static double patience;

static void close_pool(struct asked *a)
{
    (void)a;
    if (rounds-- <= 0)
        return;
    evpq_future_unref(evpq_pool_close(pool, patience));
    struct asked *late = ask_one();
    ck_future_status(late->f, EVPQ_CLOSED);
}

START_TEST(a_pool_that_closes_takes_no_riders)
{
    open_lanes(2);
    then = close_pool;
    rounds = 1;
    patience = _i ? 0 : -1;
    ask_for(2 * ON_EACH);
    ck_until(all_answered());
    ck_assert_int_eq(asked[2 * ON_EACH].status, EVPQ_CLOSED);
    for (int i = 0; i < 2 * ON_EACH; i++)
        ck_assert(asked[i].status == EVPQ_OK || (_i && asked[i].status == EVPQ_CLOSED));
    ck_all_answered();
    ck_until(!stats_total());
    ck_assert_ptr_null(pool->warm);
    end_lanes();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("dispatch");
    CHECK_ADD_LOOP(c, f27_bytes_in_flight_are_bounded, 3);
    CHECK_ADD_LOOP(c, a_burst_is_spread_evenly, 3);
    CHECK_ADD_LOOP(c, the_line_that_was_answered_is_filled_again, 3);
    CHECK_ADD_LOOP(c, a_burst_from_a_callback_is_spread_evenly, 12);
    CHECK_ADD(c, a_leased_line_takes_no_riders);
    CHECK_ADD_LOOP(c, a_canceled_line_takes_no_riders, 3);
    CHECK_ADD(c, who_was_not_sent_leaves_a_canceled_line);
    CHECK_ADD_LOOP(c, a_lost_line_takes_no_riders, 3);
    CHECK_ADD_LOOP(c, riders_of_a_line_that_dies_are_told_once, 3);
    CHECK_ADD(c, f13_after_a_lost_line_nobody_overstays);
    CHECK_ADD_LOOP(c, a_pool_that_closes_takes_no_riders, 2);
    return check_end(c);
}
