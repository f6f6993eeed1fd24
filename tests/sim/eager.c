/* eager.c - see eager.h. */
#include "sim/eager.h"

#include "sim/kernel.h"
#include "sim/listening.h"
#include "sim/memory.h"

#include <string.h>

enum awaited { WHAT_IS_DONE, WHAT_HAS_FAILED, AN_EVENT };

/* It works for so long between two awaits, or callbacks, at most. */
static const sim_time WORK_MOST = 60 * SIM_US;
/* A tick is two or three milliseconds of that, and there may be two to a turn: one more for what was
 * asked for outside the loop. A deadline that is found late then waits for one turn more. */
static const sim_time TURN_MOST = 12 * SIM_MS, OVER_MOST = 40 * SIM_MS;

static struct {
    bool is_there, is_task;
    bool told; /* that it is over */
    enum awaited awaits;
    evpq_subscription *events; /* nobody looks at them, and so the first comes again and again */
    evpq_future *next;         /* of callbacks */
    sim_time until;
    int turns;     /* of the loop, when it last had one */
    sim_time busy; /* the work since then */
    sim_time over; /* the work behind its deadline */
} eager;

/* Time goes by, as it works. */
static void work(void)
{
    sim_time takes = chance_time(SIM_US, WORK_MOST);
    if (eager.turns != kernel_turns())
        eager.busy = 0;
    eager.turns = kernel_turns();
    eager.busy += takes;
    world_pass(takes);
    if (world_now() > eager.until)
        eager.over += takes;
    if (eager.busy > TURN_MOST)
        violation("what is ready at once keeps the loop from its turn for %.6f s",
                  (double)eager.busy * 1e-9);
    if (eager.over > OVER_MOST)
        violation("what is ready at once goes on for %.6f s after its deadline",
                  (double)eager.over * 1e-9);
}

static evpq_future *something_ready(void)
{
    switch (eager.awaits) {
    case WHAT_IS_DONE:
        return evpq_future_ok(program.loop, NULL, NULL);
    case WHAT_HAS_FAILED:
        return evpq_future_failed(program.loop, EVPQ_QUEUE_FULL, "there is no room");
    default:
        return evpq_subscription_next(eager.events);
    }
}

static void end(void)
{
    trace("eager: ends");
    eager.events = evpq_subscription_unref(eager.events);
    eager.is_there = false;
}

/* ---- a task ---- */

static evpq_future *await_what_is_ready(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    evpq_status status;
    do {
        work();
        evpq_future *f = something_ready();
        status = evpq_await(f);
        evpq_future_unref(f);
    } while (status == EVPQ_OK || status == EVPQ_QUEUE_FULL);
    end();
    return NULL;
}

/* ---- callbacks ---- */

static void ask_for_next(void);

static void was_ready(evpq_future *f, void *arg)
{
    (void)arg;
    eager.next = evpq_future_unref(f);
    work();
    ask_for_next();
}

static void ask_for_next(void)
{
    if (!eager.told)
        eager.next = something_ready();
    if (eager.told || evpq_future_on_done(eager.next, was_ready, NULL) != EVPQ_OK) {
        eager.next = evpq_future_unref(eager.next);
        end();
    }
}

/* ---- both ---- */

bool use_eager(void)
{
    double seconds = (double)chance_time(2 * SIM_MS, 40 * SIM_MS) * 1e-9;
    const evpq_task_opts opts = {.size = sizeof opts, .deadline = seconds};
    if (eager.is_there)
        return false;
    memset(&eager, 0, sizeof eager);
    eager.is_task = chance_one_in(2);
    eager.awaits = (enum awaited)chance_below(eager.is_task ? 3 : 2);
    if (eager.awaits == AN_EVENT && !(eager.events = listening_subscribe()))
        return false;
    trace("eager: for %.6f s", seconds);
    eager.is_there = true;
    eager.until = world_now() + (sim_time)(seconds * 1e9);
    eager.turns = kernel_turns();
    oracle_turns_are_long();
    bool scarce = memory_is_scarce(false);
    evpq_future *f = eager.is_task ? evpq_task_spawn(program.loop, await_what_is_ready, NULL, &opts)
                                   : evpq_sleep(program.loop, seconds);
    memory_is_scarce(scarce);
    oracle_note(VERB_EAGER, f, 0, 0, eager.until, &eager);
    if (!eager.is_task)
        ask_for_next();
    return true;
}

/* A task that is canceled before it begins never does; else it ends by itself. */
void eager_told(struct call *c)
{
    if (c->verb != VERB_EAGER || c->owner != &eager)
        return;
    eager.told = true;
    if (eager.is_task && eager.is_there && !eager.busy)
        end();
}

void eager_begin(void)
{
    memset(&eager, 0, sizeof eager);
}

bool eager_left(void)
{
    return eager.is_there;
}
