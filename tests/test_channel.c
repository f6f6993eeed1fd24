/* test_channel.c - items reach one receiver each, in the order in which they were sent, or go to
 * free_item. Random schedules of it: test_channel_schedules.c. */
#include "async/future.h"

#include "support/check.h"
#include "support/oom.h"
#include "support/seen.h"

#include <evpq/sync.h>

enum { ITEMS = 64 };

static evpq_loop *loop;
static char things[ITEMS]; /* items are addresses in here */
static int freed[ITEMS], frees;

static void free_thing(void *item)
{
    freed[(char *)item - things]++;
    frees++;
}

static evpq_channel *setup(size_t capacity)
{
    loop = evpq_loop_new(NULL);
    return evpq_channel_new(loop, capacity, free_thing);
}

static void teardown(evpq_channel *c)
{
    evpq_channel_unref(c);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

static evpq_future *send(evpq_channel *c, int i)
{
    return evpq_channel_send(c, &things[i]);
}

static void push(evpq_channel *c, int i)
{
    evpq_future_unref(send(c, i));
}

static evpq_future *receive(evpq_channel *c)
{
    return evpq_channel_receive(c);
}

static int take(evpq_future *f)
{
    char *item = evpq_channel_item(f);
    return item ? (int)(item - things) : -1;
}

/* Of a receive that is done at once. */
static int pull(evpq_channel *c)
{
    evpq_future *f = receive(c);
    ck_future_ok(f);
    int i = take(f);
    evpq_future_unref(f);
    return i;
}

/* ---- sending and receiving ---- */

START_TEST(what_is_sent_is_received_in_order)
{
    evpq_channel *c = setup(3);
    for (int i = 0; i < 3; i++)
        push(c, i);
    ck_assert_uint_eq(evpq_channel_count(c), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pull(c), i);
    ck_assert_uint_eq(evpq_channel_count(c), 0);
    ck_assert_int_eq(frees, 0);
    teardown(c);
}
END_TEST

START_TEST(a_send_waits_for_room)
{
    evpq_channel *c = setup(1);
    evpq_future *a = send(c, 0), *b = send(c, 1), *d = send(c, 2);
    ck_future_ok(a);
    ck_future_pending(b);
    ck_assert_uint_eq(evpq_channel_count(c), 1);
    ck_assert_int_eq(pull(c), 0);
    ck_future_ok(b);
    ck_future_pending(d);
    ck_assert_int_eq(pull(c), 1);
    ck_future_ok(d);
    ck_assert_int_eq(pull(c), 2);
    evpq_future_unref(a);
    evpq_future_unref(b);
    evpq_future_unref(d);
    teardown(c);
}
END_TEST

START_TEST(receivers_are_served_in_the_order_in_which_they_came)
{
    evpq_channel *c = setup((size_t)_i);
    evpq_future *r[3];
    for (int i = 0; i < 3; i++)
        r[i] = receive(c);
    for (int i = 0; i < 3; i++) {
        ck_future_pending(r[i]);
        push(c, i);
        ck_future_ok(r[i]);
        ck_assert_int_eq(take(r[i]), i);
        evpq_future_unref(r[i]);
    }
    ck_assert_uint_eq(evpq_channel_count(c), 0);
    teardown(c);
}
END_TEST

START_TEST(without_capacity_a_send_is_done_when_it_is_received)
{
    evpq_channel *c = setup(0);
    evpq_future *a = send(c, 0), *b = send(c, 1);
    ck_future_pending(a);
    ck_assert_uint_eq(evpq_channel_count(c), 0);
    ck_assert_int_eq(pull(c), 0);
    ck_future_ok(a);
    ck_future_pending(b);
    evpq_future_unref(b); /* let go of, it is still sent */
    ck_assert_int_eq(pull(c), 1);
    evpq_future_unref(a);
    teardown(c);
}
END_TEST

START_TEST(settling_calls_nobody_yet)
{
    evpq_channel *c = setup(0);
    struct seen sent, received;
    evpq_future *r = receive(c);
    seen_watch(r, &received);
    evpq_future *s = send(c, 0);
    seen_watch(s, &sent);
    ck_future_ok(r);
    ck_assert_int_eq(received.calls, 0);
    evpq_loop_run(loop);
    ck_assert_int_eq(received.calls, 1);
    ck_assert_int_eq(sent.calls, 1);
    evpq_future_unref(r);
    evpq_future_unref(s);
    teardown(c);
}
END_TEST

START_TEST(an_item_is_given_once_and_only_by_a_receive)
{
    evpq_channel *c = setup(1);
    evpq_future *s = send(c, 0), *r = receive(c), *waits = receive(c);
    ck_assert_ptr_null(evpq_channel_item(s));
    ck_assert_ptr_null(evpq_channel_item(waits));
    ck_assert_ptr_null(evpq_channel_item(NULL));
    ck_assert_ptr_null(evpq_channel_item(future_constant(EVPQ_NOMEM)));
    ck_assert_ptr_null(evpq_future_value(r));
    ck_assert_ptr_eq(evpq_channel_item(r), &things[0]);
    ck_assert_ptr_null(evpq_channel_item(r));
    evpq_future_unref(s);
    evpq_future_unref(r);
    ck_assert_uint_eq(evpq_channel_count(c), 0);
    evpq_future_cancel(waits);
    evpq_future_unref(waits);
    teardown(c);
}
END_TEST

START_TEST(an_item_is_taken_through_what_follows_its_receive)
{
    evpq_channel *c = setup(1);
    evpq_future *f = evpq_shield(evpq_timeout(receive(c), 1e6));
    push(c, 7);
    ck_await_ok(f);
    ck_assert_int_eq(take(f), 7);
    ck_assert_int_eq(take(f), -1);
    evpq_future_unref(f);
    teardown(c);
}
END_TEST

/* ---- nothing is lost ---- */

START_TEST(a_canceled_receive_takes_nothing)
{
    evpq_channel *c = setup(1);
    evpq_future *a = receive(c), *b = receive(c);
    evpq_future_cancel(a);
    ck_future_status(a, EVPQ_CANCELED);
    push(c, 0);
    ck_future_ok(b);
    evpq_future_cancel(b);
    ck_assert_int_eq(take(b), 0);
    evpq_future_unref(a);
    evpq_future_unref(b);
    teardown(c);
}
END_TEST

START_TEST(a_receive_that_was_let_go_of_takes_nothing)
{
    evpq_channel *c = setup(1);
    evpq_future_unref(receive(c));
    evpq_future *b = receive(c);
    evpq_future_unref(receive(c));
    push(c, 0);
    ck_assert_int_eq(take(b), 0);
    push(c, 1);
    ck_assert_uint_eq(evpq_channel_count(c), 1);
    evpq_future_unref(b);
    teardown(c);
    ck_assert_int_eq(frees, 1);
}
END_TEST

START_TEST(what_nobody_takes_goes_back_to_the_front)
{
    evpq_channel *c = setup(2);
    for (int i = 0; i < 4; i++)
        push(c, i);
    evpq_future *r = receive(c);
    ck_future_ok(r);
    evpq_future_unref(r);
    ck_assert_uint_eq(evpq_channel_count(c), 3); /* one more than there is room for */
    evpq_future *s = send(c, 4);
    for (int i = 0; i < 3; i++) {
        ck_future_pending(s);
        ck_assert_int_eq(pull(c), i);
    }
    ck_future_ok(s);
    ck_assert_int_eq(pull(c), 3);
    ck_assert_int_eq(pull(c), 4);
    evpq_future_unref(s);
    teardown(c);
}
END_TEST

START_TEST(in_whichever_order_they_come_back_they_stand_in_their_own)
{
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};
    evpq_channel *c = setup(8);
    evpq_future *r[4];
    for (int i = 0; i < 6; i++)
        push(c, i);
    for (int i = 0; i < 4; i++)
        r[i] = receive(c);
    for (int i = 0; i < 4; i++)
        evpq_future_unref(r[orders[_i][i]]);
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(pull(c), i);
    teardown(c);
}
END_TEST

