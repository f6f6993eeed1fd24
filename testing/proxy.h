/*
 * A TCP proxy that misbehaves on order, to stand between libpq and a server. The public face of it
 * is evpq/testing.h; the suite uses this one, which has more.
 *
 * It runs in a thread of its own and never waits for the test. Every call below is made from a
 * test's thread, at any time; a control is in force for everything that moves after it returns.
 * A proxy and all it holds end with proxy_stop(). What cannot be set up aborts the test.
 *
 * The proxy reads the PostgreSQL protocol (version 3) as it passes. It loses sight of it where
 * encryption begins: then bytes are still delayed, split, stalled, cut and counted, but no message,
 * byte string or cancel request is recognised any more.
 */
#ifndef TESTING_PROXY_H
#define TESTING_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proxy;

enum proxy_dir {
    PROXY_TO_SERVER,
    PROXY_TO_CLIENT,
};

/* What becomes of a new connection. */
enum proxy_door {
    PROXY_OPEN,   /* accepted and forwarded */
    PROXY_REFUSE, /* connection refused */
    PROXY_SILENT, /* accepted, never read, never answered */
    PROXY_IGNORE, /* not even accepted: the SYN is dropped, as by an address that leads nowhere */
};

/* What becomes of a cancel request. */
enum proxy_cancel {
    PROXY_CANCEL_PASS,  /* forwarded, after the delay given */
    PROXY_CANCEL_DROP,  /* thrown away; the client sees a normal end */
    PROXY_CANCEL_STALL, /* thrown away; the client's connection stays open and silent */
};

/* What a trigger does to the connection that sets it off. But for the last, nothing after the
 * trigger point passes. */
enum proxy_act {
    PROXY_CUT,     /* both sides are closed in order */
    PROXY_RESET,   /* both sides are reset */
    PROXY_STALL,   /* both sides stay open, nothing passes any more */
    PROXY_SWALLOW, /* only with PROXY_TO_SERVER: the request (through its Query or Sync) reaches the
                      server, which carries it out; the client is cut off and sees no answer */
    PROXY_SPOIL,   /* only with bytes: the last of them becomes another one, and all passes on */
};

/*
 * The trigger point is the nth occurrence (1 is the first, 0 means 1), counted over all connections
 * from the moment of arming, of either a message type or a byte string.
 */
struct proxy_trigger {
    enum proxy_dir dir;
    enum proxy_act act;
    char message;      /* a message type, or 0 to look for bytes */
    const char *bytes; /* copied; at most PROXY_BYTES_MAX */
    size_t length;     /* 0: strlen(bytes) */
    long nth;
    bool before; /* act before the message, or before the last of the bytes, has passed */
};

enum { PROXY_BYTES_MAX = 64, PROXY_TRIGGERS_MAX = 8 };

struct proxy_stats {
    long seen;            /* connections accepted so far, cancel requests among them */
    long open;            /* connections open now */
    long cancels;         /* cancel requests seen */
    long fired;           /* triggers set off */
    long client_segments; /* data segments received from clients: one a write, for small writes */
    uint64_t bytes[2];    /* forwarded, by enum proxy_dir */
};

/*
 * Start a proxy on a free port of 127.0.0.1. host is a numeric IPv4 address, or the folder of a
 * unix socket, named as libpq does. Nothing is connected until a client comes. Given: proxy_stop().
 */
struct proxy *proxy_start(const char *host, int port);

/* The same; NULL, with errno, where it cannot be had. */
struct proxy *proxy_try_start(const char *host, int port);

int proxy_port(const struct proxy *p);

/* Where later connections lead. Connections under way stay as they are. */
void proxy_target(struct proxy *p, const char *host, int port);

/* The same; false, with errno, for what is no address. */
bool proxy_try_target(struct proxy *p, const char *host, int port);

void proxy_door(struct proxy *p, enum proxy_door door);

/* Hold every byte of a direction back for so long. Order is kept; bytes on their way are not
 * hurried. */
void proxy_delay(struct proxy *p, enum proxy_dir dir, int milliseconds);

/* Neither read nor forward in a direction, on any connection, until told otherwise. */
void proxy_stall(struct proxy *p, enum proxy_dir dir, bool stalled);

/* Write each byte of both directions on its own. */
void proxy_split(struct proxy *p, bool split);

/* Remove BackendKeyData from what the server says, so that the client has no cancel key. */
void proxy_strip_key(struct proxy *p, bool strip);

/* delay is in milliseconds and applies to PROXY_CANCEL_PASS. */
void proxy_cancels(struct proxy *p, enum proxy_cancel what, int delay);

/* Close, or reset, every connection that is open. They are closed when this returns. */
void proxy_cut(struct proxy *p);
void proxy_reset(struct proxy *p);

/* Lie in wait. A trigger fires once. */
void proxy_arm(struct proxy *p, const struct proxy_trigger *trigger);

/* The same for a number of bytes: act once so many more bytes of a direction have passed. */
void proxy_arm_after(struct proxy *p, enum proxy_dir dir, uint64_t bytes, enum proxy_act act);

/* Either of them, with arguments that make sense; false when all places are taken. */
bool proxy_try_arm(struct proxy *p, const struct proxy_trigger *trigger, uint64_t bytes);

/* Forget the triggers that have not fired. */
void proxy_disarm(struct proxy *p);

/* That, and all controls as they were at the start, but for the target. */
void proxy_heal(struct proxy *p);

struct proxy_stats proxy_stats(struct proxy *p);

/* Wait until so many triggers have fired since the start; false if that takes longer. */
bool proxy_wait_fired(struct proxy *p, long fired, double seconds);

/* Close everything and join the thread. NULL is allowed. */
void proxy_stop(struct proxy *p);

#endif
