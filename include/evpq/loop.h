/* evpq/loop.h - evpq's place on a libev loop. */
#ifndef EVPQ_LOOP_H
#define EVPQ_LOOP_H

#include <evpq/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ev_loop; /* libev's */

/* After a fork the loop, and all that hangs on it, is the parent's alone. In the child whatever
 * would start something there or wait for it fails with EVPQ_FORKED, and canceling, closing,
 * releasing and letting go do no more than take the reference: nothing of it reaches the parent's
 * connections. What had settled can be read. The child may make a loop of its own, also on the same
 * libev loop once it has called ev_loop_fork.
 *
 * A loop, and all that hangs on it, belongs to the thread that made it, and then to whichever ran
 * it last (evpq_loop_run, ev_run, or evpq_await outside of it): so it may be handed on while nobody
 * runs it. From any other thread, whatever would start something there or wait for it fails with
 * EVPQ_INVALID; while the loop is being run, canceling, closing, releasing and letting go do
 * nothing, and otherwise clean up as they would in the loop's thread. Functions that only look at
 * something, and those that count a reference more, do not ask. */
typedef struct evpq_loop evpq_loop;

/* Joins the libev loop `ev` (borrowed until the last reference to the result goes), or makes one of
 * its own when `ev` is NULL. Several evpq loops may share one ev loop. Adds no watcher that would
 * keep ev_run from returning; open pools, pending timers and look-ups do, as an open handle of any
 * kind would. Given: hand it back with evpq_loop_unref. NULL when out of memory or libev finds no
 * backend. Thread: call it in the thread that runs `ev`. */
EVPQ_API EVPQ_NODISCARD evpq_loop *evpq_loop_new(struct ev_loop *ev);

/* One more reference: returns `loop`, given. */
EVPQ_API evpq_loop *evpq_loop_ref(evpq_loop *loop);

/* Takes a reference; NULL is allowed. Returns NULL. Pools, futures and callbacks that have not run
 * yet keep their loop alive, so the order in which a program lets go of things does not matter.
 * With the last reference an ev loop that evpq made is destroyed: keep one while you run that by
 * ev_run (evpq_loop_run and evpq_await keep their own). Work that is still under way is neither
 * finished nor freed when nobody runs its loop any more: cancel it, and run the loop until it
 * returns. */
EVPQ_API evpq_loop *evpq_loop_unref(evpq_loop *loop);

/* The libev loop underneath, borrowed while `loop` lives: for watchers of the program's own. */
EVPQ_API struct ev_loop *evpq_loop_ev(evpq_loop *loop);

/* Runs the loop until nothing keeps it alive (see evpq_loop_new) or evpq_loop_stop is called:
 * ev_run with its flags at 0, for programs that need no <ev.h>. Returns at once in a forked
 * child, and while another thread runs the loop. */
EVPQ_API void evpq_loop_run(evpq_loop *loop);

/* Makes the innermost evpq_loop_run (or ev_run) return after the current turn. */
EVPQ_API void evpq_loop_stop(evpq_loop *loop);

#ifdef __cplusplus
}
#endif

#endif
