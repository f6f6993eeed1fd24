/* test_task_sync.c - semaphores and channels among tasks that are canceled at any moment: what a
 * task had, or was just about to get, is the next one's. */
#include <evpq/sync.h>
#include <evpq/task.h>

#include "support/check.h"
#include "support/dice.h"

enum { ITEMS = 300, MAKERS = 3, USERS = 4, PERMITS = 2, ROUNDS = 400 };

static evpq_loop *loop;
static struct dice dice;
static evpq_channel *channel;
static evpq_semaphore *semaphore;
static char things[MAKERS][ITEMS];
static int received[MAKERS][ITEMS], made;
static int at_work, most_at_work;

#define MUST(condition) DICE_HOLDS(&dice, condition)

static void setup(size_t capacity)
{
    dice.seed = dice.state = dice_environment("EVPQ_SEED", (uint64_t)time(NULL) * 1000003);
    loop = evpq_loop_new(NULL);
    channel = evpq_channel_new(loop, capacity, NULL);
    semaphore = evpq_semaphore_new(loop, PERMITS);
}

static void teardown(void)
{
    MUST(evpq_semaphore_free(semaphore) == PERMITS);
    evpq_semaphore_unref(semaphore);
    evpq_channel_unref(channel);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}

/* A wait, or one with so little time that it may not be enough. */
static evpq_future *maybe_brief(evpq_future *f)
{
    return dice_below(&dice, 4) ? f : evpq_timeout(f, 0.);
}

/* ---- what the tasks do ---- */

static evpq_future *make_items(evpq_task *self, void *arg)
{
    char *thing = arg;
    for (int i = 0; i < ITEMS; i++) {
        evpq_future *sent = evpq_channel_send(channel, &thing[i]);
        MUST(evpq_await(sent) == EVPQ_OK);
        evpq_future_unref(sent);
        made++;
    }
    return NULL;
}

/* Until the channel is closed and empty, or the task is canceled. Not all that is received is
 * taken. */
static evpq_future *use_items(evpq_task *self, void *arg)
{
    for (;;) {
        evpq_future *f = maybe_brief(evpq_channel_receive(channel));
        evpq_status status = evpq_await(f);
        bool takes = dice_below(&dice, 4);
        char *item = takes ? evpq_channel_item(f) : NULL;
        MUST(!takes || !item == (status != EVPQ_OK));
        if (item)
            received[(item - things[0]) / ITEMS][(item - things[0]) % ITEMS]++;
        evpq_future_unref(f);
        if (status == EVPQ_CANCELED || status == EVPQ_CLOSED)
            return NULL;
        if (dice_below(&dice, 3) == 0 && evpq_yield(self) != EVPQ_OK)
            return NULL;
    }
}

static evpq_future *work_by_permit(evpq_task *self, void *arg)
{
    evpq_status status;
    do {
        evpq_future *permit = maybe_brief(evpq_semaphore_acquire(semaphore));
        if ((status = evpq_await(permit)) == EVPQ_OK) {
            at_work++;
            most_at_work = at_work > most_at_work ? at_work : most_at_work;
            status = evpq_yield(self);
            at_work--;
        }
        evpq_future_unref(permit);
    } while (status != EVPQ_CANCELED);
    return NULL;
}

/* Ends one task, in one of both ways, and lets another begin in its place. */
static void replace(evpq_future **task, evpq_task_fn *fn)
{
    (dice_below(&dice, 2) ? evpq_task_cancel : evpq_future_cancel)(*task);
    evpq_future_unref(*task);
    *task = evpq_task_spawn(loop, fn, NULL, NULL);
}

static void turn(void)
{
    ev_run(evpq_loop_ev(loop), EVRUN_NOWAIT);
}

static void ends(evpq_future *task)
{
    ck_await_ok(task);
    evpq_future_unref(task);
}

/* ---- tests ---- */

START_TEST(f46_each_item_reaches_one_task_whichever_are_canceled)
{
    setup((size_t)_i);
    evpq_future *makers[MAKERS], *users[USERS];
    for (int i = 0; i < MAKERS; i++)
        makers[i] = evpq_task_spawn(loop, make_items, things[i], NULL);
    for (int i = 0; i < USERS; i++)
        users[i] = evpq_task_spawn(loop, use_items, NULL, NULL);
    while (made < MAKERS * ITEMS) {
        for (unsigned n = dice_below(&dice, USERS); n; n--)
            replace(&users[dice_below(&dice, USERS)], use_items);
        turn();
    }
    for (int i = 0; i < MAKERS; i++)
        ends(makers[i]);
    evpq_channel_close(channel);
    for (int i = 0; i < USERS; i++)
        ends(users[i]);
    for (int i = 0; i < MAKERS; i++)
        for (int k = 0; k < ITEMS; k++)
            MUST(received[i][k] == 1);
    teardown();
}
END_TEST

START_TEST(f46_a_permit_of_a_canceled_task_is_the_next_ones)
{
    setup(0);
    evpq_future *workers[USERS];
    for (int i = 0; i < USERS; i++)
        workers[i] = evpq_task_spawn(loop, work_by_permit, NULL, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        if (dice_below(&dice, 2))
            replace(&workers[dice_below(&dice, USERS)], work_by_permit);
        turn();
        MUST(at_work <= PERMITS);
    }
    MUST(most_at_work == PERMITS);
    for (int i = 0; i < USERS; i++) {
        evpq_task_cancel(workers[i]);
        evpq_await(workers[i]);
        evpq_future_unref(workers[i]);
    }
    evpq_loop_run(loop);
    MUST(at_work == 0);
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("task_sync");
    CHECK_ADD_LOOP(c, f46_each_item_reaches_one_task_whichever_are_canceled, 3);
    CHECK_ADD(c, f46_a_permit_of_a_canceled_task_is_the_next_ones);
    return check_end(c);
}
