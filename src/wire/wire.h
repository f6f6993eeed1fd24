/* wire.h - one established socket: readiness turned into libpq calls, and as a rule one flush a
 * tick: when it has been read dry, or at the end.
 *
 * Owns the PGconn and its watchers. Reads whenever the socket is readable, idle or not, so that a
 * dead link is noticed at once; watches for writability only while something is left to write.
 * Knows nothing of what is sent. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include "async/loop.h"
#include "libpq/pq.h"

struct wire;

/* Called with nothing of the wire on the stack that a wire_close could hurt, except that the wire
 * itself (the memory) must stay until the call is over. */
struct wire_class { /* filled in by pipeline/on_wire.c */
    /* One thing that arrived; the result is given. Returns whether to ask libpq for the next. */
    bool (*arrived)(struct wire *, enum pq_kind, struct pg_result *);
    /* In WIRE_COPYING: takes what has arrived of a COPY's data. Whether the results that end it may
     * be next; then it has ended that mode. */
    bool (*pull)(struct wire *);
    /* Unless the wire is blocked: hand what is new to libpq; it is flushed right
     * after. */
    void (*send)(struct wire *);
    /* The link is broken (the error is given); the wire has been closed. */
    void (*lost)(struct wire *, evpq_error *why);
    /* While it counts: more of something has come that is not whole yet. */
    void (*grew)(struct wire *);
    void (*notice)(struct wire *, evpq_error *notice); /* given */
    void (*notified)(struct wire *, const struct pq_notification *);
};

/* How what has come is read. */
enum wire_mode {
    WIRE_PAUSED = 1,  /* not at all: whoever takes it is behind */
    WIRE_YIELDS = 2,  /* after the program has run, as somebody was told */
    WIRE_COPYING = 4, /* by pull: it is data */
};

struct wire {
    const struct wire_class *class;
    evpq_loop *loop;
    struct pg_conn *c; /* NULL: closed */
    struct io reader, writer;
    struct reader input;
    struct flusher flusher;
    struct pq_listener listener;
    struct pq_tls tls;
    bool readable;        /* libpq has not taken in yet what the socket has announced */
    bool corks;           /* the socket can be told to wait until there is more */
    unsigned char mode;   /* of enum wire_mode; 0 as a rule */
    bool counts;          /* what comes, which costs a system call for each read: */
    size_t coming;        /* about how many bytes, since the last thing was whole */
    evpq_error *broken;   /* found when reading; what came before it is still to be told */
    evpq_error *farewell; /* what the server said before it hung up */
};

void wire_init(struct wire *w, evpq_loop *loop, const struct wire_class *class);

/* Takes `c`, puts it into pipeline mode and watches it. False: libpq refuses; then the wire stays
 * closed. */
bool wire_open(struct wire *w, struct pg_conn *c);

/* Asks for class->send and a flush at the end of this tick. */
void wire_send_later(struct wire *w);

/* Stops reading, as the program lags behind, or goes on. What libpq holds already waits too. */
void wire_pause(struct wire *w, bool paused);

/* Whether something has come that is still to be read: answers among it, perhaps. */
static inline bool wire_is_being_read(const struct wire *w)
{
    return list_linked(&w->input.node);
}

/* For a wire on which nothing is outstanding and which the loop may not have looked at for long:
 * takes in what has arrived meanwhile. Returns whether it is still open. */
bool wire_look(struct wire *w);

/* Between the two, what libpq sends may be held back by the kernel, to go in fewer packets: for a
 * libpq that cannot but send at each Sync. */
void wire_cork(struct wire *w);
void wire_uncork(struct wire *w);

/* Sends what libpq has buffered, as far as the socket takes it. False: not all of it; the wire is
 * blocked until the rest is gone (or broken). Then class->send is called again. */
bool wire_flush(struct wire *w);
bool wire_is_blocked(const struct wire *w);

/* libpq could not send. Hears the server's last words, if they have come, and breaks the link. */
void wire_send_failed(struct wire *w);

/* Breaks the link for a reason of ours (taken): class->lost is called. */
void wire_break(struct wire *w, evpq_error *why);

/* Closes without a word to anyone but the server. */
void wire_close(struct wire *w);

#endif