START_TEST(what_nobody_takes_goes_to_who_waits)
{
    evpq_channel *c = setup((size_t)_i);
    evpq_future *a = receive(c), *b = receive(c);
    push(c, 0);
    ck_future_ok(a);
    ck_future_pending(b);
    evpq_future_unref(a);
    ck_future_ok(b);
    ck_assert_int_eq(take(b), 0);
    evpq_future_unref(b);
    teardown(c);
}
END_TEST

START_TEST(the_losers_of_a_race_give_theirs_back_in_order)
{
    evpq_channel *c = setup(4);
    evpq_future *members[3];
    for (int i = 0; i < 3; i++)
        push(c, i);
    for (int i = 0; i < 3; i++)
        members[i] = receive(c);
    evpq_future *race = evpq_race(members, 3);
    ck_await_ok(race);
    ck_assert_int_eq(take(race), 0);
    evpq_future_unref(race);
    ck_assert_int_eq(pull(c), 1);
    ck_assert_int_eq(pull(c), 2);
    teardown(c);
}
END_TEST

START_TEST(an_item_that_comes_with_the_cancel_is_not_lost)
{
    evpq_channel *c = setup(1);
    evpq_future *f = evpq_timeout(receive(c), 1e6);
    push(c, 0);
    ck_future_pending(f); /* it has not been told yet */
    evpq_future_cancel(f);
    ck_future_status(f, EVPQ_CANCELED);
    ck_assert_ptr_null(evpq_channel_item(f));
    evpq_future_unref(f);
    ck_assert_int_eq(pull(c), 0);
    teardown(c);
}
END_TEST

