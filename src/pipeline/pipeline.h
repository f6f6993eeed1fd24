/* pipeline.h - operations in flight on one connection, first in, first out, each with a Sync of its
 * own; but those that only read, and are sent in one tick, go as a segment under one Sync.
 *
 * A segment saves the server all transactions but one, and the sockets all answers but one. The
 * server itself holds it to its promise: it begins with a guard that makes its transaction
 * read-only. When one of them fails, those behind it were not run: they are told ABORTED, and may
 * be submitted again.
 *
 * The mirror of libpq's own command queue. A new operation stays `fresh`, untouched by libpq, until
 * its pipeline is flushed: so what has not been sent is known for certain, and costs nothing to take
 * back. */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "pipeline/op.h"
#include "wire/wire.h"

/* Who answers. Behind a pooler a session may be shared with strangers, and change at the end of any
 * transaction. */
enum peer {
    PEER_UNKNOWN,
    PEER_WANTED, /* to be asked when the operations at hand are sent */
    PEER_ASKED,
    PEER_SERVER, /* the server process that the connection began with */
    PEER_POOLER, /* another, or somebody who does not say */
};

/* Whether statements under one Sync share a transaction, when no block is open. */
enum unity { UNITY_UNKNOWN, UNITY_YES, UNITY_NO };

/* What is known at a Sync of those that share it. */
struct sync_status {
    /* How the transaction stood at the Sync before, and at this one. libpq tells only where nothing
     * else is in flight; else it is what the texts make of it, or PQ_TXN_UNKNOWN where one of those
     * that begin or end a block has failed. */
    enum pq_transaction before, after;
    bool alone;  /* libpq has told that no block was open at either, and none was begun between */
    bool began;  /* BEGIN is among them */
    bool failed; /* an error came since the Sync before, ... */
    bool doubt;  /* ... which is not the server's own word */
};

/* Whether a transaction was left open that should not be. */
enum left_open {
    LEFT_OPEN_NOT,
    LEFT_OPEN_YES, /* ROLLBACK is to come, or on its way */
    LEFT_OPEN_ORPHAN, /* by a statement that was carried out, and nobody waits who could roll it back: the
                    connection is closed at the end of this Sync */
};

struct pipeline;

struct pipeline_owner {
    void (*ended)(struct pipeline *);                  /* an operation is over */
    void (*too_large)(struct pipeline *, struct op *); /* its result: to be given up */
    void (*own_turn)(struct pipeline *);               /* see pipeline_awaits_own; may be NULL */
    void (*lost)(struct pipeline *, evpq_error *why);  /* given; before the operations fail */
    void (*notice)(struct pipeline *, evpq_error *notice); /* given */
    void (*notified)(struct pipeline *, const struct pq_notification *);
};

struct pipeline {
    struct wire wire;
    const struct pipeline_owner *owner;
    struct list fresh, sent;
    int n_fresh, n_sent;
    int n_awaited, n_abandoned; /* of those sent */
    int n_slow;
    size_t bytes;       /* of all that are on it */
    size_t result_most; /* bytes of one result; 0: any */
    size_t dropped;     /* of the result that is coming, before it was abandoned */
    size_t buffer_most; /* the most bytes in one piece that libpq's buffers should hold; 0: any */
    bool grown;         /* they have held more. They never shrink: the connection is retired */
    struct op *current; /* whose answers come next: the first that has not had them all; or the last
                           before a Sync, until that comes */
    /* Nothing is sent behind it: its `wire` is not OP_PIPELINED, or it changes data on a connection
     * that is not `proved`; or the pipeline is `mistrusted`. */
    struct op *bar;
    bool guarded;      /* the guard is prepared on the server */
    bool prepares;     /* it may be */
    size_t unflushed;  /* bytes handed to libpq since the last flush, in this tick */
    bool held;         /* nothing but OP_CONTROL is sent */
    bool ended_twice;  /* two ENDs came in a row: libpq expects no more answers, and we do */
    bool copied;       /* the statement that is alone has begun its COPY */
    double head_since; /* when the one before the first was answered */
    double head_took;  /* in feed(PQ_SYNC): how long the operation took, without the way there and
                          back */
    double turnaround; /* the shortest time from sending to answer: about the way there and back */
    double flushing;   /* the time of this tick's sending */
    bool sending;      /* operations are being handed to libpq */

