/* listener.h - what the files of a listener know of each other. Each uses those above it:
 *
 *   listener         its memory, what is said of it, its end
 *   event            one thing that was heard
 *   queue            a subscription's events: their order, gaps between them, who gets which
 *   subscription     one reader of a channel: what its channel tells it, bounds, catching up
 *   listen_channel   one channel: LISTEN, UNLISTEN, and who has subscribed to it
 *   link             the connection: when it is tried, whether it is alive, what becomes of it
 *   subscribe        what a program does with a subscription
 *   listen           what a program does with a listener: opening, closing, asking */
#ifndef LISTEN_LISTENER_H
#define LISTEN_LISTENER_H

#include "async/future.h"
#include "base/map.h"
#include "base/rng.h"
#include "conn/conn.h"

#include <evpq/listen.h>

struct evpq_listener {
    unsigned refs; /* see listener_ref */
    unsigned users;
    evpq_loop *loop;
    struct conninfo *conninfo;
    struct rng rng;
    struct evpq_listener_opts opts; /* defaults filled in */
    struct conn_config config;

    /* lc */
    struct map channels; /* by channel */
    struct list all_channels;

    /* link */
    struct conn *conn; /* while it is being made, and while it lives */
    bool open;         /* it is there, and takes statements */
    evpq_error *lost;  /* why there is none, as far as is known */
    int unfreed;       /* connections whose memory is not gone yet: the dead and conn */
    double pause;      /* before the last attempt to connect */
    double opened_at, heard_at;
    struct timer retry;   /* running: there is no connection, and none is tried before */
    struct timer silence; /* running while open: until the server is asked, or given up */
    struct command probe;

    bool closing, closed;
    struct list closings; /* futures of evpq_listener_close */
};

/* One channel of a listener. It is there while somebody has subscribed to it, or while the server
 * still has to be told that nobody has. */
struct listen_channel {
    struct map_node by_name;
    struct list node;
    evpq_listener *listener;
    struct list subscriptions;
    struct op op; /* LISTEN or UNLISTEN, while `busy` */
    bool busy;
    bool asked_on;       /* it is, or was last, a LISTEN */
    bool hears;          /* what comes is by a LISTEN that somebody wants */
    bool on;             /* LISTEN is in force, and nobody has asked for its end */
    evpq_error *failed;  /* what the server says to the statement that is under way */
    evpq_error *refused; /* what it said to LISTEN: it will say no other */
    char *name;
    char unlisten[]; /* the statement; behind its UN is the LISTEN; then the channel's name */
};

/* Why there is, or may be, a gap before something. */
enum {
    GAP_START = 1, /* none: it is the beginning */
    GAP_LOST = 2,
    GAP_DROPPED = 4,
};

struct evpq_subscription {
    unsigned refs; /* its users' one, those of events that are out, of a job under way */
    unsigned users;
    evpq_listener *listener;   /* a reference */
    struct listen_channel *lc; /* NULL: over */
    char channel[64];
    struct list node; /* of lc's */
    evpq_catch_up_fn *catch_up;
    void *catch_up_arg;

    bool on;    /* LISTEN is in force, as far as this one has been told */
    bool began; /* it once was */
    uint64_t epoch;
    uint64_t given; /* events handed out so far: each has its number */

    struct list returned; /* handed out, and come back unread; by number */
    struct list events;
    int count;
    size_t bytes;
    unsigned gap;     /* what lies behind the last of `events` */
    uint64_t dropped; /* there */

    struct evpq_notification *catching; /* the event that a catch-up will be; NULL: none runs */
    struct job catch_job;
    struct waiter caught;

    struct list nexts, readies; /* futures that wait */
};

/* The memory stays while anyone holds a reference: the program (one for all of its own), the
 * listener itself until it is closed, each subscription, each evpq_listener_close. */
void listener_ref(evpq_listener *l);
void listener_unref(evpq_listener *l);

evpq_error *listener_closed_error(void);

/* Why nothing is heard on it. */
void listener_why(const evpq_listener *l, struct why *why);

/* A future of its end, given. */
evpq_future *listener_wait_closed(evpq_listener *l);

/* The last of its connections is gone: it may have been closed by that. */
void listener_conn_freed(evpq_listener *l);

static inline evpq_status listener_check(const evpq_listener *l)
{
    return loop_check(l ? l->loop : NULL);
}

static inline evpq_future *listener_refused(const evpq_listener *l)
{
    return future_refused(l ? l->loop : NULL);
}

/* ---- link ---- */

void link_init(evpq_listener *l);
void link_dial(evpq_listener *l);
void link_close(evpq_listener *l);

/* ---- lc ---- */

/* EVPQ_INVALID, given, for what cannot be a channel's name; else NULL. */
evpq_error *listen_channel_check_name(const char *channel);

/* That of `channel`, new where there was none; NULL without memory. It goes by itself when it has
 * no subscription: listen_channel_tend. */
struct listen_channel *listen_channel_of(evpq_listener *l, const char *channel);

/* Tells the server what has changed. May free the lc. */
void listen_channel_tend(struct listen_channel *lc);

/* Hands a notification to whom it concerns. */
void listen_channel_hear(evpq_listener *l, const struct pq_notification *n);

/* There is a connection; there is none any more; there will never be one again. */
void listen_channels_open(evpq_listener *l);
void listen_channels_lost(evpq_listener *l);
void listen_channels_close(evpq_listener *l);

/* Tells all who wait (`why` is borrowed). */
void listen_channels_fail(evpq_listener *l, const evpq_error *why);

/* ---- subscription ---- */

/* LISTEN is in force: on this connection, as of now at the latest. */
void subscription_on(evpq_subscription *s);
void subscription_lost(evpq_subscription *s);
void subscription_take(evpq_subscription *s, const struct pq_notification *from);
void subscription_fail(evpq_subscription *s, const evpq_error *why);

/* Of s->catch_job: calls the program's function. */
void subscription_catch_up(struct job *job);

/* Nothing more will come: what waits in it can still be taken. */
void subscription_over(evpq_subscription *s);

#endif
