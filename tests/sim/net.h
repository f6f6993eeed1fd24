/* net.h - the network: a link is one TCP connection, with a program's socket at one end and a server
 * process at the other.
 *
 * What is sent travels in segments that are late, in pieces, and in order. A link can be cut (both
 * ends learn of it, sooner or later), or fall silent: then nothing arrives until the program's kernel
 * gives it up. */
#ifndef TESTS_SIM_NET_H
#define TESTS_SIM_NET_H

#include "sim/buffer.h"
#include "sim/world.h"

#include <sys/types.h>

struct backend;

enum link_state {
    LINK_CONNECTING,
    LINK_REFUSED,
    LINK_OPEN,
    LINK_FINISHED, /* the server has hung up; what arrived before can be read */
    LINK_RESET,    /* likewise, and then an error */
    LINK_CLOSED,   /* by the program */
};

struct link {
    struct list node; /* of all */
    int fd;           /* the program's, for the trace */
    unsigned host;
    enum link_state state;
    int error;               /* the errno of LINK_RESET */
    bool silent;             /* nothing gets through */
    bool in_use;             /* by us: not to be freed now */
    struct buffer in;        /* has arrived at the program */
    size_t room;             /* bytes that may be on their way to the server and in its hands */
    size_t out;              /* those that are */
    sim_time delay;          /* about how long a segment takes */
    sim_time last[2];        /* when the last segment of each way arrives */
    struct list segments;    /* on their way */
    struct list marks;       /* in what the server has sent, and where they are */
    int64_t sent, arrived;   /* bytes, to the program */
    struct event handshake;  /* the answer to connect() */
    struct event gives_up;   /* the kernel's patience with a silent one */
    struct backend *backend; /* NULL: none yet, or gone */
};

/* How bad the network is in this run; one in so many, 0: never. */
struct weather {
    sim_time delay_most;
    unsigned splits, refuses, silent_connects, small_rooms;
};

void net_begin(const struct weather *w);
/* From now on nothing may be sent. */
void net_is_the_parents(void);

/* ---- the program's end, for the kernel ---- */

/* The server is the host with the number 1; at others nobody is. */
struct link *net_connect(int fd, unsigned host);
ssize_t net_recv(struct link *l, void *bytes, size_t n, bool peek); /* -1: errno */
ssize_t net_send(struct link *l, const void *bytes, size_t n);
bool net_readable(const struct link *l);
bool net_writable(const struct link *l);
void net_close(struct link *l);

/* ---- the server's end ---- */

void net_answer(struct link *l, const void *bytes, size_t n);
/* What answers the call of a token ends behind so many bytes more. */
void net_mark(struct link *l, size_t behind, int64_t token);
void net_taken(struct link *l, size_t n);     /* the server has taken so much in */
void net_hang_up(struct link *l, bool reset); /* by the server, whose process is gone */

/* ---- faults ---- */

void net_cut(struct link *l, bool server_knows);
void net_silence(struct link *l);
struct link *net_some_link(void); /* an open one; NULL: there is none */
int net_links(void);              /* that are not freed */

#endif