    struct sync_status sync;
    enum left_open left_open; /* written by left_open_to alone */
    evpq_error *breaks;       /* why the link is broken at the end of this Sync; NULL: it is not */

    /* What the connection has shown of itself. */
    bool proved; /* a statement that changed data was seen to be committed at its Sync. There are
                    poolers that leave a transaction open instead (pgpool-II in raw mode), and some
                    that do so now and then, whose Syncs give them away: `unity` is to be known, too,
                    before anything is sent behind such a statement. */
    bool mistrusted; /* a transaction was left open here: nothing is sent behind anything, so that
                        the status is told for each */
    /* Nothing is sent before all Syncs are answered: a pooler stands between, and may give the
     * session away at each answer. PgBouncer 1.18 does so with half a message of what comes behind
     * (its issue 759), and the rest reaches another session. */
    bool lockstep;
    enum peer peer;
    enum unity unity;
    bool seen_together; /* by the second statement of peer_op */
    struct op peer_op;
};

void pipeline_init(struct pipeline *p, evpq_loop *loop, const struct pipeline_owner *owner);

static inline int pipeline_depth(const struct pipeline *p)
{
    return p->n_fresh + p->n_sent;
}

/* Whether the server has worked on the first operation for longer than `seconds`, as far as can be
 * known here. */
bool pipeline_is_overdue(const struct pipeline *p, double seconds);

/* Whether all that the server has to answer next, up to the Sync, is the library's own. Where a
 * statement of the program's shares the Sync, it may take as long as that one. */
bool pipeline_awaits_own(const struct pipeline *p);

void pipeline_submit(struct pipeline *p, struct op *op);

/* An operation that was sent has more to hand over. */
void pipeline_more(struct pipeline *p);

/* So many bytes went through libpq's buffers in one piece. */
static inline void pipeline_weigh(struct pipeline *p, size_t bytes)
{
    if (bytes > p->buffer_most && p->buffer_most)
        p->grown = true;
}

/* From feed or pull: somebody was told something, and is to run before more is read. */
static inline void pipeline_yield(struct pipeline *p)
{
    p->wire.mode |= WIRE_YIELDS;
}

/* While it is paused nothing is read: the program has to take what it has first. An abandoned
 * operation is read to its end all the same. */
static inline void pipeline_pause(struct pipeline *p, bool paused)
{
    wire_pause(&p->wire, paused);
}

/* Takes a fresh operation off (true); one that was sent is only marked: its answer is still to be
 * read (false). */
bool pipeline_abandon(struct pipeline *p, struct op *op);

/* Abandons everything that was sent, telling who waits. */
void pipeline_detach(struct pipeline *p, const evpq_error *why);

/* Sends fresh operations another way: each fails, not sent, with `why` (borrowed). */
void pipeline_return_fresh(struct pipeline *p, const evpq_error *why);

/* Makes it OP_BARRIER, also when it was sent: behind it, and what shares its Sync, nothing is sent
 * before it is over. */
void pipeline_bar(struct pipeline *p, struct op *op);

/* Holds back, or lets go, what is fresh. */
void pipeline_hold(struct pipeline *p, bool held);

/* From feed(PQ_SYNC): a statement has left a transaction open. `orphan`: see LEFT_OPEN_ORPHAN. */
void pipeline_note_left_open(struct pipeline *p, bool orphan);

/* Breaks the link for a reason of ours (taken). */
void pipeline_break(struct pipeline *p, evpq_error *why);

/* From feed(PQ_SYNC): the same (`why` is borrowed) when all that share the Sync are told, before
 * anything is sent. */
void pipeline_break_at_sync(struct pipeline *p, const evpq_error *why);

#endif
