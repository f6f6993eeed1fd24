/* thread.h - one blocking function off the loop's thread: name look-ups, and PQcancel where libpq
 * has nothing better. */
#ifndef ASYNC_THREAD_H
#define ASYNC_THREAD_H

#include "base/list.h"

#include <evpq/loop.h>
#include <stdbool.h>

struct mailbox;

struct thread_call {
    struct list node;
    /* In a thread of its own, all signals blocked. */
    void (*work)(struct thread_call *);
    /* From the loop; or, when the loop is gone by then, in the thread: so a call that nobody
     * waits for any more must only free itself there. */
    void (*done)(struct thread_call *);
    struct mailbox *mailbox;
    /* It only computes, and ends soon: exit() waits until it has. For what uses a library that
     * exit() takes down, when that is initialised already. */
    bool computes;
    bool joined; /* thread.c's: it is one that exit() waits for */
    bool abandoned;
};

/* Starts call->work. False when no thread can be had; then nothing is called. The loop is not
 * kept alive by it. */
bool thread_call_start(evpq_loop *loop, struct thread_call *call);

/* Nobody waits for it any more; `done` is called all the same. How many are still at work so. */
void thread_call_abandon(struct thread_call *call);
unsigned thread_calls_abandoned(evpq_loop *loop);

#endif
