/* evpq/listen.h - LISTEN and NOTIFY: told by the server, without asking.
 *
 * A listener is a connection of its own, apart from all pools, on which the server sends what
 * others notify. Programs subscribe to channels on it, and take events out of a subscription one by
 * one:
 *
 *     evpq_future *f = evpq_subscription_next(jobs);
 *     if (evpq_await(f) == EVPQ_OK && evpq_notification_event(evpq_future_notification(f)) ==
 *                                         EVPQ_EVENT_NOTIFY)
 *         puts(evpq_notification_payload(evpq_future_notification(f)));
 *     evpq_future_unref(f);
 *
 * Notifications are not kept by the server: what is sent while nobody listens is gone. So a program
 * listens first and looks at its tables then (evpq_subscription_ready, or a catch-up), and looks
 * again after each GAP: the event that says that notifications may be missing here, as the
 * connection was lost and made anew, or as the subscription had no room for more. It comes once,
 * before the first later notification. What lies between two GAPs is whole and in order: an epoch.
 *
 * A pooler such as PgBouncer in transaction mode cannot pass LISTEN on: let the listener's
 * connection string lead to the server itself. evpq_notify works through it.
 *
 * Fork: listeners and their subscriptions are the parent's; see loop.h.
 *
 * Thread: the loop's, for every call. */
#ifndef EVPQ_LISTEN_H
#define EVPQ_LISTEN_H

#include <evpq/args.h>
#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/loop.h>
#include <evpq/pool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_listener evpq_listener;

/* One reader of one channel, with a queue of its own. */
typedef struct evpq_subscription evpq_subscription;

/* One event of a subscription. */
typedef struct evpq_notification evpq_notification;

typedef enum evpq_event {
    EVPQ_EVENT_NOTIFY,   /* a notification */
    EVPQ_EVENT_GAP,      /* notifications may be missing here; a new epoch begins */
    EVPQ_EVENT_CATCH_UP, /* what the subscription's catch_up has found */
} evpq_event;

/* Zero (or NULL) is the default, which stands in brackets. Copied. Times are seconds. */
typedef struct evpq_listener_opts {
    size_t size; /* sizeof(evpq_listener_opts): lets the struct grow */

    double connect_timeout; /* for each address of each host [conninfo's connect_timeout, or 10] */
    double backoff_min;     /* first pause after a failed connect; it doubles, with jitter, ...
                               [0.1] */
    double backoff_max;     /* ... up to this [5] */
    double keepalive;       /* so long after the server was last heard an empty query asks whether
                               it is still there; negative: never [30] */
    double keepalive_timeout; /* no answer for so long: the connection is given up, and made anew
                                 [10] */
    int buffer;               /* notifications that wait in a subscription; more are dropped, and
                                 told by a GAP [10000] */
    size_t buffer_bytes;      /* the same in bytes, with some 100 for each [16 MiB] */

    evpq_notice_fn *on_notice; /* as of a pool, of every connection [notices are dropped] */
    void *notice_arg;
} evpq_listener_opts;

/* Finds out what happened before the notifications that follow, as a rule by
 * evpq_listener_query. Called from the loop when LISTEN has come into force, and after each GAP
 * that was taken; `subscription` is borrowed for the call, which may let go of it. Returns a future
 * of this loop (taken; NULL: nothing to find out). When that has settled it comes as an event, done
 * or failed, and only then what was notified since LISTEN is in force. */
typedef evpq_future *evpq_catch_up_fn(evpq_subscription *subscription, void *arg);

/* Zero (or NULL) is the default. Copied. */
typedef struct evpq_subscription_opts {
    size_t size; /* sizeof(evpq_subscription_opts) */

    evpq_catch_up_fn *catch_up; /* [the program looks by itself] */
    void *catch_up_arg;
} evpq_subscription_opts;

/* ---- the listener ---- */

/* A listener on `loop`, which begins to connect, and keeps trying with a growing pause, whenever
 * there is no connection. `conninfo` (borrowed) is read as evpq_pool_open does. `opts` may be NULL.
 * Given: let go of it with evpq_listener_unref. Keeps the loop running until it is closed. NULL
 * when the connection string or the options are wrong: *ret_error (may be NULL) is then given. */
EVPQ_API EVPQ_NODISCARD evpq_listener *evpq_listener_open(evpq_loop *loop, const char *conninfo,
                                                          const evpq_listener_opts *opts,
                                                          evpq_error **ret_error);

/* One more reference: returns `listener`, given. */
EVPQ_API evpq_listener *evpq_listener_ref(evpq_listener *listener);

/* Takes a reference; NULL is allowed. Returns NULL. With the last one an open listener is
 * closed. */
EVPQ_API evpq_listener *evpq_listener_unref(evpq_listener *listener);

