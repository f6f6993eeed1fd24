/* evpq/future.h - one answer that is not there yet.
 *
 * A future is pending until it settles, once and for ever: done with a value, or failed with an
 * error (a canceled future has failed with EVPQ_CANCELED). Settling runs nobody's code: callbacks
 * are called later, from the loop and from there alone, in the order in which they were added.
 *
 * Every function that starts something returns a future and never NULL: a bad argument, a closed
 * pool and even no memory come back as futures that have already failed. Letting go of a pending
 * future (evpq_future_unref) does not stop it; evpq_future_cancel does.
 *
 * Nothing here knows SQL. Thread: the loop's, for every call. */
#ifndef EVPQ_FUTURE_H
#define EVPQ_FUTURE_H

#include <evpq/error.h>
#include <evpq/loop.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_future evpq_future;

/* Called from the loop, once. `f` is borrowed for the time of the call. */
typedef void evpq_done_fn(evpq_future *f, void *arg);

/* ---- life ---- */

/* One more reference: returns `f`, given. */
EVPQ_API evpq_future *evpq_future_ref(evpq_future *f);

/* Takes a reference; NULL is allowed. Returns NULL. */
EVPQ_API evpq_future *evpq_future_unref(evpq_future *f);

/* ---- reading ---- */

/* EVPQ_PENDING, EVPQ_OK, or what it failed with. */
EVPQ_API evpq_status evpq_future_status(const evpq_future *f);

/* NULL unless `f` has failed. Borrowed while `f` is. */
EVPQ_API const evpq_error *evpq_future_error(const evpq_future *f);

/* The pointer that a program's own future was settled with (evpq_future_set_value, evpq_future_ok);
 * NULL for any other. Borrowed while `f` is. What a query gave: evpq_future_result in result.h. */
EVPQ_API void *evpq_future_value(const evpq_future *f);

/* The futures that a combinator was given: how many, and the i-th (NULL past the end). Borrowed
 * while `f` is. evpq_all, evpq_all_settled, evpq_any and evpq_race have their members as children;
 * evpq_timeout, evpq_shield and evpq_then have one, and a future of evpq_as_completed, once it has
 * settled, the member that it turned out to be. */
EVPQ_API size_t evpq_future_count(const evpq_future *f);
EVPQ_API evpq_future *evpq_future_at(const evpq_future *f, size_t i);

/* ---- waiting ---- */

/* Calls fn(f, arg) from the loop when `f` has settled (also when it has already). Any number may be
 * added. The callback keeps `f` alive until it has run; `arg` is borrowed until then.
 * EVPQ_OK; EVPQ_NOMEM, EVPQ_INVALID or EVPQ_FORKED when fn will not be called. */
EVPQ_API evpq_status evpq_future_on_done(evpq_future *f, evpq_done_fn *fn, void *arg);

/* Waits until `f` (borrowed) has settled and returns its status. In a task (task.h) it sets the
 * task aside. At the top level it runs the loop: no other code need run it; where all that is
 * awaited has settled already it lets the loop turn once after about a millisecond. Called from a
 * callback, where the loop is already running, it returns EVPQ_DEADLOCK at once, as it does when
 * nothing is left that could ever settle `f`, and when the program stops the loop meanwhile
 * (ev_break) EVPQ_PENDING. A child that was forked since gets EVPQ_FORKED for what is pending. */
EVPQ_API evpq_status evpq_await(evpq_future *f);

/* Fails a pending `f` (borrowed) with EVPQ_CANCELED, now, and stops the work behind it: a waiting
 * query is taken off the queue, a running one is canceled on the server, members of a combinator
 * are canceled too. A settled future stays as it is. The error's outcome tells whether the server
 * had seen the SQL. */
EVPQ_API void evpq_future_cancel(evpq_future *f);

/* ---- combining ----
 * Each takes the futures it is handed (keep a reference to go on using one; its children can also
 * be read through evpq_future_at) and gives a new one. The array itself is borrowed for the call.
 * All members must be of one loop. */

