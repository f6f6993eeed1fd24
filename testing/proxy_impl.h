/*
 * What the files of the proxy share: the controls, the triggers, and one forwarded connection.
 * Everything here is guarded by the lock of the proxy's worker; only the proxy's thread touches sockets.
 */
#ifndef TESTING_PROXY_IMPL_H
#define TESTING_PROXY_IMPL_H

#include <sys/socket.h>

#include "testing/proxy.h"
#include "testing/proxy_scan.h"
#include "testing/worker.h"

struct trap {
    struct proxy_trigger set;
    char bytes[PROXY_BYTES_MAX];
    size_t fallback[PROXY_BYTES_MAX]; /* where a failed match goes on, as Knuth, Morris and Pratt */
    uint64_t left; /* bytes to let pass, where neither message nor bytes are set */
    long seen;
    unsigned serial; /* tells this arming from an earlier one in the same place; 0: not armed */
};

struct controls {
    int delay[2];
    bool stall[2];
    bool split;
    bool strip_key;
    enum proxy_cancel cancel;
    int cancel_delay;
    struct sockaddr_storage target;
    socklen_t target_size;
    struct trap traps[PROXY_TRIGGERS_MAX];
    unsigned serial;
};

/* One read's worth of bytes on its way. */
struct chunk {
    struct chunk *next;
    double due;
    bool seen; /* has been scanned: what is to pass stands in data */
    size_t start, end;
    unsigned char data[];
};

/* How far a byte string has been matched in one direction of one connection. */
struct match {
    unsigned serial;
    size_t matched;
};

struct flow {
    struct chunk *head, **tail;
    size_t queued;
    double last_due;
    bool eof;   /* the source has ended */
    bool shut;  /* and the destination has been told */
    bool split; /* the destination's socket is set so that bytes do not join in its buffer */
    bool acts;  /* the rest of the queue is cut off: act when the head has been written */
    enum proxy_act act;
    struct match match[PROXY_TRIGGERS_MAX];
};

struct link {
    struct link *next;
    int fd[2];       /* by the direction that ends there: [PROXY_TO_SERVER] is the server's */
    bool silent;     /* never served */
    bool stalled;    /* by a trigger */
    bool connecting; /* the server's socket has still to be connected */
    bool decided;    /* the first packet is known to be a cancel request or not */
    bool swallows;   /* a request is to be swallowed, once it has passed whole */
    bool dead;
    long segments; /* from the client, once its socket is closed */
    unsigned char first[8];
    size_t first_size;
    struct flow flow[2]; /* by enum proxy_dir */
    struct scan scan;
};

enum { DOOR_FILLERS = 4 };

struct door {
    int port;
    int listener;
    enum proxy_door is;
    int filler[DOOR_FILLERS]; /* our own connects, which keep a backlog full */
};

bool door_open(struct door *d); /* on a free port; false, with errno */
void door_set(struct door *d, enum proxy_door how);
bool door_is_open(const struct door *d);
int door_accept(struct door *d); /* -1: nobody is there */
void door_close(struct door *d);

/* A link for a client's socket, which it takes. */
struct link *link_new(int client, bool silent);

/* Read, forward and act as far as possible now. Sets dead when the link has ended. */
void link_turn(struct link *l, struct controls *c, struct proxy_stats *stats);

/* What to poll for: two entries. Returns the time at which the link wants a turn anyway, or 0. */
double link_poll(const struct link *l, const struct controls *c, struct pollfd polls[2]);

/* Data segments received from the client so far. */
long link_segments(const struct link *l);

/* End both sides and set dead; frees nothing. */
void link_end(struct link *l, bool reset);

void link_free(struct link *l);

/*
 * The head of a direction's queue is due, and has not been seen: take out what is to be stripped.
 * Where a trigger goes off, cut off what is not to pass and set the flow's acts.
 */
void link_inspect(struct link *l, struct controls *c, enum proxy_dir dir,
                  struct proxy_stats *stats);

/* Returns false when all places are taken. */
bool traps_arm(struct controls *c, const struct proxy_trigger *t, uint64_t left);

#endif