START_TEST(a_canceled_send_is_not_sent_and_its_item_is_freed)
{
    evpq_channel *c = setup(1);
    push(c, 0);
    evpq_future *a = send(c, 1), *b = send(c, 2);
    evpq_future_cancel(a);
    ck_future_status(a, EVPQ_CANCELED);
    ck_assert_int_eq(evpq_error_outcome(evpq_future_error(a)), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(freed[1], 1);
    ck_assert_int_eq(pull(c), 0);
    evpq_future_cancel(b); /* it has been sent */
    ck_assert_int_eq(pull(c), 2);
    ck_assert_int_eq(frees, 1);
    evpq_future_unref(a);
    evpq_future_unref(b);
    teardown(c);
}
END_TEST

/* ---- the end ---- */

START_TEST(a_closed_channel_takes_no_more_and_gives_what_it_has)
{
    evpq_channel *c = setup(1);
    evpq_future *in = send(c, 0), *waits = send(c, 1);
    evpq_channel_close(c);
    evpq_channel_close(c);
    evpq_future *late = send(c, 2);
    ck_future_ok(in);
    ck_future_status(waits, EVPQ_CLOSED);
    ck_future_status(late, EVPQ_CLOSED);
    ck_assert_str_eq(evpq_error_message(evpq_future_error(late)), "the channel is closed");
    ck_assert(freed[1] == 1 && freed[2] == 1 && frees == 2);
    ck_assert_int_eq(pull(c), 0);
    evpq_future *r = receive(c);
    ck_future_status(r, EVPQ_CLOSED);
    evpq_future_unref(in);
    evpq_future_unref(waits);
    evpq_future_unref(late);
    evpq_future_unref(r);
    teardown(c);
}
END_TEST

START_TEST(closing_ends_receives_that_wait)
{
    evpq_channel *c = setup((size_t)_i);
    evpq_future *a = receive(c), *b = receive(c);
    evpq_channel_close(c);
    ck_future_status(a, EVPQ_CLOSED);
    ck_future_status(b, EVPQ_CLOSED);
    evpq_future_unref(a);
    evpq_future_unref(b);
    teardown(c);
}
END_TEST

START_TEST(what_comes_back_to_a_closed_channel_can_be_received)
{
    evpq_channel *c = setup(1);
    push(c, 0);
    evpq_future *r = receive(c);
    evpq_channel_close(c);
    evpq_future_unref(r);
    ck_assert_uint_eq(evpq_channel_count(c), 1);
    ck_assert_int_eq(pull(c), 0);
    r = receive(c);
    ck_future_status(r, EVPQ_CLOSED);
    evpq_future_unref(r);
    teardown(c);
}
END_TEST

START_TEST(the_last_reference_closes_it_and_frees_what_is_left)
{
    evpq_channel *c = setup(2);
    for (int i = 0; i < 2; i++)
        push(c, i);
    evpq_future *waits = send(c, 2);
    evpq_channel_unref(evpq_channel_ref(c));
    ck_future_pending(waits);
    evpq_channel_unref(c);
    ck_future_status(waits, EVPQ_CLOSED);
    ck_assert(freed[0] == 1 && freed[1] == 1 && freed[2] == 1);
    evpq_future_unref(waits);
    teardown(NULL);
}
END_TEST

START_TEST(the_last_reference_ends_receives_that_nobody_could_serve)
{
    evpq_channel *c = setup(2);
    evpq_future *r = receive(c);
    evpq_channel_unref(c);
    ck_future_status(r, EVPQ_CLOSED);
    evpq_future_unref(r);
    teardown(NULL);
}
END_TEST

START_TEST(an_item_outlives_the_channel_in_the_receive_that_has_it)
{
    bool taken = _i;
    evpq_channel *c = setup(2);
    push(c, 0);
    evpq_future *r = receive(c);
    evpq_channel_unref(c);
    ck_assert_int_eq(frees, 0);
    if (taken)
        ck_assert_int_eq(take(r), 0);
    evpq_future_unref(r);
    ck_assert_int_eq(freed[0], !taken);
    teardown(NULL);
}
END_TEST

START_TEST(items_that_need_no_freeing_are_dropped)
{
    loop = evpq_loop_new(NULL);
    evpq_channel *c = evpq_channel_new(loop, 1, NULL);
    push(c, 0);
    push(c, 1);
    evpq_channel_close(c);
    push(c, 2);
    teardown(c);
}
END_TEST

/* ---- free_item may do anything ---- */

static struct {
    evpq_channel *c;
    int calls, more;
    evpq_future *received;
} again;

static void free_and_use(void *item)
{
    again.calls++;
    evpq_channel *c = again.c;
    if (again.more-- > 0)
        push(c, again.calls);
    evpq_future *received = again.received;
    again.received = receive(c);
    evpq_future_unref(received);
    evpq_channel_close(c);
    evpq_channel_unref(evpq_channel_ref(c));
}

static void free_and_unref(void *item)
{
    again.calls++;
    evpq_channel *c = again.c;
    again.c = NULL;
    evpq_channel_unref(c);
}

static void cancel_it(evpq_future *s)
{
    evpq_future_cancel(s);
}

static void close_it(evpq_future *s)
{
    evpq_channel_close(again.c);
}

static void unref_it(evpq_future *s)
{
    evpq_channel_unref(again.c);
}

static void (*const ends[])(evpq_future *) = {cancel_it, close_it, unref_it};

/* The receives take the oldest, give it back, and so on: all is freed once, also what was sent
 * meanwhile. */
START_TEST(free_item_may_use_the_channel)
{
    loop = evpq_loop_new(NULL);
    evpq_channel *c = again.c = evpq_channel_new(loop, 1, free_and_use);
    again.more = 3;
    push(c, 10);
    push(c, 11);
    evpq_future *s = send(c, 12);
    ends[_i](s);
    ck_assert_int_ge(again.calls, 1);
    ck_assert(evpq_future_status(s) == EVPQ_CANCELED || evpq_future_status(s) == EVPQ_CLOSED);
    if (ends[_i] != unref_it)
        evpq_channel_unref(c);
    evpq_future_unref(s);
    if (ends[_i] == unref_it)
        ck_future_status(again.received, EVPQ_CLOSED);
    evpq_future *received = again.received;
    again.received = NULL;
    evpq_future_unref(received);
    evpq_future_unref(again.received);
    ck_assert_int_eq(again.calls, 3 + 3);
    teardown(NULL);
}
END_TEST

START_TEST(free_item_may_let_go_of_the_channel_that_refuses_it)
{
    loop = evpq_loop_new(NULL);
    again.c = evpq_channel_new(loop, 1, free_and_unref);
    evpq_channel_close(again.c);
    evpq_future *s = send(again.c, 0);
    ck_assert_ptr_null(again.c);
    ck_future_status(s, EVPQ_CLOSED);
    evpq_future_unref(s);
    teardown(NULL);
}
END_TEST

START_TEST(free_item_may_let_go_of_the_channel)
{
    loop = evpq_loop_new(NULL);
    again.c = evpq_channel_new(loop, 1, free_and_unref);
    push(again.c, 0);
    evpq_future *s = send(again.c, 1);
    ends[_i](s);
    ck_assert_ptr_null(again.c);
    ck_assert_int_eq(again.calls, 2); /* it let go of the last reference, and so freed the other */
    evpq_future_unref(s);
    teardown(NULL);
}
END_TEST

/* ---- without ---- */

START_TEST(nothing_is_made_of_nothing)
{
    evpq_channel *c = setup(1);
    ck_assert_ptr_null(evpq_channel_new(NULL, 1, NULL));
    ck_assert_ptr_null(evpq_channel_ref(NULL));
    ck_assert_ptr_null(evpq_channel_unref(NULL));
    evpq_channel_close(NULL);
    ck_assert_uint_eq(evpq_channel_count(NULL), 0);
    ck_future_status(evpq_channel_send(NULL, &things[0]), EVPQ_INVALID);
    ck_future_status(evpq_channel_receive(NULL), EVPQ_INVALID);
    evpq_future *f = evpq_channel_send(c, NULL);
    ck_future_status(f, EVPQ_INVALID);
    evpq_future_unref(f);
    ck_assert_int_eq(frees, 0);
    teardown(c);
}
END_TEST

START_TEST(a_wait_keeps_no_loop_alive)
{
    evpq_channel *c = setup(0);
    evpq_future *r = receive(c);
    ck_assert_int_eq(evpq_await(r), EVPQ_DEADLOCK);
    evpq_future_unref(r);
    teardown(c);
}
END_TEST

START_TEST(without_memory_nothing_is_sent_or_received)
{
    loop = evpq_loop_new(NULL);
    evpq_channel *c;
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        c = evpq_channel_new(loop, 1, free_thing);
        failed = oom_end();
        ck_assert_int_eq(!c, failed);
        ck_assert(failed || n > 2);
    }
    int sent = 0;
    EACH_ALLOCATION(n, failed) {
        oom_fail_at(n);
        evpq_future *s = evpq_channel_send(c, &things[n]);
        failed = oom_end();
        ck_future_status(s, failed ? EVPQ_NOMEM : EVPQ_OK);
        ck_assert_int_eq(freed[n], failed);
        sent += !failed;
        evpq_future_unref(s);
    }
    ck_assert_int_eq(sent, 1);
    EACH_ALLOCATION(n, failed) {
        oom_fail_from(n);
        evpq_future *r = receive(c);
        failed = oom_end();
        ck_future_status(r, failed ? EVPQ_NOMEM : EVPQ_OK);
        evpq_future_unref(r); /* and back */
        ck_assert_uint_eq(evpq_channel_count(c), 1);
    }
    teardown(c);
}
END_TEST

