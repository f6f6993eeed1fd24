/* evpq/loop.h - evpq's place on a libev loop. */
#ifndef EVPQ_LOOP_H
#define EVPQ_LOOP_H

#include <evpq/error.h>
#include <stdbool.h>

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

/* Makes a loop for a program whose own loop is not libev's: the program watches evpq_loop_fd and calls
 * evpq_loop_turn. <evpq/adapters/...> do both for libuv, GLib, libevent, sd-event and epoll. Given, as
 * by evpq_loop_new. NULL when out of memory or descriptors (it has three), or where there is no epoll.
 * Thread: the one that runs the program's loop, in which all other calls are to be made too. */
EVPQ_API EVPQ_NODISCARD evpq_loop *evpq_loop_new_embedded(void);

/* Of an embedded loop: a descriptor that is readable while evpq_loop_turn has something to do, for
 * whatever reason: a socket, a timer, something asked for since the last turn, or more than one turn
 * is to do. Otherwise it is not, but for a turn now and then that finds nothing to do: an idle loop wakes
 * nobody. Poll it level-triggered, and do not read from it. Borrowed, the same while `loop` lives: stop
 * watching it before you let go of that. -1 for any other loop, and in a forked child, which shares it
 * with its parent: evpq_loop(3) says what its host does there. */
EVPQ_API int evpq_loop_fd(const evpq_loop *loop);

/* Does what there is to do, callbacks and tasks included, and does not wait for more. It is bounded:
 * the rest is for the next turn. Returns whether something keeps the loop alive (see evpq_loop_new);
 * false at once in a forked child, and while another thread runs the loop. Of any loop; a callback may
 * call it too. */
EVPQ_API bool evpq_loop_turn(evpq_loop *loop);

/* Of an embedded loop: in how many seconds evpq_loop_fd is readable at the latest, whatever the sockets
 * bring; 0: it is, or this is a callback, behind which it is; -1: for as long as they bring nothing it is
 * not. For a host that wants to know how long it will sleep: the descriptor needs it not. -1 for any
 * other loop. */
EVPQ_API double evpq_loop_timeout(const evpq_loop *loop);

/* One more reference: returns `loop`, given. */
EVPQ_API evpq_loop *evpq_loop_ref(evpq_loop *loop);

/* Takes a reference; NULL is allowed. Returns NULL. Pools, futures and callbacks that have not run
 * yet keep their loop alive, so the order in which a program lets go of things does not matter.
 * With the last reference an ev loop that evpq made is destroyed: keep one while you run that by
 * ev_run (evpq_loop_run and evpq_await keep their own). Work that is still under way is neither
 * finished nor freed when nobody runs its loop any more: cancel it, and run the loop until it
 * returns. */
EVPQ_API evpq_loop *evpq_loop_unref(evpq_loop *loop);

/* The libev loop underneath, borrowed while `loop` lives: for watchers of the program's own. NULL of an
 * embedded loop, which has it for itself. */
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