/* asyncio.gather: done when all are; fails with the first failure and cancels the rest. As with the
 * three below, no members at all (n = 0) is EVPQ_INVALID: there is no loop to settle on. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_all(evpq_future *const *fs, size_t n);

/* Done when every member has settled, however: never fails because a member does. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_all_settled(evpq_future *const *fs, size_t n);

/* The first success, whose value it takes on, and the rest are canceled; fails with the last
 * failure when all fail. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_any(evpq_future *const *fs, size_t n);

/* The first to settle, whose value or error it takes on; the rest are canceled. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_race(evpq_future *const *fs, size_t n);

/* asyncio.as_completed: gives, in the place of the n members, n futures in the order in which the
 * members settle: the k-th settles when k members have, and reads as the member that did
 * (evpq_future_at(f, 0), to tell which). `ret_fs` may be `fs` itself; each future in it is given,
 * and may be let go of at any time without harm to the others. Canceling one cancels all members
 * that have no place yet; these then settle the other places, in order. No members at all is
 * EVPQ_OK here. EVPQ_INVALID, NOMEM or FORKED: the members are canceled, and each of the n is a
 * future that has failed so; a program that awaits and lets go of them all need not look. */
EVPQ_API evpq_status evpq_as_completed(evpq_future *const *fs, size_t n, evpq_future **ret_fs);

/* asyncio.wait_for: `f` (taken), but fails with EVPQ_TIMEOUT, and cancels `f`, when it is still
 * pending after `seconds`. The deadline is absolute: counted from this call, whatever `f` goes
 * through meanwhile. If the program held the loop up past the deadline (a long callback, Ctrl-Z),
 * what has come meanwhile is taken first, and counts. 0 or less fails a pending `f` at the loop's
 * next turn. Not a number is EVPQ_INVALID. The error's message says what `f` was waiting for (its
 * place in the queue, a host that is being connected to, the server process that has not answered)
 * and the last failure meanwhile, whose SQLSTATE it has. The error of every deadline does so. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_timeout(evpq_future *f, double seconds);

/* asyncio.shield: follows `f` (taken); canceling the shield leaves `f` running. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_shield(evpq_future *f);

/* When `f` (taken) has settled, done or failed, calls fn(f, arg) from the loop; the future that fn
 * returns (taken) is followed. To pass `f` on, return evpq_future_ref(f). Returning NULL, the
 * result itself or a future of another loop is EVPQ_INVALID. Canceling the result cancels `f`, or
 * what fn returned. fn is not called when it is canceled before that, nor when `f` failed for want
 * of memory or a loop to begin with. */
typedef evpq_future *evpq_then_fn(evpq_future *f, void *arg);
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_then(evpq_future *f, evpq_then_fn *fn, void *arg);

/* Done after `seconds` (0 or less: at the loop's next turn; infinity: never). Not a number is
 * EVPQ_INVALID. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_sleep(evpq_loop *loop, double seconds);

/* ---- a program's own futures ----
 * To put work of another kind (a child process, another library's callback) behind the same
 * interface. */

/* A pending future that only the program settles. `on_cancel` (may be NULL) is called from the
 * loop, once, if it is canceled while pending; the work it stands for should then be stopped. It
 * stays alive until it has settled, and on_cancel has run: who settles it needs no reference. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_future_new(evpq_loop *loop, evpq_done_fn *on_cancel,
                                                     void *arg);

/* Settles a future made by evpq_future_new. The value is taken: free_value(value) is called when
 * the future goes (NULL: nothing is). False when it had settled before or is not the program's;
 * then the value is still the caller's. */
EVPQ_API bool evpq_future_set_value(evpq_future *f, void *value, void (*free_value)(void *));

/* The same for a failure: `status` may not be EVPQ_OK or EVPQ_PENDING; the message is printf's. */
EVPQ_API bool evpq_future_set_error(evpq_future *f, evpq_status status, const char *format, ...)
    EVPQ_PRINTF(3, 4);

/* Futures that have settled already. The value is taken. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_future_ok(evpq_loop *loop, void *value,
                                                    void (*free_value)(void *));
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_future_failed(evpq_loop *loop, evpq_status status,
                                                        const char *format, ...) EVPQ_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