/* Closes the connection. Events that wait in subscriptions can still be taken; then, and for all
 * who wait, it is EVPQ_CLOSED. The future is done when the connection is gone. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_listener_close(evpq_listener *listener);

/* Runs one statement on the listener's connection, as evpq_pool_query does: for catch-ups. Fails
 * with EVPQ_LOST, not sent, while there is no connection. Only SELECT, INSERT, UPDATE, DELETE,
 * MERGE, VALUES, TABLE and WITH are let through, as a transaction left open or an UNLISTEN would
 * silence the channels: anything else is EVPQ_INVALID. While it runs nothing is heard; one that
 * takes longer than keepalive and keepalive_timeout together is taken for a dead connection. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_listener_query(evpq_listener *listener, const char *sql,
                                                         evpq_args args);

/* The process id of its server process, which is the sender of what it notifies itself; 0 while
 * there is no connection. */
EVPQ_API int evpq_listener_backend_pid(const evpq_listener *listener);

/* ---- subscriptions ---- */

/* Subscribes to `channel` (borrowed), a name of 1 to 63 bytes, taken as it stands, upper case and
 * all: LISTEN Jobs, unquoted, hears the channel "jobs". Several subscriptions of one channel are
 * one LISTEN, and each gets every notification. `opts` may be NULL. Given: evpq_subscription_unref.
 * NULL when that cannot be: *ret_error (may be NULL) is then given. */
EVPQ_API EVPQ_NODISCARD evpq_subscription *
evpq_listener_subscribe(evpq_listener *listener, const char *channel,
                        const evpq_subscription_opts *opts, evpq_error **ret_error);

/* One more reference: returns `subscription`, given. */
EVPQ_API evpq_subscription *evpq_subscription_ref(evpq_subscription *subscription);

/* Takes a reference; NULL is allowed. Returns NULL. With the last one the subscription ends: those
 * who wait are told EVPQ_CLOSED, and with the last subscription of a channel goes its LISTEN. */
EVPQ_API evpq_subscription *evpq_subscription_unref(evpq_subscription *subscription);

/* Done as soon as LISTEN is in force: whatever commits its NOTIFY from then on is heard. Fails with
 * an error that time does not mend (a wrong password, no such database), or when the server refuses
 * the channel; waits while the server is down. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_subscription_ready(evpq_subscription *subscription);

/* The next event: done with it (evpq_future_notification). Several may wait, and are served in
 * turn. Fails as evpq_subscription_ready does, with EVPQ_CLOSED when nothing can come any more, and
 * with EVPQ_NOMEM; then no event is lost. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_subscription_next(evpq_subscription *subscription);

/* The event of a done evpq_subscription_next, or of a future that follows one (evpq_timeout and so
 * on), borrowed while that future is. NULL for any other. To ask is to have taken it: an event that
 * nobody asked for goes back to its place when the future's last reference goes, and comes again.
 * So none is lost to a cancel or a deadline. */
EVPQ_API const evpq_notification *evpq_future_notification(const evpq_future *f);

/* ---- events ----
 * Each borrows the event; what is returned is borrowed while the event is. NULL reads as an empty
 * notification of epoch 0. */

EVPQ_API evpq_event evpq_notification_event(const evpq_notification *notification);

/* Counts from 1, and by one for each GAP, with the GAP itself. */
EVPQ_API uint64_t evpq_notification_epoch(const evpq_notification *notification);

/* The channel that was subscribed to. */
EVPQ_API const char *evpq_notification_channel(const evpq_notification *notification);

/* What NOTIFY sent; "" where it sent nothing, and for other events. */
EVPQ_API const char *evpq_notification_payload(const evpq_notification *notification);

/* The process id of the server process that sent it; 0 for other events. */
EVPQ_API int evpq_notification_backend_pid(const evpq_notification *notification);

/* Of a GAP: whether the connection was made anew; and how many notifications there was no room
 * for. At least one of the two holds. */
EVPQ_API bool evpq_notification_reconnected(const evpq_notification *notification);
EVPQ_API uint64_t evpq_notification_dropped(const evpq_notification *notification);

/* Of a CATCH_UP: the future that catch_up returned, settled; else NULL. */
EVPQ_API const evpq_future *evpq_notification_caught_up(const evpq_notification *notification);

/* ---- sending ---- */

/* Sends `payload` ("" for none, fewer than 8000 bytes) to all who listen on `channel` (1 to 63
 * bytes, as it stands) in the database; both are copied. Done when it is committed. A program that
 * wants it sent with a transaction of its own runs select pg_notify($1, $2) in that. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_notify(evpq_pool *pool, const char *channel,
                                                 const char *payload);

#ifdef __cplusplus
}
#endif

#endif