START_TEST(ending_needs_no_memory)
{
    evpq_channel *c = setup(1), *empty = evpq_channel_new(loop, 1, free_thing);
    push(c, 0);
    evpq_future *canceled = send(c, 1), *closed = send(c, 2), *r = receive(empty);
    oom_fail_from(1);
    evpq_future_cancel(canceled);
    evpq_channel_close(c);
    evpq_channel_close(empty);
    ck_assert(!oom_end());
    ck_future_status(canceled, EVPQ_CANCELED);
    ck_future_status(closed, EVPQ_CLOSED);
    ck_future_status(r, EVPQ_CLOSED);
    evpq_future_unref(canceled);
    evpq_future_unref(closed);
    evpq_future_unref(r);
    evpq_channel_unref(empty);
    teardown(c);
}
END_TEST

START_TEST(one_item_after_the_other_costs_no_allocation)
{
    evpq_channel *c = setup(1);
    push(c, 0);
    pull(c);
    int got = 0;
    oom_fail_at(0);
    for (int i = 0; i < 100; i++) { /* an assertion would allocate, too */
        evpq_future_unref(send(c, 0));
        evpq_future *r = evpq_channel_receive(c);
        got += evpq_channel_item(r) != NULL;
        evpq_future_unref(r);
    }
    ck_assert_int_eq(oom_count(), RECYCLER_KEEPS ? 0 : 300);
    ck_assert_int_eq(got, 100);
    oom_end();
    teardown(c);
}
END_TEST

