/* evpq/sync.h - semaphores and channels: what tasks (and callbacks) share among themselves.
 *
 * Whoever waits is served in the order in which they came. All of it is plain futures: await them
 * in a task, or use evpq_future_on_done. Nothing is lost when one who waits is canceled, times out
 * or is let go of, even when what it waited for has come meanwhile.
 *
 * Nothing of it keeps a loop from returning: where only waits for these are left, evpq_await at the
 * top level returns EVPQ_DEADLOCK.
 *
 * Thread: the loop's, for every call. */
#ifndef EVPQ_SYNC_H
#define EVPQ_SYNC_H

#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/loop.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- semaphore ---- */

/* So many permits, to bound how much of something goes on at once. */
typedef struct evpq_semaphore evpq_semaphore;

/* `permits` (1 or more) at once. Given: evpq_semaphore_unref. NULL when out of memory, or permits
 * is 0. */
EVPQ_API EVPQ_NODISCARD evpq_semaphore *evpq_semaphore_new(evpq_loop *loop, size_t permits);

/* One more reference: returns `semaphore`, given. */
EVPQ_API evpq_semaphore *evpq_semaphore_ref(evpq_semaphore *semaphore);

/* Takes a reference; NULL is allowed. Returns NULL. Those who wait, and permits that are out, keep
 * the semaphore alive. */
EVPQ_API evpq_semaphore *evpq_semaphore_unref(evpq_semaphore *semaphore);

/* Waits for a permit. When the future (given) is done, it is the permit. The permit is free again
 * when the last reference to the future goes, which may be that of a combinator around it. So
 * neither canceling nor forgetting can lose a permit. NULL is EVPQ_INVALID. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_semaphore_acquire(evpq_semaphore *semaphore);

/* Permits that are free now. */
EVPQ_API size_t evpq_semaphore_free(const evpq_semaphore *semaphore);

/* ---- channel ---- */

/* A bounded queue of pointers: senders wait while it is full, receivers while it is empty. */
typedef struct evpq_channel evpq_channel;

/* Room for `capacity` items; 0: each send waits for the receive that gets its item. `free_item`
 * (may be NULL) is called for items that reach nobody: of a send that failed, or left when the last
 * reference goes. It is called from within the call that does so, as the last thing this does, and
 * may itself use the channel. Given: evpq_channel_unref. NULL when out of memory. */
EVPQ_API EVPQ_NODISCARD evpq_channel *evpq_channel_new(evpq_loop *loop, size_t capacity,
                                                       void (*free_item)(void *item));

/* One more reference: returns `channel`, given. */
EVPQ_API evpq_channel *evpq_channel_ref(evpq_channel *channel);

/* Takes a reference; NULL is allowed. Returns NULL. With the last one the channel closes, and what
 * is left in it goes to free_item: nobody could receive it, nor send to those who wait. What a
 * receive is done with can still be taken out of that. */
EVPQ_API evpq_channel *evpq_channel_unref(evpq_channel *channel);

/* Sends `item` (taken; not NULL): done when it is in the channel, or with a receive where capacity
 * is 0. Fails with EVPQ_CLOSED on a closed channel, and with EVPQ_INVALID for a NULL item (or a
 * NULL channel: then the item stays the caller's). Canceled while it waits for room, it is not
 * sent; let go of, it is. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_channel_send(evpq_channel *channel, void *item);

/* Receives the oldest item: done with it (evpq_channel_item). Fails with EVPQ_CLOSED when the
 * channel is closed and empty. An item that nobody takes out of the future goes back to its place
 * at the front of the channel, however full or closed, when the future's last reference goes. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_channel_receive(evpq_channel *channel);

/* The item of a done evpq_channel_receive, or of a future that follows one (evpq_timeout and so
 * on), given. NULL for any other future, and the second time. */
EVPQ_API EVPQ_NODISCARD void *evpq_channel_item(evpq_future *f);

/* No more sends: those that wait, and later ones, fail with EVPQ_CLOSED. What is in the channel can
 * still be received; then receives fail with EVPQ_CLOSED. Idempotent. */
EVPQ_API void evpq_channel_close(evpq_channel *channel);

/* Items in the channel now: not those that wait for room, nor those in receives that are done. */
EVPQ_API size_t evpq_channel_count(const evpq_channel *channel);

#ifdef __cplusplus
}
#endif

#endif
