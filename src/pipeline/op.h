/* op.h - an operation: what one connection carries, from its submission to its Sync. */
#ifndef PIPELINE_OP_H
#define PIPELINE_OP_H

#include "base/list.h"
#include "libpq/pq.h"

struct op;

/* What pull has found. */
enum pull {
    PULL_DRY,  /* the next piece has not arrived */
    PULL_TOLD, /* somebody is to be told before more is taken */
    PULL_OVER, /* the COPY is over: its results come by feed */
};

/* One for each kind of operation. An operation is on the pipeline from pipeline_submit until
 * feed(PQ_SYNC) or fail, which are called when it is off it. */
struct op_class {
    /* Hands the operation to libpq, without Sync, and sets op->parts. False: libpq refused; the
     * pipeline is then broken, and the operation fails as not sent. */
    bool (*send)(struct op *, struct pg_conn *);
    /* What came for it: ROWS (if it asked for them, and when it was abandoned), RESULT and ERROR
     * (the result is given), ABORTED and END; COPY_IN and
     * COPY_OUT, if it is OP_ALONE; at last SYNC: it is over. */
    void (*feed)(struct op *, enum pq_kind, struct pg_result *);
    /* The connection is gone (`why` is borrowed), or `sent` is false and it must go another way. */
    void (*fail)(struct op *, const evpq_error *why, bool sent);
    /* Tells the one who waits `why` (borrowed) now. The operation stays in the pipeline. NULL:
     * nobody waits. */
    void (*tell_waiter)(struct op *, const evpq_error *why);

    /* The rest may be NULL. */

    /* Its answers come next, or those of its next part. This is the time to ask libpq for rows as
     * they arrive. */
    void (*begin)(struct op *, struct pg_conn *);
    /* Called while it has more, or is a COPY, also when it was abandoned. Hands one more piece to
     * libpq, some 64 kB at most. False: there is none now; pipeline_more brings the next call. */
    bool (*more)(struct op *, struct pg_conn *);
    /* Something has arrived. Called from COPY_IN or COPY_OUT on, until it returns PULL_OVER. */
    enum pull (*pull)(struct op *, struct pg_conn *);
    /* It was abandoned after it was sent; called before a cancel request goes. A server that waits
     * for our data would not notice the request. */
    void (*called_off)(struct op *, struct pg_conn *);
};

/* Where it is sent among those that wait to be sent. */
enum op_order {
    OP_NORMAL,  /* at the end */
    OP_FRONT,   /* before them: behind some it could stand between two that share a Sync */
    OP_CONTROL, /* before them, and also while the pipeline is held */
};

/* What may be in flight together with it. */
enum op_wire {
    OP_PIPELINED, /* whatever is before and behind it */
    OP_BARRIER,   /* nothing is sent behind it before it is over, so that it can be canceled at any
                     time */
    OP_ALONE,     /* nothing before it, too: libpq cannot pipeline it, it goes by pq_send_simple */
};

/* Its life. Only op_to writes it. */
enum op_state {
    OP_NEW,       /* on no pipeline, and not sent */
    OP_QUEUED,    /* fresh: libpq does not know it */
    OP_SENT,      /* libpq has it, or all but what is still to be handed over (`has_more`) */
    OP_ABANDONED, /* sent, and nobody waits for the answer any more */
    OP_DONE,      /* off the pipeline again, after it was sent */
    OP_DISCARDED, /* the same, after it was abandoned */
};

struct op {
    struct list node;
    const struct op_class *class;
    const char *sql; /* what it runs, borrowed while it is on the pipeline; told with notices. NULL:
                        a statement that the program does not know */
    double sent_at;
    size_t size; /* about how many bytes it sends */
    int parts;   /* how many statements send handed to libpq: set by it, counted down */
    int skip;    /* how many answers still come for the guard before it: it is not told these */
    enum op_state state;
    enum op_order order;
    enum op_wire wire;

    /* Set by whoever submits it. */
    bool reads;        /* only reads: may share a transaction with others that do */
    bool shares_sync;  /* with the one that is submitted behind it in the same tick, if any: when it
                          fails, that is not run */
    bool unawaited;    /* nobody waits for it: a cancel request may hit it */
    bool own;          /* a statement of the library's own, quick on any server that works */
    bool slow;         /* it is not known to be quick: nothing should wait behind it */
    bool streams;      /* what comes is handed on as it comes, so that there is no large result */
    bool begins;       /* it is a BEGIN of ours */
    bool keeps_block;  /* it leaves a transaction block as it finds it: open, or not */
    bool changes_data; /* by itself: nothing is sent behind it on a connection that has not shown
                          yet that it ends such a statement's transaction (see `proved`) */

    /* Set while it is sent. */
    bool has_more;     /* by send: more is to be handed over before its Sync; cleared by more */
    bool sync_follows; /* it is the last before a Sync */

    /* It was sent before, and ROLLBACK goes in its place now: it has left a transaction open that it
     * did not begin. */
    bool undoes;
};

static inline bool op_was_sent(const struct op *op)
{
    return op->state >= OP_SENT;
}

/* The server may have seen it, whether or not it is on its way now. */
static inline bool op_may_have_run(const struct op *op)
{
    return op_was_sent(op) || op->undoes;
}

static inline bool op_is_abandoned(const struct op *op)
{
    return op->state == OP_ABANDONED || op->state == OP_DISCARDED;
}

#endif