START_TEST(many_come_back_without_recursion)
{
    enum { MANY = 100000 };
    static evpq_future *r[MANY];
    evpq_channel *c = setup(MANY);
    for (int i = 0; i < MANY; i++)
        push(c, i % ITEMS);
    for (int i = 0; i < MANY; i++)
        r[i] = receive(c);
    evpq_future *all = evpq_all_settled(r, MANY);
    evpq_future_unref(all);
    evpq_loop_run(loop);
    ck_assert_uint_eq(evpq_channel_count(c), MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(pull(c), i % ITEMS);
    teardown(c);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("channel");
    CHECK_ADD(c, what_is_sent_is_received_in_order);
    CHECK_ADD(c, a_send_waits_for_room);
    CHECK_ADD_LOOP(c, receivers_are_served_in_the_order_in_which_they_came, 3);
    CHECK_ADD(c, without_capacity_a_send_is_done_when_it_is_received);
    CHECK_ADD(c, settling_calls_nobody_yet);
    CHECK_ADD(c, an_item_is_given_once_and_only_by_a_receive);
    CHECK_ADD(c, an_item_is_taken_through_what_follows_its_receive);
    CHECK_ADD(c, a_canceled_receive_takes_nothing);
    CHECK_ADD(c, a_receive_that_was_let_go_of_takes_nothing);
    CHECK_ADD(c, what_nobody_takes_goes_back_to_the_front);
    CHECK_ADD_LOOP(c, in_whichever_order_they_come_back_they_stand_in_their_own, 4);
    CHECK_ADD_LOOP(c, what_nobody_takes_goes_to_who_waits, 2);
    CHECK_ADD(c, the_losers_of_a_race_give_theirs_back_in_order);
    CHECK_ADD(c, an_item_that_comes_with_the_cancel_is_not_lost);
    CHECK_ADD(c, a_canceled_send_is_not_sent_and_its_item_is_freed);
    CHECK_ADD(c, a_closed_channel_takes_no_more_and_gives_what_it_has);
    CHECK_ADD_LOOP(c, closing_ends_receives_that_wait, 2);
    CHECK_ADD(c, what_comes_back_to_a_closed_channel_can_be_received);
    CHECK_ADD(c, the_last_reference_closes_it_and_frees_what_is_left);
    CHECK_ADD(c, the_last_reference_ends_receives_that_nobody_could_serve);
    CHECK_ADD_LOOP(c, an_item_outlives_the_channel_in_the_receive_that_has_it, 2);
    CHECK_ADD(c, items_that_need_no_freeing_are_dropped);
    CHECK_ADD_LOOP(c, free_item_may_use_the_channel, 3);
    CHECK_ADD_LOOP(c, free_item_may_let_go_of_the_channel, 2);
    CHECK_ADD(c, free_item_may_let_go_of_the_channel_that_refuses_it);
    CHECK_ADD(c, nothing_is_made_of_nothing);
    CHECK_ADD(c, a_wait_keeps_no_loop_alive);
    CHECK_ADD(c, without_memory_nothing_is_sent_or_received);
    CHECK_ADD(c, ending_needs_no_memory);
    CHECK_ADD(c, one_item_after_the_other_costs_no_allocation);
    CHECK_ADD(c, many_come_back_without_recursion);
    return check_end(c);
}
